"""Consent as a timeline, and the receipt that people keep of it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from pymeet.clock import ManualClock
from pymeet.config import Config, PrivacyConfig
from pymeet.db.schema import consents as table
from pymeet.db.schema import users
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.ops.services import Services, open_services
from pymeet.privacy import consent_receipt, consents
from pymeet.privacy.consent_receipt import Circumstances
from pymeet.privacy.consents import UNTIL_ENDED_MS, Consent
from pymeet.privacy.documents.deadlines import in_force
from pymeet.privacy.notices import Notices
from pymeet.privacy.people import DataSubject, guest, member

KEY = b"k" * 32


class Meeting:
    """A meeting that may be recorded, with a notice that people have read."""

    def __init__(self, services: Services, clock: ManualClock) -> None:
        self.services = services
        self.clock = clock

    async def work(self, function: Any, *arguments: Any, **options: Any) -> Any:
        return await self.services.db.work(lambda conn: function(conn, *arguments, **options))

    async def decide(
        self, person: DataSubject, decision: str, purpose: str = "recording", object_id: str | None = "rec1"
    ) -> Consent:
        made: Consent = await self.work(
            consents.record,
            person,
            purpose,
            object_id,
            decision,
            method="dialog",
            notice_version=1,
            language="en",
            now_ms=self.clock.now_ms(),
        )
        return made

    async def withdraw(self, person: DataSubject, purpose: str = "recording", object_id: str = "rec1") -> Consent:
        made: Consent = await self.work(
            consents.withdraw, person, purpose, object_id, method="settings", now_ms=self.clock.now_ms()
        )
        return made

    async def state(self, person: DataSubject, purpose: str = "recording", object_id: str = "rec1") -> str | None:
        found: str | None = await self.work(consents.state, person, purpose, object_id)
        return found

    async def receipt(self, consent: Consent, **config: Any) -> dict[str, Any]:
        now_ms = self.clock.now_ms()
        given = Circumstances(
            config=self.services.config.model_copy(update=config),
            site="https://meet.example.org",
            effective=in_force(self.services.lifecycle.periods, now_ms),
            key=KEY,
        )
        made: dict[str, Any] = await self.work(consent_receipt.issue, consent.id, given, now_ms)
        return made


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    clock = ManualClock()
    async with open_services(Config(data_dir=data_dir), clock) as services:
        await Notices(services.lifecycle).current(clock.now_ms())
        yield Meeting(services, clock)


@pytest.fixture
async def ada(meeting: Meeting) -> DataSubject:
    user, _ = await meeting.services.accounts.add_user("Ada", "ada@example.org")
    return member(user.id)


async def test_no_answer_is_no_consent_and_the_latest_decision_counts(meeting: Meeting, ada: DataSubject) -> None:
    """A recorder asks exactly this before it takes somebody's sound."""
    states = [await meeting.state(ada)]
    for decision in ("refused", "given"):
        await meeting.decide(ada, decision)
        states.append(await meeting.state(ada))
        meeting.clock.advance(1)
    await meeting.withdraw(ada)
    states.append(await meeting.state(ada))

    assert states == [None, "refused", "given", "withdrawn"]


async def test_consent_is_for_one_person_one_purpose_and_one_thing(meeting: Meeting, ada: DataSubject) -> None:
    """Consent to a recording is none to its transcript, to the next recording, or of somebody else (Article 7)."""
    await meeting.decide(ada, "given")

    assert await meeting.state(ada, "transcript") is None
    assert await meeting.state(ada, object_id="rec2") is None
    assert await meeting.state(guest(ada.id)) is None


async def test_decisions_in_the_same_millisecond_keep_their_order(meeting: Meeting, ada: DataSubject) -> None:
    """Who clicks twice fast means the second click."""
    for decision in ("given", "refused", "given"):
        await meeting.decide(ada, decision)
    await meeting.withdraw(ada)

    timeline = await meeting.work(consents.timeline, ada)

    assert [each.decision for each in timeline] == ["given", "refused", "given", "withdrawn"]
    assert [each.at_ms - meeting.clock.now_ms() for each in timeline] == [0, 1, 2, 3]
    assert await meeting.state(ada) == "withdrawn"


