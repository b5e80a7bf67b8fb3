"""What else than receivers may take a track's packets: a recorder, for somebody who has agreed to it."""

from typing import Protocol


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
