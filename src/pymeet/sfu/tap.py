"""What else than receivers may take a track's packets: a recorder, for somebody who has agreed to it."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pymeet.sfu.layer import Layer


class Tap(Protocol):
    """Everything is called on the event loop for every packet, so it must do next to nothing, and never raise."""

    def packet(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        """A packet in clear text: RTP header without contributors, header extensions as receivers get them, padding as sent.

        Late and repaired packets come too, each number once for video. None comes that was sent before the tap was set,
        or while the track was muted. `now` is when it arrived, in monotonic seconds.
        """

    def report(self, ntp: int, timestamp: int, now: float) -> None:
        """A sender report (RFC 3550 section 6.4.1): the RTP timestamp and the sender's clock (64-bit NTP) of one moment."""

    def restarted(self) -> None:
        """The packets that follow come from another stream: their numbers and timestamps are unrelated to those before."""


class TapFeed:
    """What of a track goes to its tap: one layer, and from a key frame of a better one on, that one."""

    __slots__ = ("_from", "layer", "tap", "target")

    def __init__(self, layer: "Layer") -> None:
        self.tap: Tap | None = None
        self.layer = self.target = layer
        """The layer that the tap gets, and the one whose key frame it awaits: most often the same."""
        self._from = -1  # the first number that the tap may have; -1: the next that is new

    def set(self, tap: Tap | None, layer: "Layer", now: float) -> None:
        """Another tap, or none. It is told the newest sender report."""
        self.tap = tap
        self._from = -1
        if tap is not None:
            self.layer = self.target = layer
            self._tell_report()
            layer.request_keyframe(now)

    def aim(self, layer: "Layer", now: float) -> None:
        """The tap is to get this layer from its next key frame on."""
        if self.tap is not None and layer is not self.target:
            self.target = layer
            if layer is not self.layer:
                layer.request_keyframe(now)

    def awaits(self, layer: "Layer") -> bool:
        """Whether the tap goes on with this layer as soon as there is a key frame."""
        return self.tap is not None and layer is self.target and layer is not self.layer

    def keyframe(self, layer: "Layer", sequence: int) -> None:
        """A key frame of this layer has come under this number."""
        if self.tap is not None and self.awaits(layer):
            self.layer = layer
            self._from = sequence
            self.tap.restarted()
            self._tell_report()

    def muted(self) -> None:
        """Whatever comes next is new."""
        self._from = -1

    def restart(self, layer: "Layer") -> None:
        """The numbers of this layer are others from now on."""
        if layer is self.layer:
            self._from = -1
            if self.tap is not None:
                self.tap.restarted()

    def reported(self, layer: "Layer") -> None:
        """A sender report of this layer has come."""
        if layer is self.layer and layer.report is not None and layer.report.ssrc == layer.ssrc:
            self._tell_report()

    def _tell_report(self) -> None:
        report = self.layer.report
        if self.tap is not None and report is not None:
            self.tap.report(report.ntp, report.rtp_timestamp, self.layer.report_at)

    def packet(self, layer: "Layer", packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        """A packet of a layer, newer than all before it."""
        if self.tap is not None and layer is self.layer:
            if self._from < 0:
                self._from = sequence
            self.tap.packet(packet, sequence, timestamp, now)

    def late(self, layer: "Layer", packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        """One that came late. What was said before the yes must not be had after it, however late it comes."""
        if (
            self.tap is not None
            and layer is self.layer
            and self._from >= 0
            and (sequence - self._from) & 0xFFFF < 0x8000
        ):
            self.tap.packet(packet, sequence, timestamp, now)

    def keep_up(self) -> None:
        """Once a second: numbers compare only within half their space, so the first one moves along behind the newest."""
        newest = self.layer.fanout.last_sequence
        if self._from >= 0 and (newest - self._from) & 0xFFFF > 0x4000:
            self._from = (newest - 0x2000) & 0xFFFF
