"""The only two ways in which rows about people end: deleted with everything that hangs on them, or made anonymous.

Both work for every table alike, from its declaration. Retention and erasure use the same functions.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from pymeet.db.inventory import KEY, Erase, EraseRow, InventoryError, Keep, Kind, Subject, TableEntry
from pymeet.db.schema import metadata, pending_gone
from pymeet.ids import new_id

FORMER: Final = "Former participant "
"""What a name becomes, with a number that means nothing outside its room."""

_FORMER = re.compile(re.escape(FORMER) + r"([0-9]{1,6})")


@dataclass(frozen=True)
class Child:
    """A table whose rows the database deletes together with the row that `column` points to."""

    table: Table
    column: Column[Any]
    parent_column: Column[Any]


@cache
def children(table: Table) -> tuple[Child, ...]:
    """The tables that hang on this one (`ON DELETE CASCADE`)."""
    return tuple(
        Child(other, key.parent, key.column)
        for other in metadata.sorted_tables
        for key in other.foreign_keys
        if key.ondelete == "CASCADE" and key.column.table is table and other is not table
    )


@cache
def hanging(table: Table) -> tuple[tuple[Child, ...], ...]:
    """Every way down from this table to one whose rows go with its rows, step by step."""
    return tuple((child, *further) for child in children(table) for further in ((), *hanging(child.table)))


def room_column(table: Table) -> Column[Any] | None:
    """The column that says to which room a row belongs; None where rows belong to no room."""
    if table.name == "rooms":
        return table.c["id"]
    pointing = [key.parent for key in table.foreign_keys if key.column.table.name == "rooms"]
    return pointing[0] if pointing else None


@cache
def file_columns(table: Table) -> tuple[Column[Any], ...]:
    """The columns with ids of sealed files."""
    return tuple(column for column in table.columns if (said := column.info.get(KEY)) and said.sealed_file)


def named(table: Table, rule: Keep) -> ColumnElement[bool]:
    """The condition that picks rows by which other rows find their person, and which stay for that. It is never NULL."""
    if not rule.unless_named_by:
        return false()
    name, _, column = rule.unless_named_by.partition(".")
    naming, entry = metadata.tables[name], metadata.tables[name].info[KEY]
    first_hops = [path.hops[0] for path in entry.subjects if isinstance(path, Subject) and path.hops]
    here = next(hop.to.partition(".")[2] for hop in first_hops if hop.column == column)
    # what leads to the person in another way needs no row here
    alone = [naming.c[hop.column].is_(None) for hop in first_hops if hop.column != column]
    found = select(naming.c[column]).where(naming.c[column] == table.c[here], *alone)
    return exists(found.correlate(table))


def rowid(table: Table) -> ColumnElement[int]:
    """SQLite's own number of a row, which every table here has."""
    return literal_column(f"{table.name}.rowid")


def among(table: Table, rowids: list[int]) -> ColumnElement[bool]:
    """The condition that picks these rows; one parameter, however many they are."""
    return rowid(table).in_(select(func.json_each(literal(json.dumps(rowids))).table_valued("value").c.value))


def rowids_of(conn: Connection, table: Table, condition: ColumnElement[bool]) -> list[int]:
    """The rows that a condition picks."""
    return list(conn.execute(select(rowid(table)).select_from(table).where(condition)).scalars())


def picking(table: Table, condition: ColumnElement[bool]) -> Select[Any]:
    """The query for those of the rows with the numbers `rowids` (as JSON) that a condition picks.

    Each is looked up by its number, whatever index the condition invites to. To be made once and used often: what takes
    longest about a small query is making it.
    """
    listed = func.json_each(bindparam("rowids")).table_valued("value").alias("listed")
    here = select(rowid(table)).select_from(table).where(rowid(table) == listed.c.value, condition)
    return select(listed.c.value).where(exists(here.correlate(listed)))


def delete_rows(conn: Connection, table: Table, condition: ColumnElement[bool], now_ms: int) -> Mapping[str, int]:
    """Deletes rows with their children and tells how many went from which table.

    Sealed files of all of them are put on the list of files to remove in the same transaction: no crash can forget one.
    """
    return delete_these(conn, table, rowids_of(conn, table, condition), now_ms)


def delete_these(conn: Connection, table: Table, rowids: list[int], now_ms: int) -> Mapping[str, int]:
    """Like `delete_rows`, for rows whose numbers are known."""
    gone: Counter[str] = Counter()
    if rowids:
        _delete(conn, table, rowids, now_ms, gone)
    return dict(gone)


def _delete(conn: Connection, table: Table, rowids: list[int], now_ms: int, gone: Counter[str]) -> None:
    picked = {"rowids": json.dumps(rowids)}
    # Children first and by name, though the database would take them along: their files must not be forgotten.
    for child_table, theirs in _hanging(table):
        if hanging := list(conn.execute(theirs, picked).scalars()):
            _delete(conn, child_table, hanging, now_ms, gone)
    for queue in _queueing(table):
        conn.execute(queue, {**picked, "now_ms": now_ms})
    gone[table.name] += conn.execute(_deleting(table), picked).rowcount


def _these(table: Table) -> ColumnElement[bool]:
    return rowid(table).in_(select(func.json_each(bindparam("rowids")).table_valued("value").c.value))


