"""The gate: what is not declared, or contradicts itself, cannot be imported."""

import re
from pathlib import Path, PurePath
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Index, MetaData, Table, Text

from pymeet.db import declared
from pymeet.db.inventory import (
    Basis,
    Category,
    Erase,
    EraseRow,
    Export,
    Hop,
    InventoryError,
    Keep,
    KeepWith,
    Kind,
    Lasting,
    Subject,
    Unreachable,
    check,
    entries,
    not_personal,
    personal,
    secret,
    table,
)
from pymeet.db.schema import metadata
from pymeet.db.stores import CLIENT, FILES, Place, file_store, undeclared
from pymeet.retention import CLASSES, days

KEEP = Keep("chat", clock="at_ms")
GUESTS = Unreachable("guest", "They have no account.")


def declare(*items: Any, **changes: Any) -> MetaData:
    """A schema with one good table of notes, but for what the test changes."""
    made = MetaData()
    said: dict[str, Any] = {
        "category": Category.CHAT,
        "purpose": "To remember.",
        "basis": Basis.CONTRACT,
        "subject": (GUESTS,),
        "keep": (KEEP,),
        "erase": EraseRow.DELETE,
    }
    said.update(changes)
    said = {name: value for name, value in said.items() if value is not ...}
    clock = Column("at_ms", Text, info=not_personal())
    table("notes", made, clock, Index("ix_notes_at_ms", "at_ms"), *items, **said)
    return made


def test_a_well_declared_table_passes():
    """The gate must not refuse what is in order, or nobody would keep it."""
    text = Column("text", Text, info=personal(Kind.CONTENT, erase=Erase.WITH_ROW, export=Export.YES))

    made = declare(text)

    check(made)
    assert entries(made)[0].columns["text"].kind is Kind.CONTENT


def test_an_unclassified_column_fails_at_import():
    """A forgotten column would be neither exported nor erased, and nobody would notice."""
    with pytest.raises(InventoryError, match=r"notes\.text is not classified"):
        declare(Column("text", Text))


@pytest.mark.parametrize("forgotten", ["category", "purpose", "basis", "subject", "keep", "erase"])
def test_a_table_that_leaves_something_unsaid_fails_at_import(forgotten: str):
    """Each of these is needed to answer for the data; none has a default that could be wrong in silence."""
    with pytest.raises(TypeError, match=forgotten):
        declare(**{forgotten: ...})


@pytest.mark.parametrize(("said", "empty"), [("purpose", " "), ("subject", ()), ("keep", ())])
def test_a_table_that_says_nothing_fails_at_import(said: str, empty: object):
    """An empty answer is no answer."""
    text = Column("text", Text, info=personal(Kind.CONTENT, erase=Erase.WITH_ROW, export=Export.YES))

    with pytest.raises(InventoryError, match=r"does not say"):
        declare(text, **{said: empty})


def test_what_lasts_for_ever_says_nothing_about_anybody():
    """Without end means without persons, and with a reason that everybody can read."""
    text = Column("text", Text, info=personal(Kind.CONTENT, erase=Erase.WITH_ROW, export=Export.YES))

    with pytest.raises(InventoryError, match="for ever"):
        declare(text, keep=(Lasting("It is nice to have."),))
    with pytest.raises(InventoryError, match="for ever"):
        declare(keep=(Lasting(" "),))


def test_keeping_or_withholding_needs_a_reason():
    """Both limit somebody's rights; the reason is shown to them."""
    with pytest.raises(InventoryError, match="reason"):
        personal(Kind.NAME, erase=Erase.KEEP, export=Export.YES)
    with pytest.raises(InventoryError, match="reason"):
        personal(Kind.NAME, erase=Erase.CLEAR, export=Export.NO)
    with pytest.raises(InventoryError, match="reason"):
        secret(reason="")


def test_a_column_cannot_contradict_its_table_on_erasure():
    """A column that dies with a row that stays would never be erased."""
    stays = Column("text", Text, info=personal(Kind.CONTENT, erase=Erase.WITH_ROW, export=Export.YES))

    with pytest.raises(InventoryError, match="contradicts"):
        declare(stays, erase=EraseRow.COLUMNS)


def test_a_column_that_is_cleared_must_be_nullable():
    """Otherwise the first erasure fails in production."""
    text = Column("text", Text, nullable=False, info=personal(Kind.CONTENT, erase=Erase.CLEAR, export=Export.YES))

    with pytest.raises(InventoryError, match="not nullable"):
        declare(text, erase=EraseRow.COLUMNS)


def test_a_clock_must_be_a_column_and_its_class_must_exist():
    """A sweep cannot work by a clock that is not there, nor for a period that nobody can set."""
    with pytest.raises(InventoryError, match="does not have"):
        declare(keep=(Keep("chat", clock="read_at"),))
    with pytest.raises(InventoryError, match="class that does not exist"):
        declare(keep=(Keep("notes", clock="at_ms"),))


def test_a_path_must_lead_to_a_person():
    """A wrong path finds nobody, which looks exactly like having no data about them."""
    owner = Column("owner_id", Text, info=personal(Kind.REFERENCE, erase=Erase.WITH_ROW, export=Export.YES))
    made = declare(
        owner,
        Index("ix_notes_owner_id", "owner_id"),
        subject=(Subject("owner", (Hop("owner_id", "people.id"),)),),
    )

    with pytest.raises(InventoryError, match="leads to people"):
        check(made)


