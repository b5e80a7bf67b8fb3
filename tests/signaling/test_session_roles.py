"""The role matrix (CVE classes 9, 10, 11): every message type × who sends it, over real connections."""

from typing import Any, get_args

import pytest

from pymeet.signaling import messages
from tests.signaling.conftest import House

TRACKS = [{"mid": "0", "source": "camera", "muted": False}]

DONE = "done"
REFUSED = "not_allowed"
PROTOCOL = "protocol_error"

MATRIX: dict[str, dict[str, str]] = {
    #              in the room, and before joining
    "join": {"host": PROTOCOL, "member": PROTOCOL, "guest": PROTOCOL, "not joined": DONE},
    "publish": {"host": DONE, "member": DONE, "guest": DONE, "not joined": PROTOCOL},
    "subscribed": {"host": DONE, "member": DONE, "guest": DONE, "not joined": PROTOCOL},
    "restart": {"host": DONE, "member": DONE, "guest": DONE, "not joined": PROTOCOL},
    "mute": {"host": DONE, "member": DONE, "guest": DONE, "not joined": PROTOCOL},
    "chat": {"host": DONE, "member": DONE, "guest": DONE, "not joined": PROTOCOL},
    "remove": {"host": DONE, "member": REFUSED, "guest": REFUSED, "not joined": PROTOCOL},
    "end": {"host": DONE, "member": REFUSED, "guest": REFUSED, "not joined": PROTOCOL},
    "record": {"host": DONE, "member": REFUSED, "guest": REFUSED, "not joined": PROTOCOL},
    "consent": {"host": DONE, "member": DONE, "guest": DONE, "not joined": PROTOCOL},
    "marker": {"host": DONE, "member": REFUSED, "guest": REFUSED, "not joined": PROTOCOL},
    "ping": {"host": DONE, "member": DONE, "guest": DONE, "not joined": DONE},
    "leave": {"host": DONE, "member": DONE, "guest": DONE, "not joined": DONE},
}

USERS = {"host": "ann", "member": "bob", "guest": None}


def fields_of(kind: str, victim: str) -> dict[str, Any]:
    """A message of this type that would do something, to `victim` where it is about somebody."""
    return {
        "join": {"v": 1, "name": "Again"},
        "publish": {"sdp": "offer", "tracks": TRACKS},
        "subscribed": {"offer": 1, "sdp": "answer"},
        "mute": {"source": "camera", "muted": True},
        "chat": {"text": "hello"},
        "remove": {"participant": victim},
        "record": {"on": True},
        "consent": {"recording": "recording-1", "answer": "yes"},
        "marker": {"text": "decided"},
    }.get(kind, {}) | {"type": kind}


async def record(house: House) -> None:
    """Ann, the host, comes and starts a recording."""
    ann, _ = await house.enter("Ann", user="ann")
    assert (await ann.ask(type="record", on=True))["type"] == "ok"


def test_the_matrix_names_every_message() -> None:
    """A new message type must say who may send it."""
    union = get_args(get_args(messages.ClientMessage)[0])

    assert set(MATRIX) == {get_args(model.model_fields["type"].annotation)[0] for model in union}


@pytest.mark.parametrize(("kind", "who"), [(kind, who) for kind, row in MATRIX.items() for who in row])
async def test_each_role_may_do_what_the_matrix_says(house: House, kind: str, who: str) -> None:
    """And what is refused has no effect on the one it was aimed at."""
    victim, victim_id = await house.enter("Victim")
    client = await house.connect(user=USERS.get(who))
    if who != "not joined":
        await client.join("Sender")
        await client.ask(type="publish", sdp="offer", tracks=TRACKS)
    if kind in ("consent", "marker"):
        await record(house)
        if kind == "marker" and who == "host":
            await client.ask(**fields_of("consent", victim_id))
    expected = MATRIX[kind][who]

    await client.send(id="q", **fields_of(kind, victim_id))

    if kind == "leave" and expected is DONE:
        assert await client.closed() == 1000
        return
    if kind == "end" and expected is DONE:
        assert await client.closed() == 4410
        return
    while (answer := await client.receive()).get("re") != "q":
        pass
    if expected is DONE:
        assert answer["type"] in ("ok", "joined", "published", "pong")
        return
    assert (answer["type"], answer["code"]) == ("error", expected)
    if expected is PROTOCOL:
        assert await client.closed() == 4400
    assert (await victim.ask(type="ping"))["type"] == "pong"
    assert any(p.id == victim_id for p in house.registry.live("standup").participants)


@pytest.mark.parametrize("kind", ["remove", "end", "mute", "chat", "publish"])
async def test_a_host_of_one_room_reaches_nobody_in_another(house: House, kind: str) -> None:
    """Ids of another room open nothing, and the answer is the same as for ids that do not exist."""
    victim, victim_id = await house.enter("Victim", "standup")
    await victim.ask(type="publish", sdp="offer", tracks=TRACKS)
    host, _ = await house.enter("Bob", "other", user="bob")

    await host.send(id="q", **fields_of(kind, victim_id))
    if kind == "remove":
        known = await host.until("error")
        unknown = await host.ask(type="remove", participant="nobody-at-all")
        assert (
            (known["code"], known["message"])
            == (unknown["code"], unknown["message"])
            == ("not_found", known["message"])
        )
    elif kind == "end":
        assert await host.closed() == 4410

    assert (await victim.ask(type="ping"))["type"] == "pong"
    assert {m["type"] for m in victim.passed} <= {"joined", "published", "participant", "pong"}
    assert not house.media.publisher_of(victim_id).closed
    assert not house.media.publisher_of(victim_id).tracks["0"].muted


async def test_the_token_of_one_room_opens_no_seat_in_another(house: House) -> None:
    """It counts as unknown, and the seat it belongs to is not disturbed."""
    ann = await house.connect(user="ann")
    token = (await ann.join("Ann"))["resume"]
    other = await house.connect("other", user="ann")

    joined = await other.join("Ann", resume={"token": token, "media": "keep"})

    assert (joined["resumed"], joined["role"]) == (False, "member")
    assert (await ann.ask(type="ping"))["type"] == "pong"


@pytest.mark.parametrize("field", ["participant", "from", "name", "user_id", "role", "at", "re"])
async def test_a_forged_field_is_refused(house: House, field: str) -> None:
    """CVE class 9: who sends is known by the connection; a message that claims it is a protocol error."""
    bob, _ = await house.enter("Bob")

    error = await bob.ask(type="chat", text="I am Ann", **{field: "ann"})

    assert error["code"] == "protocol_error"
    assert await bob.closed() == 4400
    assert await house.meetings.messages(house.rooms["standup"].id) == []


async def test_a_message_carries_the_name_of_the_seat(house: House) -> None:
    """Whoever joins with the same name is told apart by the id."""
    ann, ann_id = await house.enter("Ann")
    impostor, impostor_id = await house.enter("Ann")

    await impostor.ask(type="chat", text="hello")

    message = (await ann.until("chat"))["message"]
    assert message["participant"] == impostor_id != ann_id
