"""The OpenAPI 3.1 document: the table of operations, the models of bodies and answers, and the routes, put together.

Nothing is written twice: what a body may hold is said by the model that reads it, what a path may hold by the route, and
which scope a token needs by the table that refuses it.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from pymeet.web.cookies import SECURE_NAME
from pymeet.web.openapi.operations import OPERATIONS, SECTIONS
from pymeet.web.openapi.schemas import REFERENCE, Schemas
from pymeet.web.openapi.shapes_privacy import LanguageQuery
from pymeet.web.openapi.words import File, Operation, Who
from pymeet.web.repeats import HEADER
from pymeet.web.scopes import API, CLOSED, SCOPES
from pymeet.web.shared_recordings import SECURE_COOKIE

_PARAMETER: Final = re.compile(r"\{(\w+):((?:[^{}]|\{[^{}]*\})+)\}")
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

ABOUT: Final = """\
Everything that the pages of this server do, they do by this API.

Programs show an API token, `Authorization: Bearer pymeet_…`, which members make on the page Security; its scopes say \
what it is good for. Browsers show the session cookie, and for what changes something the server's own `Origin`.

Bodies and answers are JSON in UTF-8. Unknown fields, wrong types and bodies over 16 KiB are refused. Times are \
milliseconds since 1970 in UTC, ids are opaque. Errors are `application/problem+json` (RFC 9457): `code` is stable, \
`detail` is a sentence for people. Long lists come in pages: `next` of an answer is `after` of the next \
request. Many attempts in a short time are answered by 429 with `Retry-After`.

What happens live in a room goes over a WebSocket, WHIP and WHEP, and is described in `docs/protocol.md` of the \
program."""


def describe(routes: Iterable[web.RouteDef]) -> dict[str, Any]:
    """The document for those of the routes that belong to the API. KeyError for one that the table does not know."""
    schemas = Schemas(OPERATIONS.values())
    problems: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    known = {f"{route.method} {canonical(route.path)}": route for route in routes if route.path.startswith(f"{API}/")}
    for section in SECTIONS:
        for line, operation in section.operations.items():
            method, path = line.split(" ")
            route = known.pop(f"{method} {API}{path}")
            paths.setdefault(API + path, {})[method.lower()] = {
                "operationId": f"{route.handler.__module__.rpartition('.')[2]}_{route.handler.__name__}",
                "tags": [section.title],
                "summary": operation.summary,
                **({"description": operation.more} if operation.more else {}),
                "security": _security(operation.who, (method, API + path)),
                **_parameters(route, operation, schemas),
                **_request_body(operation, schemas),
                "responses": _answers(operation, schemas) | _refusals(route, operation, problems),
            }
    if known:
        raise KeyError(f"not described: {', '.join(known)}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "pymeet", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": section.title, "description": section.intro} for section in SECTIONS],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": dict(sorted(problems.items())),
            "securitySchemes": _schemes(),
        },
    }


def canonical(path: str) -> str:
    """A route's path without the expressions that its parts must match: `/api/v1/rooms/{slug}`."""
    return _PARAMETER.sub(r"{\1}", path)


def _security(who: Who, route: tuple[str, str]) -> list[dict[str, list[str]]]:
    """Any one of these is enough."""
    ways: list[dict[str, list[str]]] = [{}] if who is Who.ANYBODY else []
    ways.append({"session": []})
    if who is Who.VIEWER:
        ways.append({"link": []})
    if route not in CLOSED:
        ways.append({"token": [SCOPES[route]] if route in SCOPES else []})
    return ways


