"""What runs beside a server so that its promises are kept without anybody thinking of them: mail goes out, what is over
goes, erasures are carried out when they are due, deadlines are watched, the audit log is signed.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from pymeet.db import audit, audit_proof
from pymeet.db.audit_checkpoints import Checkpoints
from pymeet.errors import PymeetError
from pymeet.ops.addresses import public_url
from pymeet.ops.backup import expire_backups, keep_ledgers
from pymeet.ops.mailer import Mailer
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.export import resume_or_fail
from pymeet.privacy.notices import Notices
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject
from pymeet.privacy.requests import Requests
from pymeet.privacy.sweeper import Sweeper
from pymeet.recording import removal

log = structlog.get_logger(__name__)

ACCOUNT_PAGE = "/sign-in"
"""Where people go who were told that their account ends: signing in keeps it."""

RECORDINGS_PAGE = "/recordings"
"""Where people see their recordings."""


class Keeping:
    """Made once for a server, with a lifecycle that knows the running meetings."""

    def __init__(self, lifecycle: Lifecycle, mailer: Mailer) -> None:
        site = public_url(lifecycle.config)
        self._lifecycle = lifecycle
        self._mailer = mailer
        self._erasures = Erasures(lifecycle, site=site)
        self._requests = Requests(lifecycle, site=site)
        self._notices = Notices(lifecycle)
        self.sweeper = Sweeper(
            lifecycle,
            erase=self._erase_unused,
            hooks=(
                self._carry_out_erasures,
                self._finish_withdrawals,
                self._renew_notice,
                self._remind,
                self._look_after_backups,
                self._sign_audit_log,
            ),
            site_url=f"{site}{ACCOUNT_PAGE}",
            recordings_url=f"{site}{RECORDINGS_PAGE}",
        )

    async def prepare(self) -> None:
        """What must have happened before anybody is let in: broken-off exports end, and a changed notice is published."""
        await resume_or_fail(self._lifecycle)
        await self._renew_notice()

    def start(self, run_beside: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """Hands what goes on until the server stops to `run_beside`."""
        run_beside(self._mailer.run())
        run_beside(self._sweep())

    async def finish(self) -> None:
        """Signs the end of the audit log; to be called when nobody works any more."""
        try:
            await self._sign_audit_log()
        except (PymeetError, SQLAlchemyError, OSError):
            log.exception("the audit log could not be signed; `pymeet audit verify` tells why")

    async def _sweep(self) -> None:
        try:
            await self._erasures.resume()
        except Exception:  # whatever it is, the sweeps must begin: they try it again
            log.exception("erasures that were interrupted could not be taken up; they will be tried again")
        await self.sweeper.run()

    async def _erase_unused(self, person: DataSubject, cause: str) -> None:
        await self._erasures.erase_now(person, cause, audit.SYSTEM)

    async def _finish_withdrawals(self) -> None:
        await removal.finish(self._lifecycle)

    async def _carry_out_erasures(self) -> None:
        if self.sweeper.status.doubts:
            # A clock that jumps ahead must neither end the time to think better of it, nor forget who was erased.
            await self._erasures.resume()
            return
        now_ms = self._lifecycle.clock.now_ms()
        await self._erasures.due(now_ms)
        await self._erasures.prune_ledger(now_ms)

    async def _renew_notice(self) -> None:
        await self._notices.current(self._lifecycle.clock.now_ms())

    async def _remind(self) -> None:
        await self._requests.remind_due(self._lifecycle.clock.now_ms())

    async def _look_after_backups(self) -> None:
        await keep_ledgers(self._lifecycle)
        await expire_backups(self._lifecycle)

    async def _sign_audit_log(self) -> None:
        lifecycle = self._lifecycle
        mac_key = await asyncio.to_thread(lifecycle.keys.purpose_key, audit_proof.PURPOSE)
        checkpoints = Checkpoints.beside(lifecycle.config.data_dir, mac_key)
        await audit_proof.seal_log(lifecycle.db, checkpoints, lifecycle.clock.now_ms())
