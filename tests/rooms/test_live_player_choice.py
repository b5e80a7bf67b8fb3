"""What a player (WHEP) chose of the picture, from the room to the media server."""

from pymeet.rooms.people import Kind
from pymeet.rooms.viewing import ALL_LINES, Watching
from pymeet.sfu.view import Choice, View
from tests.rooms.conftest import Stage, turn


async def test_a_choice_holds_for_whoever_is_shown_and_for_nobody_else(stage: Stage) -> None:
    """The speaker changes, the size that was asked for does not."""
    bob, _ = await stage.join("Bob")
    carl, _ = await stage.join("Carl")
    for seat in (bob, carl):
        await stage.publish(seat, "camera", "microphone")
    player, _ = await stage.join("Screen in the hall", kind=Kind.PLAYER)
    other, _ = await stage.join("Screen at the door", kind=Kind.PLAYER)
    for seat in (player, other):
        stage.live.play(seat.id, "offer")
    transport = stage.media.subscriber_of(player.id)
    assert {track.owner for track in transport.current} == {bob.id}

    stage.live.watch(player.id, Watching(choice=Choice(rid="m")))
    await turn()
    assert transport.views == dict.fromkeys(bob.sends, View(ALL_LINES, choice=Choice(rid="m")))
    sent = set(carl.sends)
    stage.live.leave(bob.id)
    await turn()
    assert {track.owner for track in transport.current} == {carl.id}
    assert sent <= set(transport.views)

    stage.live.watch(player.id, Watching())
    await turn()
    assert transport.views == {}
    assert stage.media.subscriber_of(other.id).views == {}
