"""One WebSocket connection has one owner, a `Session`. docs/protocol.md section 1.

It reads into a bounded inbox, does one thing at a time, and writes from a bounded outbox. The web layer has looked at
the cookie and the Origin before `handle` is called.
"""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from pymeet.accounts.model import User
from pymeet.clock import Clock, together
from pymeet.errors import (
    BusyError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    ProtocolError,
    PymeetError,
)
from pymeet.meetings.model import Room
from pymeet.ops.turn import IceServer
from pymeet.rooms.events import Event, MediaChanged, Waits, Welcome
from pymeet.rooms.joining import JoinRequest, RecordingAnswer, Resume
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.member import CloseReason
from pymeet.rooms.people import Departure, Kind
from pymeet.rooms.recording import Answer
from pymeet.rooms.registry import Registry
from pymeet.rooms.seat import Seat
from pymeet.signaling import messages
from pymeet.signaling.closing import CODE_OF, FORFEITS, CloseCode
from pymeet.signaling.dispatch import act, error_answer, internal_error
from pymeet.signaling.encoding import Shared, encode, is_alike, message_of
from pymeet.signaling.limits import Allowance
from pymeet.signaling.outbox import Frame, FrameKind, Outbox
from pymeet.signaling.parsing import id_of, parse
from pymeet.signaling.records import Message
from pymeet.signaling.sign_outs import SignOuts

_log = structlog.get_logger(__name__)

READ_LIMIT = 1024 * 1024
"""Bytes of a frame at which aiohttp gives up by itself (1009). Up to there the client is told why, see `parsing.FRAME_LIMIT`."""
_INBOX = 64
_FLUSH_S = 0.7
_HANG_UP_S = 0.7
"""Both together keep the promise that a closing server's connections are gone within two seconds."""

_SILENT_BEATS = 2
"""So long without a sign of life, and somebody is given up who has been asked for one."""
_TOGETHER = 1 / 20
"""Of a heartbeat: those of all connections that are so near each other fall together."""

_CHAT = (messages.Chat, messages.EditMessage, messages.DeleteMessage)
_DESCRIBING = (messages.Publish, messages.Restart)
_RECORDING = (messages.Record, messages.Consent, messages.Marker)

_OPCODES = {FrameKind.TEXT: WSMsgType.TEXT, FrameKind.PING: WSMsgType.PING, FrameKind.PONG: WSMsgType.PONG}


_shared = Shared()


ReceiptOf = Callable[[str, str], str]
"""`receipt_of(participant_id, room_id)`: the privacy receipt of a guest."""
TurnServer = Callable[[], IceServer | None]
"""New credentials for the operator's TURN server; None where there is none."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds."""

    heartbeat_s: float = 20.0
    """For when nothing flows: otherwise it shows by the media, and much sooner, that somebody is gone."""
    doubt_s: float = 8.0
    """How long somebody may be silent whose media do not arrive any more: so that TCP's fifth try, after 6.2 s, is waited for."""
    join_s: float = 10.0


async def handle(
    request: web.Request,
    *,
    registry: Registry,
    user: User | None,
    room: Room | None,
    clock: Clock,
    timing: Timing | None = None,
    receipt_of: ReceiptOf | None = None,
    turn: TurnServer | None = None,
    network: str = "",
    signed_in_by: str | None = None,
    sign_outs: SignOuts | None = None,
) -> web.WebSocketResponse:
    """Takes the request over as a WebSocket until it ends. Without a room the client is told so, with code 4404.

    `network` is from where they come, for what is counted by it. `signed_in_by` is the session by which `user` is signed
    in, and `sign_outs` tells when it ends: then the connection does, and the seat is given up. `receipt_of` makes the
    privacy receipts that guests get at joining; without it they get none. `turn` makes what everybody gets then.
    """
    socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=READ_LIMIT, timeout=_HANG_UP_S)
    try:
        await socket.prepare(request)
    except ConnectionError:
        return socket  # gone before the handshake was done: nothing to tell, and no fault of ours
    if room is None:
        gone = error_answer(NotFoundError("There is no such room."), None)
        await socket.send_frame(encode(gone), WSMsgType.TEXT)
        await socket.close(code=CloseCode.NOT_FOUND)
        return socket
    session = Session(request, socket, registry, user, room, clock, timing or Timing(), receipt_of, network, turn)
    with sign_outs.watching(signed_in_by, session.sign_out) if sign_outs else nullcontext():
        await session.run()
    return socket


