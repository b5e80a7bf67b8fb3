"""Migrations: they make exactly the declared schema, whole or not at all, and never touch a newer database."""

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from pymeet.db import migrate
from pymeet.db.engine import Database
from pymeet.db.schema import metadata
from pymeet.db.stores import BOOKKEEPING_TABLES

BROKEN = """
import sqlalchemy as sa
from alembic import op

revision = "broken"
down_revision = {down!r}


def upgrade():
    op.add_column("users", sa.Column("shoe_size", sa.Integer()))
    op.create_table("shoes", sa.Column("id", sa.Integer()))
    op.execute("INSERT INTO no_such_table VALUES (1)")
"""


def revisions() -> list[str]:
    """All revisions, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(migrate.DIRECTORY))
    return [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def content(path: Path) -> bytes:
    return path.read_bytes()


async def schema_of(db: Database) -> list[tuple[str, ...]]:
    async with db.read() as conn:
        return [tuple(row) for row in await conn.execute(text("SELECT type, name, sql FROM sqlite_master ORDER BY 2"))]


async def test_the_migrated_database_is_the_declared_one(db: Database):
    """What is declared but not migrated fails for users; what is migrated but not declared escapes the inventory."""

    def compare(connection: Connection) -> None:
        found = inspect(connection)
        assert set(found.get_table_names()) | {"sqlite_sequence"} == set(metadata.tables) | set(BOOKKEEPING_TABLES)
        for table in metadata.sorted_tables:
            columns = {each["name"]: each for each in found.get_columns(table.name)}
            assert list(columns) == [column.name for column in table.columns]
            for column in table.columns:
                assert columns[column.name]["nullable"] == column.nullable, column
                assert str(columns[column.name]["type"]) == str(column.type), column
            indexes = {
                (each["name"], tuple(each["column_names"]), bool(each["unique"]))
                for each in found.get_indexes(table.name)
            }
            assert indexes == {
                (str(each.name), tuple(column.name for column in each.columns), each.unique) for each in table.indexes
            }
            keys = {
                (*each["constrained_columns"], each["options"]["ondelete"])
                for each in found.get_foreign_keys(table.name)
            }
            assert keys == {(key.parent.name, key.ondelete) for key in table.foreign_keys}
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []

    async with db.read() as conn:
        await conn.run_sync(compare)
        objects = (await conn.execute(text("SELECT DISTINCT type FROM sqlite_master"))).scalars()
        assert set(objects) == {"table", "index"}  # no view or trigger that the inventory does not know


async def test_every_step_from_the_first_schema_to_the_last_works(db: Database, path: Path, tmp_path: Path):
    """Somebody somewhere still runs the first release; the long way must lead where a fresh start leads."""
    steps = await Database.open(tmp_path / "steps.db", migrations=_up_to(revisions()[0], tmp_path))

    for revision in revisions():
        async with steps.write() as conn:
            await conn.run_sync(migrate.upgrade, migrate.DIRECTORY, revision)

    assert await schema_of(steps) == await schema_of(db)
    await steps.close()


async def test_opening_again_changes_nothing(db: Database, path: Path):
    """Each start runs the migrations; on a current database that must be no work."""
    before = await schema_of(db)

    again = await Database.open(path)

    assert await schema_of(again) == before
    await again.close()


async def test_a_failed_migration_leaves_the_database_as_it_was(db: Database, path: Path, tmp_path: Path):
    """An update that fails must leave something with which the former version starts again."""
    before = await schema_of(db)
    await db.close()
    directory = tmp_path / "migrations"
    shutil.copytree(migrate.DIRECTORY, directory, ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "versions" / "broken.py").write_text(BROKEN.format(down=revisions()[-1]))

    with pytest.raises(Exception, match="no_such_table"):
        await Database.open(path, migrations=directory)

    again = await Database.open(path)
    assert await schema_of(again) == before
    await again.close()


async def test_a_newer_database_is_refused_and_not_touched(db: Database, path: Path):
    """An older program would misread it, and could delete what it does not know."""
    async with db.write() as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num='9999'"))
    await db.close()
    before = content(path)

    with pytest.raises(migrate.NewerDatabaseError, match="newer pymeet") as caught:
        await Database.open(path)

    assert caught.value.code == "database_newer"
    assert content(path) == before


def _up_to(revision: str, tmp_path: Path) -> Path:
    """A copy of the migrations as they were when `revision` was the newest."""
    directory = tmp_path / "old"
    (directory / "versions").mkdir(parents=True)
    shutil.copy(migrate.DIRECTORY / "env.py", directory)
    for each in (migrate.DIRECTORY / "versions").glob(f"v{revision}_*.py"):
        shutil.copy(each, directory / "versions")
    return directory
