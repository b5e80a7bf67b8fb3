"""Answers of the API, checked against the OpenAPI document: the status is named, the shape fits, the code is one of its.

`Visitor.json` asks this about every answer that it gets, so that all live tests keep the document true.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs

from pymeet.web.openapi.document import describe
from pymeet.web.routes import ROUTES

_NOT_IN_DOCUMENT = frozenset({404, 405})
"""What an address or method that does not exist may answer; and 403, where a request is refused before it is looked at."""


@cache
def document() -> dict[str, Any]:
    """The document of this program."""
    return describe(ROUTES)


def check_answer(method: str, url: str, sent: object, status: int, content_type: str, answer: object) -> None:
    """AssertionError that says what the document does not; for addresses outside the API nothing is checked."""
    address = urlsplit(url)
    if not address.path.startswith("/api/v1/"):
        return
    path = next(_paths_of(method, address.path), None)
    if path is None:
        assert status in _NOT_IN_DOCUMENT | {403}, f"{method} {address.path} is not described, and answered {status}"
        return
    operation = document()["paths"][path][method.lower()]
    asked = f"{method} {path}"
    assert str(status) in operation["responses"], f"{asked} answered {status}, which is not described: {answer}"
    kinds = _content(operation["responses"][str(status)])
    if kinds or content_type not in ("", "application/octet-stream"):
        assert content_type in kinds, f"{asked} answered {status} as {content_type}, which is not described"
    if "schema" in kinds.get(content_type, {}):
        _check_shape(f"{asked} answered {status}", _validator(path, method, str(status), content_type), answer)
    if status < 300:
        _check_request(asked, path, method, operation, address.query, sent)


def _check_request(asked: str, path: str, method: str, operation: Any, query: str, sent: object) -> None:
    """What was taken must be described too."""
    known = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
    unknown = parse_qs(query, keep_blank_values=True).keys() - known
    assert not unknown, f"{asked} took ?{'&'.join(unknown)}, which is not described"
    if sent is not None and "application/json" in operation.get("requestBody", {}).get("content", {}):
        _check_shape(f"{asked} took a body", _validator(path, method, "body", "application/json"), sent)


def _check_shape(what: str, validator: Any, value: object) -> None:
    faults = [
        f"{'.'.join(map(str, error.instance_path)) or 'it'}: {error.message}" for error in validator.iter_errors(value)
    ]
    assert not faults, f"{what} that is not as described: {'; '.join(faults)}"


@cache
def _validator(path: str, method: str, part: str, content_type: str) -> Any:
    operation = document()["paths"][path][method.lower()]
    content = operation["requestBody"]["content"] if part == "body" else _content(operation["responses"][part])
    return jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": document()["components"],
            "allOf": [content[content_type]["schema"]],
        }
    )


def _content(response: Any) -> dict[str, Any]:
    if "$ref" in response:
        response = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content: dict[str, Any] = response.get("content", {})
    return content


def _paths_of(method: str, path: str) -> Iterator[str]:
    """The described paths that an address fits, those without parameters first."""
    for expression, described in _expressions(method):
        if expression.fullmatch(path):
            yield described


@cache
def _expressions(method: str) -> list[tuple[re.Pattern[str], str]]:
    found = []
    for path, operations in document()["paths"].items():
        if operation := operations.get(method.lower()):
            patterns = {
                each["name"]: each["schema"]["pattern"][1:-1]
                for each in operation.get("parameters", [])
                if each["in"] == "path"
            }
            parts = re.split(r"\{(\w+)\}", path)
            expression = "".join(
                f"(?:{patterns[part]})" if index % 2 else re.escape(part) for index, part in enumerate(parts)
            )
            found.append((re.compile(expression), path))
    return sorted(found, key=lambda each: each[1].count("{"))
