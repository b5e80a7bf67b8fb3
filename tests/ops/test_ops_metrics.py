"""Readings for Prometheus."""

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from pymeet.ops.looplag import LoopLag
from pymeet.ops.metrics import Metrics, Stats


def readings(metrics: Metrics) -> dict[str, float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_readings_are_pulled_when_they_are_asked_for() -> None:
    """Nothing has to be kept in step with what happens in rooms."""
    rooms = 1

    metrics = Metrics(lambda: Stats(rooms=rooms, packets_out=7))
    first = readings(metrics)
    rooms = 2

    assert first["pymeet_rooms"] == 1
    assert first["pymeet_packets_out_total"] == 7
    assert readings(metrics)["pymeet_rooms"] == 2


async def test_the_lag_of_the_event_loop_is_measured() -> None:
    """It is the first sign that a server has too much to do."""
    metrics = Metrics(Stats)
    seen = asyncio.Event()

    def observe(seconds: float) -> None:
        metrics.observe_lag(seconds)
        seen.set()

    lag = LoopLag()
    watcher = asyncio.create_task(lag.watch(observe))
    await asyncio.wait_for(seen.wait(), 10)
    watcher.cancel()

    assert readings(metrics)["pymeet_event_loop_lag_seconds_count"] == 1
    assert readings(metrics)["pymeet_event_loop_lag_seconds_sum"] == lag.worst_s()
