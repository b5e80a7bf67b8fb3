"""The documents: complete, in both languages, true to the settings, and the same bytes every time."""

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pymeet.config import Config
from pymeet.db.declared import digest, tables
from pymeet.db.files import Files
from pymeet.db.inventory import Category, KeepWith, Kind, entries
from pymeet.db.keys import KeyStore
from pymeet.db.memory import MEMORY
from pymeet.db.schema import metadata
from pymeet.db.stores import CLIENT, FILES
from pymeet.errors import InvalidInputError
from pymeet.ids import new_id
from pymeet.keyring import Keyring
from pymeet.privacy import sweeper
from pymeet.privacy.documents import words as catalogue
from pymeet.privacy.documents.check import Finding, check
from pymeet.privacy.documents.deadlines import SWEEP_MS, Effective, configured, deadlines
from pymeet.privacy.documents.library import NAMES, write
from pymeet.privacy.documents.model import FORMATS
from pymeet.privacy.documents.notice import changed, notice, notice_text, texts
from pymeet.privacy.documents.sentences import sentences
from pymeet.privacy.documents.words import LANGUAGES, words
from pymeet.retention import CLASSES, Pace, days, hours, minutes

FOLDER = Path(catalogue.__file__).parent / "texts"


def make(**sections: Any) -> tuple[Config, Effective]:
    """Settings, and the periods that they ask for."""
    config = Config.model_validate(sections)
    return config, configured(config)


def verdict_of(findings: list[Finding], name: str) -> str:
    return next(each.verdict for each in findings if each.check == name)


def catalogue_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return found


# words


def test_every_language_has_every_text():
    """A text that is missing in one language would fail on the day somebody asks for it."""
    flat = {language: dict(catalogue._flat(catalogue_of(language))) for language in LANGUAGES}

    assert flat["de"].keys() == flat["en"].keys()
    for key, text in flat["en"].items():
        assert text, key
        placeholders = [sorted(re.findall(r"\{\w+\}", flat[language][key])) for language in LANGUAGES]
        assert placeholders[0] == placeholders[1], key


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_sentence_of_the_inventory_is_translated(language: str):
    """Under the English sentence itself: one that is changed cannot keep an old translation, and none is left over."""
    translated = catalogue_of(f"inventory.{language}")

    assert sentences() - translated.keys() == set()
    assert translated.keys() - sentences() == set()
    assert [english for english, text in translated.items() if not str(text).strip()] == []


def test_every_personal_column_has_words_and_no_word_is_left_over():
    """The notice says what is held column by column; a column without words would be held in silence."""
    say = dict(catalogue._flat(catalogue_of("en")))
    personal = {
        f"column.{entry.name}.{name}"
        for _, entry in tables()
        for name, column in entry.columns.items()
        if column.personal and column.kind is not Kind.REFERENCE
    }
    with_titles = {f"title.{entry.name}" for _, entry in tables() if entry.personal or entry.subjects}
    ends = {f"with.{r.table}" for _, e in tables() if e.personal for r in e.keep if isinstance(r, KeepWith)}

    for prefix, wanted in (("column.", personal), ("title.", with_titles), ("with.", ends)):
        assert {key for key in say if key.startswith(prefix)} == wanted
    assert {key for key in say if key.startswith("category.")} == {f"category.{each}" for each in Category}


def test_texts_do_not_shout():
    """The page informs; it does not sell."""
    for name in (*LANGUAGES, "inventory.de"):
        assert not re.search(r"!|Oops", re.sub(r"#.*", "", (FOLDER / f"{name}.yaml").read_text())), name


def test_periods_read_like_language():
    """The pages are read by people who decide about these periods, and by people whose data it is."""
    english, german = words("en"), words("de")

    assert [english.period(each) for each in (0, minutes(1), hours(1), days(90), days(1095), 1)] == [
        "at once",
        "1 minute",
        "1 hour",
        "90 days",
        "1095 days (about 3 years)",
        "1 ms",
    ]
    assert german.period(days(90)) == "90 Tage"
    assert german.period(days(90), after=True) == "90 Tagen"
    assert german.period(days(365), after=True) == "365 Tagen (etwa 1 Jahr)"
    assert [english.at_most(each) for each in (minutes(70), hours(25), days(91) + 1)] == [
        "70 minutes",
        "25 hours",
        "92 days",
    ]
    assert english.listed(["a", "b", "c"]) == "a, b and c"
    assert german.listed(["a"]) == "a"
    assert (english.day("2026-11-21"), german.day("2026-11-21")) == ("21 November 2026", "21. November 2026")


