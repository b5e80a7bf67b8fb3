"""A mail server (aiosmtpd) in the test's own loop, which keeps what it gets and can be told to be difficult."""

import asyncio
import email
import email.policy
import ssl
from collections import deque
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from pymeet.config import Config


@dataclass
class Delivery:
    """One mail as it arrived."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool
    greeted_as: str

    @property
    def message(self) -> EmailMessage:
        found = email.message_from_bytes(self.content, policy=email.policy.SMTPUTF8)
        assert isinstance(found, EmailMessage)
        return found

    def part(self, subtype: str) -> str:
        body = self.message.get_body((subtype,))
        assert body is not None
        return str(body.get_content())


class PostOffice:
    """Answers of `to_recipients` and `to_content` are given first, one for each mail; then everything is taken."""

    def __init__(
        self,
        *,
        port: int = 0,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        utf8: bool = True,
    ) -> None:
        self.port = port
        self.delivered: list[Delivery] = []
        self.connections = 0
        self.to_recipients: deque[str] = deque()
        self.to_content: deque[str] = deque()
        self._tls = tls
        self._login = login
        self._arrived = asyncio.Condition()
        self._settings: dict[str, Any] = {"tls_context": starttls, "enable_SMTPUTF8": utf8}
        if login:
            encrypted = starttls is not None
            self._settings |= {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": encrypted,
            }
        self._server: asyncio.Server | None = None
        self._open: list[SMTP] = []

    async def __aenter__(self) -> "PostOffice":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._conversation, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Hangs up and listens no more."""
        if self._server is None:
            return
        self._server.close()
        for conversation in self._open:
            if conversation.transport:
                conversation.transport.close()
        await self._server.wait_closed()
        tasks = [each._handler_coroutine for each in self._open if each._handler_coroutine]
        await asyncio.gather(*tasks, return_exceptions=True)
        self._server = None

    async def has(self, count: int) -> list[Delivery]:
        """Waits until so many mails have arrived."""
        async with asyncio.timeout(10), self._arrived:
            await self._arrived.wait_for(lambda: len(self.delivered) >= count)
        return self.delivered

    def _conversation(self) -> SMTP:
        self.connections += 1
        conversation = SMTP(self, hostname="mail.example.org", loop=asyncio.get_running_loop(), **self._settings)
        self._open.append(conversation)
        return conversation

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self._login, handled=False)

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.to_recipients and not (answer := self.to_recipients.popleft()).startswith("250"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.to_content and not (answer := self.to_content.popleft()).startswith("250"):
            return answer
        async with self._arrived:
            encrypted = session.ssl is not None or self._tls is not None
            self.delivered.append(
                Delivery(envelope.mail_from, envelope.rcpt_tos, envelope.content, encrypted, session.host_name)
            )
            self._arrived.notify_all()
        return "250 OK"


def config_for(office: PostOffice, **mail: Any) -> Config:
    """The configuration of a server whose mail goes there."""
    settings = {"host": "localhost", "port": office.port, "encryption": "off", "from_address": "meet@example.org"}
    return Config.model_validate(
        {"http": {"public_url": "https://meet.example.org"}, "mail": {**settings, "timeout": "5s", **mail}}
    )
