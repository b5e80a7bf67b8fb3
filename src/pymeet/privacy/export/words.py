"""The words of an export's index, in each language. What the inventory says, the documents have in every language already."""

from functools import cache
from pathlib import Path
from typing import Final

import yaml

from pymeet.privacy.documents.words import Words
from pymeet.privacy.documents.words import words as document_words

LANGUAGES: Final = ("en", "de")

_TEXTS = Path(__file__).parent / "texts"


class ExportWords:
    """One language. Make it with `export_words(language)`."""

    def __init__(self, language: str, own: dict[str, str], documents: Words) -> None:
        self.language = language
        self.documents = documents
        self._own = own

    def __call__(self, key: str, **values: object) -> str:
        """The text under `key`, with its placeholders filled. KeyError for one that is not there."""
        return self._own[key].format_map(values)

    def title(self, table: str) -> str:
        """What the rows of a table are to the person."""
        key = f"title.{table}"
        return self.documents(key) if key in self.documents else _readable(table)

    def column(self, name: str) -> str:
        """The heading of a column."""
        return self._own.get(f"column.{name}") or _readable(name.removesuffix("_ms"))

    def reason(self, english: str) -> str:
        """Why something is withheld."""
        own = {_ENGLISH[f"reason.{name}"]: self._own[f"reason.{name}"] for name in ("others", "proof")}
        return own.get(english) or self.documents.of(english)


@cache
def export_words(language: str) -> ExportWords:
    """The words of one of `LANGUAGES`; English for any other."""
    language = language if language in LANGUAGES else LANGUAGES[0]
    return ExportWords(language, _read(language), document_words(language))


def _read(language: str) -> dict[str, str]:
    loaded: dict[str, str] = yaml.safe_load((_TEXTS / f"{language}.yaml").read_text(encoding="utf-8"))
    return loaded


def _readable(name: str) -> str:
    return name.replace("_", " ").capitalize()


_ENGLISH = _read("en")
