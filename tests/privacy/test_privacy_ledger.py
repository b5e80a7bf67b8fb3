"""The erasure ledger: what it holds, what it survives, and whom it finds again."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert
from tests.support.migrated import prepare

from pymeet.db.engine import Database
from pymeet.db.schema import attendance, erasure_ledger, mail_outbox, messages, rooms, users
from pymeet.privacy.ledger import Ledger, Line, note
from pymeet.privacy.people import guest, member

KEY = b"k" * 32
DAY_MS = 86_400_000


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, KEY)


def line_of(ledger: Ledger, user_id: str = "ann-id-0123456789", at_ms: int = 1_000) -> Line:
    return ledger.line(member(user_id), "ann@example.org", "self", at_ms, "0123456789abcdef")


def test_a_line_comes_back_as_it_was_written(ledger: Ledger) -> None:
    """Otherwise nobody could be found again."""
    ledger.append(line_of(ledger, at_ms=1))
    ledger.append(line_of(ledger, "ben-id-0123456789", at_ms=2))

    assert [line.at_ms for line in ledger.read().lines] == [1, 2]
    assert ledger.read().lines[0] == line_of(ledger, at_ms=1)
    assert ledger.read().damaged == 0


def test_the_file_names_nobody_and_nobody_else_may_read_it(ledger: Ledger) -> None:
    """It outlives the person's data by weeks."""
    ledger.append(line_of(ledger))

    written = ledger.path.read_text()
    assert "ann" not in written
    assert "example.org" not in written
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ledger.path.parent.stat().st_mode) == 0o700


def test_marks_depend_on_the_key_and_on_what_they_stand_for(tmp_path: Path, ledger: Ledger) -> None:
    """Without the key nobody can try addresses; a seat's id must not pass for an account's."""
    other = Ledger(tmp_path, b"o" * 32)

    assert ledger.mark(member("x")) != other.mark(member("x"))
    assert ledger.mark(member("x")) != ledger.mark(guest("x"))
    assert ledger.address_mark(" Ann@Example.org ") == ledger.address_mark("ann@example.org")


