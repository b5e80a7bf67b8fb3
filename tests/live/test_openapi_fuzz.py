"""The API under schemathesis: requests made out of its own description, some as it says and some as it says not.

Whatever is asked: no 5xx, no status and no content type that is not described, and no answer of another shape.
`PYMEET_API_FUZZ_S` and `PYMEET_API_FUZZ_SEED` make it look longer, and for something else.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
from live_server import Visitor, first_admin, make_config, running
from privacy_people import person

SECONDS = int(os.environ.get("PYMEET_API_FUZZ_S", "25"))
SEED = os.environ.get("PYMEET_API_FUZZ_SEED", "1")

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")

ENDS_IT = ("sign_in_sign_out", "security_end_session")
"""What would sign the asker out: the rest would only be refused."""


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_the_api_is_as_it_describes_itself(tmp_path: Path, role: str) -> None:
    """Administrators reach the most code; most people are members."""
    config = make_config(tmp_path / "data")
    async with running(config) as server, first_admin(server) as admin, person(server, "Eve") as eve:
        asker = admin if role == "admin" else eve
        await make_something(asker)
        await ask_anything(asker, tmp_path)


async def make_something(visitor: Visitor) -> None:
    """A room and a series in it, for there must be something to find and to change."""
    plan = {"title": "Tea", "start": "2027-03-22T09:00", "time_zone": "UTC", "duration_min": 60, "rrule": "FREQ=WEEKLY"}
    status, meeting = await visitor.json("POST", "/api/v1/meetings", {**plan, "room": await visitor.make_room()})
    assert status == 201, meeting


async def ask_anything(visitor: Visitor, folder: Path) -> None:
    """Asks for so many seconds, every request in turn, and fails with what schemathesis says."""
    cookies = "; ".join(f"{each.key}={each.value}" for each in visitor.http.cookie_jar)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{visitor.url}/api/v1/openapi.json"),
        *("--phases", "fuzzing", "--max-examples", "1", "--max-time", str(SECONDS), "--seed", SEED),
        *("--checks", ",".join(CHECKS), "--generation-with-security-parameters", "false"),
        *(part for each in ENDS_IT for part in ("--exclude-operation-id", each)),
        *("--header", f"Cookie: {cookies}", "--header", f"Origin: {visitor.url}"),
        *("--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off", "--no-color"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    assert re.search(r"[1-9]\d* generated", said), said
    assert (await visitor.json("GET", "/api/v1/me"))[1]["user"] is not None, "the session ended on the way"
