"""Makes the archive: table by table, page by page, then the files, then the index and the manifest.

It runs in a thread of its own. Only the pages are read elsewhere, in the database's thread for long work; `study` waits
for each. Nothing is held in memory but one page, one piece of a file, and the rows that the index shows.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection

from pymeet.config import PrivacyConfig
from pymeet.db.files import Files
from pymeet.db.inventory import TableEntry
from pymeet.db.schema import metadata
from pymeet.errors import PymeetError
from pymeet.privacy.export import ical
from pymeet.privacy.export.contents import FORMAT_VERSION, SHOWN_ROWS, Contents, Failed, Occasion, TablePart
from pymeet.privacy.export.index import render_index
from pymeet.privacy.export.manifest import manifest_of
from pymeet.privacy.export.reading import FileOfPerson, RowKey, exported, read_page, searched
from pymeet.privacy.export.recordings import named
from pymeet.privacy.export.schemas import schema_of
from pymeet.privacy.export.zipping import ArchiveWriter
from pymeet.privacy.people import counts_of

PIECE_BYTES: Final = 1024 * 1024

T = TypeVar("T")

Progress = Callable[[int, int | None, str], None]
"""So many of so many, and a few words on what is done now."""

Period = Callable[[str], int | None]
"""For a retention class the period in force, in milliseconds; None without end."""


class Surroundings(Protocol):
    """What the builder needs of the rest of the program; everything is called from the builder's thread."""

    def study(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs `function(connection, *arguments)` with a short view of the database."""

    def breathe(self) -> None:
        """Waits a little where meetings need the processor. Raises when the archive is not wanted any more."""

    def now_ms(self) -> int:
        """The time."""


class Builder:
    """Makes one archive."""

    def __init__(
        self,
        writer: ArchiveWriter,
        occasion: Occasion,
        around: Surroundings,
        files: Files,
        *,
        privacy: PrivacyConfig,
        period: Period,
        progress: Progress,
    ) -> None:
        self._writer = writer
        self._occasion = occasion
        self._around = around
        self._files = files
        self._privacy = privacy
        self._period = period
        self._progress = progress
        self._contents = Contents()
        self._rows_done = 0
        self._rows_total = 0

    def build(self, also: Iterable[FileOfPerson] = ()) -> Contents:
        """Writes everything, and the files in `also`; the archive is whole when this returns.

        Raises what the sink or the database raise.
        """
        person = self._occasion.person
        counts = self._around.study(counts_of, person)
        self._rows_total = sum(counts.values())
        to_copy = list(also)
        for entry in searched(person):
            if counts.get(entry.name):
                to_copy += self._table(entry)
            else:
                self._contents.empty.append(entry)
        self._calendar()
        self._copy_all(to_copy)
        index = render_index(self._contents, self._occasion, self._privacy, self._period)
        self._writer.add("index.html", self._unhurried(index))
        said = manifest_of(self._contents, self._occasion, self._writer.members, self._privacy, self._period)
        self._writer.add("manifest.json", [_pretty(said)])
        self._writer.finish()
        return self._contents

    def _table(self, entry: TableEntry) -> list[FileOfPerson]:
        part = TablePart(entry, exported(entry), self._around.now_ms())
        files: list[FileOfPerson] = []
        self._writer.add(part.path, self._lines(part, files))
        part.read_until_ms = self._around.now_ms()
        self._writer.add(part.schema_path, [_pretty(schema_of(metadata.tables[entry.name], FORMAT_VERSION))])
        self._contents.parts.append(part)
        return files

    def _lines(self, part: TablePart, files: list[FileOfPerson]) -> Iterator[str]:
        after: RowKey | None = None
        while True:
            page = self._around.study(read_page, part.entry, self._occasion.person, after)
            for row in page.rows:
                yield json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
            part.rows += len(page.rows)
            part.shown += page.rows[: max(0, SHOWN_ROWS - len(part.shown))]
            for column, count in page.others.items():
                part.others[column] = part.others.get(column, 0) + count
            files += self._around.study(named, page.files) if page.files else ()
            self._rows_done += len(page.rows)
            self._progress(self._rows_done, max(self._rows_total, self._rows_done), "reading the tables")
            self._around.breathe()
            after = page.after
            if after is None:
                return

    def _calendar(self) -> None:
        events, after = self._events(None)
        if not events:
            return
        language = self._occasion.language
        with self._writer.member(ical.FILE) as into:
            into.write(ical.opening(language).encode())
            while True:
                into.write("".join(events).encode())
                if after is None:
                    break
                events, after = self._events(after)
            into.write(ical.closing().encode())
        self._contents.calendar = self._writer.members[-1]

    def _events(self, after: str | None) -> tuple[list[str], str | None]:
        occasion = self._occasion

        def read(conn: Connection) -> tuple[list[str], str | None]:
            return ical.read_events(
                conn, occasion.person, after, made_at_ms=occasion.made_at_ms, language=occasion.language
            )

        self._around.breathe()
        return self._around.study(read)

    def _copy_all(self, to_copy: list[FileOfPerson]) -> None:
        taken: Counter[str] = Counter()
        # What is not finished takes the last numbers: the archive names it without having it.
        for number, file in enumerate(sorted(to_copy, key=lambda file: file.unfinished)):
            taken[file.path] += 1
            if (again := taken[file.path]) > 1:  # two devices of one person at one moment
                path, dot, ending = file.path.rpartition(".")
                file = replace(file, name=f"{path} ({again}){dot}{ending}")
            self._copy(file, f"copying file {number + 1} of {len(to_copy)}")

    def _copy(self, file: FileOfPerson, what: str) -> None:
        if file.unfinished:
            self._contents.failed.append(Failed(file.path, "unfinished"))
            return
        try:
            reader = self._files.open(file.file_id)
        except (PymeetError, OSError, sqlite3.Error):
            self._contents.failed.append(Failed(file.path, "unreadable"))
            return
        # Recordings and pictures are compressed already.
        with reader, self._writer.member(file.path, compressed=False) as into:
            done = 0
            while done < reader.size:
                try:
                    piece = reader.read_at(done, PIECE_BYTES)
                except (PymeetError, OSError):
                    self._contents.failed.append(Failed(file.path, "broken"))
                    break
                into.write(piece)
                done += len(piece)
                self._progress(done >> 20, reader.size >> 20, what)
                self._around.breathe()
        self._contents.files.append(self._writer.members[-1])

    def _unhurried(self, pieces: Iterator[str]) -> Iterator[str]:
        for piece in pieces:
            yield piece
            self._around.breathe()


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
