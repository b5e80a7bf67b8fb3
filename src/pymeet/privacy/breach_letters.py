"""Drafts of the letters after a breach: to the supervisory authority (Article 33), to the people (Article 34).

They say what the server knows. What only a human knows is left open between `[[` and `]]`, so that nobody sends a letter
with a guess in it. The texts stand in `letters/<whom>.<language>.txt`.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pymeet.config import PrivacyConfig
from pymeet.errors import InvalidInputError
from pymeet.privacy.breach import DEADLINE_MS, Assessment
from pymeet.privacy.documents.words import LANGUAGES, words

LETTERS: Final = ("authority", "people")

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "letters"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701  plain text, which nobody shows as HTML
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def draft(
    letter: str, language: str, assessment: Assessment, config: PrivacyConfig, noticed_at_ms: int | None = None
) -> str:
    """One letter, to be finished by hand. InvalidInputError for a letter or language that does not exist."""
    for value, known in ((letter, LETTERS), (language, LANGUAGES)):
        if value not in known:
            raise InvalidInputError(f"There is no {value!r} here. Choose one of {', '.join(known)}.")
    say = words(language)
    told_by_ms = None if noticed_at_ms is None else noticed_at_ms + DEADLINE_MS
    return _ENVIRONMENT.get_template(f"{letter}.{language}.txt").render(
        since=_moment(assessment.since_ms),
        until=_moment(assessment.until_ms),
        noticed=_moment(noticed_at_ms),
        deadline=_moment(told_by_ms),
        affected=[(say(f"category.{each.category}"), each) for each in assessment.affected],
        kinds={kind.name for each in assessment.affected for kind in each.sensitive},
        total=assessment,
        unreachable=[f"{say.of(each.role)}: {say.of(each.reason)}" for each in assessment.unreachable],
        failed=assessment.failed_sign_ins,
        config=config,
    )


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
