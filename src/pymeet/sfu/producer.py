"""One received track: what arrives is counted, kept for repair, and handed to the fan-out. A muted track goes nowhere."""

from typing import TYPE_CHECKING, Literal

from pymeet.ids import new_id
from pymeet.sfu import rtcp, rtp
from pymeet.sfu.cache import PacketRing
from pymeet.sfu.codecs import CodecChoice, starts_keyframe
from pymeet.sfu.consumer import Consumer
from pymeet.sfu.fanout import Fanout
from pymeet.sfu.keyframes import KeyframeThrottle
from pymeet.sfu.nack import Reception
from pymeet.sfu.ports import Port
from pymeet.sfu.tap import Tap

if TYPE_CHECKING:
    from pymeet.sfu.publish import PublishTransport

Source = Literal["microphone", "camera", "screen", "screen_audio"]

_VIDEO_RING = 512
_AUDIO_RING = 1  # sound is not repaired: it would come too late
_WANT_KEYFRAME_AGAIN_S = 1.0
_SSRC_SILENT_S = 1.0
_REPORTS_APART_S = 0.1


class Track:
    """A published microphone, camera or screen, as rooms see it and as packets meet it."""

    def __init__(
        self, transport: "PublishTransport", mid: str, source: Source, choice: CodecChoice, port: Port
    ) -> None:
        self.id = new_id()
        self.transport = transport
        self.owner = transport.owner
        self.mid = mid
        self.source: Source = source
        self.choice = choice
        self.codec = choice.codec.name.lower()
        self.kind: Literal["audio", "video"] = "audio" if choice.codec.clock_rate == 48000 else "video"
        self.muted = False
        self.closed = False
        self.ssrc: int | None = None
        is_video = self.kind == "video"
        self.reception = self._new_reception()
        self.fanout = Fanout(port, PacketRing(_VIDEO_RING if is_video else _AUDIO_RING))
        self.keyframes = KeyframeThrottle()
        self.report: rtcp.SenderReport | None = None
        self._report_at = 0.0
        self._tap: Tap | None = None
        self._tap_from = -1  # the first number that the tap may have; -1: the next that is new
        self.level_sum = 0
        self.level_count = 0
        self._waiting_since = self._reported_at = 0.0
        self._is_video = is_video
        self._rival = (-1, 0.0, 0)  # another SSRC: which, since when, and how much of our own had come by then

    def _new_reception(self) -> Reception:
        codec = self.choice.codec
        return Reception(codec.clock_rate, wants_repair=self.kind == "video" and "nack" in codec.feedback)

    def set_muted(self, muted: bool, now: float) -> None:
        """Stops or starts forwarding at once, whatever the client goes on sending."""
        if muted == self.muted:
            return
        self.muted = muted
        if muted:
            self.fanout.pause(now)
            self._tap_from = -1
            self.level_sum = self.level_count = 0
        else:
            self.request_keyframe(now)

    def add(self, consumer: Consumer, now: float) -> None:
        """A receiver wants this track."""
        self.fanout.add(consumer)
        self.request_keyframe(now)

    def remove(self, consumer: Consumer, now: float) -> None:
        """A receiver no longer wants it."""
        self.fanout.remove(consumer, now)

    def set_tap(self, tap: Tap | None, now: float) -> None:
        """Gives every packet from now on to `tap` too, or to none any more. The tap is told the newest sender report."""
        self._tap = tap
        self._tap_from = -1
        if tap is not None:
            if self.report is not None:
                tap.report(self.report.ntp, self.report.rtp_timestamp, self._report_at)
            self.request_keyframe(now)

    def request_keyframe(self, now: float) -> None:
        """Asks the publisher for a key frame as soon as the throttle allows."""
        if self._is_video and not self.muted and not self.closed:
            self.keyframes.request()
            self._waiting_since = now
            self.transport.wake(now)

    def close(self, now: float) -> None:
        """The track ends for everybody."""
        self.closed = True
        self._tap = None
        for consumer in [*self.fanout.waiting, *self.fanout.consumers]:
            self.fanout.remove(consumer, now)

    def keep_up(self) -> None:
        """Once a second: lets the receivers' view of sequence numbers move along."""
        for consumer in self.fanout.consumers:
            consumer.keep_up(self.fanout.last_sequence)
        # numbers compare only within half their space, so the tap's first one moves along behind the newest
        if self._tap_from >= 0 and (self.fanout.last_sequence - self._tap_from) & 0xFFFF > 0x4000:
            self._tap_from = (self.fanout.last_sequence - 0x2000) & 0xFFFF

    def take_ssrc(self, ssrc: int, now: float) -> None:
        """The packets come under this SSRC from now on.

        After another SSRC its numbers are unrelated: receivers begin anew, theirs go on without a gap. Two streams side by side
        under one track would put two texts under one sequence number, and so one SRTP keystream.
        """
        self.ssrc = ssrc
        self._rival = (-1, 0.0, 0)
        if self.reception.highest < 0:
            return
        self.fanout.pause(now)
        for consumer in self.fanout.waiting:
            consumer.forget_producer()
        self.reception = self._new_reception()
        self.report = None
        self._tap_from = -1
        if self._tap is not None:
            self._tap.restarted()
        self.request_keyframe(now)

    def follow_ssrc(self, ssrc: int, now: float) -> bool:
        """Whether a packet under another SSRC is this track: when nothing has come yet, or nothing for a second."""
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
        if self.muted or self.closed:
            return
        if not newer:
            self._receive_late(packet, sequence, timestamp, now)
            return
        fanout = self.fanout
        if self._is_video:
            fanout.ring.put(sequence, packet)
        if fanout.waiting and (not self._is_video or starts_keyframe(self.codec, packet[rtp.HEADER_BYTES :])):
            for consumer in fanout.begin_waiting(sequence, timestamp, now):
                self._send_report(consumer)
        fanout.forward(packet, marker, sequence, timestamp)
        if self._tap is not None:
            if self._tap_from < 0:
                self._tap_from = sequence
            self._tap.packet(packet, sequence, timestamp, now)

    def receive_repair(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        """Takes a packet that the publisher sent again by RTX."""
        if not self.reception.repaired(sequence) or self.muted or self.closed:
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
        fanout.forward_late(packet, sequence, timestamp, _send_late)
        # what was said before the yes must not be had after it, however late it comes
        if self._tap is not None and self._tap_from >= 0 and (sequence - self._tap_from) & 0xFFFF < 0x8000:
            self._tap.packet(packet, sequence, timestamp, now)

    # -- control ------------------------------------------------------------------------------------------------

    def sender_reported(self, report: rtcp.SenderReport, now: float) -> None:
        """Passes the publisher's clock on to every receiver, so that sound and picture stay together."""
        self.report = report
        self._report_at = now
        self.reception.sender_reported(report.ntp, now)
        if now - self._reported_at < _REPORTS_APART_S:
            return
        self._reported_at = now
        if self._tap is not None and report.ssrc == self.ssrc:
            self._tap.report(report.ntp, report.rtp_timestamp, now)
        for consumer in self.fanout.consumers:
            self._send_report(consumer)

    def _send_report(self, consumer: Consumer) -> None:
        if self.report is None:
            return
        packets, octets = self.fanout.sent(consumer)
        timestamp = self.report.rtp_timestamp + (consumer.timestamp_offset or 0)
        report = rtcp.SenderReport(consumer.ssrc, self.report.ntp, timestamp, packets, octets)
        consumer.transport.send_rtcp(
            rtcp.sender_report(report) + rtcp.source_description(consumer.ssrc, consumer.transport.cname_of(self))
        )

    def feedback(self, now: float) -> list[bytes]:
        """Requests to the publisher that are due: lost packets, a key frame."""
        packets = []
        if self.ssrc is None:
            return []
        transport = self.transport
        if due := self.reception.due(now):
            packets.append(rtcp.nack(transport.control_ssrc, self.ssrc, due))
        if (
            self.fanout.waiting
            and self._is_video
            and now - self._waiting_since > _WANT_KEYFRAME_AGAIN_S
            and not self.muted
        ):
            self.keyframes.request()
            self._waiting_since = now
        if self.keyframes.take(now):
            packets.append(transport.keyframe_request(self.ssrc, self.choice.codec.feedback))
        return packets

    def take_level(self) -> float:
        """Mean loudness since the last call, 0 (silence) to 127."""
        count, total = self.level_count, self.level_sum
        self.level_count = self.level_sum = 0
        return total / count if count and not self.muted else 0.0


def _send_late(consumer: Consumer, packet: bytes) -> None:
    consumer.transport.send_rtp(packet)
