"""Somebody who receives over a path of limited rate and reports when each packet came, as browsers do."""

from pymeet.sfu import rtcp
from pymeet.sfu.bandwidth.acknowledging import OVERHEAD_BYTES
from pymeet.sfu.feedback import ArrivalLog
from pymeet.sfu.producer import Track
from tests.netem import Subscriber, World
from tests.support.bottleneck import Bottleneck


class Reporter(Subscriber):
    """Sends transport-wide feedback every 100 ms."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.peer.reports_arrivals = True
        self.path = Bottleneck(world.random, 100e6)
        self.queues: list[tuple[float, float]] = []
        """When, and how long the queue before its path was, ten times a second."""
        self.received: list[tuple[float, int]] = []
        self._log = ArrivalLog()
        self._told = 0

    def limit(self, rate_bps: float, *, queue_bytes: int = 75_000) -> None:
        """What the path to it carries from now on."""
        self.path.queue_bytes = queue_bytes
        self.path.set_rate(rate_bps, self.world.now)
        self.down = self.path  # type: ignore[assignment] # a link with a rate

    def receive(self, datagram: bytes) -> None:
        self.received.append((self.world.now, len(datagram) + OVERHEAD_BYTES))
        super().receive(datagram)

    def _begin(self) -> None:
        super()._begin()
        if not self._told:
            self._report()

    def _report(self) -> None:
        self._told += 1
        self.queues.append((self.world.now, self.path.queue_s(self.world.now)))
        if self.is_connected:
            self._log.arrivals += [(number, at + 5000.0) for at, number in self.numbers]
            self.numbers.clear()
            for packet in self._log.feedback(1, 2):
                self.send_control(rtcp.receiver_report(1, ()) + packet)
        self.world.at(self.world.now + 0.1, self._report)

    def bps(self, since: float, until: float) -> float:
        """At which rate everything came together."""
        return 8 * sum(size for at, size in self.received if since <= at < until) / (until - since)

    def longest_queue_s(self, since: float, until: float) -> float:
        """The longest that a packet had to wait before the path."""
        return max(queue for at, queue in self.queues if since <= at < until)


def reporter(world: World, name: str, tracks: list[Track], rate_bps: float) -> Reporter:
    """Such a receiver, connected; OpenSSL keeps its own clock, so the path becomes narrow only then."""
    someone = Reporter(world, name)
    someone.receive_tracks(tracks)
    world.run_until(lambda: someone.is_connected)
    someone.limit(rate_bps)
    return someone
