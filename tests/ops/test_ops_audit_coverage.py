"""No operation changes something, or shows other people's data, without an event in the audit log.

Every operation stands in one of the two tables below; one that is added must be put there, and is tried.
"""

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select
from tests.rooms.fake_media import FakeMedia
from tests.support.recordings import MakerOfOneFilm, Seat, make_recording

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db.schema import audit_events, consents, identities, mail_outbox, second_factors
from pymeet.ops.live_meetings import LiveMeetings
from pymeet.ops.operations import OPERATIONS, run
from pymeet.ops.services import Services, open_services
from pymeet.rooms.joining import JoinRequest
from pymeet.rooms.people import Kind
from pymeet.rooms.registry import Registry

Made = dict[str, Any]
"""What the operations tried so far returned."""


@dataclass(frozen=True)
class Leaves:
    """The event that an operation leaves, and arguments to try it with."""

    action: str
    arguments: Callable[[Made], dict[str, Any]] = field(default=lambda _made: {})


# In an order in which each finds what it needs.
LEAVES = {
    "user.add": Leaves("user.added", lambda _: {"name": "Ada", "email": "ada@example.org", "admin": True}),
    "user.link": Leaves("link.made", lambda _: {"email": "ada@example.org"}),
    "user.role": Leaves("user.role_changed", lambda _: {"email": "ada@example.org", "role": "dpo"}),
    "user.invite": Leaves("user.invited", lambda _: {"name": "Bob", "email": "bob@example.org"}),
    "user.reset_password": Leaves("link.made", lambda _: {"email": "bob@example.org"}),
    "user.list": Leaves("data.viewed"),
    "user.show": Leaves("data.viewed", lambda _: {"email": "ada@example.org"}),
    "token.create": Leaves("token.created", lambda _: {"email": "ada@example.org", "scopes": ["rooms:read"]}),
    "token.list": Leaves("data.viewed"),
    "token.revoke": Leaves("token.revoked", lambda made: {"token_id": made["token.create"]["id"]}),
    "group.add": Leaves("group.added", lambda _: {"name": "Choir"}),
    "group.rename": Leaves("group.changed", lambda _: {"group": "Choir", "description": "Who sings"}),
    "group.join": Leaves("group.member_added", lambda _: {"group": "choir", "email": "ada@example.org"}),
    "group.show": Leaves("data.viewed", lambda made: {"group": made["group.add"]["id"]}),
    "group.leave": Leaves("group.member_removed", lambda _: {"group": "Choir", "email": "ada@example.org"}),
    "group.delete": Leaves("group.deleted", lambda _: {"group": "Choir"}),
    "profile_field.add": Leaves("profile_field.added", lambda _: {"label": "Department"}),
    "profile_field.change": Leaves("profile_field.changed", lambda _: {"field": "Department", "place": 1}),
    "user.set_field": Leaves(
        "user.fields_changed", lambda _: {"email": "ada@example.org", "field": "department", "value": "Choir"}
    ),
    "profile_field.delete": Leaves("profile_field.deleted", lambda made: {"field": made["profile_field.add"]["id"]}),
    "room.create": Leaves("room.created", lambda _: {"name": "Tea", "slug": "tea-time", "owner": "ada@example.org"}),
    "room.list": Leaves("data.viewed"),
    "room.show": Leaves("data.viewed", lambda _: {"slug": "tea-time"}),
    "room.set": Leaves("room.handed_over", lambda _: {"slug": "tea-time", "changes": {"capacity": 5, "owner": None}}),
    "live.people": Leaves("meeting.looked_at", lambda _: {"slug": "tea-time"}),
    "live.remove": Leaves("meeting.person_removed", lambda made: {"slug": "tea-time", "person_id": made["seat"]}),
    "live.end": Leaves("meeting.ended", lambda _: {"slug": "tea-time"}),
    "mail.list": Leaves("data.viewed"),
    "mail.retry": Leaves("mail.hastened"),
    "mail.drop": Leaves("mail.dropped", lambda made: {"mail_id": made["mail"]}),
    "settings.set": Leaves("setting.changed", lambda _: {"name": "rooms.guests_allowed", "value": False}),
    "settings.reset": Leaves("setting.given_back", lambda _: {"name": "rooms.guests_allowed"}),
    "room.token": Leaves("room.token_made", lambda _: {"slug": "tea-time", "name": "Camera"}),
    "room.retention": Leaves(
        "room.retention_changed", lambda _: {"slug": "tea-time", "name": "chat", "period": "200d"}
    ),
    "recording.list": Leaves("data.viewed"),
    "recording.show": Leaves("data.viewed", lambda made: {"recording_id": made["recording"].id}),
    "recording.files": Leaves("recording.exported", lambda made: {"recording_id": made["recording"].id}),
    "recording.compose": Leaves("film.requested", lambda made: {"recording_id": made["recording"].id}),
    "recording.remove_person": Leaves(
        "recording.person_removed", lambda made: {"recording_id": made["recording"].id, "who": "ada@example.org"}
    ),
    "recording.delete": Leaves("recording.trashed", lambda made: {"recording_id": made["recording"].id}),
    "recording.restore": Leaves("recording.restored", lambda made: {"recording_id": made["recording"].id}),
    "hold.place": Leaves("hold.placed", lambda _: {"reason": "legal_claim", "review": "90d", "room": "tea-time"}),
    "hold.list": Leaves("data.viewed"),
    "hold.release": Leaves("hold.released", lambda made: {"hold_id": made["hold.place"]["id"]}),
    "room.delete": Leaves("room.deleted", lambda _: {"slug": "tea-time"}),
    "request.add": Leaves("request.received", lambda _: {"right": "objection", "user": "ada@example.org"}),
    "request.list": Leaves("data.viewed"),
    "request.show": Leaves("data.viewed", lambda made: {"request_id": made["request.add"]["id"]}),
    "request.extend": Leaves(
        "request.extended", lambda made: {"request_id": made["request.add"]["id"], "reason": "complexity"}
    ),
    "request.decide": Leaves(
        "request.step", lambda made: {"request_id": made["request.add"]["id"], "decision": "granted"}
    ),
    "consent.renew": Leaves("notice.published"),
    "consent.show": Leaves("data.viewed", lambda _: {"person": "ada@example.org"}),
    "consent.receipt": Leaves("data.viewed", lambda _: {"consent_id": "a-consent"}),
    "export.build": Leaves("data.exported", lambda _: {"who": "ada@example.org"}),
    "backup.make": Leaves("backup.made"),
    "backup.delete": Leaves("backup.deleted", lambda made: {"name": made["backup.make"]["name"]}),
    "keys.rotate": Leaves("master_key.changed"),
    "audit.list": Leaves("audit.viewed"),
    "audit.verify": Leaves("audit.verified"),
    "audit.export": Leaves("audit.exported"),
    "breach.report": Leaves("breach.assessed", lambda _: {"since": "1h"}),
    "breach.note": Leaves("breach.noted", lambda _: {"since": "1h"}),
    "breach.told": Leaves("breach.told", lambda made: {"whom": "authority", "breach_id": made["breach.note"]["id"]}),
    "subject.find": Leaves("data.viewed", lambda _: {"text": "ada@example.org"}),
    "subject.mentions": Leaves("data.viewed", lambda _: {"name": "Ada"}),
    "subject.correct": Leaves("data.rectified", lambda _: {"who": "ada@example.org", "name": "Ada L."}),
    "retention.accept_clock": Leaves("retention.clock_accepted"),
    "purge.run": Leaves("purge.done", lambda made: {"plan": made["purge.plan"]["plan"], "take_clock": True}),
    "erasure.preview": Leaves("data.viewed", lambda _: {"who": "ada@example.org"}),
    "erasure.request": Leaves("request.received", lambda _: {"who": "ada@example.org"}),
    "erasure.cancel": Leaves("request.step", lambda _: {"who": "ada@example.org"}),
    "user.disable": Leaves("user.disabled", lambda _: {"email": "ada@example.org"}),
    "user.enable": Leaves("user.enabled", lambda _: {"email": "ada@example.org"}),
    "user.remove_second_factor": Leaves("second_factor.removed", lambda _: {"email": "ada@example.org"}),
    "user.unlink": Leaves("identity.removed", lambda _: {"email": "ada@example.org"}),
    "erasure.now": Leaves("erasure.begun", lambda _: {"who": "ada@example.org"}),
    "privacy.verify": Leaves("data.viewed", lambda _: {"who": "ada@example.org"}),
}

