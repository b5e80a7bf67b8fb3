"""What a receiver knows of one incoming stream: losses to ask for again, and the numbers of its reception reports (RFC 3550 A)."""

from pymeet.sfu.rtcp import ReportBlock

_MAX_MISSING = 256
_GIVE_UP_S = 1.0
_RETRY_S = 0.06
_MAX_TRIES = 8
RESTART_GAP = 3000
"""A jump this far forward is a stream that began anew, not a loss."""


class Reception:
    """State of one incoming SSRC. Sequence numbers handed in are 16 bits; `highest` counts on past them."""

    __slots__ = (
        "_jitter",
        "_last_sr",
        "_last_sr_at",
        "_missing",
        "_prior_expected",
        "_prior_received",
        "_transit",
        "base",
        "clock_rate",
        "highest",
        "received",
        "wants_repair",
    )

    def __init__(self, clock_rate: int, *, wants_repair: bool) -> None:
        self.clock_rate = clock_rate
        self.wants_repair = wants_repair
        self.highest = -1
        self.base = 0
        self.received = 0
        self._missing: dict[int, list[float]] = {}  # sequence → first noticed, next request, requests so far
        self._transit = self._jitter = 0.0
        self._prior_expected = self._prior_received = 0
        self._last_sr = 0
        self._last_sr_at = 0.0

    def arrived(self, sequence: int, timestamp: int, now: float) -> bool:
        """Counts one packet; whether it is newer than all before it (False: late, or repaired)."""
        self.received += 1
        step = (sequence - self.highest) & 0xFFFF
        if self.highest < 0:
            self.highest = self.base = sequence
            newer = True
        elif 0 < step < 0x8000:
            if step > 1:
                self._gap(step, now)
            self.highest += step
            newer = True
        else:
            self._missing.pop(sequence, None)
            return False
        transit = now * self.clock_rate - timestamp
        drift = abs(transit - self._transit)
        if drift < self.clock_rate:  # a wrapped or restarted timestamp says nothing of jitter
            self._jitter += (drift - self._jitter) / 16
        self._transit = transit
        return newer

    def repaired(self, sequence: int) -> bool:
        """Notes a packet that came by retransmission; False when it was not missing any more."""
        if self._missing.pop(sequence, None) is None:
            return False
        self.received += 1
        return True

    def _gap(self, step: int, now: float) -> None:
        if step > RESTART_GAP:
            self._missing.clear()
            return
        if self.wants_repair:
            for i in range(1, min(step, _MAX_MISSING)):
                self._missing[(self.highest + step - i) & 0xFFFF] = [now, now, 0]
            while len(self._missing) > _MAX_MISSING:
                del self._missing[next(iter(self._missing))]

    @property
    def is_missing_any(self) -> bool:
        """Whether there is something to ask for, now or later."""
        return bool(self._missing)

    def due(self, now: float) -> list[int]:
        """Sequence numbers to ask for now, ascending; gives up on those too old to be of use."""
        if not self._missing:
            return []
        due = []
        for sequence, entry in list(self._missing.items()):
            noticed, again, tries = entry
            if now - noticed > _GIVE_UP_S or tries >= _MAX_TRIES:
                del self._missing[sequence]
            elif now >= again:
                entry[1], entry[2] = now + _RETRY_S, tries + 1
                due.append(sequence)
        due.sort(key=lambda s: (s - self.highest - 1) & 0xFFFF)
        return due

    def counts(self) -> tuple[int, int]:
        """How many packets were due so far, by their numbers, and how many of them came, also by retransmission."""
        return (self.highest - self.base + 1, self.received) if self.highest >= 0 else (0, 0)

    def sender_reported(self, ntp: int, now: float) -> None:
        """Remembers the newest sender report, to be named in ours."""
        self._last_sr, self._last_sr_at = (ntp >> 16) & 0xFFFFFFFF, now

    def report(self, ssrc: int, now: float) -> ReportBlock | None:
        """What to say of this stream since the last report; None before its first packet."""
        if self.highest < 0:
            return None
        expected = self.highest - self.base + 1
        expected_since = expected - self._prior_expected
        received_since = self.received - self._prior_received
        self._prior_expected, self._prior_received = expected, self.received
        lost_since = max(0, expected_since - received_since)
        fraction = min(255, 256 * lost_since // expected_since) if expected_since > 0 else 0
        delay = round((now - self._last_sr_at) * 65536) & 0xFFFFFFFF if self._last_sr else 0
        highest = self.highest & 0xFFFFFFFF
        return ReportBlock(ssrc, fraction, expected - self.received, highest, int(self._jitter), self._last_sr, delay)
