"""What the owner of a room decides about it, and which values are acceptable."""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from pymeet.errors import InvalidInputError

WaitingRoom = Literal["off", "guests", "everybody"]
MayShare = Literal["everybody", "members", "hosts"]
MayRecord = Literal["hosts", "nobody"]

CAPACITY_LIMIT = 10_000
CHAT_LIMIT = 1_000_000


@dataclass(frozen=True)
class RoomSettings:
    """As they are stored; the password is not among them."""

    guests: bool | None = None
    """Whether people without account may come in; None: what the server says. No room admits them where the server does not."""
    waiting_room: WaitingRoom = "off"
    """Who waits until a host admits them."""
    capacity: int | None = None
    """How many have a place at a time; None, or more than the server allows: what the server says."""
    may_share: MayShare = "everybody"
    """Who may begin to share a screen."""
    may_record: MayRecord = "hosts"
    """Who may start a recording."""
    chat_history: bool = True
    """Whether those who come later see what was written before."""
    chat_limit: int | None = None
    """How many messages are kept, the newest; None: all, for as long as messages are kept."""

    def changed(self, values: dict[str, Any]) -> "RoomSettings":
        """The same with these values. Raises InvalidInputError for what is not acceptable."""
        made = replace(self, **values)
        for name, words in _WORDS.items():
            if getattr(made, name) not in words:
                raise InvalidInputError(f"{name} is one of {', '.join(words)}.")
        _check_number("capacity", made.capacity, 2, CAPACITY_LIMIT)
        _check_number("chat_limit", made.chat_limit, 1, CHAT_LIMIT)
        return made

    def guests_allowed(self, by_server: bool) -> bool:
        """Whether people without account may come in."""
        return by_server and self.guests is not False

    def max_participants(self, by_server: int) -> int:
        """How many have a place at a time."""
        return by_server if self.capacity is None else min(self.capacity, by_server)


NAMES = tuple(field.name for field in fields(RoomSettings))

_WORDS: dict[str, tuple[str, ...]] = {
    "waiting_room": get_args(WaitingRoom),
    "may_share": get_args(MayShare),
    "may_record": get_args(MayRecord),
}


def _check_number(name: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidInputError(f"{name} is between {least} and {most}, or null.")
