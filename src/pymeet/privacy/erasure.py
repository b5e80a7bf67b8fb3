"""Erasure (Article 17): from the request to the proof, in steps that survive being killed at any point.

    requested → verified → restricted → erasing → done, or partial where a hold keeps something

Verified, the person is hidden, signed out and out of every meeting at once. When the time to think better of it is over:
what will be searched for is sealed into a file, the ledger gets its line, then everything goes, table by table, the
account last. Done is only said when nothing leads to the person any more, the write-ahead log is empty, and all bytes
were searched. The transactions stand in erasure_rows.py.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Connection, select

from pymeet.db import audit
from pymeet.db.engine import Database
from pymeet.db.inventory import digest
from pymeet.db.schema import mail_outbox, metadata, users
from pymeet.db.seal import SealError
from pymeet.errors import NotFoundError, PymeetError
from pymeet.privacy import erasure_rows as rows
from pymeet.privacy.erasure_plan import INVENTORY, LAST, Action, ErasurePlan, action_of
from pymeet.privacy.gone import remove_pending
from pymeet.privacy.ledger import Ledger, Returned, note
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, guest, member
from pymeet.privacy.reach import addresses_of
from pymeet.privacy.request_mail import MY_DATA_PAGE, tell_decided
from pymeet.privacy.request_rows import Request, get_now
from pymeet.privacy.residue import Findings, Needles, ResidueError, needles_of, scan
from pymeet.privacy.rows import delete_rows

log = structlog.get_logger(__name__)

Progress = Callable[[int, int | None, str], None]
"""`progress(done, total, what)`: at every step, without personal data."""

LAG_S: Final = 0.020
LAG_WAIT_S: Final = 30.0
"""While the event loop is later than this, meetings suffer and the next transaction waits, but no longer than that."""

CHECKPOINT_BATCHES: Final = 50
CHECKPOINT_ATTEMPTS: Final = 20
CHECKPOINT_PAUSE_S: Final = 0.25
"""So often, with so long between, it is tried to empty the write-ahead log when readers stand in the way."""

_PASSES: Final = 10
"""Rows may come while others go; whoever is signed out and in no meeting makes none, so a second pass is rare."""

_LOCKS: WeakKeyDictionary[Database, asyncio.Lock] = WeakKeyDictionary()
"""One erasure at a time; commands and the sweeper each have an `Erasures` of their own on the same database."""


@dataclass(frozen=True)
class Receipt:
    """What an erasure did. It names nobody. Times are UTC milliseconds."""

    request_id: str
    state: str
    """`done`, `partial`, or `erasing` where something must be tried again."""
    received_at_ms: int
    at_ms: int
    deleted: dict[str, int]
    anonymised: dict[str, int]
    files: int
    rooms_without_owner: int
    held: dict[str, int]
    files_left: int
    """Files that could not be removed yet; they are tried again."""
    log_emptied: bool
    """Whether the write-ahead log was emptied; only then is what was deleted off the disk."""
    search: str
    """`clean`, `found`, or `not_run`."""
    findings: dict[str, Any] | None
    rows_only: bool
    """The list of what to search for was lost in a crash: only rows were counted."""
    recipients: tuple[str, ...]
    """To whom such data went (Article 19)."""
    backups_until_ms: int | None
    """Until then older backups may hold a copy; restoring one erases the person again."""
    mail_queued: bool
    """One mail with the person's address waits to be sent, to tell them; its row ends with its own period."""

    @property
    def complete(self) -> bool:
        """Whether all is gone and the search found nothing."""
        return self.state == "done" and self.search != "found"

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return {**asdict(self), "complete": self.complete}


@dataclass(frozen=True)
class Replay:
    """What the ledger made go again, after a restore."""

    receipts: tuple[Receipt, ...]
    mails: int
    """Mails to addresses of erased people."""
    damaged: int
    """Lines of the ledger that are not as they were written: somebody must look."""