async def test_a_clock_that_is_put_back_does_not_bring_a_withdrawn_consent_back(
    meeting: Meeting, ada: DataSubject
) -> None:
    """Otherwise the consent given «later» would count again."""
    await meeting.decide(ada, "given")
    meeting.clock.advance(-3600)

    await meeting.withdraw(ada)

    assert await meeting.state(ada) == "withdrawn"


async def test_only_a_consent_in_force_can_be_withdrawn(meeting: Meeting, ada: DataSubject) -> None:
    """A timeline that ends in a withdrawal of nothing would say that there was something."""
    for decision in (None, "refused", "given"):
        if decision:
            await meeting.decide(ada, decision)
        if decision == "given":
            await meeting.withdraw(ada)
        with pytest.raises(ConflictError):
            await meeting.withdraw(ada)


@pytest.mark.parametrize(
    ("purpose", "object_id", "decision"),
    [
        ("recording", None, "given"),
        ("recording", "rec1", "acknowledged"),
        ("privacy_notice", "rec1", "acknowledged"),
        ("privacy_notice", None, "given"),
        ("pizza", "rec1", "given"),
        ("recording", "Ada Lovelace <ada@example.org>", "given"),
    ],
)
async def test_what_means_nothing_is_refused(
    meeting: Meeting, ada: DataSubject, purpose: str, object_id: str | None, decision: str
) -> None:
    """A record nobody can interpret proves nothing, and names do not belong into it."""
    with pytest.raises(InvalidInputError):
        await meeting.decide(ada, decision, purpose, object_id)


async def test_the_period_begins_when_that_ends_for_which_it_was_given(meeting: Meeting, ada: DataSubject) -> None:
    """As long as a recording exists, so must the proof that it was allowed; afterwards for a limited time."""
    given = await meeting.decide(ada, "given")
    other = await meeting.decide(ada, "given", object_id="rec2")
    assert given.keep_from_ms == UNTIL_ENDED_MS

    counted = await meeting.work(consents.ended, "rec1", 123)
    again = await meeting.work(consents.ended, "rec1", 456)
    late = await meeting.decide(ada, "withdrawn")

    kept = {each.id: each.keep_from_ms for each in await meeting.work(consents.timeline, ada)}
    assert (counted, again) == (1, 0)
    assert kept == {given.id: 123, other.id: UNTIL_ENDED_MS, late.id: late.at_ms}


async def test_everybodys_decisions_about_one_recording_can_be_read(meeting: Meeting, ada: DataSubject) -> None:
    """Who wants to publish a recording must see who agreed."""
    await meeting.decide(ada, "given")
    await meeting.decide(guest("seat"), "refused")
    await meeting.decide(guest("seat"), "given", object_id="rec2")

    found = await meeting.work(consents.of_object, "rec1")

    assert {(each.person, each.decision) for each in found} == {(ada, "given"), (guest("seat"), "refused")}


async def test_erasing_the_person_leaves_the_record_without_a_link(meeting: Meeting, ada: DataSubject) -> None:
    """That somebody agreed stays provable (Article 7(1)); who it was is gone, and so is what tied records together."""
    given = await meeting.decide(ada, "given")
    meeting.clock.advance(1)
    await meeting.withdraw(ada)
    await meeting.work(lambda conn: conn.execute(delete(users).where(users.c.id == ada.id)))

    left = await meeting.work(consents.one, given.id)
    receipt = await meeting.receipt(left)

    assert left.person is None
    assert await meeting.work(consents.timeline, ada) == []
    assert [each.decision for each in await meeting.work(consents.of_object, "rec1")] == ["given", "withdrawn"]
    assert receipt["record"]["header"]["pii_principal_id"] == "urn:pymeet:person:erased"
    assert [each["event_id"] for each in receipt["record"]["events"]] == [given.id]


