"""Erasing people: all of one goes, all of the other stays, whatever happens in between."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, func, insert, select, text, update
from tests.support import canaries as schema_canaries
from tests.support.erasing import Canary, fill, found_in, new_guest, new_member, opened

from pymeet.clock import ManualClock
from pymeet.db import audit, audit_proof
from pymeet.db.inventory import Anchor, Erase, Subject, entries
from pymeet.db.schema import (
    attendance,
    erasure_ledger,
    identities,
    mail_outbox,
    messages,
    metadata,
    one_time_links,
    passkeys,
    processing_limits,
    request_events,
    requests,
    rooms,
    sessions,
    user_credentials,
    users,
)
from pymeet.errors import ConflictError, NotFoundError
from pymeet.ops.services import Services
from pymeet.privacy import holds
from pymeet.privacy.erasure import Erasures, Receipt
from pymeet.privacy.erasure_plan import Action
from pymeet.privacy.people import DataSubject, counts_of, guest, member

DAY_MS = 86_400_000
DAY_S = 86_400.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def services(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Services]:
    async with opened(tmp_path, mail=True, clock=clock) as services:
        yield services


async def both(services: Services, ann: Canary, ben: Canary) -> None:
    await fill(services, ann)
    await fill(services, ben)
    assert await services.db.checkpoint()


@pytest.mark.parametrize("anchor", list(Anchor))
async def test_the_canaries_stand_in_every_table_that_can_lead_to_somebody(services: Services, anchor: Anchor) -> None:
    """A new table that the tests below do not fill would be erased by nobody, and nobody would notice."""
    ann = new_member() if anchor is Anchor.MEMBER else new_guest()
    await fill(services, ann)

    counts = await services.db.study(counts_of, ann.person)

    leading = {
        entry.name
        for entry in entries(metadata)
        if any(isinstance(whose, Subject) and whose.anchor is anchor for whose in entry.subjects)
    }
    assert set(counts) == leading


@pytest.mark.parametrize("make", [new_member, new_guest])
async def test_erasing_one_person_removes_every_byte_of_them_and_no_byte_of_another(
    tmp_path: Path, make: type[Canary]
) -> None:
    """The promise of the whole program."""
    ann, ben = make(), make()
    async with opened(tmp_path, mail=True) as services:
        await both(services, ann, ben)
    before = found_in(tmp_path, {**ann.tokens, "file": ann.file_id})
    ben_before = found_in(tmp_path, ben.tokens)
    async with opened(tmp_path) as services:
        receipt = await Erasures(services.lifecycle).erase_now(ann.person, "operator", audit.OPERATOR)
        left = await services.db.study(counts_of, ann.person)
    after = found_in(tmp_path, {**ann.tokens, "file": ann.file_id, "request": "no-such-thing"})

    assert set(before) == set(ann.tokens)  # the search is not blind
    assert after == {}
    assert left == {}
    assert found_in(tmp_path, ben.tokens) == ben_before
    assert (receipt.state, receipt.search, receipt.held, receipt.files_left) == ("done", "clean", {}, 0)
    assert receipt.complete
    assert receipt.findings is not None
    assert receipt.findings["bytes"] > 0
    # A session and what the provider said of it went at the restriction; scopes are words of ours, not of hers.
    sought = set(ann.tokens) - {"sessions.id", "provider_session", "id_token", "api_tokens.scopes"}
    assert receipt.findings["texts"] >= len(sought) - 3  # the long text counts once, the file is sealed
    assert receipt.deleted["messages"] == 3
    assert receipt.anonymised["attendance"] == 1
    assert receipt.files == (4 if make is new_member else 3)  # an archive, a track, a film, a picture


async def test_every_text_that_the_schema_can_hold_goes_but_what_it_says_it_keeps(tmp_path: Path) -> None:
    """Rows made from the schema itself, so that a table added tomorrow is tried as well."""
    ann, ben = member("ann-0123456789abcdef"), member("ben-0123456789abcdef")
    async with opened(tmp_path) as services:
        canaries = await services.db.work(schema_canaries.fill, ann, "ann")
        others = await services.db.work(schema_canaries.fill, ben, "ben")
        assert await services.db.checkpoint()
        receipt = await Erasures(services.lifecycle).erase_now(ann, "operator", audit.OPERATOR)

    said = {entry.name: entry.columns for entry in entries(metadata)}
    stays = {place for place in canaries if said[place[0]][place[1]].erase in (Erase.KEEP, None)}
    stays.add(("audit_people", "pseudonym"))  # the link is gone; the name in the audit log now leads nowhere
    found = found_in(tmp_path, {f"{table}.{column}": token for (table, column), token in canaries.items()})
    assert set(found) <= {f"{table}.{column}" for table, column in stays}
    assert receipt.search == "clean"
    still = found_in(tmp_path, {f"{table}.{column}": token for (table, column), token in others.items()})
    assert set(still) == {f"{table}.{column}" for table, column in others}


async def test_what_is_shared_stays_and_names_nobody(services: Services) -> None:
    """Others keep their meeting: that somebody was there, not who."""
    ann, ben = new_member(), new_member()
    await both(services, ann, ben)

    await Erasures(services.lifecycle).erase_now(ann.person, "operator", audit.OPERATOR)

    async with services.db.read() as conn:
        seats = (await conn.execute(select(attendance))).mappings().all()
        owners = (await conn.execute(select(rooms.c.owner_id))).scalars().all()
        asked = (await conn.execute(select(requests).where(requests.c.right == "access"))).mappings().all()
    former = next(seat for seat in seats if seat["user_id"] is None)
    assert former["name"] == "Former participant 1"
    assert len(seats) == 2
    assert set(owners) == {None, ben.person.id}
    assert {request["user_id"] for request in asked} == {None, ben.person.id}
    answered = next(request for request in asked if request["user_id"] is None)
    assert (answered["state"], answered["decision"]) == ("done", "nothing_held")


async def test_the_audit_log_still_verifies_and_leads_to_nobody(services: Services) -> None:
    """Erasing somebody must not look like tampering."""
    ann, ben = new_member(), new_member()
    await both(services, ann, ben)

    await Erasures(services.lifecycle).erase_now(ann.person, "self", ann.person.id)

    key = services.keys.purpose_key(audit_proof.PURPOSE)
    assert key
    async with services.db.read() as conn:
        events = (await conn.execute(text("SELECT action, target FROM audit_events"))).all()
        people = (await conn.execute(text("SELECT user_id FROM audit_people"))).scalars().all()
    assert ("erasure.begun" in {event.action for event in events}) is True
    assert ann.person.id not in {event.target for event in events}
    assert people == [ben.person.id]


async def test_a_request_restricts_at_once_and_erases_after_the_grace(services: Services, clock: ManualClock) -> None:
    """Hidden and signed out from the first moment; nothing is lost until the time to think better of it is over."""
    ann = new_member()
    taken_out: list[DataSubject] = []

    async def take_out(person: DataSubject) -> None:
        taken_out.append(person)

    await fill(services, ann)
    lifecycle = services.lifecycle.__class__(**{**vars(services.lifecycle), "remove_from_meetings": take_out})
    erasures = Erasures(lifecycle)

    request = await erasures.request(ann.person, "self", ann.person.id)
    again = await erasures.request(ann.person, "self", ann.person.id)

    assert request.state == "restricted"
    assert request.not_before_ms == clock.now_ms() + 14 * DAY_MS
    assert again.id == request.id
    assert taken_out[0] == ann.person
    async with services.db.read() as conn:
        limit = (await conn.execute(select(processing_limits).where(processing_limits.c.lifted_at_ms.is_(None)))).one()
        signed_in = (await conn.execute(select(func.count()).select_from(sessions))).scalar_one()
        mail = (await conn.execute(select(mail_outbox).where(mail_outbox.c.template == "erasure_planned"))).one()
        written = (await conn.execute(select(func.count()).select_from(messages))).scalar_one()
    assert (limit.user_id, limit.cause, limit.request_id) == (ann.person.id, "erasure", request.id)
    assert signed_in == 0
    assert written == 3
    assert mail.to_address == ann.email
    assert "2023-11-28" in mail.template_values
    assert "https://meet.example.org/my-data" in mail.template_values
    assert await erasures.due(clock.now_ms()) == []

    clock.advance(14 * DAY_S)
    (receipt,) = await erasures.due(clock.now_ms())

    assert receipt.state == "done"
    assert await services.db.study(counts_of, ann.person) == {}
    assert await erasures.due(clock.now_ms()) == []
    async with services.db.read() as conn:
        here = request_events.c.request_id == request.id
        states = (await conn.execute(select(request_events.c.state).where(here))).scalars().all()
    assert states == ["requested", "verified", "restricted", "erasing", "done"]


async def test_an_erasure_can_be_cancelled_until_it_begins(services: Services, clock: ManualClock) -> None:
    """What was hidden is there again; afterwards there is no way back."""
    ann = new_member()
    await fill(services, ann)
    erasures = Erasures(services.lifecycle)
    request = await erasures.request(ann.person, "self", ann.person.id)

    cancelled = await erasures.cancel(request.id, ann.person.id)

    assert (cancelled.state, cancelled.decision) == ("cancelled", "withdrawn")
    async with services.db.read() as conn:
        limits = (await conn.execute(select(processing_limits.c.lifted_at_ms))).scalars().all()
    assert None not in limits
    clock.advance(30 * DAY_S)
    assert await erasures.due(clock.now_ms()) == []
    with pytest.raises(ConflictError):
        await erasures.cancel(request.id, audit.OPERATOR)
    receipt = await erasures.erase_now(ann.person, "operator", audit.OPERATOR)
    with pytest.raises(ConflictError):
        await erasures.cancel(receipt.request_id, audit.OPERATOR)


async def test_nobody_is_restricted_before_it_is_certain_who_asks(services: Services) -> None:
    """Otherwise anybody could have anybody hidden."""
    ann = new_member()
    await fill(services, ann)
    erasures = Erasures(services.lifecycle)

    request = await erasures.request(ann.person, "self", audit.GUEST, verified=False)

    assert request.state == "requested"
    async with services.db.read() as conn:
        assert (await conn.execute(select(func.count()).select_from(sessions))).scalar_one() == 1
    refused = await erasures.refuse(request.id, "not_identified", audit.OPERATOR)
    assert refused.state == "refused"


async def test_the_last_administrator_cannot_be_erased(services: Services) -> None:
    """Nobody could administer the server afterwards. A second one makes it possible."""
    ann, ben = new_member(), new_member()
    await both(services, ann, ben)
    await _make_admin(services, ann)
    erasures = Erasures(services.lifecycle)

    with pytest.raises(ConflictError) as refused:
        await erasures.erase_now(ann.person, "operator", audit.OPERATOR)

    assert refused.value.code == "last_administrator"
    assert (await erasures.preview(ann.person)).last_administrator
    await _make_admin(services, ben)
    assert (await erasures.erase_now(ann.person, "operator", audit.OPERATOR)).complete


async def test_the_last_administrator_cannot_be_erased_without_a_password_either(services: Services) -> None:
    """An account at the OpenID provider, or a passkey, lets an administrator in just as well."""
    ann = new_member()
    await both(services, ann, new_member())
    await _make_admin(services, ann)
    async with services.db.write() as conn:
        await conn.execute(delete(user_credentials))
    erasures = Erasures(services.lifecycle)

    for other_way in (passkeys, identities):
        assert (await erasures.preview(ann.person)).last_administrator
        async with services.db.write() as conn:
            await conn.execute(delete(other_way))
    assert not (await erasures.preview(ann.person)).last_administrator


async def test_an_address_that_somebody_only_typed_is_not_theirs(services: Services) -> None:
    """Who asks to be reached at another's address, and is erased, must not take the other's rows along."""
    ann, ben = new_member(), new_member()
    await both(services, ann, ben)
    now_ms = services.clock.now_ms()

    def type_bens_address(conn: Connection) -> None:
        whose = {"user_id": ann.person.id, "created_at_ms": now_ms}
        link = {"token_hash": "typed", "purpose": "change_email", "expires_at_ms": now_ms + 1}
        conn.execute(insert(one_time_links).values(email=ben.email, **link, **whose))
        mail = {"template": "test", "template_values": "{}", "language": "en", "next_at_ms": now_ms}
        conn.execute(insert(mail_outbox).values(id="typed", to_address=ben.email, **mail, **whose))

    await services.db.work(type_bens_address)
    before = await services.db.study(counts_of, ben.person)
    receipt = await Erasures(services.lifecycle).erase_now(ann.person, "operator", audit.OPERATOR)

    assert receipt.complete
    assert await services.db.study(counts_of, ben.person) == before
    async with services.db.read() as conn:
        to_ben = select(func.count()).select_from(mail_outbox).where(mail_outbox.c.to_address == ben.email)
        assert (await conn.execute(to_ben)).scalar_one() == 2


async def test_the_plan_says_what_the_erasure_does(services: Services) -> None:
    """Whoever confirms it must know what it is."""
    ann, ben = new_member(), new_member()
    await both(services, ann, ben)
    erasures = Erasures(services.lifecycle)

    plan = await erasures.preview(ann.person)
    receipt = await erasures.erase_now(ann.person, "operator", audit.OPERATOR)

    planned = {step.table: step.rows for step in plan.steps if step.action is Action.DELETE}
    assert planned["messages"] == receipt.deleted["messages"] == 3
    assert plan.rooms_without_owner == receipt.rooms_without_owner == 1
    assert {"audit_events", "request_events"} == {step.table for step in plan.steps if step.action is Action.KEEP}
    assert plan.reasons["audit_events"]
    assert "the operator's mail server" in plan.recipients
    gone = {
        table: count for table, count in receipt.deleted.items() if table not in ("processing_limits", "film_people")
    }
    # what joins films to people goes with the films
    # the ways in went at the restriction, before the rows were counted
    assert gone == {table: count for table, count in planned.items() if table in gone}
    assert set(planned) - set(gone) == {"sessions", "provider_sessions", "one_time_links", "processing_limits"}


async def test_a_hold_defers_exactly_what_it_keeps_and_its_release_finishes(
    services: Services, clock: ManualClock
) -> None:
    """A court may ask for one room, which is no reason to keep the rest."""
    ann, ben = new_member(), new_member()
    await both(services, ann, ben)
    async with services.db.read() as conn:
        here = messages.c.user_id == ann.person.id
        room_id = (await conn.execute(select(messages.c.room_id).where(here).limit(1))).scalar_one()
    now_ms = clock.now_ms()
    hold = await services.db.work(
        lambda conn: holds.place(
            conn, reason="legal_claim", review_at_ms=now_ms + 1, now_ms=now_ms, actor=audit.OPERATOR, room_id=room_id
        )
    )
    erasures = Erasures(services.lifecycle)

    partial = await erasures.erase_now(ann.person, "operator", audit.OPERATOR)
    waiting = await erasures.due(clock.now_ms())
    between = await services.db.study(counts_of, ann.person)
    await services.db.work(lambda conn: holds.release(conn, hold.id, now_ms=now_ms, actor=audit.OPERATOR))
    clock.advance(1)
    (done,) = await erasures.due(clock.now_ms())

    assert partial.state == "partial"
    assert not partial.complete
    assert partial.held["messages"] == 3
    assert partial.held["attendance"] == 1
    assert partial.search == "clean"
    assert partial.files == 2  # the archive and the picture
    assert waiting == []
    assert "mail_outbox" not in between
    assert "exports" not in between
    assert between["messages"] == 3
    assert between["users"] == 1
    assert (done.state, done.search) == ("done", "clean")
    assert done.deleted["messages"] == 3
    assert await services.db.study(counts_of, ann.person) == {}


async def test_what_others_hold_in_her_room_is_no_reason_to_keep_the_owner(
    services: Services, clock: ManualClock
) -> None:
    """The room loses its owner and nothing else, so whoever wrote in it, and is under a hold, loses nothing."""
    ann, ben = new_member(), new_member()
    await both(services, ann, ben)
    now_ms = clock.now_ms()
    async with services.db.write() as conn:
        own = (await conn.execute(select(rooms.c.id).where(rooms.c.owner_id == ann.person.id))).scalar_one()
        await conn.execute(update(messages).where(messages.c.user_id == ben.person.id).values(room_id=own))
    await services.db.work(
        lambda conn: holds.place(
            conn, reason="legal_claim", review_at_ms=now_ms + 1, now_ms=now_ms, actor=audit.OPERATOR, person=ben.person
        )
    )

    receipt = await Erasures(services.lifecycle).erase_now(ann.person, "operator", audit.OPERATOR)

    assert receipt.complete
    assert (await services.db.study(counts_of, ben.person))["messages"] == 3


async def test_a_stored_receipt_does_not_repeat_the_names_of_strange_files(services: Services) -> None:
    """Somebody may have named a file after the person; the register is kept for years."""
    ann = new_member()
    await fill(services, ann)
    (services.config.data_dir / "ann-canary.txt").write_text(ann.tokens["users.name"])
    erasures = Erasures(services.lifecycle)

    receipt = await erasures.erase_now(ann.person, "operator", audit.OPERATOR)
    stored = await erasures.receipt(receipt.request_id)

    assert receipt.findings is not None
    assert receipt.findings["remains"][0]["place"] == "ann-canary.txt"
    assert not receipt.complete
    assert stored is not None
    assert stored.findings is not None
    assert stored.findings["remains"][0]["place"] == "another file"
    async with services.db.read() as conn:
        (mail,) = (await conn.execute(select(mail_outbox.c.template_values))).scalars().all()
    assert '"found"' in mail


async def test_the_person_is_told_and_the_address_is_all_that_is_left_for_a_while(services: Services) -> None:
    """The receipt says so: one mail with the address waits to be sent."""
    ann = new_member()
    await fill(services, ann)

    receipt = await Erasures(services.lifecycle).erase_now(ann.person, "self", ann.person.id)

    async with services.db.read() as conn:
        (mail,) = (await conn.execute(select(mail_outbox))).mappings().all()
    assert receipt.mail_queued
    assert (mail["to_address"], mail["user_id"], mail["template"]) == (ann.email, None, "erasure_done")
    assert receipt.request_id in mail["template_values"]
    assert "clean" in mail["template_values"]


async def test_mails_about_an_erasure_come_in_the_language_that_the_person_chose(services: Services) -> None:
    """The last one, too, which is written when the account with that choice is gone."""
    ann = new_member()
    await fill(services, ann)
    async with services.db.write() as conn:
        await conn.execute(update(users).where(users.c.id == ann.person.id).values(language="de"))
    erasures = Erasures(services.lifecycle)

    async def language_of(template: str) -> str:
        async with services.db.read() as conn:
            query = select(mail_outbox.c.language).where(mail_outbox.c.template == template)
            return str((await conn.execute(query)).scalar_one())

    await erasures.request(ann.person, "self", ann.person.id)
    assert await language_of("erasure_planned") == "de"
    await erasures.erase_now(ann.person, "self", ann.person.id)
    assert await language_of("erasure_done") == "de"


async def test_where_mail_is_off_nothing_of_the_address_is_left(tmp_path: Path) -> None:
    """Nobody sends what nobody can send."""
    ann = new_member()
    async with opened(tmp_path) as services:
        await fill(services, ann)
        receipt = await Erasures(services.lifecycle).erase_now(ann.person, "self", ann.person.id)

    assert not receipt.mail_queued
    assert found_in(tmp_path, ann.tokens) == {}


async def test_what_others_wrote_about_somebody_stays_and_is_told(services: Services) -> None:
    """Their words are theirs. The receipt says where somebody should look."""
    ann, ben = new_member(), new_member()
    await both(services, ann, ben)
    async with services.db.write() as conn:
        theirs = messages.c.user_id == ben.person.id
        await conn.execute(update(messages).where(theirs).values(text=f"ask {ann.email} about it"))

    receipt = await Erasures(services.lifecycle).erase_now(ann.person, "operator", audit.OPERATOR)

    assert receipt.search == "clean"
    assert receipt.findings is not None
    assert receipt.findings["mentions"] == {"messages.text": 1}


async def test_a_reader_of_the_old_state_delays_the_word_done(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody reads a snapshot, deleted content stands in the write-ahead log: then it is not gone."""
    monkeypatch.setattr("pymeet.privacy.erasure.CHECKPOINT_ATTEMPTS", 2)
    ann = new_member()
    await fill(services, ann)
    erasures = Erasures(services.lifecycle)
    async with services.db.read() as conn:
        await conn.execute(select(users.c.id))
        early = await erasures.erase_now(ann.person, "operator", audit.OPERATOR)

    (late,) = await erasures.due(services.clock.now_ms())

    assert (early.state, early.log_emptied, early.search) == ("erasing", False, "not_run")
    assert (late.state, late.search, late.rows_only) == ("done", "clean", False)


