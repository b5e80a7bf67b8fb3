"""The connection on which a participant sends: the client offers, the server answers, packets become tracks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pymeet.sfu import negotiate, red, rtcp, rtp, sdp
from pymeet.sfu.batch import ReceiveRing
from pymeet.sfu.errors import DatagramError, DescriptionError, UnusableOfferError
from pymeet.sfu.events import TransportEvent, Unheard
from pymeet.sfu.feedback import ArrivalLog
from pymeet.sfu.layer import Layer
from pymeet.sfu.nack import RESTART_GAP, Reception
from pymeet.sfu.producer import Source, Track
from pymeet.sfu.srtp import lib
from pymeet.sfu.transport import MAX_SSRCS, Transport

if TYPE_CHECKING:
    from pymeet.sfu.service import Sfu

_LOOK_S = 0.05
"""How often it is looked what must be asked for, while something is missing."""
_FEEDBACK_S = 0.1
"""How often a publisher is told when its packets arrived, about."""
_TOGETHER_S = 0.025
"""Publishers are told at such moments: to wake up for each of them alone costs as much as to tell."""
_REPORT_S = 1.0
_UNHEARD_S = 10.0
"""Nothing at all for so long, and they are probably gone: who sends no media still checks every 4 to 6 s (RFC 7675 section 5.1)."""
_MAX_BINDINGS = 64
_MAX_KEPT = 32
_NO_ID = -1  # not 0: an element may carry that
_MAX_COMPOUND = 1100


@dataclass(frozen=True, slots=True)
class TrackWish:
    """What a client says of one section that it sends."""

    source: Source
    muted: bool = False


_Name = tuple[str, str, bool]
"""The mid, the rid (empty where there is only one stream), and whether it is repair."""


@dataclass(slots=True)
class _Stream:
    """What comes under an SSRC: a layer's own packets, or its retransmissions."""

    name: _Name
    layer: Layer
    level_id: int
    transport_id: int
    dependency_id: int
    red_payload_type: int = _NO_ID
    is_repair: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_repair = self.name[2]