def _parameters(route: web.RouteDef, operation: Operation, schemas: Schemas) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{pattern}$"}}
        for name, pattern in _PARAMETER.findall(route.path)
    ]
    queries = [operation.query] * (operation.query is not None) + [LanguageQuery] * operation.localised
    for query in queries:
        for name, schema in schemas.query(query).items():
            said = {"description": schema["description"]} if "description" in schema else {}
            bare = {key: each for key, each in schema.items() if key != "description"}
            found.append({"name": name, "in": "query", **said, "schema": bare})
    if operation.localised:
        said = {"description": "The language of words in the answer, where `language` names none (RFC 9110, 12.5.4)."}
        found.append({"name": "Accept-Language", "in": "header", **said, "schema": {"type": "string"}})
    if operation.repeatable:
        said = {"description": "Chosen anew for each thing to make. Asked again within 24 hours, nothing more is made."}
        schema = {"type": "string", "pattern": "^[!-~]{1,64}$"}
        found.append({"name": HEADER, "in": "header", **said, "schema": schema})
    return {"parameters": found} if found else {}


def _request_body(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    if operation.takes is None:
        return {}
    if isinstance(operation.takes, File):
        content: dict[str, Any] = {kind: {} for kind in operation.takes.types}
    else:
        content = {"application/json": {"schema": schemas.body(operation.takes)}}
    return {"requestBody": {"required": True, "content": content}}


def _answers(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    answers = {operation.success: operation.gives, **operation.also}
    if isinstance(operation.gives, File) and operation.gives.ranges:
        answers |= {206: operation.gives, 304: None}
    return {str(status): _answer(status, gives, schemas) for status, gives in answers.items()}


def _answer(status: int, gives: Any, schemas: Schemas) -> dict[str, Any]:
    said = HTTPStatus(status).phrase
    if gives is None:
        return {"description": said}
    if isinstance(gives, File):
        return {"description": said, "content": {kind: {} for kind in gives.types}}
    return {"description": said, "content": {"application/json": {"schema": schemas.of(gives)}}}


def refusals_of(method: str, path: str, operation: Operation) -> dict[int, set[str]]:
    """Status → codes of every problem that an operation may answer with: its own, and those that follow."""
    codes: dict[int, set[str]] = {401: {"bad_token"}, 429: {"too_many"}}

    def add(status: int, *more: str) -> None:
        codes.setdefault(status, set()).update(more)

    if (method, path) in CLOSED:
        add(403, "not_for_tokens")
    elif (method, path) in SCOPES:
        add(403, "missing_scope")
    if method not in _SAFE:
        add(403, "foreign_origin")
    if operation.who is not Who.ANYBODY:
        add(401, "not_signed_in")
    if operation.who in (Who.ADMIN, Who.OFFICE):
        add(403, "not_allowed")
    if "{" in path:
        add(404, "not_found")
    if operation.query is not None:
        add(400, "invalid_input")
    if operation.repeatable:
        add(404, "not_found")  # what was made before is gone again
        add(422, "key_reused")
    if operation.takes is not None:
        add(400, "invalid_input")
        add(408, "too_slow")
        add(413, "too_large")
        add(415, "unsupported_media_type")
    if isinstance(operation.gives, File) and operation.gives.ranges:
        add(412, "precondition_failed")
        add(416, "range_not_satisfiable")
    for status, own in operation.refuses.items():
        add(status, *own.split())
    return dict(sorted(codes.items()))


def _refusals(route: web.RouteDef, operation: Operation, problems: dict[str, Any]) -> dict[str, Any]:
    """A reference for each status; `problems` gains what it leads to."""
    found = {}
    for status, codes in refusals_of(route.method, canonical(route.path), operation).items():
        name = ".".join((str(status), *sorted(codes)))
        particular = {"properties": {"status": {"const": status}, "code": {"enum": sorted(codes)}}}
        schema = {"allOf": [{"$ref": f"{REFERENCE}Problem"}, particular]}
        content = {"application/problem+json": {"schema": schema}}
        problems[name] = {"description": HTTPStatus(status).phrase, "content": content}
        found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return found


def _schemes() -> dict[str, Any]:
    return {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": SECURE_NAME,
            "description": "The session of a member, as signing in sets it.",
        },
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token, with the scope that is named. Then no cookie counts.",
        },
        "link": {
            "type": "apiKey",
            "in": "cookie",
            "name": SECURE_COOKIE,
            "description": "What opening a shared link sets; good for the film of that recording only.",
        },
    }
