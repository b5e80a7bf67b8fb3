"""The retention table: every class with its periods, its bounds, and when the last copy is gone at the latest."""

from pymeet.config import Config
from pymeet.db.declared import tables
from pymeet.db.inventory import EraseRow, Export, Keep, TableEntry
from pymeet.db.stores import FILES
from pymeet.privacy.documents.deadlines import Deadline, Effective, deadlines
from pymeet.privacy.documents.model import Document, Grid, Section
from pymeet.privacy.documents.words import Words
from pymeet.retention import Pace, RetentionClass, format_period

_COLUMNS = ("class", "title", "tables", "default", "effective", "min", "max", "begins", "action", "erase", "export")
_MORE = ("per_room", "gone", "everywhere")


def retention_table(say: Words, config: Config, effective: Effective) -> Document:
    """All classes, with the periods in force."""
    due = deadlines(effective)
    rows = tuple(_row(say, deadline) for deadline in due.values())
    head = tuple(say(f"retention.{key}") for key in (*_COLUMNS, *_MORE))
    endless = [say.of(each.rule.title) for each in due.values() if each.period_ms is None]
    forever = (say("retention.forever", classes=", ".join(endless)),) if endless else ()
    return Document(
        title=say("retention.heading"),
        sections=(
            Section(text=(say("retention.text", at=config.retention.at), *forever)),
            Section(grid=Grid(head, tuple(_marked(row) for row in rows))),
            Section(say("retention.latest_heading"), text=(say("retention.latest_text"),)),
        ),
        rows=Grid((*_COLUMNS, *_MORE), rows),
        data={"language": say.language, "at": config.retention.at, "classes": [_data(say, d) for d in due.values()]},
    )


def users_of(name: str) -> tuple[TableEntry, ...]:
    """The tables whose rows end by a class."""
    return tuple(e for _, e in tables() if any(isinstance(rule, Keep) and rule.name == name for rule in e.keep))


def _row(say: Words, deadline: Deadline) -> tuple[str, ...]:
    rule = deadline.rule
    endless = say("data_map.endless")
    return (
        rule.name,
        say.of(rule.title),
        ", ".join(_places(rule)) or say("none"),
        format_period(rule.default_ms),
        format_period(deadline.period_ms),
        format_period(rule.min_ms),
        f"{format_period(rule.max_ms)}{f', {endless}' if rule.may_be_forever else ''}",
        say.of(rule.begins),
        ", ".join(_actions(say, rule)),
        "; ".join(_erasures(say, rule)) or "–",
        _exported(say, rule),
        say.of("yes" if rule.per_room else "no"),
        endless if deadline.gone_ms is None else say.at_most(deadline.gone_ms),
        endless if deadline.gone_everywhere_ms is None else say.at_most(deadline.gone_everywhere_ms),
    )


def _marked(row: tuple[str, ...]) -> tuple[str, ...]:
    """A row in Markdown: keys of the configuration as code, what has no end in bold."""
    found = dict(zip((*_COLUMNS, *_MORE), row, strict=True))
    found["class"] = f"`{found['class']}`"
    found["effective"] = f"**{found['effective']}**" if found["effective"] == "forever" else found["effective"]
    return tuple(found.values())


def _places(rule: RetentionClass) -> list[str]:
    files = [path for store in FILES if store.retention == rule.name for path in store.paths]
    return [*(entry.name for entry in users_of(rule.name)), *files]


def _actions(say: Words, rule: RetentionClass) -> list[str]:
    purges = {k.purge for e in users_of(rule.name) for k in e.keep if isinstance(k, Keep) and k.name == rule.name}
    if rule.name == "erasure_grace":
        return [say.of("erase the person")]
    return sorted(say.of(purge) for purge in purges) or [say.of("delete")]


def _erasures(say: Words, rule: RetentionClass) -> list[str]:
    words = {"erase_row" if e.erase is EraseRow.DELETE else "erase_columns" for e in users_of(rule.name) if e.personal}
    files = [say.of(store.erase) for store in FILES if store.retention == rule.name]
    return [*(say(f"data_map.{word}") for word in sorted(words)), *files]


def _exported(say: Words, rule: RetentionClass) -> str:
    columns = [column for entry in users_of(rule.name) for column in entry.columns.values() if column.personal]
    kinds = {column.export for column in columns}
    if kinds == {Export.YES, Export.NO}:
        return say("retention.partly")
    return say.of(Export.YES if kinds == {Export.YES} else Export.NO)


def _data(say: Words, deadline: Deadline) -> dict[str, object]:
    rule = deadline.rule
    return {
        "class": rule.name,
        "title": say.of(rule.title),
        "begins": say.of(rule.begins),
        "places": _places(rule),
        "default_ms": rule.default_ms,
        "effective_ms": deadline.period_ms,
        "min_ms": rule.min_ms,
        "max_ms": rule.max_ms,
        "may_be_forever": rule.may_be_forever,
        "per_room": rule.per_room,
        "swept": "every few minutes" if rule.pace is Pace.OFTEN else "daily",
        "actions": _actions(say, rule),
        "erase": _erasures(say, rule),
        "export": _exported(say, rule),
        "gone_within_ms": deadline.gone_ms,
        "gone_from_backups_within_ms": deadline.gone_everywhere_ms,
    }
