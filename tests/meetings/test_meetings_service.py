"""Rooms, attendance and messages, through the service over a real database."""

import asyncio
import re
from pathlib import Path

import pytest
from sqlalchemy import Table, delete, select

from pymeet.accounts.service import User
from pymeet.clock import ManualClock
from pymeet.db.engine import Database
from pymeet.db.schema import attendance, audit_events, audit_people, messages, rooms, users
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError, NotSignedInError
from pymeet.meetings.service import Meetings, Room
from pymeet.meetings.slugs import checked_slug


async def rows(db: Database, table: Table) -> list[dict[str, object]]:
    async with db.read() as conn:
        return [dict(row) for row in (await conn.execute(select(table))).mappings()]


def files_with(content: str, directory: Path) -> list[str]:
    return [each.name for each in directory.iterdir() if content.encode() in each.read_bytes()]


async def test_a_room_is_found_at_its_address(meetings: Meetings, ann: User):
    """A link that was handed out leads to the room for as long as it exists."""
    made = await meetings.create_room("  Daily\x07 stand-up ", ann.id)

    assert made.name == "Daily stand-up"
    assert re.fullmatch(r"[a-z2-9]{3}-[a-z2-9]{4}-[a-z2-9]{3}", made.slug)
    assert await meetings.room(made.slug) == made
    assert await meetings.rooms(owner_id=ann.id) == [made]


async def test_rooms_are_listed_by_owner_or_all(meetings: Meetings, room: Room, ann: User, clock: ManualClock):
    """Members see their own, administrators also those of nobody, the operator sees all."""
    clock.advance(1)
    operators = await meetings.create_room("Lobby", None)

    assert await meetings.rooms("somebody-else", or_nobody=True) == [operators]
    assert await meetings.rooms(ann.id, or_nobody=True) == [room, operators]
    assert await meetings.rooms(ann.id) == [room]
    assert await meetings.rooms() == [room, operators]


@pytest.mark.parametrize("name", ["", "  ", "\x00", "x" * 81, "\ud800"])
async def test_a_room_needs_a_name(meetings: Meetings, name: str):
    """A room without one cannot be told from others."""
    with pytest.raises(InvalidInputError, match="name"):
        await meetings.create_room(name, None)


@pytest.mark.parametrize("slug", ["abc", "team-7", "x" * 60, "a-b-c", "123"])
def test_good_addresses_pass(slug: str):
    """What people would choose."""
    assert checked_slug(slug) == slug


@pytest.mark.parametrize(
    "slug", ["", "ab", "x" * 61, "Team", "a b", "a/b", "../x", "-ab", "ab-", "a--b", "täm", "api", "abc\n", "whip"]
)
def test_bad_addresses_are_refused(slug: str):
    """They would not survive being read aloud, or would pose as a part of the server."""
    with pytest.raises(InvalidInputError, match="address"):
        checked_slug(slug)


async def test_an_address_is_given_once(meetings: Meetings):
    """Also when several ask at the same moment."""
    outcomes = await asyncio.gather(
        *(meetings.create_room(f"Room {n}", None, "same-place") for n in range(5)), return_exceptions=True
    )

    assert sum(isinstance(each, Room) for each in outcomes) == 1
    assert [each.code for each in outcomes if isinstance(each, ConflictError)] == ["slug_taken"] * 4


async def test_a_room_needs_an_owner_who_exists(meetings: Meetings):
    """Otherwise nobody could ever delete it."""
    with pytest.raises(NotFoundError):
        await meetings.create_room("Standup", "nobody")


async def test_deleting_a_room_removes_everything_said_in_it(
    meetings: Meetings, room: Room, ann: User, db: Database, tmp_path: Path
):
    """Deleted means gone, from the tables and from the disk; only the address stays taken."""
    await meetings.attended(room.id, "p1", "Canary-name-81c2", ann.id, "browser")
    await meetings.add_message(room.id, "p1", "Canary-name-81c2", "Canary-text-55d0")
    await db.checkpoint()
    assert files_with("Canary-text-55d0", tmp_path)

    await meetings.delete_room("standup", by=ann.id)
    await db.checkpoint()

    assert await rows(db, messages) == await rows(db, attendance) == await meetings.rooms() == []
    (left,) = await rows(db, rooms)
    assert (left["slug"], left["name"], left["owner_id"]) == ("standup", "", None)
    for canary in ("Canary-name-81c2", "Canary-text-55d0", "Standup"):
        assert files_with(canary, tmp_path) == []


