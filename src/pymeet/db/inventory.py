"""The words in which the schema says what it holds about people. Declaring a table without saying it fails at import.

What follows from the declarations (sweeping, exports, erasure, the privacy page) is derived elsewhere and never written
twice. Legal words follow the GDPR. How long the classes are kept stands in `pymeet.retention`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Index, MetaData, Table
from sqlalchemy.schema import SchemaItem

from pymeet.errors import PymeetError
from pymeet.retention import CLASSES, RetentionClass

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


DATA_CATEGORIES: Mapping[Kind, str] = {
    Kind.REFERENCE: "user.unique_id.pseudonymous",
    Kind.NAME: "user.name",
    Kind.CONTACT: "user.contact.email",
    Kind.CONTENT: "user.content.private",
    Kind.ACTIVITY: "user.behavior",
    Kind.ROLE: "user.account.settings",
    Kind.CREDENTIAL: "user.authorization.credentials",
}
"""The keys of the public taxonomy fideslang (CC BY 4.0, Ethyca) that other tools for records of processing know."""


class Category(StrEnum):
    """The headings of the record of processing."""

    ACCOUNT = "account"
    SIGN_IN = "sign-in"
    ROOM = "room"
    MEETING = "meeting"  # what happens live
    ATTENDANCE = "attendance"
    CHAT = "chat"
    RECORDING = "recording"
    MAIL = "mail"
    RIGHTS = "rights"  # requests of data subjects, consent, archives
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
    ANONYMISE = "anonymise"  # each personal column follows its decision about erasure, the row stays
    ERASE = "erase the person"  # an erasure like one that was asked for, with everything that belongs to them
    SEGMENT = "delete the month"  # a whole month of the audit log; its anchor stays, so that the rest can be verified


class Anchor(StrEnum):
    """What a path to a person ends in."""

    MEMBER = "users.id"
    GUEST = "attendance.participant_id"  # who has no account is known by the random id of their seat


class Recipient(StrEnum):
    """To whom rows of a table are shown or handed in the ordinary course of things (Article 30(1)(d))."""

    ROOM = "participants of the room"
    OWNER = "the room's owner"
    VIEWERS = "people with whom it is shared"
    HOST = "the host who started the recording"
    RECORDED = "the members in the recording"
    INVITED = "people invited to the meeting"
    ORGANISER = "the meeting's organiser"
    GROUP = "members of the group"
    MEMBERS = "members"
    ADMINISTRATORS = "administrators"
    PRIVACY_OFFICERS = "data protection officers"
    MAIL_SERVER = "the operator's mail server"
    BACKUPS = "backups"


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
    sealed_file: bool = False
    """It holds the id of a sealed file, which is destroyed together with the row."""
    file_withheld: bool = False
    """No export carries that file."""


@dataclass(frozen=True)
class Hop:
    """One step towards a person: this table's `column` holds the value of `to`, written `table.column`."""

    column: str
    to: str


@dataclass(frozen=True)
class Subject:
    """Whose data a row is: `hops` lead to the anchor; without hops the row is the person."""

    role: str
    hops: tuple[Hop, ...] = ()
    anchor: Anchor = Anchor.MEMBER


@dataclass(frozen=True)
class Unreachable:
    """People whose data is here and whom no id leads to, with the reason and how they are found nevertheless."""

    role: str
    reason: str


@dataclass(frozen=True)
class Keep:
    """Rows live for a period that begins at `clock`, a column of UTC milliseconds; while it is NULL nothing is due."""

    name: str
    """The retention class, a key of `pymeet.retention.CLASSES`."""
    clock: str
    purge: Purge = Purge.DELETE
    unless_named_by: str = ""
    """`table.column`: not while a row there finds its person by this row, and in no other way."""

    @property
    def rule(self) -> RetentionClass:
        """The class with its bounds."""
        return CLASSES[self.name]


@dataclass(frozen=True)
class KeepWith:
    """Rows live exactly as long as the row of `table` to which `column` points."""

    table: str
    column: str


@dataclass(frozen=True)
class Lasting:
    """Rows stay as long as the server, for the reason given. Only for what says nothing about anybody."""

    reason: str


@dataclass(frozen=True)
class TableEntry:
    """The declaration of one table."""

    name: str
    category: Category
    purpose: str
    basis: Basis
    subjects: tuple[Subject | Unreachable, ...]
    keep: tuple[Keep | KeepWith | Lasting, ...]
    erase: EraseRow
    columns: Mapping[str, ColumnEntry]
    recipients: tuple[Recipient, ...] = ()
    made_again: Mapping[str, Any] = field(default_factory=dict)
    """Rows with a file made of several people's data: where erasing one ends such a row, another takes its place, with
    these values, and its file is made again without them. Empty where nothing is."""

    @property
    def personal(self) -> bool:
        """Whether any column says something about anybody."""
        return any(column.personal for column in self.columns.values())


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


