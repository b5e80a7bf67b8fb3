"""The data map: every place where something is kept, column by column, with whose it is and who receives it."""

from dataclasses import asdict
from typing import Any

from pymeet.config import Config
from pymeet.db.declared import digest, tables
from pymeet.db.inventory import (
    DATA_CATEGORIES,
    ColumnEntry,
    Erase,
    EraseRow,
    Keep,
    KeepWith,
    Lasting,
    Recipient,
    Subject,
    TableEntry,
    Unreachable,
)
from pymeet.db.memory import MEMORY
from pymeet.db.outflows import LOG_FIELDS, RECEIVERS
from pymeet.db.stores import BOOKKEEPING_TABLES, FILES
from pymeet.privacy.documents.deadlines import Effective
from pymeet.privacy.documents.flow import flow, receiver_state
from pymeet.privacy.documents.model import Document, Grid, Section
from pymeet.privacy.documents.notice import begins_of, browser_stores
from pymeet.privacy.documents.words import Words


def data_map(say: Words, config: Config, effective: Effective) -> Document:
    """The whole map, with the periods in force."""
    return Document(
        title=say("data_map.title"),
        sections=(
            Section(text=(say("data_map.text", digest=digest()),)),
            Section(say("data_map.flow"), diagram=flow(say, config)),
            *sections(say, config, effective),
        ),
        rows=_rows(say),
        data=_data(say, config, effective),
    )


def sections(say: Words, config: Config, effective: Effective) -> tuple[Section, ...]:
    """The map's parts as Markdown, below the diagram."""
    found = [Section(say("data_map.tables"), text=(say("data_map.tables_text"),))]
    for file, entry in tables():
        found += _table(say, file, entry, effective)
    found.append(
        Section(say("data_map.bookkeeping"), items=tuple(f"`{k}`: {say.of(v)}" for k, v in BOOKKEEPING_TABLES.items()))
    )
    head = tuple(say(f"data_map.{key}") for key in ("file", "holds", "purpose", "kept", "on_erasure", "in_export"))
    found.append(
        Section(
            say("data_map.files"),
            text=(say("data_map.files_text"),),
            grid=Grid(
                head,
                tuple(
                    (
                        ", ".join(f"`{path}`" for path in each.paths),
                        *(say.of(text) for text in (each.holds, each.purpose, each.keep, each.erase, each.export)),
                    )
                    for each in FILES
                ),
            ),
        )
    )
    found += (
        Section(say("notice.browser.heading"), text=(say("notice.browser.text"),), grid=browser_grid(say, config)),
        Section(
            say("notice.memory.heading"),
            text=(say("notice.memory.text"),),
            grid=Grid(
                tuple(say(f"data_map.{key}") for key in ("store", "holds", "purpose", "lifetime")),
                tuple(
                    tuple(say.of(text) for text in (each.name, each.holds, each.purpose, each.keep)) for each in MEMORY
                ),
            ),
        ),
        Section(
            say("data_map.log"),
            text=(say("data_map.log_text"),),
            grid=Grid(
                (say("data_map.field"), say("data_map.holds")),
                tuple((f"`{name}`", say.of(holds)) for name, holds in sorted(LOG_FIELDS.items())),
            ),
        ),
        Section(say("notice.receivers.heading"), grid=receivers_grid(say, config)),
    )
    return tuple(found)


def browser_grid(say: Words, config: Config) -> Grid:
    """What the visitor's browser keeps."""
    head = tuple(say(f"notice.browser.{key}") for key in ("name", "where", "holds", "purpose", "lifetime"))
    stores = browser_stores(say, config)
    return Grid(head, tuple((f"`{each.name}`", each.where, each.holds, each.purpose, each.lifetime) for each in stores))


def receivers_grid(say: Words, config: Config) -> Grid:
    """Who receives something, and who does not because nothing is configured."""
    head = tuple(say(f"data_map.{key}") for key in ("recipient", "receives", "purpose", "basis", "state"))
    return Grid(
        head,
        tuple(
            (
                say.of(each.name),
                say.of(each.receives),
                say.of(each.purpose),
                say(f"lawful.{each.basis}"),
                say(f"data_map.{receiver_state(each.needs, config)}"),
            )
            for each in RECEIVERS
        ),
    )


def kept(say: Words, table: str, rule: Keep | KeepWith | Lasting, effective: Effective) -> str:
    """How long rows live by one rule, as a sentence."""
    if isinstance(rule, Lasting):
        return say("data_map.lasting", reason=say.of(rule.reason))
    if isinstance(rule, KeepWith):
        return say("data_map.with", table=rule.table, column=rule.column)
    period_ms = effective[rule.name]
    longer = f" {say('data_map.unless_named', place=rule.unless_named_by)}" if rule.unless_named_by else ""
    text = say(
        "data_map.keep",
        period=say("data_map.endless") if period_ms is None else say.period(period_ms),
        begins=begins_of(say, table, rule),
        clock=rule.clock,
        key=f"retention.{rule.name}",
        action=say.of(rule.purge),
    )
    return text + longer


def recipients_of(entry: TableEntry) -> tuple[Recipient, ...]:
    """To whom rows go; a backup is a copy of the whole database, so it always is one of them."""
    return (*(each for each in entry.recipients if each is not Recipient.BACKUPS), Recipient.BACKUPS)


