"""What an API token may be good for. A token never may more than its person: each scope only opens a part of that."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final

from pymeet.accounts.model import Role
from pymeet.errors import InvalidInputError, NotAllowedError


class Scope(StrEnum):
    """The words by which scopes are asked for, stored and shown. `read` sees, `write` changes; neither holds the other."""

    PROFILE_READ = "profile:read"
    ROOMS_READ = "rooms:read"
    ROOMS_WRITE = "rooms:write"
    MEETINGS_READ = "meetings:read"
    MEETINGS_WRITE = "meetings:write"
    RECORDINGS_READ = "recordings:read"
    RECORDINGS_WRITE = "recordings:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    PRIVACY_READ = "privacy:read"
    PRIVACY_WRITE = "privacy:write"
    SERVER_READ = "server:read"
    SERVER_WRITE = "server:write"


_OF_ADMINISTRATORS: Final = {Scope.USERS_READ, Scope.USERS_WRITE, Scope.SERVER_READ, Scope.SERVER_WRITE}
_OF_THE_OFFICE: Final = {Scope.PRIVACY_READ, Scope.PRIVACY_WRITE}
"""Other people's data and the proofs about it, for administrators and data protection officers."""

_NOT_FOR: Final = {
    Role.MEMBER: _OF_ADMINISTRATORS | _OF_THE_OFFICE,
    Role.DPO: _OF_ADMINISTRATORS,
    Role.ADMIN: frozenset[Scope](),
}


def grantable(role: Role) -> tuple[Scope, ...]:
    """The scopes that a token of somebody in this role may have, in the order in which they are shown."""
    return tuple(scope for scope in Scope if scope not in _NOT_FOR[role])


def checked(words: Iterable[str], role: Role) -> tuple[Scope, ...]:
    """The scopes that are asked for, each once, in the order of `Scope`.

    Raises InvalidInputError for none and for one that there is not, NotAllowedError (`scope_not_allowed`) for one that
    this role does not have.
    """
    wanted = set(words)
    if unknown := wanted - set(Scope):
        raise InvalidInputError(f"There is no scope {sorted(unknown)[0][:40]!r}. Scopes: {', '.join(Scope)}.")
    if not wanted:
        raise InvalidInputError("Choose at least one scope.")
    if refused := wanted - set(grantable(role)):
        raise NotAllowedError(f"This account may not have the scope {sorted(refused)[0]}.", code="scope_not_allowed")
    return tuple(scope for scope in Scope if scope in wanted)


def stored(scopes: Collection[Scope]) -> str:
    """Scopes as one text: parted by spaces, as in OAuth (RFC 6749, section 3.3)."""
    return " ".join(scopes)


def read(text: str) -> tuple[Scope, ...]:
    """Stored scopes; a word that no version of today knows grants nothing."""
    return tuple(scope for scope in Scope if scope in text.split())
