"""A person's rows as an export carries them: page by page, without secrets, and without anybody else.

What goes out is what the inventory says: a personal column only when it is declared for export, never a secret. What says
nothing about anybody stands beside it, because a decision without its purpose tells nothing either.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, LargeBinary, Table, select, tuple_

from pymeet.db.inventory import KEY, Export, Subject, TableEntry, entries
from pymeet.db.schema import exports, metadata
from pymeet.privacy.people import DataSubject, belongs_to

PAGE_ROWS: Final = 500
"""How many rows are read at once: each page is a short view of the database, so that its log can be emptied meanwhile."""

SOMEBODY_ELSE: Final = "It leads to somebody else, or no longer to anybody."

_OWN_PROOF = "With it the server proves its own records; it says nothing about anybody."
_COPIES = frozenset({exports.name})
"""Tables whose files are copies of what an export holds anyway."""

RowKey = tuple[Any, ...]


@dataclass(frozen=True)
class FileOfPerson:
    """A sealed file that a row of the person names."""

    table: str
    column: str
    file_id: str
    name: str = ""
    """Where it stands in the archive; without it by its id."""
    unfinished: bool = False
    """It is still being written, so there is nothing to hand over yet."""

    @property
    def path(self) -> str:
        """Where it stands in the archive."""
        return self.name or f"files/{self.table}/{self.file_id}"


@dataclass(frozen=True)
class Page:
    """Some rows of one table."""

    rows: list[dict[str, Any]]
    """The exported columns, as JSON can carry them."""
    others: Mapping[str, int]
    """For every column from which somebody else was taken out, in how many rows."""
    files: list[FileOfPerson]
    after: RowKey | None
    """The key of the last row; None when there is no further page."""


def searched(person: DataSubject) -> Iterator[TableEntry]:
    """The tables in which such people have rows, parents first."""
    return (entry for entry in entries(metadata) if belongs_to(entry, person) is not None)


def exported(entry: TableEntry) -> list[str]:
    """The columns that an export carries."""
    return [column.name for column in _table(entry).columns if _is_exported(entry, column)]


def withheld(entry: TableEntry) -> dict[str, str]:
    """The columns that it does not carry, each with the reason."""
    columns = entry.columns
    return {
        column.name: columns[column.name].reason or _OWN_PROOF
        for column in _table(entry).columns
        if not _is_exported(entry, column)
    }


def pointers(entry: TableEntry) -> dict[str, list[str]]:
    """The columns that may lead to a person, each with where it points to (`table.column`)."""
    found: dict[str, list[str]] = {}
    for path in entry.subjects:
        if isinstance(path, Subject) and path.hops and not _points_here(path.hops[0].to, entry.name):
            found.setdefault(path.hops[0].column, []).append(path.hops[0].to)
    for column in _table(entry).columns:
        for key in column.foreign_keys:
            if key.column.table.name == "users":
                found.setdefault(column.name, []).append(key.target_fullname)
    return {column: list(dict.fromkeys(targets)) for column, targets in found.items()}


def read_page(conn: Connection, entry: TableEntry, person: DataSubject, after: RowKey | None) -> Page:
    """The person's next rows behind the one with the key `after`, in the order of their keys."""
    table = _table(entry)
    condition = belongs_to(entry, person)
    if condition is None:
        return Page([], {}, [], None)
    key = tuple(table.primary_key.columns)
    query = select(table).where(condition).order_by(*key).limit(PAGE_ROWS)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    found = conn.execute(query).mappings().all()
    columns = exported(entry)
    rows = [{name: _jsonable(row[name]) for name in columns} for row in found]
    others = {}
    for column, targets in pointers(entry).items():
        if column in columns and (count := _take_out_others(conn, person, rows, column, targets)):
            others[column] = count
    files = [
        FileOfPerson(entry.name, name, row[name])
        for name, column in entry.columns.items()
        if column.sealed_file and not column.file_withheld and entry.name not in _COPIES
        for row in found
        if row[name] is not None
    ]
    last = found[-1] if len(found) == PAGE_ROWS else None
    return Page(rows, others, files, tuple(last[column.name] for column in key) if last else None)


def _take_out_others(
    conn: Connection, person: DataSubject, rows: list[dict[str, Any]], column: str, targets: list[str]
) -> int:
    """Empties `column` wherever it does not lead to the person, and says in how many rows that was."""
    own = _leading_to(conn, person, targets, {row[column] for row in rows if row[column] is not None})
    count = 0
    for row in rows:
        if row[column] is not None and row[column] not in own:
            row[column] = None
            count += 1
    return count


def _leading_to(conn: Connection, person: DataSubject, targets: Iterable[str], values: set[Any]) -> set[Any]:
    """Those of `values` that are, in one of `targets`, in a row of the person."""
    own: set[Any] = set()
    for target in targets:
        name, _, column = target.partition(".")
        table = metadata.tables[name]
        condition = belongs_to(table.info[KEY], person)
        if condition is not None and values:
            query = select(table.c[column]).where(table.c[column].in_(values), condition)
            own.update(conn.execute(query).scalars())
    return own


def _points_here(place: str, name: str) -> bool:
    """Whether it is the column of a table that joins this one to others: such a path leads out by what points here."""
    table, _, column = place.partition(".")
    return any(key.column.table.name == name for key in metadata.tables[table].c[column].foreign_keys)


def _is_exported(entry: TableEntry, column: Column[Any]) -> bool:
    declared = entry.columns[column.name]
    if declared.secret or declared.sealed_file:
        return False
    return declared.export is Export.YES if declared.personal else not isinstance(column.type, LargeBinary)


def _jsonable(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _table(entry: TableEntry) -> Table:
    return metadata.tables[entry.name]
