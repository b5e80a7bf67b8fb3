"""How a recording is told: to each their own answer, and nulls where the document promises them."""

import json

from pymeet.rooms.events import MarkerSet, RecordingChanged
from pymeet.rooms.recording import Answer, EndReason, Limit, RecordingState, RecordingWarning
from pymeet.signaling.encoding import encode, message_of

STATE = RecordingState("r1", 1_700, "ann", True, None, {"ann": Answer.YES, "bob": Answer.NO})


def told(event: RecordingChanged, you: str | None) -> dict[str, object]:
    """What this participant reads."""
    message = message_of(event, you=you, heartbeat_s=5.0, re=None)
    assert message is not None
    return json.loads(encode(message))


def test_everybody_is_told_their_own_answer() -> None:
    """The page asks who has not answered, so `you` must be there also when it is null."""
    assert told(RecordingChanged(STATE), "bob") == {
        "type": "recording",
        "recording": {
            "id": "r1",
            "started_at": 1_700,
            "by": "ann",
            "chat": True,
            "keep_until": None,
            "recorded": ["ann"],
            "you": "no",
        },
    }
    assert [told(RecordingChanged(STATE), you)["recording"]["you"] for you in ("ann", "carl")] == ["yes", None]


def test_who_refused_is_told_to_nobody_else() -> None:
    """A refusal looks to others like an answer that has not come."""
    assert "bob" not in json.dumps(told(RecordingChanged(STATE), "ann"))


def test_an_end_says_why() -> None:
    """And `recording` is null, not missing."""
    assert told(RecordingChanged(None, EndReason.DISK), "ann") == {
        "type": "recording",
        "recording": None,
        "reason": "disk",
    }


def test_a_warning_says_which_limit_and_when() -> None:
    """Also when the time is not known."""
    for stops_at in (None, 2_000):
        state = RecordingState("r1", 1, "ann", False, 3, {}, RecordingWarning(Limit.SIZE, stops_at))
        assert told(RecordingChanged(state), "ann")["recording"]["warning"] == {"reason": "size", "stops_at": stops_at}


def test_a_marker_is_told_to_nobody() -> None:
    """It is for those who watch later."""
    assert message_of(MarkerSet("ann", "decided"), you="ann", heartbeat_s=5.0, re=None) is None
