"""The manifest of an archive, for programs: every file with its class, purpose, legal basis, rows and hash, and everything
that is not in it, with the reason. Its words are English, whatever the index speaks."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from pymeet.config import PrivacyConfig
from pymeet.db.inventory import (
    DATA_CATEGORIES,
    Anchor,
    Keep,
    KeepWith,
    TableEntry,
    Unreachable,
    digest,
    entries,
)
from pymeet.db.schema import metadata
from pymeet.privacy.export.contents import FORMAT, FORMAT_VERSION, Contents, Occasion, TablePart
from pymeet.privacy.export.zipping import Member
from pymeet.retention import format_period

Period = Callable[[str], int | None]

_TIMES = "Columns that end in _ms are milliseconds since 1970-01-01T00:00:00Z, without leap seconds."
_MOMENTS = "Each table was read in short steps while the server worked on: from read_from to read_until."
_COPIES = "Earlier archives of this person's data are left out: they hold what this one holds."


def manifest_of(
    contents: Contents, occasion: Occasion, members: Iterable[Member], privacy: PrivacyConfig, period: Period
) -> dict[str, Any]:
    """The manifest over `members`, which are all files of the archive but itself and SHA256SUMS."""
    tables = {part.path: part for part in contents.parts}
    schemas = {part.schema_path: part for part in contents.parts}
    broken = {failed.path for failed in contents.failed}
    files = []
    for member in members:
        said: dict[str, Any] = {"path": member.path, "bytes": member.size_bytes, "sha256": member.sha256}
        if part := tables.get(member.path):
            said |= _of_table(part, period)
        elif part := schemas.get(member.path):
            said |= {"holds": "schema", "of": part.path}
        elif member in contents.files:
            said |= {"holds": "file", "complete": member.path not in broken}
        else:
            said |= {"holds": "calendar" if member == contents.calendar else "index"}
        files.append(said)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "instance": occasion.instance,
        "made_at": _iso(occasion.made_at_ms),
        "made_at_ms": occasion.made_at_ms,
        "inventory": digest(metadata),
        "language": occasion.language,
        "subject": {"anchor": _anchor(occasion), "id": occasion.person.id},
        "controller": privacy.model_dump(),
        "complete": not contents.failed,
        "notes": [_TIMES, _MOMENTS, _COPIES],
        "files": files,
        "withheld": [
            {"table": each.table, "column": each.column, "reason": each.reason, "rows": each.rows}
            for each in contents.withheld()
        ],
        "failed": [{"path": each.path, "reason": each.reason} for each in contents.failed],
        "searched_and_empty": [entry.name for entry in contents.empty],
        "not_found_by_this_search": [
            {"table": entry.name, "who": whose.role, "reason": whose.reason}
            for entry in entries(metadata)
            for whose in entry.subjects
            if isinstance(whose, Unreachable)
        ],
    }


def _of_table(part: TablePart, period: Period) -> dict[str, Any]:
    entry = part.entry
    return {
        "holds": "rows",
        "table": entry.name,
        "schema": part.schema_path,
        "rows": part.rows,
        "category": entry.category,
        "purpose": entry.purpose,
        "legal_basis": f"GDPR Article 6(1)({entry.basis})",
        "recipients": list(entry.recipients),
        "kept": _kept(entry, period),
        "read_from": _iso(part.read_from_ms),
        "read_until": _iso(part.read_until_ms),
        "columns": [_column(entry, name) for name in part.columns],
    }


def _column(entry: TableEntry, name: str) -> dict[str, Any]:
    said = entry.columns[name]
    return {
        "name": name,
        "personal": said.personal,
        "data_category": DATA_CATEGORIES[said.kind] if said.kind else None,
        "provided_by_the_person": said.provided,
    }


def _kept(entry: TableEntry, period: Period) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for rule in entry.keep:
        if isinstance(rule, Keep):
            length = format_period(period(rule.name))
            kept.append({"class": rule.name, "period": length, "begins": rule.rule.begins, "clock": rule.clock})
        elif isinstance(rule, KeepWith):
            kept.append({"as_long_as": rule.table, "by": rule.column})
        else:
            kept.append({"lasting": rule.reason})
    return kept


def _anchor(occasion: Occasion) -> str:
    return "account" if occasion.person.anchor is Anchor.MEMBER else "guest"


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
