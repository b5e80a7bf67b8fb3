"""How an archive comes into being and goes: limits, links that end, crashes, and nothing left behind."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update
from tests.support.canaries import fill
from tests.support.exports import content_of, opened, taken_apart

from pymeet.clock import ManualClock
from pymeet.db.schema import audit_events, exports, messages, pending_gone, users
from pymeet.errors import ConflictError, NotFoundError, TooManyError
from pymeet.ids import new_id
from pymeet.privacy.export import (
    discard,
    export_person,
    exports_of,
    open_for_download,
    open_own,
    resume_or_fail,
)
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, guest, member

HOUR_S = 3600


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def lifecycle(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Lifecycle]:
    async with opened(tmp_path / "data", clock) as made:
        yield made


@pytest.fixture
async def person(lifecycle: Lifecycle) -> DataSubject:
    made = member(new_id())
    await lifecycle.db.work(fill, made, "a")
    await lifecycle.db.work(lambda conn: conn.execute(delete(exports)))
    return made


async def _rows(lifecycle: Lifecycle) -> list[Any]:
    return await lifecycle.db.study(lambda conn: list(conn.execute(select(exports))))


async def _actions(lifecycle: Lifecycle) -> list[tuple[str, str, str]]:
    query = select(audit_events.c.action, audit_events.c.actor, audit_events.c.detail)
    return [tuple(row) for row in await lifecycle.db.study(lambda conn: list(conn.execute(query)))][1:]


def _files(lifecycle: Lifecycle) -> list[Path]:
    return [path for path in (lifecycle.config.data_dir / "files").rglob("*") if path.is_file()]


async def test_an_archive_is_sealed_its_link_is_not_stored_and_it_stands_in_the_log(
    lifecycle: Lifecycle, person: DataSubject
) -> None:
    """Whoever copies the disk must get neither the archive nor a way to fetch it."""
    export = await export_person(lifecycle, person)

    (row,) = await _rows(lifecycle)
    assert (row.id, row.state, row.downloads_left, row.size_bytes) == (export.id, "ready", 5, export.size_bytes)
    assert export.link_expires_at_ms == lifecycle.clock.now_ms() + 72 * HOUR_S * 1000
    (file,) = _files(lifecycle)
    assert b"manifest.json" not in file.read_bytes()
    await lifecycle.db.checkpoint()
    assert export.token.encode() not in lifecycle.config.database_path.read_bytes()
    ((action, actor, detail),) = await _actions(lifecycle)
    assert action == "data.exported"
    assert actor == next(row["pseudonym"] for row in taken_apart(content_of(lifecycle, export)).rows("audit_people"))
    assert f'"rows":{sum(count for _, count in export.tables)}' in detail


async def test_a_link_works_five_times_and_every_time_is_logged(lifecycle: Lifecycle, person: DataSubject) -> None:
    """A link that was forwarded by mistake must not work for ever."""
    export = await export_person(lifecycle, person)
    now_ms = lifecycle.clock.now_ms()

    for _ in range(5):
        reader, name, size = await open_for_download(lifecycle, export.token, now_ms)
        with reader:
            assert taken_apart(reader.read()).manifest["subject"]["id"] == person.id
        assert size == export.size_bytes
        assert name == "pymeet-data-2023-11-14.zip"
    with pytest.raises(NotFoundError):
        await open_for_download(lifecycle, export.token, now_ms)

    assert [action for action, _, _ in await _actions(lifecycle)] == ["data.exported", *["export.fetched"] * 5]
    (state,) = await exports_of(lifecycle, person)
    assert (state.state, state.downloads_left) == ("fetched", 0)


async def test_an_ended_an_unknown_and_a_destroyed_link_say_the_same(
    lifecycle: Lifecycle, clock: ManualClock, person: DataSubject
) -> None:
    """A difference would tell strangers which links once were."""
    export = await export_person(lifecycle, person)
    said = []

    for token, at_ms in (
        ("A" * 43, clock.now_ms()),
        ("", clock.now_ms()),
        (export.token, export.link_expires_at_ms),
    ):
        with pytest.raises(NotFoundError) as error:
            await open_for_download(lifecycle, token, at_ms)
        said.append((error.value.code, error.value.message))
    lifecycle.files.destroy(export.file_id)
    with pytest.raises(NotFoundError) as error:
        await open_for_download(lifecycle, export.token, clock.now_ms())
    said.append((error.value.code, error.value.message))

    assert len(set(said)) == 1


async def test_the_person_needs_no_link_and_nobody_else_can_do_without(
    lifecycle: Lifecycle, person: DataSubject
) -> None:
    """Who is signed in fetches it from the page, also where no mail is sent."""
    export = await export_person(lifecycle, person)
    now_ms = lifecycle.clock.now_ms()

    reader, _, _ = await open_own(lifecycle, person, export.id, now_ms)
    reader.close()
    for other in (member(new_id()), guest(person.id)):
        with pytest.raises(NotFoundError):
            await open_own(lifecycle, other, export.id, now_ms)


async def test_one_at_a_time_for_a_person_two_on_a_server_and_a_pause_between(
    lifecycle: Lifecycle, clock: ManualClock, person: DataSubject
) -> None:
    """Making archives is the most work that anybody can ask of the server."""

    def building(conn: Connection, seat: str) -> None:
        conn.execute(
            insert(exports).values(
                id=new_id(),
                participant_id=seat,
                state="building",
                file_id=new_id(),
                downloads_left=0,
                requested_at_ms=clock.now_ms(),
            )
        )

    await lifecycle.db.work(building, "one")
    with pytest.raises(TooManyError, match="being made already"):
        await export_person(lifecycle, guest("one"))
    await lifecycle.db.work(building, "two")
    with pytest.raises(TooManyError, match="as many archives as it can"):
        await export_person(lifecycle, person)
    await lifecycle.db.work(lambda conn: conn.execute(delete(exports)))

    await export_person(lifecycle, person)
    clock.advance(61)
    with pytest.raises(TooManyError, match="Try again in 9 minutes") as error:
        await export_person(lifecycle, person)
    assert error.value.details == {"retry_after_s": 539}
    clock.advance(539)
    await export_person(lifecycle, person)


async def test_what_a_crash_left_is_given_up_at_the_next_start(tmp_path: Path, clock: ManualClock) -> None:
    """Half an archive must neither stay on the disk nor block the next one for ever."""
    seat, file_id, export_id = new_id(), new_id(), new_id()
    async with opened(tmp_path / "data", clock) as lifecycle:
        sink = lifecycle.files.create(file_id, clock.now_ms())
        sink.write(b"x" * 200_000)
        sink._file.close()  # the process died here

        def crash(conn: Connection) -> None:
            conn.execute(
                insert(exports).values(
                    id=export_id,
                    participant_id=seat,
                    state="building",
                    file_id=file_id,
                    downloads_left=0,
                    requested_at_ms=clock.now_ms(),
                )
            )

        await lifecycle.db.work(crash)

    async with opened(tmp_path / "data", clock) as lifecycle:
        assert await resume_or_fail(lifecycle) == 1
        assert await resume_or_fail(lifecycle) == 0

        (row,) = await _rows(lifecycle)
        assert (row.state, row.file_id) == ("failed", None)
        assert _files(lifecycle) == []
        assert list(lifecycle.keys.ids()) == []
        assert await lifecycle.db.study(lambda conn: conn.execute(select(pending_gone)).all()) == []
        await export_person(lifecycle, guest(seat))


async def test_a_cancelled_archive_leaves_nothing(lifecycle: Lifecycle, person: DataSubject) -> None:
    """The administrator pressed Ctrl-C; the server goes on for months."""
    reached, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def progress(_done: int, _total: int | None, _what: str) -> None:
        loop.call_soon_threadsafe(reached.set)
        go_on.wait()

    work = asyncio.create_task(export_person(lifecycle, person, progress=progress))
    await reached.wait()
    work.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await work

    (row,) = await _rows(lifecycle)
    assert (row.state, row.file_id) == ("failed", None)
    assert _files(lifecycle) == []
    await export_person(lifecycle, person)


async def test_a_full_disk_fails_it_and_leaves_nothing(lifecycle: Lifecycle, person: DataSubject) -> None:
    """It must come out as the error it is, and give the room back that it took."""

    def progress(_done: int, _total: int | None, _what: str) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        await export_person(lifecycle, person, progress=progress)

    (row,) = await _rows(lifecycle)
    assert row.state == "failed"
    assert _files(lifecycle) == []


async def test_a_person_erased_meanwhile_gets_no_archive(lifecycle: Lifecycle, person: DataSubject) -> None:
    """Otherwise an archive would outlive everything else about them."""

    def erase(_done: int, _total: int | None, _what: str) -> None:
        with sqlite3.connect(lifecycle.config.database_path) as other:
            other.execute("PRAGMA foreign_keys=1")
            other.execute("DELETE FROM users WHERE id = ?", (person.id,))
        other.close()

    with pytest.raises(ConflictError):
        await export_person(lifecycle, person, progress=erase)

    assert await _rows(lifecycle) == []
    assert _files(lifecycle) == []


async def test_discarding_destroys_file_key_and_row(lifecycle: Lifecycle, person: DataSubject) -> None:
    """Once it is where the administrator wanted it, the server's copy is of no use to anybody good."""
    export = await export_person(lifecycle, person)

    await discard(lifecycle, export.id)
    await discard(lifecycle, export.id)

    assert await _rows(lifecycle) == []
    assert _files(lifecycle) == []
    assert list(lifecycle.keys.ids()) == []
    assert await lifecycle.db.study(lambda conn: conn.execute(select(pending_gone)).all()) == []


