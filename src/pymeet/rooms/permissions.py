"""Who may do what in a meeting: one table, role → verbs, and the one rule that says which role somebody has."""

from enum import StrEnum
from typing import Protocol

from pymeet.errors import NotSignedInError
from pymeet.rooms.people import Role


class Verb(StrEnum):
    """What can be done in a meeting."""

    PUBLISH = "publish"
    RECEIVE = "receive"
    MUTE_SELF = "mute_self"
    CHAT = "chat"
    REMOVE = "remove"
    END = "end"
    RECORD = "record"
    ANSWER = "answer"
    HAND = "hand"
    REACT = "react"
    ADMIT = "admit"
    STOP = "stop"
    LOWER_HAND = "lower_hand"
    SPOTLIGHT = "spotlight"
    LOCK = "lock"
    DELETE_ANY_MESSAGE = "delete_any_message"
    GIVE_ROLES = "give_roles"


_TAKES_PART = frozenset({Verb.PUBLISH, Verb.RECEIVE, Verb.MUTE_SELF, Verb.CHAT, Verb.ANSWER, Verb.HAND, Verb.REACT})
_KEEPS_ORDER = frozenset(
    {
        *(Verb.ADMIT, Verb.STOP, Verb.LOWER_HAND, Verb.SPOTLIGHT, Verb.LOCK, Verb.REMOVE),
        Verb.DELETE_ANY_MESSAGE,
    }
)

HOSTING = frozenset({Role.HOST, Role.COHOST})
"""Who is told who waits."""

PERMISSIONS: dict[Role, frozenset[Verb]] = {
    Role.HOST: _TAKES_PART | _KEEPS_ORDER | {Verb.END, Verb.RECORD, Verb.GIVE_ROLES},
    Role.COHOST: _TAKES_PART | _KEEPS_ORDER,
    Role.MEMBER: _TAKES_PART,
    Role.GUEST: _TAKES_PART,
}


MAY_SHARE: dict[str, frozenset[Role]] = {
    "everybody": frozenset(Role),
    "members": HOSTING | {Role.MEMBER},
    "hosts": HOSTING,
}
"""Setting of the room → who may begin to share a screen."""


class SignedIn(Protocol):
    """A signed-in person, as `accounts` knows them."""

    @property
    def id(self) -> str: ...

    @property
    def is_admin(self) -> bool: ...


def role_for(user: SignedIn | None, *, owner_id: str | None, guests_allowed: bool, admitted: bool = False) -> Role:
    """The role of somebody who asks to come in.

    `admitted` means that they showed a room token. Raises `NotSignedInError` for a guest where guests are not allowed.
    """
    if user is None:
        if not guests_allowed and not admitted:
            raise NotSignedInError("Sign in to join this meeting.")
        return Role.GUEST
    if user.is_admin or (owner_id is not None and user.id == owner_id):
        return Role.HOST
    return Role.MEMBER