async def test_somebody_elses_record_is_not_there(meeting: Meeting, ada: DataSubject) -> None:
    """A page asks for a record by its id; the id must not be enough."""
    given = await meeting.decide(ada, "given")

    assert await meeting.work(consents.one, given.id, ada) == given
    with pytest.raises(NotFoundError):
        await meeting.work(consents.one, given.id, guest("seat"))


async def test_a_receipt_tells_the_whole_story_of_one_consent(meeting: Meeting, ada: DataSubject) -> None:
    """The sections and mandatory fields of ISO/IEC TS 27560, and the text that was read by its hash."""
    await meeting.decide(ada, "given", "transcript")
    given = await meeting.decide(ada, "given")
    meeting.clock.advance(90.5)
    await meeting.withdraw(ada)

    made = await meeting.receipt(
        given,
        privacy=PrivacyConfig(
            controller="Example Clinic", contact="p@example.org", dpo_contact="d@example.org", authority="An Authority"
        ),
    )

    record = made["record"]
    assert made["metadata"]["schema_version"].endswith("#receipt-eu-gdpr")
    assert record["header"]["record_id"] == given.id
    assert record["header"]["pii_principal_id"].startswith("urn:pymeet:person:")
    processing = record["pii_processing"]
    assert processing["privacy_notice"]["sha256"] == given.notice_hash
    assert (processing["privacy_notice"]["version"], processing["language"]) == (1, "en")
    (purpose,) = processing["purposes"]
    assert purpose["lawful_basis"] == "eu-gdpr:A6-1-a"
    assert {"pii_information", "retention_period", "recipient_third_parties"} <= set(purpose)
    assert {"pii_controllers", "storage_locations", "jurisdiction", "withdrawal_method", "privacy_rights"} <= set(
        processing
    )
    assert processing["withdrawal_method"]["exercised_at"] == "https://meet.example.org/my-data"
    roles = [party["party_role"] for party in record["party_identification"]]
    assert roles == [
        "dpv:DataController",
        "dpv:DataProtectionOfficer",
        "dpv:DataProtectionAuthority",
        "dpv:DataSubject",
    ]
    assert [(each["event_state"], each["event_time"]) for each in record["events"]] == [
        ("dpv:ConsentGiven", "2023-11-14T22:13:20.000Z"),
        ("dpv:ConsentWithdrawn", "2023-11-14T22:14:50.500Z"),
    ]


async def test_a_receipt_of_the_notice_tells_of_everything_that_is_held(meeting: Meeting, ada: DataSubject) -> None:
    """Every purpose with its own basis and period; reading a notice is not consenting to it."""
    now_ms = meeting.clock.now_ms()
    read = await Notices(meeting.services.lifecycle).acknowledge(ada, 1, "de", "dialog", now_ms)

    record = (await meeting.receipt(read))["record"]

    by_purpose = {each["purpose"]: each for each in record["pii_processing"]["purposes"]}
    chat = by_purpose["To let people in a room write to each other and read it later."]
    assert chat["lawful_basis"] == "eu-gdpr:A6-1-b"
    assert chat["retention_period"][0]["duration"] == "P90D"
    assert {"pii_type": "user.content.private"} in chat["pii_information"]
    assert len(by_purpose) > 10
    (event,) = record["events"]
    assert event["event_state"] == "pymeet:acknowledged"
    assert "event_type" not in event


async def test_a_receipt_names_nobody(meeting: Meeting, ada: DataSubject) -> None:
    """It may be shown to others; and two receipts of one person cannot be put together by those who see them."""
    first = await meeting.receipt(await meeting.decide(ada, "given"))
    second = await meeting.receipt(await meeting.decide(ada, "given", object_id="rec2"))

    text = json.dumps([first, second])
    assert ada.id not in text
    assert "Ada" not in text
    assert "ada@example.org" not in text
    principals = {each["record"]["header"]["pii_principal_id"] for each in (first, second)}
    assert len(principals) == 2


