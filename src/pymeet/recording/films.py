"""Makes films, one at a time, in child processes; the list of those to make is the table `films`.

Somebody who is taken out of a recording is out of its films first: `withdraw` has ended the process and let the file go
when it returns. A film is a cache, so nothing here is lost that could not be made again.
"""

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from pymeet.db.files import FileNotGoneError
from pymeet.errors import PymeetError
from pymeet.privacy.gone import remove_pending
from pymeet.privacy.parts import Lifecycle
from pymeet.recording import film_store as store
from pymeet.recording.compose.job import Job, text_of_key
from pymeet.recording.film_store import Options, Order

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 60
"""How often it looks for what another process put on the list."""
SILENT_FOR_S: Final = 900
"""A process that says nothing for so long is given up."""

DISK_FULL, FAILED, STALLED = "disk_full", "failed", "stalled"
"""What stands in `films.error`, with `film_store.EMPTY` and `film_store.CRASHED`."""


class Films:
    """The one maker of films of a server. `run()` goes on until it is cancelled."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._wake = asyncio.Event()
        self._choosing = asyncio.Lock()
        """Held while the next film is chosen, so that nobody is withdrawn between the choice and the work."""
        self._work: _Work | None = None
        self._barred: set[str] = set()

    async def request(
        self,
        recording_id: str,
        *,
        layout: str,
        format: str,  # noqa: A002  the word for it everywhere
        height: int,
        with_names: bool,
    ) -> str:
        """Puts a film on the list of those to make; its id.

        NotFoundError, ConflictError `still_recording` and `nothing_to_show`, TooManyError.
        """
        options = Options(layout, format, height, with_names)
        async with self._lifecycle.db.write() as conn:
            film_id = await conn.run_sync(store.request, recording_id, options, self._now_ms())
        self.poke()
        return film_id

    async def cancel(self, film_id: str) -> None:
        """Stops making it; what was made of it is destroyed. NotFoundError, ConflictError `film_not_under_way`."""
        async with self._choosing, self._lifecycle.db.write() as conn:
            await conn.run_sync(store.cancel, film_id, self._now_ms())
        await self._stop(lambda order: order.film_id == film_id)

    async def retry(self, film_id: str) -> None:
        """Tries again what failed or was cancelled. NotFoundError, ConflictError `film_not_failed`."""
        async with self._lifecycle.db.write() as conn:
            await conn.run_sync(store.retry, film_id, self._now_ms())
        self.poke()

    async def withdraw(self, person_ids: Collection[str]) -> None:
        """Ends every film that shows one of these people (ids of `recording_people`), made or being made.

        To be called before their rows go, and `poke` after. Each film is replaced by one to be made, with the same
        options, of the others. As long as this process lives nobody of them gets into a film again.
        """
        people = frozenset(person_ids)
        async with self._choosing:
            self._barred |= people
            async with self._lifecycle.db.write() as conn:
                await conn.run_sync(store.withdraw, people, self._now_ms())
        await self._stop(lambda order: any(person.id in people for person in order.people))
        await remove_pending(self._lifecycle)

    async def restale(self, recording_id: str) -> None:
        """Lets all films of a recording be made anew, with the same options: whom they may show has changed."""
        async with self._choosing, self._lifecycle.db.write() as conn:
            await conn.run_sync(store.restale, recording_id, self._now_ms())
        await self._stop(lambda order: order.recording_id == recording_id)
        await remove_pending(self._lifecycle)
        self.poke()

    def progress(self, film_id: str) -> float | None:
        """How much of it is made, from 0 to 1; None while it waits."""
        if self._work is not None and self._work.order.film_id == film_id:
            return self._work.permille / 1000
        return None

    def poke(self) -> None:
        """Something was put on the list (and committed). From another thread by `loop.call_soon_threadsafe`."""
        self._wake.set()

    async def run(self) -> None:
        """Makes films until cancelled; what it is at then is made after the next start."""
        async with self._lifecycle.db.write() as conn:
            resumed = await conn.run_sync(store.resume, self._now_ms())
        if resumed:
            log.info("films are made again after a restart", films=resumed)
            await remove_pending(self._lifecycle)
        while True:
            self._wake.clear()
            try:
                while await self.make_next():
                    pass
            except Exception:  # whatever it is, films must go on when it is over
                log.exception("no film can be made now; it is tried again in a minute")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()

    async def make_next(self) -> bool:
        """Makes the film that waits longest, or tries to. False when none waits."""
        lifecycle = self._lifecycle
        async with self._choosing:
            async with lifecycle.db.write() as conn:
                now_ms = self._now_ms()
                order = await conn.run_sync(store.next_order, lifecycle.periods, now_ms, frozenset(self._barred))
            if order is None:
                return False
            self._work = work = _Work(order)
        try:
            await self._make(work)
        except asyncio.CancelledError:
            async with lifecycle.db.write() as conn:
                await conn.run_sync(store.give_back, order, self._now_ms())
            raise
        except Exception:
            async with lifecycle.db.write() as conn:
                await conn.run_sync(store.fail, order, FAILED, self._now_ms(), True)
            raise
        finally:
            if not work.made:
                with contextlib.suppress(FileNotGoneError):  # it is on the list of files to remove
                    await asyncio.to_thread(lifecycle.files.destroy, order.file_id)
            self._work = None
            work.over.set()
        return True

    async def _make(self, work: "_Work") -> None:
        order, lifecycle = work.order, self._lifecycle
        job = await asyncio.to_thread(self._job, order)
        outcome: dict[str, Any] = {"error": DISK_FULL} if await self._disk_is_full() else {}
        if not outcome and not work.stopped:
            outcome = await self._run(work, job)
        if work.stopped:
            return
        if done := outcome.get("done"):
            size = await asyncio.to_thread(lifecycle.files.size, order.file_id)
            async with lifecycle.db.write() as conn:
                arguments = (order, done["duration_ms"], size, self._now_ms())
                work.made = await conn.run_sync(store.finish, *arguments)
            return
        error = outcome.get("error", store.CRASHED)
        log.warning("a film was not made", film=order.film_id, error=error, attempt=order.attempt)
        async with lifecycle.db.write() as conn:
            await conn.run_sync(store.fail, order, error, self._now_ms(), error == store.CRASHED)

    def _job(self, order: Order) -> Job:
        """Everything the process needs. Makes the key of the film; tracks without key are left out."""
        lifecycle, options = self._lifecycle, order.options
        keys, tracks = {}, []
        for track in order.tracks:
            with contextlib.suppress(PymeetError):
                keys[track.file_id] = text_of_key(lifecycle.keys.get(track.file_id))
                tracks.append(track)
        keys[order.file_id] = text_of_key(lifecycle.keys.make(order.file_id, self._now_ms()))
        return Job(
            data_dir=str(lifecycle.config.data_dir.absolute()),
            keys=keys,
            file_id=order.file_id,
            style="speaker" if options.layout == "speaker" else "grid",
            format="webm" if options.format == "webm" else "mp4",
            height=options.height,
            with_names=options.with_names,
            people=order.people,
            tracks=tuple(tracks),
            happenings=order.happenings,
            ends_at=order.ends_at,
            now_ms=self._now_ms(),
        )

    async def _run(self, work: "_Work", job: Job) -> dict[str, Any]:
        """What the process said last; nothing when it died."""
        # Keys go through a pipe: arguments and environment can be read by others on the machine.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pymeet.recording.compose",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # a traceback could show names
        )
        assert process.stdin is not None  # noqa: S101  asked for above
        assert process.stdout is not None  # noqa: S101
        work.process = process
        said: dict[str, Any] = {}
        try:
            if work.stopped:
                return {}
            process.stdin.write(job.to_json())
            await process.stdin.drain()
            # Its standard input stays open: the process ends when this one does.
            while True:
                async with asyncio.timeout(SILENT_FOR_S):
                    line = await process.stdout.readline()
                if not line:
                    return said
                said = json.loads(line)
                work.permille = said.get("permille", work.permille)
                if await self._disk_is_full():
                    return {"error": DISK_FULL}
        except TimeoutError:
            return {"error": STALLED}
        except (OSError, ValueError):
            return {}  # it ended in the middle
        finally:
            process.stdin.close()
            work.kill()
            await process.wait()

    async def _disk_is_full(self) -> bool:
        """Recordings under way need what is left. In a thread: a disk that hangs must not stop the meetings."""
        config = self._lifecycle.config
        free = (await asyncio.to_thread(shutil.disk_usage, config.data_dir)).free
        return free < config.recording.min_free_gigabytes * 10**9

    async def _stop(self, concerns: Any) -> None:
        """Ends the work that is under way, if it is that; returns when the process is dead and its file destroyed."""
        work = self._work
        if work is not None and concerns(work.order):
            work.stopped = True
            work.kill()
            await work.over.wait()

    def _now_ms(self) -> int:
        return self._lifecycle.clock.now_ms()


@dataclass
class _Work:
    """A film being made."""

    order: Order
    permille: int = 0
    stopped: bool = False
    made: bool = False
    """Whether its row knows the file."""
    process: asyncio.subprocess.Process | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def kill(self) -> None:
        """Ends the process, if there is one yet."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
