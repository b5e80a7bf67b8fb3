"""How people write points in time on the command line."""

from datetime import UTC, datetime

from pymeet.errors import InvalidInputError
from pymeet.retention import parse_period


def moment_ms(text: str, now_ms: int) -> int:
    """`2026-11-01T10:00` (UTC where no offset is given), `2026-11-01` or `7d` ago, as UTC milliseconds.

    InvalidInputError for anything else.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now_ms - parse_period(text)
        except InvalidInputError:
            raise InvalidInputError(
                f"{text!r} is no point in time. Write 2026-11-01T10:00 (UTC), or 7d for seven days ago."
            ) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
