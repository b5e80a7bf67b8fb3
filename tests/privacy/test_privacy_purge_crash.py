"""Killed at any point, a purge is finished by the next one, and the end is the same as if nothing had happened."""

import asyncio
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select
from tests.support.retention import DAY_MS, NOW_MS, add_messages, add_room, count, open_lifecycle

from pymeet.db import audit_proof
from pymeet.db.audit_checkpoints import Checkpoints
from pymeet.db.schema import exports, messages
from pymeet.ids import new_id
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.plan import plan
from pymeet.privacy.purge import execute

OLD_MS = NOW_MS - 100 * DAY_MS
ROOT = Path(__file__).parents[2]

POINTS = [
    *[("before:commit", number) for number in (1, 2, 6)],
    *[("after:commit", number) for number in (1, 3, 6)],
    *[("before:unlink", number) for number in (1, 3)],
    *[("after:unlink", number) for number in (1, 2)],
    *[("before:shred", number) for number in (1, 3)],
    ("after:shred", 1),
    ("before:fsync", 1),
    ("after:fsync", 2),
    ("before:checkpoint", 1),
    ("after:checkpoint", 1),
]


async def fill(data_dir: Path) -> None:
    """Messages and sealed files of which some are over."""
    async with open_lifecycle(data_dir) as lifecycle:
        file_ids = [new_id() for _ in range(4)]
        for file_id in file_ids:
            with lifecycle.files.create(file_id, NOW_MS) as sink:
                sink.write(b"x" * 1000)
                sink.finish()

        def rows(conn: Connection) -> None:
            add_room(conn, "room")
            add_messages(conn, "room", *[OLD_MS] * 800, *[NOW_MS - DAY_MS] * 50)
            for number, file_id in enumerate(file_ids):
                said = {"state": "ready", "downloads_left": 1, "requested_at_ms": OLD_MS if number else NOW_MS}
                conn.execute(insert(exports).values(id=file_id, file_id=file_id, **said))

        await lifecycle.db.work(rows)


async def state(lifecycle: Lifecycle) -> dict[str, Any]:
    async with lifecycle.db.read() as conn:
        left = (await conn.execute(select(messages.c.id).order_by(messages.c.id))).scalars().all()
        files = (await conn.execute(select(exports.c.file_id))).scalars().all()
    return {
        "messages": left,
        "files": sorted(files),
        "on disk": sorted(file_id for file_id, _, _ in lifecycle.files.ids()),
        "keys": sorted(file_id for file_id, _ in lifecycle.keys.ids()),
        "to remove": await count(lifecycle.db, "pending_gone"),
    }


async def finish(data_dir: Path) -> dict[str, Any]:
    """The next purge, and what is there after it."""
    async with open_lifecycle(data_dir) as lifecycle:
        made = await lifecycle.db.study(lambda conn: plan(conn, lifecycle.periods, NOW_MS))
        outcome = await execute(lifecycle, made, actor="operator", pace="full")
        assert outcome.complete
        checkpoints = Checkpoints.beside(data_dir, lifecycle.keys.purpose_key(audit_proof.PURPOSE))
        await audit_proof.seal_log(lifecycle.db, checkpoints, NOW_MS)
        report = await lifecycle.db.study(audit_proof.verify, checkpoints)
        assert report.intact, report.problems
        return await state(lifecycle)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("filled")
    asyncio.run(fill(data_dir))
    return data_dir


@pytest.fixture(scope="module")
def undisturbed(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The end when nothing happens."""
    return asyncio.run(finish(shutil.copytree(filled, tmp_path_factory.mktemp("undisturbed") / "data")))


@pytest.mark.parametrize(("point", "number"), POINTS)
def test_killed_at_any_point_the_next_run_reaches_the_same_end(
    filled: Path, undisturbed: dict[str, Any], tmp_path: Path, point: str, number: int
):
    """kill -9, a power cut, the kernel out of memory: no row half gone, no file forgotten, the audit log whole."""
    killed = shutil.copytree(filled, tmp_path / "killed")

    child = [sys.executable, "-m", "tests.support.purge_child", str(killed), point, str(number)]
    ended = subprocess.run(child, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()

    end = asyncio.run(finish(killed))
    assert end == undisturbed
    assert (len(end["messages"]), len(end["files"]), end["to remove"]) == (50, 1, 0)
    assert end["files"] == end["on disk"] == end["keys"]
