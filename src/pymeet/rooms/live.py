"""`LiveRoom`: the rim around one `Room`. It keeps the members' connections and media in step with it, and stores what lasts.

Everything runs on the event loop; between two awaits nothing else happens, so the pure `Room` needs no lock.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

import structlog

from pymeet.accounts.texts import clean_line
from pymeet.clock import Clock
from pymeet.errors import ConflictError, NotAllowedError, NotFoundError
from pymeet.ids import new_id, new_secret
from pymeet.meetings import service
from pymeet.private import private
from pymeet.rooms.commands import (
    RELOAD_S,
    SEAT_S,
    Command,
    End,
    Join,
    Leave,
    Lose,
    MarkRecording,
    Mute,
    Remove,
    Return,
    Say,
    Send,
    Speak,
    StopRecording,
)
from pymeet.rooms.events import (
    Closing,
    Ended,
    Event,
    MarkerSet,
    MediaChanged,
    MessageAdded,
    ParticipantChanged,
    ParticipantLeft,
    RecordingChanged,
    Removed,
    RoomEvent,
    SpeakersChanged,
    TrackMuted,
    Welcome,
)
from pymeet.rooms.forwarding import Forwarding
from pymeet.rooms.joining import JoinRequest, RecordingAnswer, Resume
from pymeet.rooms.media import MediaServer, PublishTransport, SubscribeTransport, TrackWish
from pymeet.rooms.member import CloseReason, Listener
from pymeet.rooms.people import Departure, Kind, Participant, Source
from pymeet.rooms.permissions import Verb, role_for
from pymeet.rooms.publishing import Publishing, records_of
from pymeet.rooms.recorder import Recordings
from pymeet.rooms.recording import EndReason, RecordingState
from pymeet.rooms.recording_rim import RecordingRim
from pymeet.rooms.room import Room
from pymeet.rooms.seat import Seat
from pymeet.sfu.events import Connected, Disconnected, TransportEvent
from pymeet.sfu.speaker import SpeakerDetector

_log = structlog.get_logger(__name__)

MediaConnection = Literal["publish", "subscribe"]

NAME_LIMIT = 60
MARKER_LIMIT = 80
HISTORY = 200
"""How many chat messages somebody gets who comes in."""
_MAX_REMOVED = 1_000
"""How many tokens of removed people are remembered; the oldest goes first."""


class LiveRoom:
    """One meeting that is going on. The methods that name a participant raise NotFoundError when they are not here."""

    def __init__(
        self,
        room: service.Room,
        *,
        media: MediaServer,
        meetings: service.Meetings,
        clock: Clock,
        max_participants: int,
        guests_allowed: bool,
        departed: Callable[[str], None],
        recordings: Recordings | None = None,
    ) -> None:
        self.id = room.id
        self.slug = room.slug
        self.name = room.name
        self.empty_since: float | None = clock.monotonic()
        """When the last one left, in monotonic seconds; None while somebody has a seat."""
        self._owner_id = room.owner_id
        self._meetings = meetings
        self._clock = clock
        self._guests_allowed = guests_allowed
        self._departed = departed
        self._room = Room(max_participants=max_participants)
        self._seats: dict[str, Seat] = {}
        self._by_token: dict[str, Seat] = {}
        self._removed_tokens: dict[str, None] = {}
        self._chat = asyncio.Lock()
        """Held from storing a message to telling it, and from reading the history to taking a seat: none is missed or told twice."""
        self._detector = SpeakerDetector()
        self._publishing = Publishing(media=media, clock=clock, hear=self._hear_publishing)
        self._forwarding = Forwarding(
            media=media, clock=clock, room=self._room, seats=self._seats, hear=self._hear_receiving
        )
        self._recording = RecordingRim(
            recordings=recordings,
            clock=clock,
            room=self._room,
            seats=self._seats,
            do=self._do,
            broadcast=self._broadcast,
        )

    # -- what is ------------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether the meeting ended; then nobody comes in any more."""
        return self._room.ended

    @property
    def participants(self) -> tuple[Participant, ...]:
        """Everybody with a seat."""
        return self._room.participants

    @property
    def recording(self) -> RecordingState | None:
        """The recording that is under way."""
        return self._room.recording

    def seat(self, participant_id: str) -> Seat:
        """The seat of a participant."""
        found = self._seats.get(participant_id)
        if found is None:
            raise NotFoundError("Nobody like that is in this meeting.")
        return found

    # -- coming and going ---------------------------------------------------------------------------------------

    async def join(self, request: JoinRequest) -> Seat:
        """Gives a seat, or back the one that `request.resume` names; the listener's first event is a `Welcome`.

        Raises InvalidInputError (the name), NotSignedInError, NotAllowedError (removed before), TooManyError with code
        `room_full`, or NotFoundError when the meeting is over or the room gone.
        """
        resume = request.resume
        if resume is not None and resume.token in self._removed_tokens:
            raise NotAllowedError("You were removed from this meeting by a host.")
        seat = None if resume is None else self._by_token.get(resume.token)
        # the seat of a signed-in person is theirs alone
        if seat is not None and seat.user_id not in (None, request.user.id if request.user else None):
            seat = None
        if seat is None or resume is None:
            return await self._take_seat(request)
        return await self._take_back(seat, request, resume)

    async def _take_seat(self, request: JoinRequest) -> Seat:
        name = clean_line(request.name, what="Your name", limit=NAME_LIMIT)
        role = role_for(
            request.user, owner_id=self._owner_id, guests_allowed=self._guests_allowed, admitted=request.admitted
        )
        user_id = request.user.id if request.user else None
        seat = Seat(
            participant_id=new_id(), token=new_secret(), name=name, role=role, kind=request.kind, user_id=user_id
        )
        # the place is taken before anything is awaited: two who come at once cannot both get the last one
        self._do(Join(name, role, request.kind), seat.id)
        self._seats[seat.id] = self._by_token[seat.token] = seat
        self.empty_since = None
        entry = seat.entries
        try:
            await self._meetings.attended(self.id, seat.id, name, user_id, request.kind.value)
            seat.is_noted = True
            if seat.is_gone:
                self._departed(seat.id)
            await self._recording.answer_joining(seat, request.recording)
            async with self._chat:
                await self._enter(seat, request.listener, entry, resumed=False, after=None)
        except BaseException:
            self._do(Leave(Departure.LOST), seat.id)
            raise
        _log.info(
            "joined", room=self.id, participant=seat.id, role=role.value, kind=seat.kind.value, name=private(name)
        )
        return seat

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
            async with self._chat:
                await self._enter(seat, request.listener, entry, resumed=True, after=resume.last_message)
        except BaseException:
            if seat.entries == entry:
                self._do(Lose(), seat.id)
            raise
        self._forwarding.offer_anew(seat)
        _log.info("resumed", room=self.id, participant=seat.id)
        return seat

    async def _enter(
        self, seat: Seat, listener: Listener | None, entry: int, *, resumed: bool, after: str | None
    ) -> None:
        """Reads the history and attaches the listener, with the chat held still in between."""
        stored = [] if listener is None else await self._meetings.messages(self.id, after_id=after, limit=HISTORY)
        if seat.is_gone:
            raise NotFoundError("This meeting is over, or you were removed from it.")
        if seat.entries != entry:
            raise ConflictError("Another connection took this seat.", code="taken_over")
        if listener is None:
            return
        messages = tuple(MessageAdded(m.id, m.participant_id, m.name, m.text, m.at_ms) for m in stored)
        seat.listener = listener
        seat.send(
            Welcome(
                you=seat.id,
                resumed=resumed,
                resume_token=seat.token,
                slug=self.slug,
                room_name=self.name,
                role=seat.role,
                kind=seat.kind,
                participants=self._room.participants,
                messages=messages,
                seat_s=SEAT_S,
                recording=self._room.recording,
            )
        )
        if self._room.speakers:
            seat.send(SpeakersChanged(self._room.speakers))
        self._forwarding.touch()

    def lose(self, participant_id: str, listener: Listener, *, page_closed: bool = False) -> None:
        """This connection of theirs broke; the seat is held, unless another connection has it already.

        With `page_closed` it is held only for as long as a reload takes.
        """
        seat = self._seats.get(participant_id)
        if seat is not None and seat.listener is listener:
            seat.listener = None
            self._do(Lose(RELOAD_S if page_closed else SEAT_S), seat.id)

    def leave(self, participant_id: str, reason: Departure = Departure.LEFT) -> None:
        """They give the seat up; nothing happens when they have none."""
        self._do(Leave(reason), participant_id)

    def shut(self, closing: Closing) -> None:
        """The server goes away: everybody is told, and everything of this room is closed."""
        self.stop_recording(None, EndReason.SERVER)
        self._finish(closing, CloseReason.GOING_AWAY)
        self._room.apply(End(closing.reason), None, self._clock.monotonic())

    # -- what members ask for -----------------------------------------------------------------------------------

    def publish(self, participant_id: str, sdp: str, wishes: Mapping[str, TrackWish]) -> str:
        """Answers an offer; what `wishes` does not name ends. Raises DescriptionError, and then nothing has changed."""
        seat = self.seat(participant_id)
        self._room.check(participant_id, Verb.PUBLISH)
        answer = self._publishing.publish(seat, sdp, wishes)
        self._do(Send(records_of(seat)), seat.id)
        self._forwarding.touch()
        return answer

    def play(self, participant_id: str, offer_sdp: str, target: str | None = None) -> str:
        """Answers a player's offer with the tracks of `target` (id or name), or of whoever speaks.

        Raises DescriptionError, NotFoundError, or ConflictError when nothing is sent there.
        """
        seat = self.seat(participant_id)
        self._room.check(participant_id, Verb.RECEIVE)
        return self._forwarding.play(seat, offer_sdp, target)

    def accept(self, participant_id: str, number: int, sdp: str) -> None:
        """Takes a browser's answer to an `Offered`. Raises DescriptionError."""
        self._forwarding.accept(self.seat(participant_id), number, sdp)

    def restart(self, participant_id: str, *, fresh: bool = False) -> None:
        """Offers anew to a browser, with new ICE credentials or for a new peer connection."""
        seat = self.seat(participant_id)
        self._room.check(participant_id, Verb.RECEIVE)
        self._forwarding.restart(seat, fresh=fresh)

    def restart_ice(self, participant_id: str, ufrag: str) -> tuple[str, str]:
        """ICE restart of a WHIP or WHEP session: the client's new name in, the server's new name and password out."""
        seat = self.seat(participant_id)
        transport = seat.publishing or seat.receiving
        if transport is None:
            raise NotFoundError("There is no media session.")
        return transport.restart(ufrag)

    def mute(self, participant_id: str, source: Source, muted: bool) -> None:
        """Stops or starts forwarding at once. Raises NotFoundError when nothing comes from that source."""
        self._do(Mute(source, muted), participant_id)

    async def chat(self, participant_id: str, text: str) -> None:
        """Stores a message, then tells it to everybody; when this returns it is on the disk. Raises InvalidInputError."""
        async with self._chat:
            writer = self._room.check(participant_id, Verb.CHAT)
            stored = await self._meetings.add_message(self.id, participant_id, writer.name, text)
            self._do(Say(stored.id, stored.participant_id, stored.name, stored.text, stored.at_ms), None)

    def remove(self, by: str, participant_id: str) -> None:
        """A host sends somebody out: their media stops at once and their seat cannot be taken back."""
        self._do(Remove(participant_id), by)

    def remove_person(self, person_id: str, reason: str) -> None:
        """The server sends somebody out: a member, by the account's id, of all their seats; a guest, by the seat's."""
        for seat in [seat for seat in self._seats.values() if person_id in (seat.user_id, seat.id)]:
            self._do(Remove(seat.id, reason), None)

    def end(self, by: str | None, reason: str) -> None:
        """A host, or the server (None), ends the meeting for everybody."""
        self._do(End(reason), by)

    async def start_recording(self, by: str, with_chat: bool) -> None:
        """A host starts recording, with the chat or without; nothing happens when it runs already. When this returns,
        everybody was told. Raises PymeetError, with a sentence for the host, when it cannot start."""
        await self._recording.start(by, self.id, self.name, with_chat)

    async def answer_recording(self, participant_id: str, given: RecordingAnswer) -> None:
        """Somebody agrees to be recorded, or not, at any time. A yes is on the disk before anything is taken; after a no
        nothing more is taken, and then it is written.

        Raises NotFoundError when nothing is recorded, ConflictError when it is another recording, NotAllowedError for
        publishers and players, and PymeetError with code `recording_failed` when it cannot be written down.
        """
        await self._recording.answer(self.seat(participant_id), given)

    def mark_recording(self, by: str, text: str | None) -> None:
        """A host who is recorded marks this moment."""
        said = None if text is None else clean_line(text, what="The marker", limit=MARKER_LIMIT)
        self._do(MarkRecording(said), by)

    def stop_recording(self, by: str | None, reason: EndReason = EndReason.HOST) -> None:
        """A host, or the server (None), stops recording; nothing happens when nothing is recorded."""
        self._do(StopRecording(reason), by)

    def withdraw_recording(self, person_id: str) -> None:
        """Takes nothing more of somebody who took their consent back elsewhere: a member, by the account's id, of all
        their seats; a guest, by the seat's. When this returns, no more packet of theirs is recorded."""
        self._recording.withdraw(person_id)

    def tick(self) -> None:
        """What time brings; to be called about every 200 ms."""
        if self.is_over:
            return
        now = self._clock.monotonic()
        for event in self._room.handle_timer(now):
            self._tell(event)
        self._recording.tick()
        self._forwarding.offer_due()
        speakers = self._detector.update(self._publishing.levels(self._seats.values()), now)
        if speakers is not None:
            self._do(Speak(speakers), None)

    # -- telling what happened ----------------------------------------------------------------------------------

    def _do(self, command: Command, by: str | None) -> None:
        for event in self._room.apply(command, by, self._clock.monotonic()):
            self._tell(event)
        self._recording.sync()

    def _tell(self, event: RoomEvent) -> None:
        match event:
            case TrackMuted(participant_id, track_id, muted):
                self._seats[participant_id].sends[track_id].set_muted(muted, self._clock.monotonic())
            case Removed(participant_id):
                self._send_out(self._seats[participant_id], event)
            case ParticipantLeft(participant_id):
                self._vacate(participant_id)
                self._broadcast(event)
                self._forwarding.touch()
                _log.info("left", room=self.id, participant=participant_id, reason=event.reason.value)
            case Ended():
                self._finish(event, CloseReason.ENDED)
                _log.info("meeting ended", room=self.id)
            case SpeakersChanged():
                self._broadcast(event)
                if any(seat.kind is Kind.PLAYER for seat in self._seats.values()):
                    self._forwarding.touch()
            case ParticipantChanged() | MessageAdded():
                self._broadcast(event)
            case RecordingChanged():
                self._recording.changed(event)
            case MarkerSet():
                self._recording.send(event)

    def _broadcast(self, event: Event) -> None:
        for seat in list(self._seats.values()):
            seat.send(event)
        self._recording.send(event)

    def _send_out(self, seat: Seat, event: Removed) -> None:
        seat.send(event)
        seat.close(CloseReason.REMOVED)
        self._removed_tokens[seat.token] = None
        if len(self._removed_tokens) > _MAX_REMOVED:
            del self._removed_tokens[next(iter(self._removed_tokens))]

    def _vacate(self, participant_id: str) -> None:
        seat = self._seats.pop(participant_id, None)
        if seat is None:
            return
        now = self._clock.monotonic()
        seat.is_gone = True
        self._by_token.pop(seat.token, None)
        seat.stop_publishing(now)
        seat.stop_receiving(now)
        if seat.is_noted:
            self._departed(seat.id)
        if not self._seats:
            self.empty_since = now

    def _finish(self, event: Event, reason: CloseReason) -> None:
        self._broadcast(event)
        for seat in list(self._seats.values()):
            seat.close(reason)
            self._vacate(seat.id)
        self._forwarding.close()

    # -- what the media server tells ----------------------------------------------------------------------------

    def _hear_publishing(self, seat: Seat, transport: PublishTransport, event: TransportEvent) -> None:
        if seat.publishing is transport:
            self._hear(seat, "publish", event)

    def _hear_receiving(self, seat: Seat, transport: SubscribeTransport, event: TransportEvent) -> None:
        if seat.receiving is transport:
            self._hear(seat, "subscribe", event)

    def _hear(self, seat: Seat, connection: MediaConnection, event: TransportEvent) -> None:
        """A connection that was replaced or closed on purpose is no longer heard."""
        is_media_only = seat.kind is not Kind.BROWSER
        match event:
            case Connected():
                seat.send(MediaChanged(connection, "connected"))
                if is_media_only:
                    self._do(Return(), seat.id)
            case Disconnected():
                seat.send(MediaChanged(connection, "disconnected"))
                if is_media_only:
                    self._do(Lose(), seat.id)
            case _:
                self._lose_media(seat, connection, event.reason)
                if is_media_only:
                    self._do(Leave(Departure.LOST), seat.id)

    def _lose_media(self, seat: Seat, connection: MediaConnection, reason: str) -> None:
        _log.info("media failed", room=self.id, participant=seat.id, connection=connection, reason=reason)
        now = self._clock.monotonic()
        seat.send(MediaChanged(connection, "failed"))
        if connection == "publish":
            seat.stop_publishing(now)
            self._do(Send(()), seat.id)
        else:
            seat.stop_receiving(now)
        self._forwarding.touch()
