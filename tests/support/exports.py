"""A lifecycle over real files for tests of exports, and an archive taken apart."""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db.engine import Database
from pymeet.db.files import Files
from pymeet.db.inventory import (
    Basis,
    Category,
    Erase,
    EraseRow,
    Hop,
    KeepWith,
    Kind,
    Subject,
    not_personal,
    personal,
    sealed_file,
    table,
)
from pymeet.db.inventory import Export as Exported
from pymeet.db.keys import KeyStore
from pymeet.db.schema import metadata
from pymeet.keyring import Keyring
from pymeet.privacy.export import Export, export_person
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject
from pymeet.privacy.periods import Periods
from tests.support.migrated import prepare


@asynccontextmanager
async def opened(
    data_dir: Path, clock: ManualClock | None = None, config: Config | None = None
) -> AsyncIterator[Lifecycle]:
    """A new or existing data directory, until the block ends."""
    clock = clock or ManualClock()
    config = config or Config(data_dir=data_dir)
    keyring = Keyring.open(data_dir)
    with closing(KeyStore.open(config.keys_path, keyring)) as keys:
        db = await Database.open(prepare(config.database_path))
        try:
            periods = await Periods.open(db, config.retention, clock.now_ms())
            yield Lifecycle(config, db, Files(data_dir, keys), keys, periods, clock)
        finally:
            await db.close()


@dataclass(frozen=True)
class Archive:
    """The files of an archive, by path."""

    files: dict[str, bytes]

    @property
    def manifest(self) -> dict[str, Any]:
        """What it says about itself."""
        manifest: dict[str, Any] = json.loads(self.files["manifest.json"])
        return manifest

    @property
    def index(self) -> str:
        """The page for people."""
        return self.files["index.html"].decode()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of one table; none where it has no file."""
        return [json.loads(line) for line in self.files.get(f"data/{table}.jsonl", b"").splitlines()]

    @property
    def text(self) -> str:
        """All of it, to search in; in JSON and pages, umlauts stand as they are."""
        return "\n".join(content.decode(errors="replace") for content in self.files.values())


@contextmanager
def declared_pictures() -> Iterator[Table]:
    """A table that a feature to come might declare: rows with a sealed file. Make it with `.create(connection)`."""
    made = table(
        "pictures",
        metadata,
        Column(
            "user_id",
            Text,
            ForeignKey("users.id", ondelete="CASCADE"),
            primary_key=True,
            info=personal(Kind.REFERENCE, erase=Erase.WITH_ROW, export=Exported.YES),
        ),
        Column("file_id", Text, nullable=False, primary_key=True, info=sealed_file()),
        Column("kind", Text, nullable=True, info=not_personal()),
        Index("ix_pictures_user_id", "user_id"),
        category=Category.ACCOUNT,
        purpose="To show a face.",
        basis=Basis.CONTRACT,
        subject=(Subject("member", (Hop("user_id", "users.id"),)),),
        keep=(KeepWith("users", "user_id"),),
        erase=EraseRow.DELETE,
    )
    try:
        yield made
    finally:
        metadata.remove(made)


def content_of(lifecycle: Lifecycle, export: Export) -> bytes:
    """The archive as it is handed over."""
    with lifecycle.files.open(export.file_id) as reader:
        return reader.read()


def taken_apart(content: bytes) -> Archive:
    """Every file of the archive; its checksums are checked on the way."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return Archive({info.filename: archive.read(info) for info in archive.infolist()})


async def archive_of(lifecycle: Lifecycle, person: DataSubject, **options: Any) -> Archive:
    """Makes an archive and takes it apart."""
    export = await export_person(lifecycle, person, **options)
    return taken_apart(content_of(lifecycle, export))
