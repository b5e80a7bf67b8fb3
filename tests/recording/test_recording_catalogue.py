"""Who may do what with a recording, and what the catalogue makes of rows as time goes by."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.support.migrated import prepare
from tests.support.recordings import LASTS_MS, Made, Seat, change_recording, make_recording

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db.schema import audit_events, recordings
from pymeet.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from pymeet.ops.operations import run
from pymeet.ops.services import Services, open_services
from pymeet.recording.access import MAY, Asker, Standing, Verb, check, may
from pymeet.recording.catalogue import Catalogue
from pymeet.recording.names import film_name, safe, track_name, track_type
from pymeet.retention import days


@dataclass
class Scene:
    """A clock, members by name, and one recording."""

    services: Services
    clock: ManualClock
    catalogue: Catalogue
    askers: dict[str, Asker]
    made: Made


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Ada owns the room, Bob hosts and records, Cleo is in it, Dora is not."""
    clock = ManualClock()
    prepare(tmp_path / "data" / "pymeet.db")
    async with open_services(Config(data_dir=tmp_path / "data"), clock) as services:
        askers = {}
        for name in ("Ada", "Bob", "Cleo", "Dora"):
            added = await run(services, "user.add", {"name": name, "email": f"{name.lower()}@example.org"})
            askers[name] = Asker(user_id=added["id"])
        await run(services, "room.create", {"name": "Tea", "slug": "tea-time", "owner": "ada@example.org"})
        seats = {name: Seat(askers[name].user_id) for name in ("Bob", "Cleo")}
        made = await make_recording(services.lifecycle, "tea-time", askers["Bob"].user_id, seats)
        yield Scene(services, clock, Catalogue(services.lifecycle), askers, made)


def test_the_table_says_what_was_promised_to_people() -> None:
    """The same words stand in the question that everybody is asked before they are recorded."""
    everything = frozenset(Verb)
    watch = {Verb.SEE, Verb.VIEW, Verb.TRACKS, Verb.DOWNLOAD}

    assert MAY[Standing.OWNER] == MAY[Standing.OPERATOR] == everything
    assert MAY[Standing.RECORDED] == watch | {Verb.VIEWS}
    assert MAY[Standing.SHARED] == watch
    assert MAY[Standing.LINK] == {Verb.VIEW}
    assert MAY[Standing.ADMIN] == {Verb.SEE, Verb.DELETE, Verb.RESTORE}
    assert set(MAY) == set(Standing)


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("standing", [None, *Standing])
@pytest.mark.parametrize(("running", "trashed"), [(False, False), (True, False), (False, True)])
def test_every_no_says_no_more_than_the_asker_may_know(
    standing: Standing | None, verb: Verb, running: bool, trashed: bool
) -> None:
    """404 for whoever may not know of it, 403 for never, 409 for not now."""
    standings = [] if standing is None else [standing]
    allowed = may(standings, running=running, trashed=trashed)

    if verb in allowed:
        check(standings, verb, running=running, trashed=trashed)
        return
    with pytest.raises((NotFoundError, NotAllowedError, ConflictError)) as refused:
        check(standings, verb, running=running, trashed=trashed)

    unknown = standing is None or (trashed and standing in (Standing.SHARED, Standing.LINK))
    assert isinstance(refused.value, NotFoundError) is unknown
    if not unknown:
        never = standing is not None and verb not in MAY[standing]
        assert isinstance(refused.value, NotAllowedError) is never


def test_nobody_watches_what_is_running_or_in_the_trash() -> None:
    """Not even its owner: files are being written, or on their way out."""
    for standing in Standing:
        for running, trashed in ((True, False), (False, True)):
            assert not may([standing], running=running, trashed=trashed) & {Verb.VIEW, Verb.TRACKS, Verb.DOWNLOAD}


def test_what_somebody_is_twice_adds_up() -> None:
    """An administrator who is in a recording watches it."""
    both = may([Standing.ADMIN, Standing.RECORDED], running=False, trashed=False)

    assert {Verb.DELETE, Verb.VIEW, Verb.VIEWS} <= both
    assert Verb.SHARE not in both


async def test_host_and_room_owner_own_it_alike(scene: Scene) -> None:
    """And who is in it, or nowhere, is just that."""
    found = {name: await scene.catalogue.listed(asker) for name, asker in scene.askers.items()}

    standings = {name: [set(each.standings) for each in entries] for name, entries in found.items()}
    assert standings == {
        "Ada": [{Standing.OWNER}],
        "Bob": [{Standing.OWNER, Standing.RECORDED}],
        "Cleo": [{Standing.RECORDED}],
        "Dora": [],
    }


async def test_it_is_hidden_in_the_millisecond_in_which_its_time_is_over(scene: Scene) -> None:
    """Ninety days after its end, unless a room has a time of its own."""
    bob = scene.askers["Bob"]
    scene.clock.advance(90 * 86_400 - 1)
    assert len(await scene.catalogue.listed(bob)) == 1

    scene.clock.advance(1)

    assert await scene.catalogue.listed(bob) == []
    with pytest.raises(NotFoundError):
        await scene.catalogue.one(bob, scene.made.id)


