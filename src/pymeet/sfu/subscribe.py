"""The connection on which a participant receives: the server offers (or, for a player, answers), tracks become copies."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymeet.sfu import codecs, negotiate, red, rtcp, sdp
from pymeet.sfu.bandwidth.pacing import TICK_S, Repair
from pymeet.sfu.budget import UNHEARD_S, Budget, Figures
from pymeet.sfu.consumer import Consumer
from pymeet.sfu.errors import DescriptionError, UnusableOfferError
from pymeet.sfu.events import TransportEvent, Unheard
from pymeet.sfu.history import SendHistory
from pymeet.sfu.negotiate import Sending
from pymeet.sfu.producer import Track
from pymeet.sfu.transport import Transport
from pymeet.sfu.view import View
from pymeet.sfu.wishes import wish_of

if TYPE_CHECKING:
    from pymeet.sfu.service import Sfu

_PAYLOAD_TYPES = [n for n in (*range(96, 128), *range(35, 64)) if n not in (red.PAYLOAD_TYPE, red.OPUS_PAYLOAD_TYPE)]
_LOSSY, _LOSSY_S = 0.01, 10.0
"""From which share of lost packets on sound goes with redundancy, and for how long: by chance a second goes by without loss."""
_MAX_REPAIRS_PER_REQUEST = 256
_LOOK_AGAIN_S, _REST_S = 1.0, 5.0
"""How often it is looked how things are, and how often where nothing is sent."""
_TOGETHER_S = 0.25
"""Receivers look at the same moments: to wake up for each of them alone costs more than to look."""
_MISSED_S = 0.3
_SILENT_S = 2.0


@dataclass(slots=True)
class _Slot:
    """One section of the connection. It outlives its track and is used again."""

    sending: Sending
    track: Track | None = None
    consumer: Consumer | None = None
    is_accepted: bool = False
    is_attached: bool = False


class SubscribeTransport(Transport):
    """See `Sfu.subscriber`."""

    def __init__(self, sfu: "Sfu", owner: str, on_event: Callable[[TransportEvent], None], now: float) -> None:
        super().__init__(sfu, owner, on_event, now)
        self.needs_offer = False
        """Whether something changed since the last offer that the receiver must be told."""
        self.repairs_asked = 0
        self.repairs_sent = 0
        self.history = SendHistory()
        self.budget = Budget(self.history, now)
        self._slots: list[_Slot] = []
        self._views: Mapping[str, View] = {}
        self._by_ssrc: dict[int, _Slot] = {}
        self._payload_types: dict[tuple[str, int, int, str], tuple[int, int | None]] = {}
        self._number = 0
        self._is_player = False
        self._shared_by: tuple[bool, bool, list[int]] | None = None
        """What bandwidth was shared by when that was done last."""
        self._revisions = -1
        """Of all tracks, when it was looked at that last."""
        self._lossy_until = now
        self._is_unheard = False

    def new_ssrc(self) -> int:
        """An SSRC that nothing else on this connection uses."""
        while True:
            ssrc = secrets.randbits(32)
            if ssrc and ssrc != self.control_ssrc and ssrc not in self._by_ssrc:
                return ssrc

    def cname_of(self, track: Track) -> str:
        """The name that ties the tracks of one person together (RFC 3550 section 6.5.1)."""
        return track.owner

    # -- what is received -----------------------------------------------------------------------------------------

    def set_tracks(self, tracks: Sequence[Track], now: float) -> None:
        """Says what this receiver gets from now on. Where the server offers, the next `offer` tells the receiver."""
        wanted = {t.id: t for t in tracks if not t.closed}
        if self._is_player:
            self._follow(list(wanted.values()), now)
            return
        for slot in self._slots:
            if slot.track is not None and wanted.pop(slot.track.id, None) is None:
                self._release(slot, now)
                self.needs_offer = True
        for track in wanted.values():
            payload_types = self._payload_types_of(track)
            if payload_types is not None:
                self._occupy(self._free_slot(track), track, *payload_types)
                self.needs_offer = True

    def set_view(self, views: Mapping[str, View], now: float) -> None:
        """Says by track id how each picture is shown here; one that is not named is sent as large as it comes."""
        self._views = dict(views)
        self._prefer(now)

    def _prefer(self, now: float) -> None:
        """Shares what the path carries, and says to each track which of its layers this receiver is to get."""
        self._shared_by = self._state()
        is_lossy, is_congested, _ = self._shared_by
        is_redundant = is_lossy and not is_congested
        wishes = [
            wish_of(
                track, self._views.get(track.id), is_redundant=is_redundant and consumer.red_payload_type is not None
            )
            for track, consumer in self._attached()
        ]
        ranks = self.budget.share(wishes, now)
        for track, consumer in self._attached():
            is_lower = ranks[track.id] < track.rank_of(consumer)
            if is_congested and is_lower and not track.is_quick(consumer, ranks[track.id]):
                track.prefer(consumer, -1, now)  # waiting for a key frame would make the queue longer
            track.prefer(consumer, ranks[track.id], now)
        if self.budget.is_pacing(now):
            self.wake(now)  # a probe is over before the next timer would be due

    def _state(self) -> tuple[bool, bool, list[int]]:
        """What sharing depends on beside what the path carries: whether much is lost, whether a queue stands there, the tracks."""
        if self.budget.loss >= _LOSSY:
            self._lossy_until = self.sfu.now + _LOSSY_S
        return (
            self.sfu.now < self._lossy_until,
            self.budget.is_congested,
            [track.revision for track, _ in self._attached()],
        )

    def _attached(self) -> Iterator[tuple[Track, Consumer]]:
        for slot in self._slots:
            if slot.is_attached and slot.track is not None and slot.consumer is not None:
                yield slot.track, slot.consumer

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing was sent or heard for a while. What is sent without numbers does not show, so then it is never known."""
        return self.budget.is_at_rest and all(consumer.wide_head for _, consumer in self._attached())

    def path(self, now: float) -> Figures:
        """What is known of the way to this receiver. Where nothing was sent for a while, losses and delays are those of the past."""
        newest = self.history.sent((self.history.next - 1) & 0xFFFF)
        if newest is not None and now - newest[0] > _SILENT_S:
            return self.budget.figures_in_silence()
        return self.budget.figures()

    def figures(self) -> tuple[Figures, dict[str, int]]:
        """How it goes, for statistics: what is known of the path, and which layer each track is sent in (-1: none)."""
        return self.budget.figures(), {track.id: track.rank_of(consumer) for track, consumer in self._attached()}

    def _free_slot(self, track: Track) -> _Slot:
        for slot in self._slots:
            if slot.track is None and slot.sending.kind == track.kind:
                return slot
        slot = _Slot(
            Sending(track.kind, str(len(self._slots)), _for_receivers(track.choice.codec), 0, None, active=False)
        )
        self._slots.append(slot)
        return slot

    def _occupy(self, slot: _Slot, track: Track, payload_type: int, rtx_payload_type: int | None) -> None:
        slot.track, slot.is_accepted = track, False
        consumer = slot.consumer = Consumer(self, payload_type, rtx_payload_type, track.choice.codec.clock_rate)
        self._by_ssrc[consumer.ssrc] = slot
        slot.sending = self._sending(slot.sending.mid, track, consumer)

    def _sending(self, mid: str, track: Track, consumer: Consumer) -> Sending:
        return Sending(
            track.kind,
            mid,
            _for_receivers(track.choice.codec),
            consumer.payload_type,
            consumer.rtx_payload_type,
            active=True,
            ssrc=consumer.ssrc,
            rtx_ssrc=consumer.rtx_ssrc,
            red_payload_type=red.PAYLOAD_TYPE if track.choice.may_be_redundant else None,
            cname=self.cname_of(track),
            stream_id=f"{track.owner}-screen" if track.source.startswith("screen") else track.owner,
            track_id=track.id,
        )

    def _payload_types_of(self, track: Track) -> tuple[int, int | None] | None:
        """The same codec has the same payload type in every section of a bundle, for good (RFC 9143 section 9.1).

        Only when all are used up those are given out again that no section names any more. None when more kinds of codec
        meet in one room than there are payload types: that track is not received.
        """
        if track.choice.may_be_redundant:
            return red.OPUS_PAYLOAD_TYPE, None
        key = track.choice.key
        if key not in self._payload_types:
            free = self._free_payload_types()
            if len(free) < 2:
                named = {s.sending.payload_type for s in self._slots}
                self._payload_types = {k: v for k, v in self._payload_types.items() if v[0] in named}
                free = self._free_payload_types()
            if len(free) < 2:
                return None
            self._payload_types[key] = (free[0], free[1] if track.kind == "video" else None)
        return self._payload_types[key]

    def _free_payload_types(self) -> list[int]:
        used = {n for pair in self._payload_types.values() for n in pair}
        return [n for n in _PAYLOAD_TYPES if n not in used]

    def _release(self, slot: _Slot, now: float) -> None:
        if slot.consumer is not None:
            if slot.track is not None:
                slot.track.remove(slot.consumer, now)
            self._by_ssrc.pop(slot.consumer.ssrc, None)
            if self._srtp is not None:
                # libsrtp looks through all streams for each packet, and this one never comes back
                self._srtp.forget_sent(slot.consumer.ssrc)
                self._srtp.forget_sent(slot.consumer.rtx_ssrc)
        slot.track = slot.consumer = None
        slot.is_accepted = slot.is_attached = False
        slot.sending.active = False

    # -- the server offers ----------------------------------------------------------------------------------------

    def offer(self, now: float) -> tuple[int, str, dict[str, Track]]:
        """A new offer: its number, its text, and which track each mid carries. It replaces the one before."""
        for slot in self._slots:
            if slot.track is not None and slot.track.closed:
                self._release(slot, now)
        self._number += 1
        self.needs_offer = False
        sections = {s.sending.mid: s.track for s in self._slots if s.track is not None}
        # actpass as RFC 8842 section 5.2 wants of an offer
        text = negotiate.receiving_offer(
            [s.sending for s in self._slots], self._local_transport("actpass"), self._candidate_lines(), self._number
        )
        return self._number, text, sections

    def accept(self, number: int, answer_text: str, now: float) -> bool:
        """Takes the answer to offer `number`; False for an older one, which is ignored. Raises DescriptionError."""
        if number != self._number:
            return False
        answer = sdp.parse(answer_text)
        if [s.mid for s in answer.sections] != [s.sending.mid for s in self._slots]:
            raise DescriptionError("The answer does not have the sections of the offer.")
        used = next((s for s in answer.sections if s.port), None)
        if used is None:
            return True
        self._take_remote(answer, used, is_answer=True)
        for slot, section in zip(self._slots, answer.sections, strict=True):
            takes = section.port and section.direction in ("recvonly", "sendrecv")
            slot.is_accepted = bool(takes) and str(slot.sending.payload_type) in section.formats
            if slot.consumer is not None:
                self._take_answered(slot.consumer, section)
        self._attach(now)
        self.wake(now)  # a peer that answered passive may have passed its checks before
        return True

    def _take_answered(self, consumer: Consumer, section: sdp.Section) -> None:
        """Learns what of our offer the receiver does not want."""
        if str(consumer.rtx_payload_type) not in section.formats:
            consumer.rtx_payload_type = None
        codec = section.codecs.get(consumer.payload_type)
        consumer.wide_id = 0 if codec is None else negotiate.wide_id_of(section, codec)
        if section.kind == "audio":
            consumer.red_payload_type = red.PAYLOAD_TYPE if str(red.PAYLOAD_TYPE) in section.formats else None
            consumer.second_id = negotiate.level_id_of(section)
        else:
            consumer.second_id = negotiate.dependency_id_of(section)

    @property
    def has_wide_feedback(self) -> bool:
        """Whether the receiver reports on transport-wide numbers."""
        return any(slot.consumer is not None and slot.consumer.wide_id for slot in self._slots)

    # -- a player offers --------------------------------------------------------------------------------------------

    def answer(self, offer_text: str, tracks: Sequence[Track], now: float) -> str:
        """Takes a player's offer (WHEP) and answers with these tracks. Raises DescriptionError."""
        offer = sdp.parse(offer_text)
        reply = negotiate.PlayerAnswer(offer)
        free = list(tracks)
        for section in negotiate.usable_sections(offer):
            if section.direction not in ("recvonly", "sendrecv") or (
                not section.port and section.mid not in offer.bundle
            ):
                continue
            track, codec = self._match(section, free)
            if codec is None:
                continue
            if track is not None:
                free.remove(track)
            rtx = codecs.rtx_of(section, codec.payload_type)
            slot = _Slot(
                Sending(section.kind, section.mid, codec, codec.payload_type, rtx, active=True), is_accepted=True
            )
            consumer = slot.consumer = Consumer(self, codec.payload_type, rtx, codec.clock_rate)
            self._by_ssrc[consumer.ssrc] = slot
            slot.track = track
            s = slot.sending
            s.ssrc, s.rtx_ssrc, s.level_id = consumer.ssrc, consumer.rtx_ssrc, 0
            s.offered_feedback = codec.feedback
            s.wide_id = consumer.wide_id = negotiate.wide_id_of(section, codec)
            if section.kind == "video":
                s.dependency_id = consumer.second_id = negotiate.dependency_id_of(section)
            else:
                s.red_payload_type = consumer.red_payload_type = _red_of(section, codec)
            s.cname = s.stream_id = self.owner
            s.track_id = section.kind
            self._slots.append(slot)
            reply.sendings[section.mid] = s
        if not reply.sendings:
            self._slots.clear()
            raise UnusableOfferError("The offer receives nothing that this server forwards.")
        first = next(s for s in offer.sections if s.mid in reply.sendings)
        self._take_remote(offer, first)
        self._is_player = True
        self._attach(now)
        return reply.text(self._local_transport(self._setup), self._candidate_lines())

    def _match(self, section: sdp.Section, tracks: list[Track]) -> tuple[Track | None, sdp.Codec | None]:
        offered = [section.codecs[int(n)] for n in section.formats if n.isdigit() and int(n) in section.codecs]
        for track in tracks:
            if track.kind == section.kind:
                for codec in offered:
                    if negotiate.same_codec(track.choice.codec, codec):
                        return track, codec
        choice = codecs.choose(section)
        return None, choice.codec if choice else None

    def _follow(self, tracks: list[Track], now: float) -> None:
        """A player's sections keep their SSRC while the tracks behind them change."""
        free = list(tracks)
        for slot in self._slots:
            if slot.track in free:
                free.remove(slot.track)
        for slot in self._slots:
            consumer = slot.consumer
            if consumer is None or slot.track in tracks:
                continue
            if slot.track is not None:
                slot.track.remove(consumer, now)
                consumer.forget_producer()
            slot.is_attached = False
            slot.track = next(
                (
                    t
                    for t in free
                    if t.kind == slot.sending.kind and negotiate.same_codec(t.choice.codec, slot.sending.codec)
                ),
                None,
            )
            if slot.track is not None:
                free.remove(slot.track)
        self._attach(now)

    # -- media --------------------------------------------------------------------------------------------------------

    def _attach(self, now: float) -> None:
        """Lets media flow into every section that the receiver has accepted, once the transport is up."""
        if not self.connected:
            return
        for slot in self._slots:
            if not slot.is_accepted and slot.is_attached:
                self._detach(slot, now)
        fresh = [s for s in self._slots if s.is_accepted and not s.is_attached and s.track is not None]
        if not fresh:
            return
        for slot in fresh:
            slot.is_attached = True
        if self.has_wide_feedback:
            self.budget.expect_feedback()
        self._prefer(now)
        for slot in fresh:
            if slot.track is not None and slot.consumer is not None:
                slot.track.add(slot.consumer, now, self.budget.ranks[slot.track.id])

    def _detach(self, slot: _Slot, now: float) -> None:
        if slot.is_attached and slot.track is not None and slot.consumer is not None:
            slot.track.remove(slot.consumer, now)
        slot.is_attached = False

    def _ready(self, now: float) -> None:
        self._attach(now)

    def _moved(self, now: float) -> None:
        """What went to the old place lately was missed, and to ask for it there may be no way yet."""
        if self.budget.overdue_s(now) > _MISSED_S:
            for track, consumer in self._attached():
                track.request_keyframe(now, consumer)

    def _suspend(self, now: float) -> None:
        for slot in self._slots:
            self._detach(slot, now)

    def _work(self, now: float) -> float:
        self._pace()
        if self.is_at_rest and self._revisions == self.sfu.revisions and not self.budget.is_pacing(now):
            return _REST_S
        self._revisions = self.sfu.revisions
        if now >= self._look_at and (
            self.budget.look(now) or self.budget.is_congested or self._state() != self._shared_by
        ):
            self._prefer(now)  # the sizes of layers become known, and change
        was_unheard, self._is_unheard = self._is_unheard, self.budget.is_unheard(now)
        if self._is_unheard and not was_unheard:
            self._on_event(Unheard())
        if self.budget.is_pacing(now):
            return TICK_S
        wait_s = UNHEARD_S if self.budget.is_suspicious and not self._is_unheard else _LOOK_AGAIN_S
        return max(TICK_S, min(self._look_at - now, wait_s))

    def begun(self, now: float) -> None:
        """Something is sent from now on: the rest is over."""
        self.sfu.schedule(self, now + _LOOK_AGAIN_S)

    @property
    def _look_at(self) -> float:
        """When to look again at what is shared, unless something is heard before."""
        return round((self.budget.looked_at + _LOOK_AGAIN_S) / _TOGETHER_S) * _TOGETHER_S

    def _pace(self) -> None:
        """Sends of repairs and probes what may leave now."""
        now = self.sfu.now
        if self.budget.is_pacing(now):
            self.budget.pace(self._resend, self._pad, now)

    def _resend(self, repair: Repair) -> int:
        slot = self._by_ssrc.get(repair.ssrc)
        if slot is None or slot.consumer is None:
            return 0
        for found in slot.consumer.repairs((repair.number,), self.sfu.now):
            if size := slot.consumer.resend(found):
                self.repairs_sent += 1
                self.sfu.repairs_sent += 1
                return size
        return 0

    def _pad(self) -> int:
        """Sends a packet of padding on the first stream that can carry it."""
        for _, consumer in self._attached():
            if size := consumer.padding():
                return size
        return 0

    def _handle_rtcp(self, message: rtcp.Message, now: float) -> None:
        if self.budget.hear(message, now):
            self._prefer(now)
        if isinstance(message, rtcp.Nack):
            slot = self._by_ssrc.get(message.media_ssrc)
            if slot is not None and slot.consumer is not None:
                self.repairs_asked += len(message.sequences)
                self.sfu.repairs_asked += len(message.sequences)
                for number in message.sequences[:_MAX_REPAIRS_PER_REQUEST]:
                    self.budget.repairs.ask(Repair(message.media_ssrc, number), now)
                self._pace()
        elif isinstance(message, rtcp.KeyframeRequest):
            slot = self._by_ssrc.get(message.media_ssrc)
            if slot is not None and slot.track is not None:
                slot.track.request_keyframe(now, slot.consumer)
        if self.budget.is_pacing(now):
            self.wake(now + TICK_S)

    def _end(self, now: float) -> None:
        for slot in self._slots:
            self._release(slot, now)
        self._slots = []


def _red_of(section: sdp.Section, opus: sdp.Codec) -> int | None:
    """The payload type under which a player takes sound with redundancy; None where its numbers are not ours, which stand in
    every copy (browsers that take it have these)."""
    offered = codecs.choose(section)
    numbers = None if offered is None else (opus.payload_type, offered.codec.payload_type, offered.red_payload_type)
    return red.PAYLOAD_TYPE if numbers == (red.OPUS_PAYLOAD_TYPE, red.OPUS_PAYLOAD_TYPE, red.PAYLOAD_TYPE) else None


def _for_receivers(codec: sdp.Codec) -> sdp.Codec:
    parameters = codecs.parameters_for_receivers(codec)
    channels = 2 if codec.name.lower() == "opus" else codec.channels  # RFC 7587 section 7: always 2, whatever is sent
    return sdp.Codec(codec.payload_type, codec.name, codec.clock_rate, channels, parameters)
