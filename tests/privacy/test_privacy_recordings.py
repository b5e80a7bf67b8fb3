"""What the lifecycle promises about recordings: one person can leave them, holds keep them, and their end is announced."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, func, insert, select, update
from tests.support.exports import archive_of
from tests.support.recordings import TRACK, Made, Seat, change_recording, make_recording
from tests.support.retention import DAY_MS, NOW_MS, Clocks, add_room, add_seat, add_user, count, open_lifecycle

from pymeet.db.schema import (
    attendance,
    consents,
    film_people,
    films,
    mail_outbox,
    recording_events,
    recording_people,
    recording_tracks,
    recordings,
    rooms,
    users,
)
from pymeet.errors import ConflictError
from pymeet.meetings.service import Meetings
from pymeet.privacy import consents as consent_rows
from pymeet.privacy import holds, limits
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.expiring import announce_endings
from pymeet.privacy.gone import remove_pending
from pymeet.privacy.notices import Notices
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, guest, member
from pymeet.privacy.plan import plan
from pymeet.privacy.purge import execute
from pymeet.privacy.sweeper import Sweeper
from pymeet.privacy.visible import visible
from pymeet.recording.removal import remove_person

MAIL = {"mail": {"host": "localhost", "encryption": "off", "from_address": "meet@example.org"}}


@pytest.fixture
async def lifecycle(tmp_path: Path) -> AsyncIterator[Lifecycle]:
    async with open_lifecycle(tmp_path, config=MAIL) as made:
        await made.db.work(_people)
        yield made


@pytest.fixture
async def tea(lifecycle: Lifecycle) -> Made:
    """A recording that Ann started, with her, Ben, and the guest Gus."""
    people = {"Ann": Seat("ann", "ann-seat"), "Ben": Seat("ben", "ben-seat"), "Gus": Seat(None, "gus-seat")}
    return await make_recording(lifecycle, "room", "ann", people)


def _people(conn: Connection) -> None:
    add_room(conn, "room", owner_id=None)
    for user_id in ("ann", "ben", "cleo"):
        add_user(conn, user_id, admin=user_id == "cleo")
    for user_id in ("ann", "ben"):
        add_seat(conn, "room", f"{user_id}-seat", NOW_MS, user_id)
    add_seat(conn, "room", "gus-seat", NOW_MS)


async def erase(lifecycle: Lifecycle, person: DataSubject):
    return await Erasures(lifecycle).erase_now(person, "operator", "operator")


async def hold(lifecycle: Lifecycle, **on: object) -> holds.Hold:
    def place(conn: Connection) -> holds.Hold:
        said = {"reason": "legal_claim", "review_at_ms": NOW_MS + DAY_MS, "now_ms": NOW_MS, "actor": "operator"}
        return holds.place(conn, **said, **on)  # type: ignore[arg-type]

    return await lifecycle.db.work(place)


async def release(lifecycle: Lifecycle, placed: holds.Hold) -> None:
    await lifecycle.db.work(lambda conn: holds.release(conn, placed.id, now_ms=NOW_MS, actor="operator"))


async def purge(lifecycle: Lifecycle) -> None:
    made = await lifecycle.db.study(lambda conn: plan(conn, lifecycle.periods, lifecycle.clock.now_ms()))
    await execute(lifecycle, made, actor="operator")


async def film_states(lifecycle: Lifecycle) -> list[tuple[str, str, str | None]]:
    def read(conn: Connection) -> list[tuple[str, str, str | None]]:
        return [tuple(row) for row in conn.execute(select(films.c.state, films.c.layout, films.c.file_id))]

    return await lifecycle.db.study(read)


def content(lifecycle: Lifecycle, file_id: str) -> bytes:
    with lifecycle.files.open(file_id) as file:
        return file.read()


def has_key(lifecycle: Lifecycle, file_id: str) -> bool:
    return file_id in dict(lifecycle.keys.ids())


def pass_days(lifecycle: Lifecycle, days: int) -> None:
    lifecycle.clock.advance(days * DAY_MS / 1000)  # type: ignore[attr-defined]


# erasing and taking out


@pytest.mark.parametrize("who", ["Ben", "Gus"])
async def test_whoever_is_erased_leaves_the_recording_and_nobody_else_does(
    lifecycle: Lifecycle, tea: Made, who: str
) -> None:
    """Tracks have keys of their own for this: one can go for good without a byte of another changing."""
    person = member("ben") if who == "Ben" else guest("gus-seat")
    others = {name: lifecycle.files.path(file).read_bytes() for name, file in tea.track_files.items() if name != who}

    receipt = await erase(lifecycle, person)

    assert (receipt.state, receipt.search) == ("done", "clean")
    assert not lifecycle.files.exists(tea.track_files[who])
    assert not has_key(lifecycle, tea.track_files[who])
    assert not lifecycle.files.exists(tea.film_file)
    assert not has_key(lifecycle, tea.film_file)
    for table, column in ((recording_tracks, "person_id"), (recording_events, "person_id"), (recording_people, "id")):
        assert await count(lifecycle.db, table.name, lambda c, column=column: c[column] == tea.people[who]) == 0
    for name, before in others.items():
        assert lifecycle.files.path(tea.track_files[name]).read_bytes() == before
        assert content(lifecycle, tea.track_files[name]) == TRACK
    assert await film_states(lifecycle) == [("queued", "grid", None)]  # the same film, to be made of the others


async def test_films_are_told_before_the_rows_go_and_again_afterwards(lifecycle: Lifecycle, tea: Made) -> None:
    """A film that is being made of somebody must stop before their tracks do, and be made anew after."""
    told: list[object] = []

    async def withdraw(person_ids: object) -> None:
        told.append((sorted(person_ids), await count(lifecycle.db, "recording_tracks")))  # type: ignore[call-overload]

    wired = Lifecycle(
        **{**vars(lifecycle), "withdraw_from_films": withdraw, "poke_films": lambda: told.append("poked")}
    )

    await erase(wired, member("ben"))

    assert told == [([tea.people["Ben"]], 3), "poked"]


async def test_one_person_can_be_taken_out_of_one_recording(lifecycle: Lifecycle, tea: Made) -> None:
    """Their account, and the other recordings they are in, stay."""
    again = await make_recording(lifecycle, "room", "ann", {"Ben": Seat("ben", "ben-seat")})
    await Notices(lifecycle).current(NOW_MS)
    await lifecycle.db.work(_consent, tea.id, "ben")
    others = {name: lifecycle.files.path(file).read_bytes() for name, file in tea.track_files.items() if name != "Ben"}
    stopped: list[tuple[DataSubject, str]] = []

    async def stop(person: DataSubject, recording_id: str) -> None:
        stopped.append((person, recording_id))

    wired = Lifecycle(**{**vars(lifecycle), "consent_withdrawn": stop})
    preview = await remove_person(wired, tea.id, tea.people["Ben"], "operator", dry_run=True)
    assert (preview.tracks, preview.films, preview.size_bytes, preview.dry_run) == (1, 1, len(TRACK), True)
    assert stopped == []
    assert await count(lifecycle.db, "recording_tracks") == 4

    done = await remove_person(wired, tea.id, tea.people["Ben"], "operator")

    assert (done.tracks, done.films, done.files_left, done.log_emptied) == (1, 1, 0, True)
    assert (done.events, done.messages) == (preview.events, preview.messages)
    assert stopped == [(member("ben"), tea.id)]
    assert not lifecycle.files.exists(tea.track_files["Ben"])
    assert not has_key(lifecycle, tea.track_files["Ben"])
    assert content(lifecycle, again.track_files["Ben"]) == TRACK
    for name, before in others.items():
        assert lifecycle.files.path(tea.track_files[name]).read_bytes() == before
    assert await count(lifecycle.db, "recording_people", lambda c: c.recording_id == tea.id) == 2
    assert sorted(state for state, _, _ in await film_states(lifecycle)) == ["queued", "ready"]
    decision = await lifecycle.db.study(lambda conn: consent_rows.state(conn, member("ben"), "recording", tea.id))
    assert decision == "withdrawn"
    with pytest.raises(Exception, match="not in this recording"):
        await remove_person(wired, tea.id, tea.people["Ben"], "operator")


def _consent(conn: Connection, recording_id: str, user_id: str) -> None:
    conn.execute(
        insert(consents).values(
            id=f"{recording_id}-{user_id}",
            user_id=user_id,
            purpose="recording",
            object_id=recording_id,
            decision="given",
            method="dialog",
            notice_version=1,
            notice_hash="0" * 64,
            language="en",
            at_ms=NOW_MS,
            keep_from_ms=consent_rows.UNTIL_ENDED_MS,
        )
    )


# holds


async def test_a_held_recording_stays_with_everybody_in_it(lifecycle: Lifecycle, tea: Made) -> None:
    """Against time, against an erasure, and against being taken out; and it goes on once the hold ends."""
    placed = await hold(lifecycle, recording_id=tea.id)
    assert (placed.recording_id, placed.room_id) == (tea.id, None)
    pass_days(lifecycle, 91)

    await purge(lifecycle)
    receipt = await erase(lifecycle, member("ben"))
    with pytest.raises(ConflictError) as refused:
        await remove_person(lifecycle, tea.id, tea.people["Gus"], "operator")

    assert refused.value.code == "held"
    assert (receipt.state, receipt.held["recording_tracks"], receipt.held["films"]) == ("partial", 1, 1)
    for table in ("recordings", "films"):
        assert await count(lifecycle.db, table) == 1
    assert await count(lifecycle.db, "recording_tracks") == 3
    assert content(lifecycle, tea.track_files["Ben"]) == TRACK

    await release(lifecycle, placed)
    assert [each.state for each in await Erasures(lifecycle).due(lifecycle.clock.now_ms())] == ["done"]
    await purge(lifecycle)
    assert await count(lifecycle.db, "recordings") == 0
    assert not lifecycle.files.exists(tea.track_files["Ann"])


@pytest.mark.parametrize("on", ["room", "member", "guest"])
async def test_a_hold_on_a_room_or_a_person_keeps_the_recordings_too(lifecycle: Lifecycle, tea: Made, on: str) -> None:
    """What shows a party to a claim is evidence, even where it shows others."""
    named: dict[str, dict[str, object]] = {
        "room": {"room_id": "room"},
        "member": {"person": member("ann")},
        "guest": {"person": guest("gus-seat")},
    }
    await hold(lifecycle, **named[on])
    pass_days(lifecycle, 91)

    await purge(lifecycle)

    assert await count(lifecycle.db, "recordings") == 1
    assert content(lifecycle, tea.film_file)


async def test_a_film_that_shows_a_held_person_keeps_the_names_of_whom_it_shows(
    lifecycle: Lifecycle, tea: Made
) -> None:
    """Ben's own track may go; the film that shows him beside Ann stays, so it must still lead to him."""
    placed = await hold(lifecycle, person=member("ann"))

    receipt = await erase(lifecycle, member("ben"))

    assert receipt.state == "partial"
    assert not lifecycle.files.exists(tea.track_files["Ben"])
    assert lifecycle.files.exists(tea.film_file)
    assert await count(lifecycle.db, "film_people", lambda c: c.person_id == tea.people["Ben"]) == 1
    await release(lifecycle, placed)
    assert [each.state for each in await Erasures(lifecycle).due(NOW_MS)] == ["done"]
    assert not lifecycle.files.exists(tea.film_file)


