"""From what pages show to what the media server is told, and back to the pages: who sends which sizes, who is withheld."""

import pytest

from pymeet.accounts.model import User
from pymeet.config import Config
from pymeet.errors import NotFoundError
from pymeet.rooms.commands import Spotlight
from pymeet.rooms.events import LayersWanted, PicturesWithheld
from pymeet.rooms.joining import Resume
from pymeet.rooms.people import Source
from pymeet.rooms.seat import Seat
from pymeet.rooms.viewing import CAMERA_LINES, Watching
from pymeet.sfu.events import Wanted
from pymeet.sfu.view import Importance, View
from tests.rooms.conftest import Stage, turn


@pytest.fixture
def config() -> Config:
    return Config.model_validate({"rooms": {"max_participants": 9, "guests_allowed": True, "last_videos": 2}})


async def with_camera(stage: Stage, name: str) -> tuple[Seat, str]:
    """Somebody new who sends a picture, and its track."""
    seat, _ = await stage.join(name)
    await stage.publish(seat, "camera", "microphone")
    return seat, next(track.id for track in seat.sends.values() if track.source == "camera")


async def test_what_a_page_shows_is_told_to_its_connection_and_to_no_other(stage: Stage) -> None:
    """A large tile on one screen must not make anybody else's picture large."""
    _, picture = await with_camera(stage, "Ann")
    bob, _ = await stage.join("Bob")
    cid, _ = await stage.join("Cid")

    stage.live.watch(bob.id, Watching({picture: 720}))
    await turn()

    assert stage.media.subscriber_of(bob.id).views == {picture: View(720, Importance.OTHER)}
    assert stage.media.subscriber_of(cid.id).views == {picture: View(CAMERA_LINES, Importance.OTHER)}
    stage.live.watch(bob.id, Watching({picture: 720, "nothing-like-that": 90}, audio_only=True))
    await turn()
    assert stage.media.subscriber_of(bob.id).views == {picture: View(0, Importance.OTHER)}
    with pytest.raises(NotFoundError):
        stage.live.watch("nobody", Watching())


async def test_a_new_connection_is_told_what_the_old_one_was(stage: Stage) -> None:
    """After a broken path pictures come back in their sizes, without waiting for the page."""
    _, picture = await with_camera(stage, "Ann")
    bob, _ = await stage.join("Bob")
    stage.live.watch(bob.id, Watching({picture: 360}))
    await turn()

    stage.live.restart(bob.id, fresh=True)
    await turn()

    assert len([each for each in stage.media.subscribers if each.owner == bob.id]) == 2
    assert stage.media.subscriber_of(bob.id).views == {picture: View(360, Importance.OTHER)}


async def test_who_speaks_or_is_in_the_spotlight_matters_more(stage: Stage, ann: User) -> None:
    """What bandwidth there is goes to them first."""
    shown, picture = await with_camera(stage, "Shown")
    bob, _ = await stage.join("Bob")

    stage.media.loudness[shown.id] = 110.0
    for _ in range(3):
        stage.clock.advance(0.2)
        stage.live.tick()
    await turn()
    assert stage.media.subscriber_of(bob.id).views[picture].importance is Importance.SPEAKER

    stage.media.loudness[shown.id] = 0.0
    for _ in range(20):
        stage.clock.advance(0.2)
        stage.live.tick()
    await turn()
    assert stage.media.subscriber_of(bob.id).views[picture].importance is Importance.OTHER

    host, _ = await stage.join("Host", user=ann)
    stage.live.ask(host.id, Spotlight(shown.id))
    await turn()
    assert stage.media.subscriber_of(bob.id).views[picture].importance is Importance.PINNED


async def test_pictures_past_the_limit_are_withheld_and_their_receivers_told(stage: Stage) -> None:
    """Who speaks takes a place, and who switches a camera off leaves theirs to somebody else."""
    pictures = {name: await with_camera(stage, name) for name in ("Ann", "Bob", "Cid")}
    dan, ear = await stage.join("Dan")
    await turn()
    assert [each.track_ids for each in ear.of(PicturesWithheld)] == [(pictures["Cid"][1],)]
    assert stage.media.subscriber_of(dan.id).views[pictures["Cid"][1]].height == 0

    stage.media.loudness[pictures["Cid"][0].id] = 110.0
    for _ in range(3):
        stage.clock.advance(0.2)
        stage.live.tick()
    await turn()
    assert ear.of(PicturesWithheld)[-1].track_ids == (pictures["Bob"][1],)

    stage.live.mute(pictures["Ann"][0].id, Source.CAMERA, True)
    await turn()
    assert ear.of(PicturesWithheld)[-1].track_ids == ()


async def test_a_publisher_is_told_which_sizes_are_wanted(stage: Stage) -> None:
    """An encoding that nobody watches warms a lap and empties a battery."""
    ann, ear = await stage.join("Ann")
    _, other = await stage.join("Bob")
    await stage.publish(ann, "camera")
    connection = stage.media.publisher_of(ann.id)

    connection.on_event(Wanted("0", ("l", "m")))
    connection.on_event(Wanted("7", ("l",)))

    assert ear.of(LayersWanted) == [LayersWanted(Source.CAMERA, ("l", "m"))]
    assert other.of(LayersWanted) == []


async def test_who_comes_back_is_told_again_which_sizes_are_wanted(stage: Stage) -> None:
    """It may have changed while nobody listened; a new connection begins with all of them."""
    ann, _ = await stage.join("Ann")
    await stage.publish(ann, "camera")
    stage.media.publisher_of(ann.id).on_event(Wanted("0", ("h",)))

    _, ear = await stage.join("Ann", resume=Resume(ann.token, keep_media=True, last_message=None))
    await stage.publish(ann, "camera")
    assert ear.of(LayersWanted) == [LayersWanted(Source.CAMERA, ("h",))]

    await stage.publish(ann, "camera", sdp="a=fingerprint:2")
    assert len(ear.of(LayersWanted)) == 1
