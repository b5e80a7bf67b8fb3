"""The log holds no personal data at info and above. Every test sends canaries in and looks for them in the output."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from pymeet.config import LogConfig
from pymeet.ops.log import configure_log, on_loop_error
from pymeet.private import private

CANARY = "Zephyrine"
EMAIL = "zephyrine@canary.example"
ADDRESS = "203.0.113.77"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leaves the logging of the test run as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def started(level: str = "info", form: str = "json") -> io.StringIO:
    stream = io.StringIO()
    configure_log(LogConfig.model_validate({"level": level, "format": form}), stream)
    return stream


@dataclass
class Person:
    name: str = CANARY


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("level", ["info", "warning", "error"])
def test_private_values_are_blanked_at_info_and_above(level: str, form: str) -> None:
    """Names and addresses travel in private(), and stay there."""
    stream = started("debug", form)

    getattr(structlog.get_logger("test"), level)("joined", who=private(CANARY), room="r1")

    assert CANARY not in stream.getvalue()
    assert "[private]" in stream.getvalue()
    assert "r1" in stream.getvalue()


def test_private_values_are_shown_at_debug() -> None:
    """Somebody who hunts a fault may need them."""
    stream = started("debug")

    structlog.get_logger("test").debug("joined", who=private(CANARY))

    assert CANARY in stream.getvalue()


def test_debug_lines_are_not_written_at_info() -> None:
    """They may hold personal data."""
    stream = started("info")

    structlog.get_logger("test").debug("joined", who=private(CANARY))
    logging.getLogger("pymeet").debug(CANARY)

    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "key",
    ["name", "user_name", "email", "address", "remote_address", "ip", "sdp", "path", "user-agent", "text", "peer"],
)
def test_keys_that_hold_personal_data_are_blanked(key: str) -> None:
    """The second net, for a value that somebody forgot to wrap."""
    stream = started()

    structlog.get_logger("test").warning("odd", **{key: CANARY})

    assert CANARY not in stream.getvalue()


@pytest.mark.parametrize(
    "key", ["token", "resume_token", "password", "authorization", "Cookie", "ice_pwd", "subkey_secret"]
)
def test_secrets_are_never_shown_not_even_at_debug(key: str) -> None:
    """A log is copied to more places than a secret may be."""
    stream = started("debug")

    structlog.get_logger("test").debug("odd", **{key: CANARY, "wrapped": {key: private(CANARY)}})

    assert CANARY not in stream.getvalue()


def test_objects_and_nested_values_do_not_leak() -> None:
    """A dataclass prints its fields; a dictionary its values."""
    stream = started()

    structlog.get_logger("test").info(
        "odd", member=Person(), deep={"a": [{"email": EMAIL}, Person()]}, raw=CANARY.encode()
    )

    assert CANARY.lower() not in stream.getvalue().lower()
    assert "<Person>" in stream.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_exceptions_show_type_and_place_but_not_what_they_say(form: str) -> None:
    """Messages quote what people typed, and frames hold it in their variables."""
    stream = started("info", form)

    def stumble(secret: str) -> None:
        raise ValueError(f"cannot use {secret}")

    try:
        stumble(CANARY)
    except ValueError:
        structlog.get_logger("test").exception("failed")
        logging.getLogger("library").exception("failed")

    assert CANARY not in stream.getvalue()
    assert stream.getvalue().count("ValueError") == 2
    assert "test_ops_log.py:" in stream.getvalue()


def test_lines_of_libraries_are_cut_to_their_template() -> None:
    """Libraries know nothing of our rules."""
    stream = started()

    logging.getLogger("aiohttp.server").warning("request of %s from %s", CANARY, ADDRESS)
    logging.getLogger("other").error(f"lost {ADDRESS}, [2001:db8::7] and {EMAIL}\n{CANARY}")

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines[0]["event"] == "request of %s from %s"
    assert lines[0]["logger"] == "aiohttp.server"
    for canary in (CANARY, ADDRESS, EMAIL, "2001:db8"):
        assert canary not in stream.getvalue()


def test_there_is_no_access_log() -> None:
    """Who fetched what, and from which address, is nobody's business."""
    stream = started("debug")

    logging.getLogger("aiohttp.access").info("%s GET /r/tea", ADDRESS)

    assert stream.getvalue() == ""


async def test_errors_of_forgotten_tasks_are_logged_without_their_objects() -> None:
    """asyncio would print the task, its coroutine and their arguments."""
    stream = started()

    on_loop_error(
        asyncio.get_running_loop(),
        {"message": f"Task exception for {EMAIL}", "exception": ValueError(CANARY), "task": Person()},
    )

    line: dict[str, Any] = json.loads(stream.getvalue())
    assert line["error"] == "ValueError"
    assert CANARY.lower() not in stream.getvalue().lower()
