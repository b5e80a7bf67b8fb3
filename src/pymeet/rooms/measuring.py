"""Reads in turns how everybody's connection works, and tells the room where one does not work well. Part of the rim of a live room."""

from collections.abc import Mapping

from pymeet.clock import Clock
from pymeet.rooms.events import QualityChanged
from pymeet.rooms.quality import Reading
from pymeet.rooms.seat import Seat

_PARTS = 10
"""A room ticks every 200 ms: in each tick a tenth is read, so that nobody's packets wait for a large room."""
_ENOUGH_PACKETS = 20  # a lost one of ten says nothing


class Measuring:
    """Every seat is read once in two seconds; after each round those are told to whom something else was told before."""

    def __init__(self, seats: Mapping[str, Seat], clock: Clock) -> None:
        self._seats = seats
        self._clock = clock
        self._part = 0

    def tick(self) -> None:
        """The next part; to be called about every 200 ms."""
        for seat in [*self._seats.values()][self._part :: _PARTS]:
            if not _rests(seat):
                seat.quality.take(_read(seat, self._clock.monotonic()))
        self._part = (self._part + 1) % _PARTS
        if self._part == 0:
            self._tell()

    def _tell(self) -> None:
        found = tuple((seat.id, seat.quality.verdict) for seat in self._seats.values() if seat.quality.verdict)
        for seat in self._seats.values():
            if seat.graded != found:
                seat.graded = found
                seat.send(QualityChanged(found))


def _rests(seat: Seat) -> bool:
    """Whether nothing comes from them or goes to them, which has been read, and all is well."""
    if seat.publishing is not None or (seat.receiving is not None and not seat.receiving.is_at_rest):
        return False
    read = seat.quality.reading
    is_read = read.sent_loss is None and read.round_trip_ms is None and not read.received_loss
    return is_read and seat.quality.verdict is None


def _read(seat: Seat, now: float) -> Reading:
    losses = seat.publishing.take_losses() if seat.publishing else []
    shares = [lost / due for due, lost in losses if due >= _ENOUGH_PACKETS]
    sent_loss = round(max(shares), 3) if shares else None
    if seat.receiving is None:
        return Reading(sent_loss)
    path = seat.receiving.path(now)
    return Reading(sent_loss, path.loss, path.round_trip_ms, path.queue_ms, path.target_bps or None, path.demand_bps)