# deadlines


def test_what_is_promised_is_what_the_sweeper_does():
    """The promise is made of the sweeper's own pace; a slower sweeper must show in it."""
    assert SWEEP_MS[Pace.OFTEN] == sweeper.EVERY_MS
    assert SWEEP_MS[Pace.DAILY] == days(1)


def test_the_last_copy_is_gone_after_everything_that_may_come_after_the_period():
    """Period, sweep, checkpoint and the life of a backup made just before: people are told the worst case."""
    _, effective = make()
    due = deadlines(effective)

    assert due["chat"].gone_ms == days(91) + minutes(5)
    assert due["chat"].gone_everywhere_ms == days(91) + minutes(5) + days(15)
    assert due["session"].gone_ms == hours(1) + minutes(10)
    assert due["audit"].gone_ms == days(365 + 31 + 1) + minutes(5)  # by whole months
    assert due["backup"].gone_everywhere_ms == due["backup"].gone_ms == days(15) + minutes(5)
    assert due.keys() == CLASSES.keys()


def test_what_has_no_end_has_no_deadline():
    """None must not be counted as zero: that would promise the shortest time for what is never deleted."""
    _, effective = make(retention={"chat": "forever"})

    assert deadlines(effective)["chat"].gone_ms is None
    assert deadlines(effective)["chat"].gone_everywhere_ms is None


# the notice


def test_the_notice_names_everything_that_is_held():
    """Every table with personal data, every file of the browser, every kind of memory; in every language."""
    config, effective = make()
    for language in LANGUAGES:
        made = notice(language, config, effective)
        text = notice_text(language, config, effective)

        assert {held.name for group in made.groups for held in group.held} == {
            e.name for e in entries(metadata) if e.personal
        }
        assert [each.name for each in CLIENT if each.name not in text] == []
        assert len(made.memory) == len(MEMORY)
        assert "{" not in text  # no placeholder is left


def test_the_notice_follows_the_settings():
    """Effective values, not defaults: sessions, periods, the grace of an erasure, who is responsible, mail, guests, log."""
    config, effective = make(
        privacy={"controller": "Example Clinic", "contact": "privacy@example.org", "dpo_contact": "dpo@example.org"},
        sessions={"idle": timedelta(days=2), "absolute": timedelta(days=5)},
        retention={"chat": "30d", "erasure_grace": "3d"},
        rooms={"guests_allowed": False},
        mail={"host": "mail.example.org", "from_address": "meet@example.org"},
        log={"level": "debug"},
    )
    text = notice_text("en", config, effective)

    for said in (
        "Responsible: Example Clinic",
        "Data protection officer: dpo@example.org",
        "2 days without use, 5 days at most",
        "30 days after the message was written",
        "everything is deleted 3 days later",
        "mail to you through the operator's mail server",
        "it may hold names, addresses and texts",
    ):
        assert said in text, said
    assert "Guests need no account" not in text
    assert "Without an account you get a receipt" not in text


def test_the_notice_says_what_comes_from_a_provider():
    """Data that was not got from the person has a source, which they must be told (Article 14(2)(f)); without a provider, none."""
    oidc = {"issuer": "https://login.example.org", "client_id": "pymeet", "name": "Example Clinic"}
    http = {"public_url": "https://meet.example.org"}
    for language, said in (
        ("en", "Your name, your address and your role here may come from Example Clinic."),
        ("de", "Ihr Name, Ihre Adresse und Ihre Rolle hier können von Example Clinic stammen."),
    ):
        assert said in notice_text(language, *make(oidc=oidc, http=http))
        assert said.rpartition("Example")[0] not in notice_text(language, *make())


def test_the_notice_says_what_has_no_end():
    """Participants must see it before they write."""
    config, effective = make(retention={"chat": "forever"})
    made = notice("de", config, effective)

    assert made.endless
    assert "Manches, was über Sie gespeichert ist, hat kein Ende." in " ".join(made.short)
    assert [held.name for group in made.groups for held in group.held if any(u.endless for u in held.until)] == [
        "messages"
    ]


