"""One receiver of one track: which layer it wants, which it gets, and how its timestamps go on when that changes.

A change happens at a key frame of the new layer only (between parts of one stream more often, see `scalable.py`); until then
the old one goes on. Sequence numbers go on by
`Consumer.end` and `begin`. Timestamps go on by the sender reports of both layers, which name the same moments of one clock
(RFC 3550 section 6.4.1); where a report is missing, by arrival. They never go back.
"""

from typing import TYPE_CHECKING

from pymeet.sfu.consumer import Consumer
from pymeet.sfu.vp8 import Vp8Numbers

if TYPE_CHECKING:
    from pymeet.sfu.layer import Layer
    from pymeet.sfu.scalable import Rung

_CIRCLE = 1 << 32
_BELIEVABLE_S = 2.0
"""Sender reports that say something further off than this from what the arrival says are wrong."""


class Receiver:
    """See above. `wish` is a rank: 0 for the lowest layer, -1 for nothing."""

    __slots__ = ("ahead", "clock", "consumer", "last", "layer", "left", "target", "wish")

    def __init__(self, consumer: Consumer, wish: int) -> None:
        self.consumer = consumer
        self.wish = wish
        self.layer: Rung | None = None
        """In whose fan-out the consumer is, be it sent to or waiting."""
        self.target: Rung | None = None
        """Whose key frame it awaits while the other layer goes on."""
        self.clock: Layer | None = None
        """For whose timestamps the consumer's offset is: a stream, whatever part of it."""
        self.ahead = 0
        """How many ticks its timestamps are later than they should be, because they must not go back."""
        self.last: bytes | None = None
        """The last packet that was sent, as it came, where another layer's pictures may have to be counted on from it."""
        self.left: Rung | None = None
        """Which layer that was of."""

    def follow(self, wanted: "Rung | None", now: float) -> None:
        """The receiver is to get this layer, or nothing."""
        if wanted is not None and wanted is self.layer:
            self._forget_target()
        elif wanted is None or self.layer is None or not self.layer.fanout.is_forwarding(self.consumer):
            self.leave(now)
            if wanted is not None:
                self._enter(wanted)
                wanted.request_keyframe(now)
        elif wanted is not self.target:
            self._forget_target()
            self.target = wanted
            wanted.incoming.append(self)
            wanted.stream.await_change(self.layer, wanted, now)

    def leave(self, now: float) -> None:
        """Nothing more is sent."""
        self._forget_target()
        if self.layer is not None:
            self.note_last()
            self.layer.fanout.remove(self.consumer, now)
            self.layer = None

    def note_last(self) -> None:
        """The layer is about to stop."""
        layer = self.layer
        if layer is not None and layer.track.codec == "vp8" and layer.fanout.is_forwarding(self.consumer):
            self.last, self.left = layer.fanout.ring.get(layer.fanout.last_sequence), layer

    def cross(self, now: float) -> None:
        """A key frame of the target has come: the consumer is to begin with it."""
        target = self.target
        if target is not None:
            self.leave(now)
            self._enter(target)

    def _enter(self, layer: "Rung") -> None:
        self.layer = layer
        layer.fanout.add(self.consumer)

    def _forget_target(self) -> None:
        if self.target is not None:
            self.target.incoming.remove(self)
            self.target = None

    def go_on(self, layer: "Rung", packet: bytes, timestamp: int, now: float) -> None:
        """The consumer is about to begin with this packet of a layer: its timestamps and picture numbers are to go on."""
        consumer, before = self.consumer, self.clock
        self.clock = layer.stream
        is_same = before is layer.stream
        if consumer.resume_timestamp is None or (is_same and self.left is layer):
            return  # is the first, or goes on where it stopped
        if self.last is not None:
            consumer.vp8 = consumer.vp8 or Vp8Numbers()
            consumer.vp8.go_on(self.last, packet, is_same_stream=is_same)
            self.last = None
        if is_same:
            return
        last = consumer.resume_timestamp
        # a layer that was left long ago has gone on since
        since = consumer.resumed_at if before is None else min(consumer.resumed_at, before.heard_at)
        at = last + max(1, round((now - since) * consumer.clock_rate))
        ahead = 0
        if before is not None and before.clock_zero is not None and layer.clock_zero is not None:
            shift = (consumer.timestamp_offset or 0) - self.ahead + layer.clock_zero - before.clock_zero
            exact = last + _signed(timestamp + shift - last)
            if abs(exact - at) < _BELIEVABLE_S * consumer.clock_rate:
                at = max(exact, last + 1)
                ahead = at - exact
        consumer.timestamp_offset = (at - timestamp) % _CIRCLE
        self.ahead = ahead


def _signed(difference: int) -> int:
    """A difference of two 32-bit timestamps, the shorter way round."""
    return (difference + _CIRCLE // 2) % _CIRCLE - _CIRCLE // 2
