"""Which passwords people may not choose: common ones, and what everybody knows about them (NIST SP 800-63B, 3.1.1.2).

What is made of one of them by decorating or repeating it is as easy to guess, and need not stand in the list itself.
"""

import re
from functools import lru_cache
from importlib.resources import files

from pymeet.errors import InvalidInputError

_KNOWN_FROM = 4
"""A name shorter than this may well stand in a password by chance."""

_AS_LETTERS = str.maketrans({"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t"})
_ROWS = ("0123456789" * 3, "9876543210" * 3)


def check_choice(password: str, *, name: str, email: str) -> None:
    """Refuses a password that would be guessed early. InvalidInputError (`common_password`, `personal_password`)."""
    folded = password.casefold()
    plain = _letters(folded)
    for known in (email.casefold(), name.casefold(), _letters(name.casefold())):
        if len(known) >= _KNOWN_FROM and (known in folded or known in plain):
            raise InvalidInputError(
                "The password contains your name or address. Choose one that nobody who knows you would try.",
                code="personal_password",
            )
    if _is_common(folded):
        raise InvalidInputError(
            "This password is among the first that others would try. Choose another, such as four random words.",
            code="common_password",
        )


def _is_common(folded: str) -> bool:
    whole = re.sub(r"[\W_]+", "", folded)
    forms = {folded, whole}
    forms |= {_unit(form) for form in forms}
    forms |= {re.sub(r"^[\W\d_]+|[\W\d_]+$", "", form) for form in forms}  # Password2026! is password
    forms |= {form.translate(_AS_LETTERS) for form in forms}
    forms |= {_unit(form) for form in forms}
    return (
        bool(forms & common())
        or len(set(whole)) < 4  # of three different characters, or none that is letter or digit
        or any(whole in row for row in _ROWS)
    )


def _unit(text: str) -> str:
    """What a text repeats: `abc` for `abcabcabc`; the text itself where it repeats nothing."""
    again = (text + text).find(text, 1) if text else -1
    return text[:again] if 0 < again < len(text) else text


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]+", "", text)


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """The list that is shipped, as it stands there and without spaces."""
    text = files("pymeet.accounts").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return frozenset(lines) | {line.replace(" ", "") for line in lines if " " in line}
