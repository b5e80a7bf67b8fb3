"""Brings a database to the newest schema, in the caller's transaction: the whole way or not at all."""

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
    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    applied = set(MigrationContext.configure(connection).get_current_heads())
    if unknown := applied - known:
        raise NewerDatabaseError(
            f"The database was made by a newer pymeet (schema {', '.join(sorted(unknown))}). "
            "Start that version again, or restore a backup from before the update."
        )
    if applied != set(script.get_heads()):
        command.upgrade(config, target)
