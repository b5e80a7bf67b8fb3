"""`Registry`: slug → `LiveRoom`. Opens rooms when somebody comes, forgets them when they stay empty, and drives their clocks."""

import asyncio
from collections.abc import Callable

import structlog

from pymeet.accounts.throttle import AttemptLimiter
from pymeet.clock import Clock, together
from pymeet.config import Config
from pymeet.meetings import service
from pymeet.rooms.events import Closing
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.lobby import REFUSALS, REFUSALS_S
from pymeet.rooms.media import MediaServer
from pymeet.rooms.member import CloseReason, Listener
from pymeet.rooms.quality import Grade
from pymeet.rooms.recorder import Recordings

_log = structlog.get_logger(__name__)

TICK_S = 0.2
IDLE_S = 60.0
"""How long an empty room is remembered, with who was removed from it."""
WRONG_PASSWORDS = 10
"""How many wrong passwords of rooms may come from one network"""
WRONG_PASSWORDS_S = 300.0
"""in any so many seconds."""
CLOSE_S = 2.0
"""How long connections have to go when the server closes."""


class Registry:
    """All meetings that are going on. Its own task begins with the first meeting and is over when `close` returns."""

    def __init__(
        self,
        *,
        meetings: service.Meetings,
        sfu: MediaServer,
        clock: Clock,
        config: Config,
        recordings: Recordings | None = None,
        in_force: Callable[[], Config] | None = None,
        knocked: Callable[[str, str], None] = lambda _room_id, _owner_id: None,
        check_load: Callable[[], None] = lambda: None,
    ) -> None:
        """`in_force` is the configuration as administrators changed it, asked each time; without it `config` holds.

        `knocked` is told of a room and its owner when somebody waits there and the owner is not in it.
        `check_load` raises BusyError while nobody new is to come in.
        """
        self._check_load = check_load
        self._in_force = in_force or (lambda: config)
        self._media = sfu
        self._meetings = meetings
        self._clock = clock
        self._recordings = recordings
        self._knocked = knocked
        self._rooms: dict[str, LiveRoom] = {}
        self._wrong_passwords = AttemptLimiter(limit=WRONG_PASSWORDS, window_s=WRONG_PASSWORDS_S)
        self._refusals = AttemptLimiter(limit=REFUSALS, window_s=REFUSALS_S)
        self._visitors: set[Listener] = set()
        self._closing: Closing | None = None
        # at most one entry per seat that was noted, so it is bounded by how fast attendance can be stored
        self._departures: asyncio.Queue[str | None] = asyncio.Queue()
        self._ticking: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    async def close(self, reason: str, retry_s: int) -> None:
        """Tells everybody that the server goes away, closes every connection within two seconds, and stores who left."""
        self._closing = Closing(reason, retry_s)
        for live in self._rooms.values():
            live.shut(self._closing)
        self._rooms.clear()
        visitors = list(self._visitors)
        for visitor in visitors:
            visitor.send(self._closing)
            visitor.close(CloseReason.GOING_AWAY)
        if visitors:
            try:
                async with asyncio.timeout(CLOSE_S):
                    await asyncio.gather(*(visitor.wait_closed() for visitor in visitors))
            except TimeoutError:
                _log.warning("connections left open", count=len(self._visitors))
        if self._ticking is not None:
            self._ticking.cancel()
        self._departures.put_nowait(None)
        if self._task is not None:
            await self._task

    # -- rooms --------------------------------------------------------------------------------------------------

    def open(self, room: service.Room) -> LiveRoom:
        """The meeting in this room; it begins when there is none. Join it before anything is awaited.

        Who joins is let in by the settings of that moment, whatever `room` says.
        """
        live = self._rooms.get(room.slug)
        if live is None or live.is_over or live.id != room.id:
            live = LiveRoom(
                room,
                media=self._media,
                meetings=self._meetings,
                clock=self._clock,
                limits=self._in_force().rooms,
                guests_allowed=lambda: self._in_force().rooms.guests_allowed,
                wrong_passwords=self._wrong_passwords,
                refusals=self._refusals,
                departed=self._departures.put_nowait,
                recordings=self._recordings,
                knocked=self._knocked,
                check_load=self._check_load,
            )
            if self._closing is None:
                self._rooms[room.slug] = live
                if self._task is None:
                    self._task = asyncio.create_task(self._store_departures(), name="rooms")
                    self._wait_a_tick()
            else:
                live.end(None, self._closing.reason)  # nobody comes in any more
        return live

    def live(self, slug: str) -> LiveRoom | None:
        """The meeting in this room, if one is going on."""
        live = self._rooms.get(slug)
        return None if live is None or live.is_over else live

    def meetings(self) -> list[LiveRoom]:
        """Every meeting with somebody in it, or waiting to come in."""
        return [live for live in self._rooms.values() if not live.is_over and (live.participants or live.waiting)]

    async def refresh(self, slug: str) -> None:
        """The settings of a room were changed. Raises NotFoundError when it is gone."""
        live = self.live(slug)
        if live is not None:
            await live.refresh()

    async def end(self, slug: str, reason: str) -> None:
        """Ends the meeting in a room that is no more; nothing happens when there is none."""
        live = self._rooms.pop(slug, None)
        if live is not None:
            live.end(None, reason)

    async def remove_person(self, person_id: str, reason: str) -> None:
        """Sends somebody out of every meeting: a member, by the account's id, or a guest, by the id of their seat."""
        for live in list(self._rooms.values()):
            live.remove_person(person_id, reason)

    def withdraw_recording(self, person_id: str, recording_id: str) -> None:
        """Takes nothing more of somebody who took their consent to this recording back elsewhere."""
        for live in list(self._rooms.values()):
            if live.recording is not None and live.recording.id == recording_id:
                live.withdraw_recording(person_id)

    def running(self) -> frozenset[str]:
        """The ids of the rooms in which somebody is now."""
        return frozenset(live.id for live in self._rooms.values() if live.participants)

    def people(self, slug: str) -> int:
        """How many have a seat in this room now."""
        live = self._rooms.get(slug)
        return 0 if live is None else len(live.participants)

    def counts(self) -> dict[str, int]:
        """How many meetings, participants and connections there are: for the metrics."""
        busy = [live for live in self._rooms.values() if live.participants]
        return {
            "rooms": len(busy),
            "participants": sum(len(live.participants) for live in busy),
            "connections": len(self._visitors),
        }

    def graded(self, grade: Grade) -> int:
        """How many participants have a connection of that grade: for the metrics."""
        seats = [live.seat(each.id) for live in self._rooms.values() for each in live.participants]
        return sum(seat.quality.verdict is not None and seat.quality.verdict.grade is grade for seat in seats)

    # -- connections --------------------------------------------------------------------------------------------

    def enter(self, visitor: Listener) -> None:
        """A connection opened, joined or not; it is closed when the server goes away."""
        self._visitors.add(visitor)
        if self._closing is not None:
            visitor.send(self._closing)
            visitor.close(CloseReason.GOING_AWAY)

    def exit(self, visitor: Listener) -> None:
        """A connection is gone."""
        self._visitors.discard(visitor)

    # -- time ---------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """What time brings to all rooms. A room that fails at it does not stop the others."""
        now = self._clock.monotonic()
        self._wrong_passwords.forget(now)
        self._refusals.forget(now)
        for slug, live in list(self._rooms.items()):
            try:
                live.tick()
            except Exception:
                _log.exception("a room's clock failed", room=live.id)
            is_idle = live.empty_since is not None and now >= live.empty_since + IDLE_S
            if live.is_over or is_idle:
                del self._rooms[slug]

    def _wait_a_tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._ticking = loop.call_at(together(loop.time() + TICK_S, TICK_S), self._tick_on)

    def _tick_on(self) -> None:
        self._wait_a_tick()
        self.tick()

    async def _store_departures(self) -> None:
        while (participant_id := await self._departures.get()) is not None:
            try:
                await self._meetings.left(participant_id)
            except Exception:
                # what stays open here is closed when the server starts the next time
                _log.exception("storing a departure failed", participant=participant_id)
