"""From who was there, what they sent and who spoke to what a film shows when: pure, in whole milliseconds and even pixels.

Times are milliseconds since the recording's beginning. Nothing here knows files or codecs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt
from typing import Final, Literal

Source = Literal["camera", "screen"]
Style = Literal["grid", "speaker"]

MOST_TILES: Final = 25
"""So many people are shown at once; of more, those who spoke most."""
STRIP_TILES: Final = 5
"""So many stand beside something large."""
TAKES_OVER_MS: Final = 1000
"""Who speaks for this long becomes the speaker; a cough does not."""
STAYS_MS: Final = 3000
"""A speaker is shown for at least this long."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One piece of what somebody's camera or screen sent."""

    track_id: str
    person_id: str
    source: Source
    begins_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Span:
    """Somebody was there, spoke or shared, from then to then."""

    person_id: str
    begins_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle and what it shows: a track from `offset_ms` on, or, without one, the person's name."""

    person_id: str
    source: Source
    track_id: str | None
    offset_ms: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Segment:
    """What is to be seen from then to then. Without tiles: nobody who agreed was in the room."""

    begins_at: int
    ends_at: int
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float


def size_of(height: int) -> tuple[int, int]:
    """Width and height of a film of so many lines, 16 to 9."""
    return _even(height * 16 / 9), height


def segments(
    pictures: Sequence[Picture],
    present: Sequence[Span],
    spoke: Sequence[Span],
    *,
    style: Style,
    size: tuple[int, int],
    ends_at: int,
) -> list[Segment]:
    """The whole film from 0 to `ends_at`, without holes; neighbours differ. Somebody has a tile while they are present.

    Of two cameras, or screens, of one person at one time the later one is shown.
    """
    turns = speakers(spoke)
    rank = _rank(present, spoke)
    cuts = {0, ends_at}
    for picture in pictures:
        cuts.update((picture.begins_at, picture.ends_at))
    for span in present:
        cuts.update((span.begins_at, span.ends_at))
    cuts.update(at for at, _ in turns)
    found: list[Segment] = []
    times = sorted(at for at in cuts if 0 <= at <= ends_at)
    for begin, end in pairwise(times):
        here = sorted(
            {span.person_id for span in present if span.begins_at <= begin < span.ends_at}, key=rank.__getitem__
        )
        shown = {
            (each.person_id, each.source): each
            for each in sorted(pictures, key=lambda each: each.begins_at)
            if each.begins_at <= begin < each.ends_at
        }
        screens = [person for person in here if (person, "screen") in shown]
        speaker = next((person for at, person in reversed(turns) if at <= begin and person in here), None)
        tiles = _arranged(here, screens, speaker, style, size)
        segment = Segment(begin, end, tuple(_tile(*tile, shown, begin) for tile in tiles))
        if found and _goes_on(found[-1], segment):
            found[-1] = Segment(found[-1].begins_at, end, found[-1].tiles)
        else:
            found.append(segment)
    return found


def speakers(spoke: Iterable[Span]) -> list[tuple[int, str]]:
    """Who is the speaker from when on, with hysteresis: short words change nothing, and nobody is shown for a moment."""
    turns: list[tuple[int, str]] = []
    for span in sorted(spoke, key=lambda span: (span.begins_at, span.ends_at)):
        if not turns:
            turns.append((span.begins_at, span.person_id))
            continue
        since, current = turns[-1]
        at = max(span.begins_at + TAKES_OVER_MS, since + STAYS_MS)
        if span.person_id != current and at < span.ends_at:
            turns.append((at, span.person_id))
    return turns


def _rank(present: Iterable[Span], spoke: Iterable[Span]) -> Mapping[str, tuple[int, int, str]]:
    """Places stay the same all film long: who spoke most comes first, in seconds, then who came first."""
    said: dict[str, int] = {}
    for span in spoke:
        said[span.person_id] = said.get(span.person_id, 0) + span.ends_at - span.begins_at
    came: dict[str, int] = {}
    for span in present:
        came[span.person_id] = min(came.get(span.person_id, span.begins_at), span.begins_at)
    crowded = len(came) > STRIP_TILES
    return {person: (-said.get(person, 0) // 1000 if crowded else 0, at, person) for person, at in came.items()}


def _arranged(
    here: Sequence[str], screens: Sequence[str], speaker: str | None, style: Style, size: tuple[int, int]
) -> list[tuple[str, Source, _Box]]:
    all_of_it = _Box(0, 0, *size)
    if screens:
        return _beside(
            [(person, "screen") for person in screens[:4]], _with_first(speaker, here, STRIP_TILES), all_of_it
        )
    if style == "speaker" and len(here) > 1:
        large = speaker or here[0]
        others = [person for person in here if person != large]
        return _beside([(large, "camera")], others[:STRIP_TILES], all_of_it)
    people: list[tuple[str, Source]] = [(person, "camera") for person in _with_first(speaker, here, MOST_TILES)]
    return _grid(people, all_of_it)


def _with_first(speaker: str | None, here: Sequence[str], most: int) -> list[str]:
    """As many as there is room for, in their order; the speaker is among them."""
    chosen = list(here[:most])
    if speaker is not None and speaker not in chosen:
        chosen[-1] = speaker
    return chosen


def _beside(large: Sequence[tuple[str, Source]], strip: Sequence[str], box: _Box) -> list[tuple[str, Source, _Box]]:
    aside = box.width / STRIP_TILES
    main = _Box(box.x, box.y, box.width - aside, box.height)
    tall = box.height / STRIP_TILES
    top = (box.height - tall * len(strip)) / 2
    column: list[tuple[str, Source, _Box]] = [
        (person, "camera", _Box(main.width, top + tall * index, aside, tall)) for index, person in enumerate(strip)
    ]
    return [*_grid(large, main), *column]


def _grid(what: Sequence[tuple[str, Source]], box: _Box) -> list[tuple[str, Source, _Box]]:
    if not what:
        return []
    columns = ceil(sqrt(len(what)))
    rows = ceil(len(what) / columns)
    width, height = box.width / columns, box.height / rows
    placed = []
    for index, (person, source) in enumerate(what):
        row, column = divmod(index, columns)
        in_row = min(columns, len(what) - row * columns)
        left = box.x + (box.width - in_row * width) / 2
        placed.append((person, source, _Box(left + column * width, box.y + row * height, width, height)))
    return placed


def _tile(person: str, source: Source, cell: _Box, shown: Mapping[tuple[str, Source], Picture], begin: int) -> Tile:
    """The largest rectangle of 16 to 9 in a cell, with a little air; a screen gets all of its cell."""
    air = 4 if cell.width >= 160 else 2
    width, height = cell.width - air, cell.height - air
    if source == "camera":
        width, height = min(width, height * 16 / 9), min(height, width * 9 / 16)
    w, h = _even(width), _even(height)
    x, y = _even(cell.x + (cell.width - w) / 2), _even(cell.y + (cell.height - h) / 2)
    picture = shown.get((person, source))
    if picture is None:
        return Tile(person, source, None, 0, x, y, w, h)
    return Tile(person, source, picture.track_id, begin - picture.begins_at, x, y, w, h)


def _goes_on(before: Segment, after: Segment) -> bool:
    """Whether nothing to be seen changes between two neighbours but the time."""

    def look(tile: Tile) -> tuple[object, ...]:
        return (tile.person_id, tile.source, tile.track_id, tile.x, tile.y, tile.width, tile.height)

    return [look(tile) for tile in before.tiles] == [look(tile) for tile in after.tiles]


def _even(number: float) -> int:
    return int(number) // 2 * 2
