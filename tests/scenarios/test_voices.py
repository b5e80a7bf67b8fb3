"""In a large room only the loudest microphones are forwarded, and a new voice is heard from its first word."""

import itertools

from pymeet.sfu.tap import Tap
from pymeet.sfu.voices import Voices
from pymeet.sfu.wishes import wish_of
from tests.netem import Publisher, Subscriber, World

QUIET, LOUD = 90, 30
"""RFC 6464 counts downwards: 37 is a quiet room, 97 is speech."""


class _Tape(Tap):
    """What a recorder would get."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def packet(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        self.numbers.append(sequence)

    def report(self, ntp: int, timestamp: int, now: float) -> None:
        pass

    def restarted(self) -> None:
        pass


class _Room:
    """Some who talk, one who listens, and places for two."""

    def __init__(self, seed: int, people: int = 4) -> None:
        self.world = World(seed)
        self.people = [self.world.publisher(f"p{i}") for i in range(people)]
        self.levels = [QUIET] * people
        self.voices = Voices(2)
        self.ear = self.world.subscriber("ear", [p.audio for p in self.people])
        for person in self.people:
            self._sound(person)
        self._tick()

    def _sound(self, person: Publisher) -> None:
        level = self.levels[self.people.index(person)]
        person.send_packet(person.sound_packet(level))
        self.world.at(self.world.now + 0.02, lambda: self._sound(person))

    def _tick(self) -> None:
        self.voices.set_tracks([p.audio for p in self.people if not p.audio.muted], self.world.now)
        self.world.at(self.world.now + 0.2, self._tick)

    def heard(self, person: int, since: float) -> int:
        """How many packets of somebody came since then."""
        arrived = self.ear.audio_of(self.people[person]).arrived
        return sum(at >= since for at, _, _ in arrived)


def _is_gapless(ear: Subscriber, person: Publisher) -> bool:
    numbers = [number for _, number, _ in ear.audio_of(person).arrived]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_new_voice_is_heard_from_its_first_loud_packet_and_takes_the_quietest_place() -> None:
    """The beginning of a word is half of it. Numbers go on without a gap, timestamps tell how long it was quiet."""
    room = _Room(seed=91)
    world = room.world
    room.levels[0] = LOUD
    world.run(2.0)
    assert [p.audio.withheld for p in room.people] == [False, False, True, True]

    began = room.people[3].audio_sequence
    assert room.heard(3, 0.0) == 0
    room.levels[3] = LOUD
    since = world.now
    world.run(2.0)

    assert [p.audio.withheld for p in room.people] == [False, True, True, False]
    stream = room.ear.audio_of(room.people[3])
    first = stream.packets[stream.arrived[0][1]]
    assert int.from_bytes(first[-4:], "big") == began, "the first loud packet was not the first that was heard"
    assert room.heard(3, since) >= 95
    assert room.heard(1, since + 0.2) == 0
    assert room.heard(0, since) >= 95
    for person in room.people:
        if room.heard(room.people.index(person), 0.0):
            assert _is_gapless(room.ear, person)
    world.assert_no_keystream_reuse()


def test_voices_come_and_go_for_long_without_a_gap_and_without_reusing_the_keystream() -> None:
    """Every change gives numbers anew: on a path that loses and reorders, no two texts may get one."""
    room = _Room(seed=92)
    world = room.world
    for person in room.people:
        person.make_bad(0.05)
    room.ear.make_bad(0.05)
    for speaker, _ in zip(itertools.cycle((3, 0, 2, 1)), range(12), strict=False):
        room.levels = [LOUD if i == speaker else QUIET for i in range(4)]
        world.run(1.5)
        assert not room.people[speaker].audio.withheld
        assert sum(p.audio.withheld for p in room.people) == 2
    world.assert_no_keystream_reuse()


def test_a_tap_gets_also_what_is_not_forwarded() -> None:
    """A recording has everybody who agreed, also who was too quiet for the room."""
    room = _Room(seed=93)
    tape = _Tape()
    room.world.run(1.0)
    quiet = room.people[2].audio
    quiet.set_tap(tape, room.world.now)

    room.world.run(1.0)

    assert quiet.withheld
    assert len(tape.numbers) >= 48


def test_who_switches_the_microphone_on_while_speaking_is_heard_at_once() -> None:
    """Push to talk in a full room."""
    room = _Room(seed=94)
    world = room.world
    late = room.people[2].audio
    late.set_muted(True, world.now)
    world.run(2.0)

    room.levels[2] = LOUD
    since = world.now
    late.set_muted(False, world.now)
    world.run(1.0)

    assert not late.withheld
    assert room.heard(2, since) >= 45
    assert sum(p.audio.withheld for p in room.people) == 2


def test_what_is_not_forwarded_is_not_counted_when_bandwidth_is_shared() -> None:
    """Sound goes first, at 50 kb/s for each: that of a hundred silent microphones would leave nothing for pictures."""
    room = _Room(seed=95)
    room.world.run(1.0)

    assert [wish_of(p.audio, None).is_muted for p in room.people] == [False, False, True, True]
