"""The operating points of one incoming stream as layers that receivers can be in, each with its own numbers and ring.

The stream itself, as it comes, is the highest of them. Between points of one stream a receiver goes over at the beginning
of a picture, as the stream allows, without a key frame; from another stream, or from nothing, with a key frame as ever.
"""

import contextlib
from typing import TYPE_CHECKING, TypeAlias, Union

from pymeet.sfu.cache import PacketRing
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.fanout import Fanout
from pymeet.sfu.operating_points import Part, Point, Reader
from pymeet.sfu.ports import Port
from pymeet.sfu.switching import Receiver
from pymeet.sfu.thinned import WINDOW, Thinned

if TYPE_CHECKING:
    from pymeet.sfu.consumer import Consumer
    from pymeet.sfu.layer import Layer
    from pymeet.sfu.producer import Track
    from pymeet.sfu.red import RedLayer

_LINGER_S = 1.0
"""How long a point that nobody is in any more goes on: what was lost last may still be asked for."""
_FADING = 0.9

Rung: TypeAlias = Union["Layer", "PointLayer", "RedLayer"]
"""What a receiver can be sent of a track."""


class PointLayer:
    """A point below the highest of a stream. What it has of its own is its fan-out; the rest is its stream's."""

    __slots__ = (
        "fanout",
        "height",
        "incoming",
        "is_slowed",
        "point",
        "rate_bps",
        "stream",
        "thinned",
        "used_at",
        "usual_bps",
        "width",
    )

    def __init__(self, stream: "Layer", point: Point, port: Port) -> None:
        self.stream = stream
        self.point = point
        self.fanout = Fanout(port, PacketRing(WINDOW))
        self.incoming: list[Receiver] = []
        """See `Layer.incoming`."""
        self.thinned: Thinned | None = None
        """Made when somebody begins with this point."""
        self.is_slowed = False
        """Whether there is a higher point with the same pictures, only more of them."""
        self.used_at = float("-inf")
        self.rate_bps = self.usual_bps = 0
        self.width = self.height = 0

    @property
    def track(self) -> "Track":
        """Whose stream it is."""
        return self.stream.track

    @property
    def heard_at(self) -> float:
        """See `Layer`."""
        return self.stream.heard_at

    @property
    def clock_zero(self) -> int | None:
        """See `Layer`."""
        return self.stream.clock_zero

    def is_live(self, now: float) -> bool:
        """See `Layer`."""
        return self.stream.is_live(now)

    def request_keyframe(self, now: float) -> None:
        """See `Layer`."""
        self.stream.request_keyframe(now)

    def rest(self) -> None:
        """Nobody needs it for now, or its stream begins anew. Whoever was sent something from the ring keeps that."""
        self.thinned = None
        self.fanout.ring = PacketRing(WINDOW)


