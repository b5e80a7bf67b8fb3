"""`LiveRoom`: the rim around one `Room`. It keeps the members' connections and media in step with it, and stores what lasts.

Everything runs on the event loop; between two awaits nothing else happens, so the pure `Room` needs no lock.
"""

from collections.abc import Callable, Mapping

import structlog

from pymeet.accounts.texts import clean_line, clean_text
from pymeet.accounts.throttle import AttemptLimiter
from pymeet.clock import Clock
from pymeet.config import RoomsConfig
from pymeet.errors import NotAllowedError, NotFoundError
from pymeet.meetings import service
from pymeet.rooms import pictures
from pymeet.rooms.arrivals import Arrivals
from pymeet.rooms.chat import Chat
from pymeet.rooms.commands import (
    RELOAD_S,
    SEAT_S,
    Command,
    End,
    Leave,
    Lose,
    MarkRecording,
    Mute,
    Remove,
    Send,
    Speak,
    StopRecording,
)
from pymeet.rooms.entry import BANNED, Entry
from pymeet.rooms.events import (
    Closing,
    Ended,
    Event,
    LobbyChanged,
    MarkerSet,
    MessageAdded,
    ParticipantChanged,
    ParticipantLeft,
    Reacted,
    RecordingChanged,
    Removed,
    RoomEvent,
    SourceStopped,
    SpeakersChanged,
    StateChanged,
    TrackMuted,
    TracksEnded,
)
from pymeet.rooms.forwarding import Forwarding
from pymeet.rooms.hearing import Hearing
from pymeet.rooms.joining import JoinRequest, RecordingAnswer
from pymeet.rooms.lobby import Lobby
from pymeet.rooms.media import MediaServer, TrackWish
from pymeet.rooms.member import CloseReason, Listener
from pymeet.rooms.people import Departure, Participant, RoomState, Source, WaitingPerson
from pymeet.rooms.permissions import HOSTING, MAY_SHARE, Verb
from pymeet.rooms.publishing import Publishing, records_of
from pymeet.rooms.recorder import Recordings
from pymeet.rooms.recording import EndReason, RecordingState
from pymeet.rooms.recording_rim import RecordingRim
from pymeet.rooms.room import Room
from pymeet.rooms.seat import Seat
from pymeet.rooms.viewing import Watching
from pymeet.sfu.speaker import SpeakerDetector

_log = structlog.get_logger(__name__)

REASON_LIMIT = 200
MARKER_LIMIT = 80
_SHARED = frozenset({Source.SCREEN.value, Source.SCREEN_AUDIO.value})


