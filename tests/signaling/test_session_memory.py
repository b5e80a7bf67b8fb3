"""What a connection held is free when it has ended."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from pymeet.rooms.seat import Seat
from tests.signaling.conftest import House


@pytest.fixture
def no_collector() -> Iterator[None]:
    """As between two runs of the collector, which are minutes apart in a large meeting."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def seats(of: set[str]) -> set[str]:
    """Whose seats of these people are in memory; other tests may have left some."""
    return {each.id for each in gc.get_objects() if isinstance(each, Seat)} & of


@pytest.mark.usefixtures("no_collector")
async def test_the_seat_of_somebody_who_has_left_does_not_wait_for_the_collector(house: House) -> None:
    """With the seat its media would stay: a megabyte of each who has been there."""
    ann, ann_id = await house.enter("Ann")
    bob, bob_id = await house.enter("Bob")
    both = {ann_id, bob_id}
    assert seats(both) == both

    await bob.send(type="leave")
    await bob.closed()

    for _ in range(100):
        if len(seats(both)) == 1:
            break
        await asyncio.sleep(0.02)
    assert seats(both) == {ann_id}
    assert not ann.socket.closed