class PublishTransport(Transport):
    """See `Sfu.publisher`."""

    def __init__(self, sfu: "Sfu", owner: str, on_event: Callable[[TransportEvent], None], now: float) -> None:
        super().__init__(sfu, owner, on_event, now)
        self.tracks: dict[str, Track] = {}
        """What is being sent, by the mid of its section."""
        self.packets = 0
        self.rejected = 0
        self._streams: dict[int, _Stream] = {}
        self._by_name: dict[_Name, _Stream] = {}
        self._by_payload_type: dict[int, _Stream | None] = {}
        self._announced_ssrcs: set[int] = set()
        """Since the connection began: libsrtp keeps state for each that was sent."""
        self._mid_id = self._rid_id = self._repaired_rid_id = 0
        self._learned: dict[int, _Name] = {}
        """Whose packets come under an SSRC that was not announced."""
        self._arrivals = ArrivalLog()
        self._counted: dict[Reception, tuple[int, int]] = {}
        self._is_armed = False
        self._reported_at = self._fed_back_at = 0.0
        self._packets_heard, self._packet_at = 0, now
        self._is_unheard = False
        self._fir_number = 0

    # -- descriptions ---------------------------------------------------------------------------------------------

    def answer(
        self,
        offer_text: str,
        wishes: Mapping[str, TrackWish],
        now: float,
        before: Mapping[str, Track] | None = None,
    ) -> str:
        """Takes an offer and answers it; tracks that are no longer wished for end.

        `wishes` names by mid the sections that carry something now. `before`: the tracks of a connection in whose stead this
        one comes; those that are offered again go on here. Raises DescriptionError; then nothing has changed.
        An offer with new ICE credentials restarts ICE.
        """
        offer = sdp.parse(offer_text)
        accepted = negotiate.accept_publishing(offer)
        if not accepted:
            raise UnusableOfferError("The offer sends nothing that this server forwards (Opus, VP8, H.264, VP9, AV1).")
        for mid in wishes:
            if mid not in accepted or not accepted[mid].is_sending:
                raise DescriptionError(f"The offer has no usable section with mid {mid!r}.")
        announced = self._announced_ssrcs.union(*(a.ssrcs for a in accepted.values()))
        announced.update(*(a.repair_ssrcs for a in accepted.values()))
        if len(announced) > MAX_SSRCS:
            raise DescriptionError("Too many streams were announced on this connection: open a new one instead.")
        first = next(iter(accepted.values())).section
        self._take_remote(offer, first)
        self._announced_ssrcs = announced
        self._update_tracks(accepted, wishes, before or {}, now)
        local = self._local_transport(self._setup)
        return negotiate.publishing_answer(offer, accepted, local, self._candidate_lines())

    def _update_tracks(
        self,
        accepted: dict[str, negotiate.Accepted],
        wishes: Mapping[str, TrackWish],
        before: Mapping[str, Track],
        now: float,
    ) -> None:
        for mid, track in list(self.tracks.items()):
            if not _goes_on(track, wishes.get(mid), accepted.get(mid)):
                track.close(now)
                del self.tracks[mid]
        for mid, wish in wishes.items():
            a, known = accepted[mid], before.get(mid)
            if mid not in self.tracks and known is not None and _goes_on(known, wish, a):
                self.tracks[mid] = known
                known.move(self, a.choice, now)
                self.wake(now)
            elif mid not in self.tracks:
                self.tracks[mid] = Track(
                    self, mid, wish.source, a.choice, self.sfu.port, now, a.rids, is_scalable=a.is_scalable
                )
                self.wake(now)
            self.tracks[mid].set_muted(wish.muted, now)
        self._route(accepted, now)

    def _route(self, accepted: dict[str, negotiate.Accepted], now: float) -> None:
        """Rewrites the tables by which packets find their layer."""
        self._streams, self._by_name, self._by_payload_type = {}, {}, {}
        unannounced: set[_Name] = set()
        for mid, a in accepted.items():
            track = self.tracks.get(mid)
            if track is None:
                continue
            self._mid_id = a.mid_id or self._mid_id
            self._rid_id = a.rid_id or self._rid_id
            self._repaired_rid_id = a.repaired_rid_id or self._repaired_rid_id
            track.has_levels = bool(a.level_id)
            for layer in track.streams:
                announced = a.streams[layer.place]
                ids = a.transport_id or _NO_ID, a.dependency_id or _NO_ID
                red_payload_type = a.choice.red_payload_type
                red_id = _NO_ID if red_payload_type is None else red_payload_type
                own = _Stream((mid, announced.rid, False), layer, a.level_id or _NO_ID, *ids, red_id)
                repair = _Stream((mid, announced.rid, True), layer, _NO_ID, *ids)
                for payload_type, stream in (
                    (a.choice.codec.payload_type, own),
                    (red_payload_type, own),
                    (a.choice.rtx_payload_type, repair),
                ):
                    if payload_type is not None:
                        # a payload type tells a stream only as long as no second one uses it
                        taken = payload_type in self._by_payload_type
                        self._by_payload_type[payload_type] = None if taken else stream
                if announced.rid or len(a.streams) == 1:
                    self._by_name |= {own.name: own, repair.name: repair}
                if announced.ssrc is not None:
                    alone = len(a.streams) == 1
                    self._streams |= dict.fromkeys(a.ssrcs if alone else (announced.ssrc,), own)
                    repairs = a.repair_ssrcs if alone else (announced.repair_ssrc,)
                    self._streams |= {ssrc: repair for ssrc in repairs if ssrc is not None}
                    if layer.ssrc not in a.ssrcs:
                        layer.take_ssrc(announced.ssrc, now)
                else:
                    unannounced |= {own.name, repair.name}
        # what was learned from packets is not told again: names come with the first ones only, even if a camera was off meanwhile
        self._learned = dict([*self._learned.items()][-_MAX_KEPT:])
        known = {ssrc: self._by_name[name] for ssrc, name in self._learned.items() if name in unannounced}
        self._streams = known | self._streams

    def take_losses(self) -> list[tuple[int, int]]:
        """For each track how many packets were due since the last call, and how many never came, not even by retransmission."""
        before, self._counted = self._counted, {}
        found = []
        for track in self.tracks.values():
            due = lost = 0
            for reception in (stream.reception for stream in track.streams):
                expected, received = self._counted[reception] = reception.counts()
                expected_before, received_before = before.get(reception, (expected, received))
                more = expected - expected_before
                if more < RESTART_GAP:  # else its numbers jumped, which is no loss
                    due += more
                    lost += max(0, more - (received - received_before))
            found.append((due, lost))
        return found

    # -- packets ----------------------------------------------------------------------------------------------------

    def receive_rtp(self, ring: ReceiveRing, at: int, size: int, now: float) -> None:
        """Decrypts a packet in place, normalises its header and hands it to its track. Raises DatagramError."""
        buffer, length = ring.buffer, ring.length
        first, second, sequence, timestamp, ssrc = rtp.HEADER.unpack_from(buffer, at)
        stream = self._streams.get(ssrc)
        if stream is None:
            self._may_meet(ssrc)
        length[0] = size
        if lib.srtp_unprotect(self.receive_handle, ring.srtp_base + at, length):
            self.rejected += 1
            raise DatagramError("SRTP: forged, replayed or too early")
        self.packets += 1
        end = at + length[0]
        start = at + 12 + 4 * (first & 15)
        if stream is None:
            stream = self._bind(ring, at, start, end, ssrc, second & 0x7F)
        level, descriptor = -1, b""
        if first & 0x10:
            if start + 4 > end:
                raise DatagramError("RTP: header extension cut off")
            profile = buffer[start] << 8 | buffer[start + 1]
            stop = start + 4 + 4 * (buffer[start + 2] << 8 | buffer[start + 3])
            if stop > end:
                raise DatagramError("RTP: header extension cut off")
            if profile == 0xBEDE:
                i = start + 4
                while i < stop:
                    head = buffer[i]
                    if head == 0:
                        i += 1
                        continue
                    identifier = head >> 4
                    if identifier == stream.transport_id:
                        self._arrivals.arrivals.append((buffer[i + 1] << 8 | buffer[i + 2], now))
                    elif identifier == stream.level_id:
                        level = buffer[i + 1]
                    elif identifier == stream.dependency_id:
                        descriptor = bytes(buffer[i + 1 : min(i + 2 + (head & 15), stop)])
                    i += 2 + (head & 15)
            elif profile & 0xFFF0 == 0x1000:  # for what is too long for the other form: rare enough for the plain way
                elements, _ = rtp.parse_extensions(buffer, start, stop)
                descriptor = elements.get(stream.dependency_id, b"")
                if len(number := elements.get(stream.transport_id, b"")) == 2:
                    self._arrivals.arrivals.append((int.from_bytes(number, "big"), now))
            start = stop
        if not self._is_armed:
            self._is_armed = True
            self.sfu.schedule(self, now + _LOOK_S)
        layer = stream.layer
        if stream.is_repair:
            if end - start <= 2:
                return  # padding that probes for bandwidth
            original = buffer[start] << 8 | buffer[start + 1]
            packet = (
                rtp.normal_header(first, second & 0x80, original, timestamp, -1, descriptor)
                + ring.view[start + 2 : end]
            )
            layer.receive_repair(packet, original, timestamp, now)
            return
        if ssrc != layer.ssrc and not layer.follow_ssrc(ssrc, now):
            raise DatagramError("RTP: a second stream for one layer")
        if level >= 0:
            layer.track.hear(127 - (level & 0x7F), now)
        if layer.redundant is not None:
            layer.redundant.carried = []
            if second & 0x7F == stream.red_payload_type:
                layer.redundant.carried, start = red.split(buffer, start, end)
        packet = rtp.normal_header(first, second & 0x80, sequence, timestamp, level, descriptor) + ring.view[start:end]
        layer.receive(packet, second & 0x80, sequence, timestamp, now)
        if layer.reception.is_missing_any:
            self._send_control(layer.feedback(now))
            self.sfu.schedule(self, now + _LOOK_S)

    def _bind(self, ring: ReceiveRing, at: int, start: int, end: int, ssrc: int, payload_type: int) -> _Stream:
        """Finds whose packet this is when its SSRC was not announced: by its names (MID, and RID of a layer or of what it
        repairs), else by a payload type that only one stream uses."""
        self._met.add(ssrc)
        stream: _Stream | None = None
        if ring.buffer[at] & 0x10 and self._mid_id:
            elements, _ = rtp.parse_extensions(ring.buffer, start, end)
            mid, rid, repaired = (
                elements.get(identifier, b"").rstrip(b"\0").decode("ascii", "replace") if identifier else ""
                for identifier in (self._mid_id, self._rid_id, self._repaired_rid_id)
            )
            for name in ((mid, repaired, True), (mid, rid, False)):
                found = self._by_name.get(name)
                if found is not None and payload_type in _payload_types(found):
                    stream = found
        if stream is None:
            stream = self._by_payload_type.get(payload_type)
        if stream is None or len(self._learned) >= _MAX_BINDINGS:
            raise DatagramError("RTP: unknown stream")
        self._learned[ssrc] = stream.name
        self._streams[ssrc] = stream
        return stream

    # -- control ----------------------------------------------------------------------------------------------------

    def _handle_rtcp(self, message: rtcp.Message, now: float) -> None:
        if isinstance(message, rtcp.SenderReport):
            stream = self._streams.get(message.ssrc)
            if stream is not None and not stream.is_repair:
                stream.layer.sender_reported(message, now)

    def keyframe_request(self, ssrc: int, feedback: list[str]) -> bytes:
        """PLI, or FIR for a sender that accepted only that."""
        self.sfu.keyframes_asked += 1
        if "ccm fir" in feedback and "nack pli" not in feedback:
            self._fir_number += 1
            return rtcp.fir(self.control_ssrc, ssrc, self._fir_number)
        return rtcp.pli(self.control_ssrc, ssrc)

    def tell(self, event: TransportEvent) -> None:
        """Tells the owner."""
        self._on_event(event)

    def _send_control(self, packets: list[bytes]) -> None:
        """Sends feedback in as few datagrams as fit, each opened by an empty report as compound packets must be."""
        if not packets:
            return
        head = rtcp.receiver_report(self.control_ssrc, ())
        compound = head
        for packet in packets:
            if len(compound) + len(packet) > _MAX_COMPOUND and compound is not head:
                self.send_rtcp(compound)
                compound = head
            compound += packet
        self.send_rtcp(compound)

    def _work(self, now: float) -> float:
        layers = [layer for track in self.tracks.values() for layer in track.streams]
        packets = [packet for layer in layers for packet in layer.feedback(now)]
        media_ssrc = next((layer.ssrc for layer in layers if layer.ssrc is not None), 0)
        had_packets = bool(self._arrivals.arrivals)
        if had_packets and now - self._fed_back_at >= _FEEDBACK_S - _LOOK_S / 2:
            self._fed_back_at = now
            packets += self._arrivals.feedback(self.control_ssrc, media_ssrc)
        if now - self._reported_at >= _REPORT_S:
            self._reported_at = now
            self._report(layers, now)
            self._listen(now)
            for track in self.tracks.values():
                track.keep_up(now)
        for track in list(self.tracks.values()):
            track.watch(now)
        self._send_control(packets)
        if any(layer.is_busy for layer in layers):
            return _LOOK_S
        if had_packets:
            due_at = round((self._fed_back_at + _FEEDBACK_S) / _TOGETHER_S) * _TOGETHER_S
            return max(_LOOK_S / 2, due_at - now)
        self._is_armed = False
        return _REPORT_S

    def _listen(self, now: float) -> None:
        """Says so, once, when nothing comes any more: to whom nothing is sent either nothing else would show it for long."""
        if self.packets != self._packets_heard:
            self._packets_heard, self._packet_at = self.packets, now
        was_unheard = self._is_unheard
        self._is_unheard = now - max(self._packet_at, self.ice.last_check_at) > _UNHEARD_S
        if self._is_unheard and not was_unheard:
            self.tell(Unheard())

    def _report(self, layers: list[Layer], now: float) -> None:
        blocks = [b for x in layers if x.ssrc is not None and (b := x.reception.report(x.ssrc, now)) is not None]
        if blocks:
            self.send_rtcp(
                rtcp.receiver_report(self.control_ssrc, blocks[:31])
                + rtcp.source_description(self.control_ssrc, "pymeet")
            )

    def _end(self, now: float) -> None:
        for track in self.tracks.values():
            if track.transport is self:  # else it goes on elsewhere
                track.close(now)
        self.tracks = {}
        self._streams, self._by_name, self._by_payload_type = {}, {}, {}


def _goes_on(track: Track, wish: TrackWish | None, section: negotiate.Accepted | None) -> bool:
    """Whether what is wished for now is the same track."""
    if wish is None or section is None or track.closed:
        return False
    return (wish.source, section.choice.key, section.rids) == (track.source, track.choice.key, track.rids)


def _payload_types(stream: _Stream) -> tuple[int | None, ...]:
    choice = stream.layer.track.choice
    return (choice.rtx_payload_type,) if stream.is_repair else (choice.codec.payload_type, choice.red_payload_type)