async def test_a_deleted_room_takes_its_recordings_along(lifecycle: Lifecycle, tea: Made) -> None:
    """At once, with keys and files, as it does with messages."""
    meetings = Meetings(lifecycle.db, lifecycle.clock, lifecycle.periods)

    await meetings.delete_room("room")
    await remove_pending(lifecycle)

    assert await count(lifecycle.db, "recordings") == 0
    assert list(lifecycle.files.ids()) == []
    assert [key for key, _ in lifecycle.keys.ids() if key in tea.track_files.values()] == []


# time


async def test_the_seat_of_a_guest_stays_as_long_as_the_recording_does(lifecycle: Lifecycle, tea: Made) -> None:
    """The receipt leads through it; a member is found by the account, so theirs goes by its period."""
    await lifecycle.db.work(lambda conn: conn.execute(update(recordings).values(keep_from_ms=NOW_MS + 10 * DAY_MS)))
    pass_days(lifecycle, 95)

    await purge(lifecycle)

    assert await seats(lifecycle) == ["gus-seat"]
    pass_days(lifecycle, 10)
    await purge(lifecycle)
    assert await count(lifecycle.db, "recordings") == 0
    await purge(lifecycle)
    assert await seats(lifecycle) == []


async def seats(lifecycle: Lifecycle) -> list[str]:
    query = select(attendance.c.participant_id).order_by(attendance.c.participant_id)
    return await lifecycle.db.study(lambda conn: list(conn.execute(query).scalars()))


