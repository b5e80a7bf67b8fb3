"""Everybody comes, goes, publishes, takes over and is sent out at once, in any order: nobody is lost, nothing is left open."""

import asyncio
import random

import pytest
from sqlalchemy import text

from pymeet.accounts.model import User
from pymeet.db.engine import Database
from pymeet.errors import PymeetError
from pymeet.rooms.commands import Command, GiveRole, HandOver, MuteAll, RaiseHand, Spotlight, StopSource
from pymeet.rooms.events import Welcome
from pymeet.rooms.joining import JoinRequest, Resume
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.media import TrackWish
from pymeet.rooms.member import CloseReason
from pymeet.rooms.people import Departure, Kind, Source
from pymeet.rooms.seat import Seat
from pymeet.sfu.events import Closed, Connected, Disconnected
from tests.rooms.conftest import Ear, Stage, turn

LIMIT = 5
"""Of the room in these tests."""


class Storm:
    """What may happen in a room, drawn by lot."""

    def __init__(self, stage: Stage, owner: User, seed: int) -> None:
        self.stage = stage
        self.owner = owner
        self.draw = random.Random(seed)
        self.seats: list[tuple[LiveRoom, Seat, Ear | None]] = []
        self.tokens = ["no such token"]
        self.fullest = 0

    async def come(self) -> None:
        live = self.stage.live
        kind = self.draw.choice((Kind.BROWSER, Kind.BROWSER, Kind.PUBLISHER, Kind.PLAYER))
        ear = Ear() if kind is Kind.BROWSER else None
        token = self.draw.choice(self.tokens)
        resume = Resume(token, keep_media=self.draw.random() < 0.5) if ear and self.draw.random() < 0.6 else None
        user = self.owner if self.draw.random() < 0.3 else None
        seat = await live.join(JoinRequest("Somebody", user, kind, ear, resume))
        self.seats.append((live, seat, ear))
        if ear:
            assert isinstance(ear.heard[0], Welcome)
            self.tokens.append(seat.token)

    async def do(self) -> None:
        if not self.seats:
            return
        live, seat, ear = self.draw.choice(self.seats)
        wish = {"0": TrackWish(self.draw.choice(("microphone", "camera")), self.draw.random() < 0.5)}
        sdp = f"a=fingerprint:{self.draw.randrange(3)} {self.draw.choice(('', 'bad', 'lying'))}"
        match self.draw.randrange(12):
            case 0 | 1 | 2:
                live.publish(seat.id, sdp, wish)
            case 3:
                live.play(seat.id, sdp)
            case 4:
                live.restart(seat.id, fresh=self.draw.random() < 0.5)
            case 5:
                live.remove(seat.id, self.draw.choice(self.seats)[1].id)
            case 6:
                live.leave(seat.id, Departure.LEFT)
                seat.close(CloseReason.DONE)  # as the session does that said so
            case 7 if ear:
                live.lose(seat.id, ear)
            case 8:
                await live.chat(seat.id, "words")
            case 9:
                live.accept(seat.id, self.draw.randrange(4), sdp)
            case 10:
                live.ask(seat.id, self._order(self.draw.choice(self.seats)[1].id))
            case _:
                self._media()

    def _order(self, whom: str) -> Command:
        orders = (
            GiveRole(whom, True),
            HandOver(whom),
            Spotlight(whom),
            RaiseHand(True),
            StopSource(whom, Source.CAMERA),
            MuteAll(whom),
        )
        return self.draw.choice(orders)

    def _media(self) -> None:
        transports = [t for t in (*self.stage.media.publishers, *self.stage.media.subscribers) if not t.closed]
        if transports:
            transport = self.draw.choice(transports)
            event = self.draw.choice((Connected(), Disconnected(), Closed("peer closed")))
            transport.closed = isinstance(event, Closed)
            transport.on_event(event)

    async def blow(self, steps: int) -> None:
        """Begins something new while what came before is still under way."""
        under_way: set[asyncio.Task[None]] = set()
        for step in range(steps):
            what = self.come() if self.draw.random() < 0.4 else self.do()
            under_way.add(asyncio.create_task(what))
            if self.draw.random() < 0.5:
                await asyncio.sleep(0)
            if len(under_way) > 6:  # who comes waits for the database first
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            if step % 7 == 0:
                self.stage.clock.advance(self.draw.choice((0.2, 11.0, 61.0)))
                self.stage.registry.tick()
            if self.draw.random() < 0.03:
                self.stage.live.end(None, "Over.")
            self.fullest = max(self.fullest, len(self.stage.live.participants))
            self.look(self.stage.live)
            done = {task for task in under_way if task.done()}
            under_way -= done
            self.judge(done)
        await asyncio.wait(under_way)
        self.judge(under_way)

    @staticmethod
    def judge(done: set[asyncio.Task[None]]) -> None:
        """Refusals are fine, faults are not."""
        for task in done:
            error = task.exception()
            if error is not None and not isinstance(error, PymeetError):
                raise error

    @staticmethod
    def look(live: LiveRoom) -> None:
        """What holds at every moment."""
        assert {p.id for p in live.participants} == set(live._seats)
        assert {seat.token for seat in live._seats.values()} == set(live._by_token)
        assert len(live.participants) <= LIMIT
        assert {*live.state.hands, live.state.spotlight} - {None} <= set(live._seats)
        for seat in live._seats.values():
            assert not seat.is_gone
            assert seat.role is live._room.participant(seat.id).role
            assert {t.id for t in live._room.participant(seat.id).tracks} == set(seat.sends)


@pytest.mark.parametrize("seed", range(12))
async def test_a_storm_leaves_nothing_behind(stage: Stage, ann: User, db: Database, seed: int) -> None:
    """At every moment seats, people and tracks agree; at the end no connection is open and everybody's departure is stored."""
    storm = Storm(stage, ann, seed)

    await storm.blow(150)
    stage.live.end(None, "Over.")
    await turn()
    await stage.registry.close("The test is over.", 1)

    assert storm.fullest >= LIMIT - 1
    assert all(transport.closed for transport in (*stage.media.publishers, *stage.media.subscribers))
    assert all(seat.is_gone for _, seat, _ in storm.seats)
    assert all(ear.closed is not None or seat.listener is not ear for _, seat, ear in storm.seats if ear)
    async with db.read() as conn:
        rows = (await conn.execute(text("SELECT count(*), count(left_at_ms) FROM attendance"))).one()
    assert rows[0] == rows[1] > 0
