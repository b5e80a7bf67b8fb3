"""Whose sound is forwarded in a large room: the loudest microphones, a few of them. Pure.

What everybody hears of a hundred open microphones is their noise. So only so many have a place, and who is clearly louder than
the quietest of those takes that place with the very packet that says so: nobody hears the beginning of a word cut off. How loud
somebody is fades slowly, so that a pause between words costs no place. Recordings get everything.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymeet.sfu.producer import Track

_LEAST = 60
"""Below -67 dBov there is nothing to hear. Levels are 0 (silence) to 127, 127 plus dBov."""
_CLEARLY = 10.0
_FADES_PER_S = 25.0
"""Who stops is as quiet as a fan two seconds later."""


class Voice:
    """One microphone."""

    __slots__ = ("_peak", "_peak_at", "_voices", "track")

    def __init__(self, voices: "Voices", track: "Track", level: int, now: float) -> None:
        self.track = track
        self._voices = voices
        self._peak = level
        self._peak_at = now

    def loudness(self, now: float) -> float:
        """How loud it is, or was before."""
        return self._peak - _FADES_PER_S * (now - self._peak_at)

    def hear(self, level: int, now: float) -> None:
        """Takes the level of a packet, before the packet itself is forwarded or not."""
        if level >= self.loudness(now):
            self._peak, self._peak_at = level, now
            if self.track.withheld:
                self._voices.claim(self, now)


class Voices:
    """The microphones of one room."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._voices: dict[str, Voice] = {}
        self._heard: list[Voice] = []
        """Those who have a place."""

    def set_tracks(self, tracks: Iterable["Track"], now: float) -> None:
        """Says which microphones there are now that are not muted; those that do not tell how loud they are take no place."""
        present = {track.id: track for track in tracks if track.has_levels}
        for track_id in [track_id for track_id in self._voices if track_id not in present]:
            self._release(self._voices.pop(track_id), now)
        for track_id, track in present.items():
            if track_id not in self._voices:
                self._enter(track, now)
        while len(self._heard) < min(self._limit, len(self._voices)):
            self._admit(max((v for v in self._voices.values() if v.track.withheld), key=lambda v: v.loudness(now)), now)

    def claim(self, voice: Voice, now: float) -> None:
        """One who has no place makes a sound: they get that of the quietest, if they are clearly louder."""
        loudness = voice.loudness(now)
        if loudness < _LEAST:
            return
        quietest = min(self._heard, key=lambda heard: heard.loudness(now))
        if loudness >= quietest.loudness(now) + _CLEARLY:
            self._heard.remove(quietest)
            quietest.track.set_withheld(True, now)
            self._admit(voice, now)

    def _admit(self, voice: Voice, now: float) -> None:
        self._heard.append(voice)
        voice.track.set_withheld(False, now)

    def _enter(self, track: "Track", now: float) -> None:
        """A microphone is new, or not muted any more; who speaks into it already is not cut off."""
        voice = track.voice = self._voices[track.id] = Voice(self, track, max(track.levels, default=0), now)
        if len(self._heard) < self._limit:
            self._heard.append(voice)
            return
        track.set_withheld(True, now)
        self.claim(voice, now)

    def _release(self, voice: Voice, now: float) -> None:
        voice.track.voice = None
        voice.track.set_withheld(False, now)
        if voice in self._heard:
            self._heard.remove(voice)
