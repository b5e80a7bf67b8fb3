"""All documents by name, for the command line, the API and the pages under docs/."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final

from pymeet.config import Config
from pymeet.errors import InvalidInputError
from pymeet.privacy.documents.cookies import cookies
from pymeet.privacy.documents.data_map import data_map
from pymeet.privacy.documents.deadlines import Effective
from pymeet.privacy.documents.model import FORMATS, Document, Grid, written
from pymeet.privacy.documents.notice import notice, notice_text
from pymeet.privacy.documents.record import record
from pymeet.privacy.documents.retention_table import retention_table
from pymeet.privacy.documents.words import LANGUAGES, Words, words

_MADE: Mapping[str, Callable[[Words, Config, Effective], Document]] = {
    "data-map": data_map,
    "record": record,
    "retention": retention_table,
    "cookies": lambda say, config, _effective: cookies(say, config),
}

NAMES: Final = (*_MADE, "notice")


def write(name: str, config: Config, effective: Effective, *, language: str = "en", form: str = "md") -> str:
    """One document as text. InvalidInputError for a name, language or form that is none of those there are."""
    for value, known in ((name, NAMES), (language, LANGUAGES), (form, FORMATS)):
        if value not in known:
            raise InvalidInputError(f"There is no {value!r} here. Choose one of {', '.join(known)}.")
    if name != "notice":
        return written(_MADE[name](words(language), config, effective), form)
    text = notice_text(language, config, effective)
    return text if form == "md" else written(_notice(language, config, effective, text), form)


def _notice(language: str, config: Config, effective: Effective, text: str) -> Document:
    made = notice(language, config, effective)
    return Document(
        title=words(language)("notice.title"),
        sections=(),
        rows=Grid(
            ("category", "what", "holds", "purpose", "basis", "seen_by", "until"),
            tuple(
                (
                    group.title,
                    held.title,
                    "; ".join(held.holds),
                    held.purpose,
                    held.basis,
                    "; ".join(held.seen_by),
                    " ".join(f"{until.text} {until.latest}".rstrip() for until in held.until),
                )
                for group in made.groups
                for held in group.held
            ),
        ),
        data={**asdict(made), "text": text},
    )
