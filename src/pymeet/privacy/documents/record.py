"""The record of processing activities (Article 30(1)): one activity for each category of the inventory."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from pymeet.config import Config
from pymeet.db.declared import digest, tables
from pymeet.db.inventory import DATA_CATEGORIES, Category, Keep, KeepWith, Lasting, Recipient, TableEntry
from pymeet.db.memory import MEMORY, MemoryStore
from pymeet.db.stores import FILES, FileStore
from pymeet.privacy.documents.data_map import kept, recipients_of
from pymeet.privacy.documents.deadlines import Deadline, Effective, deadlines
from pymeet.privacy.documents.measures import measures
from pymeet.privacy.documents.model import Document, Grid, Section
from pymeet.privacy.documents.notice import columns_of
from pymeet.privacy.documents.words import Words


@dataclass(frozen=True)
class Activity:
    """One processing activity, in words; the fields are what the Article asks for."""

    purposes: tuple[str, ...]
    basis: tuple[str, ...]
    subjects: tuple[str, ...]
    data: tuple[str, ...]
    recipients: tuple[str, ...]
    transfers: tuple[str, ...]
    limits: tuple[str, ...]


_FIELDS = tuple(field.name for field in fields(Activity))


def record(say: Words, config: Config, effective: Effective) -> Document:
    """The record of one server, with the periods in force."""
    given = config.privacy
    named = {
        "controller": given.controller,
        "contact": given.contact,
        "dpo": given.dpo_contact,
        "authority": given.authority,
    }
    about = {key: who or say("missing") for key, who in named.items()}
    activities = {say(f"category.{category}"): each for category, each in _activities(say, config, effective)}
    guarantees = measures(say, config, effective)
    return Document(
        title=say("record.heading"),
        sections=(
            Section(text=(say("record.text", digest=digest()),)),
            Section(
                say("record.controller_heading"),
                items=tuple(f"{say(f'record.{k}')}: {who}" for k, who in about.items()),
            ),
            *(part for title, each in activities.items() for part in _written(say, title, each)),
            Section(say("record.measures"), items=guarantees),
        ),
        rows=Grid(
            ("activity", *_FIELDS, *about, "measures"),
            tuple(
                (title, *("; ".join(getattr(each, name)) for name in _FIELDS), *about.values(), "; ".join(guarantees))
                for title, each in activities.items()
            ),
        ),
        data={
            "language": say.language,
            "digest": digest(),
            **named,
            "activities": [
                {"activity": title, **{name: list(getattr(each, name)) for name in _FIELDS}}
                for title, each in activities.items()
            ],
            "measures": list(guarantees),
        },
    )


def _activities(say: Words, config: Config, effective: Effective) -> Iterator[tuple[Category, Activity]]:
    due = deadlines(effective)
    for category in Category:
        found = [entry for _, entry in tables() if entry.personal and entry.category is category]
        beside: list[MemoryStore | FileStore] = [store for store in MEMORY if store.category is category]
        beside += [each for each in FILES if each.category is category and each.personal and not each.of_tables]
        if found or beside:
            yield category, _activity(say, config, found, beside, effective, due)


def _activity(
    say: Words,
    config: Config,
    found: list[TableEntry],
    beside: list[MemoryStore | FileStore],
    effective: Effective,
    due: dict[str, Deadline],
) -> Activity:
    subjects = [each.role for entry in found for each in entry.subjects]
    recipients = [each for entry in found for each in recipients_of(entry)]
    for store in beside:
        subjects += store.subjects
        recipients += store.recipients
    if not config.mail.host:
        recipients = [each for each in recipients if each is not Recipient.MAIL_SERVER]
    kinds = dict.fromkeys(column.kind for entry in found for column in entry.columns.values() if column.kind)
    taxonomy = [", ".join(f"`{DATA_CATEGORIES[kind]}`" for kind in kinds)] if kinds else []
    return Activity(
        purposes=tuple(dict.fromkeys(say.of(each.purpose) for each in (*found, *beside))),
        basis=tuple(dict.fromkeys(say(f"lawful.{each.basis}") for each in (*found, *beside))),
        subjects=tuple(dict.fromkeys(say.of(role) for role in subjects)),
        data=(
            *(f"`{entry.name}`: {'; '.join(columns_of(say, entry))}" for entry in found),
            *(f"{_named(say, store)}: {say.of(store.holds)}" for store in beside),
            *taxonomy,
        ),
        recipients=tuple(dict.fromkeys(say.of(each) for each in recipients)) or (say("none"),),
        transfers=(say("record.no_transfers"),),
        limits=(
            *(f"`{e.name}`: {_limit(say, e.name, rule, effective, due)}" for e in found for rule in e.keep),
            *(f"{_named(say, store)}: {say.of(store.keep)}" for store in beside),
        ),
    )


def _named(say: Words, store: MemoryStore | FileStore) -> str:
    if isinstance(store, MemoryStore):
        return say.of(store.name)
    return ", ".join(f"`{path}`" for path in store.paths)


def _limit(
    say: Words, table: str, rule: Keep | KeepWith | Lasting, effective: Effective, due: dict[str, Deadline]
) -> str:
    text = kept(say, table, rule, effective)
    if not isinstance(rule, Keep):
        return text
    gone_ms, everywhere_ms = due[rule.name].gone_ms, due[rule.name].gone_everywhere_ms
    if gone_ms is None or everywhere_ms is None:
        return text
    latest = say("notice.held.latest", gone=say.at_most(gone_ms), everywhere=say.at_most(everywhere_ms))
    return f"{text} {latest}"


def _written(say: Words, title: str, activity: Activity) -> Iterator[Section]:
    yield Section(title)
    for name in _FIELDS:
        lines = getattr(activity, name)
        yield Section(
            say(f"record.{name}"), 3, text=lines if len(lines) == 1 else (), items=lines if len(lines) > 1 else ()
        )
