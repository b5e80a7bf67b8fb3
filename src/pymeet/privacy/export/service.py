"""Archives of a person's data: made into a sealed file, fetched by a link that ends, and gone after some days."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement

from pymeet.db import audit
from pymeet.db.schema import exports
from pymeet.db.seal import SealedReader
from pymeet.errors import ConflictError, NotFoundError
from pymeet.ids import new_id, new_secret
from pymeet.privacy.export import store
from pymeet.privacy.export.build import Builder, Progress
from pymeet.privacy.export.contents import Contents, Failed, Occasion, Withheld
from pymeet.privacy.export.words import LANGUAGES
from pymeet.privacy.export.zipping import ArchiveWriter
from pymeet.privacy.gone import remove_pending
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject

LATE_S: Final = 0.02
"""When the event loop is later than this, meetings need the processor, and the archive waits a little."""

WAIT_S: Final = 0.1

T = TypeVar("T")


@dataclass(frozen=True)
class Export:
    """An archive that is ready."""

    id: str
    file_id: str
    token: str
    """The secret of its link; it is stored nowhere."""
    size_bytes: int
    tables: tuple[tuple[str, int], ...]
    """Every table with rows of the person, and how many."""
    files: int
    withheld: tuple[Withheld, ...]
    failed: tuple[Failed, ...]
    """What could not be read: where there is anything, the archive is not complete, and says so."""
    link_expires_at_ms: int


@dataclass(frozen=True)
class ExportState:
    """How an archive stands, for the person it is about. Times are UTC milliseconds."""

    id: str
    state: str
    """`building`, `ready`, `failed` or `fetched`."""
    requested_at_ms: int
    size_bytes: int | None
    fetchable_until_ms: int | None
    downloads_left: int
    ready_at_ms: int | None


def _unheard(_export_id: str) -> None:
    """Where nobody waits for the beginning."""


def _silent(_done: int, _total: int | None, _what: str) -> None:
    """Where nobody listens."""


async def export_person(
    lifecycle: Lifecycle,
    person: DataSubject,
    *,
    request_id: str | None = None,
    language: str = "en",
    progress: Progress = _silent,
    actor: str | None = None,
    instance: str | None = None,
    begun: Callable[[str], None] = _unheard,
) -> Export:
    """Makes the archive of everything held about a person. `actor` is who asked, without it the person themselves.

    `begun` is told the archive's id as soon as it is certain that one is made.
    TooManyError when one is being made or was made a moment ago, NotFoundError without such an account, ConflictError
    when the person was erased meanwhile. What fails, or is cancelled, leaves no file behind.
    """
    now_ms = lifecycle.clock.now_ms()
    export_id, file_id = new_id(), new_id()
    occasion = Occasion(
        person,
        now_ms,
        instance or lifecycle.config.http.public_url,
        language if language in LANGUAGES else LANGUAGES[0],
    )
    await lifecycle.db.work(store.begin, person, export_id, file_id, request_id, now_ms)
    try:
        begun(export_id)
        contents = await _make(lifecycle, occasion, file_id, progress)
        size_bytes = await asyncio.to_thread(lifecycle.files.size, file_id)
        token = new_secret()
        made = store.Made(export_id, person, _hash(token), size_bytes, lifecycle.clock.now_ms())
        detail = {"rows": contents.rows, "files": len(contents.files), "failed": len(contents.failed)}
        if not await lifecycle.db.work(store.ready, made, actor or person.user_id or audit.GUEST, detail):
            raise ConflictError("This person's data was erased while the archive was made.")
    except BaseException:
        await _to_the_end(_give_up(lifecycle, export_id, file_id))
        raise
    return Export(
        export_id,
        file_id,
        token,
        size_bytes,
        tuple((part.entry.name, part.rows) for part in contents.parts),
        len(contents.files),
        tuple(contents.withheld()),
        tuple(contents.failed),
        made.at_ms + store.LINK_MS,
    )


async def open_for_download(lifecycle: Lifecycle, token: str, now_ms: int) -> tuple[SealedReader, str, int]:
    """What a link leads to: a reader (to be closed), a file name and the size. It takes one of the downloads.

    NotFoundError for every link that does not work, whyever.
    """
    return await _open(lifecycle, exports.c.token_hash == _hash(token), now_ms)


async def open_own(
    lifecycle: Lifecycle, person: DataSubject, export_id: str, now_ms: int
) -> tuple[SealedReader, str, int]:
    """The same for a person who has proved who they are, and needs no link."""
    return await _open(lifecycle, (exports.c.id == export_id) & store.of_person(person), now_ms)


async def open_for_others(
    lifecycle: Lifecycle, export_id: str, now_ms: int, *, actor: str
) -> tuple[SealedReader, str, int]:
    """The same for somebody who may hand out the archives of others."""
    return await _open(lifecycle, exports.c.id == export_id, now_ms, actor)


async def exports_of(lifecycle: Lifecycle, person: DataSubject) -> list[ExportState]:
    """A person's archives, the newest first."""
    rows = await lifecycle.db.study(store.listed, person)
    return [
        ExportState(
            id=row.id,
            state=row.state,
            requested_at_ms=row.requested_at_ms,
            size_bytes=row.size_bytes,
            fetchable_until_ms=row.link_expires_at_ms,
            downloads_left=row.downloads_left,
            ready_at_ms=row.ready_at_ms,
        )
        for row in rows
    ]


