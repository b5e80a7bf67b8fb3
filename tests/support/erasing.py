"""Two people, full of canaries: in every table that can lead to somebody stands a row of each, with texts nobody guesses.

Also run as a program: it erases somebody and kills itself at a point that the command line names.
"""

import asyncio
import io
import json
import os
import secrets
import signal
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, func, insert, select

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db import audit, schema
from pymeet.ops.services import Services, open_services
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.people import DataSubject, guest, member
from tests.support.migrated import prepare

MAIL = {"host": "localhost", "encryption": "off", "from_address": "meet@example.org"}


@dataclass
class Canary:
    """One person: their ids, and every text that only their rows hold."""

    person: DataSubject
    email: str | None
    file_id: str
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, place: str) -> str:
        """A fresh text for one place. Tokens share no beginning: indexes leave such beginnings out."""
        made = f"{secrets.token_hex(10)}-canary"
        self.tokens[place] = made
        return made


def new_member() -> Canary:
    user_id = secrets.token_hex(11)
    canary = Canary(member(user_id), f"{secrets.token_hex(8)}@example.org", secrets.token_hex(11))
    canary.tokens["users.id"] = user_id
    return canary


def new_guest() -> Canary:
    seat = secrets.token_hex(11)
    canary = Canary(guest(seat), None, secrets.token_hex(11))
    canary.tokens["attendance.participant_id"] = seat
    return canary


@asynccontextmanager
async def opened(directory: Path, *, mail: bool = False, clock: ManualClock | None = None) -> AsyncIterator[Services]:
    """Services on a data directory, without a server."""
    given: dict[str, Any] = {"data_dir": directory, "http": {"public_url": "https://meet.example.org"}}
    config = Config(**given, **({"mail": MAIL} if mail else {}))
    prepare(config.database_path)
    async with open_services(config, clock or ManualClock()) as services:
        yield services


async def fill(services: Services, canary: Canary) -> None:
    """Puts the person into every table that can lead to somebody, and into a sealed file."""
    now_ms = services.clock.now_ms()
    await services.db.work(_fill, canary, now_ms)
    places = ("recording_tracks.file_id", "films.file_id", "avatars.file_id")
    recorded = [canary.tokens[place] for place in places if place in canary.tokens]

    def write() -> None:
        content = canary.token("file").encode()
        for file_id in (canary.file_id, *recorded):
            with services.files.create(file_id, now_ms) as sink:
                sink.write(content)
                sink.finish()

    await asyncio.to_thread(write)


def _fill(conn: Connection, canary: Canary, now_ms: int) -> None:
    def add(table: Any, **values: Any) -> None:
        conn.execute(insert(table).values(**values))

    token = canary.token
    user_id, seat_id = canary.person.user_id, canary.person.participant_id
    whose: dict[str, Any] = {"user_id": user_id, "participant_id": seat_id}
    room_id = secrets.token_hex(11)
    seat = seat_id or token("attendance.participant_id")
    if user_id:
        assert canary.email is not None
        canary.tokens["users.email"] = canary.email
        add(
            schema.users,
            id=user_id,
            name=token("users.name"),
            email=canary.email,
            is_admin=False,
            created_at_ms=now_ms,
            last_seen_at_ms=now_ms,
        )
        add(schema.user_credentials, user_id=user_id, password_hash=token("hash"), changed_at_ms=now_ms)
        times = {"created_at_ms": now_ms, "expires_at_ms": now_ms + 1}
        at = {"last_seen_at_ms": now_ms, **times}
        session_id, identity_id = token("sessions.id"), token("identities.id")
        add(schema.sessions, token_hash=token("session"), id=session_id, device="", user_id=user_id, **at)
        known = {"issuer": token("identities.issuer"), "subject": token("identities.subject")}
        used = {"created_at_ms": now_ms, "last_used_at_ms": now_ms}
        add(schema.identities, id=identity_id, user_id=user_id, **known, **used)
        theirs = {"session_id": session_id, "identity_id": identity_id, "user_id": user_id}
        said = {"provider_session": token("provider_session"), "id_token": token("id_token")}
        add(schema.provider_sessions, **theirs, **said)
        add(schema.one_time_links, token_hash=token("link"), purpose="set_password", user_id=user_id, **times)
        audit.record_now(conn, now_ms, user_id, "user.signed_in", audit.Person(user_id))
        mail = {"template": "test", "language": "en", "created_at_ms": now_ms - 1, "next_at_ms": now_ms}
        values = json.dumps({"url": token("mail.values")})
        add(
            schema.mail_outbox,
            id=secrets.token_hex(8),
            user_id=user_id,
            to_address=canary.email,
            template_values=values,
            **mail,
        )
        add(
            schema.mail_outbox,
            id=secrets.token_hex(8),
            to_address=canary.email,
            template_values=json.dumps(token("mail")),
            **mail,
        )
    add(schema.rooms, id=room_id, slug=secrets.token_hex(6), name="Room", owner_id=user_id, created_at_ms=now_ms)
    add(
        schema.attendance,
        participant_id=seat,
        room_id=room_id,
        name=token("attendance.name"),
        user_id=user_id,
        kind="browser",
        joined_at_ms=now_ms,
        left_at_ms=now_ms,
    )
    for number in range(3):
        add(
            schema.messages,
            id=token(f"messages.id.{number}"),
            room_id=room_id,
            participant_id=seat,
            user_id=user_id,
            name=token(f"messages.name.{number}"),
            text=f"So I said {token(f'messages.text.{number}')} and left. " * (200 if number == 2 else 1),
            at_ms=now_ms,
        )
    last = select(func.max(schema.messages.c.sequence)).scalar_subquery()
    add(schema.message_recipients, message=last, participant_id=seat, user_id=user_id, at_ms=now_ms)
    _record(add, canary, room_id, seat, now_ms)
    if user_id:
        _sign_in_by_more(add, canary, user_id, now_ms)
        _plan(add, canary, user_id, room_id, now_ms)
    request_id = secrets.token_hex(11)
    add(
        schema.requests,
        id=request_id,
        right="access",
        origin="operator",
        received_at_ms=now_ms,
        due_at_ms=now_ms + 1,
        state="requested",
        **whose,
    )
    add(schema.request_events, request_id=request_id, at_ms=now_ms, state="requested")
    add(
        schema.processing_limits,
        id=secrets.token_hex(8),
        cause="restriction",
        from_ms=now_ms,
        lifted_at_ms=now_ms,
        **whose,
    )
    add(
        schema.holds,
        id=secrets.token_hex(8),
        reason="legal_claim",
        placed_at_ms=now_ms,
        review_at_ms=now_ms + 1,
        released_at_ms=now_ms,
        **whose,
    )
    add(
        schema.consents,
        id=secrets.token_hex(8),
        purpose="recording",
        decision="given",
        method="dialog",
        notice_version=1,
        notice_hash="0" * 64,
        language="en",
        at_ms=now_ms,
        keep_from_ms=now_ms,
        **whose,
    )
    add(
        schema.exports,
        id=token("exports.id"),
        request_id=request_id,
        state="ready",
        file_id=canary.file_id,
        token_hash=token("exports.token"),
        downloads_left=5,
        requested_at_ms=now_ms,
        **whose,
    )


