"""Writes the tables of docs/data.md from the inventory, so that the page cannot say anything else than the program.

`python -m pymeet.db.page docs/data.md` renews the file.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from pymeet.db.inventory import Basis, ColumnEntry, Keep, KeepWith, Lasting, Subject, TableEntry, Unreachable, entries
from pymeet.db.schema import metadata
from pymeet.db.stores import BOOKKEEPING_TABLES, CLIENT, FILES, MEMORY

MARK = "<!-- From here on the page is generated: python -m pymeet.db.page docs/data.md -->"

_BASES = {
    Basis.CONSENT: "consent (Article 6(1)(a))",
    Basis.CONTRACT: "contract (Article 6(1)(b))",
    Basis.LEGAL_OBLIGATION: "legal obligation (Article 6(1)(c))",
    Basis.LEGITIMATE_INTEREST: "legitimate interest (Article 6(1)(f))",
}


def render() -> str:
    """The generated part of the page, from `MARK` to the end, as Markdown."""
    parts = [MARK, "", "## Tables", ""]
    for entry in entries(metadata):
        parts += _table(entry)
    parts += ["Tables that are not ours, without anything about anybody:", ""]
    parts += [f"- `{name}`: {holds}" for name, holds in BOOKKEEPING_TABLES.items()]
    parts += ["", "## Files", "", "Under the data directory.", ""]
    parts += _grid(
        ("File", "Holds", "Kept", "On erasure", "In an export"),
        ((f"`{each.name}`", each.holds, each.keep, each.erase, each.export) for each in FILES),
    )
    parts += ["## In the visitor's browser", "", "All of it is needed for what the visitor asked for.", ""]
    parts += _grid(
        ("Name", "Where", "Holds", "For", "How long"),
        ((f"`{each.name}`", each.place, each.holds, each.purpose, each.lifetime) for each in CLIENT),
    )
    parts += ["## In memory only", ""]
    parts += _grid(
        ("What", "Holds", "For", "How long"),
        ((each.name, each.holds, each.purpose, each.lifetime) for each in MEMORY),
    )
    return "\n".join(parts).rstrip() + "\n"


def renewed(page: str) -> str:
    """The page with its generated part replaced; what people wrote above the mark stays."""
    return page.partition(MARK)[0] + render()


def period(milliseconds: int) -> str:
    """A period in the largest unit that fits: "90 days", "1 hour", "none"."""
    if not milliseconds:
        return "none"
    for unit, size in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000)):
        count, rest = divmod(milliseconds, size)
        if not rest:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{milliseconds} ms"


def _table(entry: TableEntry) -> list[str]:
    return [
        f"### `{entry.name}`",
        "",
        f"{entry.purpose} Category: {entry.category}. Legal basis: {_BASES[entry.basis]}.",
        "",
        *(f"- Whose: {_whose(each)}" for each in entry.subjects),
        *(f"- Kept: {_kept(each)}" for each in entry.keep),
        f"- Erasing a person: {'deletes the row.' if entry.erase == 'delete' else 'follows the columns.'}",
        "",
        *_grid(
            ("Column", "Personal", "On erasure", "In an export"), (_column(*each) for each in entry.columns.items())
        ),
    ]


def _whose(whose: Subject | Unreachable) -> str:
    if isinstance(whose, Unreachable):
        return f"{whose.role}. {whose.reason}"
    path = ", ".join(f"`{hop.column}` → `{hop.to}`" for hop in whose.hops)
    return f"{whose.role} ({path or 'the row is the person'})"


def _kept(rule: Keep | KeepWith | Lasting) -> str:
    if isinstance(rule, Lasting):
        return f"as long as the server. {rule.reason}"
    if isinstance(rule, KeepWith):
        return f"as long as its row in `{rule.table}` (`{rule.column}`)."
    known = rule.rule
    return (
        f"`retention.{rule.name}`, {period(known.default_ms)} {known.begins} (`{rule.clock}`); "
        f"at least {period(known.min_ms)}, at most {period(known.max_ms)}; then {rule.purge}."
    )


def _column(name: str, entry: ColumnEntry) -> tuple[str, ...]:
    if not entry.personal:
        return (f"`{name}`", "no", "–", "–")
    what = f"{entry.kind}{', a secret' if entry.secret else ''}"
    reason = f" ({entry.reason})" if entry.reason else ""
    keeps_reason = entry.erase == "keep"
    return (
        f"`{name}`",
        what,
        f"{entry.erase}{reason if keeps_reason else ''}",
        f"{entry.export}{'' if keeps_reason else reason}",
    )


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(renewed(target.read_text()))
