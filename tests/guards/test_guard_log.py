"""What may be logged is declared: a field that nobody described could hold anything."""

import ast
from collections.abc import Iterator
from pathlib import Path

from pymeet.db.outflows import LOG_FIELDS

SOURCE = Path(__file__).parents[2] / "src" / "pymeet"
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
OF_THE_LIBRARY = {"exc_info"}
"""Turned into `error` and `at`."""


def logged() -> Iterator[tuple[str, str]]:
    """Every field of every line that the program logs, with its place. What is wrapped in private() is never shown."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr not in LEVELS or "log" not in ast.unparse(node.func.value):
                continue
            place = f"{path.relative_to(SOURCE)}:{node.lineno}"
            for keyword in node.keywords:
                if not ast.unparse(keyword.value).startswith("private("):
                    yield keyword.arg or "**", place


def test_every_field_of_the_log_is_declared():
    """The privacy page promises what the log holds; a new field must say what it is before it is written anywhere."""
    fields = [(field, place) for field, place in logged() if field not in OF_THE_LIBRARY]

    assert len(fields) > 30  # the search finds something
    assert [(field, place) for field, place in fields if field not in LOG_FIELDS] == []


def test_every_event_is_a_fixed_sentence():
    """A value in the middle of a sentence would pass by every list of fields."""
    changing = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and ast.unparse(node.func.value) in ("log", "_log")
        and isinstance(node.args[0], ast.JoinedStr)
    ]

    assert changing == []


def test_no_declared_field_is_one_that_the_log_blanks():
    """Such a field could only ever say [private]; it would be missing when it is needed."""
    from pymeet.ops.log import PRIVATE_KEYS, SECRET_KEYS

    assert sorted(set(LOG_FIELDS) & (PRIVATE_KEYS | SECRET_KEYS)) == []


def test_no_field_is_declared_in_vain():
    """A list with names from the past would let the next one in unnoticed."""
    made_by_the_log_itself = {"event", "level", "timestamp", "logger", "at", "error_says"}

    assert sorted(set(LOG_FIELDS) - made_by_the_log_itself - {field for field, _ in logged()}) == []
