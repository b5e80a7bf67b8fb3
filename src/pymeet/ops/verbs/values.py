"""How operations write the values that JSON has no type for."""

from datetime import UTC, datetime


def iso(at_ms: int) -> str:
    """UTC milliseconds since 1970 as ISO 8601 to the second, such as `2026-11-21T12:00:00Z`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
