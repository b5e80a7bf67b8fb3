"""What each stream of a receiver could be sent at, and what that would cost: the wishes among which its bandwidth is shared."""

from pymeet.sfu.bandwidth.share import Wish
from pymeet.sfu.producer import Track
from pymeet.sfu.renditions import rank_of
from pymeet.sfu.view import Importance, View

_SOUND_BPS, _SOUND_EXTRA_BPS = 50_000.0, 18_000.0  # 44 bytes of SRTP, UDP and IP, fifty times a second
_LOWEST_BPS, _ONLY_BPS, _MOST_BPS, _STEP = 150_000.0, 800_000.0, 1_700_000.0, 3.3
_PICTURE_EXTRA = 1.04


def wish_of(track: Track, view: View | None, *, is_redundant: bool = False) -> Wish:
    """What the receiver could get of this track, up to what its view of it needs; without a view, all of it. `is_redundant`:
    sound is wanted with a copy of what went before."""
    if track.kind == "audio":
        rank = int(is_redundant and len(track.layers) > 1)
        rate = track.layers[0].usual_bps
        cost = (1 + rank) * (rate or _SOUND_BPS - _SOUND_EXTRA_BPS) + _SOUND_EXTRA_BPS
        return Wish(track.id, ((rank, cost),), is_audio=True, is_muted=track.muted or track.withheld)
    if view is None:
        top = len(track.layers) - 1
    elif view.choice is not None:
        top = rank_of(track, view.choice)
    else:
        top = track.rank_for(view.height)
    is_screen = track.source == "screen"
    importance = view.importance if view is not None else Importance.SCREEN if is_screen else Importance.OTHER
    return Wish(track.id, tuple(enumerate(_costs(track)[: top + 1])), importance, is_muted=track.muted)


def _costs(track: Track) -> list[float]:
    """Of each layer. One that never sent is taken to be as much larger than the one below as browsers make them."""
    known = [layer.usual_bps * _PICTURE_EXTRA for layer in track.layers]
    first = next((rank for rank, bps in enumerate(known) if bps), None)
    if first is None:
        return [min(_LOWEST_BPS * _STEP**r, _MOST_BPS) for r in range(len(known))] if len(known) > 1 else [_ONLY_BPS]
    for rank in range(first):
        known[rank] = known[first] / _STEP ** (first - rank)
    for rank in range(first + 1, len(known)):
        known[rank] = known[rank] or max(known[rank - 1], min(known[rank - 1] * _STEP, _MOST_BPS))
    return known
