"""A meeting over real WebSockets: joining, media, chat, leaving, the host's rights, and the server going away."""

import asyncio
from typing import Any

import pytest

from pymeet.config import Config
from tests.signaling.conftest import Client, House

TRACKS = [
    {"mid": "0", "source": "microphone", "muted": False},
    {"mid": "1", "source": "camera", "muted": False},
]


async def test_two_people_meet(house: House) -> None:
    """The whole path once: join, publish, be offered, answer, mute, chat, leave."""
    ann = await house.connect(user="ann")
    joined = await ann.join("Ann")
    assert joined["type"] == "joined"
    assert (joined["v"], joined["role"], joined["resumed"]) == (1, "host", False)
    assert joined["room"] == {"slug": "standup", "name": "Standup"}
    assert joined["participants"] == [
        {"id": joined["you"], "name": "Ann", "role": "host", "kind": "browser", "connection": "connected", "tracks": []}
    ]
    assert (joined["heartbeat_s"], joined["seat_s"]) == (20.0, 60)
    bob, bob_id = await house.enter("Bob")
    assert (await ann.until("participant"))["participant"]["id"] == bob_id

    assert (await bob.ask(type="publish", sdp="offer", tracks=TRACKS))["sdp"] == "answer to offer"
    told = await ann.until("participant")
    assert [t["source"] for t in told["participant"]["tracks"]] == ["microphone", "camera"]
    offer = await ann.until("offer")
    assert [(t["mid"], t["participant"], t["source"]) for t in offer["tracks"]] == [
        ("0", bob_id, "microphone"),
        ("1", bob_id, "camera"),
    ]
    assert offer["fresh"] is True
    assert (await ann.ask(type="subscribed", offer=offer["offer"], sdp="answer"))["type"] == "ok"
    assert (await ann.ask(type="restart"))["type"] == "ok"
    assert (await ann.until("offer"))["fresh"] is False

    assert (await bob.ask(type="mute", source="camera", muted=True))["type"] == "ok"
    assert (await ann.until("participant"))["participant"]["tracks"][1]["muted"] is True

    assert (await bob.ask(type="chat", text="hello"))["type"] == "ok"
    message = (await ann.until("chat"))["message"]
    assert (message["participant"], message["name"], message["text"]) == (bob_id, "Bob", "hello")

    await bob.send(type="leave")
    assert await bob.closed() == 1000
    assert await ann.until("participant_left") == {"type": "participant_left", "participant": bob_id, "reason": "left"}


async def test_an_answer_is_sent_only_where_one_is_asked_for(house: House) -> None:
    """Without an id there is nothing an `ok` could be assigned to; errors are told all the same."""
    bob, _ = await house.enter("Bob")

    await bob.send(type="mute", source="camera", muted=True)
    await bob.send(type="restart")
    await bob.send(type="ping")

    # a pong does not wait for what is being done
    answers = [await bob.receive() for _ in range(2)]
    assert sorted(answer["type"] for answer in answers) == ["error", "pong"]
    assert (await bob.ask(type="ping"))["type"] == "pong"


async def test_a_bad_description_is_answered_and_nothing_else_happens(house: House) -> None:
    """A codec that the server does not know must not end the meeting for that person."""
    bob, _ = await house.enter("Bob")

    error = await bob.ask(type="publish", sdp="bad", tracks=TRACKS)

    assert (error["type"], error["code"]) == ("error", "bad_description")
    assert (await bob.ask(type="ping"))["type"] == "pong"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "mute", "source": "camera", "muted": True}, "not_found"),
        ({"type": "remove", "participant": "somebody"}, "not_found"),
        ({"type": "chat", "text": " \n "}, "invalid_input"),
    ],
)
async def test_errors_have_the_codes_of_the_document(house: House, message: dict[str, Any], code: str) -> None:
    """And the connection goes on."""
    ann, _ = await house.enter("Ann", user="ann")

    error = await ann.ask(**message)

    assert (error["type"], error["code"]) == ("error", code)
    assert (await ann.ask(type="ping"))["type"] == "pong"


