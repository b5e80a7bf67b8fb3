"""Whatever a client sends, the parser returns a message or raises ProtocolError, and nothing else."""

import json
import os
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pymeet.errors import ProtocolError
from pymeet.signaling import messages
from pymeet.signaling.parsing import FRAME_LIMIT, id_of, parse

EXAMPLES = int(os.environ.get("PYMEET_FUZZ_EXAMPLES", "150"))
"""`make fuzz` sets more."""

GOOD: list[dict[str, Any]] = [
    {"type": "join", "v": 1, "name": "Bob", "id": "1"},
    {"type": "join", "v": 1, "name": "Bob", "resume": {"token": "t", "media": "keep", "last_message": "m"}},
    {"type": "publish", "sdp": "v=0", "tracks": [{"mid": "0", "source": "camera", "muted": False}]},
    {"type": "subscribed", "offer": 1, "sdp": "v=0"},
    {"type": "join", "v": 1, "name": "Bob", "recording": {"id": "r", "answer": "yes", "language": "de-CH"}},
    {"type": "restart"},
    {"type": "restart", "media": "new"},
    {"type": "mute", "source": "screen_audio", "muted": True},
    {"type": "view", "tiles": [{"track": "t", "height": 360}, {"track": "u", "height": 0, "pinned": True}]},
    {"type": "view", "tiles": [], "audio_only": True},
    {"type": "figures"},
    {"type": "chat", "text": "hello 👋"},
    {"type": "remove", "participant": "p"},
    {"type": "end"},
    {"type": "record", "on": True, "chat": True},
    {"type": "record", "on": False},
    {"type": "consent", "recording": "r", "answer": "no"},
    {"type": "consent", "recording": "r", "answer": "yes", "language": "en"},
    {"type": "marker"},
    {"type": "marker", "text": "decided"},
    {"type": "ping"},
    {"type": "leave"},
]


@pytest.mark.parametrize("message", GOOD, ids=lambda m: m["type"])
def test_every_message_of_the_document_is_read(message: dict[str, Any]) -> None:
    """The other tests would pass with a parser that refuses everything."""
    parsed = parse(json.dumps(message))

    assert isinstance(parsed, messages.Request)
    assert parsed.model_dump(exclude_unset=True) == message


