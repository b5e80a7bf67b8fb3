"""Who gets how much of one receiver's bandwidth: sound first, then a little picture of everybody, then better ones.

A shared screen goes up as far as it can before any camera does (its words must be readable); the others rise in turn, the more
important ones first in each round.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymeet.sfu.view import Importance

PAUSED = -1
MARGIN = 1.05
"""How much more than it costs there must be before something is added: what was just dropped does not come back at once."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one stream could be sent at: `layers` are pairs of rank and bits per second, ascending. Sound has one.

    What is muted costs nothing, and its rank is what it may have when it is back.
    """

    key: str
    layers: tuple[tuple[int, float], ...]
    importance: Importance = Importance.OTHER
    is_audio: bool = False
    is_muted: bool = False


def share(budget_bps: float, wishes: Sequence[Wish], current: Mapping[str, int]) -> dict[str, int]:
    """The rank that each stream gets, `PAUSED` for none. `current` is what they get now (streams that are new: not in it)."""
    sounds = [w for w in wishes if w.is_audio and w.layers]
    pictures = [w for w in wishes if not w.is_audio and not w.is_muted]
    pictures.sort(key=lambda w: -w.importance)
    ranks = {w.key: w.layers[0][0] for w in sounds}
    spent = sum(w.layers[0][1] for w in sounds if not w.is_muted)
    steps = {w.key: -1 for w in pictures}  # how far up in `layers`

    def rise(wish: Wish) -> bool:
        nonlocal spent
        step = steps[wish.key]
        if step + 1 == len(wish.layers):
            return False
        rank, bps = wish.layers[step + 1]
        after = spent + bps - (wish.layers[step][1] if step >= 0 else 0.0)
        is_more = rank > current.get(wish.key, wish.layers[0][0])
        if after * (MARGIN if is_more else 1.0) > budget_bps:
            return False
        spent = after
        steps[wish.key] = step + 1
        return True

    for wish in pictures:
        rise(wish)
    for wish in pictures:
        while wish.importance == Importance.SCREEN and rise(wish):
            pass
    rising = [w for w in pictures if steps[w.key] >= 0]
    while rising:
        rising = [w for w in rising if rise(w)]
    for wish in pictures:
        step = steps[wish.key]
        ranks[wish.key] = wish.layers[step][0] if step >= 0 else PAUSED
    for wish in wishes:
        if wish.is_muted and not wish.is_audio:
            fitting = [rank for rank, bps in wish.layers if spent + bps <= budget_bps]
            ranks[wish.key] = fitting[-1] if fitting else PAUSED
    return ranks


def demand(wishes: Sequence[Wish]) -> float:
    """What all of it would cost."""
    return sum(w.layers[-1][1] for w in wishes if w.layers and not w.is_muted)
