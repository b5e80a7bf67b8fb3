"""Who may do what with other people's data: the one table of roles and verbs for requests that come over the web.

Whoever has a shell on the server's machine may do everything; that is for the operating system to guard.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an account can be besides a member."""

    ADMIN = "admin"
    DPO = "dpo"  # the data protection officer, who sees proofs and requests but no content


MAY: Final[Mapping[Role, frozenset[str]]] = {
    Role.ADMIN: frozenset(
        {
            "audit.read",
            "erase.others",
            "export.others",
            "hold.place",
            "purge.run",
            "requests.decide",
            "requests.read",
        }
    ),
    Role.DPO: frozenset(
        {
            "audit.read",
            "audit.verify",
            "hold.place",
            "hold.release",
            "report.read",
            "requests.decide",
            "requests.read",
        }
    ),
}
"""Placing a hold and releasing one are separate rights: who wants data gone must not end what keeps it."""

WITHOUT_DPO: Final = frozenset({"audit.verify", "hold.release", "report.read"})
"""What falls to administrators where nobody is data protection officer."""


def may(roles: Collection[Role], verb: str, *, there_is_a_dpo: bool) -> bool:
    """Whether somebody with these roles may do it. KeyError for a verb that is in no table: a mistake in the program."""
    if not any(verb in verbs for verbs in MAY.values()):
        raise KeyError(verb)
    granted = set().union(*(MAY[role] for role in roles))
    if Role.ADMIN in roles and not there_is_a_dpo:
        granted |= WITHOUT_DPO
    return verb in granted