def _sign_in_by_more(add: Callable[..., None], canary: Canary, user_id: str, now_ms: int) -> None:
    """Everything by which the person signs in besides a password, their picture, and a field of their profile."""
    token, whose, made = canary.token, {"user_id": user_id}, {"created_at_ms": now_ms}
    add(schema.second_factors, totp_secret=token("second_factors.totp_secret"), last_step=1, **whose, **made)
    add(schema.recovery_codes, code_hash=token("recovery_codes.code_hash"), **whose, **made)
    key = {"credential_id": token("passkeys.credential_id"), "public_key": token("passkeys.public_key")}
    add(schema.passkeys, id=token("passkeys.id"), name=token("passkeys.name"), sign_count=0, **key, **whose, **made)
    api = {"id": token("api_tokens.id"), "token_hash": token("api_tokens.token_hash"), "expires_at_ms": 2**52}
    said = {"name": token("api_tokens.name"), "scopes": token("api_tokens.scopes")}
    add(schema.api_tokens, **api, **said, **whose, **made)
    times = {"last_seen_at_ms": now_ms, "expires_at_ms": now_ms + 1, **made}
    name, known = token("known_devices.name"), token("known_devices.token_hash")
    add(schema.known_devices, id=token("known_devices.id"), token_hash=known, name=name, **whose, **times)
    add(schema.avatars, file_id=token("avatars.file_id"), changed_at_ms=now_ms, **whose)
    field_id = secrets.token_hex(11)
    field = {"label": f"Field {field_id}", "editable": True, "place": 1, "created_at_ms": now_ms}
    add(schema.profile_fields, id=field_id, **field)
    value = {"value": f"It says {token('profile_values.value')}.", "changed_at_ms": now_ms}
    add(schema.profile_values, field_id=field_id, **value, **whose)


def _plan(add: Callable[..., None], canary: Canary, user_id: str, room_id: str, now_ms: int) -> None:
    """A meeting of the person's, to which they are also invited, and what they want of their calendar."""
    token, whose, meeting_id = canary.token, {"user_id": user_id}, secrets.token_hex(11)
    begins = {"starts_local": "2027-03-28T09:00", "time_zone": "Europe/Berlin", "duration_min": 30}
    times = {"created_at_ms": now_ms, "changed_at_ms": now_ms, "starts_at_ms": now_ms, "ends_at_ms": now_ms}
    said = {"title": token("meetings.title"), "agenda": token("meetings.agenda")}
    add(schema.meetings, id=meeting_id, room_id=room_id, organiser_id=user_id, **said, **begins, **times)
    here = {"meeting_id": meeting_id, "language": "en", "created_at_ms": now_ms}
    add(schema.invitees, id=token("invitees.id"), email=canary.email, **here, **whose)
    add(schema.calendar_feeds, secret_hash=token("calendar_feeds.secret_hash"), created_at_ms=now_ms, **whose)
    add(schema.notification_settings, mail=True, **whose)
    add(schema.notification_choices, kind="meeting_invited", in_app=True, mail=False, **whose)
    told = {"kind": "meeting_invited", "object_id": meeting_id, "created_at_ms": now_ms}
    add(schema.notifications, id=token("notifications.id"), **told, **whose)
    add(schema.personal_rooms, room_id=room_id, **whose)


