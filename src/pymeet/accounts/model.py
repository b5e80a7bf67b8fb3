"""What accounts hand out: frozen facts, without behaviour."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody with an account may be; each has one of these."""

    MEMBER = "member"
    ADMIN = "admin"
    DPO = "dpo"  # data protection officer: sees proofs and requests, but no content


@dataclass(frozen=True)
class User:
    """A person with an account."""

    id: str
    name: str
    email: str
    is_admin: bool
    disabled_at_ms: int | None = None
    is_dpo: bool = False
    language: str | None = None
    """The language of mail to them and of their pages; None is the server's."""
    time_zone: str | None = None
    """An IANA name, such as `Europe/Berlin`; None is the browser's."""
    theme: str | None = None
    """`system`, `light` or `dark`."""

    @property
    def role(self) -> Role:
        """The role, in one word."""
        return Role.ADMIN if self.is_admin else Role.DPO if self.is_dpo else Role.MEMBER


@dataclass(frozen=True)
class Link:
    """What a one-time link is for; name and address are None while they are still to be chosen."""

    purpose: str
    """`first_admin`, `set_password`, `invitation`, `register`, `reset_password`, `sign_in` or `change_email`."""
    name: str | None
    email: str | None


@dataclass(frozen=True)
class Session:
    """A fresh sign-in."""

    token: str
    expires_at_ms: int
    """The latest moment at which the token can still be good, however much it is used."""


@dataclass(frozen=True)
class ProviderSession:
    """That, and how, somebody was signed in by the OpenID provider."""

    identity_id: str
    provider_session: str | None
    """What the provider calls the session (`sid`), by which it may end it."""
    id_token: str | None
    """For signing out there; None where it is too long for an address."""
    confirmed_at_ms: int | None
    """When the person showed the provider who they are."""