async def test_a_room_with_a_longer_time_keeps_its_recordings_longer(scene: Scene) -> None:
    """And says so."""
    await run(scene.services, "room.retention", {"slug": "tea-time", "name": "recording", "period": "200d"})
    entry = await scene.catalogue.one(scene.askers["Bob"], scene.made.id)

    assert entry.delete_at_ms == scene.clock.now_ms() + days(200)
    scene.clock.advance(100 * 86_400)
    assert len(await scene.catalogue.listed(scene.askers["Bob"])) == 1


async def test_a_pinned_recording_lives_exactly_as_long_as_was_asked(scene: Scene) -> None:
    """To the millisecond, and not beyond the longest time there is."""
    bob, catalogue = scene.askers["Bob"], scene.catalogue
    ended_at_ms = scene.clock.now_ms()
    until_ms = ended_at_ms + days(400)
    await catalogue.pin(bob, scene.made.id, until_ms)

    scene.clock.advance(400 * 86_400 - 1)
    entry = await catalogue.one(bob, scene.made.id)
    assert (entry.pinned_until_ms, entry.delete_at_ms) == (until_ms, until_ms)
    assert entry.pin_limit_ms == ended_at_ms + days(3650)
    with pytest.raises(InvalidInputError, match="at the latest"):
        await catalogue.pin(bob, scene.made.id, ended_at_ms + days(3650) + 1)
    with pytest.raises(ConflictError):
        await catalogue.pin(bob, scene.made.id, None)

    scene.clock.advance(1)
    assert await catalogue.listed(bob) == []


async def test_a_new_day_is_warned_of_anew(scene: Scene) -> None:
    """Who was told of the old one must hear of the other."""
    await change_recording(scene.services.lifecycle, scene.made.id, warned_days=7)
    await scene.catalogue.pin(scene.askers["Bob"], scene.made.id, scene.clock.now_ms() + days(100))

    async with scene.services.db.read() as conn:
        assert (await conn.execute(select(recordings.c.warned_days))).scalar_one() is None


async def test_the_trash_has_a_day_of_its_own(scene: Scene) -> None:
    """The earlier of both counts."""
    bob = scene.askers["Bob"]
    await scene.catalogue.trash(bob, scene.made.id)
    assert (await scene.catalogue.one(bob, scene.made.id)).delete_at_ms == scene.clock.now_ms() + days(7)

    scene.clock.advance(7 * 86_400)

    assert await scene.catalogue.listed(bob, trash=True) == []
    with pytest.raises(NotFoundError):
        await scene.catalogue.restore(bob, scene.made.id)


async def test_two_seats_of_one_member_are_one_person(scene: Scene) -> None:
    """Who lost the connection and came back is not two people."""
    cleo = scene.askers["Cleo"]
    made = await make_recording(
        scene.services.lifecycle,
        "tea-time",
        cleo.user_id,
        {"Cleo": Seat(cleo.user_id), "Cleo again": Seat(cleo.user_id), "Guest": Seat(), "Guest 2": Seat()},
    )

    entry = await scene.catalogue.one(cleo, made.id)

    assert [[seat.name for seat in seats] for seats in entry.persons] == [
        ["Cleo", "Cleo again"],
        ["Guest"],
        ["Guest 2"],
    ]
    assert entry.duration_ms == LASTS_MS


async def test_every_change_stands_in_the_audit_log(scene: Scene) -> None:
    """With ids and fixed words only."""
    bob, catalogue = scene.askers["Bob"], scene.catalogue
    await catalogue.rename(bob, scene.made.id, "A secret name")
    await catalogue.pin(bob, scene.made.id, scene.clock.now_ms() + days(100))
    await catalogue.pin(bob, scene.made.id, None)
    await catalogue.trash(bob, scene.made.id)
    await catalogue.restore(bob, scene.made.id)
    await catalogue.delete_film(bob, scene.made.id, scene.made.film)

    async with scene.services.db.read() as conn:
        events = (await conn.execute(select(audit_events).order_by(audit_events.c.sequence))).mappings().all()

    assert [each["action"] for each in events][-6:] == [
        "recording.renamed",
        "recording.pinned",
        "recording.unpinned",
        "recording.trashed",
        "recording.restored",
        "film.deleted",
    ]
    assert "secret" not in str([dict(each) for each in events])


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ("Tea", "Tea"),
        ("../../x", "x"),
        ("a\x00b\nc", "a b c"),
        ("...", "recording"),
        ("", "recording"),
        ("\u202egpj.exe", "gpj.exe"),
        ("x" * 300, "x" * 80),
        ('a<b>c:d"e|f?g*h', "a b c d e f g h"),
    ],
)
def test_a_name_of_a_file_is_harmless_everywhere(typed: str, made: str) -> None:
    """On Windows too."""
    assert safe(typed) == made


def test_endings_and_types_fit_what_is_in_a_track() -> None:
    """A browser plays what is called WebM; H.264 in Matroska is not."""
    assert film_name("Tea", 0, "mp4") == "Tea 1970-01-01.mp4"
    assert track_name("Tea", 0, "Ada", "camera", 1) == "Tea 1970-01-01 Ada camera 1.mkv"
    assert track_name("Tea", 0, "Ada", "screen_audio", 2).endswith(".mka")
    assert track_type("microphone", "opus") == "audio/webm"
    assert track_type("camera", "VP8") == "video/webm"
    assert track_type("screen", "h264") == "video/x-matroska"
