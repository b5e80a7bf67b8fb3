"""What somebody may do to whom (CVE classes 9, 10): who asks × whom it is aimed at, and what is left to who lost a role.

Which message each role may send at all stands in test_session_roles.py.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from pymeet.rooms.joining import JoinRequest
from pymeet.rooms.people import Kind
from pymeet.rooms.viewing import CAMERA_LINES
from pymeet.sfu.view import View
from pymeet.signaling.session import Timing
from tests.signaling.conftest import Client, House

CAMERA = [{"mid": "0", "source": "camera", "muted": False}]

WHOM = ("host", "cohost", "member", "guest", "player", "self", "waiting", "elsewhere", "gone")
"""Another host; another cohost; somebody with an account; a guest; somebody who only plays; whoever asks; somebody who waits
to be admitted; a host of another room; somebody who has left."""

OK, NO, NONE = "ok", "not_allowed", "not_found"


def row(text: str) -> dict[str, str]:
    """What comes of it, in the order of `WHOM`."""
    words = {"ok": OK, "no": NO, "-": NONE}
    return dict(zip(WHOM, [words[each] for each in text.split()], strict=True))


#                       host coh mem gst ply self wait else gone
BY_HOST = {
    "stop": row("        ok  ok  ok  ok  -   ok   -    -    -"),
    "lower_hand": row("  ok  ok  ok  ok  ok  ok   -    -    -"),
    "spotlight": row("   ok  ok  ok  ok  no  ok   -    -    -"),
    "chat": row("        ok  ok  ok  ok  no  no   -    -    -"),
    "edit_message": row("no  no  no  no  -   ok   -    -    no"),
    "refuse": row("      -   -   -   -   -   -    ok   -    -"),
    "role": row("        no  ok  ok  ok  no  no   -    -    -"),
    "hand_over": row("   no  ok  ok  ok  no  no   -    -    -"),
    "delete_message": row("ok ok ok  ok  -   ok   -    -    ok"),
    "remove": row("      ok  ok  ok  ok  ok  no   -    -    -"),
    "ban": row("         no  ok  ok  ok  ok  no   -    -    -"),
}
BY_COHOST = BY_HOST | {
    "stop": row("        no  ok  ok  ok  -   ok   -    -    -"),
    "lower_hand": row("  no  ok  ok  ok  ok  ok   -    -    -"),
    "role": row("        no  no  no  no  no  no   no   no   no"),
    "hand_over": row("   no  no  no  no  no  no   no   no   no"),
    "remove": row("      no  ok  ok  ok  ok  no   -    -    -"),
    "ban": row("         no  ok  ok  ok  ok  no   -    -    -"),
}
BY_MEMBER = {
    **{verb: row("no no no no no no no no no") for verb in BY_HOST},
    "chat": row("        ok  ok  ok  ok  no  no   -    -    -"),
    "edit_message": BY_HOST["edit_message"],
    "delete_message": row("no no no  no  -   ok   -    -    no"),
}
TABLE = {"host": BY_HOST, "cohost": BY_COHOST, "member": BY_MEMBER, "guest": BY_MEMBER}

ENDING = ("hand_over", "remove", "ban")
"""After these the scene is another one."""


@dataclass
class Scene:
    """Everybody, with what they have that others could be after."""

    house: House
    asker: Client
    ids: dict[str, str]
    messages: dict[str, str]

    async def ask(self, verb: str, whom: str) -> str:
        """Does it, and says what came of it."""
        self.house.clock.advance(1.0)  # or it would be too much at once
        answer = await self.asker.ask(**self._message(verb, whom))
        return OK if answer["type"] == "ok" else str(answer["code"])

    def _message(self, verb: str, whom: str) -> dict[str, Any]:
        someone, message = {"participant": self.ids[whom]}, {"message": self.messages.get(whom, "nothing")}
        fields: dict[str, dict[str, Any]] = {
            "stop": {**someone, "source": "camera"},
            "chat": {"text": "Between us", "to": self.ids[whom]},
            "edit_message": {**message, "text": "Changed"},
            "delete_message": message,
            "role": {**someone, "role": "cohost"},
            "ban": {**someone, "ban": True},
        }
        return {"type": "remove" if verb == "ban" else verb, **fields.get(verb, someone)}


@pytest.fixture
def timing() -> Timing:
    """The clock is turned on by more than a connection may be silent."""
    return Timing(heartbeat_s=3600.0)


async def scene_of(house: House, asker: str) -> Scene:
    """Somebody of this role asks; all the others are there, too."""
    for name, is_admin in (("ada", True), ("max", False)):
        house.users[name] = (await house.accounts.add_user(name.title(), f"{name}@example.org", is_admin))[0]
    host, host_id = await house.enter("Ann", user="ann")
    users = {"host": "ada", "member": "bob"}
    here = {
        whom: await house.enter(whom, user=users.get(whom)) for whom in ("host", "cohost", "member", "guest", "gone")
    }
    here["self"] = (host, host_id)
    if asker != "host":
        here["self"] = await house.enter("self", user="max" if asker == "member" else None)
    for whom in ("cohost", "self") if asker == "cohost" else ("cohost",):
        assert (await host.ask(type="role", participant=here[whom][1], role="cohost"))["type"] == "ok"
    here["elsewhere"] = await house.enter("elsewhere", "other", user="bob")
    for whom, (client, _) in here.items():
        await client.ask(type="publish", sdp="offer", tracks=CAMERA)
        await client.ask(type="hand", up=True)
        await client.ask(type="chat", text=whom)
    await here["gone"][0].send(type="leave")
    assert await here["gone"][0].closed() == 1000
    ids = {whom: participant for whom, (_, participant) in here.items()}
    live = house.registry.live("standup")
    assert live is not None
    ids["player"] = (await live.join(JoinRequest("player", None, Kind.PLAYER))).id
    await house.meetings.change_settings("standup", {"waiting_room": "guests"})
    ids["waiting"] = (await (await house.connect()).join("waiting"))["id"]
    messages = {each.text: each.id for room in house.rooms.values() for each in await house.meetings.messages(room.id)}
    return Scene(house, here["self"][0], ids, messages)


@pytest.mark.parametrize("asker", TABLE)
async def test_nobody_reaches_further_than_the_table_says(house: House, asker: str) -> None:
    """Whoever may do something may not do it to everybody, and who is not here cannot be found."""
    scene = await scene_of(house, asker)

    for verb in [each for each in TABLE[asker] if each not in ENDING]:
        came_of_it = {whom: await scene.ask(verb, whom) for whom in WHOM}

        assert came_of_it == TABLE[asker][verb], verb


@pytest.mark.parametrize("verb", ENDING)
@pytest.mark.parametrize("asker", TABLE)
async def test_nobody_is_sent_out_or_made_host_against_the_table(house: House, asker: str, verb: str) -> None:
    """The same for what leaves others in the room than before."""
    scene = await scene_of(house, asker)
    expected = TABLE[asker][verb]
    refused = [whom for whom in WHOM if expected[whom] != OK]
    granted = [whom for whom in WHOM if expected[whom] == OK]

    for whom in [*refused, *(granted[:1] if verb == "hand_over" else granted)]:
        assert await scene.ask(verb, whom) == expected[whom], whom


async def test_who_handed_over_or_is_no_cohost_any_more_has_lost_it_at_once(house: House) -> None:
    """Also what hosts are told: who waits at the door is none of a member's business."""
    ann, ann_id = await house.enter("Ann", user="ann")
    bob, bob_id = await house.enter("Bob", user="bob")
    await ann.ask(type="hand_over", participant=bob_id)

    assert (await ann.ask(type="end"))["code"] == NO
    assert (await ann.ask(type="role", participant=ann_id, role="cohost"))["code"] == NO
    assert (await ann.ask(type="lock", on=False))["type"] == "ok"
    await bob.ask(type="role", participant=ann_id, role="member")
    assert (await ann.ask(type="lock", on=True))["code"] == NO
    await house.meetings.change_settings("standup", {"waiting_room": "guests"})
    waiting = (await (await house.connect()).join("Waits"))["id"]
    assert (await bob.until("lobby"))["people"][0]["id"] == waiting
    assert (await ann.ask(type="admit", participant=waiting))["code"] == NO
    assert "lobby" not in {each["type"] for each in ann.passed}


