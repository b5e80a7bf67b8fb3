"""What is in an archive: everything about this person, nothing about anybody else, and nothing that grants something."""

import asyncio
import hashlib
import html
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import Connection, Table, insert, select
from tests.support.canaries import AT_MS, Canaries, fill, reachable
from tests.support.exports import Archive, archive_of, content_of, declared_pictures, opened, taken_apart

from pymeet.config import Config
from pymeet.db import audit
from pymeet.db.inventory import KEY, Export
from pymeet.db.schema import attendance, messages, metadata
from pymeet.ids import new_id
from pymeet.privacy.export import export_person
from pymeet.privacy.export.words import LANGUAGES, export_words
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, guest, member


@pytest.fixture
async def lifecycle(tmp_path: Path) -> AsyncIterator[Lifecycle]:
    async with opened(tmp_path / "data") as made:
        yield made


def _column(place: tuple[str, str]) -> Any:
    return metadata.tables[place[0]].columns[place[1]].info[KEY]


def _is_due(place: tuple[str, str]) -> bool:
    """Whether the person must get what stands there."""
    column = _column(place)
    return column.export is Export.YES or not column.personal


async def _two(lifecycle: Lifecycle, anchor: Any) -> tuple[DataSubject, Canaries, Canaries]:
    person, other = anchor(new_id()), anchor(new_id())
    return person, await lifecycle.db.work(fill, person, "a"), await lifecycle.db.work(fill, other, "b")


@pytest.mark.parametrize("anchor", [member, guest])
async def test_everything_of_the_person_is_in_it_and_nothing_of_anybody_else(lifecycle: Lifecycle, anchor: Any) -> None:
    """The two ways in which exports fail people: a table was forgotten, or another person's came along."""
    person, mine, others = await _two(lifecycle, anchor)

    archive = await archive_of(lifecycle, person)

    assert [place for place, token in mine.items() if _is_due(place) and token not in archive.text] == []
    assert [place for place, token in others.items() if token in archive.text] == []


@pytest.mark.parametrize("anchor", [member, guest])
async def test_no_secret_is_in_it_and_every_column_is_there_or_withheld_with_a_reason(
    lifecycle: Lifecycle, anchor: Any
) -> None:
    """An archive lies in download folders: it must not open anything, and must say what it leaves out."""
    person, mine, _ = await _two(lifecycle, anchor)

    archive = await archive_of(lifecycle, person)

    assert [place for place, token in mine.items() if not _is_due(place) and token in archive.text] == []
    withheld = {(each["table"], each["column"]): each["reason"] for each in archive.manifest["withheld"]}
    for entry in reachable(person):
        (row, *_) = archive.rows(entry.name)
        assert set(row) | {name for name in entry.columns if (entry.name, name) in withheld} == set(entry.columns)
        assert not [name for name in row if entry.columns[name].secret or entry.columns[name].sealed_file]
    assert all(reason.strip() for reason in withheld.values())


@pytest.mark.parametrize("anchor", [member, guest])
async def test_every_row_is_as_its_schema_says(lifecycle: Lifecycle, anchor: Any) -> None:
    """Programs read the schema first; a row that breaks it stops an import."""
    person, _, _ = await _two(lifecycle, anchor)
    archive = await archive_of(lifecycle, person)

    checked = 0
    for entry in reachable(person):
        schema = _json(archive, f"schemas/{entry.name}.schema.json")
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        for row in archive.rows(entry.name):
            _validate(row, schema)
            checked += 1
    assert checked >= len(reachable(person))


