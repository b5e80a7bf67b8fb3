"""A guest's privacy receipt: given at joining, it lets somebody without account see, take along and erase their data.

It is the random id of the seat, signed. It does not expire: it opens exactly what is still held about that seat, and
nothing once that is gone.
"""

from dataclasses import dataclass
from typing import Final

from pymeet import signed
from pymeet.errors import NotSignedInError
from pymeet.privacy.people import DataSubject, guest

PURPOSE: Final = b"guest-receipts"
"""What to ask the key store for."""

PREFIX: Final = "pmg1."
"""What every receipt begins with."""


@dataclass(frozen=True)
class GuestReceipt:
    """What a receipt says."""

    participant_id: str
    room_id: str
    issued_at_ms: int

    @property
    def person(self) -> DataSubject:
        """Whose receipt it is."""
        return guest(self.participant_id)


def issue(key: bytes, participant_id: str, room_id: str, at_ms: int) -> str:
    """Makes a receipt; it holds neither name nor address."""
    return signed.sign(key, PREFIX, [participant_id, room_id, at_ms])


def read(key: bytes, text: str) -> GuestReceipt:
    """What the receipt says; NotSignedInError (`bad_receipt`) when it is not ours."""
    content = signed.read(key, PREFIX, text.strip())
    if content is None or len(content) != 3:
        raise NotSignedInError("This is not a privacy receipt of this server.", code="bad_receipt")
    participant_id, room_id, at_ms = content
    return GuestReceipt(str(participant_id), str(room_id), int(at_ms))
