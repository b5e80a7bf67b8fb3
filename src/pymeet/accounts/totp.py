"""Codes that an authenticator app shows (TOTP, RFC 6238) and codes on paper for when it is lost. Pure."""

import base64
import hashlib
import os
import secrets
from typing import Final

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pymeet.errors import PymeetError

KEY_PURPOSE: Final = b"second-factor"
"""Names the key of `keys.db` that the secrets are sealed with."""

STEP_MS: Final = 30_000
"""A code is for this long; one step earlier and later is taken too, for clocks differ (RFC 6238, section 5.2)."""

RECOVERY_CODES: Final = 10
_RECOVERY_BYTES: Final = 10  # 80 random bits: nothing to guess, so that a plain hash is enough
_NONCE_BYTES: Final = 12


class SecretUnreadableError(PymeetError):
    """A stored secret does not open: it was changed, moved to another account, or sealed with another key."""

    code = "secret_unreadable"


def new_totp_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return pyotp.random_base32()


def setup_uri(secret: str, account: str, site: str) -> str:
    """The `otpauth://` address of a secret, which an app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=site)


def qr_svg(text: str) -> str:
    """A QR code (ISO/IEC 18004) as one SVG element, dark on white."""
    return segno.make(text, error="m", micro=False).svg_inline(scale=4, border=4, light="#fff", dark="#000")


def matching_step(secret: str, code: str, now_ms: int, *, after: int) -> int | None:
    """The number of the step that `code` is for; None when it is wrong, too old, or not newer than step `after`."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    totp, present = pyotp.TOTP(secret), now_ms // STEP_MS
    for step in (present - 1, present, present + 1):
        if step > after and secrets.compare_digest(totp.generate_otp(step), digits):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """Ten codes such as `k3v7-9qfa-m2xw-tz5c`."""
    return [_grouped(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code; spaces, dashes and capitals make no difference."""
    plain = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()


class Sealer:
    """Encrypts secrets for the database (AES-256-GCM), each bound to its account."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: str, user_id: str) -> str:
        """The secret, encrypted, as text."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), user_id.encode())).decode()

    def open(self, sealed: str, user_id: str) -> str:
        """The secret again. Raises SecretUnreadableError."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], user_id.encode()).decode()
        except (InvalidTag, ValueError):
            raise SecretUnreadableError("The stored secret of the second factor cannot be read.") from None


def _grouped(raw: bytes) -> str:
    text = base64.b32encode(raw).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))
