"""A migrated database, made once per test run and copied: the migrations take longer than most tests."""

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pymeet.db.engine import Database


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="pymeet-tests-")


async def open_database(path: Path) -> Database:
    """An empty database of the present schema at `path`."""
    template = Path(_folder().name) / "template.db"
    if not template.exists():
        await (await Database.open(template)).close()
    shutil.copy(template, path)
    return await Database.open(path)
