"""Texts that people type: made uniform once, at the edge, so that everything behind can compare and show them."""

import unicodedata

from pymeet.errors import InvalidInputError

NAME_LENGTH = 80
EMAIL_LENGTH = 254


def clean_line(value: str, *, what: str, limit: int = NAME_LENGTH) -> str:
    """One line of 1 to `limit` characters: composed (NFC), without control characters, without outer space.

    Raises InvalidInputError, whose message begins with `what` ("The name").
    """
    composed = unicodedata.normalize("NFC", _encodable(value, what))
    # Cc and Cf include the marks that turn the direction of text around: with them one name can look like another.
    # The joiners between Persian letters and in emoji are of that group too, and are kept.
    kept = "".join(
        " " if character in "\t\n\r\u2028\u2029" else character
        for character in composed
        if unicodedata.category(character) not in ("Cc", "Cf") or character in "\t\n\r\u200c\u200d"
    )
    line = " ".join(kept.split())
    if not line.strip("\u200c\u200d "):
        raise InvalidInputError(f"{what} must not be empty.")
    if len(line) > limit:
        raise InvalidInputError(f"{what} can have at most {limit} characters.")
    return line


def clean_text(value: str, *, what: str, limit: int) -> str:
    """Several lines of 1 to `limit` characters without control characters but tab and line feed.

    Raises InvalidInputError.
    """
    unified = _encodable(value, what).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(character for character in unified if character in "\t\n" or unicodedata.category(character) != "Cc")
    if not text.strip():
        raise InvalidInputError(f"{what} must not be empty.")
    if len(text) > limit:
        raise InvalidInputError(f"{what} can have at most {limit} characters.")
    return text


def clean_email(value: str) -> str:
    """An address in the one form in which it is stored and compared: trimmed, composed, lower case.

    Checked only as far as it prevents slips; whether mail arrives there, only mail can tell. Raises InvalidInputError.
    """
    email = unicodedata.normalize("NFKC", _encodable(value, "The e-mail address")).strip().lower()
    local, at, domain = email.rpartition("@")
    whole = at and local and "@" not in local and domain.strip(".") == domain and ".." not in domain and domain
    if (
        not whole
        or len(email) > EMAIL_LENGTH
        or len(local) > 64
        or any(character.isspace() or unicodedata.category(character).startswith("C") for character in email)
    ):
        raise InvalidInputError("This is not an e-mail address. One looks like ann@example.org.")
    return email


def _encodable(value: str, what: str) -> str:
    # JSON can spell half of a surrogate pair, which no file and no database can store.
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidInputError(f"{what} contains characters that do not exist.")
    return value