def sealed_file(*, withheld: str = "") -> dict[str, Any]:
    """Declares a column with the id of a sealed file: key and file are destroyed with the row.

    An export carries the file, unless it is `withheld`, for this reason.
    """
    reason = withheld or "A random number; what the file holds is handed over as such."
    return {
        KEY: ColumnEntry(
            True,
            Kind.REFERENCE,
            Erase.WITH_ROW,
            Export.NO,
            reason=reason,
            sealed_file=True,
            file_withheld=bool(withheld),
        )
    }


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
    keep: tuple[Keep | KeepWith | Lasting, ...],
    erase: EraseRow,
    recipients: tuple[Recipient, ...] = (),
    made_again: Mapping[str, Any] | None = None,
    **options: Any,
) -> Table:
    """Makes a table and its declaration; raises InventoryError where anything is left unsaid or contradicts itself."""
    columns: dict[str, ColumnEntry] = {}
    for item in items:
        if isinstance(item, Column):
            columns[item.name] = _entry_of(name, item)
    if not purpose.strip():
        raise InventoryError(f"Table {name} does not say what it is for.")
    is_personal = any(entry.personal for entry in columns.values())
    if is_personal and not subject:
        raise InventoryError(f"Table {name} does not say whose data it holds.")
    if not keep:
        raise InventoryError(f"Table {name} does not say how long its rows live.")
    for column, entry in columns.items():
        _check_erasure(f"{name}.{column}", entry, erase)
    for rule in keep:
        _check_keep(name, rule, columns, is_personal=is_personal)
    if strange := set(made_again or {}) - set(columns):
        raise InventoryError(f"Rows of {name} are made again with columns it does not have: {', '.join(strange)}.")
    entry_of_table = TableEntry(
        name, category, purpose, basis, subject, keep, erase, columns, recipients, made_again or {}
    )
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
        needed = [rule.clock for rule in entry.keep if isinstance(rule, Keep)]
        needed += [rule.column for rule in entry.keep if isinstance(rule, KeepWith)]
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
            if isinstance(rule, Keep) and rule.unless_named_by:
                _check_naming(metadata, entry.name, rule)


def digest(metadata: MetaData) -> str:
    """A fingerprint of everything the inventory says, 16 hexadecimal digits: stamped on exports, ledgers and backups."""
    said = json.dumps([asdict(entry) for entry in entries(metadata)], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


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


def _check_keep(
    name: str, rule: Keep | KeepWith | Lasting, columns: Mapping[str, ColumnEntry], *, is_personal: bool
) -> None:
    if isinstance(rule, Lasting):
        if is_personal or not rule.reason.strip():
            raise InventoryError(f"Table {name} may last for ever only with a reason and without personal columns.")
        return
    column = rule.clock if isinstance(rule, Keep) else rule.column
    if column not in columns:
        raise InventoryError(f"The life of {name} depends on a column it does not have: {column}.")
    if isinstance(rule, Keep) and rule.name not in CLASSES:
        raise InventoryError(f"The life of {name} follows a retention class that does not exist: {rule.name}.")


def _check_naming(metadata: MetaData, name: str, rule: Keep) -> None:
    naming, _, column = rule.unless_named_by.partition(".")
    entry = metadata.tables[naming].info[KEY] if naming in metadata.tables else None
    paths = entry.subjects if isinstance(entry, TableEntry) else ()
    if not any(
        isinstance(path, Subject)
        and path.hops
        and (path.hops[0].column, path.hops[0].to.partition(".")[0]) == (column, name)
        for path in paths
    ):
        raise InventoryError(f"Rows of {name} are kept for {rule.unless_named_by}, which leads to nobody through them.")


def _check_path(metadata: MetaData, name: str, whose: Subject) -> None:
    at = name
    reached = f"{name}.{whose.anchor.value.partition('.')[2]}"
    for hop in whose.hops:
        target, _, column = hop.to.partition(".")
        if hop.column not in metadata.tables[at].columns:
            raise InventoryError(f"The path to the {whose.role} of {name} names {at}.{hop.column}, which is not there.")
        if target not in metadata.tables or column not in metadata.tables[target].columns:
            raise InventoryError(f"The path to the {whose.role} of {name} leads to {hop.to}, which is not there.")
        at, reached = target, hop.to
    if reached != whose.anchor.value:
        raise InventoryError(f"The path to the {whose.role} of {name} ends at {reached} instead of {whose.anchor}.")