def _record(add: Callable[..., None], canary: Canary, room_id: str, seat: str, now_ms: int) -> None:
    """A recording in which the person is alone, with a track, what they did, and a film."""
    token, user_id = canary.token, canary.person.user_id
    recording_id, film_id, person_id = secrets.token_hex(11), secrets.token_hex(11), token("recording_people.id")
    here = {"recording_id": recording_id}
    add(
        schema.recordings,
        id=recording_id,
        room_id=room_id,
        name="Room",
        owner_id=user_id,
        with_chat=True,
        started_at_ms=now_ms,
        ended_at_ms=now_ms,
        end_reason="host",
        keep_from_ms=now_ms,
    )
    name = token("recording_people.name")
    add(schema.recording_people, id=person_id, participant_id=seat, user_id=user_id, name=name, **here)
    track = {"source": "camera", "codec": "vp8", "state": "whole", "begins_at": 0, "person_id": person_id, **here}
    add(schema.recording_tracks, id=token("recording_tracks.id"), file_id=token("recording_tracks.file_id"), **track)
    said = {"kind": "message", "begins_at": 0, "text": f"And {token('recording_events.text')} was recorded."}
    add(schema.recording_events, person_id=person_id, **said, **here)
    film = {"state": "ready", "layout": "grid", "format": "mp4", "height": 720, "with_names": True, **here}
    add(schema.films, id=film_id, file_id=token("films.file_id"), asked_at_ms=now_ms, **film)
    add(schema.film_people, film_id=film_id, person_id=person_id)
    if user_id:
        shared = {"kind": "member", "user_id": user_id, "made_at_ms": now_ms, **here}
        add(schema.recording_shares, id=secrets.token_hex(11), **shared)
        add(schema.recording_views, user_id=user_id, kind="film", at_ms=now_ms, **here)
        group_id = secrets.token_hex(11)
        add(schema.groups, id=group_id, name=f"Group {group_id}", description="", created_at_ms=now_ms)
        add(schema.group_members, group_id=group_id, user_id=user_id, added_at_ms=now_ms)
        of_group = {"group_id": group_id, "made_at_ms": now_ms, **here}
        add(schema.recording_group_shares, id=secrets.token_hex(11), **of_group)


def bytes_of(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, with its name before its content.

    Read by another process: closing a file that SQLite has open drops its locks in this one.
    """
    packed = subprocess.run(
        ["tar", "-C", directory, "-cf", "-", "."], capture_output=True, timeout=60, check=False
    ).stdout
    found = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member_file in archive:
            if (file := archive.extractfile(member_file)) is not None:
                found[member_file.name.removeprefix("./")] = member_file.name.encode() + file.read()
    return found


def found_in(directory: Path, texts: dict[str, str]) -> dict[str, list[str]]:
    """Where which of the texts stand. Not with the product's own search: one must not be blind with the other."""
    everything = bytes_of(directory)
    found = {
        place: [name for name, data in everything.items() if text.encode() in data] for place, text in texts.items()
    }
    return {place: names for place, names in found.items() if names}


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying(kind: str, number: int) -> Callable[[int, int | None, str], None]:
    """Arranges that this process dies at the n-th event of a kind. Returns the progress function to work with."""
    counts: Counter[str] = Counter()

    def at(what: str) -> None:
        counts[what] += 1
        if what == kind and counts[what] == number:
            _die()

    fsync, unlink = os.fsync, os.unlink

    def fsynced(descriptor: int) -> None:
        at("before-fsync")
        fsync(descriptor)
        at("after-fsync")

    def unlinked(path: Any, **options: Any) -> None:
        at("before-unlink")
        unlink(path, **options)
        at("after-unlink")

    os.fsync, os.unlink = fsynced, unlinked

    def before(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement == "COMMIT":
            at("before-commit")

    def after(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement == "COMMIT":
            at("after-commit")

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)

    def progress(_done: int, _total: int | None, what: str) -> None:
        at("step" if not what.startswith("searching") else "searching")

    return progress


async def _erase(directory: Path, user_id: str, progress: Callable[[int, int | None, str], None]) -> None:
    async with opened(directory, mail=True) as services:
        await Erasures(services.lifecycle).erase_now(member(user_id), "operator", audit.OPERATOR, progress)


if __name__ == "__main__":
    asyncio.run(_erase(Path(sys.argv[1]), sys.argv[2], _dying(sys.argv[3], int(sys.argv[4]))))
