"""Reading the audit log, and an export that outsiders verify with what the documentation tells them."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from pymeet.db import audit, audit_proof, audit_reading
from pymeet.db.audit_reading import Wanted
from pymeet.db.engine import Database
from pymeet.db.schema import users

KEY = bytes(range(32))
DAY_MS = 86_400_000
JANUARY = 1_767_225_600_000  # 2026-01-01T00:00:00Z
RECIPE = Path(__file__).parents[2] / "docs" / "dpo.md"


@pytest.fixture
async def log(db: Database) -> Database:
    """Two people and an operator, who did something every ten days."""
    async with db.write() as conn:
        for name in ("ann", "ben"):
            person = {"id": f"{name}-id", "name": name, "email": f"{name}@example.org", "is_admin": False}
            await conn.execute(insert(users).values(created_at_ms=1, last_seen_at_ms=1, **person))
        for number in range(9):
            actor = ("ann-id", "ben-id", audit.OPERATOR)[number % 3]
            action = ("user.signed_in", "user.sign_in_failed", "room.created")[number % 3]
            await audit.record(
                conn,
                at_ms=JANUARY + number * 10 * DAY_MS,
                actor=actor,
                action=action,
                target=audit.Person("ann-id") if number % 3 == 1 else "room-id",
                detail={"count": number},
            )
    await db.work(audit_proof.seal, KEY)
    return db


async def numbers(db: Database, limit: int = 50, before: int | None = None, **wanted: object) -> list[int]:
    def ask(conn: Connection) -> list[audit_reading.Event]:
        return audit_reading.events(conn, Wanted(**wanted), limit=limit, before=before)  # type: ignore[arg-type]

    return [event.sequence for event in await db.study(ask)]


async def name_of(db: Database, user_id: str) -> str:
    found = await db.study(lambda conn: audit_reading.pseudonym(conn, user_id=user_id))
    assert found is not None
    return found


async def test_the_newest_come_first_a_page_at_a_time(log: Database):
    """Who looks into the log asks what happened last."""
    assert await numbers(log, limit=4) == [9, 8, 7, 6]
    assert await numbers(log, limit=4, before=6) == [5, 4, 3, 2]


async def test_events_are_found_by_time_person_and_deed(log: Database):
    """A question to the log is: who did what to whom, and when."""
    ann = await name_of(log, "ann-id")

    assert await numbers(log, since_ms=JANUARY + 10 * DAY_MS, until_ms=JANUARY + 30 * DAY_MS) == [3, 2]
    assert await numbers(log, actor=ann) == [7, 4, 1]
    assert await numbers(log, actor=audit.OPERATOR) == [9, 6, 3]
    assert await numbers(log, target=ann) == [8, 5, 2]
    assert await numbers(log, action="room.created") == [9, 6, 3]
    assert await numbers(log, action="user") == [8, 7, 5, 4, 2, 1]
    assert await numbers(log, action="use") == []


async def test_names_are_known_for_those_who_have_an_account(log: Database):
    """A pseudonym leads to the person only while both exist."""
    ann = await name_of(log, "ann-id")

    found = await log.study(lambda conn: audit_reading.emails(conn, [ann, "operator", None, "made-up"]))

    assert found == {ann: "ann@example.org"}
    assert await log.study(lambda conn: audit_reading.pseudonym(conn, email="ann@example.org")) == ann
    assert await log.study(lambda conn: audit_reading.pseudonym(conn, email="nobody@example.org")) is None


async def test_deeds_are_summed_by_actor(log: Database):
    """After a breach: who looked at what, how often, and how many sign-ins failed."""
    found = await log.study(audit_reading.tallies, JANUARY, JANUARY + 30 * DAY_MS)

    by_action = {each.action: each for each in found}
    assert {each.events for each in found} == {1}
    assert by_action["user.sign_in_failed"].count == 1
    assert by_action["user.signed_in"].actor == await name_of(log, "ann-id")


def recipe() -> str:
    """The program that the documentation shows."""
    section = RECIPE.read_text().partition("## Verifying the audit log")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


def verified(lines: list[str], tmp_path: Path) -> tuple[int, str]:
    """What the program of the documentation says about an export."""
    program, exported = tmp_path / "verify.py", tmp_path / "audit.jsonl"
    program.write_text(recipe())
    exported.write_text("".join(f"{line}\n" for line in lines))
    done = subprocess.run([sys.executable, program, exported], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


async def exported(db: Database, since_ms: int | None = None, until_ms: int | None = None) -> list[str]:
    return await db.study(lambda conn: list(audit_reading.export(conn, since_ms, until_ms)))


async def fingerprint(db: Database) -> str:
    found = await db.study(audit_proof.chain_at, 9)
    assert found is not None
    return found.hex()


async def test_an_outsider_verifies_an_export_with_the_documented_recipe(log: Database, tmp_path: Path):
    """A proof that needs the program of the one who is to prove something proves little."""
    code, said = verified(await exported(log), tmp_path)

    assert code == 0
    assert said == f"Intact up to event 9, fingerprint {await fingerprint(log)}\n"


async def test_an_export_after_deletion_and_redaction_verifies(log: Database, tmp_path: Path):
    """Both are part of an ordinary life."""
    await log.work(audit_proof.redact, 6, audit.OPERATOR, JANUARY + 81 * DAY_MS)
    while await log.work(audit_proof.drop_segments, JANUARY + 30 * DAY_MS, KEY, JANUARY):
        pass

    lines = await exported(log)

    assert [json.loads(line)["kind"] for line in lines[:2]] == ["start", "anchor"]
    code, said = verified(lines, tmp_path)
    assert (code, said[:24]) == (0, "Intact up to event 10, f"), said


async def test_a_part_of_the_log_verifies(log: Database, tmp_path: Path):
    """An auditor may only be shown one quarter."""
    lines = await exported(log, JANUARY + 15 * DAY_MS, JANUARY + 45 * DAY_MS)

    shown = [json.loads(line) for line in lines]
    assert [line["sequence"] for line in shown] == [2, 3, 4, 5, 5]
    assert (verified(lines, tmp_path))[1].startswith("Intact up to event 5")


@pytest.mark.parametrize(("since", "until"), [(500, None), (None, -500), (41, 49)])
async def test_an_export_of_nothing_is_empty_and_fits(
    log: Database, tmp_path: Path, since: int | None, until: int | None
):
    """Nothing happened in that time."""
    times = [None if days is None else JANUARY + days * DAY_MS for days in (since, until)]

    lines = await exported(log, *times)

    assert [json.loads(line)["kind"] for line in lines] == ["start", "end"]
    assert (verified(lines, tmp_path))[0] == 0


async def test_pages_of_an_export_fit_together(log: Database, tmp_path: Path):
    """A long log is handed over in pieces, while the server goes on writing."""
    lines: list[str] = []
    after = None
    while True:

        def page(conn: Connection, after: int | None = after) -> audit_reading.ExportPage:
            return audit_reading.export_page(conn, since_ms=None, until_ms=None, after=after, limit=4)

        made = await log.study(page)
        lines += made.lines
        if made.next_after is None:
            break
        after = made.next_after

    assert lines == await exported(log)
    assert (verified(lines, tmp_path))[0] == 0


def _changed(number: int, **values: object) -> Callable[[list[str]], list[str]]:
    def change(lines: list[str]) -> list[str]:
        lines[number] = json.dumps({**json.loads(lines[number]), **values})
        return lines

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_changed(3, payload="[]"), "Event 3 was changed."),
        (_changed(3, salt="00"), "Event 3 was changed."),
        (_changed(3, leaf="00" * 32), "Event 3 was changed."),
        (_changed(3, chain="00" * 32), "Event 3 does not follow"),
        (_changed(3, sequence=4), "Event 3 does not follow"),
        (lambda lines: lines[:3] + lines[4:], "Event 3 was changed."),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], "Event 3 was changed."),
        (lambda lines: lines[:8] + lines[9:], "Event 8 was changed."),
        (lambda lines: lines[:9] + lines[10:], "The end does not fit."),
    ],
)
async def test_the_documented_recipe_finds_changes(
    log: Database, tmp_path: Path, change: Callable[[list[str]], list[str]], said: str
):
    """A recipe that always says yes would be worse than none."""
    code, found = verified(change(await exported(log)), tmp_path)

    assert code == 1
    assert said in found
