"""Transport-wide feedback set against what was sent: which packets arrived when, and which are lost for good."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from pymeet.sfu.history import MASK, SendHistory, Sent
from pymeet.sfu.rtcp import FEEDBACK_CLOCK_S, TransportFeedback

STILL_UNDER_WAY_S = 0.25
"""A packet may come so much later than those sent after it before it counts as lost."""
_MOST_UNKNOWN = 500
OVERHEAD_BYTES = 28
"""Of IPv4 and UDP: the path carries them too."""


class Fate(NamedTuple):
    """What became of one packet. `arrived_at` is by the receiver's clock, without end; None for a lost one."""

    sent_at: float
    size_bytes: int
    arrived_at: float | None


class Arrived:
    """Packets of which all arrived, by order of sending, in columns: so that what is usual is read without a step for each."""

    __slots__ = ("arrivals", "sent")

    def __init__(self, sent: list[Sent], arrivals: Sequence[float]) -> None:
        self.sent = sent
        """When each was sent, and how many bytes it had without `OVERHEAD_BYTES`."""
        self.arrivals = arrivals
        """When each arrived, as in `Fate`."""

    @classmethod
    def of(cls, parts: Sequence["Arrived"]) -> "Arrived":
        """One after the other."""
        return cls([*chain.from_iterable(p.sent for p in parts)], [*chain.from_iterable(p.arrivals for p in parts)])

    def __len__(self) -> int:
        return len(self.sent)

    def __iter__(self) -> Iterator[Fate]:
        for (sent_at, size), arrived_at in zip(self.sent, self.arrivals, strict=True):
            yield Fate(sent_at, size + OVERHEAD_BYTES, arrived_at)


class Acknowledgements:
    """Reads one receiver's feedback. Reordering on the way makes packets late, not lost; each is told of once."""

    def __init__(self) -> None:
        self._number = 0
        self._next = -1
        """The number, counted on past 65535, up to which packets were told of or stand in `_missing`."""
        self._missing: dict[int, tuple[float, int]] = {}
        self._clock: float | None = None
        self._newest_sent_at = self._heard_at = 0.0

    def fates(self, feedback: TransportFeedback, history: SendHistory, now: float) -> list[Fate] | Arrived:
        """What this feedback adds, by order of sending; nothing when it speaks of what was never sent."""
        if self._next < 0:
            self._next = feedback.base
        base = self._next + ((feedback.base - self._next + 0x8000) & 0xFFFF) - 0x8000
        end = base + feedback.count
        if feedback.count and history.sent((end - 1) & 0xFFFF) is None:
            return []
        self._heard_at = now
        is_next = (feedback.number - self._number) & 0xFF == 1
        self._number = feedback.number
        fates: list[Fate] = []
        if not feedback.received:
            return fates
        shift = self._shift(feedback.arrivals[0])
        is_whole = base == self._next and len(feedback.received) == feedback.count and not self._missing
        if is_whole and history.sent(base & 0xFFFF) is not None:
            return self._all(feedback, base, history, shift)
        missing, following, unknown = self._missing, self._next, 0
        if base > following and not is_next:
            # what a feedback that was lost told of is taken to have come with the first packet of this one
            lost = range(max(following, base - _MOST_UNKNOWN), base)
            unknown = sum(history.log[n & MASK][1] + OVERHEAD_BYTES for n in lost)
            following = base
        log, make = history.log, tuple.__new__
        is_remembered = history.sent(max(following, base) & 0xFFFF) is not None
        for distance, arrival in zip(feedback.received, feedback.arrivals, strict=True):
            number = base + distance
            if number >= following:
                if number > following:
                    for skipped in range(following, number):
                        self._miss(skipped, history)
                following = number + 1
                if is_remembered:  # the usual case: nothing is called or looked up twice
                    sent_at, size = log[number & MASK]
                    fates.append(make(Fate, (sent_at, size + OVERHEAD_BYTES + unknown, arrival + shift)))
                    unknown = 0
                    continue
                sent = history.sent(number & 0xFFFF)
            else:
                sent = missing.pop(number, None)
            if sent is not None:
                fates.append(Fate(sent[0], sent[1] + OVERHEAD_BYTES + unknown, arrival + shift))
                unknown = 0
        self._clock = feedback.arrivals[-1] + shift
        self._next = max(self._next, following)
        if fates:
            self._newest_sent_at = max(self._newest_sent_at, fates[-1].sent_at)
        if missing:
            self._give_up(fates)
        return fates

    def _all(self, feedback: TransportFeedback, base: int, history: SendHistory, shift: float) -> Arrived:
        """The fates where everything since the last feedback has come, which is nearly always."""
        begin, count = base & MASK, feedback.count
        sent = history.log[begin : begin + count]
        if len(sent) < count:
            sent += history.log[: count - len(sent)]
        arrivals = [arrival + shift for arrival in feedback.arrivals] if shift else feedback.arrivals
        self._clock = arrivals[-1]
        self._next = base + count
        self._newest_sent_at = max(self._newest_sent_at, sent[-1][0])
        return Arrived(sent, arrivals)

    def _shift(self, arrival: float) -> float:
        if self._clock is None:
            return 0.0
        return FEEDBACK_CLOCK_S * round((self._clock - arrival) / FEEDBACK_CLOCK_S)

    def _miss(self, number: int, history: SendHistory) -> None:
        sent = history.sent(number & 0xFFFF)
        if sent is not None:
            self._missing[number] = sent

    def _give_up(self, fates: list[Fate]) -> None:
        old = self._newest_sent_at - STILL_UNDER_WAY_S
        for number, (sent_at, size) in list(self._missing.items()):
            if sent_at > old:
                break
            del self._missing[number]
            fates.append(Fate(sent_at, size + OVERHEAD_BYTES, None))

    def silence_s(self, history: SendHistory, now: float) -> float:
        """For how long feedback has been due and has not come."""
        if self._next < 0 or self._next & 0xFFFF == history.next:
            return 0.0
        sent = history.sent(self._next & 0xFFFF)
        return now - max(self._heard_at, 0.0 if sent is None else sent[0])
