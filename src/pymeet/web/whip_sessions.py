"""The sessions of WHIP publishers and WHEP players: an address each, and the seat in a room that stands behind it.

A session has no connection to signaling. It ends by DELETE, or when its seat is given up: because its transport closed
or never connected, a host removed it, or the meeting ended.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from aiohttp import web

from pymeet.errors import ConflictError, NotFoundError
from pymeet.ids import new_id
from pymeet.rooms.following import Following, choose_shown, find_target
from pymeet.rooms.joining import JoinRequest
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.people import Kind
from pymeet.rooms.seat import Seat
from pymeet.rooms.viewing import Watching
from pymeet.sfu import negotiate, sdp
from pymeet.sfu.errors import UnusableOfferError
from pymeet.sfu.producer import Source
from pymeet.sfu.publish import TrackWish
from pymeet.sfu.renditions import Rendition, renditions_of
from pymeet.sfu.view import Choice
from pymeet.web.sdpfrag import Credentials, credentials_of, restart_fragment

_SOURCES: dict[str, Source] = {"audio": "microphone", "video": "camera"}


def _new_etag() -> str:
    return f'"{new_id()}"'


@dataclass
class Session:
    """One publisher or player."""

    live: LiveRoom
    seat: Seat
    kind: Kind
    answer: str
    remote: Credentials | None
    """The client's present ICE credentials."""
    id: str = field(default_factory=new_id)
    etag: str = field(default_factory=_new_etag)
    told: Collection[str] | None = ()
    """Of what a player is told (`whep.py`): the names of the events, empty for all; None once it wants none."""
    _telling: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        """Whether the seat was given up."""
        return self.seat.is_gone

    def restart(self, remote: Credentials) -> str:
        """Restarts ICE; the fragment with the server's new credentials. The ETag is another one afterwards."""
        ufrag, pwd = self.live.restart_ice(self.seat.id, remote.ufrag)
        self.remote = remote
        self.etag = _new_etag()
        return restart_fragment(self.answer, Credentials(ufrag, pwd))

    # -- what players choose ------------------------------------------------------------------------------------

    @property
    def pictures(self) -> list[str]:
        """The indexes of the sections that carry a picture."""
        sections = enumerate(sdp.parse(self.answer).sections)
        return [str(index) for index, section in sections if section.kind == "video" and section.port]

    @property
    def is_active(self) -> bool:
        """Whether there is anything that a player is shown now."""
        return bool(self.seat.receives)

    def renditions(self, now: float) -> list[Rendition]:
        """In what the picture that a player shows now can be had, the highest first."""
        shown = self.seat.following and self.seat.following.shown
        if shown not in {participant.id for participant in self.live.participants}:
            return []
        sends = self.live.seat(shown).sends
        tracks = [sends[track_id] for track_id in self.seat.receives if track_id in sends]
        return [each for track in tracks if track.kind == "video" for each in renditions_of(track, now)]

    def choose(self, choice: Choice | None) -> None:
        """From now on a player gets no more of any picture than this; None leaves it to the server."""
        self.live.watch(self.seat.id, Watching(choice=choice))

    def tell_anew(self) -> asyncio.Event:
        """Ends the stream of events that a player was told by; set when the new one, which begins, is to end."""
        self._telling.set()
        self._telling = asyncio.Event()
        return self._telling

    def tell_no_more(self) -> None:
        """Ends it."""
        self._telling.set()


class Sessions:
    """All sessions by id."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def add(self, session: Session) -> None:
        """Makes a session findable."""
        self._sessions[session.id] = session

    def forget_over(self) -> None:
        """Lets go of those that are over, and with them of what they stood in."""
        self._sessions = {id_: known for id_, known in self._sessions.items() if not known.is_over}

    def find(self, session_id: str) -> Session | None:
        """The session, unless it is over."""
        session = self._sessions.get(session_id)
        return None if session is None or session.is_over else session

    def end(self, session_id: str) -> None:
        """Gives the seat up; media stops at once."""
        session = self._sessions.pop(session_id)
        session.live.leave(session.seat.id)
        session.tell_no_more()

    def close(self) -> None:
        """The server stops: no answer goes on."""
        for session in self._sessions.values():
            session.tell_no_more()


SESSIONS = web.AppKey("whip_sessions", Sessions)


async def close_sessions(app: web.Application) -> None:
    """For the end of the application."""
    app[SESSIONS].close()


def session_of(request: web.Request) -> Session:
    """The session that an address names. Raises NotFoundError, also for one in another room or of the other kind."""
    session = request.app[SESSIONS].find(request.match_info["id"])
    wanted = Kind.PUBLISHER if request.path.startswith("/whip/") else Kind.PLAYER
    if session is None or session.live.slug != request.match_info["slug"] or session.kind is not wanted:
        raise NotFoundError("There is no such session.")
    return session


async def open_session(
    live: LiveRoom, kind: Kind, name: str, offer: str, *, target: str | None, token_id: str | None, network: str
) -> Session:
    """Takes a seat and answers the offer. When that fails nobody has been in the room. `token_id` tells the room token that was
    shown from others, None where none was.

    Raises DescriptionError, what `LiveRoom.join` raises, and for a player NotFoundError or ConflictError when there is
    nobody like `target`, or nobody who sends.
    """
    # What can be refused is refused before the seat is taken, or a player that retries would be seen coming and going.
    # Who may not come in does not learn who is there: that is looked at last.
    publishes = kind is Kind.PUBLISHER
    wishes = _wishes(offer) if publishes else {}
    if not publishes:
        sdp.parse(offer)
    seat = await live.join(
        JoinRequest(
            name=name,
            user=None,
            kind=kind,
            admitted=token_id is not None,
            token_id=token_id,
            network=network,
            last_check=None if publishes else lambda: _check_playable(live, target),
        )
    )
    try:
        answer = live.publish(seat.id, offer, wishes) if publishes else live.play(seat.id, offer, target)
    except BaseException:
        live.leave(seat.id)
        raise
    return Session(live, seat, kind, answer, credentials_of(offer))


def _wishes(offer: str) -> dict[str, TrackWish]:
    """The first sound of an offer is the microphone, the first picture the camera."""
    wishes: dict[str, TrackWish] = {}
    taken = set()
    for mid, accepted in negotiate.accept_publishing(sdp.parse(offer)).items():
        kind = accepted.section.kind
        if accepted.is_sending and kind in _SOURCES and kind not in taken:
            taken.add(kind)
            wishes[mid] = TrackWish(_SOURCES[kind])
    if not wishes:
        raise UnusableOfferError("The offer sends nothing that this server forwards.")
    return wishes


def _check_playable(live: LiveRoom, target: str | None) -> None:
    wanted = None if target is None else find_target(target, live.participants).id
    if choose_shown(Following(wanted), live.participants, None) is None:
        raise ConflictError("Nobody in this meeting sends anything now.")
