"""Gate 1: whatever a server that was used keeps, in tables, columns, indexes and files, is declared exactly once."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData

from pymeet.db.inventory import KEY
from pymeet.db.keys import keys_metadata
from pymeet.db.schema import metadata
from pymeet.db.stores import BOOKKEEPING_TABLES, FILES, file_store, undeclared
from tests.gates.story import story

SELDOM = {
    "master.key.new": "while the master key is being changed",
    "restore.pending": "while a backup is being restored",
    "restore.pending.new": "while a backup is being restored",
    "self-signed.new": "while the certificate is being made",
    "self-signed.pem": "with TLS of one's own making, which the story does without",
    "pymeet.db-shm": "while a process has the database open",
    "pymeet.db-wal": "while a process has the database open",
    "keys.db-shm": "while a process has the key store open",
    "keys.db-wal": "while a process has the key store open",
}
"""Patterns of files that need not be there after a day, and when they are."""


async def test_everything_on_the_disk_of_a_used_server_is_declared(tmp_path: Path):
    """What nobody declared would be neither exported nor erased, and no document would name it."""
    async with story(tmp_path) as told:
        admin = await told.add_member("admin", admin=True)
        told.slug = (await told.ask(admin, "POST", "/api/v1/rooms", {"name": admin.made("room")}, 201))["slug"]
        await told.say(admin)
        guest = await told.add_guest("guest")
        await told.record(admin, [admin, guest])
        await told.operate("export.build", who=admin.email)
        await told.operate("request.add", right="access", user=admin.email)
        await told.operate("backup.make")
        await told.operate("erasure.now", who=guest.receipt)

        found = [path.relative_to(told.data_dir) for path in told.data_dir.rglob("*") if not path.is_dir()]

    assert undeclared(found) == []
    seen = {pattern for path in found if (store := file_store(path)) for pattern in store.paths if path.match(pattern)}
    declared = {pattern for store in FILES for pattern in store.paths}
    missing = {pattern for pattern in declared - seen - set(SELDOM) if "*" not in pattern}
    assert missing == set(), "declared and never seen"
    _compare(tmp_path / "data" / "pymeet.db", metadata, set(BOOKKEEPING_TABLES))
    _compare(tmp_path / "data" / "keys.db", keys_metadata, set(BOOKKEEPING_TABLES))


def _compare(path: Path, declared: MetaData, also: set[str]) -> None:
    with sqlite3.connect(path) as conn:
        objects = conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        tables = {name for kind, name, _, _ in objects if kind == "table"}
        assert tables - set(declared.tables) <= also
        assert set(declared.tables) <= tables
        assert {kind for kind, _, _, _ in objects} <= {"table", "index"}, "a view or trigger hides what it does"
        assert not [sql for _, _, _, sql in objects if sql and "VIRTUAL" in sql.upper()], "shadow tables need answers"
        for name in set(declared.tables):
            info: Any = declared.tables[name].info[KEY]
            columns = {row[1] for row in conn.execute(f"PRAGMA table_xinfo('{name}')")}
            assert columns == set(info.columns), f"columns of {name}"
            for index in conn.execute(f"PRAGMA index_list('{name}')").fetchall():
                held = [row[2] for row in conn.execute(f"PRAGMA index_info('{index[1]}')")]
                assert None not in held, f"{index[1]} is built on an expression, whose result is data of its own"
                assert set(held) <= columns
