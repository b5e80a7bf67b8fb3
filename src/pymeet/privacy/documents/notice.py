"""The privacy notice (Articles 13 and 14): what is held, why, who sees it, until when, and how to use one's rights.

`texts` makes the canonical text in every language, of which `notices` keeps every version: it changes when what the notice
says changes, and neither with the layout of the page nor with the day.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pymeet.config import Config
from pymeet.db.inventory import Category, Keep, KeepWith, Kind, Recipient, TableEntry, entries
from pymeet.db.memory import MEMORY
from pymeet.db.outflows import RECEIVERS
from pymeet.db.schema import metadata
from pymeet.db.stores import CLIENT
from pymeet.privacy.documents.deadlines import Deadline, Effective, deadlines
from pymeet.privacy.documents.flow import receiver_state
from pymeet.privacy.documents.words import LANGUAGES, Words, words

MY_DATA = "/my-data"
"""The page on which members use their rights."""

GUEST_DATA = "/guest-data"
"""The page for who has a receipt."""

RIGHTS = ("access", "rectification", "erasure", "restriction", "objection", "withdrawal", "complaint")


@dataclass(frozen=True)
class Until:
    """When rows end: `text` says it, `latest` by when they are gone from everywhere; empty where they have no end."""

    text: str
    latest: str
    endless: bool


@dataclass(frozen=True)
class Held:
    """One sort of data."""

    name: str
    """The table."""
    title: str
    holds: tuple[str, ...]
    purpose: str
    basis: str
    seen_by: tuple[str, ...]
    until: tuple[Until, ...]


@dataclass(frozen=True)
class Group:
    """What stands under one heading."""

    title: str
    held: tuple[Held, ...]


@dataclass(frozen=True)
class Stored:
    """Something that the visitor's browser or the server's memory keeps."""

    name: str
    where: str
    holds: str
    purpose: str
    lifetime: str


@dataclass(frozen=True)
class Receiving:
    """Somebody who receives something."""

    name: str
    receives: str
    purpose: str
    outside: bool


@dataclass(frozen=True)
class Right:
    """A right, and how it is used here."""

    name: str
    article: str
    how: str


@dataclass(frozen=True)
class Notice:
    """Everything that the notice says, in one language; each text is a sentence or more."""

    language: str
    responsible: tuple[tuple[str, str], ...]
    """What and who. Empty where the operator has named nobody."""
    short: tuple[str, ...]
    endless: bool
    groups: tuple[Group, ...]
    memory: tuple[Stored, ...]
    browser: tuple[Stored, ...]
    log: tuple[str, ...]
    receivers: tuple[Receiving, ...]
    rights: tuple[Right, ...]
    ways: tuple[str, ...]
    """How the rights are used here."""


def notice(language: str, config: Config, effective: Effective) -> Notice:
    """What the notice says where these settings and periods are in force."""
    say = words(language)
    due = deadlines(effective)
    mail = config.mail.host is not None
    groups = tuple(_groups(say, due, mail=mail))
    endless = any(until.endless for group in groups for held in group.held for until in held.until)
    return Notice(
        language=say.language,
        responsible=tuple(_responsible(say, config)),
        short=tuple(_short(say, config, endless=endless)),
        endless=endless,
        groups=groups,
        memory=tuple(
            Stored(say.of(each.name), "", say.of(each.holds), say.of(each.purpose), say.of(each.keep))
            for each in MEMORY
        ),
        browser=tuple(browser_stores(say, config)),
        receivers=tuple(
            Receiving(say.of(each.name), say.of(each.receives), say.of(each.purpose), each.outside)
            for each in RECEIVERS
            if receiver_state(each.needs, config) == "configured"
        ),
        log=tuple(_log(say, config)),
        rights=tuple(_rights(say, effective)),
        ways=tuple(_ways(say, config)),
    )


def notice_text(language: str, config: Config, effective: Effective) -> str:
    """The notice as Markdown without tables, readable as it stands: the canonical text of which versions are kept."""
    say = words(language)
    made = notice(language, config, effective)
    lines = [f"# {say('notice.title')}", "", say("notice.made")]
    for key, body in _sections(say, made):
        lines += ["", f"## {say(f'notice.{key}.heading')}", "", *body]
    return unicodedata.normalize("NFC", "\n".join(lines)) + "\n"


def texts(config: Config, effective: Effective) -> dict[str, str]:
    """The canonical text in every language."""
    return {language: notice_text(language, config, effective) for language in LANGUAGES}


def changed(before: str, after: str) -> tuple[str, ...]:
    """The headings under which two canonical texts of one language differ, in the order of the newer one."""
    old, new = _by_heading(before), _by_heading(after)
    return tuple(heading for heading in [*new, *(old.keys() - new.keys())] if old.get(heading) != new.get(heading))


def browser_stores(say: Words, config: Config) -> Iterator[Stored]:
    """What the visitor's browser keeps, with the lifetimes that are configured."""
    lives = {
        name: say.period(round(getattr(config.sessions, name).total_seconds() * 1000)) for name in ("idle", "absolute")
    }
    for each in CLIENT:
        lifetime = say.of(each.lifetime).format_map(lives)
        yield Stored(each.name, say.of(each.place), say.of(each.holds), say.of(each.purpose), lifetime)