@cache
def _hanging(table: Table) -> list[tuple[Table, Select[Any]]]:
    """For each table that hangs on this one, the query for the rows that hang on the rows `rowids`."""
    return [
        (
            child.table,
            select(rowid(child.table))
            .select_from(child.table)
            .where(child.column.in_(select(child.parent_column).where(_these(table)))),
        )
        for child in children(table)
    ]


@cache
def _queueing(table: Table) -> list[Insert]:
    """What puts the sealed files of the rows `rowids` on the list of files to remove."""
    statements: list[Insert] = []
    for column in file_columns(table):
        files = select(column, bindparam("now_ms", type_=BigInteger)).where(_these(table), column.is_not(None))
        queue = insert(pending_gone).from_select(["file_id", "queued_at_ms"], files)
        statements.append(queue.on_conflict_do_nothing())
    return statements


@cache
def _deleting(table: Table) -> Delete:
    return delete(table).where(_these(table))


def make_again(conn: Connection, entry: TableEntry, condition: ColumnElement[bool]) -> int:
    """Puts a row without a file beside each of these that has one, for whoever makes the file anew; how many."""
    if not entry.made_again:
        return 0
    table = metadata.tables[entry.name]
    with_file = or_(*(column.is_not(None) for column in file_columns(table)))
    found = conn.execute(select(table).where(condition, with_file)).mappings().all()
    if found:
        conn.execute(insert(table), [{**row, **entry.made_again, "id": new_id()} for row in found])
    return len(found)


def anonymise_rows(conn: Connection, entry: TableEntry, condition: ColumnElement[bool], now_ms: int) -> int:
    """Lets each personal column of the rows follow its own decision about erasure, and tells how many rows it were.

    A name becomes "Former participant N". N counts within the room: the rows of one person in one room get the same one
    when they come in one call, rows of two rooms cannot be linked by it. A random id becomes another one. Nothing is
    dated, so `now_ms` only keeps this call like `delete_rows`. InventoryError for a table whose rows die whole.
    """
    if entry.erase is not EraseRow.COLUMNS:
        raise InventoryError(f"Rows of {entry.name} are deleted, not made anonymous.")
    table = metadata.tables[entry.name]
    personal = {name: column for name, column in entry.columns.items() if column.personal}
    cleared = {name: None for name, column in personal.items() if column.erase is Erase.CLEAR}
    made_up = {name: column.kind for name, column in personal.items() if column.erase is Erase.PSEUDONYM}
    if strange := set(made_up.values()) - {Kind.NAME, Kind.REFERENCE}:
        raise InventoryError(f"Nothing can be made up for {', '.join(map(str, strange))} in {entry.name}.")
    query = select(rowid(table).label("rowid"), *table.columns).where(condition).order_by(rowid(table))
    rows = conn.execute(query).mappings().all()
    numbers = _Numbers(conn, table, [name for name, kind in made_up.items() if kind is Kind.NAME])
    for row in rows:
        values: dict[str, Any] = dict(cleared)
        for name, kind in made_up.items():
            values[name] = new_id() if kind is Kind.REFERENCE else FORMER + str(numbers.of(row, _person(entry, row)))
        if values:
            conn.execute(update(table).where(rowid(table) == row["rowid"]).values(values))
    return len(rows)


def still_personal(entry: TableEntry) -> ColumnElement[bool]:
    """The condition that leaves out rows which are anonymous already."""
    table = metadata.tables[entry.name]
    signs: list[ColumnElement[bool]] = []
    for name, column in entry.columns.items():
        if column.erase is Erase.CLEAR:
            signs.append(table.c[name].is_not(None))
        elif column.erase is Erase.PSEUDONYM and column.kind is Kind.NAME:
            signs.append(~table.c[name].like(f"{FORMER}%"))
    if not signs:
        raise InventoryError(f"Nothing in {entry.name} tells whether a row is anonymous already.")
    return or_(*signs)


class _Numbers:
    """Gives out the numbers of former participants, going on after those that a room has already."""

    def __init__(self, conn: Connection, table: Table, names: list[str]) -> None:
        self._conn = conn
        self._table = table
        self._names = names
        self._room = room_column(table)
        self._last: dict[Any, int] = {}
        self._given: dict[tuple[Any, Any], int] = {}

    def of(self, row: Any, person: Any) -> int:
        room = None if self._room is None else row[self._room.name]
        if room is None:
            return 1  # it belongs to no room, so there is nobody to be told apart from
        if (room, person) not in self._given:
            if room not in self._last:
                self._last[room] = self._highest(room)
            self._last[room] += 1
            self._given[room, person] = self._last[room]
        return self._given[room, person]

    def _highest(self, room: Any) -> int:
        assert self._room is not None  # noqa: S101  asked only for rows with a room
        highest = 0
        for name in self._names:
            column = self._table.c[name]
            found = self._conn.execute(select(column).where(self._room == room, column.like(f"{FORMER}%"))).scalars()
            highest = max(highest, *(int(match[1]) for text in found if (match := _FORMER.fullmatch(text))), 0)
        return highest


def _person(entry: TableEntry, row: Any) -> tuple[str, Any]:
    """By what the rows of one person are known to be theirs: the account, else the seat."""
    for whose in entry.subjects:
        if isinstance(whose, Subject):
            column = whose.hops[0].column if whose.hops else whose.anchor.value.partition(".")[2]
            if row[column] is not None:
                return column, row[column]
    return "rowid", row["rowid"]
