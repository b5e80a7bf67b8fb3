"""What erasing a person will do, table by table, worked out from the inventory before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, select

from pymeet.db.inventory import Anchor, Erase, EraseRow, TableEntry, entries
from pymeet.db.schema import metadata, rooms, users
from pymeet.db.ways_in import able_admin, has_way_in
from pymeet.errors import ConflictError
from pymeet.privacy.holds import held, kept
from pymeet.privacy.people import DataSubject
from pymeet.privacy.reach import addresses_of, reach
from pymeet.privacy.rows import file_columns

INVENTORY: Final = entries(metadata)

LAST: Final = frozenset({"requests", "request_events", "processing_limits", "holds", "audit_people", "users"})
"""Tables by which the erasure itself finds its way, and hides what is not gone yet: they are dealt with in one
transaction, when everything else is gone."""


class Action(StrEnum):
    """What happens to a person's rows of a table."""

    DELETE = "delete"
    ANONYMISE = "anonymise"
    KEEP = "keep"  # they name nobody once the rest is gone; each of their columns gives the reason


@dataclass(frozen=True)
class Step:
    """One table with rows of the person."""

    table: str
    category: str
    action: Action
    rows: int
    """Rows that go now; for `keep`, that stay."""
    held: int
    """Rows that a hold keeps, or on which a held row hangs."""
    files: int
    """Sealed files that go with the rows."""


@dataclass(frozen=True)
class ErasurePlan:
    """The whole plan. Times are UTC milliseconds."""

    anchor: str
    steps: tuple[Step, ...]
    rooms_without_owner: int
    """Rooms that stay and belong to nobody in particular afterwards."""
    reasons: Mapping[str, tuple[str, ...]]
    """Why what stays does, by table."""
    recipients: tuple[str, ...]
    """To whom such data went in the ordinary course of things (Article 19)."""
    last_administrator: bool
    """It cannot be done: nobody could administer the server afterwards."""
    request_id: str | None
    """The request under way for this person, where there is one."""
    state: str | None
    not_before_ms: int | None

    @property
    def rows(self) -> int:
        """Rows that are deleted or lose the person."""
        return sum(step.rows for step in self.steps if step.action is not Action.KEEP)

    @property
    def held(self) -> int:
        """Rows that must wait."""
        return sum(step.held for step in self.steps if step.action is not Action.KEEP)

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return {**asdict(self), "rows": self.rows, "held": self.held}


def action_of(entry: TableEntry) -> Action:
    """What erasing does to rows of this table."""
    if entry.erase is EraseRow.DELETE:
        return Action.DELETE
    changes = any(column.erase in (Erase.CLEAR, Erase.PSEUDONYM) for column in entry.columns.values())
    return Action.ANONYMISE if changes else Action.KEEP


def going(entry: TableEntry, person: DataSubject, addresses: Sequence[str]) -> ColumnElement[bool] | None:
    """The condition for the person's rows that no hold keeps; None where the table has nothing of theirs."""
    condition = reach(entry, person, addresses)
    return None if condition is None else and_(condition, ~waits(entry))


def waits(entry: TableEntry) -> ColumnElement[bool]:
    """The condition that picks rows which a hold keeps as they are. It is never NULL, so it may be negated."""
    table = metadata.tables[entry.name]
    # A row that only loses the person takes nothing along, so what hangs on it is no reason to wait.
    return kept(table) if action_of(entry) is Action.DELETE else held(table)


def steps_of(conn: Connection, person: DataSubject) -> list[Step]:
    """Every table with rows of the person, children first."""
    addresses = addresses_of(conn, person)
    return [step for entry in reversed(INVENTORY) if (step := _step(conn, entry, person, addresses))]


def reasons_of(entry: TableEntry) -> tuple[str, ...]:
    """Why columns of this table survive an erasure."""
    found = [column.reason for column in entry.columns.values() if column.erase is Erase.KEEP]
    return tuple(dict.fromkeys(found))


def owned_rooms(conn: Connection, person: DataSubject) -> int:
    """How many rooms belong to the person."""
    if person.anchor is not Anchor.MEMBER:
        return 0
    query = select(func.count()).where(rooms.c.owner_id == person.id, rooms.c.deleted_at_ms.is_(None))
    return conn.execute(query).scalar_one()


def is_last_administrator(conn: Connection, person: DataSubject) -> bool:
    """Whether nobody else could sign in as an administrator."""
    if person.anchor is not Anchor.MEMBER:
        return False
    able = users.c.is_admin, users.c.disabled_at_ms.is_(None), has_way_in()
    is_able = conn.execute(select(users.c.id).where(*able, users.c.id == person.id)).first() is not None
    # Of two who both asked to be erased, nobody would be left.
    others = select(users.c.id).where(able_admin(), users.c.id != person.id)
    return is_able and conn.execute(others).first() is None


def refuse_last_administrator(conn: Connection, person: DataSubject) -> None:
    """ConflictError (`last_administrator`) for the only one who could administer the server."""
    if is_last_administrator(conn, person):
        raise ConflictError(
            "This is the last administrator who can sign in, so the account cannot be erased yet.\n"
            "Make another administrator first: `pymeet user add NAME EMAIL --admin`, and let them set a password.",
            code="last_administrator",
        )


def _step(conn: Connection, entry: TableEntry, person: DataSubject, addresses: Sequence[str]) -> Step | None:
    everything, table = reach(entry, person, addresses), metadata.tables[entry.name]
    if everything is None or not entry.personal:  # it names nobody, and leads to them only by a row that goes
        return None
    free = and_(everything, ~waits(entry))
    files = [func.count(column) for column in file_columns(table)]
    rows, *counted = conn.execute(select(func.count(), *files).select_from(table).where(free)).one()
    total = conn.execute(select(func.count()).select_from(table).where(everything)).scalar_one()
    action = action_of(entry)
    if not total:
        return None
    return Step(
        table=entry.name,
        category=entry.category.value,
        action=action,
        rows=total if action is Action.KEEP else rows,
        held=total - rows,
        files=sum(counted),
    )
