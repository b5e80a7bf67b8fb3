"""Who sees what: from what a page shows, who speaks, the spotlight and the pins to what one receiver is sent of each picture. Pure.

The rules of docs/protocol.md section 2.1.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pymeet.sfu.view import Choice, Importance, View

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
    choice: Choice | None = None
    """What a player, which does not tell sizes, chose of the picture that it shows."""


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
    """Which pictures come before others, for everybody alike: remembers who led the conversation when."""

    def __init__(self) -> None:
        self._turns = 0
        self._led: dict[str, int] = {}

    def led_by(self, dominant: str) -> None:
        """This one leads now."""
        self._turns += 1
        self._led[dominant] = self._turns

    def order(self, pictures: Iterable[Picture], here: Collection[str], spotlight: str | None) -> list[Picture]:
        """Shared screens, then who is in the spotlight, then who led last, then as they came.

        Who is not `here` any more (ids of participants) is forgotten.
        """
        led = self._led = {who: turn for who, turn in self._led.items() if who in here}
        return sorted(pictures, key=lambda p: (not p.is_screen, p.owner != spotlight, -led.get(p.owner, 0)))


def look(
    watching: Watching, pictures: Iterable[Picture], *, dominant: str | None, spotlight: str | None, limit: int
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
        wanted[picture.track_id] = View(height, _importance(picture, watching, dominant, spotlight))
        if height and not picture.is_muted:
            shown.append(picture)
    if len(shown) <= limit:
        return Sight(wanted, ())
    shown.sort(key=lambda p: not p.is_screen and p.track_id not in watching.pinned)  # stable: else as they were
    withheld = tuple(picture.track_id for picture in shown[limit:])
    for track_id in withheld:
        wanted[track_id] = View(0, wanted[track_id].importance)
    return Sight(wanted, tuple(sorted(withheld)))


def _importance(picture: Picture, watching: Watching, dominant: str | None, spotlight: str | None) -> Importance:
    if picture.is_screen:
        return Importance.SCREEN
    if picture.owner == dominant:
        return Importance.SPEAKER
    if picture.owner == spotlight or picture.track_id in watching.pinned:
        return Importance.PINNED
    return Importance.OTHER
