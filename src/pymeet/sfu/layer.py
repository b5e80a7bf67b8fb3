"""One incoming stream of a track: what arrives is counted, kept for repair, and handed to the fan-out.

A microphone or a plain camera has one layer; a camera that sends simulcast (RFC 8853) has one for each size. Within one
stream there may be layers too (`scalable.py`).
"""

from typing import TYPE_CHECKING

from pymeet.sfu import rtcp, rtp
from pymeet.sfu.cache import PacketRing
from pymeet.sfu.codecs import keyframe_size, starts_keyframe
from pymeet.sfu.consumer import Consumer
from pymeet.sfu.fanout import Fanout
from pymeet.sfu.keyframes import KeyframeThrottle
from pymeet.sfu.nack import Reception
from pymeet.sfu.operating_points import reader_for
from pymeet.sfu.ports import Port
from pymeet.sfu.red import RedLayer
from pymeet.sfu.scalable import PointLayer, Rung, Scalable
from pymeet.sfu.switching import Receiver

if TYPE_CHECKING:
    from pymeet.sfu.producer import Track

_VIDEO_RING = 512
_AUDIO_RING = 1  # sound is not repaired: it would come too late
_WANT_KEYFRAME_AGAIN_S = 1.0
_SSRC_SILENT_S = 1.0
_REPORTS_APART_S = 0.1
_CATCH_UP = 128
"""How many packets may have overtaken the first one of a key frame."""
_PATIENCE_S = 0.35
_PATIENCE_FRAMES = 3
_MAX_PATIENCE_S = 1.5
_FADING = 0.9