class LiveRoom:
    """One meeting that is going on. The methods that name a participant raise NotFoundError when they are not here."""

    def __init__(
        self,
        room: service.Room,
        *,
        media: MediaServer,
        meetings: service.Meetings,
        clock: Clock,
        limits: RoomsConfig,
        guests_allowed: Callable[[], bool],
        wrong_passwords: AttemptLimiter,
        refusals: AttemptLimiter,
        departed: Callable[[str], None],
        recordings: Recordings | None = None,
        knocked: Callable[[str, str], None] = lambda _room_id, _owner_id: None,
        check_load: Callable[[], None] = lambda: None,
    ) -> None:
        """`knocked` is told of this room and its owner when somebody waits without the owner; `check_load` may raise BusyError."""
        self.id = room.id
        self.slug = room.slug
        self.name = room.name
        self.since_ms = clock.now_ms()
        """When the meeting began (UTC); an absence of everybody for less than a minute does not end it."""
        self._empty_since = clock.monotonic()
        self._clock = clock
        self._departed = departed
        self._knocked = knocked
        self._room = Room(max_participants=limits.max_participants)
        self._seats: dict[str, Seat] = {}
        self._by_token: dict[str, Seat] = {}
        self._entry = Entry(
            room, guests_allowed=guests_allowed, passwords=meetings.passwords, wrong=wrong_passwords, clock=clock
        )
        self._lobby = Lobby(self._tell_lobby, refusals, clock)
        self._chat = Chat(
            room_id=room.id,
            meetings=meetings,
            room=self._room,
            seats=self._seats,
            say=lambda said: self._do(said, None),
            has_history=lambda: self._entry.room.settings.chat_history,
        )
        self._detector = SpeakerDetector()
        hearing = Hearing(room_id=room.id, clock=clock, do=self._do, changed=lambda: self._forwarding.touch())
        self._publishing = Publishing(media=media, clock=clock, hear=hearing.publishing, last_voices=limits.last_voices)
        self._forwarding = Forwarding(
            media=media,
            clock=clock,
            room=self._room,
            seats=self._seats,
            hear=hearing.receiving,
            last_videos=limits.last_videos,
        )
        self._recording = RecordingRim(
            recordings=recordings,
            clock=clock,
            room=self._room,
            seats=self._seats,
            do=self._do,
            broadcast=self._broadcast,
        )
        self._arrivals = Arrivals(
            max_participants=limits.max_participants,
            meetings=meetings,
            clock=clock,
            room=self._room,
            seats=self._seats,
            by_token=self._by_token,
            entry=self._entry,
            lobby=self._lobby,
            chat=self._chat,
            recording=self._recording,
            forwarding=self._forwarding,
            do=self._do,
            departed=departed,
            check_load=check_load,
        )

    # -- what is ------------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether the meeting ended; then nobody comes in any more."""
        return self._room.ended

    @property
    def empty_since(self) -> float | None:
        """When the last one left, in monotonic seconds; None while somebody has a seat or asks to come in."""
        return None if self._seats or self._arrivals.under_way else self._empty_since

    @property
    def state(self) -> RoomState:
        """What everybody knows of the meeting as a whole."""
        return self._room.state

    @property
    def participants(self) -> tuple[Participant, ...]:
        """Everybody with a seat."""
        return self._room.participants

    @property
    def waiting(self) -> tuple[WaitingPerson, ...]:
        """Who waits to be admitted."""
        return self._lobby.people

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

    def pictured(self, words: str) -> str:
        """The account whose picture somebody here asks for (`pictures.py`). Raises NotFoundError, also for who is gone."""
        present = self._room.participants if pictures.viewer_of(words) in self._seats else ()
        for each in present:
            user_id = self._seats[each.id].user_id
            if each.picture is not None and user_id is not None and pictures.are_for(words, each.picture):
                return user_id
        raise NotFoundError("There is no such picture.")

    # -- coming and going ---------------------------------------------------------------------------------------

    async def join(self, request: JoinRequest) -> Seat:
        """Gives a seat, or back the one that `request.resume` names; the listener's first event is a `Welcome`, or `Waits`
        before that, where a host must admit them.

        Raises InvalidInputError (the name), NotSignedInError, NotAllowedError (removed before; codes `locked`,
        `wrong_password` and `refused`), TooManyError (also `room_full`), BusyError, NotFoundError when the meeting is over or the room
        gone, or ConflictError when the connection was closed or overtaken meanwhile.
        """
        return await self._arrivals.join(request)

    async def refresh(self) -> None:
        """Reads the room's settings again, for what happens from now on. Raises NotFoundError when the room is gone."""
        await self._arrivals.refresh()

    def lose(self, participant_id: str, listener: Listener, *, page_closed: bool = False) -> None:
        """This connection of theirs broke; the seat is held, unless another connection has it already.

        With `page_closed` it is held only for as long as a reload takes.
        """
        seat = self._seats.get(participant_id)
        if seat is not None and seat.listener is listener:
            seat.listener = None
            self._do(Lose(RELOAD_S if page_closed else SEAT_S), seat.id)

    def stop_waiting(self, listener: Listener) -> None:
        """The connection of somebody who waits to be admitted is gone; nothing happens when nobody waits there."""
        self._lobby.left(listener)

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
        publisher = self._room.check(participant_id, Verb.PUBLISH)
        sources = {wish.source for wish in wishes.values()}
        if (
            publisher.role not in MAY_SHARE[self._room.state.may_share]
            and sources & _SHARED
            and not {track.source for track in seat.sends.values()} & _SHARED  # what began before goes on
        ):
            raise NotAllowedError("In this room you may not share your screen.")
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

    def watch(self, participant_id: str, watching: Watching) -> None:
        """A browser shows what it receives in these sizes from now on, or a player chose so much of the picture."""
        seat = self.seat(participant_id)
        self._room.check(participant_id, Verb.RECEIVE)
        self._forwarding.watch(seat, watching)

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

    async def chat(self, participant_id: str, text: str, to: str | None = None) -> None:
        """Stores a message, then tells it to everybody, or to one; when this returns it is on the disk.

        Raises InvalidInputError, or NotAllowedError for a private message to who cannot read it.
        """
        await self._chat.write(participant_id, text, to, self._entry.room.settings.chat_limit)

    async def edit_message(self, by: str, message_id: str, text: str) -> None:
        """Changes a message of the asker, and tells so. Raises NotFoundError, NotAllowedError, ConflictError, InvalidInputError."""
        await self._chat.edit(by, message_id, text)

    async def delete_message(self, by: str, message_id: str) -> None:
        """Deletes a message, the asker's or, by a host, anybody's. Raises NotFoundError, NotAllowedError, ConflictError."""
        await self._chat.delete(by, message_id)

    def ask(self, by: str | None, command: Command) -> None:
        """Does what needs nothing but the room itself. Raises NotAllowedError, or NotFoundError for somebody not here."""
        self._do(command, by)

    def admit(self, by: str, person_id: str | None) -> None:
        """A host lets in who waits, one or (None) everybody. Raises NotFoundError when they do not wait, TooManyError
        (`room_full`) when somebody has to go on waiting."""
        self._room.check(by, Verb.ADMIT)
        self._lobby.admit(person_id, self._room.free)

    def refuse(self, by: str, person_id: str, reason: str | None) -> None:
        """A host sends away who waits. Raises NotFoundError when they do not wait, InvalidInputError for the reason."""
        self._room.check(by, Verb.ADMIT)
        self._lobby.refuse(person_id, reason and clean_text(reason, what="The reason", limit=REASON_LIMIT))

    def remove(self, by: str, participant_id: str, *, ban: bool = False) -> None:
        """A host sends somebody out: their media stops at once and their seat cannot be taken back. With `ban` all seats of
        that account go, and nobody comes back with it, or with the same room token."""
        self._room.check(by, Verb.REMOVE)
        removed = self.seat(participant_id)
        others = [seat for seat in self._seats.values() if seat is not removed and seat.is_same_person(removed)]
        if ban:
            for seat in others:
                if self._room.check_over(by, Verb.REMOVE, seat.id)[0].id == seat.id:
                    raise NotAllowedError("You cannot ban yourself.")
        self._do(Remove(participant_id, ban=ban), by)
        if ban:
            for seat in others:
                self._do(Remove(seat.id, ban=True), None)
            if removed.user_id is not None:
                self._lobby.refuse_account(removed.user_id, BANNED)

    def remove_person(self, person_id: str, reason: str) -> None:
        """The server sends somebody out: a member, by the account's id, of all their seats; a guest, by the seat's."""
        for seat in [seat for seat in self._seats.values() if person_id in (seat.user_id, seat.id)]:
            self._do(Remove(seat.id, reason), None)
        self._lobby.refuse_account(person_id, reason)

    def end(self, by: str | None, reason: str) -> None:
        """A host, or the server (None), ends the meeting for everybody."""
        self._do(End(reason), by)

    async def start_recording(self, by: str, with_chat: bool) -> None:
        """A host starts recording, with the chat or without; nothing happens when it runs already. When this returns,
        everybody was told. Raises PymeetError, with a sentence for the host, when it cannot start."""
        self._room.check(by, Verb.RECORD)
        if self.seat(by).user_id is None:
            raise NotAllowedError("Sign in to record a meeting: somebody must answer for the recording.")
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
        self._forwarding.tick()
        said = self._detector.update(self._publishing.listen(), now)
        if said is not None:
            self._do(Speak(said.participants, said.dominant), None)

    # -- telling what happened ----------------------------------------------------------------------------------

    def _do(self, command: Command, by: str | None) -> None:
        for event in self._room.apply(command, by, self._clock.monotonic()):
            self._tell(event)
        self._recording.sync()

    def _tell(self, event: RoomEvent) -> None:
        match event:
            case TrackMuted(participant_id, track_id, muted):
                track = self._seats[participant_id].sends[track_id]
                track.set_muted(muted, self._clock.monotonic())
                if track.kind == "video":
                    self._forwarding.touch()  # its place is free for another picture, or taken again
            case TracksEnded(participant_id, track_ids):
                seat = self._seats[participant_id]
                for track_id in track_ids:
                    seat.sends.pop(track_id).set_muted(True, self._clock.monotonic())
                self._forwarding.touch()
            case SourceStopped(participant_id):
                self._seats[participant_id].send(event)
            case StateChanged() | Reacted():
                self._tell_everybody(event)
                self._forwarding.spotlit(self._room.state.spotlight)
            case Removed(participant_id):
                self._send_out(self._seats[participant_id], event)
            case ParticipantLeft(participant_id):
                if self._vacate(participant_id):
                    self._forwarding.touch()
                self._broadcast(event)
                _log.info("left", room=self.id, participant=participant_id, reason=event.reason.value)
            case Ended():
                self._finish(event, CloseReason.ENDED)
                _log.info("meeting ended", room=self.id)
            case SpeakersChanged(_, dominant):
                self._broadcast(event)
                self._forwarding.led_by(dominant)
            case ParticipantChanged(participant):
                self._broadcast(event)
                self._follow_role(participant)
            case MessageAdded():
                self._broadcast(event)
            case RecordingChanged():
                self._recording.changed(event)
            case MarkerSet():
                self._recording.send(event)

    def _broadcast(self, event: Event) -> None:
        self._tell_everybody(event)
        self._recording.send(event)

    def _tell_everybody(self, event: Event) -> None:
        for seat in list(self._seats.values()):
            seat.send(event)

    def _tell_lobby(self) -> None:
        for seat in [seat for seat in self._seats.values() if seat.role in HOSTING]:
            seat.send(LobbyChanged(self._lobby.people))
        owner_id = self._entry.room.owner_id
        is_here = any(seat.user_id == owner_id for seat in self._seats.values())
        if self._lobby.people and owner_id is not None and not is_here:
            self._knocked(self.id, owner_id)

    def _follow_role(self, participant: Participant) -> None:
        seat = self._seats.get(participant.id)
        if seat is None or seat.role is participant.role:
            return
        is_new = seat.role not in HOSTING
        seat.role = participant.role
        if is_new and self._lobby.people and seat.role in HOSTING:
            seat.send(LobbyChanged(self._lobby.people))

    def _send_out(self, seat: Seat, event: Removed) -> None:
        seat.send(event)
        seat.close(CloseReason.REMOVED)
        self._entry.removed(seat, ban=event.ban)

    def _vacate(self, participant_id: str) -> bool:
        """Takes the seat away; whether others could receive something from there."""
        seat = self._seats.pop(participant_id, None)
        if seat is None:
            return False
        now, was_received = self._clock.monotonic(), bool(seat.sends)
        seat.is_gone = True
        self._by_token.pop(seat.token, None)
        seat.stop_publishing(now)
        seat.stop_receiving(now)
        if seat.is_noted:
            self._departed(seat.id)
        if not self._seats:
            self._empty_since = now
        return was_received

    def _finish(self, event: Ended | Closing, reason: CloseReason) -> None:
        self._broadcast(event)
        self._lobby.close(event, reason)
        for seat in list(self._seats.values()):
            seat.close(reason)
            self._vacate(seat.id)
        self._forwarding.close()
