"""The door of a server that has too much to do."""

import asyncio
import time

import pytest

from pymeet.errors import BusyError
from pymeet.ops.admission import Admission
from pymeet.ops.looplag import REMEMBERED, SECOND, LoopLag, MeasuredLoop

LATE_S, IN_TIME_S = 0.2, 0.001


class Server:
    """The loop's lag, measured several times a second, and the door that goes by it."""

    def __init__(self, limit_ms: int = 100) -> None:
        self.lag = LoopLag()
        self.door = Admission(self.lag, limit_ms=limit_ms)

    def second(self, *, late: int = 0, busy: float = 0.3) -> None:
        """One second, in which the loop was late so many times and had work in that share of the time."""
        for number in range(SECOND):
            self.lag.note(LATE_S if number < late else IN_TIME_S, busy)
            self.door.review()

    def seconds(self, count: int, *, late: int = 0, busy: float = 0.3) -> None:
        for _ in range(count):
            self.second(late=late, busy=busy)


def test_a_server_that_is_late_for_ten_seconds_lets_nobody_new_in() -> None:
    """Everybody inside would suffer for one more."""
    server = Server()
    server.seconds(10)
    server.seconds(9, late=2)
    server.door.check()

    server.seconds(2, late=2)

    with pytest.raises(BusyError) as refused:
        server.door.check()
    assert refused.value.code == "busy"
    assert server.door.refused == 1


def test_a_crowd_at_the_door_or_a_hiccup_does_not_shut_it() -> None:
    """A hundred people who come within five seconds are let in, however late that makes the loop."""
    server = Server()
    server.seconds(10)

    server.seconds(6, late=SECOND)
    server.seconds(4)
    server.seconds(3, late=1)
    server.second()

    server.door.check()


def test_a_server_that_has_just_started_lets_everybody_in() -> None:
    """After a restart all meetings come back at once."""
    server = Server()

    server.seconds(9, late=SECOND)

    server.door.check()


def test_the_door_opens_when_the_loop_is_in_time_again() -> None:
    """By itself, and not at the first quiet moment."""
    server = Server()
    server.seconds(10, late=SECOND)
    server.seconds(5)
    assert server.door.is_shut

    server.seconds(5)

    assert not server.door.is_shut
    server.door.check()


def test_a_server_that_never_rests_lets_nobody_new_in() -> None:
    """It may be in time with everything it begins, and leave more and more in its socket."""
    server = Server()
    server.seconds(10, busy=0.95)
    server.door.check()

    server.seconds(10, busy=1.0)
    assert server.door.is_shut
    server.seconds(4, busy=0.8)
    assert server.door.is_shut

    server.seconds(2, busy=0.8)
    assert not server.door.is_shut


def test_the_loop_knows_how_much_of_the_time_it_has_work() -> None:
    """One that works half of the time has more than one that only waits."""

    async def share(work_s: float) -> float:
        lag = LoopLag()
        seen: list[float] = []
        watching = asyncio.create_task(lag.watch(seen.append))
        while len(seen) < 3:
            end = time.thread_time() + work_s
            while time.thread_time() < end:
                pass
            await asyncio.sleep(0.01)
        watching.cancel()
        return lag.busy_share() * REMEMBERED / len(seen)

    with asyncio.Runner(loop_factory=MeasuredLoop) as runner:
        resting, working = runner.run(share(0)), runner.run(share(0.01))

    assert resting < working
    assert 0.2 < working <= 1


def test_a_limit_of_nothing_refuses_nobody() -> None:
    """Who runs one meeting on a small machine would rather have everybody in it."""
    server = Server(limit_ms=0)

    server.seconds(20, late=SECOND, busy=1.0)

    server.door.check()
