"""What everybody is told alike is encoded once for all of them; what speaks to each is not."""

import asyncio
import dataclasses
import json

import pytest

from pymeet.rooms import events
from pymeet.rooms.people import Departure, Kind, Participant, Reaction, Role, RoomState, Source, WaitingPerson
from pymeet.rooms.pictures import words_for
from pymeet.rooms.quality import Cause, Grade, Verdict
from pymeet.signaling import session
from pymeet.signaling.encoding import Shared, encode, is_alike, message_of
from tests.signaling.conftest import House

ANN = Participant("ann", "Ann", Role.MEMBER, Kind.BROWSER)

ALIKE = (
    events.ParticipantChanged(ANN),
    events.ParticipantLeft("ann", Departure.LEFT),
    events.SpeakersChanged(("ann",), "ann"),
    events.MessageAdded("m1", "ann", "Ann", "hello", 1),
    events.MessageChanged("m1", None, None),
    events.SourceStopped("ann", Source.CAMERA, "bob"),
    events.StateChanged(RoomState(hands=("ann",))),
    events.Reacted("ann", Reaction.CLAP),
    events.Removed("ann", "Bye."),
    events.Ended("It is over."),
    events.LobbyChanged((WaitingPerson("w1", "Carl", False, 1),)),
    events.Offered(1, True, "v=0", (events.Section("0", "ann", "t1", Source.CAMERA),)),
    events.MediaChanged("publish", "connected"),
    events.LayersWanted(Source.CAMERA, ("l",)),
    events.PicturesWithheld(("t1",)),
    events.QualityChanged((("ann", Verdict(Grade.WEAK, Cause.SENDING)),)),
    events.Closing("The server restarts.", 3),
)


def _text(event: events.Event, you: str | None) -> bytes:
    message = message_of(event, you=you, heartbeat_s=5.0, re="7")
    assert message is not None
    return encode(message)


@pytest.mark.parametrize("event", ALIKE, ids=lambda event: type(event).__name__)
def test_what_is_told_alike_is_the_same_for_everybody(event: events.Event) -> None:
    """Else one of them would read what was meant for another."""
    assert is_alike(event)
    assert {_text(event, you) for you in ("ann", "bob", None)} == {Shared().text(event)}


def test_by_which_words_a_picture_is_asked_for_is_told_to_each_alone() -> None:
    """With words that are the same for all, somebody who was removed could go on looking."""
    event = events.ParticipantChanged(dataclasses.replace(ANN, picture="secret"))

    assert not is_alike(event)
    told = [json.loads(_text(event, you))["participant"]["picture"] for you in ("b" * 22, "c" * 22)]
    assert told == [words_for("secret", "b" * 22), words_for("secret", "c" * 22)]


def test_one_event_after_the_other_is_each_told_as_it_is() -> None:
    """What is kept is never taken for another event, also not for one that only looks like it."""
    shared = Shared()
    hello, again = (events.MessageAdded(f"m{i}", "ann", "Ann", "hello", 1) for i in (1, 2))

    told = [shared.text(event) for event in (hello, hello, again, hello)]

    assert told == [_text(event, None) for event in (hello, hello, again, hello)]
    assert told[0] is told[1]


async def test_what_people_wrote_is_not_kept_when_everybody_was_told(house: House) -> None:
    """A message that is deleted must not stay in memory until somebody says something else."""
    ann, _ = await house.enter("Ann")
    bob, _ = await house.enter("Bob")

    await ann.send(type="chat", text="hello")
    for each in (ann, bob):
        assert (await each.until("chat"))["message"]["text"] == "hello"
    await asyncio.sleep(0)

    assert session._shared.is_empty
