"""The plan of a purge: what exactly would go, counted without changing anything. The run executes this same object.

A plan travels as JSON between the command that shows it and the server that carries it out.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, false, func, literal, or_, select, true

from pymeet.db.inventory import Anchor, Keep, Purge, TableEntry, entries
from pymeet.db.schema import audit_events, audit_people, metadata, users
from pymeet.db.ways_in import able_admin
from pymeet.errors import InvalidInputError
from pymeet.privacy.holds import kept
from pymeet.privacy.limits import restricted
from pymeet.privacy.people import DataSubject, belongs_to
from pymeet.privacy.periods import Periods
from pymeet.privacy.rows import children, file_columns, named, room_column, still_personal
from pymeet.retention import CLASSES, check_period, days

INVENTORY: Final = entries(metadata)

BY_NAME_ONLY: Final = frozenset({"account", "audit", "breach", "consent", "ledger", "request"})
"""People themselves, and what proves something: a purge touches these only when they are named."""

WARNED: Final = "account.warned"
"""The event in the audit log that says: this person was told that their account ends."""

WARN_BEFORE_MS: Final = (days(30), days(7))
"""How long before its end an account's holder is told, where mail is on."""


@dataclass(frozen=True)
class Step:
    """Rows of one table that end for one reason. Times are UTC milliseconds."""

    retention_class: str
    table: str
    clock: str
    action: Purge
    cutoff_ms: int
    """Rows whose clock shows this or less are over."""
    room_id: str | None
    """Only rows of this room."""
    except_rooms: tuple[str, ...]
    """Not the rows of these, which have their own period."""
    count: int
    oldest_ms: int | None
    held: int
    """Rows that are over and stay, because a hold or a restriction keeps them or a row that hangs on them."""
    running: int
    """Rows that are over and stay, because people meet in their room now."""
    children: Mapping[str, int]
    """Rows of other tables that go with them."""
    files: int
    """Sealed files that go with them."""


@dataclass(frozen=True)
class Plan:
    """Everything that one purge does."""

    made_at_ms: int
    older_than_ms: int | None
    """The period that was asked for; None for the periods in force."""
    classes: tuple[str, ...]
    room_id: str | None
    person: DataSubject | None
    only_warned: bool
    """Accounts only of people who were told a week ago or earlier."""
    running_rooms: tuple[str, ...]
    """Rooms in which people met when it was made; None of their rows go."""
    steps: tuple[Step, ...]

    @property
    def count(self) -> int:
        """The rows that go, without their children."""
        return sum(step.count for step in self.steps)

    @property
    def held(self) -> int:
        """The rows that a hold or a restriction keeps."""
        return sum(step.held for step in self.steps)

    @property
    def spares_running(self) -> bool:
        """Whether rooms with a meeting are left out. What is over by the periods in force goes in any case."""
        return self.older_than_ms is not None

    @property
    def digest(self) -> str:
        """A fingerprint, 16 hexadecimal digits: what was shown is what is run."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it; random ids, counts and words, no names."""
        return {**self._content(), "digest": self.digest}

    def _content(self) -> dict[str, Any]:
        return asdict(self)


def from_dict(content: Mapping[str, Any], now_ms: int) -> Plan:
    """The plan that `as_dict` wrote. InvalidInputError when it is another one, is an hour old, or breaks a bound."""
    try:
        values = {key: value for key, value in content.items() if key != "digest"}
        person = values["person"]
        made = Plan(
            **{
                **values,
                "classes": tuple(values["classes"]),
                "running_rooms": tuple(values["running_rooms"]),
                "person": person and DataSubject(Anchor(person["anchor"]), person["id"]),
                "steps": tuple(
                    Step(**{**step, "action": Purge(step["action"]), "except_rooms": tuple(step["except_rooms"])})
                    for step in values["steps"]
                ),
            }
        )
        rules = {(rule.name, entry.name, rule.clock, rule.purge) for entry, rule in _rules(INVENTORY)}
        fits = made.digest == content["digest"] and all(
            (step.retention_class, step.table, step.clock, step.action) in rules
            and step.cutoff_ms <= made.made_at_ms - CLASSES[step.retention_class].min_ms
            for step in made.steps
        )
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise InvalidInputError("This is not a plan of this server. Make a new one.")
    if not 0 <= now_ms - made.made_at_ms <= 3_600_000:
        raise InvalidInputError("The plan is older than an hour. Make a new one.")
    return made