async def test_the_manifest_and_the_checksums_cover_every_file(lifecycle: Lifecycle) -> None:
    """Who keeps the archive for years can still tell whether it is what was handed over."""
    person, _, _ = await _two(lifecycle, member)
    archive = await archive_of(lifecycle, person, instance="https://meet.example.org")

    sums = dict(reversed(line.split("  ")) for line in archive.files["SHA256SUMS"].decode().splitlines())
    assert sums == {
        path: hashlib.sha256(content).hexdigest() for path, content in archive.files.items() if path != "SHA256SUMS"
    }
    manifest = archive.manifest
    assert {each["path"]: (each["bytes"], each["sha256"]) for each in manifest["files"]} == {
        path: (len(content), sums[path])
        for path, content in archive.files.items()
        if path not in ("SHA256SUMS", "manifest.json")
    }
    assert manifest["instance"] == "https://meet.example.org"
    assert manifest["subject"] == {"anchor": "account", "id": person.id}
    assert manifest["complete"] is True
    for each in manifest["files"]:
        if each["holds"] == "rows":
            assert each["rows"] == len(archive.rows(each["table"]))
            assert each["purpose"]
            assert each["legal_basis"].startswith("GDPR Article 6(1)")
            assert each["kept"], each["table"]
            assert each["read_from"] <= each["read_until"]


@pytest.mark.skipif(shutil.which("unzip") is None, reason="no unzip here")
async def test_the_usual_unzip_finds_it_in_order(lifecycle: Lifecycle, tmp_path: Path) -> None:
    """People open it with what they have, not with our own code."""
    person, _, _ = await _two(lifecycle, member)
    export = await export_person(lifecycle, person)
    (tmp_path / "a.zip").write_bytes(content_of(lifecycle, export))

    command = ["unzip", "-t", str(tmp_path / "a.zip")]
    checked = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout
    assert "No errors detected" in checked.stdout


async def test_somebody_else_in_a_row_of_mine_is_taken_out_and_counted(lifecycle: Lifecycle) -> None:
    """An administrator who changed my account, or whom I changed, is not mine to have."""
    me, other = member(new_id()), member(new_id())
    await lifecycle.db.work(fill, me, "a")
    theirs = await lifecycle.db.work(fill, other, "b")

    def happen(conn: Connection) -> None:
        audit.record_now(conn, AT_MS, other.id, "user.disabled", audit.Person(me.id))
        audit.record_now(conn, AT_MS, me.id, "user.disabled", audit.Person(other.id))

    await lifecycle.db.work(happen)
    archive = await archive_of(lifecycle, me)

    events = [row for row in archive.rows("audit_events") if row["action"] == "user.disabled"]
    assert [(row["actor"] is None, row["target"] is None) for row in events] == [(True, False), (False, True)]
    assert theirs["audit_people", "pseudonym"] not in archive.text
    said = {
        each["column"]: each["rows"]
        for each in archive.manifest["withheld"]
        if each["table"] == "audit_events" and "somebody else" in each["reason"]
    }
    assert said == {"actor": 1, "target": 1}
    assert "somebody else in 1 row" in archive.index


async def test_many_rows_come_whole_and_once_and_the_index_says_that_it_shows_the_first(lifecycle: Lifecycle) -> None:
    """Paging must neither lose nor repeat a row at its seams."""
    person = member(new_id())
    await lifecycle.db.work(fill, person, "a")
    written = [f"message {number:05}" for number in range(1201)]

    def write(conn: Connection) -> None:
        like = dict(conn.execute(select(messages)).mappings().one())
        del like["sequence"]
        conn.execute(insert(messages), [{**like, "id": new_id(), "text": text} for text in written])

    await lifecycle.db.work(write)
    told: list[tuple[int, int | None, str]] = []
    archive = await archive_of(lifecycle, person, progress=lambda *report: told.append(report))

    assert [row["text"] for row in archive.rows("messages")][1:] == written
    assert "The first 500 of 1202 rows. All of them are in data/messages.jsonl." in archive.index
    assert "message 00498" in archive.index
    assert "message 00499" not in archive.index
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_index_runs_nothing_loads_nothing_and_shows_texts_as_texts(
    lifecycle: Lifecycle, language: str
) -> None:
    """It is opened from the disk, where a script could read other files."""
    person = member(new_id())
    await lifecycle.db.work(fill, person, "a")
    hostile = "<script>alert(1)</script><img src=https://evil.example/x>"

    def write(conn: Connection) -> None:
        conn.execute(messages.update().values(text=hostile))

    await lifecycle.db.work(write)
    archive = await archive_of(lifecycle, person, language=language)

    page = archive.index
    assert html.escape(hostile).replace("&#x27;", "&#39;") in page
    assert f'<html lang="{language}">' in page
    seen = _Tags()
    seen.feed(page)
    assert not seen.tags & {
        "script",
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "video",
        "audio",
        "form",
        "base",
        "svg",
    }
    assert all(re.fullmatch(r"#[a-z_]+|files/.+", link) for link in seen.links)
    assert not [name for name in seen.attributes if name.startswith("on") or name in ("src", "style", "srcset")]
    assert not re.search(r"@import|url\(", page)
    assert "default-src 'none'" in page
    assert archive.rows("messages")[0]["text"] == hostile


