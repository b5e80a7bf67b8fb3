"""How people come into a live room, and back into it. Part of the rim of a live room; who may stands in `entry.py`."""

import asyncio
from collections.abc import Callable, MutableMapping

import structlog

from pymeet.accounts.texts import clean_line
from pymeet.clock import Clock
from pymeet.errors import ConflictError, NotFoundError, NotSignedInError
from pymeet.ids import new_id, new_secret
from pymeet.meetings import service
from pymeet.private import private
from pymeet.rooms.chat import Chat
from pymeet.rooms.commands import SEAT_S, Command, Configure, Join, Leave, Lose, Return, Send
from pymeet.rooms.entry import Entry
from pymeet.rooms.events import LobbyChanged, SpeakersChanged, Waits, Welcome
from pymeet.rooms.forwarding import Forwarding
from pymeet.rooms.joining import JoinRequest, Resume
from pymeet.rooms.lobby import Lobby
from pymeet.rooms.member import CloseReason, Listener
from pymeet.rooms.people import Departure, Role, WaitingPerson
from pymeet.rooms.permissions import HOSTING
from pymeet.rooms.recording_rim import RecordingRim
from pymeet.rooms.room import Room
from pymeet.rooms.seat import Seat

_log = structlog.get_logger(__name__)

NAME_LIMIT = 60