async def test_a_receipt_can_be_read_again(services: Services) -> None:
    """An authority may ask for it years later."""
    ann = new_member()
    await fill(services, ann)
    erasures = Erasures(services.lifecycle)

    receipt = await erasures.erase_now(ann.person, "operator", audit.OPERATOR)

    assert await erasures.receipt(receipt.request_id) == receipt
    with pytest.raises(NotFoundError):
        await erasures.receipt("no-such-request")


async def test_nobody_can_be_erased_who_is_not_there(services: Services) -> None:
    """A slip of the pen must not look like success."""
    with pytest.raises(NotFoundError):
        await Erasures(services.lifecycle).erase_now(member("nobody-at-all"), "operator", audit.OPERATOR)


async def test_a_restored_backup_gives_nobody_back(tmp_path: Path) -> None:
    """The ledger stands outside the backup: whoever was erased since is erased again, nobody else."""
    ann, ben, cat = new_member(), new_member(), new_guest()
    data, backup = tmp_path / "data", tmp_path / "backup"
    data.mkdir()
    async with opened(data) as services:
        for canary in (ann, ben, cat):
            await fill(services, canary)
    shutil.copy(data / "pymeet.db", backup)
    async with opened(data) as services:
        for canary in (ann, cat):
            await Erasures(services.lifecycle).erase_now(canary.person, "operator", audit.OPERATOR)
    shutil.copy(backup, data / "pymeet.db")
    backup.unlink()
    ben_before = found_in(data, ben.tokens)
    assert found_in(data, {**ann.tokens, **cat.tokens}) != {}

    async with opened(data) as services:
        replay = await Erasures(services.lifecycle).replay()
        again = await Erasures(services.lifecycle).replay()

    assert [receipt.complete for receipt in replay.receipts] == [True, True]
    assert replay.damaged == 0
    assert again.receipts == ()
    assert found_in(data, {**ann.tokens, **cat.tokens}) == {}
    assert found_in(data, ben.tokens) == ben_before


