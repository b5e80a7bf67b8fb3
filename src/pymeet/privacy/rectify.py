"""Rectification (Article 16): a person's own data, in columns that the inventory says they provided, and nowhere else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from pymeet.db import audit
from pymeet.db.inventory import KEY, Anchor, Erase, TableEntry, entries
from pymeet.db.schema import metadata
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.privacy.people import DataSubject, belongs_to

Clean = Callable[[str], str]
"""Makes a value fit to be stored, or raises InvalidInputError."""


@dataclass(frozen=True)
class Rectifiable:
    """One column that a person can have corrected."""

    table: str
    column: str
    rows: int
    """How many rows of theirs have it."""


def rectifiable(conn: Connection, person: DataSubject) -> list[Rectifiable]:
    """What the person can have corrected, with the number of rows."""
    found = []
    for entry in entries(metadata):
        condition, columns = belongs_to(entry, person), _columns(entry)
        if condition is None or not columns:
            continue
        table = metadata.tables[entry.name]
        rows = len(conn.execute(select(*table.primary_key.columns).where(condition)).all())
        found += [Rectifiable(entry.name, column, rows) for column in columns if rows]
    return found


def rectify(
    conn: Connection,
    person: DataSubject,
    table: str,
    column: str,
    value: str,
    *,
    actor: str,
    now_ms: int,
    clean: Clean,
    only: Mapping[str, Any] | None = None,
) -> int:
    """Sets a column in the person's rows of a table, or in those of them in which the columns in `only` have that value.

    `clean` is what the feature itself does with such a value. Returns the number of rows. InvalidInputError for a column
    that is not theirs to correct, NotFoundError without such a row, ConflictError when somebody else has the value.
    """
    made = metadata.tables.get(table)
    entry = None if made is None else made.info[KEY]
    if made is None or not isinstance(entry, TableEntry) or column not in _columns(entry):
        raise InvalidInputError("This cannot be corrected here: it was not given by the person.")
    theirs = belongs_to(entry, person)
    if theirs is None:
        raise NotFoundError("Nothing of this kind is stored about that person.")
    chosen = [made.c[name] == wanted for name, wanted in (only or {}).items()]
    change = update(made).where(theirs, *chosen).values({column: clean(value)})
    try:
        rows = conn.execute(change).rowcount
    except IntegrityError:
        raise ConflictError("Somebody else has this already.", code="value_taken") from None
    if not rows:
        raise NotFoundError("Nothing of this kind is stored about that person.")
    # Which column, not what stood in it: the log must not keep what was wrong about somebody.
    target: str | audit.Person = audit.Person(person.id) if person.anchor is Anchor.MEMBER else table
    audit.record_now(conn, now_ms, actor, "data.rectified", target, {"column": f"{table}.{column}", "rows": rows})
    return rows


def _columns(entry: TableEntry) -> list[str]:
    """Columns with what people typed about themselves. What erasing keeps is shared, such as the name of a room."""
    return [name for name, column in entry.columns.items() if column.provided and column.erase is not Erase.KEEP]
