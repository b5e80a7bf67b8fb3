"""Who sees what: from what a page shows, who speaks, the spotlight and the pins to what one receiver is sent of each picture. Pure.

The rules of docs/protocol.md section 2.1.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pymeet.sfu.view import Importance, View

CAMERA_LINES = 180
"""At which a camera is taken to be shown of which a client says nothing."""
ALL_LINES = 4320
"""The same for a shared screen: more than any has, so that it comes whole."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What a client said last of what it shows."""

    heights: Mapping[str, int] = field(default_factory=dict)
    """Pixels of the device by track id; 0 for what nobody sees."""
    pinned: Collection[str] = ()
    """Ids of the tracks to which the person holds on."""
    audio_only: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A camera or a shared screen that somebody sends."""

    track_id: str
    owner: str
    is_screen: bool
    is_muted: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """What one receiver is to be sent."""

    views: Mapping[str, View]
    withheld: tuple[str, ...]
    """Ids of the pictures that they would see if there were not so many."""


class Precedence:
    """Which pictures come before others, for everybody alike: remembers who spoke when."""

    def __init__(self) -> None:
        self._turns = 0
        self._spoke: dict[str, int] = {}

    def heard(self, speakers: Sequence[str]) -> None:
        """These speak now, loudest first."""
        for speaker in reversed(speakers):
            self._turns += 1
            self._spoke[speaker] = self._turns

    def order(self, pictures: Iterable[Picture], here: Collection[str], spotlight: str | None) -> list[Picture]:
        """Shared screens, then who is in the spotlight, then who spoke last, then as they came.

        Who is not `here` any more (ids of participants) is forgotten.
        """
        self._spoke = {who: turn for who, turn in self._spoke.items() if who in here}
        spoke = self._spoke
        return sorted(pictures, key=lambda p: (not p.is_screen, p.owner != spotlight, -spoke.get(p.owner, 0)))


def look(
    watching: Watching, pictures: Iterable[Picture], *, speakers: Collection[str], spotlight: str | None, limit: int
) -> Sight:
    """What somebody is sent who watches so, of `pictures` in their precedence; `limit` of them at most.

    What is muted has a view, for the moment in which it is not any more, and takes no place.
    """
    wanted: dict[str, View] = {}
    shown: list[Picture] = []
    for picture in pictures:
        height = watching.heights.get(picture.track_id, ALL_LINES if picture.is_screen else CAMERA_LINES)
        if watching.audio_only:
            height = 0
        wanted[picture.track_id] = View(height, _importance(picture, watching, speakers, spotlight))
        if height and not picture.is_muted:
            shown.append(picture)
    if len(shown) <= limit:
        return Sight(wanted, ())
    shown.sort(key=lambda p: not p.is_screen and p.track_id not in watching.pinned)  # stable: else as they were
    withheld = tuple(picture.track_id for picture in shown[limit:])
    for track_id in withheld:
        wanted[track_id] = View(0, wanted[track_id].importance)
    return Sight(wanted, tuple(sorted(withheld)))


def _importance(picture: Picture, watching: Watching, speakers: Collection[str], spotlight: str | None) -> Importance:
    if picture.is_screen:
        return Importance.SCREEN
    if picture.owner in speakers:
        return Importance.SPEAKER
    if picture.owner == spotlight or picture.track_id in watching.pinned:
        return Importance.PINNED
    return Importance.OTHER
