"""The role matrix (CVE classes 9, 10, 11): every message type × who sends it, over real connections."""

from typing import Any, get_args

import pytest

from pymeet.signaling import messages
from tests.signaling.conftest import Client, House

TRACKS = [{"mid": "0", "source": "camera", "muted": False}]

DONE = "done"
REFUSED = "not_allowed"
PROTOCOL = "protocol_error"


def row(host: str, cohost: str, member: str, guest: str, *, waiting: str, outside: str) -> dict[str, str]:
    """What comes of a message, by who sends it."""
    inside = {"host": host, "cohost": cohost, "member": member, "guest": guest}
    return {**inside, "waiting": waiting, "not joined": outside}


MATRIX: dict[str, dict[str, str]] = {
    "join": row(PROTOCOL, PROTOCOL, PROTOCOL, PROTOCOL, waiting=REFUSED, outside=DONE),
    "publish": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "subscribed": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "restart": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "mute": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "view": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "figures": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "chat": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "edit_message": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "hand": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "react": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "consent": row(DONE, DONE, DONE, DONE, waiting=REFUSED, outside=PROTOCOL),
    "delete_message": row(DONE, DONE, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "admit": row(DONE, DONE, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "refuse": row(DONE, DONE, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "stop": row(DONE, DONE, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "mute_all": row(DONE, DONE, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "lower_hand": row(DONE, DONE, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "spotlight": row(DONE, DONE, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "lock": row(DONE, DONE, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "remove": row(DONE, DONE, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "role": row(DONE, REFUSED, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "hand_over": row(DONE, REFUSED, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "end": row(DONE, REFUSED, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "record": row(DONE, REFUSED, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "marker": row(DONE, REFUSED, REFUSED, REFUSED, waiting=REFUSED, outside=PROTOCOL),
    "ping": row(DONE, DONE, DONE, DONE, waiting=DONE, outside=DONE),
    "leave": row(DONE, DONE, DONE, DONE, waiting=DONE, outside=DONE),
}

USERS = {"host": "ann", "cohost": "bob", "member": "bob", "guest": None}


def fields_of(kind: str, victim: str, message: str = "", person: str = "") -> dict[str, Any]:
    """A message of this type that would do something, to `victim` where it is about somebody, to the chat `message`, or to the
    `person` who waits."""
    return {
        "join": {"v": 1, "name": "Again"},
        "publish": {"sdp": "offer", "tracks": TRACKS},
        "subscribed": {"offer": 1, "sdp": "answer"},
        "mute": {"source": "camera", "muted": True},
        "view": {"tiles": [{"track": "track-1", "height": 360}]},
        "chat": {"text": "hello"},
        "edit_message": {"message": message, "text": "hello again"},
        "delete_message": {"message": message},
        "hand": {"up": True},
        "react": {"reaction": "clap"},
        "admit": {"participant": person},
        "refuse": {"participant": person, "reason": "Another time."},
        "stop": {"participant": victim, "source": "camera"},
        "lower_hand": {"participant": victim},
        "spotlight": {"participant": victim},
        "lock": {"on": True},
        "role": {"participant": victim, "role": "cohost"},
        "hand_over": {"participant": victim},
        "remove": {"participant": victim},
        "record": {"on": True},
        "consent": {"recording": "recording-1", "answer": "yes"},
        "marker": {"text": "decided"},
    }.get(kind, {}) | {"type": kind}


def test_the_matrix_names_every_message() -> None:
    """A new message type must say who may send it."""
    union = get_args(get_args(messages.ClientMessage)[0])

    assert set(MATRIX) == {get_args(model.model_fields["type"].annotation)[0] for model in union}


async def enter_as(house: House, who: str, ann: Client) -> Client:
    """Somebody of that role, with a camera where they are in the room."""
    client = await house.connect(user=USERS.get(who))
    if who in ("not joined", "waiting"):
        if who == "waiting":
            assert (await client.join("Sender"))["type"] == "waiting"
        return client
    joined = await client.join("Sender")
    await client.ask(type="publish", sdp="offer", tracks=TRACKS)
    if who == "cohost":
        assert (await ann.ask(type="role", participant=joined["you"], role="cohost"))["type"] == "ok"
    return client


async def somebody_waits(house: House) -> str:
    """The id of a guest who waits to be admitted."""
    await house.meetings.change_settings("standup", {"waiting_room": "guests"})
    return (await (await house.connect()).join("Waits"))["id"]


@pytest.mark.parametrize(("kind", "who"), [(kind, who) for kind, row in MATRIX.items() for who in row])
async def test_each_role_may_do_what_the_matrix_says(house: House, kind: str, who: str) -> None:
    """And what is refused has no effect on the one it was aimed at."""
    victim, victim_id = await house.enter("Victim")
    await victim.ask(type="publish", sdp="offer", tracks=TRACKS)
    await victim.ask(type="hand", up=True)
    ann, _ = await house.enter("Ann", user="ann")
    if who == "waiting":
        await house.meetings.change_settings("standup", {"waiting_room": "guests"})
    client = await enter_as(house, who, ann)
    is_inside = who not in ("not joined", "waiting")
    writer = client if kind == "edit_message" and is_inside else victim
    await writer.ask(type="chat", text="hello")
    message = (await ann.until("chat"))["message"]["id"]
    person = await somebody_waits(house) if kind in ("admit", "refuse") else ""
    if kind in ("consent", "marker"):
        assert (await ann.ask(type="record", on=True))["type"] == "ok"
        if kind == "marker" and who == "host":
            await client.ask(**fields_of("consent", victim_id))
    expected = MATRIX[kind][who]

    await client.send(id="q", **fields_of(kind, victim_id, message, person))

    if kind == "leave" and expected is DONE:
        assert await client.closed() == 1000
        return
    if kind == "end" and expected is DONE:
        assert await client.closed() == 4410
        return
    while (answer := await client.receive()).get("re") != "q":
        pass
    if expected is DONE:
        assert answer["type"] in ("ok", "joined", "published", "figures", "pong")
        return
    assert (answer["type"], answer["code"]) == ("error", expected)
    if expected is PROTOCOL:
        assert await client.closed() == 4400
    assert (await victim.ask(type="ping"))["type"] == "pong"
    live = house.registry.live("standup")
    (still,) = [p for p in live.participants if p.id == victim_id]
    assert (still.role.value, still.tracks[0].muted) == ("guest", False)
    assert (live.state.locked, live.state.spotlight, live.state.hands) == (False, None, (victim_id,))
    assert {"hello"} == {m.text for m in await house.meetings.messages(house.rooms["standup"].id)}


@pytest.mark.parametrize(
    "kind",
    [
        "remove",
        "stop",
        "spotlight",
        "lower_hand",
        "role",
        "hand_over",
        "admit",
        "end",
        "mute",
        "chat",
        "publish",
        "lock",
    ],
)
async def test_a_host_of_one_room_reaches_nobody_in_another(house: House, kind: str) -> None:
    """Ids of another room open nothing, and the answer is the same as for ids that do not exist."""
    victim, victim_id = await house.enter("Victim", "standup")
    await victim.ask(type="publish", sdp="offer", tracks=TRACKS)
    host, _ = await house.enter("Bob", "other", user="bob")

    await host.send(id="q", **fields_of(kind, victim_id, person=victim_id))
    if kind in ("remove", "stop", "spotlight", "lower_hand", "role", "hand_over", "admit"):
        known = await host.until("error")
        unknown = await host.ask(**fields_of(kind, "nobody-at-all", person="nobody-at-all"))
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