def columns_of(say: Words, entry: TableEntry) -> tuple[str, ...]:
    """What the personal columns of a table say, in words; references only where nothing else is."""
    personal = {name: column for name, column in entry.columns.items() if column.personal}
    found = [
        say(f"column.{entry.name}.{name}") for name, column in personal.items() if column.kind is not Kind.REFERENCE
    ]
    return tuple(found) or (say("reference"),)


def begins_of(say: Words, table: str, rule: Keep) -> str:
    """From when time runs for the rows of a table, in words."""
    return say(f"begins.{table}") if f"begins.{table}" in say else say.of(rule.rule.begins)


def _responsible(say: Words, config: Config) -> Iterator[tuple[str, str]]:
    given = config.privacy
    for key, value in (
        ("controller", given.controller),
        ("contact", given.contact),
        ("dpo", given.dpo_contact),
        ("authority", given.authority),
    ):
        if value:
            yield say(f"notice.responsible.{key}"), value


def _short(say: Words, config: Config, *, endless: bool) -> Iterator[str]:
    yield say("notice.short.media")
    yield say(f"notice.short.{'mail' if config.mail.host else 'nobody'}")
    if config.oidc.issuer:
        yield say("notice.short.oidc", name=config.oidc.label)
        yield say("notice.short.source", name=config.oidc.label)
    yield say("notice.short.adverts")
    if config.rooms.guests_allowed:
        yield say("notice.short.guests")
    yield say(f"notice.short.{'endless' if endless else 'finite'}")


def _log(say: Words, config: Config) -> Iterator[str]:
    yield say("notice.log.text")
    if config.log.level == "debug":
        yield say("notice.log.debug")


def _ways(say: Words, config: Config) -> Iterator[str]:
    yield say("notice.rights.members", url=MY_DATA)
    if config.rooms.guests_allowed:
        yield say("notice.rights.guests", url=GUEST_DATA)
    yield say("notice.rights.answer")


def _groups(say: Words, due: Mapping[str, Deadline], *, mail: bool) -> Iterator[Group]:
    by_category: dict[Category, list[Held]] = {}
    for entry in entries(metadata):
        if entry.personal:
            by_category.setdefault(entry.category, []).append(_held(say, entry, due, mail=mail))
    for category in Category:
        if held := by_category.get(category):
            yield Group(say(f"category.{category}"), tuple(held))


