"""Why a mail was not sent, in the few fixed words that are kept beside it and logged: they name nobody."""

from enum import StrEnum

from pymeet.errors import PymeetError


class Failure(StrEnum):
    """One word for each thing an operator can do something about."""

    UNREACHABLE = "unreachable"  # no connection, or no TLS that can be trusted
    REFUSED = "refused"  # the server does not take mail from us: no STARTTLS, wrong password, unwanted sender
    DEFERRED = "deferred"  # the server asked to try later (4xx), or broke off in the middle
    REJECTED = "rejected"  # the server will never take this mail (5xx): the mailbox does not exist, for one
    UNUSABLE = "unusable"  # no mail can be made: the address is none, or this pymeet has no such template


class NotSentError(PymeetError):
    """A mail was not handed over. `reply` is the server's three-digit code, where it gave one."""

    code = "mail_not_sent"

    def __init__(self, failure: Failure, message: str, *, reply: int | None = None) -> None:
        super().__init__(message)
        self.failure = failure
        self.reply = reply

    @property
    def permanent(self) -> bool:
        """Whether trying again is of no use."""
        return self.failure in (Failure.REJECTED, Failure.UNUSABLE)

    @property
    def concerns_all(self) -> bool:
        """Whether other mails would fare the same now."""
        return self.failure in (Failure.UNREACHABLE, Failure.REFUSED)
