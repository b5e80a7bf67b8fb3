"""The index of an archive, for people: one page without scripts that loads nothing, and reads well on paper too."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pymeet.config import PrivacyConfig
from pymeet.db.inventory import Category, Keep, KeepWith, Lasting, TableEntry, Unreachable, digest, entries
from pymeet.db.memory import MEMORY
from pymeet.db.schema import metadata
from pymeet.db.stores import CLIENT
from pymeet.privacy.export.contents import FORMAT_VERSION, Contents, Occasion, TablePart
from pymeet.privacy.export.ical import FILE as CALENDAR
from pymeet.privacy.export.reading import SOMEBODY_ELSE
from pymeet.privacy.export.words import ExportWords, export_words

Period = Callable[[str], int | None]

_LINES_AT_ONCE: Final = 200

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_ORDER = {category: number for number, category in enumerate(Category)}


def render_index(contents: Contents, occasion: Occasion, privacy: PrivacyConfig, period: Period) -> Iterator[str]:
    """The page in pieces."""
    words = export_words(occasion.language)
    parts = _in_reading_order(contents.parts)
    titles = [words.title(entry.name) for entry in contents.empty]
    stream = _PAGES.get_template("index.html").stream(
        w=words,
        language=words.language,
        occasion=occasion,
        made=_moment(occasion.made_at_ms),
        is_member=occasion.person.user_id is not None,
        contents=contents,
        sections=[_section(words, part, period) for part in parts],
        empty=words.documents.listed(titles) if titles else "",
        calendar=CALENDAR,
        withheld=_withheld(words, contents),
        unreachable=_unreachable(words),
        memory=[f"{words.documents.of(each.holds)} {words.documents.of(each.keep)}" for each in MEMORY],
        browser=[(each.name, words.documents.of(each.holds)) for each in CLIENT],
        backup_period=_period(words, period("backup")),
        privacy=privacy,
        inventory=digest(metadata),
        version=FORMAT_VERSION,
    )
    stream.enable_buffering(_LINES_AT_ONCE)
    return iter(stream)


def _in_reading_order(parts: list[TablePart]) -> list[TablePart]:
    """By category, and what lives with another table behind that."""
    place = {part.entry.name: number for number, part in enumerate(parts)}

    def key(part: TablePart) -> tuple[int, int, int]:
        own = place[part.entry.name]
        parents = [place.get(rule.table, own) for rule in part.entry.keep if isinstance(rule, KeepWith)]
        return _ORDER[part.entry.category], parents[0] if parents else own, own

    return sorted(parts, key=key)


def _section(words: ExportWords, part: TablePart, period: Period) -> dict[str, Any]:
    entry = part.entry
    given = [_said(words, entry, name) for name in part.columns if entry.columns[name].provided]
    return {
        "name": entry.name,
        "path": part.path,
        "title": words.title(entry.name),
        "purpose": words.documents.of(entry.purpose),
        "basis": words.documents(f"basis.{entry.basis}"),
        "kept": [_kept(words, rule, period) for rule in entry.keep],
        "seen": [words.documents.of(str(each)) for each in entry.recipients],
        "given": words.documents.listed(given),
        "count": part.rows,
        "columns": [words.column(name) for name in part.columns],
        "rows": ([_cell(words, name, row[name]) for name in part.columns] for row in part.shown),
        "shown": len(part.shown),
    }


def _said(words: ExportWords, entry: TableEntry, column: str) -> str:
    key = f"column.{entry.name}.{column}"
    return words.documents(key) if key in words.documents else words.column(column)


def _kept(words: ExportWords, rule: Keep | KeepWith | Lasting, period: Period) -> str:
    if isinstance(rule, Lasting):
        return words.documents.of(rule.reason)
    if isinstance(rule, KeepWith):
        key = f"with.{rule.table}"
        return words.documents(key) if key in words.documents else words.title(rule.table)
    length = _period(words, period(rule.name))
    return f"{length} {words.documents.of(rule.rule.begins)}" if length else words("endless")


def _period(words: ExportWords, milliseconds: int | None) -> str | None:
    return None if milliseconds is None else words.documents.period(milliseconds)


def _cell(words: ExportWords, column: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return words("yes" if value else "no")
    return _moment(value) if column.endswith("_ms") else str(value)


def _withheld(words: ExportWords, contents: Contents) -> list[tuple[str, str, str]]:
    """Table, column and reason."""
    found = []
    for each in contents.withheld():
        reason = words.reason(each.reason)
        if each.reason == SOMEBODY_ELSE:
            count = words("withheld_others", count=each.rows) if each.rows > 1 else words("withheld_others_one")
            reason = f"{count}. {reason}"
        found.append((words.title(each.table), words.column(each.column), reason))
    return found


def _unreachable(words: ExportWords) -> list[tuple[str, str]]:
    return [
        (f"{words.title(entry.name)} ({words.documents.of(whose.role)})", words.documents.of(whose.reason))
        for entry in entries(metadata)
        for whose in entry.subjects
        if isinstance(whose, Unreachable)
    ]


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