def test_the_notice_stays_the_same_when_nothing_that_concerns_people_changes():
    """Its hash stands in records of consent: a new port must not make people agree again."""
    config, effective = make()
    other, _ = make(http={"port": 9000}, media={"port": 9001}, log={"format": "json"}, data_dir="/srv/elsewhere")

    assert texts(other, effective) == texts(config, effective)
    assert texts(config, effective).keys() == set(LANGUAGES)


def test_a_changed_notice_says_under_which_headings():
    """Who has read it once is told what is new, and nothing else."""
    config, effective = make()
    shorter, less = make(retention={"chat": "30d"}, privacy={"contact": "privacy@example.org"})
    before, after = notice_text("en", config, effective), notice_text("en", shorter, less)

    assert changed(before, before) == ()
    assert changed(before, after) == ("Who is responsible", "What is stored")


# all documents


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", NAMES)
def test_a_document_can_be_read_by_what_it_is_for(name: str, form: str, language: str):
    """Each in each form and language; made twice, it is the same."""
    config, effective = make(privacy={"controller": "=SUM(A1) | Clinic"})
    text = write(name, config, effective, language=language, form=form)

    assert text == write(name, config, effective, language=language, form=form)
    assert text.endswith("\n")
    if form == "json":
        assert json.loads(text)
    elif form == "csv":
        rows = list(csv.reader(io.StringIO(text)))
        assert len({len(row) for row in rows}) == 1
        assert len(rows) > 5
        assert not any(field.startswith("=") for row in rows for field in row)  # nothing a spreadsheet would calculate
    else:
        assert text.startswith("# ")
        head_widths = [line.count(" | ") for line in text.splitlines() if line.startswith("| ")]
        assert all(head_widths) or not head_widths


def test_what_there_is_not_is_refused():
    """A typing mistake must not print another document."""
    config, effective = make()

    with pytest.raises(InvalidInputError, match="record"):
        write("records", config, effective)
    with pytest.raises(InvalidInputError, match="de"):
        write("record", config, effective, language="fr")
    with pytest.raises(InvalidInputError, match="csv"):
        write("record", config, effective, form="pdf")


def test_the_data_map_has_every_column_and_every_file():
    """It is the answer to the question where something is; also for `keys.db`, which is a database of its own."""
    config, effective = make()
    found = json.loads(write("data-map", config, effective, form="json"))

    columns = {
        (table["file"], table["name"], column["name"]) for table in found["tables"] for column in table["columns"]
    }
    assert columns == {(file, entry.name, name) for file, entry in tables() for name in entry.columns}
    assert ("keys.db", "file_keys", "wrapped") in columns
    assert [path for store in found["files"] for path in store["paths"]] == [
        path for each in FILES for path in each.paths
    ]
    assert found["digest"] == digest()
    assert all(table["recipients"][-1] == "backups" for table in found["tables"])
    diagram = write("data-map", config, effective).partition("```mermaid\n")[2].partition("```")[0]
    assert diagram.startswith("flowchart LR")
    assert all(entry.name in diagram for _, entry in tables() if entry.category is not Category.OPERATION)


def test_the_record_answers_what_article_30_asks():
    """Who, why, whose, what, to whom, where to, until when, how secured; from the settings of this server."""
    config, effective = make(
        privacy={"controller": "Example Clinic", "contact": "privacy@example.org", "dpo_contact": "dpo@example.org"},
        mail={"host": "mail.example.org", "from_address": "meet@example.org"},
        http={"tls": {"mode": "files", "cert_file": "a.pem", "key_file": "b.pem"}},
        retention={"chat": "45d"},
    )
    found = json.loads(write("record", config, effective, form="json"))

    assert (found["controller"], found["contact"], found["dpo"]) == (
        "Example Clinic",
        "privacy@example.org",
        "dpo@example.org",
    )
    for activity in found["activities"]:
        assert [name for name, said in activity.items() if not said] == []
    covered = " ".join(text for activity in found["activities"] for text in activity["data"])
    assert [entry.name for _, entry in tables() if entry.personal and f"`{entry.name}`" not in covered] == []
    assert [store.name for store in MEMORY if store.name not in covered] == []
    chat = next(activity for activity in found["activities"] if activity["activity"] == "Chat")
    assert "45 days after the message was written" in chat["limits"][0]
    mail = next(activity for activity in found["activities"] if activity["activity"] == "E-mail")
    assert "the operator's mail server" in mail["recipients"]
    assert any("STARTTLS" in measure for measure in found["measures"])


