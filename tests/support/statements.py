"""SQL that was compiled for one database serves those of later tests, too: each test has a database of its own, and to
compile a statement takes longer than to run it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

MOST = 5000
"""Statements that are kept; the program has fewer, but some tests make tables of their own."""


class _Compiled(dict[Any, Any]):
    """A cache of SQLAlchemy's whose keys name the kind of database where SQLAlchemy's name the database."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_of_kind(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        if len(self) >= MOST:
            self.clear()
        super().__setitem__(_of_kind(key), compiled)


def _of_kind(key: Any) -> Any:
    dialect, *rest = key
    return type(dialect), *rest


_COMPILED = _Compiled()


def _share(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_COMPILED)


def share() -> None:
    """From now on, in the whole process."""
    event.listen(Engine, "engine_connect", _share)


@contextmanager
def unshared() -> Iterator[None]:
    """As in a server, where a database forgets its statements with what is deleted."""
    event.remove(Engine, "engine_connect", _share)
    try:
        yield
    finally:
        share()
