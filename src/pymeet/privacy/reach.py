"""Everything that erasing a person reaches: the rows to which a path leads, and rows that only their address gives away."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, or_, select

from pymeet.db.inventory import Kind, TableEntry, Unreachable, entries
from pymeet.db.schema import metadata
from pymeet.privacy.people import DataSubject, belongs_to


def reach(entry: TableEntry, person: DataSubject, addresses: Sequence[str]) -> ColumnElement[bool] | None:
    """The condition that picks a person's rows of a table; None where nothing leads from it to such a person.

    `addresses` are the person's e-mail addresses: where the inventory says that no id leads to somebody, as with mail to
    people without account, they are found by those.
    """
    found = [] if (path := belongs_to(entry, person)) is None else [path]
    if addresses and any(isinstance(whose, Unreachable) for whose in entry.subjects):
        table = metadata.tables[entry.name]
        found += [table.c[name].in_(addresses) for name, column in entry.columns.items() if column.kind is Kind.CONTACT]
    return or_(*found) if found else None


def addresses_of(conn: Connection, person: DataSubject) -> tuple[str, ...]:
    """The person's e-mail addresses, from all rows to which a path leads."""
    found: dict[str, None] = {}
    for entry in entries(metadata):
        condition = belongs_to(entry, person)
        table = metadata.tables[entry.name]
        for name, column in entry.columns.items():
            if condition is not None and column.kind is Kind.CONTACT:
                query = select(table.c[name]).where(condition, table.c[name].is_not(None)).distinct()
                found.update(dict.fromkeys(conn.execute(query).scalars()))
    return tuple(found)
