"""What people answered about one recording, and what of it is written down. A yes counts once it is written, a no at once."""

import asyncio
from collections.abc import Iterable, Sequence

from pymeet.rooms.recorder import Recordings
from pymeet.rooms.recording import Answer
from pymeet.rooms.seat import Seat


class Answers:
    """Keeps what is written down in step with what people say, in the order in which they say it."""

    def __init__(self, recordings: Recordings, recording_id: str) -> None:
        self.recording_id = recording_id
        self._recordings = recordings
        self._wanted: dict[str, Answer] = {}
        self._written: dict[str, Answer] = {}
        self._given: set[str] = set()
        """The people, by account or else by seat, whose last written word is a yes."""
        self._writing = asyncio.Lock()

    def say(self, seats: Iterable[Seat], answer: Answer) -> None:
        """They answer; `write` follows."""
        self._wanted |= {seat.id: answer for seat in seats}

    def said_elsewhere(self, seats: Sequence[Seat]) -> None:
        """They do not want to be recorded any more, and that is written down already."""
        self.say(seats, Answer.NO)
        self._written |= {seat.id: Answer.NO for seat in seats}
        self._given -= {_person(seat) for seat in seats}

    def is_agreed(self, seat_id: str) -> bool:
        """Whether they agree, and it is written down."""
        return self._wanted.get(seat_id) is self._written.get(seat_id) is Answer.YES

    async def write(self, seats: Sequence[Seat], method: str, language: str) -> None:
        """Writes down what these seats, all of one person, said last. A yes that cannot be written is as if it was not said."""
        async with self._writing:
            # what is said, here or elsewhere, while something is being written is written as well
            while behind := [seat for seat in seats if self._wanted.get(seat.id) is not self._written.get(seat.id)]:
                if self._wanted.get(behind[0].id) is Answer.YES:
                    await self._write_yes(behind[0], method, language)
                else:
                    await self._write_no(behind, method, language)

    async def _write_yes(self, seat: Seat, method: str, language: str) -> None:
        try:
            await self._recordings.agreed(self.recording_id, seat.id, seat.user_id, seat.name, method, language)
        except BaseException:
            if self._wanted.get(seat.id) is Answer.YES:
                del self._wanted[seat.id]
                self._written.pop(seat.id, None)
            raise
        self._written[seat.id] = Answer.YES
        self._given.add(_person(seat))

    async def _write_no(self, seats: Sequence[Seat], method: str, language: str) -> None:
        """One decision for all of them: a person decides, not a seat."""
        refusing = [seat for seat in seats if self._wanted.get(seat.id) is Answer.NO]
        first = refusing[0]
        withdrawn = _person(first) in self._given
        await self._recordings.refused(
            self.recording_id, first.id, first.user_id, method, language, withdrawn=withdrawn
        )
        self._written |= {seat.id: Answer.NO for seat in refusing}
        self._given.discard(_person(first))


def _person(seat: Seat) -> str:
    return seat.user_id or seat.id