class Layer:
    """See above. `rid` names it to the sender (RFC 8851); empty where the sender has no names."""

    __slots__ = (
        "_counted_at",
        "_frames",
        "_is_layered",
        "_is_video",
        "_octets",
        "_patience_s",
        "_reported_at",
        "_rival",
        "_waiting_since",
        "clock_zero",
        "fanout",
        "heard_at",
        "height",
        "incoming",
        "keyframes",
        "place",
        "rate_bps",
        "reception",
        "redundant",
        "report",
        "report_at",
        "rid",
        "scalable",
        "ssrc",
        "track",
        "usual_bps",
        "wanted_at",
        "wanted_since",
        "width",
    )

    def __init__(
        self, track: "Track", rid: str, place: int, port: Port, now: float, *, is_layered: bool, is_scalable: bool
    ) -> None:
        self.track = track
        self.rid = rid
        self.place = place
        """Where the sender listed it, which may be in another order than by size."""
        self.ssrc: int | None = None
        self._is_video = track.kind == "video"
        self._is_layered = is_layered
        self.reception = self._new_reception()
        self.fanout = Fanout(port, self._new_ring())
        reader = reader_for(track.codec) if is_scalable else None
        self.scalable = None if reader is None else Scalable(self, reader, port)
        self.redundant = RedLayer(self, port) if track.choice.may_be_redundant else None
        self.incoming: list[Receiver] = []
        """Those who get another layer until a key frame of this one comes."""
        self.keyframes = KeyframeThrottle()
        self.report: rtcp.SenderReport | None = None
        self.report_at = 0.0
        self.clock_zero: int | None = None
        """What timestamp the sender's wall clock at zero would have, negated: equal moments of two layers differ by these."""
        self.rate_bps = 0
        """Bits per second that came, by the last second."""
        self.usual_bps = 0
        """The same of when it last lived; a peak is forgotten slowly."""
        self.width = self.height = 0
        """Of the pictures, in pixels; 0 where that is not known."""
        self.heard_at = float("-inf")
        """When the newest packet came."""
        self.wanted_since = self.wanted_at = now
        """Since when somebody has wanted it, and when that was so last."""
        self._patience_s = _PATIENCE_S
        self._octets = self._frames = 0
        self._counted_at = now
        self._waiting_since = self._reported_at = 0.0
        self._rival = (-1, 0.0, 0)  # another SSRC: which, since when, and how much of our own had come by then

    def _new_reception(self) -> Reception:
        codec = self.track.choice.codec
        return Reception(codec.clock_rate, wants_repair=self._is_video and "nack" in codec.feedback)

    def _new_ring(self) -> PacketRing:
        return PacketRing(_VIDEO_RING if self._is_video else _AUDIO_RING)

    @property
    def stream(self) -> "Layer":
        """Itself; a part of a stream has another."""
        return self

    @property
    def family(self) -> list[Rung]:
        """What receivers can be sent of this stream: its parts, lowest first, and all of it; of sound, more than that."""
        if self.redundant is not None:
            return [self, self.redundant]
        parts: list[PointLayer] = [] if self.scalable is None else self.scalable.points
        return [*parts, self]

    def is_live(self, now: float) -> bool:
        """Whether packets come: a layer that its sender stopped misses some frames in a row."""
        return now - self.heard_at < self._patience_s

    def want(self, now: float, forgotten_s: float) -> None:
        """Somebody wants it; after so long without anybody that is new."""
        if now - self.wanted_at >= forgotten_s:
            self.wanted_since = now
        self.wanted_at = now

    def take_ssrc(self, ssrc: int | None, now: float) -> None:
        """The packets come under this SSRC from now on; None: under one that is not known yet.

        After another SSRC its numbers are unrelated: receivers begin anew, theirs go on without a gap. Two streams side by side
        under one layer would put two texts under one sequence number, and so one SRTP keystream.
        """
        self.ssrc = ssrc
        self._rival = (-1, 0.0, 0)
        if self.reception.highest < 0:
            return
        self.track.pause(self.family, now)
        if self.scalable is not None:
            self.scalable.restart()
        self.fanout.ring = self._new_ring()  # whoever still holds the old one must not find other packets in it
        self.track.forget_clock(self)
        self.reception = self._new_reception()
        self.report = self.clock_zero = None
        self.track.feed.restart(self)
        self.request_keyframe(now)

    def follow_ssrc(self, ssrc: int, now: float) -> bool:
        """Whether a packet under another SSRC is this layer: when nothing has come yet, or nothing for a second."""
        if self.reception.highest >= 0:
            rival, since, received = self._rival
            if rival != ssrc or received != self.reception.received:
                self._rival = (ssrc, now, self.reception.received)
                return False
            if now - since < _SSRC_SILENT_S:
                return False
        self.take_ssrc(ssrc, now)
        return True

    # -- packets ------------------------------------------------------------------------------------------------

    def receive(self, packet: bytes, marker: int, sequence: int, timestamp: int, now: float) -> None:
        """Takes one packet in clear text, its header extensions already those that receivers get."""
        newer = self.reception.arrived(sequence, timestamp, now)
        track = self.track
        if track.muted or track.closed:
            return
        if not newer:
            self._receive_late(packet, sequence, timestamp, now)
            return
        fanout = self.fanout
        is_back = self._is_layered and now - self.heard_at >= self._patience_s
        self.heard_at = now
        self._octets += len(packet)
        self._frames += marker >> 7
        if is_back:
            track.settle(now)
        if self._is_video:
            fanout.ring.put(sequence, packet)
            if fanout.waiting or self.incoming or (self._is_layered and timestamp != fanout.last_timestamp):
                self._look(packet, sequence, timestamp, now)
            if self.scalable is not None:
                self.scalable.take(packet, sequence, timestamp, now)
        else:
            if (fanout.waiting or self.incoming) and not track.withheld:
                self._begin(packet, sequence, timestamp, now)
            if self.redundant is not None:
                self.redundant.take(packet, marker, sequence, timestamp, now)
        fanout.forward(packet, marker, sequence, timestamp)
        if track.feed.tap is not None:
            track.feed.packet(self, packet, sequence, timestamp, now)

    def _look(self, packet: bytes, sequence: int, timestamp: int, now: float) -> list[Consumer]:
        """Looks whether a decoder can begin with this packet; then all begin who wait for one. Returns them."""
        track = self.track
        payload = packet[rtp.payload_at(packet) :]
        if not starts_keyframe(track.codec, payload):
            return []
        self.keyframes.came()
        if self._is_layered:
            size = keyframe_size(track.codec, payload)
            if size is not None and size != (self.width, self.height):
                self.width, self.height = size
                track.put_in_order(now)
            track.feed.keyframe(self, sequence)
        return self._begin(packet, sequence, timestamp, now)

    def _begin(self, packet: bytes, sequence: int, timestamp: int, now: float) -> list[Consumer]:
        for receiver in list(self.incoming):
            receiver.cross(now)
        if not self.fanout.waiting:
            return []
        for consumer in self.fanout.waiting:
            self.track.receivers[consumer].go_on(self, packet, timestamp, now)
        begun = self.fanout.begin_waiting(sequence, timestamp, now)
        for consumer in begun:
            self.send_report(consumer, self.fanout)
        return begun

    def receive_repair(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        """Takes a packet that the publisher sent again by RTX."""
        if not self.reception.repaired(sequence) or self.track.muted or self.track.closed:
            return
        self._receive_late(packet, sequence, timestamp, now)

    def _receive_late(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        fanout = self.fanout
        if self._is_video:
            # once per number: a repair may differ from its original in padding, and one keystream must not serve both
            too_old = (fanout.last_sequence - sequence) & 0xFFFF >= _VIDEO_RING
            if too_old or fanout.ring.get(sequence) is not None:
                return
            fanout.ring.put(sequence, packet)
            if self.scalable is not None:
                self.scalable.take_late(packet, sequence, timestamp, now)
        elif self.redundant is not None:
            self.redundant.take_late(packet, sequence, timestamp)
        begun: list[Consumer] = []
        behind = (fanout.last_sequence - sequence) & 0xFFFF
        feed = self.track.feed
        tapped = feed.layer
        if self.has_waiting and behind <= _CATCH_UP:
            begun = self._look(packet, sequence, timestamp, now)
        fanout.forward_late(packet, sequence, timestamp, _send_late)
        feed.late(self, packet, sequence, timestamp, now)
        if not begun and feed.layer is tapped:
            return
        # who begins with a packet that was overtaken gets those that overtook it
        for number in range(sequence + 1, sequence + 1 + behind):
            later = fanout.ring.get(number & 0xFFFF)
            if later is not None:
                for consumer in begun:
                    _send_late(consumer, consumer.copy(later))
                if feed.layer is not tapped:
                    feed.late(self, later, number & 0xFFFF, int.from_bytes(later[4:8], "big"), now)

    # -- control ------------------------------------------------------------------------------------------------

    def request_keyframe(self, now: float) -> None:
        """Asks the publisher for a key frame as soon as the throttle allows."""
        if self._is_video and not self.track.muted and not self.track.closed:
            self.keyframes.request()
            self._waiting_since = now
            self.track.transport.wake(now)

    def await_change(self, layer: Rung | None, wanted: Rung, now: float) -> None:
        """A receiver waits to go over from `layer` to this stream, or the part of it that is wanted.

        Within one stream that often goes without a key frame; where it takes long one is asked for after all.
        """
        if self.scalable is not None and self.scalable.needs_no_keyframe(layer, wanted):
            self._waiting_since = now
        else:
            self.request_keyframe(now)

    def sender_reported(self, report: rtcp.SenderReport, now: float) -> None:
        """Passes the publisher's clock on to every receiver, so that sound and picture stay together."""
        self.report = report
        self.report_at = now
        self.clock_zero = (report.ntp * self.reception.clock_rate >> 32) - report.rtp_timestamp
        self.reception.sender_reported(report.ntp, now)
        if now - self._reported_at < _REPORTS_APART_S:
            return
        self._reported_at = now
        self.track.feed.reported(self)
        for rung in self.family:
            for consumer in rung.fanout.consumers:
                self.send_report(consumer, rung.fanout)

    def send_report(self, consumer: Consumer, fanout: Fanout) -> None:
        """Tells a receiver of this stream, who is in that fan-out, the sender's clock."""
        if self.report is None:
            return
        packets, octets = fanout.sent(consumer)
        timestamp = self.report.rtp_timestamp + (consumer.timestamp_offset or 0)
        report = rtcp.SenderReport(consumer.ssrc, self.report.ntp, timestamp, packets, octets)
        consumer.transport.send_rtcp(
            rtcp.sender_report(report) + rtcp.source_description(consumer.ssrc, consumer.transport.cname_of(self.track))
        )

    def feedback(self, now: float) -> list[bytes]:
        """Requests to the publisher that are due: lost packets, a key frame."""
        packets: list[bytes] = []
        if self.ssrc is None:
            return packets
        transport = self.track.transport
        if due := self.reception.due(now):
            packets.append(rtcp.nack(transport.control_ssrc, self.ssrc, due))
        if self.has_waiting and now - self._waiting_since > _WANT_KEYFRAME_AGAIN_S:
            self.keyframes.request()
            self._waiting_since = now
        if self.keyframes.take(now):
            packets.append(transport.keyframe_request(self.ssrc, self.track.choice.codec.feedback))
        return packets

    @property
    def has_waiting(self) -> bool:
        """Whether a key frame would be of use to somebody."""
        if not self._is_video or self.track.muted:
            return False
        return any(rung.fanout.waiting or rung.incoming for rung in self.family) or self.track.feed.awaits(self)

    @property
    def is_busy(self) -> bool:
        """Whether there is something to ask the publisher for, now or later."""
        return self.reception.is_missing_any or self.keyframes.is_wanted or self.has_waiting

    def keep_up(self, now: float) -> None:
        """Once a second: lets the receivers' view of sequence numbers move along, and measures."""
        if self._octets:
            for fanout in [self.fanout] if self.redundant is None else [self.fanout, self.redundant.fanout]:
                for consumer in fanout.consumers:
                    consumer.keep_up(fanout.last_sequence)
            if not self.rate_bps:
                self._rouse(now)
        elapsed = now - self._counted_at
        if self.scalable is not None:
            self.scalable.keep_up(elapsed)
        self.rate_bps = int(self._octets * 8 / elapsed) if elapsed > 0 else 0
        if self._frames:
            self.usual_bps = max(self.rate_bps, round(self.usual_bps * _FADING))
        slow = _PATIENCE_FRAMES * elapsed / self._frames if self._frames else 0.0
        self._patience_s = min(max(_PATIENCE_S, slow), _MAX_PATIENCE_S)
        self._octets = self._frames = 0
        self._counted_at = now

    def _rouse(self, now: float) -> None:
        """After a second without a packet: receivers may be at rest, and those that were not paused do not begin anew."""
        for rung in self.family:
            for consumer in rung.fanout.consumers:
                consumer.transport.begun(now)


def _send_late(consumer: Consumer, packet: bytes) -> None:
    consumer.transport.send_rtp(packet)