def test_what_a_sweep_or_an_erasure_searches_by_needs_an_index():
    """Without one, the sweep of a large table blocks everybody."""
    made = MetaData()
    table(
        "notes",
        made,
        Column("at_ms", Text, info=not_personal()),
        category=Category.CHAT,
        purpose="To remember.",
        basis=Basis.CONTRACT,
        subject=(GUESTS,),
        keep=(KEEP,),
        erase=EraseRow.DELETE,
    )

    with pytest.raises(InventoryError, match="needs an index"):
        check(made)


def test_a_table_made_past_the_inventory_is_found():
    """SQLAlchemy's own Table still exists; using it must not be a way around the gate."""
    made = MetaData()
    Table("notes", made, Column("text", Text))

    with pytest.raises(InventoryError, match="not declared"):
        check(made)


def test_a_column_added_later_is_found():
    """Appending to a declared table must not be a way around the gate either."""
    made = declare()
    made.tables["notes"].append_column(Column("text", Text))

    with pytest.raises(InventoryError, match="without declaration: text"):
        check(made)


def test_a_row_that_lives_with_another_names_a_table_that_exists():
    """Otherwise nothing ever ends its life."""
    made = declare(
        Column("user_id", Text, info=not_personal()),
        Index("ix_notes_user_id", "user_id"),
        keep=(KeepWith("people", "user_id"),),
    )

    with pytest.raises(InventoryError, match="does not exist"):
        check(made)


def test_a_row_that_stays_for_another_is_named_by_one_that_leads_through_it():
    """Otherwise it would stay for nothing, or everything would."""
    made = declare(keep=(Keep("chat", clock="at_ms", unless_named_by="consents.participant_id"),))

    with pytest.raises(InventoryError, match="leads to nobody through them"):
        check(made)


def test_a_row_that_is_made_again_gets_values_for_columns_it_has():
    """A misspelt one would keep the old file's values."""
    with pytest.raises(InventoryError, match="does not have"):
        declare(made_again={"fiel_id": None})


def test_a_file_that_shows_others_is_withheld_with_the_reason():
    """The archive says so, instead of just lacking it."""
    films = {entry.name: entry for entry in entries(metadata)}["films"]

    assert films.columns["file_id"].file_withheld
    assert "others" in films.columns["file_id"].reason


def test_every_token_and_hash_is_declared_a_secret():
    """What grants something must never be in an export, whoever adds the column."""
    of_public_text = {"notices.hash", "consents.notice_hash"}
    for entry in entries(metadata):
        for name, column in entry.columns.items():
            if ("hash" in name or "token" in name) and f"{entry.name}.{name}" not in of_public_text:
                assert column.secret, f"{entry.name}.{name}"
                assert column.export is Export.NO


def test_every_reference_to_a_person_is_followed_on_erasure():
    """A foreign key to users that no subject path starts with would be a person nobody finds."""
    for entry in entries(metadata):
        paths = {each.hops[0].column for each in entry.subjects if isinstance(each, Subject) and each.hops}
        for column in metadata.tables[entry.name].columns:
            if any(isinstance(key, ForeignKey) and key.column.table.name == "users" for key in column.foreign_keys):
                assert column.name in paths, f"{entry.name}.{column.name}"


def test_every_period_is_finite_and_every_class_is_used():
    """Keeping for ever is not a default, and a setting that changes nothing is a promise broken in silence."""
    used = {rule.name for entry in entries(metadata) for rule in entry.keep if isinstance(rule, Keep)}

    assert all(each.min_ms <= each.default_ms <= each.max_ms <= days(3650) for each in CLASSES.values())
    assert set(CLASSES) - used == {"erasure_grace", "backup"}  # no rows: a delay, and files beside the database


def test_what_the_pages_keep_in_the_browser_is_declared():
    """The privacy page promises a complete list; a key that is added to a script must appear there."""
    scripts = Path(__file__).parents[2] / "src" / "pymeet" / "web" / "static"
    used = {
        key
        for script in scripts.rglob("*.js")
        if "vendor" not in script.parts
        for key in re.findall(r"['\"`](pymeet\.[a-z_]+)['\"`]", script.read_text())
    }

    assert used <= {each.name for each in CLIENT if each.place is not Place.COOKIE}


def test_every_file_of_a_data_directory_has_one_declaration():
    """A file that nobody declared is one that nobody deletes."""
    made_by_pymeet = [
        "pymeet.db",
        "pymeet.db-wal",
        "keys.db-shm",
        "master.key",
        "master.key.new",
        "files/aB/aBcdefgh.sealed",
        "files/aB/aBcdefgh.sealed.part",
        "ledger/erasures.jsonl",
        "ledger/audit-checkpoints.jsonl",
        "backups/2026-11-21/files/aB/aBcdefgh.sealed",
        "self-signed.pem",
        "pymeet.sock",
        "pymeet.lock",
    ]

    assert [path for path in made_by_pymeet if file_store(path) is None] == []
    strangers = [
        "notes.txt",
        "files/aBcdefgh.sealed",
        "files/a/b/c.sealed",
        "pymeet.db.bak",
        "ledger/copy/erasures.jsonl",
    ]
    assert undeclared(map(PurePath, strangers)) == [PurePath(path) for path in strangers]


def test_the_digest_covers_everything_that_is_declared(monkeypatch: pytest.MonkeyPatch):
    """It is stamped on archives and backups: another answer anywhere must show in it."""
    before = declared.digest()

    monkeypatch.setattr(declared, "MEMORY", ())

    assert len(before) == 16
    assert declared.digest() != before


def test_files_that_end_by_time_name_a_class():
    """Their period stands in the retention table, not in a sentence of their own."""
    assert {store.retention for store in FILES} - {None} == {"ledger", "backup"}
    assert {store.retention for store in FILES} - {None} <= set(CLASSES)
