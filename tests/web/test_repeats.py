"""What is remembered of requests that may be sent twice: no longer than a day, and not without bound. A clock by hand."""

import pytest

from pymeet.errors import InvalidInputError
from pymeet.web.repeats import GOOD_FOR_S, MOST, Repeats


class Maker:
    """Counts what it made."""

    def __init__(self) -> None:
        self.made = 0

    async def make(self) -> str:
        self.made += 1
        return str(self.made)

    async def fail(self) -> str:
        raise InvalidInputError("No.")


async def test_a_key_is_good_for_a_day() -> None:
    """After that it is as new: nothing is kept for ever in memory."""
    repeats, maker = Repeats(), Maker()

    assert await repeats.once(b"key", b"body", 0.0, maker.make) == "1"
    assert await repeats.once(b"key", b"body", GOOD_FOR_S - 1, maker.make) == "1"
    assert await repeats.once(b"key", b"body", GOOD_FOR_S, maker.make) == "2"


async def test_only_the_newest_keys_are_remembered() -> None:
    """Nobody fills the memory by asking with ever new ones."""
    repeats, maker = Repeats(), Maker()
    for number in range(MOST + 2):
        await repeats.once(str(number).encode(), b"body", 0.0, maker.make)

    assert await repeats.once(str(MOST + 1).encode(), b"body", 0.0, maker.make) == str(MOST + 2)
    assert await repeats.once(b"0", b"body", 0.0, maker.make) == str(MOST + 3)


async def test_what_failed_may_be_asked_for_otherwise() -> None:
    """Nothing was made, so nothing stands in the way."""
    repeats, maker = Repeats(), Maker()
    with pytest.raises(InvalidInputError):
        await repeats.once(b"key", b"body", 0.0, maker.fail)

    assert await repeats.once(b"key", b"another", 0.0, maker.make) == "1"
