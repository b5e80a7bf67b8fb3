"""Finding, correcting, erasing and verifying as an administrator meets them, with the server running and without."""

import asyncio
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from tests.support.erasing import Canary, fill, found_in, new_guest, new_member
from tests.support.management import serving

from pymeet.cli import main
from pymeet.config import load
from pymeet.db import audit
from pymeet.db.schema import attendance, messages, users
from pymeet.ops.services import Services, open_services
from pymeet.privacy import holds, receipts
from pymeet.privacy.ledger import Ledger

CONFIG = """\
data_dir: {directory}/data
http: {{host: 127.0.0.1, port: 18777, tls: {{mode: 'off'}}}}
media: {{port: 18778, addresses: ['127.0.0.1']}}
"""


@dataclass
class Result:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "data").mkdir(mode=0o700)
    path = tmp_path / "bench.yaml"
    path.write_text(CONFIG.format(directory=tmp_path))
    return str(path)


@pytest.fixture
def pair(config: str) -> tuple[Canary, Canary]:
    """Two members, before any server starts."""
    both = new_member(), new_member()

    async def fill_in(services: Services) -> None:
        for each in both:
            await fill(services, each)
        assert await services.db.checkpoint()

    _with_services(config, fill_in)
    return both


@pytest.fixture(params=["server runs", "no server"])
def pymeet(
    request: pytest.FixtureRequest,
    config: str,
    pair: tuple[Canary, Canary],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """Runs a command, as a script would. The same test twice: through the socket, and in this process."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PYMEET_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str, typed: str = "") -> Result:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["pymeet", *arguments, "-c", config])
            patch.setattr(sys, "stdin", io.StringIO(typed))
            try:
                main()
            except SystemExit as ended:
                code = ended.code
        printed = capsys.readouterr()
        return Result(int(code or 0), printed.out, printed.err)

    if request.param == "no server":
        yield run
        return
    started, stop = Event(), Event()
    server = Thread(target=lambda: asyncio.run(_serve(config, started, stop)))
    server.start()
    assert started.wait(30)
    yield run
    stop.set()
    server.join(30)


async def _serve(config: str, started: Event, stop: Event) -> None:
    async with serving(load(Path(config), {})):
        started.set()
        await asyncio.to_thread(stop.wait)


def _with_services(config: str, do: Callable[[Services], Any]) -> Any:
    async def run() -> Any:
        async with open_services(load(Path(config), {})) as services:
            return await do(services)

    return asyncio.run(run())


def test_erasing_now_shows_the_plan_asks_for_yes_and_hands_out_a_receipt(
    pymeet: Run, pair: tuple[Canary, Canary], tmp_path: Path
) -> None:
    """What cannot be taken back is never done by a slip; afterwards the proof is on the screen."""
    ann, ben = pair
    assert ann.email is not None
    before = found_in(tmp_path / "data", ann.tokens)

    planned = pymeet("erase-user", ann.email, "--now", "--dry-run")
    unsure = pymeet("erase-user", ann.email, "--now")
    still = found_in(tmp_path / "data", ann.tokens)
    erased = pymeet("erase-user", ann.email, "--now", "--yes")
    again = pymeet("erase-user", ann.email, "--now", "--yes")

    assert planned.returncode == 0
    assert "messages" in planned.stdout
    assert "1 room loses its owner." in planned.stderr
    assert "Kept in audit_events" in planned.stderr
    assert unsure.returncode == 6
    assert "--yes" in unsure.stderr
    assert set(still) == set(before)
    assert erased.returncode == 0, erased.stderr
    assert erased.stdout.startswith("Erased.\nReceipt: ")
    assert "nothing found" in erased.stderr
    assert "Older backups may hold a copy until" in erased.stderr
    assert again.returncode == 4
    assert found_in(tmp_path / "data", {"name": ann.tokens["users.name"], "mail": ann.email}) == {}
    assert found_in(tmp_path / "data", {"name": ben.tokens["users.name"]}) != {}


def test_a_receipt_can_be_kept_by_programs(pymeet: Run, pair: tuple[Canary, Canary]) -> None:
    """Plan, counts and the result of the search, as JSON."""
    done = json.loads(pymeet("erase-user", pair[0].person.id, "--now", "--yes", "--json").stdout)

    receipt = done["receipt"]
    assert receipt["state"] == "done"
    assert receipt["complete"]
    assert receipt["search"] == "clean"
    assert receipt["findings"]["texts"] > 10
    assert receipt["deleted"]["messages"] == 3
    assert receipt["files"] == 4  # an archive, a track, a film and a picture
    assert done["plan"]["rooms_without_owner"] == 1


def test_without_now_the_person_is_hidden_and_it_can_be_taken_back(pymeet: Run, pair: tuple[Canary, Canary]) -> None:
    """Two weeks to think better of it."""
    ann, _ = pair
    assert ann.email is not None

    asked = pymeet("erase-user", ann.email, "--yes")
    planned = json.loads(pymeet("erase-user", ann.email, "--dry-run", "--json").stdout)
    cancelled = pymeet("erase-user", ann.email, "--cancel")
    twice = pymeet("erase-user", ann.email, "--cancel")

    assert asked.returncode == 0
    assert asked.stdout.startswith("Hidden and signed out. The erasure begins on ")
    assert planned["state"] == "restricted"
    assert cancelled.returncode == 0
    assert "can be seen again" in cancelled.stdout
    assert twice.returncode == 1
    assert "No erasure is planned" in twice.stderr


def test_a_hold_ends_the_command_with_partly(pymeet: Run, pair: tuple[Canary, Canary], config: str) -> None:
    """A script must notice that not everything is gone."""
    ann, _ = pair

    async def hold(services: Services) -> None:
        def place(conn: Any) -> None:
            now_ms = services.clock.now_ms()
            where = messages.c.user_id == ann.person.id
            room_id = conn.execute(select(messages.c.room_id).where(where).limit(1)).scalar_one()
            holds.place(
                conn,
                reason="legal_claim",
                review_at_ms=now_ms + 1,
                now_ms=now_ms,
                actor=audit.OPERATOR,
                room_id=room_id,
            )

        await services.db.work(place)

    _with_services(config, hold)
    planned = pymeet("erase-user", ann.person.id, "--now", "--dry-run")

    done = pymeet("erase-user", ann.person.id, "--now", "--yes")

    assert "must wait for a legal hold" in planned.stderr
    assert done.returncode == 5
    assert done.stdout.startswith("Erased in part: a legal hold keeps ")


def test_the_last_administrator_is_refused_with_a_remedy(pymeet: Run, pair: tuple[Canary, Canary], config: str) -> None:
    """Otherwise nobody could administer the server."""
    ann, ben = pair

    async def promote(services: Services) -> None:
        async with services.db.write() as conn:
            await conn.execute(update(users).where(users.c.id == ann.person.id).values(is_admin=True))

    _with_services(config, promote)
    refused = pymeet("erase-user", ann.person.id, "--now", "--yes")
    other = pymeet("erase-user", ben.person.id, "--now", "--yes")

    assert refused.returncode == 1
    assert "last administrator" in refused.stderr
    assert "pymeet user add" in refused.stderr
    assert other.returncode == 0


def test_a_guest_is_erased_by_their_receipt(pymeet: Run, config: str, tmp_path: Path) -> None:
    """Who has no account has the same right. The receipt grants something, so it need not stand on the command line."""
    cat = new_guest()

    async def issue(services: Services) -> str:
        await fill(services, cat)
        assert await services.db.checkpoint()
        return receipts.issue(services.keys.purpose_key(receipts.PURPOSE), cat.person.id, "room", 1)

    receipt = _with_services(config, issue)

    done = pymeet("erase-user", "-", "--now", "--yes", typed=f"{receipt}\n")

    assert done.returncode == 0, done.stderr
    assert found_in(tmp_path / "data", {"name": cat.tokens["attendance.name"], "seat": cat.person.id}) == {}


def test_people_are_found_by_what_they_say_and_names_are_marked_unsure(
    pymeet: Run, pair: tuple[Canary, Canary], config: str
) -> None:
    """By name only, it may be somebody else."""
    ann, _ = pair
    cat = new_guest()
    _with_services(config, lambda services: fill(services, cat))
    assert ann.email is not None

    by_mail = json.loads(pymeet("find-subject", ann.email.upper(), "--json").stdout)
    by_name = pymeet("find-subject", cat.tokens["attendance.name"].upper())
    by_seat = json.loads(pymeet("find-subject", cat.person.id, "--json").stdout)
    nobody = pymeet("find-subject", "nobody@example.org")

    assert [(each["person"]["id"], each["certain"], each["how"]) for each in by_mail] == [
        (ann.person.id, True, "address")
    ]
    assert "check who it is" in by_name.stdout
    assert cat.person.id in by_name.stdout
    assert by_seat[0]["person"] == {"anchor": "guest", "id": cat.person.id}
    assert nobody.returncode == 0
    assert "Nobody was found." in nobody.stderr


def test_mentions_are_listed_for_a_person_to_decide(pymeet: Run, pair: tuple[Canary, Canary], config: str) -> None:
    """Nothing of what others wrote is rewritten by itself."""
    _, ben = pair

    async def write(services: Services) -> None:
        async with services.db.write() as conn:
            mine = messages.c.user_id == ben.person.id
            await conn.execute(update(messages).where(mine).values(text="I met Änne Müller yesterday, she was well"))

    _with_services(config, write)

    found = json.loads(pymeet("find-mentions", "änne müller", "--json").stdout)
    shown = pymeet("find-mentions", "Müller")

    assert [each["table"] for each in found] == ["messages"] * 3
    assert "Änne Müller" in found[0]["excerpt"]
    assert "yesterday" in shown.stdout
    assert pymeet("find-mentions", "xy").returncode == 1


def test_names_and_addresses_are_corrected_and_the_log_holds_neither(
    pymeet: Run, pair: tuple[Canary, Canary], config: str
) -> None:
    """The right to have wrong data put right."""
    ann, ben = pair
    assert ann.email is not None
    assert ben.email is not None

    done = json.loads(
        pymeet(
            "correct-user",
            ann.email,
            "--name",
            "  Ann  Right ",
            "--email",
            "ANN@Right.example",
            "--in-meetings",
            "--json",
        ).stdout
    )
    taken = pymeet("correct-user", "ann@right.example", "--email", ben.email)
    empty = pymeet("correct-user", "ann@right.example", "--name", "   ")
    nothing = pymeet("correct-user", "ann@right.example")

    async def stored(services: Services) -> tuple[Any, ...]:
        async with services.db.read() as conn:
            user = (await conn.execute(select(users).where(users.c.id == ann.person.id))).mappings().one()
            named = (
                (await conn.execute(select(messages.c.name).where(messages.c.user_id == ann.person.id))).scalars().all()
            )
            there = (
                await conn.execute(select(attendance.c.name).where(attendance.c.user_id == ann.person.id))
            ).scalars()
            return user["name"], user["email"], set(named), set(there.all())

    assert _with_services(config, stored) == ("Ann Right", "ann@right.example", {"Ann Right"}, {"Ann Right"})
    assert done["corrected"] == {"users.name": 1, "users.email": 1, "attendance.name": 1, "messages.name": 3}
    assert (taken.returncode, empty.returncode, nothing.returncode) == (1, 1, 1)


def test_verify_finds_nothing_on_a_healthy_server(pymeet: Run, pair: tuple[Canary, Canary]) -> None:
    """It is meant for a weekly job: 0 where all is well."""
    ann, _ = pair
    assert ann.email is not None
    pymeet("erase-user", ann.email, "--now", "--yes")

    plain = pymeet("privacy", "verify")
    asked = json.loads(pymeet("privacy", "verify", "--user", ann.email, "--json").stdout)

    assert plain.returncode == 0, plain.stderr
    assert "People in the ledger of erasures: 1. In the database again: 0." in plain.stdout
    assert "Everything is as it should be." in plain.stderr
    assert asked["findings"] == []
    assert asked["asked"]["has_account"] is False
    assert asked["asked"]["erased_at"] is not None


def test_verify_tells_what_is_not_as_it_should_be(
    pymeet: Run, pair: tuple[Canary, Canary], config: str, tmp_path: Path
) -> None:
    """Somebody who is back, somebody who is not erased, a ledger that was changed, a note in the data directory."""
    ann, ben = pair
    assert ann.email is not None
    pymeet("erase-user", ann.person.id, "--now", "--yes")
    (tmp_path / "data" / "note.txt").write_text(f"call {ann.email}")

    async def bring_back(services: Services) -> None:
        async with services.db.write() as conn:
            same = {"name": "Ann", "is_admin": False, "created_at_ms": 1, "last_seen_at_ms": 1}
            await conn.execute(insert(users).values(id=ann.person.id, email="other@example.org", **same))
        ledger = Ledger.open(services.config.data_dir, services.keys)
        with ledger.path.open("a") as file:
            file.write('{"mark": "made up"}\n')

    _with_services(config, bring_back)

    found = pymeet("privacy", "verify", "--user", ann.email)
    alive = json.loads(pymeet("privacy", "verify", "--user", str(ben.email), "--json").stdout)

    assert found.returncode == 5
    assert "Found in note.txt (utf-8): 1." in found.stdout
    for said in ("in the database again", "not as they were written", "was found"):
        assert said in found.stderr
    assert {"people_returned", "ledger_damaged", "not_erased"} <= set(alive["findings"])


def test_nothing_is_said_about_people_in_an_error(pymeet: Run) -> None:
    """Errors are pasted into tickets."""
    missing = pymeet("erase-user", "secret-name@example.org", "--now", "--yes")

    assert missing.returncode == 4
    assert "secret-name" not in missing.stderr
