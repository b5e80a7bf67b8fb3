"""Coming back: what a broken connection costs, and what not."""

import asyncio

import pytest
from aiohttp import WSMsgType

from pymeet.sfu.events import Disconnected
from pymeet.signaling.session import Timing
from tests.signaling.conftest import Client, House

TRACKS = [{"mid": "0", "source": "camera", "muted": False}]


async def broken(house: House, watcher: Client) -> tuple[dict[str, object], str]:
    """Bob publishes and chats, and his connection breaks: his `joined` and the last message he has."""
    bob = await house.connect()
    joined = await bob.join("Bob")
    await bob.ask(type="publish", sdp="offer", tracks=TRACKS)
    await bob.ask(type="chat", text="seen")
    last = next(m["message"]["id"] for m in bob.passed if m["type"] == "chat")
    await bob.drop()
    while (await watcher.until("participant"))["participant"]["connection"] != "reconnecting":
        pass
    return joined, last


async def test_a_browser_that_comes_back_has_its_seat_its_tracks_and_what_it_missed(house: House) -> None:
    """The promise of docs/protocol.md, over a connection that really breaks."""
    ann, _ = await house.enter("Ann")
    await ann.ask(type="publish", sdp="offer", tracks=TRACKS)
    joined, last = await broken(house, ann)
    for text in ("missed one", "missed two"):
        await ann.ask(type="chat", text=text)

    again = await house.connect()
    resumed = await again.join("Bob", resume={"token": joined["resume"], "media": "keep", "last_message": last})

    assert resumed["resumed"] is True
    assert resumed["you"] == joined["you"]
    assert [m["text"] for m in resumed["messages"]] == ["missed one", "missed two"]
    mine = next(p for p in resumed["participants"] if p["id"] == joined["you"])
    assert (mine["connection"], len(mine["tracks"])) == ("connected", 1)
    assert not house.media.publisher_of(str(joined["you"])).closed
    back = await ann.until("participant", type="participant")
    assert back["participant"]["connection"] == "connected"
    assert (await again.until("offer"))["fresh"] is False


async def test_a_page_that_was_reloaded_starts_with_new_media(house: House) -> None:
    """Its peer connections died with the page."""
    ann, _ = await house.enter("Ann")
    joined, _ = await broken(house, ann)

    again = await house.connect()
    resumed = await again.join("Bob", resume={"token": joined["resume"], "media": "new"})

    assert resumed["resumed"] is True
    assert [p["tracks"] for p in resumed["participants"] if p["id"] == joined["you"]] == [[]]
    assert house.media.publisher_of(str(joined["you"])).closed
    assert (await again.ask(type="publish", sdp="offer", tracks=TRACKS))["type"] == "published"


async def test_after_sixty_seconds_the_seat_is_gone(house: House) -> None:
    """And the browser simply joins again."""
    ann, _ = await house.enter("Ann")
    joined, _ = await broken(house, ann)

    house.clock.advance(60)
    house.registry.tick()

    left = await ann.until("participant_left")
    assert left == {"type": "participant_left", "participant": joined["you"], "reason": "lost"}
    assert house.media.publisher_of(str(joined["you"])).closed
    again = await house.connect()
    fresh = await again.join("Bob", resume={"token": joined["resume"], "media": "keep"})
    assert (fresh["resumed"], fresh["you"] == joined["you"]) == (False, False)
    assert [m["text"] for m in fresh["messages"]] == ["seen"]


async def test_a_token_that_was_made_up_joins_afresh(house: House) -> None:
    """After a restart of the server every token is unknown."""
    client = await house.connect()

    joined = await client.join("Bob", resume={"token": "made up", "media": "keep"})

    assert joined["resumed"] is False
    assert len(joined["resume"]) >= 22


async def test_the_newer_connection_takes_over_and_the_older_is_closed(house: House) -> None:
    """A network change may leave the old connection half open; nobody else sees anything of it."""
    ann, _ = await house.enter("Ann")
    bob = await house.connect()
    joined = await bob.join("Bob")
    await ann.until("participant")

    newer = await house.connect()
    resume = {"token": joined["resume"], "media": "keep"}
    code, resumed = await asyncio.gather(bob.closed(), newer.join("Bob", resume=resume))

    assert resumed["you"] == joined["you"]
    assert code == 4409
    assert (await newer.ask(type="chat", text="still here"))["type"] == "ok"
    assert (await ann.receive())["type"] == "chat"


async def test_many_connections_with_one_token_leave_one_alive(house: House) -> None:
    """A race of reconnecting tabs ends with one of them in the seat."""
    bob = await house.connect()
    joined = await bob.join("Bob")
    rivals = [await house.connect() for _ in range(5)]
    resume = {"token": joined["resume"], "media": "keep"}

    for rival in rivals:
        await rival.send(type="join", v=1, name="Bob", resume=resume)
    codes = await asyncio.gather(bob.closed(), *(rival.closed() for rival in rivals[:-1]))

    assert codes == [4409] * 5
    assert (await rivals[-1].ask(type="ping"))["type"] == "pong"
    assert len(house.registry.live("standup").participants) == 1


async def test_leaving_gives_the_seat_up_at_once(house: House) -> None:
    """Nobody waits a minute for somebody who said goodbye."""
    bob = await house.connect()
    joined = await bob.join("Bob")
    await bob.send(type="leave")
    assert await bob.closed() == 1000

    again = await house.connect()

    assert (await again.join("Bob", resume={"token": joined["resume"], "media": "new"}))["resumed"] is False