async def test_a_deleted_room_is_gone_for_everybody(meetings: Meetings, room: Room):
    """Whoever still has it open cannot add anything, and an old invitation leads nowhere."""
    await meetings.attended(room.id, "p1", "Ann", None, "browser")

    await meetings.delete_room("standup")

    attempts = (
        meetings.room("standup"),
        meetings.delete_room("standup"),
        meetings.attended(room.id, "p2", "Bob", None, "browser"),
        meetings.add_message(room.id, "p1", "Ann", "Hi"),
    )
    for attempt in attempts:
        with pytest.raises(NotFoundError):
            await attempt
    await meetings.left("p1")
    assert await meetings.messages(room.id) == []
    with pytest.raises(ConflictError):
        await meetings.create_room("Stranger's", None, "standup")


async def test_deleting_one_room_leaves_the_others(meetings: Meetings, room: Room):
    """The plainest way to lose somebody's data."""
    other = await meetings.create_room("Other", None)
    await meetings.attended(other.id, "p1", "Ann", None, "browser")
    message = await meetings.add_message(other.id, "p1", "Ann", "Hi")

    await meetings.delete_room(room.slug)

    assert await meetings.messages(other.id) == [message]


async def test_attendance_says_who_came_when_and_left_when(
    meetings: Meetings, room: Room, ann: User, db: Database, clock: ManualClock
):
    """The owner may ask afterwards who took part."""
    began = clock.now_ms()
    await meetings.attended(room.id, "p1", " Ann ", ann.id, "browser")
    clock.advance(60)
    await meetings.left("p1")
    clock.advance(60)
    await meetings.left("p1")

    assert await rows(db, attendance) == [
        {
            "participant_id": "p1",
            "room_id": room.id,
            "name": "Ann",
            "user_id": ann.id,
            "kind": "browser",
            "joined_at_ms": began,
            "left_at_ms": began + 60_000,
        }
    ]


async def test_somebody_who_returns_to_their_seat_has_one_row(meetings: Meetings, room: Room, db: Database):
    """A lost connection is not a second person."""
    await meetings.attended(room.id, "p1", "Ann", None, "browser")
    await meetings.left("p1")

    await meetings.attended(room.id, "p1", "Ann S.", None, "browser")

    (row,) = await rows(db, attendance)
    assert (row["name"], row["left_at_ms"]) == ("Ann S.", None)


async def test_what_a_killed_server_left_open_is_closed(
    meetings: Meetings, room: Room, db: Database, clock: ManualClock
):
    """An open row counts as present and its period never begins."""
    for participant in ("p1", "p2", "p3"):
        await meetings.attended(room.id, participant, "Ann", None, "browser")
    await meetings.left("p1")
    clock.advance(60)

    assert await meetings.close_open_attendance(clock.now_ms()) == 2
    assert await meetings.close_open_attendance(clock.now_ms()) == 0
    assert all(row["left_at_ms"] is not None for row in await rows(db, attendance))


async def test_nobody_leaves_before_they_came(meetings: Meetings, room: Room, db: Database, clock: ManualClock):
    """A machine's clock may be set back while people talk."""
    await meetings.attended(room.id, "p1", "Ann", None, "browser")
    clock.advance(-3600)

    await meetings.left("p1")

    (row,) = await rows(db, attendance)
    assert row["left_at_ms"] == row["joined_at_ms"]


async def test_messages_come_back_in_the_order_they_were_written(meetings: Meetings, room: Room):
    """Even when many are written in the same millisecond."""
    written = [await meetings.add_message(room.id, "p1", "Ann", f"Message {n}") for n in range(12)]

    assert await meetings.messages(room.id) == written
    assert await meetings.messages(room.id, limit=5) == written[-5:]


