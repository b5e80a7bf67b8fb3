"""Errors as HTTP answers: one JSON shape (RFC 9457, application/problem+json) and no stack trace, whatever happened."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from pymeet.errors import (
    BusyError,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    ProtocolError,
    PymeetError,
    TooManyError,
)

_STATUS: tuple[tuple[type[PymeetError], int], ...] = (
    (NotFoundError, 404),
    (NotAllowedError, 403),
    (NotSignedInError, 401),
    (ConflictError, 409),
    (TooManyError, 429),
    (BusyError, 503),
    (InvalidInputError, 400),
    (ProtocolError, 400),
)

BUSY_RETRY_AFTER_S = 30
"""After how many seconds who was refused by a busy server may ask again: it looks at ten seconds before it lets people in."""

_CODES = {
    400: "invalid_input",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "too_slow",
    409: "conflict",
    412: "precondition_failed",
    413: "too_large",
    415: "unsupported_media_type",
    417: "expectation_failed",
    422: "invalid_input",
    428: "precondition_required",
    429: "too_many",
    503: "unavailable",
}

_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request is too large.",
}


class StatusError(PymeetError):
    """A refusal that is particular to HTTP: it names its own status, and headers where the status asks for them."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, code=code or _CODES.get(status, "error"))
        self.status = status
        self.headers = dict(headers or {})


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """The one shape of an error answer."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    return web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        content_type="application/problem+json",
        headers=headers,
    )


def status_of(error: PymeetError) -> int:
    """The HTTP status that says what an error of ours means; 500 for one that is no answer to a request."""
    if isinstance(error, StatusError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def answer_to(error: PymeetError) -> web.Response:
    """The answer for an error raised on purpose."""
    status = status_of(error)
    if status == 500:
        return internal_error()
    headers = {"WWW-Authenticate": _challenge(error)} if status == 401 else {}
    if isinstance(error, BusyError):
        headers["Retry-After"] = str(BUSY_RETRY_AFTER_S)
    own = error.headers if isinstance(error, StatusError) else {}
    return problem(status, error.code, error.message, headers | own)


def _challenge(error: PymeetError) -> str:
    """What every 401 must say (RFC 9110, 15.5.2): how a program shows who it is (RFC 6750, 3). Browsers ignore it."""
    return 'Bearer realm="pymeet"' + (', error="invalid_token"' if error.code == "bad_token" else "")


def answer_to_http(error: web.HTTPException) -> web.Response:
    """The answer for an error that aiohttp raised: an unknown path, a method that is not taken, a body too large."""
    headers = {name: error.headers[name] for name in ("Allow", "Location") if name in error.headers}
    detail = _DETAILS.get(error.status, error.reason + ".")
    return problem(error.status, _CODES.get(error.status, "error"), detail, headers)


def internal_error() -> web.Response:
    """The answer for an error nobody expected; what happened stands in the log only."""
    return problem(500, "internal", "Something went wrong here. It is written in the server's log.")
