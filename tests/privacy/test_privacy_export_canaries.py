"""The helper that everything else trusts: a canary that was never there would be found missing nowhere."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Text, select
from tests.support.canaries import Canaries, fill, reachable
from tests.support.migrated import prepare

from pymeet.db.engine import Database
from pymeet.db.schema import metadata
from pymeet.ids import new_id
from pymeet.privacy.people import DataSubject, counts_of, guest, member


def _all_values(conn: Connection) -> dict[tuple[str, str], set[Any]]:
    found: dict[tuple[str, str], set[Any]] = {}
    for table in metadata.sorted_tables:
        for row in conn.execute(select(table)).mappings():
            for column, value in row.items():
                found.setdefault((table.name, column), set()).add(value)
    return found


@pytest.mark.parametrize("person", [member(new_id()), guest(new_id())], ids=["member", "guest"])
async def test_every_table_about_such_people_gets_a_row_and_every_free_text_a_token(
    tmp_path: Path, person: DataSubject
) -> None:
    """A table that stays empty makes every test over it vacuous."""
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    try:
        canaries: Canaries = await db.work(fill, person, "a")
        counts = await db.study(counts_of, person)
        values = await db.study(_all_values)
    finally:
        await db.close()

    assert set(counts) == {entry.name for entry in reachable(person)}
    for place, token in canaries.items():
        assert any(token in value for value in values[place] if isinstance(value, str)), place
    assert len(canaries) > (40 if person.user_id else 20)


async def test_two_people_share_no_token_and_a_second_time_only_adds_rows(tmp_path: Path) -> None:
    """Otherwise a token of A could stand for B's, and a scenario that runs on could not be filled again."""
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    first, second = member(new_id()), member(new_id())
    try:
        a = await db.work(fill, first, "a")
        b = await db.work(fill, second, "b")
        again = await db.work(fill, first, "a")
    finally:
        await db.close()

    assert not set(a.values()) & set(b.values())
    assert set(again) == set(a)


async def test_only_fixed_words_and_links_to_others_are_without_a_token(tmp_path: Path) -> None:
    """So that nobody believes a column to be covered that is not."""
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    person = member(new_id())
    try:
        canaries = await db.work(fill, person, "a")
    finally:
        await db.close()

    unmarked = {
        f"{entry.name}.{column.name}"
        for entry in reachable(person)
        for column in metadata.tables[entry.name].columns
        if isinstance(column.type, Text) and (entry.name, column.name) not in canaries
    }
    links = {each for each in unmarked if each.endswith((".participant_id", "holds.room_id"))}
    assert unmarked - links == {
        "attendance.kind",
        "audit_events.action",
        "audit_events.segment",
        "avatars.file_id",
        "consents.decision",
        "consents.language",
        "consents.method",
        "consents.purpose",
        "exports.state",
        "holds.reason",
        "invitees.answer",
        "mail_outbox.language",
        "mail_outbox.template",
        "notification_choices.kind",
        "notifications.kind",
        "one_time_links.purpose",
        "processing_limits.cause",
        "films.format",
        "films.layout",
        "films.state",
        "recording_events.kind",
        "recording_shares.kind",
        "recording_tracks.source",
        "recording_tracks.state",
        "recording_views.kind",
        "recordings.end_reason",
        "request_events.state",
        "requests.decision",
        "requests.extension_reason",
        "requests.origin",
        "requests.right",
        "requests.state",
        "rooms.may_record",
        "rooms.may_share",
        "rooms.waiting_room",
        "users.theme",
    }