async def test_who_was_removed_does_nothing_more(house: House) -> None:
    """Neither by what they sent before they knew, nor on their seat; a ban holds for the account, whatever the connection."""
    ann, _ = await house.enter("Ann", user="ann")
    seat = await house.connect(user="bob")
    joined = await seat.join("Bob")
    early = await house.connect(user="bob")

    await ann.ask(type="remove", participant=joined["you"], ban=True)
    await seat.send(type="chat", text="One more thing")

    assert await seat.closed() == 4410
    assert await house.meetings.messages(house.rooms["standup"].id) == []
    again = await house.connect(user="bob")
    resume = {"token": joined["resume"], "media": "keep"}
    assert (await again.join("Bob", resume=resume))["code"] == NO
    assert (await early.join("Robert"))["code"] == NO
    assert (await (await house.connect(user="bob")).join("Bob"))["code"] == NO
    assert (await (await house.connect()).join("Bob"))["type"] == "waiting"


async def test_a_guest_who_hosts_records_nobody(house: House) -> None:
    """Somebody must answer for a recording; handing over does not make an account."""
    ann, _ = await house.enter("Ann", user="ann")
    guest, guest_id = await house.enter("Guest")
    await ann.ask(type="hand_over", participant=guest_id)

    assert (await guest.ask(type="record", on=True))["code"] == NO
    assert house.recordings.made == []


