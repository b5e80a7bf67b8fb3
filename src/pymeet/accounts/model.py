"""What accounts hand out: frozen facts, without behaviour."""

from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """A person with an account."""

    id: str
    name: str
    email: str
    is_admin: bool
    disabled_at_ms: int | None = None


@dataclass(frozen=True)
class Link:
    """What a one-time link is for; name and address are None while they are still to be chosen."""

    purpose: str
    """`first_admin` or `set_password`."""
    name: str | None
    email: str | None


@dataclass(frozen=True)
class Session:
    """A fresh sign-in."""

    token: str
    expires_at_ms: int
    """The latest moment at which the token can still be good, however much it is used."""