class Arrivals:
    """The way into one meeting. Between two awaits nothing else happens, so a place that is free is taken at once."""

    def __init__(
        self,
        *,
        max_participants: int,
        meetings: service.Meetings,
        clock: Clock,
        room: Room,
        seats: MutableMapping[str, Seat],
        by_token: MutableMapping[str, Seat],
        entry: Entry,
        lobby: Lobby,
        chat: Chat,
        recording: RecordingRim,
        forwarding: Forwarding,
        do: Callable[[Command, str | None], None],
        departed: Callable[[str], None],
        check_load: Callable[[], None],
    ) -> None:
        self.under_way = 0
        """How many ask to come in now; a meeting on which somebody waits is not forgotten."""
        self._max_participants = max_participants
        self._meetings = meetings
        self._clock = clock
        self._room = room
        self._seats = seats
        self._by_token = by_token
        self._entry = entry
        self._lobby = lobby
        self._chat = chat
        self._recording = recording
        self._forwarding = forwarding
        self._do = do
        self._departed = departed
        self._check_load = check_load
        self._refreshing = asyncio.Lock()
        self._begun = self._done = 0
        """Which reading of the settings was begun last, and which ended well last."""

    async def join(self, request: JoinRequest) -> Seat:
        """As `LiveRoom.join`."""
        self.under_way += 1
        try:
            return await self._join(request)
        finally:
            self.under_way -= 1

    async def _join(self, request: JoinRequest) -> Seat:
        resume = request.resume
        seat = None if resume is None else self._by_token.get(resume.token)
        # the seat of a signed-in person is theirs alone
        if seat is not None and seat.user_id not in (None, request.user.id if request.user else None):
            seat = None
        if seat is None or resume is None:
            return await self._take_seat(request)
        return await self._take_back(seat, request, resume)

    async def refresh(self) -> None:
        """As `LiveRoom.refresh`."""
        asked = self._begun
        async with self._refreshing:  # or an older reading could come last
            if self._done > asked:
                return  # that one began after we asked: where many come at once, it is read for all of them
            self._begun += 1
            room = await self._meetings.room(self._entry.room.slug)
            if room.id != self._entry.room.id:
                raise NotFoundError("There is no such room.")
            self._entry.room = room
            self._done = self._begun
            settings = room.settings
            most = settings.max_participants(self._max_participants)
            if not self._room.ended:
                self._do(Configure(most, settings.may_share, settings.may_record), None)
        if self._room.state.locked:
            return  # past the lock comes only whom a host admits
        for person in self._lobby.people:
            role = Role.MEMBER if person.is_member else Role.GUEST
            if not self._entry.must_wait(role, admitted=False):
                self._lobby.let_in(person.id)

    async def _take_seat(self, request: JoinRequest) -> Seat:
        name = clean_line(request.name, what="Your name", limit=NAME_LIMIT)
        # first of all, and never again: it costs nothing, and whom a host admits after a wait is not sent away
        self._check_load()
        await self.refresh()
        role = self._entry.role(request)
        passes_lock = role is Role.HOST
        self._room.check_entry(passes_lock=passes_lock)
        await self._entry.check_password(request, role)
        user_id = request.user.id if request.user else None
        participant_id = new_id()
        if self._entry.must_wait(role, admitted=request.admitted):
            passes_lock = await self._wait(request, participant_id, name)
        picture = new_secret() if user_id is not None and await self._meetings.has_picture(user_id) else None
        role = self._entry.role(request)  # again, for somebody may have been banned meanwhile
        if request.last_check is not None:
            request.last_check()
        seat = Seat(
            participant_id=participant_id,
            token=new_secret(),
            name=name,
            role=role,
            kind=request.kind,
            user_id=user_id,
            since_ms=self._clock.now_ms(),
            token_id=request.token_id,
        )
        # the place is taken before anything is awaited: two who come at once cannot both get the last one
        self._do(Join(name, role, request.kind, passes_lock, picture), seat.id)
        self._seats[seat.id] = self._by_token[seat.token] = seat
        entry = seat.entries
        try:
            await self._meetings.attended(self._entry.room.id, seat.id, name, user_id, request.kind.value)
            seat.is_noted = True
            if seat.is_gone:
                self._departed(seat.id)
            await self._recording.answer_joining(seat, request.recording)
            async with self._chat.held:
                await self._enter(seat, request.listener, entry, resumed=False, after=None)
        except BaseException:
            self._do(Leave(Departure.LOST), seat.id)
            raise
        _log.info(
            "joined",
            room=self._entry.room.id,
            participant=seat.id,
            role=role.value,
            kind=seat.kind.value,
            name=private(name),
        )
        return seat

    async def _wait(self, request: JoinRequest, participant_id: str, name: str) -> bool:
        """Whether a host admitted them."""
        if request.listener is None:
            raise NotSignedInError("A host must admit who comes into this room, so it wants a token.")
        person = WaitingPerson(participant_id, name, request.user is not None, self._clock.now_ms())
        told = Waits(participant_id, self._entry.room.slug, self._entry.room.name)
        user_id = request.user.id if request.user else None
        return await self._lobby.wait(person, user_id, request.network, request.listener, told)

    async def _take_back(self, seat: Seat, request: JoinRequest, resume: Resume) -> Seat:
        now = self._clock.monotonic()
        overtaken, seat.listener = seat.listener, None
        if overtaken is not None:
            overtaken.close(CloseReason.TAKEN_OVER)
        seat.entries += 1
        entry = seat.entries
        if not resume.keep_media:
            seat.stop_publishing(now)
            seat.stop_receiving(now)
            self._do(Send(()), seat.id)
            self._forwarding.touch()
        self._do(Return(), seat.id)
        try:
            await self._recording.answer_joining(seat, request.recording)
            async with self._chat.held:
                await self._enter(seat, request.listener, entry, resumed=True, after=resume.last_message)
        except BaseException:
            if seat.entries == entry:
                self._do(Lose(), seat.id)
            raise
        self._forwarding.offer_anew(seat)
        _log.info("resumed", room=self._entry.room.id, participant=seat.id)
        return seat

    async def _enter(
        self, seat: Seat, listener: Listener | None, entry: int, *, resumed: bool, after: str | None
    ) -> None:
        """Reads the history and attaches the listener, with the chat held still in between."""
        since_ms = None if self._entry.room.settings.chat_history else seat.since_ms
        messages = () if listener is None else await self._chat.history(seat, after, since_ms=since_ms)
        if seat.is_gone:
            raise NotFoundError("This meeting is over, or you were removed from it.")
        if seat.entries != entry:
            raise ConflictError("Another connection took this seat.", code="taken_over")
        if listener is None:
            return
        seat.listener = listener
        seat.send(
            Welcome(
                you=seat.id,
                resumed=resumed,
                resume_token=seat.token,
                slug=self._entry.room.slug,
                room_name=self._entry.room.name,
                role=seat.role,
                kind=seat.kind,
                state=self._room.state,
                participants=self._room.participants,
                messages=messages,
                seat_s=SEAT_S,
                recording=self._room.recording,
            )
        )
        if self._room.speakers or self._room.dominant:
            seat.send(SpeakersChanged(self._room.speakers, self._room.dominant))
        if self._lobby.people and seat.role in HOSTING:
            seat.send(LobbyChanged(self._lobby.people))
        self._forwarding.touch(seat)