@dataclass(frozen=True)
class _Sealed:
    """What is remembered, sealed, while an erasure is under way."""

    person: DataSubject
    addresses: tuple[str, ...]
    needles: Needles
    recipients: tuple[str, ...]
    language: str | None
    """Of mails to them, where they chose one."""


class Erasures:
    """Everything about erasing people. `site` is the address people open, for links in mails; without it none are sent."""

    def __init__(self, lifecycle: Lifecycle, *, site: str | None = None) -> None:
        self._lifecycle = lifecycle
        self._db = lifecycle.db
        self._clock = lifecycle.clock
        self._site = site or lifecycle.config.http.public_url
        self._lock = _LOCKS.setdefault(lifecycle.db, asyncio.Lock())

    async def preview(self, person: DataSubject) -> ErasurePlan:
        """What erasing the person would do now; nothing is changed."""
        return await self._db.study(rows.preview, person)

    async def request(
        self,
        person: DataSubject,
        origin: str,
        actor: str,
        *,
        verified: bool = True,
        grace_ms: int | None = None,
        tell: bool = True,
    ) -> Request:
        """Enters the request, and where it is `verified` who asks, restricts the person at once.

        The same person's request that is under way is taken up. NotFoundError, ConflictError (`last_administrator`).
        """
        now_ms = self._clock.now_ms()
        request = await self._db.work(rows.enter, person, origin, actor, now_ms)
        return await self.verify(request.id, actor, grace_ms=grace_ms, tell=tell) if verified else request

    async def verify(self, request_id: str, actor: str, *, grace_ms: int | None = None, tell: bool = True) -> Request:
        """It is certain who asks: restricts the person until the erasure. ConflictError (`last_administrator`)."""
        now_ms = self._clock.now_ms()
        if grace_ms is None:
            grace_ms = self._lifecycle.periods.period_ms("erasure_grace", now_ms) or 0
        url = f"{self._site}{MY_DATA_PAGE}" if self._site and tell and grace_ms else None
        arguments = request_id, actor, now_ms, now_ms + grace_ms, self._lifecycle.config, url
        request = await self._db.work(rows.restrict, *arguments)
        if request.person is not None:
            await self._lifecycle.remove_from_meetings(request.person)
        self._lifecycle.poke_mail()
        return request

    async def cancel(self, request_id: str, actor: str) -> Request:
        """The person thought better of it, before anything was deleted. NotFoundError, ConflictError afterwards."""
        return await self._stop(request_id, "cancelled", "withdrawn", actor)

    async def refuse(self, request_id: str, decision: str, actor: str) -> Request:
        """Turns the request down, before anything was deleted, for one of the reasons that end in `refused`."""
        return await self._stop(request_id, "refused", decision, actor)

    async def under_way(self, person: DataSubject) -> Request | None:
        """The person's erasure that is not over."""
        return await self._db.study(rows.under_way, person)

    async def erase_now(
        self, person: DataSubject, cause: str, actor: str, progress: Progress = lambda done, total, what: None
    ) -> Receipt:
        """Erases without waiting. ConflictError (`last_administrator`), NotFoundError when there is no such account."""
        request = await self.request(person, cause, actor, grace_ms=0, tell=False)
        return await self._run(request.id, actor, progress)

    async def due(self, now_ms: int) -> list[Receipt]:
        """Erases everybody whose time has come, and goes on with what was interrupted or held. For the sweeper."""
        return await self._work_off(await self._db.study(rows.waiting, now_ms))

    async def resume(self) -> list[Receipt]:
        """Goes on with what a crash interrupted; to be called at start."""
        return await self._work_off([each for each in await self._db.study(rows.waiting, 0) if each.state == "erasing"])

    async def replay(self, progress: Progress = lambda done, total, what: None) -> Replay:
        """Erases again whoever the ledger names, after a restore. What a hold in the backup keeps makes it partial."""
        ledger = await self._ledger()

        def find(conn: Connection) -> tuple[Returned, int]:
            erased = ledger.erased(conn)
            return ledger.returned(conn, erased), erased.damaged

        returned, damaged = await self._db.study(find)
        receipts = []
        for number, person in enumerate(returned.people):
            progress(number, len(returned.people), "erasing again")
            request = await self.request(person, "operator", audit.SYSTEM, grace_ms=0, tell=False)
            receipts.append(await self._run(request.id, audit.SYSTEM, tell=False))

        def remove(conn: Connection) -> int:
            theirs = mail_outbox.c.to_address.in_(returned.addresses)
            return sum(delete_rows(conn, mail_outbox, theirs, self._clock.now_ms()).values())

        mails = await self._db.work(remove) if returned.addresses else 0
        return Replay(tuple(receipts), mails, damaged)

    async def prune_ledger(self, now_ms: int) -> int:
        """Removes the lines of the ledger's file whose period is over; their rows in the table end by the sweep."""
        until_ms = self._lifecycle.periods.cutoff_ms("ledger", now_ms)
        return 0 if until_ms is None else await asyncio.to_thread((await self._ledger()).prune, until_ms)

    async def receipt(self, request_id: str) -> Receipt | None:
        """The receipt of an erasure that was carried out, in whole or in part. NotFoundError."""
        request = await self._db.study(get_now, request_id)
        said = rows.counted(request).get("receipt")
        return None if said is None else Receipt(**{**said, "recipients": tuple(said["recipients"])})

    async def _work_off(self, requests: Sequence[Request]) -> list[Receipt]:
        """One that fails must not be in the way of the others; the next sweep tries it again."""
        receipts = []
        for request in requests:
            try:
                if request.state == "verified":  # it was entered in the register only
                    await self.verify(request.id, audit.SYSTEM)
                else:
                    receipts.append(await self._run(request.id, audit.SYSTEM))
            except PymeetError as error:
                log.warning("an erasure could not be carried out", request_id=request.id, why=error.code)
            except Exception:
                log.exception("an erasure could not be carried out", request_id=request.id)
        return receipts

    async def _stop(self, request_id: str, state: str, decision: str, actor: str) -> Request:
        # Without the lock: another person's erasure may hold it for long, and beginning is one transaction as well.
        now_ms = self._clock.now_ms()

        def stop(conn: Connection) -> Request:
            stopped = rows.stop(conn, request_id, state, decision, actor, now_ms)
            tell_decided(conn, self._lifecycle.config, stopped, decision, actor, now_ms, site=self._site)
            return stopped

        stopped = await self._db.work(stop)
        self._lifecycle.poke_mail()
        return stopped

    async def _run(
        self,
        request_id: str,
        actor: str,
        progress: Progress = lambda done, total, what: None,
        *,
        tell: bool = True,
    ) -> Receipt:
        async with self._lock:
            request = await self._db.study(get_now, request_id)
            if request.state == "done" and (known := await self.receipt(request_id)):
                return known  # the sweeper, or a second click, came first; its proof stands
            sealed: _Sealed | None
            if request.person is not None:
                await self._lifecycle.remove_from_meetings(request.person)
                request = await self._db.work(rows.begin, request_id, actor, self._clock.now_ms())
                assert request.person is not None  # noqa: S101  beginning takes nobody away
                sealed = await self._prepare(request, request.person, progress)
                if tell:
                    await self._lifecycle.cancel_meetings(request.person)
                held = await self._rows(request, request.person, sealed, progress)
                await self._lifecycle.remove_from_meetings(request.person)
            else:
                sealed, held = await asyncio.to_thread(self._unseal, request_id), {}
            return await self._conclude(request, sealed, held, progress, tell=tell)

    async def _prepare(self, request: Request, person: DataSubject, progress: Progress) -> "_Sealed | None":
        """Seals what will be searched for, then notes the erasure in the ledger: the last thing before rows go."""
        ledger = await self._ledger()
        at_ms = await self._db.study(rows.begun_at_ms, request.id)
        marks = {(line.mark, line.at_ms) for line in (await asyncio.to_thread(ledger.read)).lines}
        begun = (ledger.mark(person), at_ms) in marks
        if begun:
            sealed = await asyncio.to_thread(self._unseal, request.id)
        else:
            progress(0, None, "preparing")
            sealed = await self._db.study(_collect, person)
            await asyncio.to_thread(self._seal, request.id, sealed)
        addresses = await self._db.study(addresses_of, person)
        address = addresses[0] if addresses else None
        line = ledger.line(person, address, request.origin, at_ms, digest(metadata))
        if not begun:
            await asyncio.to_thread(ledger.append, line)
        await self._db.work(note, line)
        return sealed

    async def _rows(
        self, request: Request, person: DataSubject, sealed: "_Sealed | None", progress: Progress
    ) -> dict[str, int]:
        """Everything of the person, children before parents, the account last; what a hold keeps, by table."""
        if shown := await self._db.study(rows.in_recordings, person):
            await self._lifecycle.withdraw_from_films(shown)
        plan = await self._db.study(rows.preview, person)
        addresses = sealed.addresses if sealed else await self._db.study(addresses_of, person)
        done = batches = 0
        for _ in range(_PASSES):
            for entry in reversed(INVENTORY):
                if entry.name in LAST or action_of(entry) is Action.KEEP:
                    continue
                while True:
                    progress(done, max(done, plan.rows), f"erasing: {entry.category.value}")
                    await self._give_way()
                    arguments = request.id, entry, person, addresses, self._clock.now_ms()
                    count = await self._db.work(rows.passed, *arguments)
                    done, batches = done + count, batches + 1
                    if batches % CHECKPOINT_BATCHES == 0:
                        await self._db.checkpoint()
                    if count < rows.BATCH:
                        break
            finished = await self._db.work(rows.finish, request.id, person, addresses, self._clock.now_ms())
            if not finished.again:
                self._lifecycle.poke_films()
                return finished.held
        raise rows.ErasureError("Rows of the person come faster than they go. Nothing of the account was removed.")

    async def _conclude(
        self, request: Request, sealed: "_Sealed | None", held: dict[str, int], progress: Progress, *, tell: bool
    ) -> Receipt:
        """Removes the files, empties the write-ahead log, searches all bytes, and closes the request."""
        progress(0, None, "removing files")
        removed = await remove_pending(self._lifecycle)
        progress(0, None, "emptying the write-ahead log")
        emptied = await self._emptied()
        findings: Findings | None = None
        if emptied and not removed.failed:
            needles = sealed.needles if sealed else Needles((), 0)  # without them it still looks into free pages
            if held and sealed:
                still_there = set((await self._db.study(_collect, sealed.person)).needles.texts)
                texts = tuple(text for text in needles.texts if text not in still_there)
                needles = Needles(texts, len(texts))
            try:
                findings = await scan(self._lifecycle.config, needles, progress)
            except ResidueError:
                log.exception("the search for remains could not be made", request_id=request.id)
        state = "partial" if held or removed.failed else "done" if emptied else "erasing"
        address = sealed.addresses[0] if sealed and sealed.addresses and state == "done" and tell else None
        mail = address if self._lifecycle.config.mail.host is not None else None
        language = (sealed and sealed.language) or self._lifecycle.config.mail.language
        request = await self._db.study(get_now, request.id)
        receipt = self._receipt(
            request, state, held, removed.failed, emptied, findings, sealed=sealed, mail_queued=mail is not None
        )
        log.info("erased", request_id=request.id, state=state, held=sum(held.values()), search=receipt.search)
        if state == "erasing":
            return receipt  # a reader holds the log; the next sweep goes on here
        if findings is not None and not findings.clean:
            log.error("an erasure left remains", request_id=request.id, places=len(findings.remains))
        result = {**rows.counted(request), "receipt": receipt.as_dict()}
        result["receipt"].pop("complete")
        told = (mail, language, receipt.search) if mail else None
        keep_sealed = bool(removed.failed) and not held  # the search is still to come
        await self._db.work(rows.close, request.id, state, result, self._clock.now_ms(), told, keep_sealed)
        await remove_pending(self._lifecycle)
        self._lifecycle.poke_mail()
        return receipt

    def _receipt(
        self,
        request: Request,
        state: str,
        held: dict[str, int],
        files_left: int,
        emptied: bool,
        findings: Findings | None,
        *,
        sealed: "_Sealed | None",
        mail_queued: bool,
    ) -> Receipt:
        now_ms, counts = self._clock.now_ms(), rows.counted(request)
        backup_ms = self._lifecycle.periods.period_ms("backup", now_ms)
        remains = findings is not None and not findings.clean
        return Receipt(
            request_id=request.id,
            state=state,
            received_at_ms=request.received_at_ms,
            at_ms=now_ms,
            deleted=counts.get("deleted", {}),
            anonymised=counts.get("anonymised", {}),
            files=sum(counts.get("files", {}).values()),
            rooms_without_owner=counts.get("rooms_without_owner", {}).get("rooms", 0),
            held=held,
            files_left=files_left,
            log_emptied=emptied,
            search="found" if remains else "not_run" if findings is None or sealed is None else "clean",
            findings=None if findings is None else findings.as_dict(),
            rows_only=sealed is None,
            recipients=sealed.recipients if sealed else (),
            backups_until_ms=None if backup_ms is None else now_ms + backup_ms,
            mail_queued=mail_queued,
        )

    async def _ledger(self) -> Ledger:
        return await asyncio.to_thread(Ledger.open, self._lifecycle.config.data_dir, self._lifecycle.keys)

    async def _give_way(self) -> None:
        waited_s = 0.0
        while self._lifecycle.lag_s() > LAG_S and waited_s < LAG_WAIT_S:
            await asyncio.sleep(0.1)
            waited_s += 0.1

    async def _emptied(self) -> bool:
        for attempt in range(CHECKPOINT_ATTEMPTS):
            if attempt:
                await asyncio.sleep(CHECKPOINT_PAUSE_S)
            if await self._db.checkpoint():
                return True
        return False

    def _seal(self, request_id: str, sealed: _Sealed) -> None:
        """A file under a key of its own, by the id of the request; destroyed when the request is closed."""
        self._lifecycle.files.destroy(request_id)  # one that a crash left before the ledger had its line
        said = {
            "anchor": sealed.person.anchor.name,
            "id": sealed.person.id,
            "addresses": sealed.addresses,
            "texts": sealed.needles.texts,
            "of": sealed.needles.of,
            "recipients": sealed.recipients,
            "language": sealed.language,
        }
        with self._lifecycle.files.create(request_id, self._clock.now_ms()) as sink:
            sink.write(json.dumps(said).encode())
            sink.finish()

    def _unseal(self, request_id: str) -> _Sealed | None:
        try:
            with self._lifecycle.files.open(request_id) as file:
                said = json.loads(file.read())
        except (NotFoundError, SealError):
            return None
        person = member(said["id"]) if said["anchor"] == "MEMBER" else guest(said["id"])
        needles = Needles(tuple(said["texts"]), said["of"])
        return _Sealed(person, tuple(said["addresses"]), needles, tuple(said["recipients"]), said.get("language"))


def _collect(conn: Connection, person: DataSubject) -> _Sealed:
    addresses = addresses_of(conn, person)
    recipients: Sequence[str] = rows.preview(conn, person).recipients
    language = conn.execute(select(users.c.language).where(users.c.id == person.user_id)).scalar()
    return _Sealed(person, addresses, needles_of(conn, person, addresses), tuple(recipients), language)
