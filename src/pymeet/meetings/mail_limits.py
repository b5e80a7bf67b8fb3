"""How many mails about meetings somebody may cause. Kept in memory: what counts is the last hour."""

from collections.abc import Collection
from typing import Final

from pymeet.accounts.throttle import AttemptLimiter
from pymeet.errors import TooManyError
from pymeet.meetings.scheduled import Invitee

MOST_OF_ORGANISER: Final = 300
"""Invitations, changes and cancellations that one organiser causes in an hour."""

MOST_TO_ADDRESS: Final = 30
"""Of them, by all organisers together, to one address."""

_WINDOW_S = 3600


class MailLimits:
    """Counts every mail that is queued, so that inviting, changing and taking back again is no way around."""

    def __init__(self) -> None:
        self._organisers = AttemptLimiter(limit=MOST_OF_ORGANISER, window_s=_WINDOW_S)
        self._addresses = AttemptLimiter(limit=MOST_TO_ADDRESS, window_s=_WINDOW_S)

    def take(self, organiser_id: str, to: Collection[Invitee], now_ms: int) -> None:
        """Counts a mail to each of them. TooManyError, and nothing counted, where one of the limits is reached."""
        now = now_ms / 1000
        counted: list[tuple[AttemptLimiter, str]] = []
        for each in to:
            for limiter, key in ((self._organisers, organiser_id), (self._addresses, each.write_to)):
                if not limiter.attempt(key, now):
                    for known, taken in counted:
                        known.take_back(taken)
                    raise TooManyError("Too many mails about meetings in a short time. Try again in an hour.")
                counted.append((limiter, key))

    def note(self, organiser_id: str, to: Collection[Invitee], now_ms: int) -> None:
        """Counts mails that go out in any case: nobody must wait for a meeting that is off."""
        for each in to:
            self._organisers.attempt(organiser_id, now_ms / 1000)
            self._addresses.attempt(each.write_to, now_ms / 1000)

    def forget(self, now_ms: int) -> None:
        """Forgets what is older than an hour: addresses are people's."""
        self._organisers.forget(now_ms / 1000)
        self._addresses.forget(now_ms / 1000)