async def test_the_server_knows_its_receipt_again_however_it_was_laid_out(meeting: Meeting, ada: DataSubject) -> None:
    """A program that indents, sorts or escapes anew has changed nothing."""
    made = await meeting.receipt(await meeting.decide(ada, "given"))

    for text in (json.dumps(made), json.dumps(made, indent=4, sort_keys=True), json.dumps(made, ensure_ascii=False)):
        assert consent_receipt.verify(KEY, text) == {name: made[name] for name in made if name != "proof"}


async def test_every_change_of_a_receipt_is_noticed(meeting: Meeting, ada: DataSubject) -> None:
    """Each single value is changed, each key dropped, in turn: nothing stands outside the signature."""
    made = await meeting.receipt(await meeting.decide(ada, "given"))
    changed = list(_changes(made))

    assert len(changed) > 150
    for each in changed:
        with pytest.raises(InvalidInputError, match="did not issue"):
            consent_receipt.verify(KEY, json.dumps(each))


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '"proof"', '{"proof": null}', '{"proof": {"type": 1, "value": 2}}', "[" * 100_000]
)
def test_what_is_no_receipt_is_refused_and_nothing_breaks(text: str) -> None:
    """Anybody can hand in any file."""
    with pytest.raises(InvalidInputError, match="did not issue"):
        consent_receipt.verify(KEY, text)


async def test_a_receipt_with_a_key_twice_or_of_another_server_is_refused(meeting: Meeting, ada: DataSubject) -> None:
    """A reader sees the first of two values, a program the last."""
    made = await meeting.receipt(await meeting.decide(ada, "given"))
    text = json.dumps(made)
    twice = text.replace('"record": {', '"record": {"header": {"record_id": "forged"}}, "record": {', 1)
    assert json.loads(twice) == made

    for key, forged in ((KEY, twice), (b"o" * 32, text)):
        with pytest.raises(InvalidInputError, match="did not issue"):
            consent_receipt.verify(key, forged)


async def test_every_field_of_a_receipt_is_a_term_of_its_vocabulary(meeting: Meeting, ada: DataSubject) -> None:
    """A field without term is dropped in silence by whoever reads it as JSON-LD."""
    now_ms = meeting.clock.now_ms()
    read = await Notices(meeting.services.lifecycle).acknowledge(ada, 1, "de", "dialog", now_ms)
    privacy = PrivacyConfig(controller="C", contact="p", dpo_contact="d", authority="A")

    for consent in (await meeting.decide(ada, "given"), read):
        made = await meeting.receipt(consent, privacy=privacy)
        terms = set(made.pop("@context"))
        made.pop("proof")
        assert {key for key in _keys(made) if not key.startswith("@")} <= terms


async def test_a_record_cannot_be_found_by_a_person_after_the_clearing_of_a_guests_seat(meeting: Meeting) -> None:
    """Guests have no account whose deletion would cut the link; erasing clears the column."""
    given = await meeting.decide(guest("seat"), "given")
    await meeting.work(lambda conn: conn.execute(update(table).values(participant_id=None)))

    assert await meeting.work(consents.timeline, guest("seat")) == []
    assert await meeting.work(consents.state, guest("seat"), "recording", "rec1") is None
    assert (await meeting.work(lambda conn: conn.execute(select(table)).one())).id == given.id


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_keys(each) for each in value.values()))
    return set().union(*(_keys(each) for each in value)) if isinstance(value, list) else set()


def _changes(value: Any) -> Any:
    """The value with one thing changed, for everything that can be."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: each for name, each in value.items() if name != key}
            for changed in _changes(inner):
                yield {**value, key: changed}
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield value[:index] + value[index + 1 :]
            for changed in _changes(inner):
                yield [*value[:index], changed, *value[index + 1 :]]
    else:
        yield f"{value}x" if isinstance(value, str) else value + 1
