"""Random identifiers and secrets. All come from the operating system's generator; none can be guessed or counted."""

import secrets

_SLUG_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no l/1/o/0: slugs are read aloud on the phone


def new_id() -> str:
    """A 128-bit random identifier, 22 characters, safe in URLs, and as an argument of commands: it begins with no dash."""
    made = secrets.token_urlsafe(16)
    return made if made[0] != "-" else new_id()


def new_secret() -> str:
    """A 256-bit secret for tokens that grant something, 43 characters, safe in URLs."""
    return secrets.token_urlsafe(32)


def new_slug() -> str:
    """A room's address such as `mkd-7x2q-vfa`: 10 characters of 5 bits, grouped for reading aloud."""
    letters = "".join(secrets.choice(_SLUG_ALPHABET) for _ in range(10))
    return f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
