"""In a large room only the loudest microphones are forwarded: what a live room tells the media server."""

import pytest

from pymeet.config import Config
from pymeet.rooms.people import Source
from pymeet.rooms.seat import Seat
from tests.rooms.conftest import Stage
from tests.rooms.fake_media import FakeTrack


@pytest.fixture
def config() -> Config:
    return Config.model_validate({"rooms": {"max_participants": 9, "guests_allowed": True, "last_voices": 2}})


async def with_microphone(stage: Stage, name: str) -> tuple[Seat, FakeTrack]:
    """Somebody new who can be heard, and shares a screen with sound."""
    seat, _ = await stage.join(name)
    await stage.publish(seat, "microphone", "screen_audio")
    return seat, stage.media.publisher_of(seat.id).tracks["0"]


async def test_a_microphone_past_the_limit_has_no_place_until_another_is_switched_off(stage: Stage) -> None:
    """Muted ones take none, and the sound of a shared screen is not somebody's voice."""
    (ann, anns), (_, bobs), (_, cids) = [await with_microphone(stage, name) for name in ("Ann", "Bob", "Cid")]
    stage.live.tick()
    assert [each.withheld for each in (anns, bobs, cids)] == [False, False, True]

    stage.live.mute(ann.id, Source.MICROPHONE, True)
    stage.live.tick()
    assert [each.withheld for each in (anns, bobs, cids)] == [False, False, False]

    stage.live.mute(ann.id, Source.MICROPHONE, False)
    stage.live.tick()
    assert [each.withheld for each in (anns, bobs, cids)] == [True, False, False]
    assert not any(t.tracks["1"].withheld for t in stage.media.publishers)


async def test_a_microphone_that_leaves_gives_its_place_away(stage: Stage) -> None:
    """The room is as full as the people in it, not as the people who were."""
    (ann, _), _, (_, cids) = [await with_microphone(stage, name) for name in ("Ann", "Bob", "Cid")]
    stage.live.tick()
    assert cids.withheld

    stage.live.leave(ann.id)
    stage.live.tick()

    assert not cids.withheld


async def test_a_microphone_without_levels_is_always_forwarded(stage: Stage) -> None:
    """An encoder that does not say how loud it is must not be silenced for that, nor take a place for ever."""
    _, track = await with_microphone(stage, "Encoder")
    track.has_levels = False
    voices = [await with_microphone(stage, name) for name in ("Ann", "Bob")]

    stage.live.tick()

    assert not track.withheld
    assert not any(each.withheld for _, each in voices)
