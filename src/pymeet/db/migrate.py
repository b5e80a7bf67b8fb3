"""Brings a database to the newest schema, in the caller's transaction: the whole way or not at all."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from pymeet.errors import PymeetError

DIRECTORY = Path(__file__).parent / "migrations"
"""The migrations that belong to this program. They are only ever added to, never edited after a release."""


class NewerDatabaseError(PymeetError):
    """The database was last used by a newer pymeet, and this one could damage it."""

    code = "database_newer"


def upgrade(connection: Connection, directory: Path = DIRECTORY, target: str = "head") -> None:
    """Applies what is missing up to the revision `target`. Raises NewerDatabaseError; commits nothing itself."""
    known, heads = _revisions(directory)
    applied = set(MigrationContext.configure(connection).get_current_heads())
    if unknown := applied - known:
        raise NewerDatabaseError(
            f"The database was made by a newer pymeet (schema {', '.join(sorted(unknown))}). "
            "Start that version again, or restore a backup from before the update."
        )
    if applied != heads:
        config = _config(directory)
        config.attributes["connection"] = connection
        command.upgrade(config, target)


@cache
def _revisions(directory: Path) -> tuple[frozenset[str], frozenset[str]]:
    """All revisions of a directory, and the newest: read once, for each is a file of code."""
    script = ScriptDirectory.from_config(_config(directory))
    return frozenset(each.revision for each in script.walk_revisions()), frozenset(script.get_heads())


def _config(directory: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    return config