def test_a_line_cut_off_by_a_crash_is_passed_over_and_the_next_stands_alone(ledger: Ledger) -> None:
    """The erasure of the torn line had not begun; the ones around it count."""
    ledger.append(line_of(ledger, at_ms=1))
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole + whole[: len(whole) // 2])

    torn = ledger.read()
    ledger.append(line_of(ledger, at_ms=2))

    assert (len(torn.lines), torn.damaged) == (1, 0)
    assert [line.at_ms for line in ledger.read().lines] == [1, 2]
    assert ledger.read().damaged == 0


def test_a_last_line_that_only_lacks_its_end_counts(ledger: Ledger) -> None:
    """All of it reached the disk but the line feed."""
    ledger.append(line_of(ledger, at_ms=1))
    ledger.path.write_bytes(ledger.path.read_bytes().rstrip(b"\n"))

    ledger.append(line_of(ledger, at_ms=2))

    assert [line.at_ms for line in ledger.read().lines] == [1, 2]


@pytest.mark.parametrize("change", ["mark", "at_ms", "mac", "more"])
def test_a_changed_line_is_noticed_and_does_not_count(ledger: Ledger, change: str) -> None:
    """Whoever can write the file must not be able to have somebody erased, or kept."""
    ledger.append(line_of(ledger))
    said = json.loads(ledger.path.read_text())
    said[change] = "0" * 64 if change != "at_ms" else 5
    ledger.path.write_text(json.dumps(said) + "\n")

    assert ledger.read().lines == ()
    assert ledger.read().damaged == 1


def test_pruning_removes_what_is_over_and_leaves_damage_to_be_seen(ledger: Ledger) -> None:
    """The ledger itself must not outlive its purpose."""
    for at_ms in (1 * DAY_MS, 2 * DAY_MS, 3 * DAY_MS):
        ledger.append(line_of(ledger, at_ms=at_ms))
    with ledger.path.open("a") as file:
        file.write("not a line\n")

    removed = ledger.prune(2 * DAY_MS)

    assert removed == 2
    assert [line.at_ms for line in ledger.read().lines] == [3 * DAY_MS]
    assert ledger.read().damaged == 1
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    assert [path.name for path in ledger.path.parent.iterdir()] == ["erasures.jsonl"]


def test_an_absent_ledger_is_empty(ledger: Ledger) -> None:
    """A new server has erased nobody."""
    assert ledger.read().lines == ()
    assert ledger.prune(DAY_MS) == 0


_DIES = """
import os, signal, sys
from pathlib import Path
from pymeet.privacy.ledger import Ledger
from pymeet.privacy.people import member

def die(descriptor):
    os.kill(os.getpid(), signal.SIGKILL)

ledger = Ledger(Path(sys.argv[1]), b"k" * 32)
for number in range(3):
    ledger.append(ledger.line(member(str(number)), None, "self", number, "0" * 16))
setattr(os, sys.argv[2], die if sys.argv[2] == "fsync" else lambda *given: die(0))
ledger.prune(1)
"""


@pytest.mark.parametrize("point", ["fsync", "replace"])
def test_a_crash_while_pruning_loses_no_line_that_counts(ledger: Ledger, tmp_path: Path, point: str) -> None:
    """At every moment one whole file is there."""
    done = subprocess.run([sys.executable, "-c", _DIES, str(tmp_path), point], timeout=60, check=False)

    assert done.returncode == -signal.SIGKILL
    assert 2 in [line.at_ms for line in ledger.read().lines]
    assert ledger.prune(1) in (0, 2)
    assert [line.at_ms for line in ledger.read().lines] == [2]


async def test_whoever_was_erased_is_found_in_a_restored_database(tmp_path: Path, ledger: Ledger) -> None:
    """By account, by seat, and by the address in a mail; nobody else is."""
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    ledger.append(line_of(ledger, "ann-id", at_ms=5_000))
    ledger.append(ledger.line(guest("seat-1"), None, "guest", 5_000, "0" * 16))
    async with db.write() as conn:
        for user_id, email in (("ann-id", "ann@example.org"), ("ben-id", "ben@example.org")):
            await conn.execute(insert(users).values(_user(user_id, email)))
        await conn.execute(insert(rooms).values(id="room", slug="room", name="Room", created_at_ms=1))
        for seat in ("seat-1", "seat-2"):
            await conn.execute(insert(attendance).values(_seat(seat)))
        await conn.execute(insert(messages).values(_message("seat-1")))
        for mail_id, at_ms in (("before", 4_999), ("after", 5_001)):
            await conn.execute(insert(mail_outbox).values(_mail(mail_id, at_ms)))

    returned = await db.study(lambda conn: ledger.returned(conn, ledger.erased(conn)))

    assert set(returned.people) == {member("ann-id"), guest("seat-1")}
    assert returned.addresses == ("ann@example.org",)
    await db.close()


async def test_an_account_made_after_the_erasure_with_the_same_address_is_a_new_beginning(
    tmp_path: Path, ledger: Ledger
) -> None:
    """Who comes back of their own will must not be erased again by a restore."""
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    ledger.append(line_of(ledger, "ann-id", at_ms=5_000))
    async with db.write() as conn:
        await conn.execute(insert(users).values({**_user("ann-again", "ann@example.org"), "created_at_ms": 6_000}))

    returned = await db.study(lambda conn: ledger.returned(conn, ledger.erased(conn)))

    assert returned == type(returned)((), ())
    await db.close()


async def test_the_table_counts_where_the_file_was_lost(tmp_path: Path, ledger: Ledger) -> None:
    """Either of the two is enough."""
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    async with db.write() as conn:
        await conn.run_sync(note, line_of(ledger, "ann-id"))
        await conn.execute(insert(users).values(_user("ann-id", "ann@example.org")))
        rows = (await conn.execute(erasure_ledger.select())).all()

    returned = await db.study(lambda conn: ledger.returned(conn, ledger.erased(conn)))

    assert returned.people == (member("ann-id"),)
    assert len(rows) == 2
    await db.close()


async def test_somebody_who_was_erased_twice_is_one_person(tmp_path: Path, ledger: Ledger) -> None:
    """A restore erases people again; whoever reads the number wants to know how many people, not how often."""
    again, ben = line_of(ledger, at_ms=2_000), line_of(ledger, "ben-id-0123456789", at_ms=3_000)
    for line in (line_of(ledger), again):
        ledger.append(line)
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    try:
        for line in (line_of(ledger), again, ben):
            await db.work(note, line)
        erased = await db.study(ledger.erased)
    finally:
        await db.close()

    assert erased.count == 2


def test_two_processes_append_without_losing_a_line(tmp_path: Path, ledger: Ledger) -> None:
    """A command and the server may erase at the same time."""
    writes = (
        "import sys; from pathlib import Path; from pymeet.privacy.ledger import Ledger\n"
        "from pymeet.privacy.people import member\n"
        "ledger = Ledger(Path(sys.argv[1]), b'k' * 32)\n"
        "for number in range(50): ledger.append(ledger.line(member(str(number)), None, 'self', number + 10, '0' * 16))\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", writes, str(tmp_path)], env={**os.environ}) for _ in range(2)]
    while any(process.poll() is None for process in both):
        ledger.prune(1)

    assert [process.wait(60) for process in both] == [0, 0]
    assert len(ledger.read().lines) == 100
    assert ledger.read().damaged == 0


def _user(user_id: str, email: str) -> dict[str, object]:
    return {"id": user_id, "name": "X", "email": email, "is_admin": False, "created_at_ms": 1, "last_seen_at_ms": 1}


def _seat(participant_id: str) -> dict[str, object]:
    return {"participant_id": participant_id, "room_id": "room", "name": "X", "kind": "browser", "joined_at_ms": 1}


def _message(participant_id: str) -> dict[str, object]:
    same = {"id": "message", "room_id": "room", "name": "X", "text": "hello", "at_ms": 1}
    return {**same, "participant_id": participant_id}


def _mail(mail_id: str, at_ms: int) -> dict[str, object]:
    same = {"to_address": "ann@example.org", "template": "test", "language": "en", "template_values": "{}"}
    return {"id": mail_id, **same, "created_at_ms": at_ms, "next_at_ms": at_ms}
