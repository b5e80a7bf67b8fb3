"""Readings for Prometheus: load, errors and latency; never content, never a name. Values are pulled when asked for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


def _reading(about: str) -> int:
    return field(default=0, metadata={"about": about})


@dataclass(frozen=True)
class Stats:
    """What the server counts. What `_NOW` names is as of now, the others since the start."""

    rooms: int = _reading("Rooms with somebody in them.")
    participants: int = _reading("People, publishers and players in all rooms.")
    transports: int = _reading("Peer connections.")
    connections_weak: int = _reading(
        "Participants whose connection is weak: it loses packets, takes long, or carries little."
    )
    connections_poor: int = _reading("Participants whose connection is poor.")
    packets_in: int = _reading("Datagrams received on the media port.")
    packets_out: int = _reading("Datagrams sent from the media port.")
    packets_dropped: int = _reading("Datagrams that could not be used or sent.")
    bytes_out: int = _reading("Bytes sent from the media port.")
    nacks: int = _reading("Packets that receivers asked for again.")
    retransmissions: int = _reading("Packets that were sent again.")
    plis: int = _reading("Key frames asked of senders.")
    busy: int = _reading("1 while nobody new is let in, because there is too much to do.")
    busy_percent: int = _reading("In how much of the last ten seconds the event loop had work.")
    turned_away: int = _reading("People who were told to come later because there was too much to do.")


_NOW = {"rooms", "participants", "transports", "connections_weak", "connections_poor", "busy", "busy_percent"}


class Metrics:
    """A registry of its own, so that two servers in one process (tests) do not add up."""

    def __init__(self, stats: Callable[[], Stats], retention: Callable[[], Mapping[str, float]] = dict) -> None:
        """`retention` reads how the sweeps stand, by the names that docs/admin.md explains."""
        self._registry = CollectorRegistry()
        self._registry.register(_Pull(stats))
        self._registry.register(_PullGauges(retention))
        self._lag = Histogram(
            "pymeet_event_loop_lag_seconds",
            "How late the event loop runs what is due.",
            buckets=(0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0),
            registry=self._registry,
        )

    def observe_lag(self, seconds: float) -> None:
        """Notes one measurement of looplag.LoopLag."""
        self._lag.observe(seconds)

    def render(self) -> bytes:
        """All readings in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)


class _Pull(Collector):
    def __init__(self, stats: Callable[[], Stats]) -> None:
        self._stats = stats

    def collect(self) -> Iterable[Metric]:
        stats = self._stats()
        for reading in fields(stats):
            family = GaugeMetricFamily if reading.name in _NOW else CounterMetricFamily
            value = float(getattr(stats, reading.name))
            yield family(f"pymeet_{reading.name}", reading.metadata["about"], value=value)


class _PullGauges(Collector):
    def __init__(self, read: Callable[[], Mapping[str, float]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        for name, value in self._read().items():
            yield GaugeMetricFamily(name, "How the sweeps stand.", value=value)