async def test_what_lies_in_the_trash_goes_after_a_week_whatever_is_left_of_its_time(
    lifecycle: Lifecycle, tea: Made
) -> None:
    """Whoever deletes by hand does not mean in three months."""
    await change_recording(lifecycle, tea.id, trashed_at_ms=NOW_MS)
    pass_days(lifecycle, 6)
    await purge(lifecycle)
    assert await count(lifecycle.db, "recordings") == 1

    pass_days(lifecycle, 1)
    await purge(lifecycle)

    assert await count(lifecycle.db, "recordings") == 0
    assert list(lifecycle.files.ids()) == []


async def test_the_period_of_a_consent_begins_when_the_recording_is_gone(lifecycle: Lifecycle, tea: Made) -> None:
    """By whatever way it went; while it is there, the proof of consent stays."""

    def decide(conn: Connection) -> None:
        _consent(conn, tea.id, "ann")
        _consent(conn, "gone-long-ago", "ben")

    def ends(conn: Connection) -> dict[str, int]:
        return {row.object_id: row.keep_from_ms for row in conn.execute(select(consents))}

    await lifecycle.db.work(decide)

    assert await lifecycle.db.work(consent_rows.end_of_gone, NOW_MS) == 1
    assert await lifecycle.db.study(ends) == {tea.id: consent_rows.UNTIL_ENDED_MS, "gone-long-ago": NOW_MS}
    assert await lifecycle.db.work(consent_rows.end_of_gone, NOW_MS + 1) == 0


