"""The text by which somebody whose account is gone, or going, sees how far their erasure is.

It is the random id of the request, signed. It names nobody and expires with the register of requests.
"""

from typing import Final

from pymeet import signed
from pymeet.errors import NotSignedInError

PURPOSE: Final = b"erasure-status"
"""What to ask the key store for."""

PREFIX: Final = "pme1."
"""What every such text begins with."""


def issue(key: bytes, request_id: str) -> str:
    """Makes the text for one erasure."""
    return signed.sign(key, PREFIX, [request_id])


def read(key: bytes, text: str) -> str:
    """The id of the request; NotSignedInError (`bad_status`) when the text is not ours."""
    content = signed.read(key, PREFIX, text.strip())
    if content is None or len(content) != 1:
        raise NotSignedInError("This server did not write this text.", code="bad_status")
    return str(content[0])
