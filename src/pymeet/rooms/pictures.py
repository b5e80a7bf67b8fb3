"""By which words each of those in a meeting asks for the others' pictures. Pure.

Everybody is told other words for the same picture, so that they are good only while who asks is there too: with words that
are the same for all, somebody who was removed could go on looking.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

ID_LENGTH: Final = 22
"""Of a participant's id."""

LENGTH: Final = ID_LENGTH + 43


def words_for(secret: str, viewer_id: str) -> str:
    """By what this participant asks for the picture with this secret (`Participant.picture`)."""
    proof = hmac.digest(secret.encode(), viewer_id.encode(), sha256)
    return viewer_id + urlsafe_b64encode(proof).rstrip(b"=").decode()


def viewer_of(words: str) -> str:
    """The id of the participant to whom they were told, or who claims that."""
    return words[:ID_LENGTH]


def are_for(words: str, secret: str) -> bool:
    """Whether they ask for the picture with this secret."""
    return hmac.compare_digest(words, words_for(secret, viewer_of(words)))