async def test_the_end_of_a_recording_is_announced_three_times(lifecycle: Lifecycle, tea: Made) -> None:
    """30, 7 and 1 days before, once each, to the host who started it."""
    told = {}
    for days_left in (31, 30, 29, 8, 7, 6, 2, 1, 0):
        pass_days(lifecycle, 90 - days_left - (lifecycle.clock.now_ms() - NOW_MS) // DAY_MS)
        if await announce_endings(lifecycle, "https://meet.example.org/recordings"):
            told[days_left] = await mails(lifecycle)

    assert list(told) == [30, 7, 1]
    assert {to for found in told.values() for to, _ in found} == {"ann@example.org"}
    assert '"days":"7"' in told[7][-1][1].replace(" ", "")
    assert f"https://meet.example.org/recordings/{tea.id}" in told[1][-1][1]


async def test_the_end_of_a_recording_is_announced_in_the_language_that_the_host_chose(
    lifecycle: Lifecycle, tea: Made
) -> None:
    """A warning that is not understood is none."""
    await lifecycle.db.work(lambda conn: conn.execute(update(users).values(language="de")))
    pass_days(lifecycle, 60)

    assert await announce_endings(lifecycle, "u") == 1
    query = select(mail_outbox.c.language)
    assert await lifecycle.db.study(lambda conn: list(conn.execute(query).scalars())) == ["de"]


async def mails(lifecycle: Lifecycle) -> list[tuple[str, str]]:
    query = select(mail_outbox.c.to_address, mail_outbox.c.template_values).order_by(mail_outbox.c.created_at_ms)
    return await lifecycle.db.study(lambda conn: [tuple(row) for row in conn.execute(query)])


async def test_a_period_of_the_room_a_pin_and_the_trash_count_for_announcements(
    lifecycle: Lifecycle, tea: Made
) -> None:
    """A warning of what will not happen is ignored, and with it the next one."""
    await lifecycle.periods.set_room("room", "recording", 5 * DAY_MS, now_ms=NOW_MS, actor="operator")
    pass_days(lifecycle, 4)
    assert await announce_endings(lifecycle, "u") == 1
    await change_recording(lifecycle, tea.id, keep_from_ms=NOW_MS + 200 * DAY_MS)
    assert await announce_endings(lifecycle, "u") == 0
    pass_days(lifecycle, 198)
    await change_recording(lifecycle, tea.id, trashed_at_ms=lifecycle.clock.now_ms())
    assert await announce_endings(lifecycle, "u") == 0
    await change_recording(lifecycle, tea.id, trashed_at_ms=None)
    assert await announce_endings(lifecycle, "u") == 1


async def test_without_the_host_the_owner_of_the_room_is_told(lifecycle: Lifecycle, tea: Made) -> None:
    """Somebody should be able to keep it."""
    await lifecycle.db.work(lambda conn: conn.execute(update(recordings).values(owner_id=None)))
    pass_days(lifecycle, 89)
    assert await announce_endings(lifecycle, "u") == 0

    await lifecycle.db.work(_give_room_to_ben)
    await change_recording(lifecycle, tea.id, warned_days=None)

    assert await announce_endings(lifecycle, "u") == 1
    assert [to for to, _ in await mails(lifecycle)] == ["ben@example.org"]


def _give_room_to_ben(conn: Connection) -> None:
    conn.execute(update(rooms).values(owner_id="ben"))


async def test_the_daily_sweep_announces_ends_and_closes_consents(lifecycle: Lifecycle, tea: Made) -> None:
    """Nobody calls these by hand."""
    await lifecycle.db.work(_consent, "gone-long-ago", "ben")
    pass_days(lifecycle, 84)
    sweeper = Sweeper(lifecycle, recordings_url="https://meet.example.org/recordings", read_clocks=Clocks())

    await sweeper.sweep()

    assert [to for to, _ in await mails(lifecycle)] == ["ann@example.org"]
    assert await count(lifecycle.db, "consents", lambda c: c.keep_from_ms == lifecycle.clock.now_ms()) == 1


# restriction and archives


async def test_what_is_restricted_is_hidden_and_a_film_that_shows_it_too(lifecycle: Lifecycle, tea: Made) -> None:
    """Stored, and nothing else (Article 18); nobody else's tracks are hidden with it."""

    def shown(conn: Connection) -> list[int]:
        def counted(table: Table) -> int:
            query = select(func.count()).select_from(table)
            return conn.execute(query.where(visible(table, lifecycle.periods, NOW_MS))).scalar_one()

        return [counted(table) for table in (recordings, recording_people, recording_tracks, films)]

    assert await lifecycle.db.study(shown) == [1, 3, 3, 1]
    await lifecycle.db.work(
        lambda conn: limits.limit(conn, guest("gus-seat"), limits.RESTRICTION, now_ms=NOW_MS, actor="guest")
    )
    assert await lifecycle.db.study(shown) == [1, 2, 2, 0]
    await lifecycle.db.work(
        lambda conn: limits.limit(conn, member("ben"), limits.RESTRICTION, now_ms=NOW_MS, actor="ben")
    )
    assert await lifecycle.db.study(shown) == [1, 1, 1, 0]


@pytest.mark.parametrize("who", ["Ben", "Gus"])
async def test_an_archive_holds_one_s_own_tracks_by_name_and_no_film(lifecycle: Lifecycle, tea: Made, who: str) -> None:
    """Sound and picture are personal data like any other; a film shows others."""
    person = member("ben") if who == "Ben" else guest("gus-seat")
    archive = await archive_of(lifecycle, person)

    recorded = {path: data for path, data in archive.files.items() if path.startswith("files/")}
    assert list(recorded.values()) == [TRACK]
    (path,) = recorded
    assert path.startswith("files/recordings/2027-01-15 07.50.00 Tea/")
    assert path.endswith(" microphone.mkv")
    withheld = {(each["table"], each["column"]): each["reason"] for each in archive.manifest["withheld"]}
    assert "shows others" in withheld["films", "file_id"]
    assert archive.manifest["failed"] == []
    for other in {"Ann", "Ben", "Gus"} - {who}:
        everything = b"\n".join(data for path, data in archive.files.items() if path.startswith("data/"))
        assert tea.people[other].encode() not in everything
        assert tea.tracks[other].encode() not in everything


async def test_two_tracks_of_one_moment_stand_beside_each_other_in_the_archive(lifecycle: Lifecycle, tea: Made) -> None:
    """Somebody with two devices, or two recordings of one name: no file may take the place of another."""
    seats_of_ben = {"Ben": Seat("ben", "ben-seat"), "Ben's phone": Seat("ben", "ben-phone")}
    await make_recording(lifecycle, "room", "ann", seats_of_ben)
    await lifecycle.db.work(
        lambda conn: conn.execute(
            update(recording_tracks).where(recording_tracks.c.id == tea.tracks["Ben"]).values(state="writing")
        )
    )

    archive = await archive_of(lifecycle, member("ben"))

    recorded = [path for path in archive.files if path.startswith("files/")]
    assert len(set(recorded)) == 2
    assert sum(path.endswith("(2).mkv") for path in recorded) == 1
    assert [each["reason"] for each in archive.manifest["failed"]] == ["unfinished"]


async def test_everybody_whom_a_film_shows_is_led_to(lifecycle: Lifecycle, tea: Made) -> None:
    """The search of the tests above would be blind otherwise."""
    assert await count(lifecycle.db, film_people.name) == 3
    assert await asyncio.to_thread(content, lifecycle, tea.film_file)
