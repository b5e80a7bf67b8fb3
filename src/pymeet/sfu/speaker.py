"""Who is speaking, and who of them leads, from the audio levels that senders put beside their packets (RFC 6464). Pure.

Who leads is found as by I. Volfin and I. Cohen, "Dominant speaker identification for multipoint videoconferencing" (2012), and
by Jitsi after them: speech is looked at over three lengths of time, a frame of 20 ms, a block of five, and a second of ten
blocks, and somebody else leads only when all three say so. With the thresholds that are in use there, the likelihoods that
they compare come down to counting: see `SpeakerDetector._choose`. A cough, a door or a word of assent changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_ATTACK = 0.6
_DECAY = 0.25
_ON = 78.0
_OFF = 68.0
"""Levels are 0 (silence) to 127 (as loud as can be): 127 plus dBov. Ordinary speech lies between 85 and 105, a quiet room or a
fan between 50 and 65, so somebody begins to speak at -49 dBov and has stopped below -59."""
_HOLD_S = 0.8

_FRAME_S = 0.02
_BLOCK_FRAMES, _BLOCKS = 5, 10
_FRAMES = _BLOCK_FRAMES * _BLOCKS
_BLOCK = (1 << _BLOCK_FRAMES) - 1
_MOST_OF_A_BLOCK = 3
_MOST_BLOCKS = 8
_ABOVE_NOISE = 10.0
_NOISE_RISES_PER_S = 3.0
"""What never gets quieter for half a minute is a fan; between words everybody gets quieter."""
_CLEARLY = 10.0
_SILENCE_S = 3.0
_LONGEST_STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class Speaking:
    """Ids: who speaks, whoever leads before the others and those loudest first; and who leads, also in a pause of theirs."""

    participants: tuple[str, ...]
    dominant: str | None


class _Person:
    """What is remembered of one microphone."""

    __slots__ = ("frames", "heard_at", "level", "noise")

    def __init__(self) -> None:
        self.level = 0.0
        self.heard_at = float("-inf")
        self.noise = 0.0
        self.frames = 0
        """The frames of the last second, a bit for each, the newest lowest: 1 where there was speech."""

    def listen(self, levels: Sequence[int], elapsed_s: float) -> None:
        mean = sum(levels) / len(levels) if levels else 0.0
        self.level += (mean - self.level) * (_ATTACK if mean > self.level else _DECAY)
        if not levels and not self.frames:
            self.noise = 0.0
            return
        for level in _frames_of(levels, round(elapsed_s / _FRAME_S)):
            self.noise = min(self.noise + _NOISE_RISES_PER_S * _FRAME_S, level)
            is_speech = level >= _ON and level >= self.noise + _ABOVE_NOISE
            self.frames = (self.frames << 1 | is_speech) & (1 << _FRAMES) - 1

    @property
    def speaks_now(self) -> bool:
        return bool(self.frames & 1)

    @property
    def spoke_in_block(self) -> bool:
        return bool(self.frames & _BLOCK)

    @property
    def blocks(self) -> int:
        """In how many blocks of the last second there was speech most of the time."""
        return sum((self.frames >> _BLOCK_FRAMES * i & _BLOCK).bit_count() >= _MOST_OF_A_BLOCK for i in range(_BLOCKS))


def _frames_of(levels: Sequence[int], count: int) -> list[int]:
    """The levels of so many frames: packets may be longer or shorter, and where most are missing there was silence (DTX)."""
    if 4 * len(levels) < count:
        return [0] * (count - len(levels)) + list(levels)
    return [levels[i * len(levels) // count] for i in range(count)]


class SpeakerDetector:
    """Of one room. Smooths levels and keeps a speaker for a moment after the last word, so that frames do not flicker."""

    def __init__(self) -> None:
        self._people: dict[str, _Person] = {}
        self._speaking = Speaking((), None)
        self._updated_at: float | None = None

    def update(self, levels: Mapping[str, Sequence[int]], now: float) -> Speaking | None:
        """Takes the levels of everybody's packets since the last call, to be made some five times a second; returns who speaks
        when that changed. Ids that are not in `levels` any more are forgotten."""
        elapsed_s = 0.2 if self._updated_at is None else min(now - self._updated_at, _LONGEST_STEP_S)
        self._updated_at = now
        self._people = {key: self._people.get(key) or _Person() for key in levels}
        before = self._speaking
        for key, person in self._people.items():
            person.listen(levels[key], elapsed_s)
            if person.level >= _ON or (key in before.participants and person.level >= _OFF):
                person.heard_at = now
        speaking = [key for key, person in self._people.items() if now - person.heard_at < _HOLD_S]
        dominant = self._choose(before.dominant, speaking, now)
        speaking.sort(key=lambda key: (key != dominant, -self._people[key].level))
        self._speaking = Speaking(tuple(speaking), dominant)
        return None if self._speaking == before else self._speaking

    def _choose(self, leads: str | None, speaking: Sequence[str], now: float) -> str | None:
        """Who leads from now on. Who has fallen silent is followed by somebody who speaks and has spoken for more of the last
        second; who goes on, by somebody who was clearly louder for most of it."""
        people = self._people
        rivals = [key for key in speaking if key != leads and people[key].blocks]
        best = max(rivals, key=lambda key: (people[key].blocks, people[key].level), default=None)
        leader = people.get(leads) if leads is not None else None
        if leader is None or now - leader.heard_at > _SILENCE_S:
            return best
        if best is None:
            return leads
        rival = people[best]
        is_followed = not leader.spoke_in_block and rival.speaks_now and rival.blocks > leader.blocks
        is_drowned = rival.level > leader.level + _CLEARLY and rival.blocks >= _MOST_BLOCKS
        return best if is_followed or is_drowned else leads
