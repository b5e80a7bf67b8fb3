"""The words in which the schema says what it holds about people. Declaring a table without saying it fails at import.

What follows from the declarations (sweeping, exports, erasure, the privacy page) is derived elsewhere and never written
twice. Legal words follow the GDPR; periods are milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Index, MetaData, Table
from sqlalchemy.schema import SchemaItem

from pymeet.errors import PymeetError

KEY = "inventory"
"""Under this key `Table.info` and `Column.info` carry their declaration."""


class InventoryError(PymeetError):
    """A declaration is missing, empty or contradicts itself: a mistake in the program, raised at import."""

    code = "inventory_error"


class Kind(StrEnum):
    """What a personal column says about somebody."""

    REFERENCE = "reference"  # a random id that stands for a person or for something of theirs
    NAME = "name"
    CONTACT = "contact"
    CONTENT = "content"  # text that people wrote
    ACTIVITY = "activity"  # when somebody did something
    ROLE = "role"
    CREDENTIAL = "credential"


class Category(StrEnum):
    """The headings of the record of processing."""

    ACCOUNT = "account"
    SIGN_IN = "sign-in"
    ROOM = "room"
    ATTENDANCE = "attendance"
    CHAT = "chat"
    ACCOUNTABILITY = "accountability"
    OPERATION = "operation"


class Basis(StrEnum):
    """The legal bases of Article 6(1), by their letter."""

    CONSENT = "a"
    CONTRACT = "b"
    LEGAL_OBLIGATION = "c"
    LEGITIMATE_INTEREST = "f"


class EraseRow(StrEnum):
    """What erasing a person does to their rows."""

    DELETE = "delete"
    COLUMNS = "columns"  # the row stays, each personal column follows its own decision


class Erase(StrEnum):
    """What erasing a person does to one column."""

    WITH_ROW = "with the row"
    CLEAR = "clear"  # becomes NULL
    PSEUDONYM = "pseudonym"  # a name made up for this one object, so that two objects cannot be linked
    KEEP = "keep"  # with the reason


class Export(StrEnum):
    """Whether the person's own export carries the column."""

    YES = "yes"
    NO = "no"  # with the reason, which the export's manifest repeats


class Purge(StrEnum):
    """What happens to a row whose time is over."""

    DELETE = "delete"
    ANONYMISE = "anonymise"


@dataclass(frozen=True)
class ColumnEntry:
    """The declaration of one column."""

    personal: bool
    kind: Kind | None = None
    erase: Erase | None = None
    export: Export | None = None
    secret: bool = False
    provided: bool = False
    """The person typed it: it is portable (Article 20) and theirs to correct (Article 16)."""
    reason: str = ""


@dataclass(frozen=True)
class Hop:
    """One step towards a person: this table's `column` holds the value of `to`, written `table.column`."""

    column: str
    to: str


@dataclass(frozen=True)
class Subject:
    """Whose data a row is: `hops` lead to `users.id`; without hops the row is the person."""

    role: str
    hops: tuple[Hop, ...] = ()


@dataclass(frozen=True)
class Unreachable:
    """People whose data is here and whom no id leads to, with the reason and how they are found nevertheless."""

    role: str
    reason: str


@dataclass(frozen=True)
class Keep:
    """Rows live for a period that begins at `clock`, a column of UTC milliseconds; while it is NULL nothing is due."""

    name: str
    """The retention class; the configuration key is `retention.<name>`."""
    clock: str
    begins: str
    """The moment of the clock in words: "90 days after …"."""
    default_ms: int
    min_ms: int
    max_ms: int
    purge: Purge = Purge.DELETE


@dataclass(frozen=True)
class KeepWith:
    """Rows live exactly as long as the row of `table` to which `column` points."""

    table: str
    column: str


@dataclass(frozen=True)
class TableEntry:
    """The declaration of one table."""

    name: str
    category: Category
    purpose: str
    basis: Basis
    subjects: tuple[Subject | Unreachable, ...]
    keep: tuple[Keep | KeepWith, ...]
    erase: EraseRow
    columns: Mapping[str, ColumnEntry]


def hours(count: int) -> int:
    """A period in milliseconds."""
    return count * 3_600_000


def days(count: int) -> int:
    """A period in milliseconds; a day has 24 hours, whatever the calendar says."""
    return count * 86_400_000


def personal(kind: Kind, *, erase: Erase, export: Export, provided: bool = False, reason: str = "") -> dict[str, Any]:
    """Declares a personal column, for `Column(info=…)`. Keeping it, or not exporting it, needs a reason."""
    if (erase is Erase.KEEP or export is Export.NO) and not reason.strip():
        raise InventoryError("A personal column that is kept on erasure or withheld from export needs a reason.")
    return {KEY: ColumnEntry(True, kind, erase, export, provided=provided, reason=reason)}


def secret(*, reason: str) -> dict[str, Any]:
    """Declares a column that grants something: it dies with its row and no export carries it, for the reason given."""
    if not reason.strip():
        raise InventoryError("A secret column needs the reason why no export carries it.")
    return {KEY: ColumnEntry(True, Kind.CREDENTIAL, Erase.WITH_ROW, Export.NO, secret=True, reason=reason)}


