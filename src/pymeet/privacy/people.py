"""Whose data a row is: from a person to all their rows, along the paths that the inventory declares."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, or_, select

from pymeet.db.inventory import Anchor, Subject, TableEntry, entries
from pymeet.db.schema import metadata

CHUNK_ROWS = 500
"""How many rows are in memory at once when a person's rows are read."""


@dataclass(frozen=True)
class DataSubject:
    """Somebody the data is about: a member by the id of the account, a guest by the id of the seat they had."""

    anchor: Anchor
    id: str

    @property
    def user_id(self) -> str | None:
        """The account's id; None for a guest."""
        return self.id if self.anchor is Anchor.MEMBER else None

    @property
    def participant_id(self) -> str | None:
        """The seat's id; None for a member."""
        return self.id if self.anchor is Anchor.GUEST else None


def member(user_id: str) -> DataSubject:
    """The holder of an account."""
    return DataSubject(Anchor.MEMBER, user_id)


def guest(participant_id: str) -> DataSubject:
    """Somebody without account, in one meeting."""
    return DataSubject(Anchor.GUEST, participant_id)


def belongs_to(entry: TableEntry, person: DataSubject) -> ColumnElement[bool] | None:
    """The condition that picks the person's rows of a table; None where no path leads from it to such a person."""
    return _on_any_path(entry, person.anchor, lambda column: column == person.id)


def belongs_to_any(entry: TableEntry, anchor: Anchor, ids: Select[Any]) -> ColumnElement[bool] | None:
    """The same for everybody whose id `ids` selects (no NULL among them). It is never NULL itself, so it may be negated."""
    return _on_any_path(entry, anchor, lambda column: and_(column.is_not(None), column.in_(ids)))


def rows_of(conn: Connection, entry: TableEntry, person: DataSubject) -> Iterator[RowMapping]:
    """The person's rows of a table, in the order of their keys, a chunk at a time: memory stays bounded."""
    condition = belongs_to(entry, person)
    if condition is None:
        return
    table = metadata.tables[entry.name]
    query = select(table).where(condition).order_by(*table.primary_key.columns)
    yield from conn.execute(query, execution_options={"yield_per": CHUNK_ROWS}).mappings()


def counts_of(conn: Connection, person: DataSubject) -> dict[str, int]:
    """How many rows of each table are about the person; tables without any are left out."""
    found = {}
    for entry in entries(metadata):
        condition = belongs_to(entry, person)
        if condition is not None:
            table = metadata.tables[entry.name]
            count = conn.execute(select(func.count()).select_from(table).where(condition)).scalar_one()
            if count:
                found[entry.name] = count
    return found


def _on_any_path(
    entry: TableEntry, anchor: Anchor, meant: Callable[[ColumnElement[Any]], ColumnElement[bool]]
) -> ColumnElement[bool] | None:
    paths = [each for each in entry.subjects if isinstance(each, Subject) and each.anchor is anchor]
    return or_(*(_path(entry.name, each, meant) for each in paths)) if paths else None


def _path(name: str, whose: Subject, meant: Callable[[ColumnElement[Any]], ColumnElement[bool]]) -> ColumnElement[bool]:
    anchor_column = whose.anchor.value.partition(".")[2]
    if not whose.hops:
        return meant(metadata.tables[name].c[anchor_column])
    condition: ColumnElement[bool] | None = None
    # From the person outwards: the last hop holds the anchor's value, each one before it points to the next one's table.
    at = [name, *(hop.to.partition(".")[0] for hop in whose.hops[:-1])]
    for table_name, hop in zip(reversed(at), reversed(whose.hops), strict=True):
        column = metadata.tables[table_name].c[hop.column]
        if condition is None:
            condition = meant(column)
        else:
            target, _, key = hop.to.partition(".")
            keys = select(metadata.tables[target].c[key]).where(condition).correlate(None)
            condition = and_(column.is_not(None), column.in_(keys))
    assert condition is not None  # noqa: S101  there is at least one hop
    return condition
