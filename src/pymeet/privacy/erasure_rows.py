"""The transactions of an erasure. Each leaves the database in a state from which the next one goes on, whenever it dies.

What was counted so far stands in the request itself, so that a receipt is complete also after a crash.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, func, literal, select, update
from sqlalchemy.dialects.sqlite import insert

from pymeet.config import Config
from pymeet.db import audit
from pymeet.db.inventory import KEY, Anchor, TableEntry
from pymeet.db.outbox import queue_statement
from pymeet.db.schema import (
    metadata,
    one_time_links,
    pending_gone,
    recording_people,
    request_events,
    requests,
    sessions,
    users,
)
from pymeet.errors import ConflictError, PymeetError
from pymeet.privacy import limits
from pymeet.privacy.erasure_plan import (
    INVENTORY,
    LAST,
    Action,
    action_of,
    going,
    is_last_administrator,
    owned_rooms,
    reasons_of,
    refuse_last_administrator,
    steps_of,
    waits,
)
from pymeet.privacy.erasure_plan import ErasurePlan as Plan
from pymeet.privacy.people import DataSubject
from pymeet.privacy.reach import reach
from pymeet.privacy.request_rows import Request, day_of, get_now, open_now, request_of, step_now
from pymeet.privacy.rows import among, anonymise_rows, delete_rows, file_columns, make_again, rowid

BATCH: Final = 200
"""Rows in one transaction: some ten milliseconds."""

_OWN_FILES: Final = ("pymeet.db", "keys.db", "ledger/", "file names")

UNDER_WAY: Final = ("requested", "verified", "restricted", "erasing", "partial")


class ErasureError(PymeetError):
    """The erasure found something that the inventory does not explain. Nothing was changed by the last step."""

    code = "erasure_failed"


@dataclass(frozen=True)
class Finished:
    """What the transaction that ends the rows found."""

    again: bool
    """Rows have come since, or a hold was released: the passes must run once more."""
    held: dict[str, int]
    """What a hold keeps, by table; then the account stays with it."""


def under_way(conn: Connection, person: DataSubject) -> Request | None:
    """The person's erasure that is not over."""
    column = requests.c.user_id if person.anchor is Anchor.MEMBER else requests.c.participant_id
    query = select(requests).where(column == person.id, requests.c.right == "erasure", requests.c.state.in_(UNDER_WAY))
    row = conn.execute(query.order_by(requests.c.received_at_ms)).mappings().first()
    return None if row is None else request_of(row)


def preview(conn: Connection, person: DataSubject) -> Plan:
    """What erasing the person would do now."""
    steps = steps_of(conn, person)
    touched = [entry for entry in INVENTORY if entry.name in {step.table for step in steps}]
    request = under_way(conn, person)
    return Plan(
        anchor=person.anchor.name.lower(),
        steps=tuple(steps),
        rooms_without_owner=owned_rooms(conn, person),
        reasons={entry.name: reasons for entry in touched if (reasons := reasons_of(entry))},
        recipients=tuple(dict.fromkeys(each.value for entry in touched for each in entry.recipients)),
        last_administrator=is_last_administrator(conn, person),
        request_id=request.id if request else None,
        state=request.state if request else None,
        not_before_ms=request.not_before_ms if request else None,
    )


def enter(conn: Connection, person: DataSubject, origin: str, actor: str, now_ms: int) -> Request:
    """The person's request: the one under way, otherwise a new one. NotFoundError, ConflictError for the last administrator."""
    refuse_last_administrator(conn, person)
    return under_way(conn, person) or open_now(conn, "erasure", person, origin, actor, now_ms)


def restrict(
    conn: Connection, request_id: str, actor: str, now_ms: int, not_before_ms: int, config: Config, url: str | None
) -> Request:
    """Verified: from now on hidden, signed out everywhere. With `url`, a mail tells the day and where to cancel."""
    request = get_now(conn, request_id)
    if request.person is None:
        raise ConflictError("Nobody knows yet whom this request is about.")
    if request.state == "requested":
        request = step_now(conn, request_id, "verified", actor, now_ms)
    if request.state != "verified":
        return request
    assert request.person is not None  # noqa: S101  checked above
    person = request.person
    refuse_last_administrator(conn, person)
    limits.limit(conn, person, limits.ERASURE, now_ms=now_ms, actor=actor, request_id=request_id)
    sign_out(conn, person, now_ms)
    if url is not None and config.mail.host is not None and person.user_id is not None:
        values = {"date": day_of(not_before_ms).isoformat(), "url": url}
        query = select(users.c.email, users.c.language).where(users.c.id == person.user_id)
        to, language = conn.execute(query).one()
        conn.execute(
            queue_statement(
                now_ms=now_ms,
                user_id=person.user_id,
                to=to,
                template="erasure_planned",
                values=values,
                language=language or config.mail.language,
            )
        )
    return step_now(conn, request_id, "restricted", actor, now_ms, not_before_ms=not_before_ms)


