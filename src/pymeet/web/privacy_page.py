"""The public page `/privacy` and its data: what is held here, why, until when, and how to use one's rights.

It is made on the server and needs no script. What it says comes from the inventory, the settings and the periods in
force; the version and the day it was published stand beside it and are no part of what records of consent name.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from aiohttp import hdrs, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pymeet.privacy.documents.deadlines import in_force
from pymeet.privacy.documents.notice import GUEST_DATA, MY_DATA, changed, notice
from pymeet.privacy.documents.words import LANGUAGES, words
from pymeet.privacy.notices import Notices
from pymeet.web.parts import PARTS, Parts
from pymeet.web.static_files import StaticFile, answer_with

_NAMES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
"""What each language calls itself."""

_FRESH_S = 10.0
"""So long the page may say what was in force a moment ago."""

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


@dataclass(frozen=True)
class _Files:
    """The page and the data in one language, good until a reading of the monotonic clock."""

    page: StaticFile
    data: StaticFile
    until: float


class Made:
    """What was made last. Anybody may ask for the page as often as they like, and meetings must not suffer from it."""

    def __init__(self) -> None:
        self._files: dict[str, _Files] = {}
        self._one_at_a_time = asyncio.Lock()

    async def get(self, parts: Parts, language: str) -> _Files:
        """The page in a language, made anew where it is older than a few seconds."""
        async with self._one_at_a_time:
            now = parts.clock.monotonic()
            known = self._files.get(language)
            if known is None or now >= known.until:
                known = self._files[language] = await _make(parts, language, now + _FRESH_S)
            return known


MADE = web.AppKey("privacy_page", Made)


async def page(request: web.Request) -> web.Response:
    """The page in the visitor's language, or in the one of `?language=`."""
    return await _answer(request, "page")


async def data(request: web.Request) -> web.Response:
    """The same for programs."""
    return await _answer(request, "data")


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


async def _answer(request: web.Request, kind: Literal["page", "data"]) -> web.Response:
    made = await request.app[MADE].get(request.app[PARTS], chosen_language(request))
    response = answer_with(request, made.page if kind == "page" else made.data, cache="no-cache")
    response.headers[hdrs.VARY] += f", {hdrs.ACCEPT_LANGUAGE}"
    return response


async def _make(parts: Parts, language: str, until: float) -> _Files:
    config = parts.lifecycle.in_force
    said = notice(language, config, in_force(parts.lifecycle.periods, parts.clock.now_ms()))
    edition = await _edition(parts, language)
    html = _ENVIRONMENT.get_template("privacy.html").render(
        say=words(language),
        notice=said,
        edition=edition,
        my_data=MY_DATA,
        guest_data=GUEST_DATA,
        languages=_NAMES,
        guests=config.rooms.guests_allowed,
    )
    data = json.dumps({**asdict(edition), **asdict(said)}, ensure_ascii=False)
    return _Files(_file(html, "text/html; charset=utf-8"), _file(data, "application/json; charset=utf-8"), until)


def _file(text: str, content_type: str) -> StaticFile:
    content = text.encode()
    return StaticFile(content, content_type, hashlib.sha256(content).hexdigest()[:32])


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