def not_personal() -> dict[str, Any]:
    """Declares a column that says nothing about anybody."""
    return {KEY: ColumnEntry(False)}


def table(
    name: str,
    metadata: MetaData,
    *items: SchemaItem,
    category: Category,
    purpose: str,
    basis: Basis,
    subject: tuple[Subject | Unreachable, ...],
    keep: tuple[Keep | KeepWith, ...],
    erase: EraseRow,
    **options: Any,
) -> Table:
    """Makes a table and its declaration; raises InventoryError where anything is left unsaid or contradicts itself."""
    columns: dict[str, ColumnEntry] = {}
    for item in items:
        if isinstance(item, Column):
            columns[item.name] = _entry_of(name, item)
    if not purpose.strip():
        raise InventoryError(f"Table {name} does not say what it is for.")
    if not subject:
        raise InventoryError(f"Table {name} does not say whose data it holds.")
    if not keep:
        raise InventoryError(f"Table {name} does not say how long its rows live.")
    for column, entry in columns.items():
        _check_erasure(f"{name}.{column}", entry, erase)
    for rule in keep:
        _check_keep(name, rule, columns)
    entry_of_table = TableEntry(name, category, purpose, basis, subject, keep, erase, columns)
    return Table(name, metadata, *items, info={KEY: entry_of_table}, **options)


def entries(metadata: MetaData) -> tuple[TableEntry, ...]:
    """The declarations of all tables, parents first. Raises InventoryError for a table made without `table()`."""
    found = []
    for each in metadata.sorted_tables:
        entry = each.info.get(KEY)
        if not isinstance(entry, TableEntry):
            raise InventoryError(f"Table {each.name} is not declared in the inventory.")
        if missing := {column.name for column in each.columns} - set(entry.columns):
            raise InventoryError(f"Columns of {each.name} without declaration: {', '.join(sorted(missing))}.")
        found.append(entry)
    return tuple(found)


def check(metadata: MetaData) -> None:
    """Checks what only the whole schema can tell: paths lead somewhere, and sweeping and erasing have their indexes."""
    for entry in entries(metadata):
        made = metadata.tables[entry.name]
        first_columns = {next(iter(index.columns)).name for index in made.indexes if isinstance(index, Index)}
        first_columns |= {column.name for column in made.primary_key.columns} if len(made.primary_key) == 1 else set()
        needed = [rule.clock if isinstance(rule, Keep) else rule.column for rule in entry.keep]
        for whose in entry.subjects:
            if isinstance(whose, Subject):
                _check_path(metadata, entry.name, whose)
                needed += [whose.hops[0].column] if whose.hops else []
        for column in needed:
            if column not in first_columns:
                raise InventoryError(f"{entry.name}.{column} is searched by sweeps or erasure and needs an index.")
        for rule in entry.keep:
            if isinstance(rule, KeepWith) and rule.table not in metadata.tables:
                raise InventoryError(f"{entry.name} lives with {rule.table}, which does not exist.")


def _entry_of(name: str, column: Column[Any]) -> ColumnEntry:
    entry = column.info.get(KEY)
    if not isinstance(entry, ColumnEntry):
        raise InventoryError(f"Column {name}.{column.name} is not classified: personal(), secret() or not_personal().")
    if entry.erase is Erase.CLEAR and not column.nullable:
        raise InventoryError(f"Column {name}.{column.name} cannot be cleared: it is not nullable.")
    return entry


def _check_erasure(place: str, entry: ColumnEntry, erase: EraseRow) -> None:
    if not entry.personal:
        return
    if (entry.erase is Erase.WITH_ROW) != (erase is EraseRow.DELETE):
        raise InventoryError(f"Erasure of {place} contradicts its table: {entry.erase} in a row under {erase.name}.")


def _check_keep(name: str, rule: Keep | KeepWith, columns: Mapping[str, ColumnEntry]) -> None:
    column = rule.clock if isinstance(rule, Keep) else rule.column
    if column not in columns:
        raise InventoryError(f"The life of {name} depends on a column it does not have: {column}.")
    if isinstance(rule, Keep) and not 0 <= rule.min_ms <= rule.default_ms <= rule.max_ms:
        raise InventoryError(f"The periods of {name} are not in order: min, default, max.")


def _check_path(metadata: MetaData, name: str, whose: Subject) -> None:
    at = name
    for hop in whose.hops:
        target, _, column = hop.to.partition(".")
        if hop.column not in metadata.tables[at].columns:
            raise InventoryError(f"The path to the {whose.role} of {name} names {at}.{hop.column}, which is not there.")
        if target not in metadata.tables or column not in metadata.tables[target].columns:
            raise InventoryError(f"The path to the {whose.role} of {name} leads to {hop.to}, which is not there.")
        at = target
    if at != "users":
        raise InventoryError(f"The path to the {whose.role} of {name} ends at {at} instead of users.")