def sign_out(conn: Connection, person: DataSubject, now_ms: int) -> None:
    """Ends every way in that was open already."""
    if person.user_id is not None:
        for table in (sessions, one_time_links):
            delete_rows(conn, table, table.c.user_id == person.user_id, now_ms)


def stop(conn: Connection, request_id: str, state: str, decision: str, actor: str, now_ms: int) -> Request:
    """Cancels or refuses an erasure that has deleted nothing yet. ConflictError afterwards, or when it is over."""
    request = get_now(conn, request_id)
    if request.right != "erasure" or request.state not in ("requested", "verified", "restricted"):
        raise ConflictError(
            "This erasure has begun or is over: it cannot be stopped any more.", code="erasure_has_begun"
        )
    if request.state == "restricted" and request.person is not None:
        limits.lift(conn, request.person, limits.ERASURE, now_ms=now_ms, actor=actor)
    return step_now(conn, request_id, state, actor, now_ms, decision=decision)


def begin(conn: Connection, request_id: str, actor: str, now_ms: int) -> Request:
    """From here on there is no way back. Does nothing where it has begun already; ConflictError where it was stopped."""
    request = get_now(conn, request_id)
    if request.state == "erasing":
        return request
    if request.state not in ("restricted", "partial") or request.person is None:
        raise ConflictError("This erasure was stopped, or is over.", code="erasure_has_ended")
    refuse_last_administrator(conn, request.person)
    sign_out(conn, request.person, now_ms)
    user_id = request.person.user_id
    audit.record_now(conn, now_ms, actor, "erasure.begun", audit.Person(user_id) if user_id else request_id)
    return step_now(conn, request_id, "erasing", actor, now_ms)


def begun_at_ms(conn: Connection, request_id: str) -> int:
    """When the request entered its present run."""
    here = request_events.c.request_id == request_id, request_events.c.state == "erasing"
    return int(conn.execute(select(func.max(request_events.c.at_ms)).where(*here)).scalar_one())


def passed(
    conn: Connection, request_id: str, entry: TableEntry, person: DataSubject, addresses: Sequence[str], now_ms: int
) -> int:
    """Ends one batch of the person's rows of a table and tells how many; zero when none is left that may go."""
    condition, table = going(entry, person, addresses), metadata.tables[entry.name]
    if condition is None:
        return 0
    found = conn.execute(select(rowid(table)).select_from(table).where(condition).limit(BATCH)).scalars().all()
    if not found:
        return 0
    picked = and_(among(table, list(found)), condition)
    _count(conn, request_id, _end(conn, entry, picked, now_ms))
    left = conn.execute(select(func.count()).select_from(table).where(picked)).scalar_one()
    if left:
        raise ErasureError(f"Rows of {entry.name} lead to the person even after they were made anonymous.")
    return len(found)


def in_recordings(conn: Connection, person: DataSubject) -> list[str]:
    """The person's seats in recordings, apart from those that a hold keeps."""
    condition = going(recording_people.info[KEY], person, ())
    if condition is None:
        return []
    return list(conn.execute(select(recording_people.c.id).where(condition)).scalars())


def finish(conn: Connection, request_id: str, person: DataSubject, addresses: Sequence[str], now_ms: int) -> Finished:
    """Ends what the erasure itself needed, with the account, if and only if nothing else is left. ErasureError."""
    held: dict[str, int] = {}
    for entry in INVENTORY:
        if action_of(entry) is Action.KEEP or (condition := reach(entry, person, addresses)) is None:
            continue
        table = metadata.tables[entry.name]
        stays = select(func.count()).select_from(table).where(condition, waits(entry))
        if count := conn.execute(stays).scalar_one():
            held[entry.name] = count
        free = select(func.count()).select_from(table).where(condition, ~waits(entry))
        if entry.name not in LAST and conn.execute(free).scalar_one():
            return Finished(again=True, held={})
    if held:
        return Finished(again=False, held=held)
    _close_others(conn, request_id, person, now_ms)
    for entry in reversed(INVENTORY):
        condition = reach(entry, person, addresses)
        if entry.name in LAST and condition is not None and action_of(entry) is not Action.KEEP:
            _count(conn, request_id, _end(conn, entry, condition, now_ms))
    if left := remaining(conn, person, addresses):
        raise ErasureError(f"After the erasure rows were left in: {', '.join(sorted(left))}.")
    return Finished(again=False, held={})


def remaining(conn: Connection, person: DataSubject, addresses: Sequence[str]) -> dict[str, int]:
    """How many rows of each table still lead to the person: after an erasure none."""
    found = {}
    for entry in INVENTORY:
        condition = reach(entry, person, addresses)
        if condition is not None:
            table = metadata.tables[entry.name]
            if count := conn.execute(select(func.count()).select_from(table).where(condition)).scalar_one():
                found[entry.name] = count
    return found