def test_the_retention_table_shows_what_is_in_force_and_marks_what_has_no_end():
    """A default that was changed must not stand there as if it counted."""
    config, effective = make(retention={"chat": "forever", "mail_sent": "2h", "at": "03:30"})
    found = {each["class"]: each for each in json.loads(write("retention", config, effective, form="json"))["classes"]}
    text = write("retention", config, effective)

    assert (found["chat"]["effective_ms"], found["chat"]["default_ms"]) == (None, days(90))
    assert found["mail_sent"]["effective_ms"] == hours(2)
    assert "**forever**" in text
    assert "**Kept without end: Chat messages.**" in text
    assert "daily at 03:30 UTC" in text
    assert found["backup"]["places"] == ["backups/**"]


# the check


def test_a_new_server_is_red_until_somebody_is_named(tmp_path: Path):
    """A notice that says nobody is responsible informs nobody (Article 13(1)(a))."""
    config, effective = make(data_dir=tmp_path)
    findings = check(config, effective)

    assert [each.check for each in findings if each.verdict == "fail"] == ["controller", "contact"]
    assert all(each.remedy for each in findings if each.verdict != "ok")


def test_a_server_in_order_is_green(tmp_path: Path):
    """Otherwise nobody would look at red."""
    config, effective = make(
        data_dir=tmp_path,
        privacy={"controller": "C", "contact": "c@x.org", "dpo_contact": "d@x.org", "authority": "A"},
        mail={"host": "mail.example.org", "from_address": "meet@example.org"},
    )

    assert {each.verdict for each in check(config, effective)} == {"ok"}


@pytest.mark.parametrize(
    ("sections", "name", "verdict"),
    [
        ({"retention": {"attendance": "forever"}}, "retention", "fail"),
        ({"log": {"level": "debug"}}, "log", "fail"),
        ({}, "mail", "warn"),
        ({}, "dpo contact", "warn"),
    ],
)
def test_what_is_not_in_order_is_found(tmp_path: Path, sections: dict[str, Any], name: str, verdict: str):
    """Each of these is a promise that the server could not keep, or that nobody could call on."""
    config, effective = make(data_dir=tmp_path, **sections)

    assert verdict_of(check(config, effective), name) == verdict


def test_marks_of_erasures_that_end_too_early_are_found(tmp_path: Path):
    """The configuration refuses it; periods in force may still be older ones."""
    config, effective = make(data_dir=tmp_path)

    assert verdict_of(check(config, {**effective, "backup": days(60)}), "erasures") == "fail"


def test_a_file_that_nobody_declared_is_found(tmp_path: Path):
    """A copy of the database that somebody left there holds everybody who was erased since."""
    config, effective = make(data_dir=tmp_path)
    (tmp_path / "pymeet.db.old").write_bytes(b"x")
    (tmp_path / "pymeet.db").write_bytes(b"x")

    finding = next(each for each in check(config, effective) if each.check == "files")
    assert finding.verdict == "fail"
    assert "pymeet.db.old" in finding.says


def test_a_stored_file_that_is_not_sealed_is_found(tmp_path: Path):
    """Sealed files pass, whatever is in them; a plain one in their place does not."""
    config, effective = make(data_dir=tmp_path)
    keys = KeyStore.open(tmp_path / "keys.db", Keyring.open(tmp_path))
    try:
        files, file_id = Files(tmp_path, keys), new_id()
        sink = files.create(file_id, 0)
        sink.write(b"private")
        sink.finish()
        log = files.create_log(new_id(), 0)
        log.append(b"private")
        log.finish()
        assert verdict_of(check(config, effective), "sealing") == "ok"

        files.path(file_id).write_bytes(b"private")
        assert verdict_of(check(config, effective), "sealing") == "fail"
    finally:
        keys.close()
