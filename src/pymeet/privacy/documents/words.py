"""The words of the documents in each language.

`texts/<language>.yaml` holds the documents' own words, the same keys in each. What the inventory and the retention
classes say is English; `texts/inventory.<language>.yaml` gives each of those sentences in another language, under the
English one, so that a changed sentence cannot keep an old translation. Tests hold both complete.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

LANGUAGES: Final = ("en", "de")

_TEXTS = Path(__file__).parent / "texts"
_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000
_YEAR_DAYS = 365


class Words:
    """One language. Make it with `words(language)`."""

    def __init__(self, language: str, own: Mapping[str, str], inventory: Mapping[str, str]) -> None:
        self.language = language
        self._own = own
        self._inventory = inventory

    def __call__(self, key: str, /, **values: object) -> str:
        """The documents' own text under `key`, with its placeholders filled. KeyError for a text that is not there."""
        return self._own[key].format_map(values) if values else self._own[key]

    def __contains__(self, key: str) -> bool:
        return key in self._own

    def of(self, english: str) -> str:
        """A sentence of the inventory in this language; as it is where nobody has translated it yet."""
        return self._inventory.get(english, english)

    def period(self, milliseconds: int, *, after: bool = False) -> str:
        """An exact period: "90 days", "1 hour". `after`: in the form that follows "after"."""
        if not milliseconds:
            return self("unit.none")
        for unit, size in (("day", _DAY_MS), ("hour", _HOUR_MS), ("minute", _MINUTE_MS)):
            count, rest = divmod(milliseconds, size)
            if not rest:
                return self._counted(unit, count, after=after)
        return f"{milliseconds} ms"

    def at_most(self, milliseconds: int) -> str:
        """A period rounded up to what people can picture, in the form that follows "after"."""
        for unit, size, enough in (("minute", _MINUTE_MS, 120), ("hour", _HOUR_MS, 48)):
            if (count := -(-milliseconds // size)) < enough:
                return self._counted(unit, count, after=True)
        return self._counted("day", -(-milliseconds // _DAY_MS), after=True)

    def day(self, iso: str) -> str:
        """A day, from `2026-11-21`, as people write it."""
        year, month, day = (int(part) for part in iso.split("-"))
        return self("day", day=day, month=self(f"month.{month}"), year=year)

    def listed(self, words: Iterable[str]) -> str:
        """Several words in one sentence: "a, b and c"."""
        found = list(words)
        return f" {self('and')} ".join(part for part in (", ".join(found[:-1]), *found[-1:]) if part)

    def _counted(self, unit: str, count: int, *, after: bool) -> str:
        form = "one" if count == 1 else "after" if after else "many"
        exact = f"{count} {self(f'unit.{unit}.{form}')}"
        years, rest = divmod(count, _YEAR_DAYS) if unit == "day" else (0, 1)
        if not years or rest:
            return exact
        year = self(f"unit.year.{'one' if years == 1 else form}")
        return f"{exact} ({self('unit.about')} {years} {year})"


@cache
def words(language: str) -> Words:
    """The words of one of `LANGUAGES`; English for any other."""
    language = language if language in LANGUAGES else LANGUAGES[0]
    inventory = {} if language == LANGUAGES[0] else _read(f"inventory.{language}")
    return Words(language, dict(_flat(_read(language))), inventory)


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((_TEXTS / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def _flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", str(value).strip()
