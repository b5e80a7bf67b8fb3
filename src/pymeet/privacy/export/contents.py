"""What an archive turned out to hold, while and after it was made."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pymeet.db.inventory import TableEntry
from pymeet.privacy.export.reading import SOMEBODY_ELSE, withheld
from pymeet.privacy.export.zipping import Member
from pymeet.privacy.people import DataSubject

FORMAT: Final = "pymeet-export"
FORMAT_VERSION: Final = 1

SHOWN_ROWS: Final = 500
"""How many rows of a table the index shows; the data files hold all."""


@dataclass(frozen=True)
class Occasion:
    """When, where and for whom an archive is made."""

    person: DataSubject
    made_at_ms: int
    instance: str | None
    """The server's public address, where it has one."""
    language: str


@dataclass
class TablePart:
    """One table with rows of the person."""

    entry: TableEntry
    columns: list[str]
    read_from_ms: int
    read_until_ms: int = 0
    rows: int = 0
    shown: list[dict[str, Any]] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    """For every column from which somebody else was taken out, in how many rows."""

    @property
    def path(self) -> str:
        """Where its rows stand in the archive."""
        return f"data/{self.entry.name}.jsonl"

    @property
    def schema_path(self) -> str:
        """Where their schema stands."""
        return f"schemas/{self.entry.name}.schema.json"


@dataclass(frozen=True)
class Withheld:
    """A column that is left out, or from which somebody else was."""

    table: str
    column: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Failed:
    """A file that could not be read: `unreadable`, `broken` where its beginning is in the archive, or `unfinished`."""

    path: str
    reason: str


@dataclass
class Contents:
    """Everything in an archive but its own index and manifest."""

    parts: list[TablePart] = field(default_factory=list)
    empty: list[TableEntry] = field(default_factory=list)
    """Tables that were searched and hold nothing about the person."""
    files: list[Member] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    calendar: Member | None = None

    @property
    def rows(self) -> int:
        """How many rows, over all tables."""
        return sum(part.rows for part in self.parts)

    def withheld(self) -> Iterator[Withheld]:
        """What is left out of the tables that have rows."""
        for part in self.parts:
            for column, reason in withheld(part.entry).items():
                yield Withheld(part.entry.name, column, reason, part.rows)
            for column, count in part.others.items():
                yield Withheld(part.entry.name, column, SOMEBODY_ELSE, count)