LEAVES_NOTHING = {
    "status": "It counts, and shows nobody's data.",
    "group.list": "It counts who is in groups, and names nobody.",
    "profile_field.list": "It counts for whom fields are filled in, and names nobody.",
    "profile_field.show": "It counts for whom a field is filled in, and names nobody.",
    "privacy.check": "It looks at settings.",
    "privacy.document": "It says what is kept in general, about nobody.",
    "backup.list": "It shows sets, not what is in them.",
    "backup.verify": "It reads a set and shows nothing of it.",
    "keys.check": "It opens keys and shows none.",
    "mail.test": "It writes to the address that the operator typed.",
    "live.list": "It counts, and names nobody.",
    "settings.list": "It shows settings.",
    "consent.verify": "It checks a text that the asker has already.",
    "export.discard": "It destroys a copy; that it was made is in the log.",
    "breach.list": "It shows numbers.",
    "purge.plan": "It counts what would go, and changes nothing.",
    "recording.verify": "It reads files and shows nothing of them.",
    "retention.periods": "It shows periods.",
    "erasure.receipt": "It shows numbers about somebody whom nobody can name.",
}


def test_every_operation_is_in_one_table():
    """Whoever adds one decides here, and says why if it leaves nothing."""
    assert set(OPERATIONS) == set(LEAVES) | set(LEAVES_NOTHING)
    assert not set(LEAVES) & set(LEAVES_NOTHING)
    assert all(reason.endswith(".") for reason in LEAVES_NOTHING.values())