async def test_the_ledger_names_the_person_before_the_first_row_goes(services: Services) -> None:
    """A crash in between must not leave half-erased people whom a restore would bring back whole."""
    ann = new_member()
    await fill(services, ann)
    seen: list[tuple[str, bool]] = []

    def watch(done: int, total: int | None, what: str) -> None:
        seen.append((what, (services.config.data_dir / "ledger" / "erasures.jsonl").exists()))

    await Erasures(services.lifecycle).erase_now(ann.person, "operator", audit.OPERATOR, watch)

    assert seen[0] == ("preparing", False)
    assert all(noted for what, noted in seen[1:])
    async with services.db.read() as conn:
        assert (await conn.execute(select(func.count()).select_from(erasure_ledger))).scalar_one() == 2


async def test_many_rows_go_in_batches_and_are_all_counted(services: Services) -> None:
    """Somebody who wrote for years."""
    ann = new_member()
    await fill(services, ann)
    async with services.db.write() as conn:
        row = dict((await conn.execute(select(messages).limit(1))).mappings().one())
        del row["sequence"]
        many = [
            {**row, "id": f"{row['id']}-{number}", "text": f"number {number} of very many"} for number in range(1500)
        ]
        await conn.execute(messages.insert(), many)

    receipt = await Erasures(services.lifecycle).erase_now(ann.person, "operator", audit.OPERATOR)

    assert receipt.deleted["messages"] == 1503
    assert receipt.complete
    assert receipt.findings is not None
    assert receipt.findings["texts_of"] > receipt.findings["texts"]