def plan(
    conn: Connection,
    periods: Periods,
    now_ms: int,
    *,
    older_than_ms: int | None = None,
    classes: Collection[str] | None = None,
    room_id: str | None = None,
    person: DataSubject | None = None,
    running_rooms: Iterable[str] = (),
    only_warned: bool = False,
    inventory: Iterable[TableEntry] = INVENTORY,
) -> Plan:
    """What would go now: by the periods in force, or whatever is older than `older_than_ms`. Changes nothing.

    `room_id` and `person` leave out what belongs to no room or nobody. Without `classes` all take part but those in
    `BY_NAME_ONLY`. InvalidInputError when a class does not exist or cannot be kept that shortly or that long.
    """
    rules = list(_rules(inventory))
    chosen = _chosen(classes, older_than_ms, {rule.name for _, rule in rules})
    running = tuple(sorted(running_rooms)) if older_than_ms is not None else ()
    drafted = Plan(now_ms, older_than_ms, chosen, room_id, person, only_warned, running, ())
    if (room_id is not None or person is not None) and any(
        rule.purge is Purge.SEGMENT and rule.name in chosen for _, rule in rules
    ):
        raise InvalidInputError("The audit log is deleted by whole months, not by room or person.")
    steps: list[Step] = []
    for entry, rule in rules:
        if rule.name in chosen:
            for each in _drafts(entry, rule, periods, drafted):
                step = _counted(conn, each, drafted)
                if step.count or step.held or step.running:
                    steps.append(step)
    return Plan(now_ms, older_than_ms, chosen, room_id, person, only_warned, running, tuple(steps))


def due(step: Step, plan: Plan) -> ColumnElement[bool]:
    """The condition that picks the rows of a step, before holds and running meetings."""
    table = metadata.tables[step.table]
    clock, room = table.c[step.clock], room_column(table)
    entry = next(each for each in INVENTORY if each.name == step.table)
    rule = next(each for each in entry.keep if isinstance(each, Keep) and each.clock == step.clock)
    parts: list[ColumnElement[bool]] = [clock <= step.cutoff_ms]
    if rule.unless_named_by:
        parts.append(~named(table, rule))
    if step.room_id is not None:
        assert room is not None  # noqa: S101  _drafts makes no such step for other tables
        parts.append(room == step.room_id)
    if step.except_rooms and room is not None:
        parts.append(or_(room.is_(None), ~_one_of(room, step.except_rooms)))
    if plan.person is not None:
        parts.append(_belongs(step.table, plan.person))
    if step.action is Purge.ANONYMISE:
        parts.append(still_personal(entry))
    if step.action is Purge.ERASE:
        parts.append(not_last_admin())
        if plan.only_warned:
            parts.append(_was_warned(plan.made_at_ms))
    return and_(*parts)


def spared(step: Step, running_rooms: Collection[str]) -> ColumnElement[bool]:
    """The condition that picks rows of rooms in which people meet now."""
    room = room_column(metadata.tables[step.table])
    return false() if room is None or not running_rooms else and_(room.is_not(None), _one_of(room, running_rooms))


def goes(step: Step, plan: Plan, running_rooms: Collection[str]) -> ColumnElement[bool]:
    """The condition that picks the rows which go. Asked again inside each transaction that deletes."""
    running = running_rooms if plan.spares_running else ()
    return and_(due(step, plan), ~_stays(metadata.tables[step.table]), ~spared(step, running))


