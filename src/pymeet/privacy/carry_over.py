"""What a restore must not take back: rights, promises and locks that are newer than the backup.

Holds, requests, restrictions, objections, consents, breaches, notices, periods and the server's settings of the database
that is replaced win over those in the backup; so do passwords, second factors, accounts at an OpenID provider, addresses,
roles, locked accounts, and what members set about mails and calendars. Sessions, one-time links, known browsers, mails and
notifications of the backup go: they were used, ended, sent or read since. Who was taken out of a recording or a group
stays out of it, and shares that were ended stay so. Both databases have the newest schema.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, insert, select, update

from pymeet.db import audit
from pymeet.db.inventory import KEY
from pymeet.db.schema import (
    api_tokens,
    breaches,
    calendar_feeds,
    consents,
    erasure_ledger,
    film_people,
    films,
    group_members,
    groups,
    holds,
    identities,
    known_devices,
    mail_outbox,
    metadata,
    notices,
    notification_choices,
    notification_settings,
    notifications,
    one_time_links,
    passkeys,
    processing_limits,
    recording_group_shares,
    recording_people,
    recording_shares,
    recordings,
    recovery_codes,
    request_events,
    requests,
    retention_periods,
    room_retention,
    second_factors,
    server_settings,
    sessions,
    user_credentials,
    users,
)
from pymeet.privacy.ledger import Erased, Ledger
from pymeet.privacy.people import guest, member
from pymeet.privacy.rows import delete_rows, make_again

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by table."""

_BY_ID: Final = (requests, holds, processing_limits, consents, breaches, notices)
"""The row that is replaced wins, parents first."""

_WITHOUT_NUMBER: Final = (request_events, erasure_ledger)
"""Rows that have no name but a number, which both databases may have given: those that are missing are added."""

_REPLACED: Final = (retention_periods, room_retention, server_settings)
"""Which period is in force, and what an administrator allows, is what was decided last."""

_ROLES: Final = ("is_admin", "is_dpo", "disabled_at_ms")

_FACTORS: Final = (second_factors, passkeys, recovery_codes, identities, api_tokens)
"""A code that was used, or what was removed since, must not open the account again."""

_SETTINGS: Final = (calendar_feeds, notification_settings, notification_choices)
"""A calendar's address that was withdrawn must not show meetings again, and mails that were refused stay so."""

_TAKEN_AWAY: Final = (group_members, recording_group_shares, recording_shares)
"""A row that only the backup has was taken away since, if the database that is replaced knows all that it points at."""

_WORN_OUT: Final = (sessions, one_time_links, known_devices, mail_outbox, notifications)


@dataclass(frozen=True)
class Carried:
    """What came over."""

    rows: Mapping[str, int]
    """Rows that were added or changed, by table."""
    holds_lost: int
    """Holds in force on somebody or something that the backup does not know."""


def read(conn: Connection) -> Rows:
    """Everything that has to come over, out of the database that is replaced."""
    tables = (*_BY_ID, *_WITHOUT_NUMBER, *_REPLACED, *_FACTORS, *_SETTINGS, user_credentials)
    found = {table.name: [dict(row) for row in conn.execute(select(table)).mappings()] for table in tables}
    roles = select(users.c.id, users.c.email, *(users.c[name] for name in _ROLES))
    for table, query in (
        (users, roles),
        (groups, select(groups.c.id)),
        (recordings, select(recordings.c.id)),
        (recording_people, select(recording_people.c.id)),
        *((table, select(*table.primary_key.columns)) for table in _TAKEN_AWAY),
    ):
        found[table.name] = [dict(row) for row in conn.execute(query).mappings()]
    return found


def put(conn: Connection, given: Rows) -> Carried:
    """Puts it into the restored database, as far as whom and what it is about is there."""
    counts: dict[str, int] = {}
    for table in _REPLACED:
        conn.execute(delete(table))
    for row in given[users.name]:
        conn.execute(update(users).where(users.c.id == row["id"]).values({name: row[name] for name in _ROLES}))
        for table in (*_FACTORS, *_SETTINGS):
            conn.execute(delete(table).where(table.c.user_id == row["id"]))
    for row in given[identities.name]:  # whoever had it when the backup was made
        same = identities.c.subject == row["subject"], identities.c.issuer == row["issuer"]
        conn.execute(delete(identities).where(*same))
    _put_addresses(conn, given[users.name])
    for table in _TAKEN_AWAY:
        _take_away(conn, table, given)
    for table in (user_credentials, *_FACTORS, *_SETTINGS, *_BY_ID, *_REPLACED, *_WITHOUT_NUMBER):
        for row in given[table.name]:
            counts[table.name] = counts.get(table.name, 0) + _put(conn, table, row)
    wanted = {row["id"] for row in given[holds.name] if row["released_at_ms"] is None}
    there = set(conn.execute(select(holds.c.id).where(holds.c.released_at_ms.is_(None))).scalars())
    return Carried(counts, holds_lost=len(wanted - there))