def _held(say: Words, entry: TableEntry, due: Mapping[str, Deadline], *, mail: bool) -> Held:
    # Backups hold every table; they have a section of their own.
    left_out = {Recipient.BACKUPS} if mail else {Recipient.BACKUPS, Recipient.MAIL_SERVER}
    seen_by = tuple(say.of(each) for each in entry.recipients if each not in left_out)
    return Held(
        name=entry.name,
        title=say(f"title.{entry.name}"),
        holds=columns_of(say, entry),
        purpose=say.of(entry.purpose),
        basis=say(f"basis.{entry.basis}"),
        seen_by=seen_by or (say("notice.held.nobody"),),
        until=tuple(_until(say, entry.name, rule, due) for rule in entry.keep if isinstance(rule, Keep | KeepWith)),
    )


def _until(say: Words, table: str, rule: Keep | KeepWith, due: Mapping[str, Deadline]) -> Until:
    if isinstance(rule, KeepWith):
        return Until(_sentence(say("notice.held.as_long", what=say(f"with.{rule.table}"))), "", endless=False)
    deadline = due[rule.name]
    if deadline.period_ms is None or deadline.gone_ms is None or deadline.gone_everywhere_ms is None:
        return Until(say("notice.held.endless"), "", endless=True)
    begins = begins_of(say, table, rule)
    text = say("notice.held.each", period=say.period(deadline.period_ms), begins=begins)
    if not deadline.period_ms:
        text = f"{say.period(0)} {begins}"
    more = f" {say('notice.held.per_room')}" if rule.rule.per_room else ""
    if rule.unless_named_by:
        what = say(f"title.{rule.unless_named_by.partition('.')[0]}")
        more += f" {say('notice.held.unless_named', what=what)}"
    latest = say(
        "notice.held.latest",
        gone=say.at_most(deadline.gone_ms),
        everywhere=say.at_most(deadline.gone_everywhere_ms),
    )
    return Until(_sentence(text) + more, latest, endless=False)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _rights(say: Words, effective: Effective) -> Iterator[Right]:
    grace_ms = effective["erasure_grace"] or 0
    grace = say("notice.rights.grace", period=say.period(grace_ms)) if grace_ms else say("notice.rights.no_grace")
    for key in RIGHTS:
        how = say(f"notice.rights.{key}.how", grace=grace)
        yield Right(say(f"notice.rights.{key}.name"), say(f"notice.rights.{key}.article"), how)


def _sections(say: Words, made: Notice) -> Iterator[tuple[str, list[str]]]:
    """The body of each section, in order."""
    named = [f"- {what}: {who}" for what, who in made.responsible]
    yield "responsible", named or [say("notice.responsible.missing")]
    yield "short", [f"- {line}" for line in made.short]
    held = [say("notice.held.text"), "", say("notice.held.references")]
    for group in made.groups:
        held += ["", f"### {group.title}"]
        for each in group.held:
            held += ["", f"**{each.title}**: {'; '.join(each.holds)}.", ""]
            held += [
                f"- {say('notice.held.why')}: {each.purpose}",
                f"- {say('notice.held.basis')}: {each.basis}",
                f"- {say('notice.held.seen')}: {', '.join(each.seen_by)}",
                *(f"- {say('notice.held.until')}: {until.text} {until.latest}".rstrip() for until in each.until),
            ]
    yield "held", held
    yield "memory", [say("notice.memory.text"), "", *(_stored(each) for each in made.memory)]
    yield "browser", [say("notice.browser.text"), "", *(_stored(each) for each in made.browser)]
    yield "log", list(made.log)
    yield (
        "receivers",
        [
            *(f"- {each.name}: {each.receives} {each.purpose}" for each in made.receivers),
            "",
            say("notice.receivers.text"),
            "",
            say("notice.receivers.turn"),
        ],
    )
    rights = [f"- {each.name} ({each.article}): {each.how}" for each in made.rights]
    yield "rights", [*rights, *(line for way in made.ways for line in ("", way))]


def _stored(each: Stored) -> str:
    place = f" ({each.where})" if each.where else ""
    return f"- {each.name}{place}: {each.holds} {each.purpose} {each.lifetime}"


def _by_heading(text: str) -> dict[str, str]:
    found = {}
    for part in text.split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        found[heading] = body.strip()
    return found
