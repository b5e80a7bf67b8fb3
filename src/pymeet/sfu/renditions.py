"""In what a picture can be had: the streams and layers among which players (WHEP) choose, and what their choice comes to."""

from typing import NamedTuple

from pymeet.sfu.operating_points import EVERYTHING, Point
from pymeet.sfu.producer import Track
from pymeet.sfu.scalable import PointLayer, Rung
from pymeet.sfu.view import Choice


class Rendition(NamedTuple):
    """One of them."""

    rid: str
    """The sender's name of the stream; empty where it has none."""
    spatial: int
    temporal: int
    """The highest layers of the stream that belong to it."""
    rate_bps: int
    """What came in the last second; 0 where the sender sends none of it."""
    width: int
    height: int
    """In pixels; 0 where that is not known."""


def renditions_of(track: Track, now: float) -> list[Rendition]:
    """In what a track can be had, the highest first."""
    found = []
    for rung in reversed(track.layers):
        point = _point(rung)
        rate_bps = rung.rate_bps if rung.is_live(now) and not track.muted else 0
        found.append(Rendition(rung.stream.rid, point.spatial, point.temporal, rate_bps, rung.width, rung.height))
    return found


def rank_of(track: Track, choice: Choice) -> int:
    """The highest layer that a choice allows; where even the lowest is too much, that one."""
    named = [rung for rung in track.layers if choice.rid in (None, rung.stream.rid)] or track.layers
    allowed = [rung for rung in named if _allows(choice, rung)] or named[:1]
    return track.layers.index(allowed[-1])


def _allows(choice: Choice, rung: Rung) -> bool:
    point = _point(rung)
    found = (point.spatial, point.temporal, rung.width, rung.height)
    limits = (choice.spatial, choice.temporal, choice.width, choice.height)
    return all(most is None or value <= most for value, most in zip(found, limits, strict=True))


def _point(rung: Rung) -> Point:
    if isinstance(rung, PointLayer):
        return rung.point
    scalable = rung.stream.scalable
    return EVERYTHING[0] if scalable is None else scalable.highest
