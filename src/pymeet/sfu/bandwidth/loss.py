"""What lost packets say: too much was sent, or the path loses some whatever is sent. Found out by sending less for a moment.

A full queue loses less as soon as less is sent; radio loses the same share. draft-ietf-rmcat-gcc-02 section 6 knows only the first.
"""

from pymeet.sfu.bandwidth.acknowledging import STILL_UNDER_WAY_S

SLOTS_PER_S = 4
_SLOTS, _MOST_SLOTS = 4, 12
_PACKETS = 50
_SUSPICIOUS = 0.06
_LESS = 0.8
_HOPELESS = 0.4
_HALF = 0.5


class LossModel:
    """Counts packets by the quarter of a second in which they were sent, and judges one second at a time."""

    def __init__(self) -> None:
        self.inherent = 0.0
        """The share that the path loses at any rate."""
        self.share = 0.0
        """The share lost in the last second that was judged."""
        self._is_trying = False  # less is being sent, to see whether less is lost then
        self._share_before = 0.0
        self._slots: dict[int, list[int]] = {}  # slot → packets whose fate is known, lost ones of them
        self._from = 0

    @property
    def is_suspicious(self) -> bool:
        """Whether so much was lost beyond the usual that nothing should be added."""
        return self._is_trying or self.share - self.inherent > _SUSPICIOUS

    def add(self, place: int, received: int, lost: int) -> None:
        """Counts packets whose fate is known; `place` is the quarter of a second in which they were sent."""
        if place < self._from:
            return
        slot = self._slots.get(place)
        if slot is None:
            slot = self._slots[place] = [0, 0]
        slot[0] += received + lost
        slot[1] += lost

    def restart(self, now: float) -> None:
        """The rate has changed: what was sent until now says nothing of the new one."""
        self._slots = {}
        self._from = int(now * SLOTS_PER_S) + 1
        self._is_trying = False

    def factor(self, newest_sent_at: float, now: float) -> float:
        """By what the rate is to be multiplied, mostly 1. `newest_sent_at`: of the packets known to have arrived."""
        end = int((newest_sent_at - STILL_UNDER_WAY_S) * SLOTS_PER_S)
        if len(self._slots) < _SLOTS:
            return 1.0
        known = [slot for place, slot in self._slots.items() if place < end]
        sent = sum(slot[0] for slot in known)
        if len(known) < _SLOTS or (sent < _PACKETS and len(known) < _MOST_SLOTS):
            return 1.0
        self.share = sum(slot[1] for slot in known) / sent
        self._slots = {place: slot for place, slot in self._slots.items() if place >= end}
        self._from = end
        return self._judge(now)

    def _judge(self, now: float) -> float:
        share = self.share
        if share < self.inherent:
            self.inherent += 0.3 * (share - self.inherent)
        if self._is_trying:
            self._is_trying = False
            if_queue = max(0.0, 1 - (1 - self._share_before) / _LESS)
            if share > (self._share_before + if_queue) / 2:
                self.inherent = min(share, _HOPELESS)
                return 1 / _LESS
        if share > _HOPELESS:
            self.restart(now)
            return _HALF
        if share - self.inherent > _SUSPICIOUS:
            self.restart(now)
            self._is_trying = True
            self._share_before = share
            return _LESS
        return 1.0
