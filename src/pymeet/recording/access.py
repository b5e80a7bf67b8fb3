"""Who may do what with a recording: one table, standing → verbs, and the one rule that looks into it. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pymeet.db import audit
from pymeet.errors import ConflictError, NotAllowedError, NotFoundError


class Standing(StrEnum):
    """What somebody is to a recording. One person can be several of these."""

    OWNER = "owner"  # the host who started it, and the owner of the room
    RECORDED = "recorded"  # a member who is in it
    SHARED = "shared"  # a member with whom it was shared, or who is in a group with which it was
    LINK = "link"  # whoever opened a link that is still good
    ADMIN = "admin"  # an administrator of the server: sees that it is there, not what is in it
    OPERATOR = "operator"  # whoever has a shell on the server's machine


class Verb(StrEnum):
    """What can be done with a recording."""

    SEE = "see"  # its name, size and dates
    VIEW = "view"  # the film, who is in it, and what happened when
    TRACKS = "tracks"  # playing the tracks of single people
    DOWNLOAD = "download"  # taking the film along
    RENAME = "rename"
    DELETE = "delete"  # into the trash
    RESTORE = "restore"  # out of the trash
    SHARE = "share"
    PIN = "pin"  # keeping it longer
    COMPOSE = "compose"  # having films made, and deleting them
    REMOVE = "remove"  # taking others out; everybody may take themselves out
    VIEWS = "views"  # who looked


_WATCH = frozenset({Verb.SEE, Verb.VIEW, Verb.TRACKS, Verb.DOWNLOAD})

MAY: Final[Mapping[Standing, frozenset[Verb]]] = {
    Standing.OWNER: frozenset(Verb),
    Standing.RECORDED: _WATCH | {Verb.VIEWS},
    Standing.SHARED: _WATCH,
    Standing.LINK: frozenset({Verb.VIEW}),
    Standing.ADMIN: frozenset({Verb.SEE, Verb.DELETE, Verb.RESTORE}),
    Standing.OPERATOR: frozenset(Verb),
}
"""A data protection officer has no row: proofs and requests are theirs to see, but no content."""

_IN_TRASH = frozenset({Verb.SEE, Verb.RESTORE, Verb.REMOVE, Verb.VIEWS})
_RUNNING = frozenset({Verb.SEE, Verb.RENAME, Verb.REMOVE})
_GUESTS_OF_IT = frozenset({Standing.SHARED, Standing.LINK})


@dataclass(frozen=True)
class Asker:
    """Who asks: a member, somebody with a link, a guest with a receipt, or the operator."""

    user_id: str | None = None
    is_admin: bool = False
    share_id: str | None = None
    """The link that was opened, and is good now (`shares.py`)."""
    link_to: str | None = None
    """The recording that it leads to."""
    is_operator: bool = False

    @property
    def actor(self) -> str:
        """What the audit log calls them."""
        return audit.OPERATOR if self.is_operator else self.user_id or audit.GUEST


OPERATOR: Final = Asker(is_operator=True)


def may(standings: Collection[Standing], *, running: bool, trashed: bool) -> frozenset[Verb]:
    """What somebody may do with a recording as it is now."""
    granted = _granted(standings, trashed=trashed)
    if trashed:
        return granted & _IN_TRASH
    return (granted & _RUNNING) if running else granted - {Verb.RESTORE}


def check(standings: Collection[Standing], verb: Verb, *, running: bool, trashed: bool) -> None:
    """Returns when they may.

    NotFoundError for whoever may not know that it is there, NotAllowedError for what they may never do, ConflictError
    (`still_recording`, `in_trash`, `not_in_trash`) for what they may do at another time.
    """
    granted = _granted(standings, trashed=trashed)
    if verb in may(standings, running=running, trashed=trashed):
        return
    if not granted:
        raise no_such_recording()
    if verb not in granted:
        raise NotAllowedError("You may not do this with this recording.")
    if running:
        raise ConflictError("This meeting is still being recorded.", code="still_recording")
    if trashed:
        raise ConflictError("This recording is in the trash. Take it out first.", code="in_trash")
    raise ConflictError("This recording is not in the trash.", code="not_in_trash")


def no_such_recording() -> NotFoundError:
    """The same for one that is not there and for one that is none of the asker's business."""
    return NotFoundError("There is no such recording.")


def _granted(standings: Collection[Standing], *, trashed: bool) -> frozenset[Verb]:
    """For those with whom it was shared, one in the trash is gone."""
    gone = _GUESTS_OF_IT if trashed else frozenset()
    return frozenset[Verb]().union(*(MAY[each] for each in standings if each not in gone))
