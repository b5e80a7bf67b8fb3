"""Who is speaking, from the audio levels that senders put beside their packets (RFC 6464)."""

_ATTACK = 0.6
_DECAY = 0.25
_ON = 78.0
_OFF = 68.0
"""Levels are 0 (silence) to 127 (as loud as can be): 127 plus dBov. Ordinary speech lies between 85 and 105, a quiet room or a
fan between 50 and 65, so somebody begins to speak at -49 dBov and has stopped below -59."""
_HOLD_S = 0.8


class SpeakerDetector:
    """Smooths levels and keeps a speaker for a moment after the last word, so that frames do not flicker."""

    def __init__(self) -> None:
        self._level: dict[str, float] = {}
        self._heard_at: dict[str, float] = {}
        self._speakers: tuple[str, ...] = ()

    def update(self, levels: dict[str, float], now: float) -> tuple[str, ...] | None:
        """Takes the mean level per id since the last call; returns who speaks, loudest first, when that changed.

        Ids that are not in `levels` any more are forgotten.
        """
        for key in [k for k in self._level if k not in levels]:
            del self._level[key]
            self._heard_at.pop(key, None)
        for key, level in levels.items():
            before = self._level.get(key, 0.0)
            smooth = before + (level - before) * (_ATTACK if level > before else _DECAY)
            self._level[key] = smooth
            if smooth >= _ON or (key in self._speakers and smooth >= _OFF):
                self._heard_at[key] = now
        speaking = [k for k in self._level if now - self._heard_at.get(k, -_HOLD_S) < _HOLD_S]
        # who already leads stays in front unless somebody is clearly louder
        lead = self._speakers[0] if self._speakers else None
        speaking.sort(key=lambda k: -self._level[k] - (10.0 if k == lead else 0.0))
        if tuple(speaking) == self._speakers:
            return None
        self._speakers = tuple(speaking)
        return self._speakers
