"""Clients that misbehave (CVE class 22): they are told why and cut off, and nobody else notices."""

import asyncio
import contextlib
import json

import pytest

from pymeet.rooms.events import MessageAdded
from pymeet.signaling.outbox import MESSAGES_LIMIT
from pymeet.signaling.parsing import FRAME_LIMIT
from tests.signaling.conftest import Client, House


async def unharmed(client: Client) -> None:
    """Somebody else in the room goes on as if nothing were."""
    assert (await client.ask(type="ping"))["type"] == "pong"


HOSTILE = {
    "no JSON": "hello",
    "deep JSON": "[" * 100_000,
    "a deep field": '{"type":"chat","text":' + "[" * 100_000 + "]" * 100_000 + "}",
    "a duplicate key": '{"type":"chat","text":"a","text":"b"}',
    "an unknown type": '{"type":"admin"}',
    "a huge number": '{"type":"subscribed","sdp":"x","offer":' + "9" * 10_000 + "}",
    "half a surrogate pair": '{"type":"chat","text":"\\udc00"}',
    "a frame that is too large": json.dumps({"type": "chat", "text": "x" * FRAME_LIMIT}),
    "a chat that is too long": json.dumps({"type": "chat", "text": "x" * 4_001}),
}


@pytest.mark.parametrize("joined", [True, False], ids=["joined", "not joined"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_nonsense_is_answered_and_the_connection_closed(house: House, text: str, joined: bool) -> None:
    """With 4400, and the seat is gone at once."""
    ann, _ = await house.enter("Ann")
    client = (await house.enter("Mallory"))[0] if joined else await house.connect()

    await client.socket.send_str(text)

    assert await client.closed() == 4400
    assert (client.passed[-1]["type"], client.passed[-1]["code"]) == ("error", "protocol_error")
    if joined:
        assert (await ann.until("participant_left"))["reason"] == "lost"
    await unharmed(ann)


async def test_a_binary_frame_is_a_protocol_error(house: House) -> None:
    """Everything is text here."""
    client, _ = await house.enter("Mallory")

    await client.socket.send_bytes(b'{"type":"ping"}')

    assert await client.closed() == 4400


async def test_a_frame_beyond_all_measure_is_not_even_read(house: House) -> None:
    """The server does not collect it in memory: 1009."""
    ann, _ = await house.enter("Ann")
    client, _ = await house.enter("Mallory")

    with contextlib.suppress(ConnectionError):
        await client.socket.send_str("x" * (2 * 1024 * 1024))

    assert await client.closed() in (1009, 1006)  # the client may notice while it is still sending
    await unharmed(ann)


async def test_a_flood_cuts_off_only_the_one_who_floods(house: House) -> None:
    """1,000 messages at once: errors first, then 4429; the others' messages go through meanwhile."""
    ann, _ = await house.enter("Ann")
    mallory, mallory_id = await house.enter("Mallory")

    with contextlib.suppress(ConnectionError):
        for number in range(1_000):
            await mallory.send(type="ping", id=str(number))
    assert (await ann.ask(type="chat", text="I am not disturbed"))["type"] == "ok"

    assert await mallory.closed() in (4429, 1006)
    kinds = [m["type"] for m in mallory.passed]
    assert kinds.count("pong") == 59  # the burst of 60 but for `join`
    assert {m["code"] for m in mallory.passed if m["type"] == "error"} == {"too_many"}
    await unharmed(ann)
    assert [m["participant"] for m in ann.passed if m["type"] == "participant_left"] == [mallory_id]


async def test_too_much_chat_is_refused_with_the_id_of_the_message(house: House) -> None:
    """The page can offer to send it again; nothing of it was stored."""
    bob, _ = await house.enter("Bob")

    for number in range(12):
        await bob.send(type="chat", text=f"{number}", id=str(number))
    await bob.ask(type="restart")

    answers = {m["re"]: m for m in bob.passed if m.get("re", "q") not in ("q",)}
    assert {a["type"] for n, a in answers.items() if int(n) < 10} == {"ok"}
    assert {answers[n]["code"] for n in ("10", "11")} == {"too_many"}
    assert len(await house.meetings.messages(house.rooms["standup"].id)) == 10


async def test_a_camera_that_flickers_does_not_keep_everybody_busy(house: House) -> None:
    """Each change is an offer to each of the others; past a burst it is refused, and what was sent before stays."""
    ann, _ = await house.enter("Ann")
    mallory, mallory_id = await house.enter("Mallory")
    track = {"mid": "0", "source": "camera", "muted": False}

    answers = [
        await mallory.ask(type="publish", sdp="offer", tracks=[track] if number % 2 else []) for number in range(12)
    ]
    restart = await mallory.ask(type="restart", media="new")

    assert [answer["type"] for answer in answers] == ["published"] * 10 + ["error"] * 2
    assert {answers[10]["code"], restart["code"]} == {"too_many"}
    assert not house.media.publisher_of(mallory_id).closed
    await unharmed(ann)


async def test_a_flood_of_pings_is_a_flood(house: House) -> None:
    """Control frames cost work as well."""
    client, _ = await house.enter("Mallory")

    with contextlib.suppress(ConnectionError):
        for _ in range(500):
            await client.socket.ping(b"x")

    assert await client.closed() in (4429, 1006)


async def test_a_client_that_does_not_read_is_cut_off_and_others_are_not_slowed(house: House) -> None:
    """4408: its queue is bounded, and what others do never waits for it."""
    ann, _ = await house.enter("Ann")
    deaf = await house.connect()
    joined = await deaf.join("Deaf")
    live = house.registry.live("standup")
    seat = live.seat(joined["you"])
    connection = seat.listener
    deaf.pause_reading()

    sent = 0
    while seat.listener is not None:
        # the kernel's buffers take some megabytes before the queue fills
        assert sent < 20 * MESSAGES_LIMIT
        seat.send(MessageAdded(str(sent), "p", "Name", "x" * 4_000, 0))
        sent += 1
        if sent % 100 == 0:
            await unharmed(ann)
    async with asyncio.timeout(5):
        await connection.wait_closed()

    assert [p.connection.value for p in live.participants] == ["connected", "reconnecting"]
    await unharmed(ann)
    await deaf.drop()
    again = await house.connect()
    assert (await again.join("Deaf", resume={"token": joined["resume"], "media": "keep"}))["resumed"] is True


async def test_somebody_who_hangs_up_in_the_middle_of_joining_leaves_no_ghost(house: House) -> None:
    """The seat is held for a minute like any other, and then gone."""
    ann, _ = await house.enter("Ann")
    for _ in range(5):
        client = await house.connect()
        await client.send(type="join", v=1, name="Ghost")
        await client.drop()

    # each ghost is either connected first and then lost, or never came
    async with asyncio.timeout(10):
        while house.registry.counts()["connections"] > 1:
            await ann.ask(type="ping")
            house.clock.advance(0.2)
    house.clock.advance(60)
    house.registry.tick()

    assert [p.name for p in house.registry.live("standup").participants] == ["Ann"]


async def test_messages_after_the_end_are_not_done(house: House) -> None:
    """What is pipelined behind a `leave` or behind nonsense has no effect."""
    client, _ = await house.enter("Mallory")

    await client.send(type="leave")
    await client.send(type="chat", text="from the grave")
    await client.closed()

    assert await house.meetings.messages(house.rooms["standup"].id) == []


async def test_the_connection_is_not_compressed(house: House) -> None:
    """A small frame that unpacks to a large one would cheat every limit."""
    client = await house.connect(compress=15)

    assert client.socket.compress == 0
