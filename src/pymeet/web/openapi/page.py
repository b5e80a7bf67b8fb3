"""The description for programs, `/api/v1/openapi.json`, and for people, `/api`: the same one, made once and kept.

The page is made on the server, needs no script to be read, and loads nothing from elsewhere.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pymeet.ops.addresses import public_url
from pymeet.web.openapi.document import describe
from pymeet.web.openapi.operations import OPERATIONS, SECTIONS
from pymeet.web.openapi.words import Who
from pymeet.web.parts import PARTS
from pymeet.web.scopes import API, CLOSED, SCOPES
from pymeet.web.static_files import StaticFile, answer_with

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_EVERYWHERE: Final = frozenset(
    (
        "bad_token",
        "missing_scope",
        "not_for_tokens",
        "foreign_origin",
        "too_slow",
        "too_large",
        "unsupported_media_type",
    )
)
"""Codes that the page explains once, for they can come with every request of a kind."""


@dataclass(frozen=True)
class Made:
    """Both forms of the description."""

    document: StaticFile
    page: StaticFile


class Description:
    """Made when it is first asked for, in a thread; it is the same for everybody, and stays as it is."""

    def __init__(self, routes: Iterable[web.RouteDef]) -> None:
        self._routes = tuple(routes)
        self._made: Made | None = None
        self._one_at_a_time = asyncio.Lock()

    async def get(self, site: str) -> Made:
        """What was made; `site` is the address that examples name."""
        async with self._one_at_a_time:
            if self._made is None:
                self._made = await asyncio.to_thread(self._make, site)
            return self._made

    def _make(self, site: str) -> Made:
        described = describe(self._routes)
        return Made(
            _file(json.dumps(described, ensure_ascii=False, separators=(",", ":")), "application/json"),
            _file(_page(described, site), "text/html; charset=utf-8"),
        )


DESCRIPTION: Final = web.AppKey("api_description", Description)


async def document(request: web.Request) -> web.Response:
    """The OpenAPI document."""
    return answer_with(request, (await _made(request)).document, cache="no-cache")


async def page(request: web.Request) -> web.Response:
    """The page that shows it."""
    return answer_with(request, (await _made(request)).page, cache="no-cache")


async def _made(request: web.Request) -> Made:
    return await request.app[DESCRIPTION].get(public_url(request.app[PARTS].config))


def _file(text: str, content_type: str) -> StaticFile:
    content = text.encode()
    file = StaticFile(content, content_type, hashlib.sha256(content).hexdigest()[:32])
    _ = file.packed  # here in the thread, for it is large
    return file


def _page(described: Mapping[str, Any], site: str) -> str:
    schemas: Mapping[str, Any] = described["components"]["schemas"]
    return _ENVIRONMENT.get_template("api.html").render(
        about=described["info"]["description"].split("\n\n"),
        sections=[
            {
                "id": section.title.lower().replace(" ", "-").replace("'", ""),
                "title": section.title,
                "intro": section.intro,
                "operations": list(_shown(section.operations, described)),
            }
            for section in SECTIONS
        ],
        schemas=schemas,
        site=site,
        count=len(OPERATIONS),
    )


def _shown(lines: Iterable[str], described: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for line in lines:
        method, path = line.split(" ")
        operation, route = OPERATIONS[line], (method, API + path)
        said = described["paths"][API + path][method.lower()]
        body = said.get("requestBody", {}).get("content", {})
        yield {
            "id": said["operationId"],
            "method": method,
            "path": path,
            "summary": operation.summary,
            "more": operation.more,
            "who": operation.who.value,
            "anybody": operation.who is Who.ANYBODY,
            "scope": SCOPES.get(route),
            "closed": route in CLOSED,
            "parameters": [
                each
                for each in said.get("parameters", [])
                if each["in"] != "path" and each["name"] != "Accept-Language"
            ],
            "localised": operation.localised,
            "body": body.get("application/json", {}).get("schema"),
            "files": [kind for kind in body if kind != "application/json"],
            "answers": [
                {
                    "status": status,
                    "words": answer["description"],
                    "types": list(answer.get("content", {})),
                    "schema": answer.get("content", {}).get("application/json", {}).get("schema"),
                }
                for status, answer in said["responses"].items()
                if "$ref" not in answer
            ],
            "refusals": [
                (status, codes)
                for status, answer in said["responses"].items()
                if "$ref" in answer and (codes := _own_codes(status, answer["$ref"]))
            ],
        }


def _own_codes(status: str, reference: str) -> list[str]:
    """The codes behind a reference that are not explained once for all."""
    codes = reference.rpartition("/")[2].split(".")[1:]
    return [code for code in codes if code not in _EVERYWHERE and (status, code) != ("429", "too_many")]
