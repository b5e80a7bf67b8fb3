"""A server that is killed while it records loses no more than two seconds of anybody, at whatever moment it dies; nor does
one whose machine loses its power."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import pytest
from sqlalchemy import Connection, select
from tests.support.retention import open_lifecycle

from pymeet.clock import SystemClock
from pymeet.db.schema import films, recording_events, recording_people, recording_tracks, recordings
from pymeet.privacy.gone import queue_unknown
from pymeet.privacy.parts import Lifecycle
from pymeet.recording import recovery

RUNS = 50 if os.environ.get("PYMEET_GATES") == "long" else 5
LOST_MS = 2_000
ROOT = Path(__file__).parents[2]


@dataclass
class Killed:
    """What is known of a server that was killed."""

    first_ms: dict[str, int]
    """By track (`<seat>-<source>`): when its first and last frames were sent, in milliseconds of the recording."""
    last_ms: dict[str, int]
    synced: dict[str, int]
    """By file: so many bytes are safe against a power cut."""


def killed_while_recording(data_dir: Path, after_s: float) -> Killed:
    """Kills it so long after the first frame was sent."""
    command = [sys.executable, "-m", "tests.support.recording_child", str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        while not lines[-1].startswith("sent "):
            assert lines[-1] or child.poll() is None, "it ended by itself"
            lines.append(child.stdout.readline())
        kill_at = time.monotonic() + after_s
        while time.monotonic() < kill_at:
            lines.append(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    told = Killed({}, {}, {})
    for line in lines:
        match line.split():
            case ["sent", track, at_ms]:
                told.first_ms.setdefault(track, int(at_ms))
                told.last_ms[track] = int(at_ms)
            case ["synced", file_id, size]:
                told.synced[file_id] = int(size)
    return told


@asynccontextmanager
async def started_again(data_dir: Path) -> AsyncIterator[Lifecycle]:
    async with open_lifecycle(data_dir) as opened:
        lifecycle = replace(opened, clock=SystemClock())
        await recovery.run(lifecycle, await recovery.prepare(lifecycle))
        yield lifecycle


async def rows(lifecycle: Lifecycle, table: Any) -> list[dict[str, Any]]:
    def read(conn: Connection) -> list[dict[str, Any]]:
        return [dict(row) for row in conn.execute(select(table)).mappings()]

    return await lifecycle.db.study(read)


async def check(data_dir: Path, told: Killed) -> None:
    """Every track is there up to two seconds before its last frame, and plays."""
    async with started_again(data_dir) as lifecycle:
        (recording,) = await rows(lifecycle, recordings)
        assert recording["end_reason"] == "crash"
        seats = {row["id"]: row["participant_id"] for row in await rows(lifecycle, recording_people)}
        kept = {}
        for row in await rows(lifecycle, recording_tracks):
            assert row["state"] in ("repaired", "lost"), row
            if row["state"] == "repaired":
                kept[f"{seats[row['person_id']]}-{row['source']}"] = row
        for track, last_ms in told.last_ms.items():
            if track not in kept:
                assert last_ms - told.first_ms[track] <= LOST_MS, track
                continue
            row = kept[track]
            assert abs(row["begins_at"] - told.first_ms[track]) < 500, track
            assert last_ms - (row["begins_at"] + row["duration_ms"]) <= LOST_MS, track
            assert (
                recording["started_at_ms"] + row["begins_at"] + row["duration_ms"] <= recording["ended_at_ms"] + 1_000
            )
            with lifecycle.files.open(row["file_id"]) as reader, av.open(reader) as container:
                frames = sum(1 for _ in container.decode())
            step_ms = 20 if row["source"] == "microphone" else 1000 / 30
            assert abs(frames * step_ms - row["duration_ms"]) < 300, track
        assert all(row["ends_at"] is not None for row in await rows(lifecycle, recording_events))
        assert len(await rows(lifecycle, films)) == (1 if kept else 0)
        assert not any(is_part for _, _, is_part in lifecycle.files.ids()) or len(kept) < 4
        assert await queue_unknown(lifecycle) == 0


@pytest.mark.parametrize("run", range(RUNS))
async def test_killed_at_any_moment_it_loses_no_more_than_two_seconds(tmp_path: Path, run: int) -> None:
    """Out of memory, a bug, an operator's mistake: a meeting happens once."""
    after_s = random.Random(run).uniform(0.0, 5.0)
    print(f"killed after {after_s:.3f} s")

    told = killed_while_recording(tmp_path, after_s)

    await check(tmp_path, told)


def cut(content: bytes, _dice: random.Random) -> bytes:
    return b""


def zeros(content: bytes, _dice: random.Random) -> bytes:
    return bytes(len(content))


def noise(content: bytes, dice: random.Random) -> bytes:
    return dice.randbytes(len(content))


def half(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randint(0, len(content))]


def without_its_beginning(content: bytes, dice: random.Random) -> bytes:
    """Pages reach the disk in any order."""
    at = dice.randint(0, len(content))
    return bytes(at) + content[at:]


def lose_power(data_dir: Path, told: Killed, damage: Callable[[bytes, random.Random], bytes]) -> None:
    """Does this to what was written behind the last sync of every file."""
    dice = random.Random(7)
    for file_id, size in told.synced.items():
        (path,) = data_dir.glob(f"files/*/{file_id}.sealed.part")
        content = path.read_bytes()
        path.write_bytes(content[:size] + damage(content[size:], dice))


@pytest.mark.parametrize("damage", [cut, zeros, noise, half, without_its_beginning])
async def test_a_power_cut_takes_only_what_was_not_synced(
    tmp_path: Path, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    """What stood in the page cache may be gone, or half there; what was synced is not, nor is it doubted."""
    told = killed_while_recording(tmp_path, 3.7)
    assert len(told.synced) == 4
    lose_power(tmp_path, told, damage)

    await check(tmp_path, told)


RECOVER = """
import asyncio, pathlib, sys
from pymeet.recording import recovery
from tests.support.retention import open_lifecycle

async def recover():
    async with open_lifecycle(pathlib.Path(sys.argv[1])) as lifecycle:
        tracks = await recovery.prepare(lifecycle)
        print("ready", file=sys.stderr, flush=True)
        await recovery.run(lifecycle, tracks)

asyncio.run(recover())
"""


def killed_while_recovering(data_dir: Path, after_s: float) -> None:
    command = [sys.executable, "-c", RECOVER, str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, text=True) as child:
        assert child.stderr is not None
        assert child.stderr.readline() == "ready\n"
        time.sleep(after_s)
        child.kill()


async def test_a_recovery_that_is_killed_is_done_again(tmp_path: Path) -> None:
    """A machine that cannot start properly is started many times."""
    told = killed_while_recording(tmp_path, 2.5)
    for after_s in (0.0, 0.003, 0.01, 0.02, 0.05):
        killed_while_recovering(tmp_path, after_s)

    await check(tmp_path, told)
