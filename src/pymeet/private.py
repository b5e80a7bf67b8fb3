"""Personal data on its way to a log travels in this wrapper, so that it cannot be printed by accident."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Private(Generic[T]):
    """Holds a value whose text form is redacted; `reveal()` is the only way out."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value itself, for the few places that must show it (log level DEBUG)."""
        return self._value

    def __repr__(self) -> str:
        return "[private]"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "[private]"


def private(value: T) -> Private[T]:
    """Wraps a name, address or token before it is handed to a logger."""
    return Private(value)
