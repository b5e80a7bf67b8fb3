"""The poor man's estimate, for receivers without transport-wide feedback: what they estimate themselves (REMB), else the share of
packets that their receiver reports say is lost (RFC 3550 section 6.4; the bounds are those of draft-ietf-rmcat-gcc-02 section 6).
"""

_MANY, _FEW = 0.10, 0.02
_LEAST_BPS = 200_000.0
_GROWTH_PER_S = 1.08
_APART_S = 1.0
_UNLIMITED_BPS = 20_000_000.0


class ReportedEstimate:
    """Nothing known is no limit: `target_bps` is infinite until a report says otherwise."""

    def __init__(self) -> None:
        self._remb_bps = float("inf")
        self._by_loss_bps = float("inf")
        self._reported_at = 0.0

    @property
    def target_bps(self) -> float:
        """What may be sent altogether."""
        return min(self._remb_bps, self._by_loss_bps)

    def remb(self, bps: float) -> None:
        """The receiver's own estimate."""
        self._remb_bps = max(bps, _LEAST_BPS)

    def reported(self, lost_share: float, sent_bps: float, now: float) -> None:
        """A receiver report: this share was lost since the last, while so much was being sent."""
        elapsed = now - self._reported_at
        if elapsed < _APART_S:
            return
        self._reported_at = now
        if lost_share > _MANY:
            self._by_loss_bps = max(_LEAST_BPS, min(self._by_loss_bps, sent_bps) * (1 - lost_share / 2))
        elif lost_share < _FEW and self._by_loss_bps < _UNLIMITED_BPS:
            self._by_loss_bps *= _GROWTH_PER_S ** min(elapsed, 5.0)
            if self._by_loss_bps >= _UNLIMITED_BPS:
                self._by_loss_bps = float("inf")