async def discard(lifecycle: Lifecycle, export_id: str) -> None:
    """Destroys an archive with its row; one that is not there is no error."""
    await lifecycle.db.work(store.discard, export_id, lifecycle.clock.now_ms())
    await remove_pending(lifecycle)


async def resume_or_fail(lifecycle: Lifecycle) -> int:
    """Gives up the archives that a crash left half made, and tells how many. For the start of the server only."""
    left = await lifecycle.db.study(store.unfinished)
    for export_id, file_id in left:
        await _give_up(lifecycle, export_id, file_id)
    return len(left)


async def _make(lifecycle: Lifecycle, occasion: Occasion, file_id: str, progress: Progress) -> Contents:
    around = _Around(lifecycle, asyncio.get_running_loop())

    def make() -> Contents:
        with lifecycle.files.create(file_id, occasion.made_at_ms) as sink:
            writer = ArchiveWriter(sink, occasion.made_at_ms)
            builder = Builder(
                writer,
                occasion,
                around,
                lifecycle.files,
                privacy=lifecycle.config.privacy,
                period=lambda name: lifecycle.periods.period_ms(name, occasion.made_at_ms),
                progress=progress,
            )
            try:
                contents = builder.build()
            except BaseException:
                writer.drop()
                raise
            sink.finish()
            return contents

    return await _to_the_end(asyncio.to_thread(make), on_cancel=around.stop)


class _Around:
    """What the builder, in its thread, needs of the event loop."""

    def __init__(self, lifecycle: Lifecycle, loop: asyncio.AbstractEventLoop) -> None:
        self._lifecycle = lifecycle
        self._loop = loop
        self._stopped = threading.Event()

    def study(self, function: Callable[..., T], *arguments: Any) -> T:
        self.breathe()
        return asyncio.run_coroutine_threadsafe(self._lifecycle.db.study(function, *arguments), self._loop).result()

    def breathe(self) -> None:
        if self._lifecycle.lag_s() > LATE_S:
            self._stopped.wait(WAIT_S)
        if self._stopped.is_set():
            raise _NotWantedError

    def now_ms(self) -> int:
        return self._lifecycle.clock.now_ms()

    def stop(self) -> None:
        self._stopped.set()


class _NotWantedError(Exception):
    """The archive was cancelled; it never leaves this file."""


async def _open(
    lifecycle: Lifecycle, which: ColumnElement[bool], now_ms: int, actor: str | None = None
) -> tuple[SealedReader, str, int]:
    fetched = await lifecycle.db.study(store.fetchable, which, now_ms)
    if fetched is None:
        raise _no_such_link()
    try:
        reader = await asyncio.to_thread(lifecycle.files.open, fetched.file_id)
    except NotFoundError:
        raise _no_such_link() from None
    try:
        if not await lifecycle.db.work(
            store.count_down, fetched, now_ms, actor or fetched.person.user_id or audit.GUEST
        ):
            raise _no_such_link()
    except BaseException:
        reader.close()
        raise
    date = datetime.fromtimestamp(fetched.ready_at_ms / 1000, UTC).date().isoformat()
    return reader, f"pymeet-data-{date}.zip", reader.size


def _no_such_link() -> NotFoundError:
    return NotFoundError(
        "This link leads to no archive: it has ended, was used up, or never was.\nAsk for a new archive.",
        code="no_such_export",
    )


async def _give_up(lifecycle: Lifecycle, export_id: str, file_id: str) -> None:
    await lifecycle.db.work(store.fail, export_id, file_id, lifecycle.clock.now_ms())
    await remove_pending(lifecycle)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def _to_the_end(work: Coroutine[Any, Any, T], on_cancel: Callable[[], None] = lambda: None) -> T:
    """Awaits work that must not be left behind running: a cancellation is passed on once it has ended."""
    task = asyncio.create_task(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
            on_cancel()
    if cancelled:
        task.exception()  # looked at: whatever it was, nobody waits for it any more
        raise asyncio.CancelledError
    return task.result()
