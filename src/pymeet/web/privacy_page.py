"""The public page `/privacy` and its data: what is held here, why, until when, and how to use one's rights.

It is made on the server and needs no script. What it says comes from the inventory, the settings and the periods in
force; the version and the day it was published stand beside it and are no part of what records of consent name.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pymeet.privacy.documents.deadlines import in_force
from pymeet.privacy.documents.notice import GUEST_DATA, MY_DATA, Notice, changed, notice
from pymeet.privacy.documents.words import LANGUAGES, words
from pymeet.privacy.notices import Notices
from pymeet.web.parts import PARTS, Parts
from pymeet.web.static_files import StaticFile, answer_with

_NAMES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
"""What each language calls itself."""

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Edition:
    """Which version of the notice it is, in one language."""

    version: int
    published_on: str
    """The day in UTC, `2026-11-21`."""
    sha256: str
    """Of the canonical text, hexadecimal; records of consent name it."""
    changed: tuple[str, ...]
    """The headings under which the version before said something else; empty for the first one."""


async def page(request: web.Request) -> web.Response:
    """The page in the visitor's language, or in the one of `?language=`."""
    parts = request.app[PARTS]
    language = chosen_language(request)
    file = _page(_notice(parts, language), await _edition(parts, language), guests=parts.config.rooms.guests_allowed)
    response = answer_with(request, file, cache="no-cache")
    response.headers[hdrs.VARY] = hdrs.ACCEPT_LANGUAGE
    return response


async def data(request: web.Request) -> web.Response:
    """The same for programs."""
    parts = request.app[PARTS]
    language = chosen_language(request)
    edition = await _edition(parts, language)
    body: dict[str, Any] = {**asdict(edition), **asdict(_notice(parts, language))}
    text = json.dumps(body, ensure_ascii=False)
    return web.json_response(text=text, headers={hdrs.VARY: hdrs.ACCEPT_LANGUAGE})


async def version(request: web.Request) -> web.Response:
    """What one version said, as plain text: what people agreed to stays readable."""
    parts = request.app[PARTS]
    language = chosen_language(request)
    text = await Notices(parts.lifecycle).text(int(request.match_info["version"]), language)
    return web.Response(text=text, content_type="text/plain", headers={hdrs.CONTENT_LANGUAGE: language})


def chosen_language(request: web.Request) -> str:
    """The language that `?language=` asks for, else the best of `Accept-Language` (RFC 9110, 12.5.4), else English."""
    wanted = request.query.get("language", "")
    if wanted in LANGUAGES:
        return wanted
    best, best_weight = LANGUAGES[0], 0.0
    for part in request.headers.get(hdrs.ACCEPT_LANGUAGE, "")[:200].split(","):
        tag, _, weight = part.partition(";")
        base = tag.strip().lower().partition("-")[0]
        if base in LANGUAGES and _weight(weight) > best_weight:
            best, best_weight = base, _weight(weight)
    return best


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


def _notice(parts: Parts, language: str) -> Notice:
    return notice(language, parts.config, in_force(parts.lifecycle.periods, parts.clock.now_ms()))


async def _edition(parts: Parts, language: str) -> Edition:
    """The version in force; one is published here when the notice says something new since the last look."""
    notices = Notices(parts.lifecycle)
    current = await notices.current(parts.clock.now_ms())
    text = current.texts[language]
    before = await notices.text(current.version - 1, language) if current.version > 1 else ""
    return Edition(
        version=current.version,
        published_on=datetime.fromtimestamp(current.published_at_ms / 1000, UTC).date().isoformat(),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        changed=changed(before, text) if before else (),
    )


@lru_cache(maxsize=2 * len(LANGUAGES))
def _page(made: Notice, edition: Edition, *, guests: bool) -> StaticFile:
    html = _ENVIRONMENT.get_template("privacy.html").render(
        say=words(made.language),
        notice=made,
        edition=edition,
        my_data=MY_DATA,
        guest_data=GUEST_DATA,
        languages=_NAMES,
        guests=guests,
    )
    content = html.encode()
    return StaticFile(content, "text/html; charset=utf-8", hashlib.sha256(content).hexdigest()[:32])
