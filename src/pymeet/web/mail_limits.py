"""How often mail to an address may be asked for: per address, per network, and per member where one asks."""

import math

from aiohttp import web

from pymeet.accounts.throttle import AttemptLimiter
from pymeet.web.errors import StatusError
from pymeet.web.origins import client_address, neighbourhood
from pymeet.web.parts import PARTS


class MailLimits:
    """Counts alike whether the address has an account or not: a refusal tells nothing about it."""

    def __init__(self) -> None:
        self._per_address = AttemptLimiter(limit=3, window_s=900)
        self._per_network = AttemptLimiter(limit=60, window_s=3600)
        self._per_member = AttemptLimiter(limit=5, window_s=3600)

    def count(self, email: str, network: str, now: float, *, member_id: str | None = None) -> float:
        """Counts one mail at `now` (seconds); 0.0, or in how many seconds it may be asked for again."""
        if member_id is not None and self._per_member.wait_s(member_id, now):
            return self._per_member.wait_s(member_id, now)
        if not self._per_network.attempt(network, now):
            return self._per_network.wait_s(network, now)
        if not self._per_address.attempt(email, now):
            return self._per_address.wait_s(email, now)
        if member_id is not None:
            self._per_member.attempt(member_id, now)
        return 0.0

    def forget(self, now: float) -> None:
        """Forgets what is older than an hour. To be called from time to time."""
        self._per_address.forget(now)
        self._per_network.forget(now)
        self._per_member.forget(now)


MAIL_LIMITS = web.AppKey("mail_limits", MailLimits)


def count_mail(request: web.Request, email: str, member_id: str | None = None) -> None:
    """Counts one mail that somebody asks for; StatusError 429 where it is too many."""
    parts = request.app[PARTS]
    network = neighbourhood(client_address(request, parts.config.http.trusted_proxies))
    now = parts.clock.monotonic()
    wait_s = math.ceil(request.app[MAIL_LIMITS].count(email, network, now, member_id=member_id))
    if wait_s:
        detail = f"Too much mail was asked for. Try again in {wait_s} seconds."
        raise StatusError(429, detail, headers={"Retry-After": str(wait_s)})
