"""Everything that erasing a person reaches: the rows to which a path leads, and rows that only their address gives away."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from pymeet.db.inventory import Kind, Subject, TableEntry, Unreachable, entries
from pymeet.db.schema import metadata
from pymeet.privacy.people import DataSubject, belongs_to


def reach(entry: TableEntry, person: DataSubject, addresses: Sequence[str]) -> ColumnElement[bool] | None:
    """The condition that picks a person's rows of a table; None where nothing leads from it to such a person.

    `addresses` are the person's e-mail addresses: where the inventory says that no id leads to somebody, as with mail to
    people without account, they are found by those. A row that an id gives to somebody is theirs, whatever address is in it.
    """
    found = [] if (path := belongs_to(entry, person)) is None else [path]
    if addresses and may_be_anybodys(entry):
        table = metadata.tables[entry.name]
        ids = {whose.hops[0].column for whose in entry.subjects if isinstance(whose, Subject) and whose.hops}
        nobodys = [table.c[name].is_(None) for name in sorted(ids)]
        found += [
            and_(table.c[name].in_(addresses), *nobodys)
            for name, column in entry.columns.items()
            if column.kind is Kind.CONTACT
        ]
    return or_(*found) if found else None


def addresses_of(conn: Connection, person: DataSubject) -> tuple[str, ...]:
    """The person's e-mail addresses, from all rows to which a path leads and in which an address is proved to be theirs.

    Not from links and mails: somebody may have typed another's address, to make it theirs.
    """
    found: dict[str, None] = {}
    for entry in entries(metadata):
        if may_be_anybodys(entry):
            continue
        condition = belongs_to(entry, person)
        table = metadata.tables[entry.name]
        for name, column in entry.columns.items():
            if condition is not None and column.kind is Kind.CONTACT:
                query = select(table.c[name]).where(condition, table.c[name].is_not(None)).distinct()
                found.update(dict.fromkeys(conn.execute(query).scalars()))
    return tuple(found)


def may_be_anybodys(entry: TableEntry) -> bool:
    """Whether an address in this table may belong to somebody to whom no id leads."""
    return any(isinstance(whose, Unreachable) for whose in entry.subjects)
