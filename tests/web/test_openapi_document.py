"""The OpenAPI document says what the server does: it is made of the routes, the models and the scopes, and nothing else."""

import dis
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from tests.support.described import check_answer, document

from pymeet.web.bodies import Body
from pymeet.web.openapi.document import canonical
from pymeet.web.openapi.operations import OPERATIONS, SECTIONS
from pymeet.web.openapi.words import Who
from pymeet.web.routes import ROUTES
from pymeet.web.scopes import API, CLOSED, PUBLIC, SCOPES

API_ROUTES = {f"{route.method} {canonical(route.path)}": route for route in ROUTES if route.path.startswith(f"{API}/")}


def test_every_route_of_the_api_is_described_and_nothing_else_is() -> None:
    """A new route must say what it takes and gives before anybody can use it."""
    assert {f"{API}{line.partition(' ')[2]}" for line in OPERATIONS} == {
        canonical(route.path) for route in API_ROUTES.values()
    }
    assert {f"{line.partition(' ')[0]} {API}{line.partition(' ')[2]}" for line in OPERATIONS} == set(API_ROUTES)
    assert sum(len(section.operations) for section in SECTIONS) == len(OPERATIONS), "an operation stands there twice"


@pytest.mark.parametrize("line", OPERATIONS)
def test_the_body_that_is_described_is_the_one_that_the_handler_reads(line: str) -> None:
    """The model stands in the table a second time: it must be the same one."""
    method, path = line.split(" ")
    takes = OPERATIONS[line].takes
    described = {takes} if isinstance(takes, type) else set()

    assert set(models_read_by(API_ROUTES[f"{method} {API}{path}"].handler)) == described


def models_read_by(handler: Any) -> Iterator[type[Body]]:
    """The models that a handler, or a function of ours that it calls, hands to `read_json`."""
    todo: list[Callable[..., Any]] = [inspect.unwrap(handler)]
    done: set[Callable[..., Any]] = set()
    while todo:
        function = todo.pop()
        if function in done:
            continue
        done.add(function)
        source = inspect.getsource(function)
        names = re.findall(r"read_json\(\s*request,\s*(\w+)", source)
        yield from (function.__globals__[name] for name in names)
        named = {each.argval for each in dis.get_instructions(function) if each.opname == "LOAD_GLOBAL"}
        called = (function.__globals__.get(name) for name in named)
        todo += [each for each in called if inspect.isfunction(each) and takes_request(each)]


def takes_request(function: Callable[..., Any]) -> bool:
    """Whether it is one of our functions around a request, but not the one that reads bodies."""
    first = next(iter(inspect.signature(function).parameters.values()), None)
    mine = function.__module__.startswith("pymeet.web") and function.__module__ != "pymeet.web.bodies"
    return mine and first is not None and first.annotation is web.Request


def test_tokens_are_described_as_they_are_treated() -> None:
    """A program reads from the document which scope it needs, and where it need not try."""
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            route = (method.upper(), path)
            scopes = [way["token"] for way in operation["security"] if "token" in way]
            assert (scopes == []) == (route in CLOSED), route
            assert (scopes == [[]]) == (route in PUBLIC), route
            assert (scopes == [[SCOPES.get(route)]]) == (route in SCOPES), route


def test_what_anybody_may_ask_needs_nothing() -> None:
    """And everything else names a way to show who one is."""
    for line, operation in OPERATIONS.items():
        method, path = line.split(" ")
        security = document()["paths"][API + path][method.lower()]["security"]
        assert ({} in security) == (operation.who is Who.ANYBODY), line


def test_names_in_the_document_are_plain_and_say_one_thing() -> None:
    """Programs that make a client from the document turn names into classes and functions."""
    schemas = document()["components"]["schemas"]
    ids = [each["operationId"] for path in document()["paths"].values() for each in path.values()]

    assert [name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z]+", name)] == []
    assert len(ids) == len(set(ids))
    assert [each for each in ids if not re.fullmatch(r"[a-z][a-z_]+", each)] == []


def test_everything_that_is_referred_to_is_there_and_used() -> None:
    """A reference that leads nowhere makes the whole document useless for programs."""
    text = repr(document())
    referred = set(re.findall(r"'#/components/([\w.]+)/([\w.]+)'", text))
    there = {(kind, name) for kind in ("schemas", "responses") for name in document()["components"][kind]}

    assert referred == there


@pytest.mark.parametrize(
    ("method", "url", "status", "answer", "says"),
    [
        ("GET", "/api/v1/rooms", 418, {}, "418, which is not described"),
        ("GET", "/api/v1/rooms", 200, {"rooms": [], "more": 1}, "not as described"),
        ("GET", "/api/v1/rooms", 200, {}, "not as described"),
        ("GET", "/api/v1/rooms", 200, {"rooms": "none"}, "not as described"),
        ("GET", "/api/v1/nothing", 200, {}, "is not described"),
    ],
)
def test_the_check_of_live_answers_notices_what_is_wrong(
    method: str, url: str, status: int, answer: object, says: str
) -> None:
    """It stands behind every live test: one that lets everything pass would keep nothing true."""
    with pytest.raises(AssertionError, match=says):
        check_answer(method, url, None, status, "application/json", answer)


def test_the_check_of_live_answers_notices_a_code_that_is_not_named() -> None:
    """Clients act on codes."""
    problem = {"type": "about:blank", "title": "Conflict", "status": 404, "code": "made_up", "detail": "So."}

    with pytest.raises(AssertionError, match="not as described"):
        check_answer("GET", "/api/v1/rooms/abc", None, 404, "application/problem+json", problem)

    check_answer("GET", "/api/v1/rooms/abc", None, 404, "application/problem+json", problem | {"code": "not_found"})


def test_the_check_of_live_answers_notices_what_was_taken_and_is_not_described() -> None:
    """A parameter or field that works, and that nobody can know of."""
    with pytest.raises(AssertionError, match="took"):
        check_answer("GET", "/api/v1/rooms?secret=1", None, 200, "application/json", {"rooms": [], "next": None})
    room = {"slug": "a", "name": "b", "url": "c"}
    with pytest.raises(AssertionError, match="took a body"):
        check_answer("POST", "/api/v1/rooms", {"title": "Tea"}, 201, "application/json", room)