async def test_nobody_without_an_account_is_exported_as_a_member(lifecycle: Lifecycle) -> None:
    """A slip of the pen must not make an archive of nobody."""
    with pytest.raises(NotFoundError):
        await export_person(lifecycle, member("nobody"))
    assert await _rows(lifecycle) == []


async def test_a_guests_archive_puts_no_id_of_theirs_into_the_log(lifecycle: Lifecycle) -> None:
    """The log stays when the guest's data goes; it must not keep the one id that leads to them."""
    seat = new_id()
    await lifecycle.db.work(fill, guest(seat), "g")

    export = await export_person(lifecycle, guest(seat))

    def values(conn: Connection) -> list[Any]:
        return [value for row in conn.execute(select(audit_events)) for value in row]

    found = await lifecycle.db.study(values)
    assert seat not in found
    assert export.id in found


async def test_the_event_loop_stays_free_and_writers_go_on(lifecycle: Lifecycle, person: DataSubject) -> None:
    """An archive is made while people meet."""

    def write(conn: Connection) -> None:
        like = dict(conn.execute(select(messages)).mappings().one())
        del like["sequence"]
        conn.execute(insert(messages), [{**like, "id": new_id(), "text": "x" * 500} for _ in range(5000)])

    await lifecycle.db.work(write)
    turns = writes = 0
    work = asyncio.create_task(export_person(lifecycle, person))
    while not work.done():
        turns += 1
        if turns % 50 == 0:
            await lifecycle.db.work(lambda conn: conn.execute(update(users).values(name=users.c.name)))
            writes += 1
        await asyncio.sleep(0)

    assert dict((await work).tables)["messages"] == 5001
    assert writes > 3