async def test_a_fault_of_the_server_is_told_without_details(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong stands in the log, not on the wire."""
    bob, _ = await house.enter("Bob")

    async def full_disk(*_: object) -> None:
        raise OSError("no space left on /var/secret/path")

    monkeypatch.setattr(house.meetings, "add_message", full_disk)

    error = await bob.ask(type="chat", text="hello")

    assert error["code"] == "internal"
    assert "secret" not in error["message"]
    assert (await bob.ask(type="ping"))["type"] == "pong"


async def test_a_host_removes_a_guest_who_cannot_come_back_with_the_token(house: House) -> None:
    """CVE class 12."""
    ann, _ = await house.enter("Ann", user="ann")
    bob = await house.connect()
    joined = await bob.join("Bob")
    await bob.ask(type="publish", sdp="offer", tracks=TRACKS)

    assert (await ann.ask(type="remove", participant=joined["you"]))["type"] == "ok"

    assert await bob.closed() == 4410
    assert bob.passed[-1]["type"] == "removed"
    assert house.media.publisher_of(joined["you"]).closed
    again = await house.connect()
    refused = await again.join("Bob", resume={"token": joined["resume"], "media": "keep"})
    assert (refused["type"], refused["code"]) == ("error", "not_allowed")
    assert await again.closed() == 4403


async def test_a_host_ends_the_meeting_for_everybody(house: House) -> None:
    """Also for those who are reconnecting."""
    ann, _ = await house.enter("Ann", user="ann")
    bob, _ = await house.enter("Bob")

    await ann.send(type="end")

    for client in (ann, bob):
        assert await client.closed() == 4410
        assert client.passed[-1]["type"] == "ended"
    assert house.registry.people("standup") == 0


async def test_a_server_that_goes_away_says_so_and_closes_within_two_seconds(house: House) -> None:
    """Browsers come back by themselves after `retry_s`; those that have not joined are closed as well."""
    bob, _ = await house.enter("Bob")
    waiting = await house.connect()
    deaf = await house.connect()  # does not read, so it does not answer the goodbye in time

    reading = asyncio.gather(bob.closed(), waiting.closed())
    async with asyncio.timeout(3):
        await house.registry.close("The server restarts.", 3)

    assert await reading == [1001, 1001]
    for client in (bob, waiting):
        assert client.passed[-1] == {"type": "closing", "reason": "The server restarts.", "retry_s": 3}
    await deaf.closed()
    assert deaf.passed[-1]["type"] == "closing"


async def test_a_room_that_is_not_there_is_told_on_the_socket(house: House) -> None:
    """A browser cannot see the status of a refused handshake."""
    client = await house.connect("nowhere")

    assert (await client.receive())["code"] == "not_found"
    assert await client.closed() == 4404


async def test_a_room_that_was_deleted_meanwhile_is_not_entered(house: House) -> None:
    """Between the handshake and `join` anything can happen."""
    client = await house.connect()
    await house.meetings.delete_room("standup")
    await house.registry.end("standup", "The room was deleted.")

    refused = await client.join("Bob")

    assert refused["code"] == "not_found"
    assert await client.closed() == 4404


class TestRoomsWithRules:
    """Small rooms that are closed to guests."""

    @pytest.fixture
    def config(self) -> Config:
        return Config.model_validate({"rooms": {"max_participants": 2, "guests_allowed": False}})

    async def test_a_guest_is_asked_to_sign_in(self, house: House) -> None:
        """`rooms.guests_allowed: false`."""
        client = await house.connect()

        assert (await client.join("Guest"))["code"] == "not_signed_in"
        assert await client.closed() == 4403

    async def test_a_full_room_refuses_with_a_code_of_its_own(self, house: House) -> None:
        """The page says something better than "not allowed"."""
        await house.enter("Ann", user="ann")
        await house.enter("Bob", user="bob")
        client = await house.connect(user="bob")

        assert (await client.join("Bob again"))["code"] == "room_full"
        assert await client.closed() == 4403


async def _speakers(client: Client, house: House, expected: list[str]) -> None:
    while (await client.until("speakers"))["participants"] != expected:
        pass


async def test_who_speaks_is_told(house: House) -> None:
    """The frame round the tile of the speaker."""
    ann, _ = await house.enter("Ann")
    bob, bob_id = await house.enter("Bob")
    await bob.ask(type="publish", sdp="offer", tracks=TRACKS)
    house.media.loudness[bob_id] = 100.0

    for _ in range(5):
        house.clock.advance(0.2)
        house.registry.tick()

    async with asyncio.timeout(10):
        await _speakers(ann, house, [bob_id])
