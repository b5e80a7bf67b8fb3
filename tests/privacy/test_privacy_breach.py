"""What a breach may concern is counted from the inventory, and the letters say no more than is known."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from tests.support.canaries import checked_words
from tests.support.migrated import prepare

from pymeet.accounts.passwords import Passwords
from pymeet.accounts.service import Accounts
from pymeet.clock import ManualClock
from pymeet.config import PrivacyConfig
from pymeet.db import audit
from pymeet.db.engine import Database
from pymeet.db.inventory import Category, Kind, entries
from pymeet.db.schema import attendance, audit_events, metadata
from pymeet.errors import InvalidInputError, NotFoundError, NotSignedInError
from pymeet.meetings.service import Meetings
from pymeet.privacy import breach
from pymeet.privacy.breach import DEADLINE_MS, Affected, Assessment, Extent
from pymeet.privacy.breach_letters import LETTERS, draft
from pymeet.privacy.documents.words import LANGUAGES
from pymeet.privacy.rows import anonymise_rows

HOUR = 3600
HOUR_MS = HOUR * 1000


class Scene:
    """Two members and two guests, who met in one room at two times, an hour apart."""

    def __init__(self, db: Database, clock: ManualClock) -> None:
        self.db = db
        self.clock = clock
        self.accounts = Accounts(db, clock, passwords=Passwords(time_cost=1, memory_kib=8))
        self.meetings = Meetings(db, clock)
        self.began_ms = clock.now_ms()

    async def fill(self) -> None:
        ann, token = await self.accounts.add_user("Ann", "ann@example.org", True)
        await self.accounts.links.redeem(token, None, None, "correct horse battery")
        ben, _ = await self.accounts.add_user("Ben", "ben@example.org", False)
        room = await self.meetings.create_room("Tea", ann.id)
        for number, (name, user_id) in enumerate(
            (("Ann", ann.id), ("Guest", None), ("Ben", ben.id), ("Visitor", None))
        ):
            if number == 2:
                self.clock.advance(HOUR)
            seat = f"seat-{number}"
            await self.meetings.attended(room.id, seat, name, user_id, "browser")
            await self.meetings.add_message(room.id, seat, name, "Hello")
            await self.meetings.add_message(room.id, seat, name, "Hello again")
            await self.meetings.left(seat)
        self.clock.advance(1)

    async def assess(self, since_h: float = 0, until_h: float | None = None, *categories: str) -> Assessment:
        until_ms = self.clock.now_ms() if until_h is None else self.began_ms + round(until_h * HOUR_MS)
        return await self.db.study(breach.assess, self.began_ms + round(since_h * HOUR_MS), until_ms, categories)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    made = Scene(db, ManualClock())
    await made.fill()
    yield made
    await db.close()


def of(assessment: Assessment, category: Category) -> Affected:
    return next(each for each in assessment.affected if each.category is category)


async def test_records_and_people_are_counted(scene: Scene):
    """Article 33(3)(a): categories and approximate numbers of people and records."""
    found = await scene.assess()

    assert of(found, Category.CHAT).held == of(found, Category.CHAT).within == Extent(8, 2, 2)
    assert of(found, Category.ATTENDANCE).held == Extent(4, 2, 2)
    assert of(found, Category.ROOM).held == Extent(1, 1, 0)
    assert of(found, Category.ACCOUNT).held == Extent(2, 2, 0)
    assert (found.held.members, found.held.guests) == (2, 2)
    assert found.held.records == sum(each.held.records for each in found.affected)


async def test_only_what_came_about_in_the_time_counts_as_within(scene: Scene):
    """Somebody who could read for an hour may have read everything; somebody who listened heard that hour only."""
    first, second = await scene.assess(0, 0.5), await scene.assess(0.5)

    assert of(first, Category.CHAT).within == Extent(4, 1, 1)
    assert of(second, Category.CHAT).within == Extent(4, 1, 1)
    assert of(second, Category.ACCOUNT).within == Extent(0, 0, 0)
    assert of(second, Category.ACCOUNT).held == Extent(2, 2, 0)


async def test_what_is_to_come_is_not_in_the_time(scene: Scene):
    """A link that expires tomorrow was not made tomorrow."""
    tomorrow = await scene.db.study(
        breach.assess, scene.clock.now_ms() + 23 * HOUR_MS, scene.clock.now_ms() + 25 * HOUR_MS, ()
    )

    assert tomorrow.within == Extent(0, 0, 0)
    assert tomorrow.held.records > 0


async def test_some_categories_only(scene: Scene):
    """A stolen list of accounts is no stolen chat."""
    found = await scene.assess(0, None, "account", "room")

    assert {each.category for each in found.affected} == {Category.ACCOUNT, Category.ROOM}
    assert found.held == Extent(3, 2, 0)


async def test_what_is_sensitive_comes_from_the_columns(scene: Scene):
    """It decides whether the people must be told."""
    found = await scene.assess()

    assert of(found, Category.ACCOUNT).sensitive == (Kind.CONTACT, Kind.CONTENT)
    assert of(found, Category.CHAT).sensitive == (Kind.CONTENT,)
    assert of(found, Category.SIGN_IN).sensitive == (Kind.CREDENTIAL, Kind.CONTACT, Kind.CONTENT)
    assert of(found, Category.ATTENDANCE).sensitive == ()


async def test_who_is_anonymous_already_is_not_counted(scene: Scene):
    """Nothing can happen to "Former participant 2"."""
    entry = next(each for each in entries(metadata) if each.name == "attendance")
    await scene.db.work(anonymise_rows, entry, attendance.c.participant_id == "seat-1", scene.clock.now_ms())

    assert of(await scene.assess(), Category.ATTENDANCE).held == Extent(3, 2, 1)


async def test_people_without_an_id_are_named_as_uncounted(scene: Scene):
    """A number that leaves somebody out in silence is worse than a sentence."""
    assert "recipient without account" not in {each.role for each in (await scene.assess()).unreachable}
    async with scene.db.write() as conn:
        await conn.execute(
            text(
                "INSERT INTO mail_outbox (id, to_address, template, language, template_values, created_at_ms, next_at_ms)"
                " VALUES ('m', 'guest@example.org', 'test', 'en', '{}', 1, 1)"
            )
        )

    assert "recipient without account" in {each.role for each in (await scene.assess()).unreachable}


async def test_who_did_what_comes_from_the_audit_log(scene: Scene):
    """Pseudonyms and counts; failed sign-ins by their number, not by their lines."""
    for _ in range(3):
        with pytest.raises(NotSignedInError):
            await scene.accounts.check_password("ann@example.org", "wrong password here")
    await scene.accounts.record_failures()
    scene.clock.advance(1)

    found = await scene.assess()

    assert found.failed_sign_ins == 3
    by_operator = {each.action: each.events for each in found.access if each.actor == audit.OPERATOR}
    assert by_operator == {"user.added": 2}
    assert (await scene.assess(0, 0.5)).failed_sign_ins == 0


@pytest.mark.parametrize("name", [entry.name for entry in entries(metadata) if entry.personal])
async def test_every_table_with_personal_data_is_counted(tmp_path: Path, name: str):
    """Also one that is declared tomorrow: a forgotten table makes the notification wrong."""
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    table = metadata.tables[name]
    words = {"state": "done", "origin": "self", "right": "access", "cause": "erasure", "reason": "legal_claim"}
    words |= {"purpose": "recording", "decision": "given", "method": "dialog", "anchor": "member"}
    if name in ("exports", "films"):
        words["state"] = "ready"
    if name == "recording_tracks":
        words["state"] = "whole"
    if name == "requests":
        words["decision"] = "granted"
    if name == "erasure_ledger":
        words["cause"] = "self"
    values: dict[str, object] = {}
    for column in table.columns:
        if not column.nullable or column.name.endswith("user_id"):
            kind = column.type.python_type
            values[column.name] = 5 if kind is int else False if kind is bool else b"x" if kind is bytes else "x"
        if column.name in words and not (column.name == "purpose" and name == "one_time_links"):
            values[column.name] = words[column.name]
        elif column.name in values and (checked := checked_words(column)):
            values[column.name] = checked[0]
    async with db.write() as conn:
        await conn.execute(text("PRAGMA defer_foreign_keys=ON"))
        await conn.execute(insert(table).values(values))
        found = await conn.run_sync(breach.assess, 0, 10, ())
        await conn.execute(table.delete())
    await db.close()

    assert found.held.records == 1
    assert [each.category for each in found.affected] == [
        entry.category for entry in entries(metadata) if entry.name == name
    ]


async def test_a_time_or_category_that_makes_no_sense_is_refused(scene: Scene):
    """An empty answer would look like good news."""
    with pytest.raises(InvalidInputError, match="ends before"):
        await scene.assess(1, 0)
    with pytest.raises(InvalidInputError, match="no category shoes"):
        await scene.assess(0, None, "shoes")


async def test_the_register_keeps_numbers_and_the_72_hours(scene: Scene):
    """Article 33(5) asks for documentation, 33(1) for haste."""
    now_ms = scene.clock.now_ms()
    assessment = await scene.assess()

    made = await scene.db.work(breach.note, assessment, now_ms - HOUR_MS, now_ms, audit.OPERATOR)

    assert made.deadline_ms == now_ms - HOUR_MS + DEADLINE_MS
    assert made.left_ms(now_ms) == 71 * HOUR_MS
    assert made.left_ms(now_ms + 80 * HOUR_MS) == -9 * HOUR_MS
    assert made.counts["held"] == {"records": assessment.held.records, "members": 2, "guests": 2}
    assert made.counts["categories"]["chat"]["held"]["records"] == 8
    assert await scene.db.study(breach.open_breaches) == await scene.db.study(breach.all_breaches) == [made]
    assert "ann" not in repr(made).lower()


async def test_telling_is_noted_once(scene: Scene):
    """The first time is the one that counts."""
    now_ms = scene.clock.now_ms()
    made = await scene.db.work(breach.note, await scene.assess(), now_ms, now_ms, audit.OPERATOR)

    for later in (HOUR_MS, 2 * HOUR_MS):
        await scene.db.work(breach.told, made.id, "people", now_ms + later, audit.OPERATOR)
        told = await scene.db.work(breach.told, made.id, "authority", now_ms + later, audit.OPERATOR)

    assert (told.authority_told_at_ms, told.people_told_at_ms) == (now_ms + HOUR_MS, now_ms + HOUR_MS)
    assert told.left_ms(now_ms) is None
    assert await scene.db.study(breach.open_breaches) == []
    async with scene.db.read() as conn:
        query = select(audit_events.c.action).where(audit_events.c.target == made.id).order_by(audit_events.c.sequence)
        actions = (await conn.execute(query)).scalars().all()
    assert actions == ["breach.noted", "breach.told", "breach.told"]
    with pytest.raises(NotFoundError):
        await scene.db.work(breach.told, "nothing", "people", now_ms, audit.OPERATOR)
    with pytest.raises(InvalidInputError):
        await scene.db.work(breach.told, made.id, "press", now_ms, audit.OPERATOR)


@pytest.mark.parametrize("noticed_h", [-2, 2])
async def test_a_breach_is_noticed_between_its_beginning_and_now(scene: Scene, noticed_h: int):
    """A slip in the date would move the deadline."""
    now_ms = scene.clock.now_ms()
    with pytest.raises(InvalidInputError):
        await scene.db.work(breach.note, await scene.assess(), now_ms + noticed_h * HOUR_MS, now_ms, audit.OPERATOR)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letter", LETTERS)
async def test_a_draft_says_what_is_known_and_leaves_gaps_for_the_rest(scene: Scene, letter: str, language: str):
    """A letter with a guess in it may be sent as it is; a gap cannot be overlooked."""
    config = PrivacyConfig(controller="Example Clinic", dpo_contact="dpo@example.org", authority="The Authority")
    assessment = await scene.assess()

    bare = draft(letter, language, assessment, PrivacyConfig())
    full = draft(letter, language, assessment, config, scene.clock.now_ms())

    for known in ("Example Clinic", "dpo@example.org", "The Authority"):
        assert known in full
        assert known not in bare
    assert len(re.findall(r"\[\[", bare)) > len(re.findall(r"\[\[", full)) > 2
    assert "Chat" in full
    assert "None" not in full + bare
    assert "\n\n\n" not in full
    for personal in ("Ann", "ann@example.org", "Hello"):
        assert personal not in full


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_letter_to_the_authority_has_the_numbers(scene: Scene, language: str):
    """So that nobody has to count at night."""
    assessment = replace(await scene.assess(), access=())

    letter = draft("authority", language, assessment, PrivacyConfig())

    assert re.search(r"Chat: 8 .* 8; .* 2 .* 2 ", letter)
    assert ("argon2id" in letter) is any(Kind.CREDENTIAL in each.sensitive for each in assessment.affected)


async def test_there_is_no_other_letter_or_language(scene: Scene):
    """Names of files come from a fixed list."""
    assessment = await scene.assess()
    for letter, language in (("../people", "en"), ("people", "fr")):
        with pytest.raises(InvalidInputError):
            draft(letter, language, assessment, PrivacyConfig())