class Session:
    """A `Listener`. It lives as long as the connection; the seat may live longer."""

    def __init__(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        registry: Registry,
        user: User | None,
        room: Room,
        clock: Clock,
        timing: Timing,
        receipt_of: ReceiptOf | None = None,
        network: str = "",
        turn: TurnServer | None = None,
    ) -> None:
        self._request = request
        self._socket = socket
        self._registry = registry
        self._user = user
        self._room = room
        self._clock = clock
        self._timing = timing
        self._receipt_of = receipt_of
        self._turn = turn
        self._network = network
        self._opened_at = self._heard_at = self._spoke_at = self._beat_at = clock.monotonic()
        self._asked_at = float("-inf")
        self._allowance = Allowance(self._opened_at)
        # a client that sends faster than its messages are done is no longer read: TCP slows it down
        self._inbox: asyncio.Queue[messages.ClientMessage | None] = asyncio.Queue(_INBOX)
        self._outbox = Outbox()
        self._written = asyncio.Event()
        self._ending = asyncio.Event()
        self._closed = asyncio.Event()
        self._code: CloseCode | None = None
        self._is_joining = False
        self._is_waiting = False
        self._is_leaving = False
        self._page_closed = False
        self._join_id: str | None = None
        self._me: str | None = None
        """Known from the Welcome on, which comes before `_seat` is there."""
        self._live: LiveRoom | None = None
        self._seat: Seat | None = None
        self._heart: asyncio.TimerHandle | None = None
        self._doubt: asyncio.TimerHandle | None = None

    # -- Listener -----------------------------------------------------------------------------------------------

    def send(self, event: Event) -> None:
        """Tells an event. A client that lets too much pile up is cut off (4408), and may resume."""
        if isinstance(event, MediaChanged) and event.state == "disconnected":
            self._ask_at_once()
        if is_alike(event):
            if _shared.is_empty:
                asyncio.get_running_loop().call_soon(_shared.forget)
            text = _shared.text(event)
            if text is not None:
                self._put(Frame(FrameKind.TEXT, text))
            return
        receipt = None
        if isinstance(event, Welcome) and self._user is None and self._receipt_of:
            receipt = self._receipt_of(event.you, self._room.id)
        ice_server = None
        if isinstance(event, Welcome):
            ice_server = self._turn() if self._turn else None
            self._me = event.you
            self._is_waiting = False
        if isinstance(event, Waits):
            self._is_waiting = True
            if self._code is not None:  # it ended before they began to wait, when there was nothing to let go
                asyncio.get_running_loop().call_soon(self._let_go)
        message = message_of(
            event,
            you=self._me,
            heartbeat_s=self._timing.heartbeat_s,
            re=self._join_id,
            receipt=receipt,
            ice_server=ice_server,
        )
        if message is not None:
            self._tell(message)

    def close(self, reason: CloseReason) -> None:
        """Ends the connection after what was sent."""
        self._end(CODE_OF[reason])

    async def wait_closed(self) -> None:
        """Returns when the connection is gone."""
        await self._closed.wait()

    def sign_out(self) -> None:
        """The session by which they were signed in has ended: they leave, and may come back when they sign in."""
        self._is_leaving = True
        self._tell(error_answer(NotSignedInError("You were signed out.", code="signed_out"), None))
        self._end(CloseCode.REFUSED)

    # -- the life of a connection -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Returns when the connection has ended, whatever ended it."""
        self._registry.enter(self)
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write())
                group.create_task(self._read())
                group.create_task(self._work())
                first_s = min(self._timing.heartbeat_s, self._timing.join_s)
                self._heart = asyncio.get_running_loop().call_later(first_s, self._beat)
                await self._ending.wait()
                await asyncio.wait({writer}, timeout=_FLUSH_S)
                writer.cancel()
                await self._hang_up()
        finally:
            for timer in (self._heart, self._doubt):
                if timer is not None:
                    timer.cancel()
            self._end(CloseCode.INTERNAL)  # counts only when nothing else ended it
            self._let_go()
            self._registry.exit(self)
            self._closed.set()
            # whoever holds this a while longer, as the frames of an error do, is not to hold a seat and its media, too
            self._seat = self._live = None

    def _end(self, code: CloseCode) -> None:
        """The first reason counts."""
        if self._code is not None:
            return
        self._code = code
        self._ending.set()
        self._written.set()
        # later, because this may be called while the room tells everybody something
        asyncio.get_running_loop().call_soon(self._let_go)

    def _let_go(self) -> None:
        """The seat is held or given up; nothing happens to one that another connection has taken."""
        seat, live = self._seat, self._live
        if live is not None and self._is_waiting:
            live.stop_waiting(self)
        if seat is None or live is None or seat.listener is not self:
            return
        if self._code in FORFEITS:
            live.leave(seat.id, Departure.LOST)
        elif self._is_leaving:
            live.leave(seat.id, Departure.LEFT)
        else:
            live.lose(seat.id, self, page_closed=self._page_closed)

    async def _hang_up(self) -> None:
        """Says goodbye, or hangs up on a client that does not listen."""
        code = self._code or CloseCode.DONE
        try:
            async with asyncio.timeout(_HANG_UP_S):
                await self._socket.close(code=code)
        except TimeoutError:
            pass
        transport = self._request.transport
        if transport is not None and transport.get_write_buffer_size():
            # what is still unsent will not be read; without this it would keep the connection for ever
            transport.abort()
        _log.info("connection closed", room=self._room.id, participant=self._seat and self._seat.id, code=int(code))

    # -- reading ------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            frame = await self._socket.receive()
            self._heard_at = self._clock.monotonic()
            if frame.type is not WSMsgType.PONG:  # who only answers must be asked at every beat
                self._spoke_at = self._heard_at
            if frame.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                # 1001 is what browsers send when a page is closed, left or reloaded (RFC 6455 section 7.4.1)
                self._page_closed = frame.type is WSMsgType.CLOSE and frame.data == WSCloseCode.GOING_AWAY
                break
            if self._code is not None:
                continue
            if frame.type is WSMsgType.TEXT:
                await self._take(frame.data)
            elif frame.type is WSMsgType.PING:
                if self._is_allowed(len(frame.data), None):
                    self._put(Frame(FrameKind.PONG, bytes(frame.data)))
            elif frame.type is not WSMsgType.PONG:
                self._refuse(ProtocolError("Messages are text frames."), None)
        self._end(CloseCode.DONE)
        await self._inbox.put(None)

    async def _take(self, text: str) -> None:
        try:
            message = parse(text)
        except ProtocolError as error:
            self._refuse(error, id_of(text))
            return
        if not self._is_allowed(len(text), message):
            return
        if isinstance(message, messages.Ping):
            self._tell(messages.Pong(re=message.id))
        elif self._is_waiting and isinstance(message, messages.Leave):
            self._end(CloseCode.DONE)
        elif self._is_waiting:
            waiting = NotAllowedError("You are waiting until a host lets you in.")
            self._tell(error_answer(waiting, message.id))
        else:
            # noted here already: the page may be gone before its turn comes, and must not stay as somebody who reconnects
            self._is_leaving = self._is_leaving or isinstance(message, messages.Leave)
            await self._inbox.put(message)

    def _is_allowed(self, size: int, message: messages.ClientMessage | None) -> bool:
        now = self._clock.monotonic()
        is_chat = isinstance(message, _CHAT)
        makes_descriptions = isinstance(message, _DESCRIBING)
        about_recording = isinstance(message, _RECORDING)
        if self._allowance.take(
            now,
            size=size,
            is_chat=is_chat,
            makes_descriptions=makes_descriptions,
            about_recording=about_recording,
            is_reaction=isinstance(message, messages.React),
            is_hand=isinstance(message, messages.Hand),
            is_view=isinstance(message, messages.View),
        ):
            return True
        re = message.id if message is not None else None
        self._tell(messages.Error(re=re, code="too_many", message="That was too much at once. Wait a moment."))
        if self._allowance.is_persistent(now):
            self._end(CloseCode.TOO_MANY)
        return False

    def _refuse(self, error: ProtocolError, re: str | None) -> None:
        _log.info("protocol error", room=self._room.id, participant=self._seat and self._seat.id)
        self._tell(error_answer(error, re))
        self._end(CloseCode.PROTOCOL)

    # -- doing --------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        """One message after the other. What came before the end of the connection but was not begun is not done."""
        while (message := await self._inbox.get()) is not None:
            if self._code is not None:
                continue
            try:
                await self._act(message)
            except PymeetError as error:
                self._tell(error_answer(error, message.id))
                if type(error) is ProtocolError:
                    self._end(CloseCode.PROTOCOL)
            except Exception:
                _log.exception("a message failed", room=self._room.id, type=message.type)
                self._tell(internal_error(message.id))

    async def _act(self, message: messages.ClientMessage) -> None:
        if isinstance(message, messages.Join):
            await self._join(message)
            return
        if isinstance(message, messages.Leave) and self._seat is None:
            self._end(CloseCode.DONE)
            return
        if self._seat is None or self._live is None:
            raise ProtocolError("The first message is `join`.")
        answer = await act(message, self._live, self._seat.id)
        if message.id is not None or not isinstance(answer, messages.Ok):
            self._tell(answer)
        if isinstance(message, messages.Leave):
            self._end(CloseCode.DONE)

    async def _join(self, message: messages.Join) -> None:
        if self._is_joining:
            raise ProtocolError("This connection has joined already.")
        self._is_joining = True
        self._join_id = message.id
        request = JoinRequest(
            message.name,
            self._user,
            Kind.BROWSER,
            self,
            _resume_of(message),
            password=message.password,
            network=self._network,
            recording=_recording_of(message),
        )
        try:
            self._live = live = self._registry.open(self._room)
            self._seat = await live.join(request)
        except ConflictError:
            self._end(CloseCode.TAKEN_OVER)
        except BusyError as error:
            self._tell(error_answer(error, message.id))
            self._end(CloseCode.BUSY)
        except PymeetError as error:
            self._tell(error_answer(error, message.id))
            self._end(CloseCode.NOT_FOUND if isinstance(error, NotFoundError) else CloseCode.REFUSED)
        except Exception:
            self._end(CloseCode.INTERNAL)
            raise
        if self._code is not None:
            self._let_go()

    # -- writing ------------------------------------------------------------------------------------------------

    def _tell(self, message: Message) -> None:
        self._put(Frame(FrameKind.TEXT, encode(message)))

    def _put(self, frame: Frame) -> None:
        if self._code is not None:
            return
        if not self._outbox.put(frame):
            _log.info("client does not read", room=self._room.id, participant=self._seat and self._seat.id)
            self._outbox.clear()
            self._end(CloseCode.TOO_SLOW)
        self._written.set()

    async def _write(self) -> None:
        while True:
            while (frame := self._outbox.take()) is not None:
                try:
                    await self._socket.send_frame(frame.payload, _OPCODES[frame.kind])
                except ConnectionError:
                    self._outbox.clear()
                    self._end(CloseCode.DONE)
            if self._code is not None:
                return
            self._written.clear()
            await self._written.wait()

    # -- time ---------------------------------------------------------------------------------------------------

    def _wait_a_beat(self) -> None:
        loop, beat_s = asyncio.get_running_loop(), self._timing.heartbeat_s
        # with others' beats: to wake for each by itself is most of what a quiet connection costs
        self._heart = loop.call_at(together(loop.time() + beat_s, beat_s * _TOGETHER), self._beat)

    def _beat(self) -> None:
        now = self._clock.monotonic()
        before, self._beat_at = self._beat_at, now
        if not self._is_joining and now >= self._opened_at + self._timing.join_s:
            self._tell(error_answer(ProtocolError("The first message, `join`, did not come in time."), None))
            self._end(CloseCode.TOO_SLOW)
        elif self._asked_at > self._heard_at and now >= self._heard_at + _SILENT_BEATS * self._timing.heartbeat_s:
            self._end(CloseCode.TOO_SLOW)
        else:
            if self._spoke_at < before:  # browsers ask for a sign of life by themselves, and so give one
                self._put(Frame(FrameKind.PING, b""))
                self._asked_at = now
            self._wait_a_beat()

    def _ask_at_once(self) -> None:
        """Their media do not arrive: either there is another way for these, or they are not there any more."""
        if self._doubt is None:
            self._put(Frame(FrameKind.PING, b""))
            loop = asyncio.get_running_loop()
            self._doubt = loop.call_later(self._timing.doubt_s, self._judge, self._heard_at)

    def _judge(self, heard_at: float) -> None:
        self._doubt = None
        if self._heard_at == heard_at:
            self._end(CloseCode.TOO_SLOW)


def _resume_of(message: messages.Join) -> Resume | None:
    wish = message.resume
    if wish is None:
        return None
    return Resume(wish.token, keep_media=wish.media == "keep", last_message=wish.last_message)


def _recording_of(message: messages.Join) -> RecordingAnswer | None:
    given = message.recording
    if given is None:
        return None
    return RecordingAnswer(given.id, Answer(given.answer), "joining", given.language)
