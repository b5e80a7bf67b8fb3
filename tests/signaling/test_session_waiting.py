"""Waiting to be admitted, over a real connection (docs/protocol.md section 1.4)."""

import asyncio

from tests.signaling.conftest import Client, House


async def waits(house: House) -> tuple[Client, Client, str]:
    """The host, who knows, and somebody who waits, with their id."""
    await house.meetings.change_settings("standup", {"waiting_room": "guests"})
    host, _ = await house.enter("Ann", user="ann")
    guest = await house.connect()
    waiting = await guest.join("Guest")
    assert (waiting["type"], waiting["room"]) == ("waiting", {"slug": "standup", "name": "Standup"})
    (person,) = (await host.until("lobby"))["people"]
    assert (person["id"], person["name"], person["kind"]) == (waiting["id"], "Guest", "guest")
    return host, guest, waiting["id"]


async def test_who_is_admitted_gets_joined_as_the_answer(house: House) -> None:
    """With everything that somebody gets who did not wait; until then pings are all that is answered."""
    host, guest, person = await waits(house)
    assert (await guest.ask(type="ping"))["type"] == "pong"

    assert (await host.ask(type="admit", participant=person))["type"] == "ok"

    joined = await guest.until("joined", re="q")
    assert (joined["you"], joined["role"], len(joined["participants"])) == (person, "guest", 2)
    assert joined["state"] == {
        "locked": False,
        "spotlight": None,
        "hands": [],
        "may_share": "everybody",
        "may_record": "hosts",
    }
    assert (await host.until("lobby"))["people"] == []
    assert (await guest.ask(type="chat", text="Hello"))["type"] == "ok"


async def test_who_is_refused_reads_why_and_is_cut_off(house: House) -> None:
    """With a code by which the page does not come back by itself."""
    host, guest, person = await waits(house)

    await host.ask(type="refuse", participant=person, reason="Another time.")

    error = await guest.until("error")
    assert (error["code"], error["message"], error["re"]) == ("refused", "Another time.", "q")
    assert await guest.closed() == 4403


async def test_who_leaves_while_waiting_is_gone(house: House) -> None:
    """By saying so, or without a goodbye; the host sees nobody any more."""
    host, guest, _ = await waits(house)
    await guest.send(type="leave")
    assert await guest.closed() == 1000
    assert (await host.until("lobby"))["people"] == []

    second = await house.connect()
    await second.join("Second")
    assert len((await host.until("lobby"))["people"]) == 1
    await second.drop()
    assert (await host.until("lobby"))["people"] == []
    assert house.registry.people("standup") == 1


async def test_a_closing_server_does_not_wait_for_who_waits(house: House) -> None:
    """They are told like everybody else."""
    _, guest, _ = await waits(house)

    reading = asyncio.create_task(guest.closed())

    await house.registry.close("A new version is installed.", 5)

    assert await reading == 1001
    assert [each["type"] for each in guest.passed] == ["waiting", "closing"]


async def test_too_many_reactions_are_not_shown(house: House) -> None:
    """Six at once; a page full of hearts is no meeting."""
    ann, _ = await house.enter("Ann", user="ann")
    bob, bob_id = await house.enter("Bob", user="bob")

    answers = [(await bob.ask(type="react", reaction="heart")) for _ in range(7)]

    assert [answer["type"] for answer in answers] == ["ok"] * 6 + ["error"]
    assert answers[-1]["code"] == "too_many"
    assert (await ann.until("reaction"))["participant"] == bob_id