def recounted(conn: Connection, step: Step, plan: Plan, running_rooms: Collection[str]) -> Step:
    """The step as it would be planned now, with the same cutoff: what is still there, and why."""
    running = tuple(sorted(running_rooms)) if plan.spares_running else ()
    return _counted(conn, step, Plan(**{**vars(plan), "running_rooms": running}))


def not_last_admin() -> ColumnElement[bool]:
    """Leaves out the administrator who was here last: somebody must be able to sign in."""
    able = select(users.c.id).where(able_admin())
    last = able.order_by(users.c.last_seen_at_ms.desc(), users.c.id).limit(1).correlate(None).scalar_subquery()
    return func.coalesce(users.c.id != last, true())


def months_cutoff_ms(conn: Connection, step: Step, plan: Plan) -> int:
    """Until when whole months go: the first one with a held event stays, and so do all after it."""
    table = metadata.tables[step.table]
    first_held_ms = conn.execute(select(func.min(table.c[step.clock])).where(due(step, plan), _stays(table))).scalar()
    return step.cutoff_ms if first_held_ms is None else month_start_ms(first_held_ms) - 1


def month_start_ms(at_ms: int) -> int:
    """The first millisecond (UTC) of the month in which a moment lies."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp()) * 1000


def _rules(inventory: Iterable[TableEntry]) -> Iterable[tuple[TableEntry, Keep]]:
    for entry in inventory:
        for rule in entry.keep:
            if isinstance(rule, Keep):
                yield entry, rule


def _chosen(classes: Collection[str] | None, older_than_ms: int | None, known: set[str]) -> tuple[str, ...]:
    named = classes is not None
    if classes is None:
        # What can never get that old has nothing to purge; what must live longer is refused below.
        classes = [
            name for name in known - BY_NAME_ONLY if older_than_ms is None or older_than_ms <= CLASSES[name].max_ms
        ]
    for name in sorted(classes):
        if name not in known:
            names = ", ".join(sorted(known))
            raise InvalidInputError(f"{name} is not a class that can be purged. The classes are {names}.")
        if older_than_ms is not None:
            try:
                check_period(name, older_than_ms)
            except InvalidInputError as error:
                remedy = "" if named else "\nName the classes that you mean with --category."
                raise InvalidInputError(f"{error.message}{remedy}") from None
    return tuple(sorted(set(classes)))


def _drafts(entry: TableEntry, rule: Keep, periods: Periods, plan: Plan) -> Iterable[Step]:
    """The steps of one rule without their counts: one for all rooms, and one for each with its own period."""
    table = metadata.tables[entry.name]
    room = room_column(table)
    if (plan.room_id is not None and room is None) or (
        plan.person is not None and belongs_to(entry, plan.person) is None
    ):
        return
    own: Mapping[str, int] = {}
    if plan.older_than_ms is not None:
        cutoff_ms: int | None = plan.made_at_ms - plan.older_than_ms
    else:
        cutoff_ms = periods.cutoff_ms(rule.name, plan.made_at_ms)
        if rule.rule.per_room and room is not None:
            own = periods.own(rule.name, plan.made_at_ms)
    if plan.room_id is not None:
        own = {key: value for key, value in own.items() if key == plan.room_id}
    if cutoff_ms is not None and plan.room_id not in own:
        yield _draft(entry, rule, cutoff_ms, plan.room_id, tuple(sorted(own)))
    for room_id, period_ms in sorted(own.items()):
        yield _draft(entry, rule, plan.made_at_ms - period_ms, room_id, ())


def _draft(entry: TableEntry, rule: Keep, cutoff_ms: int, room_id: str | None, except_rooms: tuple[str, ...]) -> Step:
    if rule.purge is Purge.SEGMENT:
        cutoff_ms = month_start_ms(cutoff_ms) - 1  # whole months only
    return Step(
        retention_class=rule.name,
        table=entry.name,
        clock=rule.clock,
        action=rule.purge,
        cutoff_ms=cutoff_ms,
        room_id=room_id,
        except_rooms=except_rooms,
        count=0,
        oldest_ms=None,
        held=0,
        running=0,
        children={},
        files=0,
    )


def _counted(conn: Connection, step: Step, plan: Plan) -> Step:
    if step.action is Purge.SEGMENT:
        return _counted_months(conn, step, plan)
    table = metadata.tables[step.table]
    stays, busy = _stays(table), spared(step, plan.running_rooms)
    # what stays is a long condition: it is asked once for each row, and compiled once
    rows = select(table.c[step.clock].label("clock"), stays.label("stays"), busy.label("busy"))
    over = rows.where(due(step, plan)).subquery().c
    going = and_(~over.stays, ~over.busy)
    query = select(
        func.count().filter(going),
        func.min(over.clock).filter(going),
        func.count().filter(over.stays),
        func.count().filter(and_(~over.stays, over.busy)),
    )
    count, oldest_ms, held, running = conn.execute(query).one()
    with_them, files = Counter[str](), 0
    if count and step.action is Purge.DELETE:
        files = _hanging(conn, table, and_(due(step, plan), ~stays, ~busy), with_them)
    return Step(
        **{
            **vars(step),
            "count": count,
            "oldest_ms": oldest_ms,
            "held": held,
            "running": running,
            "children": dict(with_them),
            "files": files,
        }
    )


def _counted_months(conn: Connection, step: Step, plan: Plan) -> Step:
    clock = metadata.tables[step.table].c[step.clock]
    cutoff_ms = months_cutoff_ms(conn, step, plan)
    total = conn.execute(select(func.count()).where(due(step, plan))).scalar_one()
    here = select(func.count(), func.min(clock)).where(due(step, plan), clock <= cutoff_ms)
    count, oldest_ms = conn.execute(here).one()
    return Step(**{**vars(step), "cutoff_ms": cutoff_ms, "count": count, "oldest_ms": oldest_ms, "held": total - count})


def _hanging(conn: Connection, table: Table, condition: ColumnElement[bool], found: Counter[str]) -> int:
    """Counts into `found` what hangs on the rows; returns how many files they and their children have."""
    files = 0
    for column in file_columns(table):
        files += conn.execute(select(func.count(column)).where(condition)).scalar_one()
    for child in children(table):
        theirs = child.column.in_(select(child.parent_column).where(condition))
        count = conn.execute(select(func.count()).select_from(child.table).where(theirs)).scalar_one()
        if count:
            found[child.table.name] += count
            files += _hanging(conn, child.table, theirs, found)
    return files


def _stays(table: Table) -> ColumnElement[bool]:
    # what somebody restricted is stored and nothing else (Article 18(2)): deleting it is not for us to decide
    return kept(table, restricted)


def _one_of(column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    listed = func.json_each(literal(json.dumps(sorted(values)))).table_valued("value")
    return column.in_(select(listed.c.value))


def _belongs(table: str, person: DataSubject) -> ColumnElement[bool]:
    entry = next(each for each in INVENTORY if each.name == table)
    condition = belongs_to(entry, person)
    return false() if condition is None else condition


def _was_warned(now_ms: int) -> ColumnElement[bool]:
    told = select(audit_events.c.sequence).join(audit_people, audit_people.c.pseudonym == audit_events.c.target)
    told = told.where(
        audit_people.c.user_id == users.c.id,
        audit_events.c.action == WARNED,
        audit_events.c.at_ms > users.c.last_seen_at_ms,
        audit_events.c.at_ms <= now_ms - min(WARN_BEFORE_MS),
    )
    # whoever cannot sign in cannot keep the account, and need not be told
    return or_(users.c.disabled_at_ms.is_not(None), exists(told.correlate(users)))