def counted(request: Request) -> dict[str, Any]:
    """What was done so far, by what was done and table."""
    return dict(json.loads(request.result)) if request.result else {}


def close(
    conn: Connection,
    request_id: str,
    state: str,
    result: dict[str, Any],
    now_ms: int,
    mail: tuple[str, str, str] | None,
    keep_sealed: bool,
) -> Request:
    """Notes the outcome, lets the sealed list of what was searched for go, and queues the last mail.

    `mail` is the address, the language, and the word for what the search found.
    """
    if not keep_sealed:
        queue = insert(pending_gone).values(file_id=request_id, queued_at_ms=now_ms)
        conn.execute(queue.on_conflict_do_nothing())
    if mail is not None:
        address, language, word = mail
        conn.execute(
            queue_statement(
                now_ms=now_ms,
                user_id=None,
                to=address,
                template="erasure_done",
                values={"receipt": request_id, "scan": word},
                language=language,
            )
        )
    decision = "granted" if state == "done" else None
    written = json.dumps(_without_names(result))
    return step_now(conn, request_id, state, audit.SYSTEM, now_ms, decision=decision, result=written)


def _without_names(result: dict[str, Any]) -> dict[str, Any]:
    """Without the names of files that are not pymeet's own: an operator may have named one after the person."""
    receipt = dict(result["receipt"])
    if findings := receipt["findings"]:
        remains = [
            each if each["place"].startswith(_OWN_FILES) or each["form"] == "row" else {**each, "place": "another file"}
            for each in findings["remains"]
        ]
        receipt["findings"] = {**findings, "remains": remains, "unread": ["a file"] * len(findings["unread"])}
    return {**result, "receipt": receipt}


def waiting(conn: Connection, now_ms: int) -> list[Request]:
    """Erasures for which there is something to do: interrupted ones, those that are due, and those that a hold let go."""
    query = select(requests).where(requests.c.right == "erasure", requests.c.state.in_(UNDER_WAY))
    found = [request_of(row) for row in conn.execute(query.order_by(requests.c.received_at_ms)).mappings()]
    return [request for request in found if _has_work(conn, request, now_ms)]


def _close_others(conn: Connection, request_id: str, person: DataSubject, now_ms: int) -> None:
    """Nothing is left to show, correct or restrict, so the person's other open requests are answered by that."""
    column = requests.c.user_id if person.anchor is Anchor.MEMBER else requests.c.participant_id
    others = select(requests.c.id).where(
        column == person.id, requests.c.id != request_id, requests.c.closed_at_ms.is_(None)
    )
    for other in conn.execute(others).scalars().all():
        step_now(conn, other, "done", audit.SYSTEM, now_ms, decision="nothing_held")


def _has_work(conn: Connection, request: Request, now_ms: int) -> bool:
    if request.state == "restricted":
        return request.not_before_ms is not None and request.not_before_ms <= now_ms
    if request.state == "partial":
        # without a person only files were left over
        return request.person is None or any(step.rows for step in _changing(conn, request.person))
    return request.state == "erasing" or (request.state == "verified" and request.person is not None)


def _changing(conn: Connection, person: DataSubject) -> list[Any]:
    free = [step for step in steps_of(conn, person) if step.action is not Action.KEEP]
    if any(step.held for step in free):
        # What only hangs on something held goes last, and its rows alone are no reason to begin again.
        return [step for step in free if step.table not in LAST]
    return free


def _end(conn: Connection, entry: TableEntry, condition: Any, now_ms: int) -> dict[str, dict[str, int]]:
    table = metadata.tables[entry.name]
    if action_of(entry) is Action.ANONYMISE:
        counted_rooms = {}
        if entry.name == "rooms":
            open_rooms = select(func.count()).select_from(table).where(condition, table.c.deleted_at_ms.is_(None))
            counted_rooms = {"rooms_without_owner": {"rooms": conn.execute(open_rooms).scalar_one()}}
        return {"anonymised": {entry.name: anonymise_rows(conn, entry, condition, now_ms)}, **counted_rooms}
    files = sum(
        conn.execute(select(func.count(column)).select_from(table).where(condition)).scalar_one()
        for column in file_columns(table)
    )
    make_again(conn, entry, condition)
    return {"deleted": dict(delete_rows(conn, table, condition, now_ms)), "files": {entry.name: files}}


def _count(conn: Connection, request_id: str, done: dict[str, dict[str, int]]) -> None:
    """Adds to the counts in the request, in the transaction of the deed."""
    sums = counted(get_now(conn, request_id))
    for what, tables in done.items():
        here = sums.setdefault(what, {})
        for table, count in tables.items():
            if count:
                here[table] = here.get(table, 0) + count
    conn.execute(update(requests).where(requests.c.id == literal(request_id)).values(result=json.dumps(sums)))
