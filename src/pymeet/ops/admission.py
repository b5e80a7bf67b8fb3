"""Whether somebody new may come in: a server that has too much to do refuses politely, for the good of those inside."""

import structlog

from pymeet.errors import BusyError
from pymeet.ops.looplag import LoopLag

_log = structlog.get_logger(__name__)


FULL, ROOMY = 0.97, 0.9
"""Shares of ten seconds in which the event loop has work: with the one it cannot keep up, with the other it can again."""


class Admission:
    """The server's door. It is shut when the event loop is late in each of ten seconds or does not rest in them, which a
    crowd at the door or a hiccup does not do to it, and open again when it was in time, and rested, for (nearly) ten."""

    def __init__(self, lag: LoopLag, *, limit_ms: int) -> None:
        """`limit_ms` is how late the loop may be; with 0 the door is always open."""
        self._lag = lag
        self._limit_s = limit_ms / 1000
        self.is_shut = False
        self.refused = 0
        """How often somebody was refused since the start."""

    def review(self) -> None:
        """Looks at the newest measurements: to be called after each."""
        if not self._limit_s:
            return
        busy, lag_s = self._lag.busy_share(), self._lag.p95_s()
        lag_ms, busy_percent = round(1000 * lag_s), round(100 * busy)
        if not self.is_shut and (self._lag.lasting_s() > self._limit_s or busy > FULL):
            self.is_shut = True
            _log.warning("too much to do: nobody new is let in", lag_ms=lag_ms, busy_percent=busy_percent)
        elif self.is_shut and lag_s <= self._limit_s and busy <= ROOMY:
            self.is_shut = False
            _log.info("people are let in again", lag_ms=lag_ms, busy_percent=busy_percent)

    def check(self) -> None:
        """Raises BusyError while the door is shut."""
        if self.is_shut:
            self.refused += 1
            raise BusyError("This server has too much to do to let anybody else in. Try again in a minute.")
