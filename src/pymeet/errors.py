"""The exception tree. Every error has an audience: the person (safe text), the peer (protocol), the operator (log)."""

from collections.abc import Mapping
from typing import Any


class PymeetError(Exception):
    """Base of every error pymeet raises on purpose.

    `code` is stable and part of the API; `message` is a sentence that is safe to show to the person concerned;
    `details` is what a program may want to know besides, as JSON can carry it.
    """

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, Any] = details or {}
        if code is not None:
            self.code = code


class ProtocolError(PymeetError):
    """A peer sent something that does not follow the protocol: a datagram, a description, a message."""

    code = "protocol_error"


class NotFoundError(PymeetError):
    """The thing named does not exist, or the asker may not know that it does."""

    code = "not_found"


class NotAllowedError(PymeetError):
    """The asker is known, and may not do this."""

    code = "not_allowed"


class NotSignedInError(PymeetError):
    """The asker must sign in, or show a token, first."""

    code = "not_signed_in"


class ConflictError(PymeetError):
    """The request contradicts the present state, such as a name that is taken."""

    code = "conflict"


class InvalidInputError(PymeetError):
    """A value given by a person is not acceptable; the message says why and what would be."""

    code = "invalid_input"


class TooManyError(PymeetError):
    """A limit is reached: participants of a room, messages per second, attempts."""

    code = "too_many"


class BusyError(PymeetError):
    """The server has too much to do for anybody new; those who are in are served."""

    code = "busy"


class ConfigError(PymeetError):
    """The configuration cannot be used; the message names file, line, key and remedy."""

    code = "config_error"
