"""Recording over the WebSocket: what is asked, what each is told, and what nobody can reach."""

from typing import Any

import pytest

from pymeet.errors import PymeetError
from tests.rooms.fake_recorder import KEEP_UNTIL_MS, STARTED_MS
from tests.signaling.conftest import Client, House

TRACKS = [{"mid": "0", "source": "camera", "muted": False}]
FIRST = "recording-1"


async def record(house: House, **fields: Any) -> tuple[Client, str]:
    """Ann, the host, comes and starts a recording."""
    ann, ann_id = await house.enter("Ann", user="ann")
    assert (await ann.ask(type="record", on=True, **fields))["type"] == "ok"
    return ann, ann_id


async def agree(client: Client, answer: str = "yes", **fields: Any) -> dict[str, Any]:
    """The answer to somebody's answer."""
    return await client.ask(type="consent", recording=FIRST, answer=answer, **fields)


async def test_everybody_is_asked_and_told_who_agreed(house: House) -> None:
    """To each their own answer, to all the sign and who is in it."""
    bob, bob_id = await house.enter("Bob")
    assert bob.passed[0]["recording"] is None
    ann, ann_id = await record(house, chat=True)

    started = await bob.until("recording")
    assert started["recording"] == {
        "id": FIRST,
        "started_at": STARTED_MS,
        "by": ann_id,
        "chat": True,
        "keep_until": KEEP_UNTIL_MS,
        "recorded": [],
        "you": None,
    }
    await agree(bob, language="de")
    assert [m["recording"]["you"] for m in bob.passed if m["type"] == "recording"] == [None, "yes"]
    seen = await ann.until("recording", recording={**started["recording"], "recorded": [bob_id]})
    assert seen["recording"]["you"] is None


async def test_who_comes_late_is_told_at_once(house: House) -> None:
    """The sign is there from the first moment."""
    await record(house)

    carl = await house.connect()
    joined = await carl.join("Carl")

    assert joined["recording"]["id"] == FIRST
    assert joined["recording"]["you"] is None


async def test_an_answer_from_the_preview_page_comes_with_join(house: House) -> None:
    """Where that recording runs."""
    await record(house)

    for wish, expected in (
        ({"id": FIRST, "answer": "yes", "language": "en"}, "yes"),
        ({"id": "other", "answer": "yes"}, None),
    ):
        client = await house.connect()
        assert (await client.join("Carl", recording=wish))["recording"]["you"] == expected
    assert [a.method for a in house.recordings.written] == ["joining"]


async def test_who_agrees_is_recorded_and_who_refuses_is_not(house: House) -> None:
    """Over the wire as in the room."""
    ann, ann_id = await record(house)
    bob, _ = await house.enter("Bob")
    for client in (ann, bob):
        await client.ask(type="publish", sdp="offer", tracks=TRACKS)

    assert (await agree(ann))["type"] == "ok"
    assert (await agree(bob, "no"))["type"] == "ok"
    assert house.recordings.now.ever == {ann_id}

    assert (await agree(ann, "no"))["type"] == "ok"
    assert house.recordings.now.tracks == []


async def test_a_host_stops_and_everybody_hears_why(house: House) -> None:
    """Null and a word of the protocol."""
    ann, _ = await record(house)
    bob, _ = await house.enter("Bob")

    assert (await ann.ask(type="record", on=False))["type"] == "ok"

    assert await bob.until("recording") == {"type": "recording", "recording": None, "reason": "host"}
    late = await agree(bob)
    assert (late["type"], late["code"]) == ("error", "not_found")


async def test_why_it_cannot_start_is_told_to_the_host(house: House) -> None:
    """With the code and the sentence of what makes recordings."""
    ann, _ = await house.enter("Ann", user="ann")
    bob, _ = await house.enter("Bob")
    house.recordings.cannot_begin = PymeetError("There is too little room on the disk.", code="disk_full")

    answer = await ann.ask(type="record", on=True)

    assert (answer["code"], answer["message"]) == ("disk_full", "There is too little room on the disk.")
    await bob.ask(type="ping")
    assert "recording" not in {m["type"] for m in bob.passed}


async def test_an_answer_in_one_room_reaches_no_recording_in_another(house: House) -> None:
    """Who knows the id of a recording still is not in its room."""
    await record(house)
    bob, _ = await house.enter("Bob", "other", user="bob")
    await bob.ask(type="publish", sdp="offer", tracks=TRACKS)

    assert (await agree(bob))["code"] == "not_found"
    assert (await bob.ask(type="record", on=True))["type"] == "ok"
    assert (await agree(bob))["code"] == "conflict"
    assert (await bob.ask(type="marker"))["code"] == "not_allowed"
    assert house.recordings.written == []


@pytest.mark.parametrize("field", ["participant", "user_id", "method", "name"])
async def test_nobody_answers_for_somebody_else(house: House, field: str) -> None:
    """CVE class 9: who answers is known by the connection."""
    await record(house)
    bob, _ = await house.enter("Bob")

    assert (await agree(bob, **{field: "ann"}))["code"] == "protocol_error"
    assert await bob.closed() == 4400
    assert house.recordings.written == []


async def test_changing_one_s_mind_without_end_is_slowed_down(house: House) -> None:
    """Each answer is written to the disk."""
    await record(house)
    bob, _ = await house.enter("Bob")

    answers = [await agree(bob, "yes" if number % 2 else "no") for number in range(15)]

    assert [a["type"] for a in answers[:10]] == ["ok"] * 10
    assert answers[-1]["code"] == "too_many"
    assert len(house.recordings.written) == 10