async def _newest(services: Services) -> int:
    async with services.db.read() as conn:
        return (await conn.execute(select(func.coalesce(func.max(audit_events.c.sequence), 0)))).scalar_one()


async def _actions_after(services: Services, sequence: int) -> list[str]:
    async with services.db.read() as conn:
        query = select(audit_events.c.action).where(audit_events.c.sequence > sequence)
        return list((await conn.execute(query)).scalars())


async def test_every_operation_leaves_its_event(tmp_path: Path):
    """Tried one after the other, through the same door as the command line."""
    mail = {"host": "localhost", "encryption": "off", "from_address": "meet@example.org"}
    config = Config.model_validate({"data_dir": str(tmp_path / "data"), "mail": mail})
    made: Made = {}
    async with open_services(config, ManualClock()) as opened, _rooms(opened) as registry:
        running = LiveMeetings(opened.db, opened.clock, lambda: registry)
        services = dataclasses.replace(opened, films=MakerOfOneFilm(opened.lifecycle), running=running)
        for name, leaves in LEAVES.items():
            if name == "consent.receipt":
                await _consent(services, made["user.add"]["id"])
            if name == "recording.list":
                seat = {"Ada": Seat(made["user.add"]["id"])}
                made["recording"] = await make_recording(services.lifecycle, "tea-time", None, seat)
            if name == "user.remove_second_factor":
                await _second_factor(services, made["user.add"]["id"])
            if name == "user.unlink":
                await _identity(services, made["user.add"]["id"])
            if name == "live.people":
                live = registry.open(await services.meetings.room("tea-time"))
                made["seat"] = (await live.join(JoinRequest("Eve", None, Kind.PUBLISHER))).id
                await live.join(JoinRequest("Mallory", None, Kind.PUBLISHER))
            if name == "mail.drop":
                async with services.db.read() as conn:
                    made["mail"] = (await conn.execute(select(mail_outbox.c.id))).scalars().first()
            if name == "purge.run":
                made["purge.plan"] = await run(services, "purge.plan", {})
            before = await _newest(services)
            made[name] = await run(services, name, leaves.arguments(made))
            assert leaves.action in await _actions_after(services, before), name


@asynccontextmanager
async def _rooms(services: Services) -> AsyncIterator[Registry]:
    """Live rooms, as a running server has them."""
    registry = Registry(meetings=services.meetings, sfu=FakeMedia(), clock=services.clock, config=services.config)
    yield registry
    await registry.close("The test is over.", 1)


async def _second_factor(services: Services, user_id: str) -> None:
    """An authenticator app that somebody has lost."""
    row = {"user_id": user_id, "totp_secret": "sealed", "last_step": 1, "created_at_ms": 1}
    await services.db.work(lambda conn: conn.execute(insert(second_factors).values(row)))


async def _identity(services: Services, user_id: str) -> None:
    """The wrong account at the provider."""
    row = {"id": "an-identity", "user_id": user_id, "issuer": "https://login.example.org", "subject": "7"}
    row |= {"created_at_ms": 1, "last_used_at_ms": 1}
    await services.db.work(lambda conn: conn.execute(insert(identities).values(row)))


async def _consent(services: Services, user_id: str) -> None:
    """Something that somebody agreed to."""
    row = {"id": "a-consent", "user_id": user_id, "purpose": "privacy_notice", "decision": "acknowledged"}
    row |= {"method": "joining", "notice_version": 1, "notice_hash": "00", "language": "en"}
    async with services.db.write() as conn:
        await conn.execute(insert(consents).values(**row, at_ms=1, keep_from_ms=1))