LONG = os.environ.get("PYMEET_GATES") == "long"


def _points() -> list[tuple[str, int]]:
    """Where the process is killed: every step, and a part of what repeats; otherwise a selection of these."""
    steps = range(1, 20) if LONG else (1, 2, 9, 16, 17, 18)
    commits = (1, 2, 3, 5, 9, 14, 18, 20, 22) if LONG else (2, 5, 18)
    fsyncs = (1, 3, 5, 6, 7) if LONG else (3, 5)
    unlinks = (1, 2) if LONG else (1,)
    repeated = {"commit": commits, "fsync": fsyncs, "unlink": unlinks}
    return [
        *(("step", number) for number in steps),
        *((f"{when}-{what}", n) for what, numbers in repeated.items() for when in ("before", "after") for n in numbers),
        ("searching", 1),
    ]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Canary, Canary]:
    """A data directory with two people, to be copied."""
    directory, ann, ben = tmp_path_factory.mktemp("prepared"), new_member(), new_member()

    async def make() -> None:
        async with opened(directory, mail=True) as services:
            await both(services, ann, ben)

    asyncio.run(make())
    return directory, ann, ben


@pytest.mark.parametrize(("kind", "number"), _points())
def test_killed_at_any_point_the_erasure_reaches_the_same_end(
    prepared: tuple[Path, Canary, Canary], tmp_path: Path, kind: str, number: int
) -> None:
    """Power fails when it likes."""
    template, ann, ben = prepared
    data = tmp_path / "data"
    shutil.copytree(template, data)
    command = [sys.executable, "-m", "tests.support.erasing", str(data), ann.person.id, kind, str(number)]
    ended = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert ended.returncode in (-signal.SIGKILL, 0), ended.stderr.decode()

    receipt, to = asyncio.run(_resumed(data, ann))

    without_mail = {
        place: token for place, token in ann.tokens.items() if place != "users.email" or ann.email not in to
    }
    assert receipt.complete
    assert receipt.search == "clean"
    assert not receipt.rows_only
    assert receipt.deleted["messages"] == 3
    assert found_in(data, {**without_mail, "file": ann.file_id, "sealed": f"{receipt.request_id}.sealed"}) == {}
    assert set(found_in(data, ben.tokens)) == set(ben.tokens) - {"file"}
    assert '"member"' in (data / "ledger" / "erasures.jsonl").read_text()


