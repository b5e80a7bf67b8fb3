"""The search for remains: it finds what is there in every form, and says nothing where nothing is."""

import asyncio
import base64
import gzip
import html
import io
import json
import quopri
import random
import secrets
import sqlite3
import zipfile
import zlib
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from sqlalchemy import delete, insert, select
from tests.support.migrated import prepare

from pymeet.config import Config
from pymeet.db.engine import Database
from pymeet.db.schema import messages, rooms, users
from pymeet.privacy.people import member
from pymeet.privacy.residue import Findings, Needles, needles_of, scan
from pymeet.privacy.residue_search import CHUNK_BYTES, Patterns, Search, search_free_pages

TEXT = "Café canary Übung 7c2f19, & more"


def found_in(data: bytes, *texts: str, step: int = CHUNK_BYTES) -> dict[str, int]:
    """What a search finds in bytes that come in pieces of `step`."""
    search = Search(Patterns(texts))
    for start in range(0, len(data), step):
        search.feed(data[start : start + step])
    counted: dict[str, int] = {}
    for (number, _), count in search.end().items():
        counted[texts[number]] = counted.get(texts[number], 0) + count
    return counted


def _zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside/name.txt", data)
    return packed.getvalue()


FORMS = {
    "utf-8": TEXT.encode(),
    "lower": TEXT.lower().encode(),
    "upper": TEXT.upper().encode(),
    "utf-16-le": TEXT.encode("utf-16-le"),
    "utf-16-be": TEXT.encode("utf-16-be"),
    "json": json.dumps(TEXT).encode(),
    "json-unescaped": json.dumps(TEXT, ensure_ascii=False).encode(),
    "html": html.escape(TEXT).encode(),
    "percent": quote(TEXT).encode(),
    "percent-everything": quote(TEXT, safe="").lower().encode(),
    "form": quote_plus(TEXT).encode(),
    "quoted-printable": quopri.encodestring(TEXT.encode()),
    **{f"base64-{phase}": base64.b64encode(b"-" * phase + TEXT.encode() + b"--") for phase in range(6)},
    "base64-url": base64.urlsafe_b64encode(b"--" + TEXT.encode()),
    "gzip": gzip.compress(TEXT.encode()),
    "zip": _zipped(TEXT.encode()),
    "zip-in-gzip": gzip.compress(_zipped(TEXT.encode())),
    "gzip-in-zip": _zipped(b"before" + gzip.compress(b"more" * 500 + TEXT.encode()) + b"after"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("at", [0, 1, 7, 4093])
def test_a_text_is_found_in_every_form_wherever_it_stands(form: str, at: int) -> None:
    """A program that wrote it otherwise than plainly must not hide it."""
    data = random.Random(at).randbytes(at) + FORMS[form] + b"\0" * 100

    assert found_in(data, TEXT).get(TEXT, 0) >= 1


@pytest.mark.parametrize("form", ["utf-8", "utf-16-le", "percent", "base64-1", "gzip", "zip", "zip-in-gzip"])
@pytest.mark.parametrize("step", [1, 3, 64, 1000])
def test_a_text_is_found_across_the_pieces_in_which_a_file_is_read(form: str, step: int) -> None:
    """It must not matter where one reading ends."""
    data = b"x" * 1013 + FORMS[form] + b"y" * 50

    assert found_in(data, TEXT, step=step) == found_in(data, TEXT)
    assert found_in(data, TEXT, step=step)[TEXT] >= 1


@pytest.mark.parametrize("length", range(6, 40))
def test_texts_of_every_length_are_found_at_every_place(length: int) -> None:
    """Short and long ones are searched in two ways; neither may leave a gap."""
    text = secrets.token_hex(20)[:length]

    for at in range(17):
        assert found_in(b"." * at + text.encode() + b"..", text) == {text: 1}
        assert found_in(b"." * at + text[:-1].encode() + b"!.", text) == {}


def test_long_texts_are_found_by_what_is_left_of_them() -> None:
    """The page with the beginning may have been overwritten."""
    text = "".join(secrets.token_hex(8) for _ in range(50))

    assert found_in(text[:300].encode(), text) == {text: 1}
    assert found_in(text[-300:].encode(), text) == {text: 1}
    assert found_in(text[200:600].encode(), text) == {text: 1}


def test_nothing_is_found_where_nothing_is() -> None:
    """A false alarm would teach people to look away."""
    texts = [secrets.token_urlsafe(16) for _ in range(300)] + ["short1", "ann@example.org"]
    noise = random.Random(5).randbytes(3_000_000) + json.dumps([secrets.token_urlsafe(16)] * 1000).encode()

    assert found_in(noise, *texts) == {}


def test_many_texts_cost_hardly_more_time_than_few() -> None:
    """Somebody who wrote for years must be searched for as well."""
    texts = [f"{secrets.token_urlsafe(16)} said something" for _ in range(1500)]
    noise = b"The quick brown fox jumps over the lazy dog. " * 20_000

    assert found_in(noise + texts[700].encode(), *texts) == {texts[700]: 1}


def test_what_only_looks_packed_or_is_cut_off_stops_nothing() -> None:
    """Damaged archives lie in every directory."""
    broken = b"\x1f\x8b\x08" + b"no gzip" + b"PK\x03\x04" + b"\xff" * 200 + gzip.compress(b"a" * 1000)[:-20]

    assert found_in(broken + TEXT.encode(), TEXT) == {TEXT: 1}


def test_a_member_that_unpacks_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte can unpack to a gigabyte."""
    monkeypatch.setattr("pymeet.privacy.residue_search.MEMBER_BYTES", 1 << 22)
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(20)) + packer.flush()

    assert found_in(bomb + TEXT.encode(), TEXT) == {TEXT: 1}


def test_free_pages_of_a_database_are_counted_and_former_content_is_noticed(tmp_path: Path) -> None:
    """Deleting without overwriting leaves everything in free pages: that is what must not go unseen."""
    for name, secure in (("clean.db", 1), ("dirty.db", 0)):
        conn = sqlite3.connect(tmp_path / name, isolation_level=None)
        conn.execute(f"PRAGMA secure_delete={secure}")
        conn.execute("CREATE TABLE notes (text TEXT)")
        conn.execute("BEGIN")
        conn.executemany("INSERT INTO notes VALUES (?)", [("secret " * 300,)] * 5000)
        conn.execute("COMMIT")
        conn.execute("DELETE FROM notes")
        conn.close()

    clean, dirty = search_free_pages(tmp_path / "clean.db"), search_free_pages(tmp_path / "dirty.db")

    assert clean is not None
    assert dirty is not None
    assert clean[0] > 2000
    assert clean[1] == 0
    assert dirty[1] > 2000


async def test_free_pages_are_seen_while_others_write(tmp_path: Path) -> None:
    """A server in use writes every second; the proof must not wait for the night."""
    config = Config(data_dir=tmp_path)
    db = await Database.open(config.database_path)
    await _fill(db)
    stop = asyncio.Event()

    async def write_on() -> None:
        while not stop.is_set():
            async with db.write() as conn:
                await conn.execute(insert(messages).values(_message("ben", "one more message")))
            await asyncio.sleep(0.02)

    writing = asyncio.create_task(write_on())

    findings = await scan(config, Needles((), 0), _silent)

    stop.set()
    await writing
    assert findings.free_pages is not None
    assert findings.clean
    await db.close()


async def test_a_scan_finds_who_is_there_and_nobody_who_is_gone(tmp_path: Path) -> None:
    """In database, write-ahead log, other files and their names; in the very files the server has open."""
    config = Config(data_dir=tmp_path)
    db = await Database.open(config.database_path)
    await _fill(db)
    (tmp_path / "note.txt").write_text("call ann-canary@example.org")
    (tmp_path / "ANN-ID-0123456789abcd.txt").write_text("")
    ann = await db.study(needles_of, member("ann-id-0123456789abcd"), ("ann-canary@example.org",))
    before = await scan(config, ann, _silent)
    async with db.read() as reader:
        await reader.execute(select(users.c.id))  # for whom the former state must stay on the disk
        async with db.write() as conn:
            await conn.execute(delete(messages).where(messages.c.user_id == "ann-id-0123456789abcd"))
            await conn.execute(delete(users).where(users.c.id == "ann-id-0123456789abcd"))
        unflushed = await scan(config, ann, _silent)
    assert await db.checkpoint()
    (tmp_path / "note.txt").unlink()
    (tmp_path / "ANN-ID-0123456789abcd.txt").unlink()

    after = await scan(config, ann, _silent)

    places = {remain.place for remain in before.remains}
    assert {"note.txt", "file names", "users.email", "users.id", "messages.id"} <= places
    assert not unflushed.clean
    assert any(remain.place in ("pymeet.db-wal", "pymeet.db") for remain in unflushed.remains)
    assert unflushed.free_pages is None
    assert after.clean, after
    assert after.texts == ann.of == 6
    assert after.bytes > 0
    assert after.mentions == {}
    await db.close()


async def test_what_others_wrote_about_somebody_is_a_mention_and_no_remain(tmp_path: Path) -> None:
    """Their words are theirs; a person decides what becomes of them."""
    config = Config(data_dir=tmp_path)
    db = await Database.open(config.database_path)
    await _fill(db)
    async with db.write() as conn:
        await conn.execute(insert(messages).values(_message("ben", "ask ann-canary@example.org, she knows")))
    async with db.write() as conn:
        await conn.execute(delete(messages).where(messages.c.user_id == "ann-id-0123456789abcd"))
        await conn.execute(delete(users).where(users.c.id == "ann-id-0123456789abcd"))
    assert await db.checkpoint()

    findings = await scan(config, Needles(("ann-canary@example.org", "Ann Canary-Example"), 2), _silent)

    assert findings.mentions == {"messages.text": 1}
    assert findings.clean
    await db.close()


async def test_short_values_are_not_searched_for(tmp_path: Path) -> None:
    """ "Ann" stands in half of all files."""
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    async with db.write() as conn:
        await conn.execute(insert(users).values(_user("ann-id-0123456789abcd", "a@b.c", "Ann")))
        await conn.execute(insert(rooms).values(id="room", slug="room", name="Room", created_at_ms=1))
        await conn.execute(insert(messages).values(_message("ann-id-0123456789abcd", "Good morning")))

    needles = await db.study(needles_of, member("ann-id-0123456789abcd"), ("a@b.c",))

    assert not {"Ann", "Good morning", "a@b.c"} & set(needles.texts)
    await db.close()


async def test_of_very_many_values_an_even_sample_is_searched_for_and_the_rest_is_told(tmp_path: Path) -> None:
    """The receipt must not claim more than was done."""
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    await _fill(db)
    async with db.write() as conn:
        for number in range(1000):
            text = f"a message that can be told apart {number}"
            await conn.execute(insert(messages).values(_message("ann-id-0123456789abcd", text)))

    needles = await db.study(needles_of, member("ann-id-0123456789abcd"), ())

    assert needles.of == 4 + 2 * 1001  # id, address, name, seat; an id and a text for every message
    assert 500 < len(needles.texts) < 1300
    assert "a message that can be told apart 999" in needles.texts
    await db.close()


def test_findings_are_clean_only_when_everything_was_read() -> None:
    """A file that cannot be read proves nothing."""
    assert Findings().clean
    assert not Findings(unread=("secret.txt",)).clean
    assert not Findings(dirty_pages=1).clean


async def _fill(db: Database) -> None:
    async with db.write() as conn:
        for user_id, email in (("ann-id-0123456789abcd", "ann-canary@example.org"), ("ben", "ben@example.org")):
            await conn.execute(
                insert(users).values(_user(user_id, email, "Ann Canary-Example" if email[0] == "a" else "Ben"))
            )
        await conn.execute(insert(rooms).values(id="room", slug="room", name="Room", created_at_ms=1))
        await conn.execute(insert(messages).values(_message("ann-id-0123456789abcd", "a very telling canary sentence")))


def _user(user_id: str, email: str, name: str) -> dict[str, object]:
    return {"id": user_id, "name": name, "email": email, "is_admin": False, "created_at_ms": 1, "last_seen_at_ms": 1}


def _message(user_id: str, text: str) -> dict[str, object]:
    seat = f"seat-of-{user_id}"
    same = {"id": secrets.token_urlsafe(16), "room_id": "room", "name": "X", "at_ms": 1}
    return {**same, "participant_id": seat, "user_id": user_id, "text": text}


def _silent(done: int, total: int | None, what: str) -> None:
    """Nobody listens."""
