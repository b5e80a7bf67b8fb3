"""Gate 2: every decision of the inventory is felt. Each one is turned round, and the drills must notice.

A decision that can be changed without any test failing is not tested. `make gates` turns every one round; otherwise a
few of each kind, others every day of the month.
"""

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table

from pymeet.db.inventory import ColumnEntry, Erase, EraseRow, Export, InventoryError, TableEntry, check, entries
from pymeet.db.schema import metadata
from pymeet.errors import PymeetError
from pymeet.privacy.people import member
from tests.gates.drills import NOT_PERSONAL, STAYS, WITHHELD, Pair, erasing, exporting, two_people
from tests.support.canaries import reachable

EVERY = 1 if os.environ.get("PYMEET_GATES") == "long" else 7
"""One of so many mutations is tried."""

Mutation = tuple[TableEntry, str]


def _columns() -> Iterator[Mutation]:
    for entry in reachable(member("x")):
        for name, column in entry.columns.items():
            if column.personal and _is_text(entry, name):
                yield entry, name


def _is_text(entry: TableEntry, name: str) -> bool:
    return "TEXT" in str(metadata.tables[entry.name].columns[name].type)


def _name(mutation: Any) -> str:
    return f"{mutation[0].name}.{mutation[1]}" if isinstance(mutation, tuple) else mutation.name


UNFELT = {
    ("avatars", "file_id"),  # stands for no file in these rows; that it is withheld, the drills say
    ("consents", "language"),
    ("invitees", "answer"),
    ("notification_choices", "kind"),
    ("notifications", "kind"),
    ("recording_events", "kind"),
    ("recording_tracks", "source"),
    ("recording_views", "kind"),
    ("users", "theme"),
}
"""Words that stand everywhere, and cannot be told apart from anybody else's."""

EXPORTED = [each for each in _columns() if (each[0].name, each[1]) not in NOT_PERSONAL | UNFELT]
DELETED = [entry for entry in reachable(member("x")) if entry.erase is EraseRow.DELETE]
CLEARED = [
    (entry, name)
    for entry, name in _columns()
    if entry.erase is EraseRow.COLUMNS
    and entry.columns[name].erase is not Erase.KEEP
    # what points to the account loses it with the account, whatever is declared
    and not metadata.tables[entry.name].c[name].foreign_keys
]


@pytest.mark.parametrize("guests", [False, True], ids=["member", "guest"])
async def test_as_declared_the_drills_find_nothing_wrong(tmp_path: Path, guests: bool):
    """Otherwise it means nothing that they find something below."""
    async with two_people(tmp_path, guests=guests) as pair:
        assert await exporting(pair) == []
        assert await erasing(pair) == []


@pytest.mark.parametrize("mutation", EXPORTED[::EVERY], ids=_name)
async def test_a_column_whose_export_is_turned_round_is_noticed(
    tmp_path: Path, mutation: Mutation, monkeypatch: pytest.MonkeyPatch
):
    """Handed over though it is withheld, or withheld though it is theirs."""
    entry, name = mutation
    turned = Export.NO if entry.columns[name].export is Export.YES else Export.YES
    _replace(monkeypatch, entry, name, export=turned, secret=False, sealed_file=False)
    async with two_people(tmp_path, guests=name == "participant_id") as pair:
        wrong = await exporting(pair)

    assert any(f"'{entry.name}', '{name}'" in each for each in wrong), wrong


@pytest.mark.parametrize("entry", DELETED[:: max(1, EVERY // 2)], ids=_name)
async def test_a_table_whose_rows_are_not_deleted_is_noticed(
    tmp_path: Path, entry: TableEntry, monkeypatch: pytest.MonkeyPatch
):
    """The rows then stay with everything in them; unless they hang on what goes, which takes them along."""
    columns = metadata.tables[entry.name].columns
    with_guests = "participant_id" in columns
    hang_on_account = (
        any(key.ondelete == "CASCADE" for key in columns["user_id"].foreign_keys) if "user_id" in columns else False
    )
    without_files = not any(column.sealed_file for column in entry.columns.values())
    hang_on_account = hang_on_account or (without_files and _hangs_on_account(metadata.tables[entry.name]))
    with _rows_kept(monkeypatch, entry):
        async with two_people(tmp_path, guests=with_guests) as pair:
            wrong = await _refused_or_wrong(pair)

    goes_along = _hangs_on_what_goes(metadata.tables[entry.name])
    assert bool(wrong) == (not goes_along if with_guests else not hang_on_account and not goes_along)


def _hangs_on_what_goes(table: Table) -> bool:
    """Whether rows go with others of the same person, as those who got a message do with it."""
    up = [key for key in table.foreign_keys if key.ondelete == "CASCADE" and not key.parent.nullable]
    return any(key.column.table.info["inventory"].erase is EraseRow.DELETE for key in up)


def _hangs_on_account(table: Table) -> bool:
    """Whether rows go with the account, by whatever way down."""
    up = [key.column.table for key in table.foreign_keys if key.ondelete == "CASCADE"]
    return any(each.name == "users" or _hangs_on_account(each) for each in up)


@pytest.mark.parametrize("mutation", CLEARED, ids=_name)
async def test_a_column_that_is_kept_instead_of_cleared_is_noticed(
    tmp_path: Path, mutation: Mutation, monkeypatch: pytest.MonkeyPatch
):
    """The person could still be found by it."""
    entry, name = mutation
    _replace(monkeypatch, entry, name, erase=Erase.KEEP, reason="none")
    async with two_people(tmp_path, guests=name == "participant_id") as pair:
        wrong = await _refused_or_wrong(pair)

    assert wrong


@pytest.mark.parametrize("entry", entries(metadata), ids=_name)
def test_a_declaration_that_is_dropped_cannot_be_imported(entry: TableEntry, monkeypatch: pytest.MonkeyPatch):
    """Whether a column's or a whole table's."""
    first = next(iter(entry.columns))
    # As a whole, for a column that is put back stands last, and the documents list them in order.
    rest = {name: column for name, column in entry.columns.items() if name != first}
    monkeypatch.setitem(vars(entry), "columns", rest)
    with pytest.raises(InventoryError, match="without declaration"):
        check(metadata)


def test_the_second_signature_names_only_what_exists():
    """A list that outlives its columns would excuse whatever comes under that name later."""
    known = {(entry.name, column) for entry in entries(metadata) for column in entry.columns}

    assert known >= STAYS | WITHHELD | NOT_PERSONAL
    for table, column in WITHHELD:
        assert metadata.tables[table].info["inventory"].columns[column].export is Export.NO


def _replace(monkeypatch: pytest.MonkeyPatch, entry: TableEntry, name: str, **changes: Any) -> None:
    column: ColumnEntry = dataclasses.replace(entry.columns[name], **changes)
    monkeypatch.setitem(entry.columns, name, column)  # type: ignore[arg-type]


@contextmanager
def _rows_kept(monkeypatch: pytest.MonkeyPatch, entry: TableEntry) -> Iterator[None]:
    for name, column in entry.columns.items():
        if column.personal:
            _replace(monkeypatch, entry, name, erase=Erase.KEEP, reason="none")
    before = entry.erase
    object.__setattr__(entry, "erase", EraseRow.COLUMNS)
    try:
        yield
    finally:
        object.__setattr__(entry, "erase", before)


async def _refused_or_wrong(pair: Pair) -> list[str]:
    """What is wrong after erasing; an erasure that notices by itself that something is left is as good."""
    try:
        return await erasing(pair)
    except PymeetError as error:
        return [error.message]
