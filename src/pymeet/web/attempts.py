"""Attempts to prove who one is, counted by address: passwords and receipts cannot be tried through."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from pymeet.accounts.throttle import AttemptLimiter
from pymeet.errors import NotSignedInError, PymeetError, TooManyError
from pymeet.web.errors import StatusError
from pymeet.web.origins import client_address, neighbourhood
from pymeet.web.parts import PARTS

FAILED_SIGN_INS = web.AppKey("failed_sign_ins", AttemptLimiter)


@contextmanager
def attempt(request: web.Request, known_as: str | None = None) -> Iterator[None]:
    """Counts what the block tries, and takes it back unless it fails. An address that failed often gets StatusError 429.

    A device that is known, by `known_as`, is counted apart: whoever guesses beside it does not shut it out.
    """
    failed = request.app[FAILED_SIGN_INS]
    address = known_as or neighbourhood(client_address(request, request.app[PARTS].config.http.trusted_proxies))
    now = request.app[PARTS].clock.monotonic()
    if not failed.attempt(address, now):
        wait_s = math.ceil(failed.wait_s(address, now))
        retry = {"Retry-After": str(wait_s)}
        raise StatusError(429, f"Too many attempts. Try again in {wait_s} seconds.", headers=retry)
    try:
        yield
    except (NotSignedInError, TooManyError):
        raise
    except PymeetError:
        failed.take_back(address)
        raise
    failed.take_back(address)