async def test_a_client_gets_what_it_missed(meetings: Meetings, room: Room):
    """After a lost connection it names the last message it has."""
    written = [await meetings.add_message(room.id, "p1", "Ann", f"Message {n}") for n in range(6)]

    assert await meetings.messages(room.id, after_id=written[3].id) == written[4:]
    assert await meetings.messages(room.id, after_id=written[5].id) == []
    assert await meetings.messages(room.id, after_id=written[0].id, limit=2) == written[4:]


async def test_an_unknown_last_message_gives_the_newest(meetings: Meetings, room: Room):
    """It may have been deleted meanwhile, or belong to another room."""
    written = [await meetings.add_message(room.id, "p1", "Ann", "Hi")]
    other = await meetings.create_room("Other", None)
    elsewhere = await meetings.add_message(other.id, "p1", "Ann", "Hi")

    assert await meetings.messages(room.id, after_id="unknown") == written
    assert await meetings.messages(room.id, after_id=elsewhere.id) == written


@pytest.mark.parametrize("text", ["", " \n", "x" * 4001, "\ud83d"])
async def test_messages_have_a_length(meetings: Meetings, room: Room, text: str):
    """1 to 4,000 characters, as the protocol says."""
    with pytest.raises(InvalidInputError, match="message"):
        await meetings.add_message(room.id, "p1", "Ann", text)


async def test_a_message_knows_its_authors_account(meetings: Meetings, room: Room, ann: User, db: Database):
    """Otherwise it is missing when Ann asks for her data or for its erasure; a guest's has none."""
    await meetings.attended(room.id, "p1", "Ann", ann.id, "browser")
    await meetings.attended(room.id, "p2", "Guest", None, "browser")

    await meetings.add_message(room.id, "p1", "Ann", "Hi")
    await meetings.add_message(room.id, "p2", "Guest", "Hi")

    assert [row["user_id"] for row in await rows(db, messages)] == [ann.id, None]


async def test_an_account_that_is_gone_takes_no_meeting_with_it(
    meetings: Meetings, room: Room, ann: User, db: Database
):
    """The room and what others said in it stay; only the link to the person ends. A connection that was opened before
    brings nobody in with the rights of an account that is gone."""
    await meetings.attended(room.id, "p1", "Ann", ann.id, "browser")
    async with db.write() as conn:
        await conn.execute(delete(users).where(users.c.id == ann.id))

    with pytest.raises(NotSignedInError):
        await meetings.attended(room.id, "p2", "Ann", ann.id, "browser")

    assert (await meetings.room(room.slug)).owner_id is None
    assert [row["user_id"] for row in await rows(db, attendance)] == [None]


async def test_rooms_made_and_deleted_are_in_the_audit_log(meetings: Meetings, room: Room, ann: User, db: Database):
    """Who did it, by ids."""
    await meetings.delete_room(room.slug, by=ann.id)
    other = await meetings.create_room("Other", None)
    hers = await meetings.create_room("Hers", ann.id, by="operator")

    (person,) = await rows(db, audit_people)
    lines = [(row["actor"], row["action"], row["target"]) for row in await rows(db, audit_events)]
    assert person["user_id"] == ann.id
    assert lines[1:] == [
        (person["pseudonym"], "room.created", room.id),
        (person["pseudonym"], "room.deleted", room.id),
        ("operator", "room.created", other.id),
        ("operator", "room.created", hers.id),
    ]


async def test_everything_is_there_after_a_restart(
    meetings: Meetings, room: Room, db: Database, clock: ManualClock, tmp_path: Path
):
    """Rooms and their messages outlive the process."""
    message = await meetings.add_message(room.id, "p1", "Ann", "Hi")
    await db.close()

    again = await Database.open(tmp_path / "pymeet.db")
    reopened = Meetings(again, clock)

    assert await reopened.room("standup") == room
    assert await reopened.messages(room.id) == [message]
    await again.close()
