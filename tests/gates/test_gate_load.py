"""Gate 12: a large purge during a meeting loses no packet and fills no disk. What it costs in time is measured by
`benchmarks/purge.py`, which this runs in small.

Where other programs take the processor away, any server loses packets; so the purge is compared with the same meeting
undisturbed, by turns in the same run. The long version wants a machine of its own, and then not one packet may be lost.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONG = os.environ.get("PYMEET_GATES") == "long"
ROWS, ALONE, TURNS = (2_000_000, 500_000, 4) if LONG else (12_000, 4_000, 2)


async def test_a_purge_during_a_meeting_loses_no_packet_and_keeps_the_log_small():
    """People who meet must not notice that something is deleted beside them."""
    arguments = ["--rows", str(ROWS), "--full", str(ALONE), "--calm", "3", "--turns", str(TURNS), "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "benchmarks" / "purge.py"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(7200 if LONG else 300):
            out, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, said.decode()
    found = json.loads(out)

    assert found["alone"]["rows"] + found["purge"]["rows"] == ROWS
    assert found["purge"]["packets"] > 0
    assert _lost_share(found["purge"]) <= (0 if LONG else _lost_share(found["calm"]))
    assert max(found["alone"]["wal_mb"], found["purge"]["wal_mb"]) < 200


def _lost_share(part: dict[str, int]) -> float:
    return part["lost"] / (part["lost"] + part["packets"])
