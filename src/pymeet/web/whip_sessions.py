"""The sessions of WHIP publishers and WHEP players: an address each, and the seat in a room that stands behind it.

A session has no connection to signaling. It ends by DELETE, or when its seat is given up: because its transport closed
or never connected, a host removed it, or the meeting ended.
"""

from dataclasses import dataclass, field

from aiohttp import web

from pymeet.errors import ConflictError
from pymeet.ids import new_id
from pymeet.rooms.following import Following, choose_shown, find_target
from pymeet.rooms.joining import JoinRequest
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.people import Kind
from pymeet.rooms.seat import Seat
from pymeet.sfu import negotiate, sdp
from pymeet.sfu.errors import UnusableOfferError
from pymeet.sfu.producer import Source
from pymeet.sfu.publish import TrackWish
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


class Sessions:
    """All sessions by id. Those that are over are forgotten when the next one comes."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def add(self, session: Session) -> None:
        """Makes a session findable."""
        self._sessions = {id_: known for id_, known in self._sessions.items() if not known.is_over}
        self._sessions[session.id] = session

    def find(self, session_id: str) -> Session | None:
        """The session, unless it is over."""
        session = self._sessions.get(session_id)
        return None if session is None or session.is_over else session

    def end(self, session_id: str) -> None:
        """Gives the seat up; media stops at once."""
        session = self._sessions.pop(session_id)
        session.live.leave(session.seat.id)


SESSIONS = web.AppKey("whip_sessions", Sessions)


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
    if choose_shown(Following(wanted), live.participants, ()) is None:
        raise ConflictError("Nobody in this meeting sends anything now.")
