"""Databases of the present schema, copied from one that was migrated once per process: the migrations take longer than most
tests. What they do is tested in tests/db, where every database is made by them."""

import asyncio
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from pymeet.db.engine import Database


def prepare(path: Path) -> Path:
    """Puts an empty database at `path` where there is none, in a directory as the server makes it; the same path."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(_template(), path)
    return path


@cache
def _folder() -> "TemporaryDirectory[str]":
    return TemporaryDirectory(prefix="pymeet-tests-")


@cache
def _template() -> Path:
    template = Path(_folder().name) / "template.db"
    # a thread has no loop yet, so that this can be called from inside of one
    thread = Thread(target=lambda: asyncio.run(_make(template)))
    thread.start()
    thread.join()
    return template


async def _make(path: Path) -> None:
    await (await Database.open(path)).close()
