"""The verbs of `pymeet mail`."""

from collections.abc import Mapping
from typing import Any

from pymeet.errors import ConflictError, InvalidInputError, PymeetError
from pymeet.ids import new_id
from pymeet.mail.errors import Failure, NotSentError
from pymeet.mail.message import compose
from pymeet.mail.smtp import MailServer
from pymeet.ops.mail_queue import MAX_PAGE, MailQueue
from pymeet.ops.mailer import sender
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso

_REMEDIES = {
    Failure.UNREACHABLE: "Check mail.host, mail.port and mail.encryption, and that this machine may connect there.\n"
    "An authority of your own is named in the variable SSL_CERT_FILE of the server.",
    Failure.REFUSED: "Check mail.encryption, mail.username, mail.password and mail.from_address.",
    Failure.DEFERRED: "Try again in a few minutes. Queued mail is tried again by itself.",
    Failure.REJECTED: "Check the address. The log of the mail server says why.",
    Failure.UNUSABLE: "Write the address alone, such as ann@example.org.",
}


async def mail_test(services: Services, *, address: str) -> dict[str, Any]:
    """Hands a mail for `address` to the mail server while the caller waits, past the outbox."""
    mail = services.config.mail
    if mail.host is None:
        raise ConflictError("Mail is off: mail.host is not set.\nSet it, and restart the server.", code="mail_off")
    who = sender(services.config)
    try:
        message = compose(
            mail_id=new_id(),
            template="test",
            language=mail.language,
            values={},
            to=address,
            sender=who,
            now_ms=services.clock.now_ms(),
        )
        async with MailServer(mail, who.host) as server:
            await server.send(message)
    except NotSentError as error:
        what = f"{error.message} It answered {error.reply}." if error.reply else error.message
        raise PymeetError(f"{what}\n{_REMEDIES[error.failure]}", code=error.code) from None
    return {"to": address, "server": mail.host, "from": who.address}


async def mail_list(services: Services, *, failed: bool = False, after: str = "", limit: int = 200) -> dict[str, Any]:
    """The newest mails that wait, or (`failed`) were given up; addresses are not shown whole."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInputError(f"At most {MAX_PAGE} mails at a time.")
    found = await MailQueue(services.lifecycle).listed(failed=failed, after=after, limit=limit)
    for mail in found["mails"]:
        for key in ("created_at", "next_try_at", "failed_at"):
            mail[key] = mail[key] and iso(mail[key])
    return found


async def mail_retry(services: Services, *, mail_id: str | None = None) -> dict[str, Any]:
    """Has one mail, or all that wait, tried now."""
    return {"count": await MailQueue(services.lifecycle).retry(mail_id)}


async def mail_drop(services: Services, *, mail_id: str) -> dict[str, Any]:
    """Takes a waiting mail out of the queue for good."""
    await MailQueue(services.lifecycle).drop(mail_id)
    return {"id": mail_id}


OPERATIONS: Mapping[str, Operation] = {
    "mail.test": mail_test,
    "mail.list": mail_list,
    "mail.retry": mail_retry,
    "mail.drop": mail_drop,
}
