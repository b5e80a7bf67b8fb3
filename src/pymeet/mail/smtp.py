"""Hands mail to the configured mail server (RFC 5321), encrypted: STARTTLS is demanded, not hoped for (RFC 3207).

Certificates are verified against the system's store; a store of one's own is named in `SSL_CERT_FILE`, which OpenSSL
reads.
"""

import asyncio
import contextlib
import ssl
from email.message import EmailMessage
from types import TracebackType

import aiosmtplib

from pymeet.config import MailConfig
from pymeet.mail.errors import Failure, NotSentError


class MailServer:
    """One conversation with the mail server: `async with MailServer(…) as server: await server.send(message)`.

    It connects when the first mail is sent, and again when the server hung up in between. `host` is the name it greets
    with: this machine's own stays here.
    """

    def __init__(self, config: MailConfig, host: str) -> None:
        self._config = config
        self._host = host
        self._client: aiosmtplib.SMTP | None = None
        # Ours instead of the client's, which rests on asyncio.wait_for: before Python 3.12 that swallows a cancellation
        # that comes together with the answer (bpo-37658), and the server could not stop.
        self._timeout_s = config.timeout.total_seconds()

    async def __aenter__(self) -> "MailServer":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is None:
            return
        try:
            if kind is None and self._client.is_connected:
                with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                    async with asyncio.timeout(self._timeout_s):
                        await self._client.quit()
        finally:
            self._client.close()

    async def send(self, message: EmailMessage) -> None:
        """Returns when the server has taken the mail. Raises NotSentError."""
        client = await self._connected()
        sender, recipient = (message[name].addresses[0].addr_spec for name in ("From", "To"))
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.send_message(message, sender=sender, recipients=[recipient])
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _not_sent(error.recipients[0]) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _not_sent(error) from None
        except aiosmtplib.SMTPNotSupported:
            message_ = "The mail server takes no address with such letters (it has no SMTPUTF8)."
            raise NotSentError(Failure.REJECTED, message_) from None
        except (aiosmtplib.SMTPException, OSError):
            client.close()  # nobody knows what the server would say next
            raise NotSentError(Failure.DEFERRED, "The mail server broke off.") from None

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None or not self._client.is_connected:
            self._client = await self._connect()
        return self._client

    async def _connect(self) -> aiosmtplib.SMTP:
        config = self._config
        client = aiosmtplib.SMTP(
            hostname=config.host,
            port=config.port,
            username=config.username,
            password=config.password.get_secret_value() if config.password else None,
            local_hostname=self._host,
            timeout=None,
            use_tls=config.encryption == "tls",
            start_tls=config.encryption == "starttls",
            tls_context=None if config.encryption == "off" else await asyncio.to_thread(_tls_context),
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        except BaseException as error:
            client.close()
            if isinstance(error, aiosmtplib.SMTPException | OSError | UnicodeError):
                raise _not_connected(error) from None
            raise
        return client


def _tls_context() -> ssl.SSLContext:
    """Reads the certificates of authorities from the disk, so it belongs into a thread."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _not_sent(error: aiosmtplib.SMTPResponseException) -> NotSentError:
    # What the server says beside its code often quotes the address, so it stays here.
    if isinstance(error, aiosmtplib.SMTPSenderRefused) and error.code >= 500:
        return NotSentError(Failure.REFUSED, "The mail server takes no mail from mail.from_address.", reply=error.code)
    if error.code >= 500:
        return NotSentError(Failure.REJECTED, "The mail server does not take this mail.", reply=error.code)
    return NotSentError(Failure.DEFERRED, "The mail server wants to be asked again later.", reply=error.code)


def _not_connected(error: Exception) -> NotSentError:
    """Says which step failed."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        what = "The mail server does not accept mail.username and mail.password."
        return NotSentError(Failure.REFUSED, what, reply=error.code)
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        what = "The mail server's certificate is not trusted, or it speaks no TLS that is good enough."
        return NotSentError(Failure.UNREACHABLE, what)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return NotSentError(Failure.REFUSED, "The mail server turns pymeet away.", reply=error.code)
    if isinstance(error, OSError | UnicodeError):  # the connection errors of aiosmtplib are among them
        return NotSentError(Failure.UNREACHABLE, "The mail server cannot be reached.")
    return NotSentError(Failure.REFUSED, "The mail server offers no STARTTLS, or no way to sign in that pymeet knows.")