BAD = {
    "nothing": "",
    "no JSON": "hello",
    "no object": '["join"]',
    "a number": "1",
    "no type": "{}",
    "unknown type": '{"type":"admin"}',
    "a type that is no text": '{"type":{"a":1}}',
    "unknown field": '{"type":"ping","from":"ann"}',
    "forged sender": '{"type":"chat","text":"hi","participant":"ann"}',
    "missing field": '{"type":"chat"}',
    "a duplicate key": '{"type":"chat","text":"a","text":"b"}',
    "a duplicate type": '{"type":"ping","type":"end"}',
    "a duplicate key within": '{"type":"join","v":1,"name":"a","resume":{"token":"a","token":"b","media":"keep"}}',
    "a number for text": '{"type":"chat","text":1}',
    "text for a number": '{"type":"subscribed","offer":"1","sdp":"x"}',
    "a number for a boolean": '{"type":"mute","source":"camera","muted":1}',
    "a boolean for a number": '{"type":"subscribed","offer":true,"sdp":"x"}',
    "another version": '{"type":"join","v":2,"name":"a"}',
    "a fraction": '{"type":"subscribed","offer":1.5,"sdp":"x"}',
    "a negative number": '{"type":"subscribed","offer":-1,"sdp":"x"}',
    "a huge number": '{"type":"subscribed","offer":1' + "0" * 5000 + ',"sdp":"x"}',
    "not a number": '{"type":"subscribed","offer":NaN,"sdp":"x"}',
    "infinity": '{"type":"subscribed","offer":Infinity,"sdp":"x"}',
    "infinity in digits": '{"type":"subscribed","offer":1e999,"sdp":"x"}',
    "half a surrogate pair": '{"type":"chat","text":"\\ud83d"}',
    "a surrogate as it is": '{"type":"chat","text":"\ud83d"}',
    "half a surrogate pair in a key": '{"type":"ping","\\ud83d":1}',
    "empty text": '{"type":"chat","text":""}',
    "long text": json.dumps({"type": "chat", "text": "x" * 4001}),
    "a long name": json.dumps({"type": "join", "v": 1, "name": "x" * 61}),
    "a long id": json.dumps({"type": "ping", "id": "x" * 41}),
    "another source": '{"type":"mute","source":"desktop","muted":true}',
    "another answer": '{"type":"consent","recording":"r","answer":"maybe"}',
    "no answer": '{"type":"consent","recording":"r"}',
    "a language that is none": '{"type":"consent","recording":"r","answer":"yes","language":"en <b>"}',
    "somebody else's answer": '{"type":"consent","recording":"r","answer":"yes","participant":"ann"}',
    "a long marker": json.dumps({"type": "marker", "text": "x" * 81}),
    "one mid twice": json.dumps(
        {
            "type": "publish",
            "sdp": "x",
            "tracks": [{"mid": "0", "source": s, "muted": False} for s in ("camera", "screen")],
        }
    ),
    "one source twice": json.dumps(
        {"type": "publish", "sdp": "x", "tracks": [{"mid": m, "source": "camera", "muted": False} for m in "01"]}
    ),
    "many tracks": json.dumps(
        {
            "type": "publish",
            "sdp": "x",
            "tracks": [{"mid": str(m), "source": "camera", "muted": False} for m in range(999)],
        }
    ),
    "a deep list": "[" * 100_000,
    "a deep list that ends": "[" * 100_000 + "]" * 100_000,
    "a deep object": '{"type":' * 30_000,
    "a deep field": '{"type":"chat","text":' + "[" * 100_000 + "]" * 100_000 + "}",
    "a frame that is too long": '{"type":"ping"}' + " " * FRAME_LIMIT,
    "a frame that is too long in bytes": json.dumps({"type": "ping", "id": "é" * FRAME_LIMIT}, ensure_ascii=False)[
        :FRAME_LIMIT
    ],
    "a null character beside JSON": '{"type":"ping"}\0',
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_is_not_in_the_document_is_refused(text: str) -> None:
    """With the one error that closes that one connection."""
    with pytest.raises(ProtocolError) as refused:
        parse(text)

    assert type(refused.value) is ProtocolError
    assert len(refused.value.message) < 300


def test_an_error_does_not_repeat_what_was_sent() -> None:
    """Errors may reach a log, and chats and names are personal."""
    for text in (
        '{"type":"chat","text":["my secret"]}',
        '{"type":"my secret"}',
        '{"type":"ping","my secret":1}',
        '{"my secret":1,"my secret":2}',
    ):
        with pytest.raises(ProtocolError) as refused:
            parse(text)
        assert "secret" not in refused.value.message


def test_the_id_of_a_bad_message_is_found_where_it_can_be() -> None:
    """So that the client can tell which of its messages was refused."""
    assert id_of('{"type":"nonsense","id":"7"}') == "7"
    assert id_of('{"id":7}') is None
    assert id_of('{"id":"' + "x" * 41 + '"}') is None
    assert id_of('{"id":"\\ud83d"}') is None
    assert id_of("[" * 100_000) is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_names = st.sampled_from(sorted({name for message in GOOD for name in message}))


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """A good message with some fields put wrong, and then perhaps cut or spliced."""
    message = dict(draw(st.sampled_from(GOOD)))
    for name in draw(st.lists(_names, max_size=3)):
        message[name] = draw(_json)
    text = json.dumps(message)
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.text(max_size=3)) + text[at + draw(st.integers(0, 3)) :]


def _only_protocol_errors(text: str) -> None:
    try:
        message = parse(text)
    except ProtocolError:
        id_of(text)
        return
    # what was accepted can be written, stored and sent on
    message.model_dump_json().encode()


@settings(max_examples=EXAMPLES, deadline=None)
@given(_mutated())
@example('{"type":"ping","id":null}')
def test_mutated_messages_raise_nothing_else(text: str) -> None:
    """Near misses reach the depths of the parser."""
    _only_protocol_errors(text)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.text(st.characters(exclude_categories=())) | _json.map(json.dumps))
def test_random_texts_raise_nothing_else(text: str) -> None:
    """So does what has no resemblance to a message."""
    _only_protocol_errors(text)