async def test_the_index_says_for_every_class_why_on_which_basis_how_long_and_who_sees_it(lifecycle: Lifecycle) -> None:
    """Article 15(1): the data alone is not the answer."""
    person, _, _ = await _two(lifecycle, member)

    page = (await archive_of(lifecycle, person)).index

    for entry in reachable(person):
        section = page.partition(f'<section id="{entry.name}">')[2].partition("</section>")[0]
        assert html.escape(entry.purpose, quote=False).replace("'", "&#39;") in section, entry.name
        assert f"Article 6(1)({entry.basis})" in section
        assert all(html.escape(str(each)).replace("&#x27;", "&#39;") in section for each in entry.recipients)
        assert f"data/{entry.name}.jsonl" in section
    assert "2023-11-14 21:53:20" in page
    assert "90 days after the message was written" in page


async def test_german_has_a_word_for_everything(lifecycle: Lifecycle) -> None:
    """A page half in English would tell German readers half."""
    english, german = export_words("en"), export_words("de")
    persons = (member("x"), guest("x"))
    tables = {entry.name: entry for person in persons for entry in reachable(person)}

    assert set(english._own) <= set(german._own)
    for entry in tables.values():
        assert german.title(entry.name) != english.title(entry.name)
        assert german.documents.of(entry.purpose) != entry.purpose
        for name, column in entry.columns.items():
            assert f"column.{name}" in german._own, f"{entry.name}.{name}"
            assert not column.reason or german.reason(column.reason) != column.reason
    person, _, _ = await _two(lifecycle, member)
    page = (await archive_of(lifecycle, person, language="de")).index
    assert "Ihre personenbezogenen Daten" in page
    assert "90 Tage" in page


async def test_the_calendar_has_the_meetings_the_person_attended(lifecycle: Lifecycle) -> None:
    """Portable means: the calendar that one uses opens it."""
    person, mine, others = await _two(lifecycle, member)

    archive = await archive_of(lifecycle, person)

    calendar = Calendar.from_ical(archive.files["calendar.ics"].decode())
    (event,) = calendar.walk("VEVENT")
    assert str(event["SUMMARY"]) == mine["rooms", "name"]
    assert event.decoded("DTSTART").isoformat() == "2023-11-14T21:53:20+00:00"
    assert others["rooms", "name"] not in archive.text


async def test_meetings_in_a_room_of_somebody_else_bring_its_name_and_nothing_more(lifecycle: Lifecycle) -> None:
    """Where I was is about me; whose room it is, is not."""
    me, owner = member(new_id()), member(new_id())
    await lifecycle.db.work(fill, me, "a")
    theirs = await lifecycle.db.work(fill, owner, "b")

    def visit(conn: Connection) -> None:
        conn.execute(
            insert(attendance).values(
                participant_id=new_id(),
                room_id=theirs["rooms", "id"],
                name="Me",
                user_id=me.id,
                kind="member",
                joined_at_ms=AT_MS,
            )
        )

    await lifecycle.db.work(visit)
    archive = await archive_of(lifecycle, me)

    found = {place for place, token in theirs.items() if token in archive.text}
    assert found - {("rooms", "name")} <= {place for place in theirs if theirs[place] == theirs["rooms", "id"]}
    assert len(Calendar.from_ical(archive.files["calendar.ics"].decode()).walk("VEVENT")) == 2


async def test_nobody_gets_an_archive_that_says_so(lifecycle: Lifecycle) -> None:
    """A receipt outlives what it leads to; "nothing" is an answer, and must look like one."""
    archive = await archive_of(lifecycle, guest(new_id()))

    # Making the archive is the one thing that is held now.
    assert [each["table"] for each in archive.manifest["files"] if each["holds"] == "rows"] == ["exports"]
    assert "calendar.ics" not in archive.files
    assert "messages" in archive.manifest["searched_and_empty"]


