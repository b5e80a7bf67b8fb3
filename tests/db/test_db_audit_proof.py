"""The audit log proves itself: whatever is changed behind its back is found and named, and nothing else is."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, insert, select, text

from pymeet.db import audit, audit_proof, audit_reading, migrate
from pymeet.db.audit_checkpoints import Checkpoints, Kind
from pymeet.db.audit_proof import AuditBrokenError, Report
from pymeet.db.audit_walk import SENTENCES, What
from pymeet.db.engine import Database
from pymeet.db.schema import audit_events, audit_people, users
from pymeet.errors import ConflictError, NotFoundError

KEY = bytes(range(32))
DAY_MS = 86_400_000
JANUARY = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MARCH = JANUARY + 59 * DAY_MS
LATER = JANUARY + 400 * DAY_MS


@dataclass
class Log:
    """A log of twelve events, four in each of three months, signed up to its end."""

    db: Database
    path: Path
    checkpoints: Checkpoints

    async def report(self) -> Report:
        return await self.db.study(audit_proof.verify, self.checkpoints)

    async def found(self) -> set[What]:
        return {problem.what for problem in (await self.report()).problems}

    async def first(self) -> tuple[What, int]:
        problem = (await self.report()).problems[0]
        return problem.what, problem.sequence

    async def add(self, at_ms: int, action: str = "room.created", actor: str = audit.OPERATOR) -> None:
        async with self.db.write() as conn:
            await audit.record(conn, at_ms=at_ms, actor=actor, action=action, target="thing", detail={"count": 3})

    async def seal(self) -> None:
        await audit_proof.seal_log(self.db, self.checkpoints, LATER)

    async def drop(self, cutoff_ms: int) -> int:
        gone = 0
        while count := await self.db.work(audit_proof.drop_segments, cutoff_ms, KEY, LATER):
            gone += count
        return gone

    def tamper(self, *statements: str) -> None:
        """What somebody does who has the file, and not the key."""
        with sqlite3.connect(self.path) as outside:
            for statement in statements:
                outside.execute(statement)
        outside.close()

    def recompute(self, start: int) -> None:
        """Makes all hashes from one event on fit each other again, as somebody without the key can."""
        outside = sqlite3.connect(self.path)
        chain = audit.START
        if start > 1:
            chain = outside.execute("SELECT chain FROM audit_events WHERE sequence = ?", (start - 1,)).fetchone()[0]
        rows = outside.execute("SELECT * FROM audit_events WHERE sequence >= ? ORDER BY sequence", (start,)).fetchall()
        sequence = 0
        for sequence, segment, at_ms, actor, action, target, detail, salt, _, _ in rows:
            payload = audit.payload_of(at_ms, segment, actor, action, target, detail)
            leaf = audit.leaf_of(salt, sequence, payload)
            chain = audit.chained(chain, leaf)
            values = (leaf, chain, sequence)
            outside.execute("UPDATE audit_events SET leaf = ?, chain = ? WHERE sequence = ?", values)
        outside.execute("UPDATE audit_head SET sequence = ?, chain = ?", (sequence, chain))
        outside.commit()
        outside.close()


@pytest.fixture
async def log(db: Database, path: Path, tmp_path: Path) -> Log:
    made = Log(db, path, Checkpoints(tmp_path / "ledger" / "audit-checkpoints.jsonl", KEY))
    for month in range(3):
        for number in range(4):
            await made.add(JANUARY + month * 31 * DAY_MS + number)
        await made.seal()
    return made


async def test_an_untouched_log_is_intact(log: Log):
    """A verifier that cries wolf is switched off."""
    report = await log.report()

    assert report.intact
    assert (report.events, report.head, report.sealed, report.dropped, report.redacted) == (12, 12, 12, 0, 0)
    assert report.sealed_since_ms == LATER
    assert len(report.fingerprint) == 64


async def test_an_empty_log_is_intact(db: Database, tmp_path: Path):
    """A new server has done nothing yet."""
    checkpoints = Checkpoints(tmp_path / "c.jsonl", KEY)
    await audit_proof.seal_log(db, checkpoints, LATER)

    report = await db.study(audit_proof.verify, checkpoints)

    assert report.intact
    assert (report.events, report.sealed, report.sealed_since_ms) == (0, 0, None)
    assert not checkpoints.path.exists()


async def test_events_after_the_last_signature_are_no_problem(log: Log):
    """The log is signed every few minutes, and looked at in between."""
    await log.add(MARCH)

    report = await log.report()

    assert report.intact
    assert (report.head, report.sealed) == (13, 12)


@pytest.mark.parametrize(
    "change",
    [
        "segment = '2020-01'",
        "at_ms = at_ms + 1",
        "at_ms = 'yesterday'",
        "at_ms = x'00'",
        "actor = 'system'",
        "actor = NULL",
        "action = 'room.deleted'",
        "action = NULL",
        "target = 'other'",
        "detail = NULL",
        "detail = '{\"count\":4}'",
        "salt = x'00'",
        "salt = NULL",
        "leaf = x'00'",
        "leaf = 'text'",
        "chain = 'text'",
    ],
)
async def test_a_changed_field_is_found(log: Log, change: str):
    """Every column counts, also one that got a value of another type."""
    log.tamper(f"UPDATE audit_events SET {change} WHERE sequence = 6")

    assert await log.first() == (What.CHANGED, 6)


async def test_a_changed_hash_of_the_chain_is_found(log: Log):
    """Also where the event itself is untouched."""
    log.tamper("UPDATE audit_events SET chain = zeroblob(32) WHERE sequence = 6")

    assert await log.first() == (What.UNLINKED, 6)


async def test_two_events_that_changed_places_are_found(log: Log):
    """The order tells what led to what; each hash covers its number."""
    log.tamper(
        "UPDATE audit_events SET sequence = 1000 WHERE sequence = 5",
        "UPDATE audit_events SET sequence = 5 WHERE sequence = 6",
        "UPDATE audit_events SET sequence = 6 WHERE sequence = 1000",
    )

    assert await log.first() == (What.CHANGED, 5)


@pytest.mark.parametrize(
    ("gone", "what", "number"), [("= 6", What.GAP, 6), ("<= 4", What.GAP, 1), ("= 1", What.GAP, 1)]
)
async def test_missing_events_are_found(log: Log, gone: str, what: What, number: int):
    """One from the middle, the oldest one, and a whole month without an anchor."""
    log.tamper(f"DELETE FROM audit_events WHERE sequence {gone}")

    assert await log.first() == (what, number)


async def test_a_tail_that_was_cut_off_is_found(log: Log):
    """First by the head, then by the signature, then by the checkpoints, as more and more of the traces are removed."""
    log.tamper("DELETE FROM audit_events WHERE sequence > 9")
    assert await log.first() == (What.TRUNCATED, 10)

    log.recompute(9)
    assert await log.found() == {What.ROLLED_BACK}

    log.tamper("UPDATE audit_head SET sealed_sequence = 9, sealed_chain = chain")
    assert What.SEAL_FORGED in await log.found()

    log.tamper("UPDATE audit_head SET sealed_sequence = NULL, sealed_chain = NULL, mac = NULL")
    assert await log.found() == {What.SEAL_MISSING, What.ROLLED_BACK}


async def test_a_log_computed_anew_without_the_key_is_found(log: Log):
    """Hashes that fit each other prove nothing; signatures and checkpoints do."""
    log.tamper("UPDATE audit_events SET actor = 'system' WHERE sequence = 6")
    log.recompute(6)
    assert await log.first() == (What.REWRITTEN, 8)  # the first checkpoint at or after the change

    log.checkpoints.path.unlink()
    assert await log.found() == {What.CHECKPOINTS_MISSING, What.REWRITTEN}

    log.tamper("UPDATE audit_head SET sealed_chain = chain")
    assert await log.found() == {What.CHECKPOINTS_MISSING, What.SEAL_FORGED}


@pytest.mark.parametrize("detail", ["no JSON", "[1]", "{}", '{"sequence": [1]}'])
async def test_a_made_up_redaction_is_told_and_not_stumbled_over(log: Log, detail: str):
    """Whoever writes nonsense with right hashes must not keep everybody from checking the log at all."""
    log.tamper(f"UPDATE audit_events SET action = 'audit.redacted', detail = '{detail}' WHERE sequence = 6")
    log.recompute(6)

    assert What.CHANGED in await log.found()


async def test_an_event_added_past_the_head_is_found(log: Log):
    """The head is what the program wrote last."""
    log.tamper(
        "INSERT INTO audit_events SELECT 13, segment, at_ms, actor, action, target, detail, salt, leaf, chain"
        " FROM audit_events WHERE sequence = 12"
    )

    assert What.BEYOND_HEAD in await log.found()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE audit_head SET chain = zeroblob(32)", What.HEAD_CHANGED),
        ("UPDATE audit_head SET sequence = 99", What.TRUNCATED),
        ("UPDATE audit_head SET sequence = 'x'", What.HEAD_MISSING),
        ("UPDATE audit_head SET sequence = 3", What.BEYOND_HEAD),
        ("UPDATE audit_head SET sealed_sequence = 8", What.SEAL_FORGED),
        ("UPDATE audit_head SET sealed_chain = hex(sealed_chain)", What.SEAL_FORGED),
        ("UPDATE audit_head SET mac = zeroblob(32)", What.SEAL_FORGED),
        ("UPDATE audit_head SET mac = 'text'", What.SEAL_FORGED),
        ("UPDATE audit_head SET mac = NULL", What.SEAL_MISSING),
        ("DELETE FROM audit_head", What.HEAD_MISSING),
    ],
)
async def test_a_changed_head_is_found(log: Log, change: str, what: What):
    """The head guards the end of the log, so it must not be a way around it."""
    log.tamper(change)

    assert what in await log.found()


async def test_an_older_copy_of_the_database_is_found(log: Log, path: Path, tmp_path: Path):
    """Everything in it fits; only the checkpoints know that there was more."""
    await log.db.checkpoint()
    shutil.copy(path, tmp_path / "old.db")
    await log.add(MARCH)
    await log.seal()
    await log.db.close()
    shutil.copy(tmp_path / "old.db", path)

    log.db = await Database.open(path)
    try:
        assert await log.first() == (What.ROLLED_BACK, 13)
        for _ in range(3):
            with pytest.raises(AuditBrokenError):
                await log.seal()
            await log.add(MARCH)
        assert await log.first() == (What.REWRITTEN, 13)
    finally:
        await log.db.close()


async def test_a_backup_that_was_put_back_openly_is_no_problem(log: Log, path: Path, tmp_path: Path):
    """What is lost by it is known, signed and in the log; also when several are tried."""
    copies = []
    for number in range(2):
        await log.db.checkpoint()
        copies.append(shutil.copy(path, tmp_path / f"{number}.db"))
        for _ in range(3):
            await log.add(MARCH)
        await log.seal()

    for lost, copy in ((3, copies[1]), (4, copies[0]), (0, copies[1])):  # also back and forth between them
        await log.db.close()
        shutil.copy(copy, path)
        log.db = await Database.open(path)
        assert await audit_proof.note_restore(log.db, log.checkpoints, LATER) == lost
        assert (await log.report()).problems == ()
    assert (await log.report()).restores == 3

    log.tamper("DELETE FROM audit_events WHERE sequence > 10")
    log.recompute(10)
    assert What.ROLLED_BACK in await log.found()
    await log.db.close()


async def test_a_backup_with_a_changed_log_is_not_vouched_for(log: Log):
    """Putting it back openly must not be the way to get a forged log signed."""
    log.checkpoints.path.unlink()
    log.tamper("UPDATE audit_events SET actor = 'system' WHERE sequence = 6")
    log.recompute(6)

    with pytest.raises(AuditBrokenError):
        await audit_proof.note_restore(log.db, log.checkpoints, LATER)

    assert What.REWRITTEN in await log.found()


class TestCheckpoints:
    """The file beside the database."""

    @pytest.mark.parametrize(
        "change",
        [
            lambda lines: [lines[0], lines[2]],
            lambda lines: [lines[0], lines[2], lines[1]],
            lambda lines: [lines[0], lines[1].replace('"sequence": 8', '"sequence": 7'), lines[2]],
            lambda lines: [lines[0], lines[0], lines[1]],
            lambda lines: [lines[0], "{}", lines[2]],
            lambda lines: [lines[0], "\udcff", lines[2]],
            lambda lines: [lines[0], lines[1].replace("sealed", "restored"), lines[2]],
        ],
    )
    async def test_a_changed_file_is_found(self, log: Log, change: Callable[[list[str]], list[str]]):
        """Lines are numbered and signed, so none can be removed from the middle, exchanged or repeated."""
        lines = log.checkpoints.path.read_text().splitlines()
        changed = "".join(f"{line}\n" for line in change(lines))
        log.checkpoints.path.write_bytes(changed.encode(errors="surrogateescape"))

        assert (What.CHECKPOINT_FORGED, 2) in {(each.what, each.sequence) for each in (await log.report()).problems}

    async def test_the_file_of_another_server_is_found(self, log: Log):
        """Its signatures are not ours."""
        other = Checkpoints(log.checkpoints.path, bytes(32))
        log.checkpoints.path.unlink()
        other.append(Kind.SEALED, 12, bytes(32), LATER)

        assert What.CHECKPOINT_FORGED in await log.found()

    async def test_a_line_that_a_power_cut_left_unfinished_is_forgotten(self, log: Log):
        """It was never acknowledged, and the next line must not be glued to it."""
        with log.checkpoints.path.open("ab") as file:
            file.write(b'{"line": 4, "ki')
        assert (await log.report()).intact

        await log.add(MARCH)
        await log.seal()

        assert (await log.report()).intact
        assert len(log.checkpoints.read().checkpoints) == 4

    async def test_only_the_owner_reads_the_file(self, log: Log):
        """It says when the server was used."""
        assert log.checkpoints.path.stat().st_mode & 0o777 == 0o600
        assert log.checkpoints.path.parent.stat().st_mode & 0o777 == 0o700

    async def test_a_copy_kept_elsewhere_proves_more(self, log: Log, tmp_path: Path):
        """Whoever can exchange the database can exchange the file beside it, but not the copy on another machine."""
        await log.add(MARCH)
        await log.seal()
        elsewhere = Checkpoints(Path(shutil.copy(log.checkpoints.path, tmp_path / "copy.jsonl")), KEY)
        lines = log.checkpoints.path.read_text().splitlines(keepends=True)
        log.checkpoints.path.write_text("".join(lines[:2]))
        log.tamper("DELETE FROM audit_events WHERE sequence > 8", "UPDATE audit_head SET mac = NULL")
        log.recompute(8)
        sealed = await log.db.work(_forge_seal_of_an_older_time)
        assert sealed
        assert (await log.report()).intact

        report = await log.db.study(audit_proof.verify, elsewhere)

        assert [problem.what for problem in report.problems] == [What.ROLLED_BACK]


def _forge_seal_of_an_older_time(conn: Connection) -> bool:
    """Puts back the signature that the head had when the log ended at its present end, as an older copy has it."""
    return audit_proof.seal(conn, KEY).complete


async def test_nothing_is_signed_that_does_not_fit(log: Log):
    """Otherwise the next signature would whitewash every change."""
    await log.add(MARCH)
    await log.add(MARCH)
    log.tamper("UPDATE audit_events SET action = 'room.deleted' WHERE sequence = 13")

    with pytest.raises(AuditBrokenError):
        await log.seal()

    assert (await log.report()).sealed == 12


async def test_a_long_log_is_signed_in_pieces(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """After an update from the former log there may be much to sign, while others wait to write."""
    monkeypatch.setattr(audit_proof, "SEAL_EVENTS", 4)
    log = Log(db, db.path, Checkpoints(tmp_path / "c.jsonl", KEY))
    for number in range(10):
        await log.add(JANUARY + number)

    assert not (await db.work(audit_proof.seal, KEY)).complete
    await log.seal()

    report = await log.report()
    assert (report.sealed, report.intact) == (10, True)


class TestMonths:
    """Months are deleted whole, and vouched for."""

    async def test_months_that_are_over_go_and_the_rest_still_verifies(self, log: Log):
        """Finite and provable at once."""
        assert await log.drop(JANUARY + 30 * DAY_MS) == 4

        report = await log.report()
        assert report.intact
        assert (report.events, report.dropped, report.left_over) == (8, 4, 0)

    async def test_a_month_stays_until_its_last_event_is_over(self, log: Log):
        """Whole months, and none of its events before their time."""
        assert await log.drop(JANUARY + 2) == 0
        assert await log.drop(JANUARY + 3) == 4

    async def test_all_months_may_go_and_the_log_goes_on(self, log: Log):
        """A server that nobody used for a year."""
        assert await log.drop(LATER) == 12
        await log.add(LATER)
        await log.seal()

        report = await log.report()
        assert report.intact
        assert (report.events, report.dropped, report.head) == (1, 12, 13)

    async def test_what_is_not_signed_yet_waits(self, log: Log):
        """An anchor vouches for what was checked."""
        await log.add(JANUARY + 120 * DAY_MS)

        assert await log.drop(LATER) == 12
        assert (await log.report()).intact

    async def test_a_month_that_is_half_deleted_is_gone_for_readers(self, log: Log, monkeypatch: pytest.MonkeyPatch):
        """Deleting takes several transactions, and a power cut may come between them."""
        monkeypatch.setattr(audit_proof, "DROP_EVENTS", 3)

        assert await log.db.work(audit_proof.drop_segments, JANUARY + 4, KEY, LATER) == 3

        report = await log.report()
        assert report.intact
        assert (report.dropped, report.left_over) == (3, 1)
        seen = await log.db.study(lambda conn: audit_reading.events(conn, audit_reading.Wanted(), limit=50))
        assert [event.sequence for event in seen] == list(range(12, 4, -1))
        with pytest.raises(NotFoundError):
            await log.db.work(audit_proof.redact, 4, audit.OPERATOR, LATER)
        assert await log.drop(JANUARY + 4) == 1

    async def test_a_clock_set_back_over_the_end_of_a_month_does_no_harm(self, log: Log):
        """Then a month has two parts, with another one between."""
        await log.add(JANUARY + 5)
        await log.add(MARCH + 20 * DAY_MS)
        await log.seal()

        assert await log.drop(JANUARY + 31 * DAY_MS - 1) == 5

        report = await log.report()
        assert report.intact
        assert (report.events, report.dropped) == (9, 5)

    async def test_a_deleted_month_without_anchor_is_found(self, log: Log):
        """The anchor tells a month that was due from one that was made to vanish."""
        await log.drop(JANUARY + 4)
        log.tamper("DELETE FROM audit_anchors")

        assert await log.first() == (What.GAP, 1)

    @pytest.mark.parametrize(
        "change",
        [
            "last_sequence = 5",
            "first_sequence = 2",
            "segment = '2020-01'",
            "chain = zeroblob(32)",
            "chain = hex(chain)",
            "sealed_at_ms = 0",
            "mac = zeroblob(32)",
        ],
    )
    async def test_a_changed_anchor_is_found(self, log: Log, change: str):
        """Otherwise one could be stretched over what should vanish."""
        await log.drop(JANUARY + 4)
        log.tamper(f"UPDATE audit_anchors SET {change}")

        assert What.ANCHOR_FORGED in await log.found()

    async def test_a_made_up_anchor_is_found(self, log: Log):
        """Without the key nobody can make a month disappear in order."""
        log.tamper(
            "INSERT INTO audit_anchors SELECT segment, 5, 8, chain, zeroblob(32), 0 FROM audit_events WHERE sequence = 8",
            "DELETE FROM audit_events WHERE sequence BETWEEN 5 AND 8",
        )

        assert await log.found() == {What.ANCHOR_FORGED, What.GAP}


class TestRedaction:
    """What an event says can be removed for good."""

    async def test_the_chain_holds_without_the_content(self, log: Log):
        """A mistake in the program may have written something that must go; the proof must survive it."""
        await log.db.work(audit_proof.redact, 6, audit.OPERATOR, MARCH)

        report = await log.report()
        assert report.intact
        assert report.redacted == 1
        (event,) = await log.db.study(
            lambda conn: audit_reading.events(conn, audit_reading.Wanted(), limit=1, before=7)
        )
        assert (event.actor, event.action, event.target, event.detail) == (None, None, None, None)

    async def test_content_that_vanished_silently_is_found(self, log: Log):
        """Only an announced redaction is one."""
        log.tamper(
            "UPDATE audit_events SET actor = NULL, action = NULL, target = NULL, detail = NULL, salt = NULL"
            " WHERE sequence = 6"
        )

        assert await log.first() == (What.REDACTED_SILENTLY, 6)

    @pytest.mark.parametrize("change", ["at_ms = at_ms - 1", "segment = '2020-01'"])
    async def test_what_stays_of_a_redacted_event_cannot_be_changed(self, log: Log, change: str):
        """Its hash no longer covers it, but the note of its redaction does."""
        await log.db.work(audit_proof.redact, 6, audit.OPERATOR, MARCH)
        log.tamper(f"UPDATE audit_events SET {change} WHERE sequence = 6")

        assert await log.first() == (What.REDACTED_SILENTLY, 6)

    async def test_it_happens_once_and_not_to_its_own_notes(self, log: Log):
        """A second time would say that there was something left; without its note the first would be silent."""
        await log.db.work(audit_proof.redact, 6, audit.OPERATOR, MARCH)

        for sequence in (6, 13):
            with pytest.raises(ConflictError):
                await log.db.work(audit_proof.redact, sequence, audit.OPERATOR, MARCH)


async def test_an_erased_person_leaves_no_trace_and_no_break(log: Log, path: Path):
    """Erasure cuts the only link from the pseudonym to the person; the log stays what it was."""
    person = {"name": "Ann Canary", "email": "ann.canary@example.org", "is_admin": False}
    async with log.db.write() as conn:
        await conn.execute(insert(users).values(id="ann-id", created_at_ms=1, last_seen_at_ms=1, **person))
        ann = audit.Person("ann-id")
        await audit.record(conn, at_ms=MARCH, actor="ann-id", action="user.signed_in", target=ann)
        await audit.record(conn, at_ms=MARCH, actor=audit.OPERATOR, action="user.disabled", target=ann)
    await log.seal()
    async with log.db.read() as conn:
        (pseudonym,) = (await conn.execute(select(audit_people.c.pseudonym))).scalars()
        about = (await conn.execute(select(audit_events.c.target).where(audit_events.c.sequence > 12))).scalars()
        assert set(about) == {pseudonym}

    async with log.db.write() as conn:
        await conn.execute(delete(users))
    assert await log.db.checkpoint()

    assert (await log.report()).intact
    assert await log.db.study(lambda conn: audit_reading.emails(conn, [pseudonym])) == {}
    content = b"".join(each.read_bytes() for each in (path, log.checkpoints.path))
    assert pseudonym.encode() in content
    for canary in (b"Canary", b"ann.canary", b"ann-id"):
        assert canary not in content


async def test_somebody_without_account_gets_no_lasting_pseudonym(log: Log):
    """What an erased person did as the last thing must not be linked to anything, not even to itself."""
    for _ in range(2):
        await log.add(MARCH, actor="gone-id")

    async with log.db.read() as conn:
        actors = (await conn.execute(select(audit_events.c.actor).where(audit_events.c.sequence > 12))).scalars().all()
        assert (await conn.execute(select(audit_people))).all() == []
    assert len({*actors, "gone-id"}) == 3


async def test_the_former_log_is_taken_into_the_chain(tmp_path: Path):
    """What was recorded before the log was chained must not be lost, and verifies from then on."""
    directory = tmp_path / "old"
    (directory / "versions").mkdir(parents=True)
    shutil.copy(migrate.DIRECTORY / "env.py", directory)
    shutil.copy(next((migrate.DIRECTORY / "versions").glob("v0001_*.py")), directory / "versions")
    old = await Database.open(tmp_path / "pymeet.db", migrations=directory)
    person = {"id": "ann-id", "name": "Ann", "email": "ann@example.org"}
    async with old.write() as conn:
        await conn.execute(
            text(
                "INSERT INTO users (id, name, email, is_admin, created_at_ms, last_seen_at_ms)"
                " VALUES (:id, :name, :email, 0, 1, 1)"
            ),
            person,
        )
        for number, (actor, action, target) in enumerate(
            [
                ("operator", "user.added", "ann-id"),
                ("ann-id", "room.created", "room-id"),
                ("gone-id", "user.signed_in", "gone-id"),
                ("operator", "room.deleted", "room-id"),
            ]
        ):
            await conn.execute(
                text("INSERT INTO audit_log (at_ms, actor, action, target) VALUES (:at_ms, :actor, :action, :target)"),
                {"at_ms": JANUARY + number * 20 * DAY_MS, "actor": actor, "action": action, "target": target},
            )
    await old.close()

    log = Log(await Database.open(tmp_path / "pymeet.db"), tmp_path / "pymeet.db", Checkpoints(tmp_path / "c", KEY))
    try:
        assert (await log.report()).intact
        await log.add(LATER)
        await log.seal()
        assert await log.drop(JANUARY + 25 * DAY_MS) == 2

        report = await log.report()
        assert report.intact
        assert (report.events, report.dropped) == (3, 2)
        seen = await log.db.study(lambda conn: audit_reading.events(conn, audit_reading.Wanted(), limit=9))
        assert [event.action for event in seen] == ["room.created", "room.deleted", "user.signed_in"]
        assert "ann-id" not in json.dumps([[event.actor, event.target] for event in seen])
    finally:
        await log.db.close()


def test_every_problem_has_its_sentence():
    """An operator reads it on a bad day."""
    assert set(SENTENCES) == set(What)


def test_there_is_one_line_of_migrations():
    """The test of the former log above starts from the first of them."""
    config = Config()
    config.set_main_option("script_location", str(migrate.DIRECTORY))
    assert [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()][-1] == "0001"