def release_ended(conn: Connection, given: Rows, ledger: Ledger, now_ms: int) -> int:
    """Releases holds on people whom the replaced database knew to be erased, and no longer to be held; how many.

    An erasure waits for every hold, and takes the rows of released ones along: a hold that only the backup has was
    released in between. Where the replaced database never heard of the erasure, such as a new one, holds stay.
    """
    erased = {row["subject_mark"] for row in given[erasure_ledger.name]}
    known = {row["id"] for row in given[holds.name]}
    released = 0
    for hold in conn.execute(select(holds).where(holds.c.released_at_ms.is_(None))).all():
        person = member(hold.user_id) if hold.user_id else guest(hold.participant_id) if hold.participant_id else None
        if person is not None and hold.id not in known and ledger.mark(person) in erased:
            conn.execute(update(holds).where(holds.c.id == hold.id).values(released_at_ms=now_ms))
            audit.record_now(conn, now_ms, audit.SYSTEM, "hold.released", hold.id, {"reason": hold.reason})
            released += 1
    return released


def take_out_again(conn: Connection, given: Rows, now_ms: int) -> int:
    """Takes those out of recordings who were taken out since; how many. Their files are closed for good already.

    Where the replaced database knows a recording and somebody in the backup's is not in it any more, they were taken out.
    Films that show them are made again.
    """
    known = {row["id"] for row in given[recordings.name]}
    stayed = {row["id"] for row in given[recording_people.name]}
    rows = conn.execute(select(recording_people.c.id, recording_people.c.recording_id)).all()
    gone = [row.id for row in rows if row.recording_id in known and row.id not in stayed]
    for person_id in gone:
        showing = films.c.id.in_(select(film_people.c.film_id).where(film_people.c.person_id == person_id))
        make_again(conn, films.info[KEY], showing)
        delete_rows(conn, films, showing, now_ms)
        delete_rows(conn, recording_people, recording_people.c.id == person_id, now_ms)
    return len(gone)


def remove_worn_out(conn: Connection) -> None:
    """Nobody is signed in with a session of the backup, no link of it works, and no mail is sent twice."""
    for table in _WORN_OUT:
        conn.execute(delete(table))


def demote_erased(conn: Connection, ledger: Ledger) -> Erased:
    """Takes every role from those who were erased, who could otherwise be the last administrator; the ledger's marks."""
    erased = ledger.erased(conn)
    ids = [person.user_id for person in ledger.returned(conn, erased).people if person.user_id]
    for user_id in ids:
        conn.execute(update(users).where(users.c.id == user_id).values(is_admin=False, is_dpo=False))
    return erased


def _put_addresses(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Gives people the addresses they had last; one that belongs to somebody else of the backup stays with them."""
    known = {row["id"] for row in rows}
    here = conn.execute(select(users.c.id, users.c.email)).all()
    others = {row.email for row in here if row.id not in known}
    there = {row.id for row in here}
    wanted = {row["id"]: row["email"] for row in rows if row["id"] in there and row["email"] not in others}
    kept = {row.email for row in here if row.id in known and row.id not in wanted}
    for emails in ({user_id: user_id for user_id in wanted}, wanted):  # first out of each other's way
        for user_id, email in emails.items():
            if email not in kept:
                conn.execute(update(users).where(users.c.id == user_id).values(email=email))


def _take_away(conn: Connection, table: Table, given: Rows) -> None:
    """Deletes what the replaced database has no more, though it knows whom and what it was about."""
    stayed = {tuple(row.values()) for row in given[table.name]}
    known = {
        key.parent.name: {None, *(row[key.column.name] for row in given[key.column.table.name])}
        for key in table.foreign_keys
    }
    for row in conn.execute(select(table)).mappings().all():
        here = {column: row[column.name] for column in table.primary_key.columns}
        if tuple(here.values()) not in stayed and all(row[name] in ids for name, ids in known.items()):
            conn.execute(delete(table).where(*(column == value for column, value in here.items())))


def _put(conn: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Whether anything changed."""
    values = dict(row)
    for key in table.foreign_keys:
        column = key.parent.name
        parent = metadata.tables[key.column.table.name]
        if values[column] is None or conn.execute(select(key.column).where(key.column == values[column])).first():
            continue
        if key.ondelete != "SET NULL":
            return False  # whom or what it is about is not in the backup: there is nothing that it could protect
        values[column] = None
        assert parent is not table  # noqa: S101  no table here points at itself
    if table in _WITHOUT_NUMBER:
        number = next(iter(table.primary_key.columns)).name
        del values[number]
        here = [table.c[name] == value for name, value in values.items()]
    else:
        here = [column == values[column.name] for column in table.primary_key.columns]
    found = conn.execute(select(table).where(*here)).mappings().first()
    if found is None:
        conn.execute(insert(table).values(values))
    elif table not in _WITHOUT_NUMBER and dict(found) != values:
        conn.execute(update(table).where(*here).values(values))
    else:
        return False
    return True