class TestSilence:
    """Short intervals, so that silence is noticed soon; the clock that counts it is turned by hand."""

    @pytest.fixture
    def timing(self) -> Timing:
        return Timing(heartbeat_s=0.05, join_s=10.0)

    async def test_a_silent_connection_is_closed_and_its_seat_held(self, house: House) -> None:
        """Two intervals without a sign of life, and no answer to a ping."""
        bob = await house.connect(autoping=False)
        joined = await bob.join("Bob")

        house.clock.advance(0.1)

        assert (await bob.socket.receive()).type is WSMsgType.PING
        assert await bob.closed() == 4408
        again = await house.connect()
        assert (await again.join("Bob", resume={"token": joined["resume"], "media": "keep"}))["resumed"] is True

    async def test_who_spoke_between_two_beats_is_asked_before_they_are_given_up(self, house: House) -> None:
        """A word right after a beat keeps the next one from asking: the one after that must not be the end."""
        bob = await house.connect(autoping=False)
        await bob.join("Bob")

        async with asyncio.timeout(10):
            for _ in range(3):
                await bob.send(type="ping")
                while (await bob.socket.receive()).type is not WSMsgType.TEXT:
                    pass
                house.clock.advance(0.11)
                frame = await bob.socket.receive()
                assert frame.type is WSMsgType.PING
                await bob.socket.pong(frame.data)

        assert bob.socket.close_code is None

    async def test_an_answered_ping_is_a_sign_of_life(self, house: House) -> None:
        """A tab in the background answers WebSocket pings even when its timers are slowed down; it is asked at every beat."""
        bob = await house.connect(autoping=False)
        await bob.join("Bob")

        async with asyncio.timeout(10):
            for _ in range(8):
                house.clock.advance(0.05)
                frame = await bob.socket.receive()
                assert frame.type is WSMsgType.PING
                await bob.socket.pong(frame.data)

        assert bob.socket.close_code is None

    async def test_who_says_nothing_is_asked_for_a_sign_of_life(self, house: House) -> None:
        """Until they are given up."""
        bob = await house.connect(autoping=False)
        await bob.join("Bob")

        house.clock.advance(0.01)
        async with asyncio.timeout(5):
            asked = [(await bob.socket.receive()).type for _ in range(3)]

        assert asked == [WSMsgType.PING] * 3

    async def test_who_speaks_is_not_asked_for_a_sign_of_life(self, house: House) -> None:
        """Browsers ask the server every few seconds whether it is there: that is one."""
        bob = await house.connect(autoping=False)
        await bob.join("Bob")
        heard = set()

        for _ in range(6):
            house.clock.advance(0.06)
            await bob.send(type="ping")
            heard.add((await bob.socket.receive()).type)
            await asyncio.sleep(0.06)  # a beat, in which the clock that counts silence stands still

        assert heard == {WSMsgType.TEXT}

    async def test_who_does_not_join_in_time_is_closed(self, house: House) -> None:
        """Connections that say nothing cost memory too."""
        client = await house.connect()

        house.clock.advance(10.0)

        assert (await client.receive())["code"] == "protocol_error"
        assert await client.closed() == 4408


class TestJoining:
    """Who does not join is not waited for until the next beat."""

    @pytest.fixture
    def timing(self) -> Timing:
        return Timing(heartbeat_s=3600.0, join_s=0.2)

    async def test_who_does_not_join_in_time_is_closed_before_the_first_beat(self, house: House) -> None:
        """Beats are far apart, and connections that say nothing cost memory."""
        client = await house.connect()

        house.clock.advance(0.2)

        async with asyncio.timeout(10):
            assert await client.closed() == 4408


class TestDoubt:
    """Whose media do not arrive any more is asked at once, however long silence is borne otherwise."""

    @pytest.fixture
    def timing(self) -> Timing:
        return Timing(heartbeat_s=3600.0, doubt_s=1.0)

    async def test_who_does_not_answer_is_given_up(self, house: House) -> None:
        """The others see soon that they are gone; their seat is held."""
        bob = await house.connect(autoping=False)
        joined = await bob.join("Bob")
        await bob.ask(type="publish", sdp="offer", tracks=TRACKS)

        house.media.publisher_of(joined["you"]).on_event(Disconnected())

        assert await bob.closed() == 4408
        again = await house.connect()
        assert (await again.join("Bob", resume={"token": joined["resume"], "media": "keep"}))["resumed"] is True

    async def test_who_answers_stays(self, house: House) -> None:
        """Their media may find another way, or none: the words get through."""
        bob = await house.connect(autoping=False)
        joined = await bob.join("Bob")
        await bob.ask(type="publish", sdp="offer", tracks=TRACKS)
        publisher = house.media.publisher_of(joined["you"])

        for _ in range(2):
            publisher.on_event(Disconnected())
            async with asyncio.timeout(10):
                asked = await bob.socket.receive()
                while asked.type is not WSMsgType.PING:
                    asked = await bob.socket.receive()
            house.clock.advance(0.01)
            await bob.socket.pong(asked.data)
            await asyncio.sleep(1.2)  # longer than the doubt lasts

        assert (await bob.ask(type="ping"))["type"] == "pong"


async def test_a_page_that_was_closed_is_missed_only_as_long_as_a_reload_takes(house: House) -> None:
    """Browsers say 1001 when they leave a page; nobody should be shown as reconnecting for a minute who closed a tab."""
    ann, _ = await house.enter("Ann")
    bob = await house.connect()
    joined = await bob.join("Bob")

    await bob.socket.close(code=1001)
    while (await ann.until("participant"))["participant"]["connection"] != "reconnecting":
        pass
    house.clock.advance(14)
    house.registry.tick()
    house.clock.advance(1)
    house.registry.tick()

    left = await ann.until("participant_left")
    assert left == {"type": "participant_left", "participant": joined["you"], "reason": "lost"}
