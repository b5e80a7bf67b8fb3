"""Many people in one room: what one of them does must not keep the packets of all meetings waiting."""

import asyncio

import pytest

from pymeet.clock import ManualClock
from pymeet.rooms.events import Offered
from tests.rooms.conftest import Stage


class SlowClock(ManualClock):
    """Every look at it costs three milliseconds, as on a machine with much to do."""

    def monotonic(self) -> float:
        self.monotonic_s += 0.003
        return self.monotonic_s


@pytest.fixture
def clock() -> ManualClock:
    return SlowClock()


async def test_offers_to_several_leave_room_for_packets_in_between(stage: Stage) -> None:
    """Everybody is offered the new track, a few in each turn of the loop and the rest in the next ones."""
    ears = [(await stage.join(f"Guest {i}"))[1] for i in range(4)]
    speaker, _ = await stage.join("Ann")

    await stage.publish(speaker, "camera")
    offered_at_first = sum(bool(ear.of(Offered)) for ear in ears)
    turns = 0
    while not all(ear.of(Offered) for ear in ears):
        await asyncio.sleep(0)
        turns += 1
        assert turns < 100

    assert 0 < offered_at_first < len(ears)
    assert turns >= 1
    assert all(len(ear.of(Offered)) == 1 for ear in ears)