async def test_who_waits_hears_nothing_of_the_meeting(house: House) -> None:
    """Neither who is there nor what is said, whatever happens while they wait."""
    ann, ann_id = await house.enter("Ann", user="ann")
    await house.meetings.change_settings("standup", {"waiting_room": "guests"})
    guest = await house.connect()
    assert (await guest.join("Guest"))["type"] == "waiting"

    await ann.ask(type="publish", sdp="offer", tracks=CAMERA)
    await ann.ask(type="chat", text="They cannot hear us")
    await ann.ask(type="spotlight", participant=ann_id)
    await ann.ask(type="record", on=True)

    assert (await guest.ask(type="ping"))["type"] == "pong"
    assert [each["type"] for each in guest.passed] == ["waiting", "pong"]


async def test_a_recording_of_another_room_is_not_answered_here(house: House) -> None:
    """Its id opens nothing: neither by `consent`, nor with `join`."""
    ann, _ = await house.enter("Ann", user="ann")
    await ann.ask(type="record", on=True)
    recording = house.recordings.now.id
    bob, _ = await house.enter("Bob", "other", user="bob")

    assert (await bob.ask(type="consent", recording=recording, answer="yes"))["code"] == NONE
    late = await house.connect("other")
    joined = await late.join("Late", recording={"id": recording, "answer": "yes", "language": "en"})
    assert joined["recording"] is None
    assert house.registry.live("standup").recording.recorded == ()


async def test_what_somebody_shows_changes_nothing_for_anybody_else(house: House) -> None:
    """Neither in the same room nor in another: sizes are told to one's own connection, whatever ids are named."""
    ann, ann_id = await house.enter("Ann", user="ann")
    _, guest_id = await house.enter("Guest")
    bob, bob_id = await house.enter("Bob", "other", user="bob")
    await bob.ask(type="publish", sdp="offer", tracks=CAMERA)
    _, other_id = await house.enter("Other", "other")
    await ann.ask(type="publish", sdp="offer", tracks=CAMERA)
    (own,), (theirs,) = (house.media.publisher_of(each).tracks.values() for each in (ann_id, bob_id))

    for client in (ann, bob):
        tiles = [{"track": track.id, "height": 720, "pinned": True} for track in (own, theirs)]
        assert (await client.ask(type="view", tiles=tiles))["type"] == "ok"

    assert dict(house.media.subscriber_of(guest_id).views) == {own.id: View(CAMERA_LINES)}
    assert dict(house.media.subscriber_of(other_id).views) == {theirs.id: View(CAMERA_LINES)}
