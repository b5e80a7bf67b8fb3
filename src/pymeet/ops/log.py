"""The log: structured lines on standard error that hold no personal data at `info` and above.

Three nets, because one mistake must not be enough: personal values travel in `private()`; keys that are known to hold
them are blanked; objects other than plain values are shown by type only. What libraries log is cut to its template.
There is no access log.
"""

import asyncio
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

from pymeet.config import LogConfig
from pymeet.private import Private

SECRET_KEYS = frozenset({"authorization", "cookie", "password", "secret", "token", "key", "ice_pwd", "fingerprint"})
"""Never shown, not even in `private()` at `debug`."""

PRIVATE_KEYS = (
    frozenset({"address", "addresses", "candidate", "candidates", "client", "ip", "ips", "path", "peer", "query"})
    | frozenset({"email", "from", "host_name", "name", "names", "remote", "request", "user", "user_agent", "username"})
    | frozenset({"body", "message", "sdp", "text", "url"})
)
"""Shown at `debug` only, and only in `private()`."""

_OWN_KEYS = frozenset({"event", "level", "timestamp", "logger"})
_LOOKS_PERSONAL = re.compile(
    r"[^\s@<>\"']+@[^\s@<>\"']+"  # an e-mail address
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"  # IPv4
    r"|(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])"  # IPv6
    r"|[A-Za-z0-9_-]{32,}"  # a token
)


def configure_log(config: LogConfig, stream: TextIO | None = None) -> None:
    """Sets up the log for this process, including what libraries write through `logging`."""
    level = logging.getLevelNamesMapping()[config.level.upper()]
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_exception,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    target = stream or sys.stderr
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if config.format == "json"
        else structlog.dev.ConsoleRenderer(colors=target.isatty(), pad_event_to=30)
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[_cut_foreign, *shared],
            use_get_message=False,
            pass_foreign_args=True,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("aiohttp.access").disabled = True
    # Chatty about nothing an operator can act upon.
    for name in ("asyncio", "alembic", "aiosqlite", "sqlalchemy"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def on_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For `loop.set_exception_handler`: what asyncio prints itself would show the objects involved."""
    error = context.get("exception")
    structlog.get_logger("asyncio").error(
        "unexpected error",
        where=_scrub(str(context.get("message", ""))),
        exc_info=error if isinstance(error, BaseException) else None,
    )


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The processor that blanks. At `debug`, what is wrapped in `private()` is shown."""
    reveal = event.get("level") == "debug"
    for key in list(event):
        if key.startswith("_") or key in _OWN_KEYS:
            continue
        event[key] = _shown(key, event[key], reveal=reveal)
    event["event"] = _shown("event", event.get("event", ""), reveal=reveal)
    return event


def _shown(key: str, value: Any, *, reveal: bool) -> Any:
    if _matches(key, SECRET_KEYS):
        return "[secret]"
    if isinstance(value, Private):
        return _plain(value.reveal()) if reveal else "[private]"
    if _matches(key, PRIVATE_KEYS) and value is not None:
        return "[private]"
    if isinstance(value, Mapping):
        return {str(name): _shown(str(name), entry, reveal=reveal) for name, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown("", entry, reveal=reveal) for entry in value]
    return _plain(value)


def _matches(key: str, known: frozenset[str]) -> bool:
    """Whether the key, or its last word (`user_name`, `reset-token`), is one of `known`."""
    lowered = key.lower().replace("-", "_")
    return lowered in known or lowered.rpartition("_")[2] in known


def _plain(value: Any) -> Any:
    """A value that cannot hold more than it says; of anything else only its type."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Path):
        return str(value)
    return f"<{type(value).__name__}>"


def _describe_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces `exc_info` by type and place: neither locals nor the message, which may quote what somebody typed."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = _frames(error.__traceback__)
        if event.get("level") == "debug":
            event["error_says"] = Private(str(error))
    event.pop("stack_info", None)
    return event


def _frames(traceback: TracebackType | None) -> str:
    """The last six steps to the fault: `web/app.py:31 < server.py:80`, innermost first."""
    steps = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        steps.append(f"{'/'.join(Path(code.co_filename).parts[-2:])}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return " < ".join(reversed(steps[-6:]))


def _cut_foreign(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's line: its template without the values, its first line only, and what looks personal blanked."""
    record: logging.LogRecord = event["_record"]
    event.pop("positional_args", None)
    event["event"] = _scrub(str(record.msg))
    event["logger"] = record.name
    return event


def _scrub(text: str) -> str:
    return _LOOKS_PERSONAL.sub("[private]", text.partition("\n")[0])
