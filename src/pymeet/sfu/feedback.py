"""Transport-wide feedback: when each packet of a publisher arrived, so that the publisher can estimate its bandwidth."""

from pymeet.sfu import rtcp

_MAX_ARRIVALS = 2000
_MAX_STATUSES = 400  # per feedback packet: stays below the path's MTU


class ArrivalLog:
    """Collects arrivals on the packet path (`append((sequence, now))`) and turns them into feedback on a timer."""

    __slots__ = ("_number", "arrivals")

    def __init__(self) -> None:
        self.arrivals: list[tuple[int, float]] = []
        self._number = 0

    def feedback(self, sender_ssrc: int, media_ssrc: int) -> list[bytes]:
        """RTCP packets for everything collected since the last call."""
        arrivals, self.arrivals = self.arrivals[:_MAX_ARRIVALS], []
        if not arrivals:
            return []
        first = arrivals[0][0]
        if len(arrivals) <= _MAX_STATUSES and [s for s, _ in arrivals] == [*range(first, first + len(arrivals))]:
            # as good as always: none is missing, and they came in their order
            packet = rtcp.transport_feedback(sender_ssrc, media_ssrc, first, [at for _, at in arrivals], self._number)
            self._number = (self._number + 1) & 0xFF
            return [packet]
        by_sequence: dict[int, float] = {}
        for sequence, at in arrivals:
            by_sequence.setdefault((sequence - first + 0x8000) & 0xFFFF, at)
        order = sorted(by_sequence)
        packets = []
        i = 0
        while i < len(order):
            base = order[i]
            last = base
            while i < len(order) and order[i] - base < _MAX_STATUSES:
                last = order[i]
                i += 1
            statuses = [by_sequence.get(s) for s in range(base, last + 1)]
            wire_base = (base - 0x8000 + first) & 0xFFFF
            packets.append(rtcp.transport_feedback(sender_ssrc, media_ssrc, wire_base, statuses, self._number))
            self._number = (self._number + 1) & 0xFF
        return packets