async def _resumed(data: Path, ann: Canary) -> tuple[Receipt, list[str]]:
    """Starts again after the crash; the receipt, and the addresses to which mail waits."""
    async with opened(data) as services:
        erasures = Erasures(services.lifecycle)
        if not await erasures.resume() and await services.db.study(counts_of, ann.person):
            # it died before there was anything to resume: whoever asked asks again
            await erasures.erase_now(ann.person, "operator", audit.OPERATOR)
        assert await services.db.study(counts_of, ann.person) == {}
        async with services.db.read() as conn:
            (closed,) = (await conn.execute(select(requests).where(requests.c.right == "erasure"))).mappings().all()
            to = list((await conn.execute(select(mail_outbox.c.to_address))).scalars().all())
        assert closed["state"] == "done"
        receipt = await erasures.receipt(closed["id"])
    assert receipt is not None
    return receipt, to


async def test_without_what_was_sealed_the_receipt_claims_no_search(services: Services) -> None:
    """Somebody deleted the file, or the disk lost it: then only rows can be counted, and the receipt says so."""
    ann = new_member()
    await fill(services, ann)
    erasures = Erasures(services.lifecycle)

    def lose(done: int, total: int | None, what: str) -> None:
        if what == "removing files":
            raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError):
        await erasures.erase_now(ann.person, "operator", audit.OPERATOR, lose)
    async with services.db.read() as conn:
        request_id = (await conn.execute(select(requests.c.id).where(requests.c.right == "erasure"))).scalar_one()
    services.files.destroy(request_id)

    (receipt,) = await erasures.resume()

    assert (receipt.state, receipt.search, receipt.rows_only) == ("done", "not_run", True)
    assert await services.db.study(counts_of, guest("x")) == {}


async def _make_admin(services: Services, canary: Canary) -> None:
    async with services.db.write() as conn:
        await conn.execute(update(users).where(users.c.id == canary.person.id).values(is_admin=True))