@pytest.fixture
def pictures() -> Iterator[Table]:
    with declared_pictures() as made:
        yield made


async def test_files_of_a_table_declared_later_come_along_and_a_damaged_one_is_named(
    lifecycle: Lifecycle, pictures: Table
) -> None:
    """A class of data plugs in by declaring itself; and an archive with a hole in it says so everywhere."""
    person, other = member(new_id()), member(new_id())
    content = {name: (name * 400_000).encode() for name in ("good", "gone", "torn", "else")}
    ids = {name: new_id() for name in content}
    for name, file_id in ids.items():
        sink = lifecycle.files.create(file_id, AT_MS)
        sink.write(content[name])
        sink.finish()
    lifecycle.files.path(ids["gone"]).unlink()
    torn = bytearray(lifecycle.files.path(ids["torn"]).read_bytes())
    torn[len(torn) - 300_000] ^= 1
    lifecycle.files.path(ids["torn"]).write_bytes(torn)

    def add(conn: Connection) -> None:
        pictures.create(conn)
        for each in (person, other):
            fill(conn, each, "x")
        conn.execute(pictures.delete())
        for name, file_id in ids.items():
            owner = other if name == "else" else person
            conn.execute(insert(pictures).values(user_id=owner.id, file_id=file_id))

    await lifecycle.db.work(add)
    export = await export_person(lifecycle, person)
    archive = taken_apart(content_of(lifecycle, export))

    paths = {name: f"files/pictures/{file_id}" for name, file_id in ids.items()}
    assert archive.files[paths["good"]] == content["good"]
    assert set(archive.files) & set(paths.values()) == {paths["good"], paths["torn"]}
    assert content["torn"].startswith(archive.files[paths["torn"]])
    failed = {each["path"]: each["reason"] for each in archive.manifest["failed"]}
    assert failed == {paths["gone"]: "unreadable", paths["torn"]: "broken"}
    assert {(each.path, each.reason) for each in export.failed} == set(failed.items())
    assert archive.manifest["complete"] is False
    complete = {each["path"]: each["complete"] for each in archive.manifest["files"] if each["holds"] == "file"}
    assert complete == {paths["good"]: True, paths["torn"]: False}
    assert "This archive is not complete" in archive.index
    assert paths["gone"] in archive.index


async def test_who_answers_for_the_server_is_named(tmp_path: Path) -> None:
    """A person who wants to ask back must know whom."""
    config = Config.model_validate(
        {
            "data_dir": tmp_path / "d",
            "privacy": {"controller": "Example Clinic", "dpo_contact": "dpo@example.org", "authority": "The Authority"},
        }
    )
    async with opened(tmp_path / "d", config=config) as lifecycle:
        archive = await archive_of(lifecycle, guest(new_id()))

    assert all(each in archive.index for each in ("Example Clinic", "dpo@example.org", "The Authority"))
    assert archive.manifest["controller"]["controller"] == "Example Clinic"


class _Tags(HTMLParser):
    """What a browser would act upon."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


def _json(archive: Archive, path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(archive.files[path])
    return loaded


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def _validate(row: dict[str, Any], schema: dict[str, Any]) -> None:
    """As much of JSON Schema as the schemas of an archive use; anything else in them fails."""
    assert set(schema) == {
        "$schema", "$id", "title", "description", "type", "properties", "required", "additionalProperties",
    }  # fmt: skip
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) <= set(row) <= set(schema["properties"])
    for name, value in row.items():
        said = schema["properties"][name]
        assert set(said) <= {
            "type", "enum", "description", "contentEncoding", "x-data-category", "x-provided-by-the-person",
        }  # fmt: skip
        types = said["type"] if isinstance(said["type"], list) else [said["type"]]
        assert any(isinstance(value, _TYPES[each]) for each in types), name
        assert isinstance(value, bool) == ("boolean" in types and value is not None)
        assert "enum" not in said or value in said["enum"]