class Scalable:
    """The points of one stream."""

    __slots__ = ("_port", "_reader", "_reader_points", "_stream", "points")

    def __init__(self, stream: "Layer", reader: Reader, port: Port) -> None:
        self._stream = stream
        self._port = port
        self._reader = reader
        self._reader_points = reader.points
        self.points: list[PointLayer] = []
        """Lowest first, without the highest, which is the stream itself."""

    @property
    def highest(self) -> Point:
        """What the stream itself is among its points."""
        return self._reader_points[-1]

    def needs_no_keyframe(self, layer: Rung | None, wanted: Rung) -> bool:
        """Whether a receiver of one layer can be expected to go over to another soon, without a key frame."""
        family = self._stream.family
        return layer in family and self._reader.needs_no_keyframe(family.index(layer), family.index(wanted))

    def restart(self) -> None:
        """What follows comes under another SSRC, its numbers unrelated."""
        self._reader.restart()
        for point in self.points:
            point.rest()

    def keep_up(self, elapsed_s: float) -> None:
        """Once a second: measures, and lets the receivers' view of sequence numbers move along."""
        rates = self._reader.take_rates(max(elapsed_s, 0.001))
        for point, rate_bps in zip(self.points, rates, strict=False):
            point.rate_bps = rate_bps
            if rate_bps:
                point.usual_bps = max(rate_bps, round(point.usual_bps * _FADING))
            for consumer in point.fanout.consumers:
                consumer.keep_up(point.fanout.last_sequence)

    # -- packets ------------------------------------------------------------------------------------------------

    def take(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        """A packet newer than all before it: receivers change with it, and it is forwarded in the points below."""
        if not self.points and not self._reader.has_layers(packet):
            return
        part = self._read(packet, timestamp, now, is_newer=True)
        if part is not None and part.begins_picture:
            self._change(packet, sequence, timestamp, part, now)
        for point in self.points:
            thinned = point.thinned
            if thinned is None:
                continue
            fanout = point.fanout
            if fanout.consumers:
                point.used_at = now
            elif now - point.used_at > _LINGER_S:
                point.rest()
                continue
            kept = thinned.take(packet, sequence, part)
            if kept is not None:
                number = kept[2] << 8 | kept[3]
                fanout.ring.put(number, kept)
                fanout.forward(kept, kept[1] & 0x80, number, timestamp)
            else:
                # numbers kept for what is missing count as sent: it may come late
                fanout.last_sequence = thinned.newest_number

    def take_late(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        """A packet that came late or was repaired, the first under its number."""
        if not self.points and not self._reader.has_layers(packet):
            return
        part = self._read(packet, timestamp, now, is_newer=False)
        for point in self.points:
            kept = None if point.thinned is None else point.thinned.take_late(packet, sequence, part)
            if kept is None:
                continue
            number = kept[2] << 8 | kept[3]
            if point.fanout.ring.get(number) is None:
                point.fanout.ring.put(number, kept)
                point.fanout.forward_late(kept, number, timestamp, _send_late)

    def _read(self, packet: bytes, timestamp: int, now: float, *, is_newer: bool) -> Part | None:
        part = None
        with contextlib.suppress(DatagramError):
            part = self._reader.read(packet, timestamp, is_newer=is_newer)
        if self._reader.points is not self._reader_points:
            self._grow(now)
        return part

    def _grow(self, now: float) -> None:
        """The stream has shown more layers."""
        self._reader_points = self._reader.points
        known = {(p.point.spatial, 0 if p.point.spatial else p.point.temporal): p for p in self.points}
        self.points = []
        for i, point in enumerate(self._reader_points[:-1]):
            layer = known.get((point.spatial, 0 if point.spatial else point.temporal))
            if layer is None:
                layer = PointLayer(self._stream, point, self._port)
            layer.point = point
            layer.is_slowed = point.spatial == self._reader_points[i + 1].spatial
            if layer.thinned is not None:
                layer.thinned.point = i
            self.points.append(layer)
        self.measure()
        self._stream.track.grown(now)

    def measure(self) -> None:
        """Tells all points, and the stream, the sizes of their pictures."""
        sizes = self._reader.sizes
        for point in self.points:
            point.width, point.height = sizes.get(point.point.spatial, (self._stream.width, self._stream.height))
        highest = self._reader_points[-1].spatial
        self._stream.width, self._stream.height = sizes.get(highest, (self._stream.width, self._stream.height))

    # -- changes ------------------------------------------------------------------------------------------------

    def _change(self, packet: bytes, sequence: int, timestamp: int, part: Part, now: float) -> None:
        """Lets those who wait for it begin with the picture that begins here."""
        if part.is_key:
            self.measure()
        family = self._stream.family
        for to, rung in enumerate(family):
            if not rung.incoming and not (part.is_key and rung.fanout.waiting):
                continue
            crossing = [r for r in rung.incoming if part.is_key or self._may_cross(r, family, part, to)]
            if crossing:
                self._keep_places(sequence)
            if isinstance(rung, PointLayer):
                if crossing or part.is_key:
                    self._begin_point(rung, to, crossing, packet, sequence, timestamp, part, now)
            elif crossing and not part.is_key:  # with a key frame the stream itself lets them begin
                self._begin(rung, crossing, packet, timestamp, now, is_key=False)

    def _keep_places(self, sequence: int) -> None:
        """What is missing before this packet may come late: its numbers count as sent to whoever goes over now, so that it can
        be asked for under them."""
        self._stream.fanout.last_sequence = (sequence - 1) & 0xFFFF
        for point in self.points:
            if point.thinned is not None:
                point.fanout.last_sequence = (point.thinned.number_of(sequence) - 1) & 0xFFFF

    def _may_cross(self, receiver: Receiver, family: list[Rung], part: Part, to: int) -> bool:
        layer = receiver.layer
        if layer is None or layer not in family or not layer.fanout.is_forwarding(receiver.consumer):
            return False
        return self._reader.may_switch(part, family.index(layer), to)

    def _begin_point(
        self,
        point: PointLayer,
        index: int,
        crossing: list[Receiver],
        packet: bytes,
        sequence: int,
        timestamp: int,
        part: Part,
        now: float,
    ) -> None:
        if point.thinned is None:
            point.thinned = Thinned(index)
            point.fanout.last_timestamp = timestamp
        first = point.thinned.upcoming(packet, sequence, part)
        # who leaves again before anything has been sent, as this picture may be left out, has had what came before
        point.fanout.last_sequence = ((first[2] << 8 | first[3]) - 1) & 0xFFFF
        point.used_at = now
        self._begin(point, crossing, first, timestamp, now, is_key=part.is_key)

    def _begin(
        self, rung: Rung, crossing: list[Receiver], first: bytes, timestamp: int, now: float, *, is_key: bool
    ) -> None:
        fanout = rung.fanout
        others: list[Consumer] = []
        if not is_key:
            others, fanout.waiting = fanout.waiting, []
        for receiver in crossing:
            receiver.cross(now)
        for consumer in fanout.waiting:
            self._stream.track.receivers[consumer].go_on(rung, first, timestamp, now)
        begun = fanout.begin_waiting(first[2] << 8 | first[3], timestamp, now)
        fanout.waiting += others
        for consumer in begun:
            self._stream.send_report(consumer, fanout)


def _send_late(consumer: "Consumer", packet: bytes) -> None:
    consumer.transport.send_rtp(packet)