def _table(say: Words, file: str, entry: TableEntry, effective: Effective) -> list[Section]:
    on_erasure = say(f"data_map.erase_{'row' if entry.erase is EraseRow.DELETE else 'columns'}")
    items = [
        f"{say('data_map.category')}: {say(f'category.{entry.category}')}",
        f"{say('data_map.basis')}: {say(f'lawful.{entry.basis}')}",
        *(f"{say('data_map.whose')}: {_whose(say, each)}" for each in entry.subjects),
        *(f"{say('data_map.kept')}: {kept(say, entry.name, rule, effective)}" for rule in entry.keep),
        *([f"{say('data_map.on_erasure')}: {on_erasure}"] if entry.personal else []),
        f"{say('data_map.recipients')}: {', '.join(say.of(each) for each in recipients_of(entry))}",
    ]
    head = tuple(say(f"data_map.{key}") for key in ("column", "personal", "data_category", "on_erasure", "in_export"))
    rows = tuple(_column(say, name, column) for name, column in entry.columns.items())
    title = f"`{entry.name}`" if file == "pymeet.db" else f"`{entry.name}` ({file})"
    return [Section(title, 3, text=(say.of(entry.purpose),), items=tuple(items)), Section(grid=Grid(head, rows))]


def _whose(say: Words, whose: Subject | Unreachable) -> str:
    if isinstance(whose, Unreachable):
        return f"{say.of(whose.role)}. {say.of(whose.reason)}"
    path = " → ".join(f"`{hop.column}` → `{hop.to}`" for hop in whose.hops)
    return f"{say.of(whose.role)} ({path or say('data_map.itself')})"


def _column(say: Words, name: str, entry: ColumnEntry) -> tuple[str, ...]:
    if entry.kind is None or entry.erase is None or entry.export is None:
        return (f"`{name}`", say.of("no"), "–", "–", "–")
    what = say.of(entry.kind)
    what += f", {say('data_map.secret')}" if entry.secret else ""
    what += f", {say('data_map.provided')}" if entry.provided else ""
    reason = f" ({say.of(entry.reason)})" if entry.reason else ""
    keeps = entry.erase is Erase.KEEP
    return (
        f"`{name}`",
        what,
        f"`{DATA_CATEGORIES[entry.kind]}`",
        say.of(entry.erase) + (reason if keeps else ""),
        say.of(entry.export) + ("" if keeps else reason),
    )


def _rows(say: Words) -> Grid:
    head = (
        "store",
        "column",
        "category",
        "personal",
        "kind",
        "data_category",
        "on_erasure",
        "in_export",
        "reason",
        "recipients",
    )
    found = []
    for file, entry in tables():
        recipients = "; ".join(recipients_of(entry))
        for name, column in entry.columns.items():
            found.append(
                (
                    f"{file}:{entry.name}",
                    name,
                    entry.category.value,
                    "yes" if column.personal else "no",
                    column.kind or "",
                    DATA_CATEGORIES[column.kind] if column.kind else "",
                    column.erase or "",
                    column.export or "",
                    say.of(column.reason) if column.reason else "",
                    recipients,
                )
            )
    for store in FILES:
        personal = "yes" if store.personal else "no"
        found.append(
            (store.name, "", store.category.value, personal, "", "", say.of(store.erase), say.of(store.export), "", "")
        )
    return Grid(head, tuple(found))


def _data(say: Words, config: Config, effective: Effective) -> dict[str, Any]:
    return {
        "digest": digest(),
        "language": say.language,
        "tables": [_table_data(say, file, entry, effective) for file, entry in tables()],
        "files": [
            {
                "paths": list(each.paths),
                "category": each.category,
                **{key: say.of(getattr(each, key)) for key in ("holds", "purpose", "keep", "erase", "export")},
                "personal": each.personal,
                "secret": each.secret,
                "retention": each.retention,
            }
            for each in FILES
        ],
        "browser": [asdict(each) for each in browser_stores(say, config)],
        "memory": [
            {
                "category": each.category,
                "basis": each.basis,
                **{key: say.of(getattr(each, key)) for key in ("name", "holds", "purpose", "keep")},
            }
            for each in MEMORY
        ],
        "log": {name: say.of(holds) for name, holds in sorted(LOG_FIELDS.items())},
        "recipients": [
            {
                "name": say.of(each.name),
                "receives": say.of(each.receives),
                "purpose": say.of(each.purpose),
                "basis": each.basis,
                "configured": receiver_state(each.needs, config) == "configured",
                "outside": each.outside,
            }
            for each in RECEIVERS
        ],
        "bookkeeping": {name: say.of(holds) for name, holds in BOOKKEEPING_TABLES.items()},
    }


def _table_data(say: Words, file: str, entry: TableEntry, effective: Effective) -> dict[str, Any]:
    return {
        "file": file,
        "name": entry.name,
        "category": entry.category,
        "purpose": say.of(entry.purpose),
        "basis": entry.basis,
        "personal": entry.personal,
        "subjects": [
            {"role": say.of(each.role), "unreachable": say.of(each.reason)}
            if isinstance(each, Unreachable)
            else {"role": say.of(each.role), "path": [asdict(hop) for hop in each.hops], "anchor": each.anchor}
            for each in entry.subjects
        ],
        "keep": [{"text": kept(say, entry.name, rule, effective), **_class_of(rule, effective)} for rule in entry.keep],
        "erase": entry.erase,
        "recipients": list(recipients_of(entry)),
        "columns": [
            {
                "name": name,
                **asdict(column),
                "reason": say.of(column.reason) if column.reason else "",
                "data_category": DATA_CATEGORIES[column.kind] if column.kind else None,
            }
            for name, column in entry.columns.items()
        ],
    }


def _class_of(rule: Keep | KeepWith | Lasting, effective: Effective) -> dict[str, Any]:
    return {"class": rule.name, "period_ms": effective[rule.name]} if isinstance(rule, Keep) else {}
