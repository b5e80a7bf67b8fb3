"""Tokens that an OpenID provider signed: whether they are its own, meant for this server, and for this very moment. Pure.

ID tokens by OpenID Connect Core 1.0, section 3.1.3.7; logout tokens by OpenID Connect Back-Channel Logout 1.0, section
2.6; signatures by RFC 7515, through joserfc. Times are UTC seconds, as in the tokens.
"""

import base64
import hashlib
import hmac
import json
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from pymeet.errors import PymeetError

Key = RSAKey | ECKey | OKPKey
Claims = Mapping[str, Any]

ALGORITHMS: Final[Mapping[str, type[Key]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSAKey),
    **dict.fromkeys(("ES256", "ES384", "ES512"), ECKey),
    **dict.fromkeys(("EdDSA", "Ed25519"), OKPKey),
}
"""What is believed: public keys only. With `none` or a shared secret, others than the provider could sign."""

LEEWAY_S: Final = 60
"""By how much two clocks may differ."""

MAX_AGE_S: Final = 600
"""How old an ID token may be: it is fetched the moment it is issued."""

LOGOUT_AGE_S: Final = 300
"""How old a logout token may be: it is sent the moment it is issued."""

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

MAX_LENGTH: Final = 32 * 1024
_MAX_KEYS: Final = 50
_MAX_ID: Final = 255
_MAX_SESSION: Final = 1000
_KINDS: Final[Mapping[str, type[RSAKey | ECKey | OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


class TokenError(PymeetError):
    """A token that must not be believed; the message says why, in fixed words."""

    code = "bad_token"


class UnknownKeyError(TokenError):
    """It names a key that is not among those at hand: the provider may have a new one."""


@dataclass(frozen=True)
class Expected:
    """What a token must say to be for us."""

    issuer: str
    client_id: str


@dataclass(frozen=True)
class SignedIn:
    """What a good ID token says."""

    subject: str
    session: str | None
    """What the provider calls the session (`sid`)."""
    confirmed_at_s: float | None
    """When the person showed the provider who they are."""
    claims: Claims


@dataclass(frozen=True)
class LoggedOut:
    """Whose session, or which, a good logout token ends; one of the two is always there."""

    subject: str | None
    session: str | None
    id: str
    """Under which it is known again."""


def read_keys(document: Any) -> tuple[Key, ...]:
    """The public keys in a JWK Set (RFC 7517, section 5) that can check signatures; the others are left out."""
    listed = document.get("keys") if isinstance(document, dict) else None
    found = []
    for each in (listed if isinstance(listed, list) else [])[:_MAX_KEYS]:
        kind = _KINDS.get(str(each.get("kty"))) if isinstance(each, dict) else None
        if kind is None or each.get("use", "sig") != "sig":
            continue
        try:
            found.append(kind.import_key(each))
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # of a curve or a form that we do not know
    return tuple(found)


def check_id_token(
    token: str, keys: Sequence[Key], expected: Expected, *, nonce: str, access_token: str, now_s: float
) -> SignedIn:
    """What it says. `access_token` is the one that came with it. Raises TokenError."""
    header, claims = _verified(token, keys, types=("JWT",))
    _check_about_us(claims, expected)
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise TokenError("It was issued for somebody else.")
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
        raise TokenError("It is for several, and does not say for whom it was issued.")
    _check_times(claims, now_s, MAX_AGE_S)
    if not hmac.compare_digest(_text(claims, "nonce", 1000) or "", nonce):
        raise TokenError("It answers another request.")
    if "at_hash" in claims and claims["at_hash"] != _half_hash(access_token, header):
        raise TokenError("It does not belong to the access token.")
    subject = _text(claims, "sub", _MAX_ID)
    if not subject:
        raise TokenError("It does not say who it is about.")
    confirmed_at_s = _number(claims, "auth_time") if "auth_time" in claims else None
    return SignedIn(subject, _text(claims, "sid", _MAX_SESSION), confirmed_at_s, claims)


def check_logout_token(token: str, keys: Sequence[Key], expected: Expected, *, now_s: float) -> LoggedOut:
    """What it says. That it comes once, by its id, the caller has to see to. Raises TokenError."""
    _, claims = _verified(token, keys, types=("LOGOUT+JWT", "JWT"))
    _check_about_us(claims, expected)
    _check_times(claims, now_s, LOGOUT_AGE_S)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise TokenError("It is not about a sign-out.")
    if "nonce" in claims:
        raise TokenError("It is an ID token.")  # which must not be taken for this
    subject, session = _text(claims, "sub", _MAX_ID), _text(claims, "sid", _MAX_SESSION)
    made_id = _text(claims, "jti", _MAX_ID)
    if not made_id or not (subject or session):
        raise TokenError("It does not say which session it is about.")
    return LoggedOut(subject, session, made_id)


def _verified(token: str, keys: Sequence[Key], *, types: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token whose signature is good. TokenError, UnknownKeyError."""
    if len(token) > MAX_LENGTH or not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token, re.ASCII):
        raise TokenError("It is not a signed token.")
    header = _object(token.partition(".")[0])
    algorithm, kid = header.get("alg"), header.get("kid")
    kind = ALGORITHMS.get(algorithm) if isinstance(algorithm, str) else None
    if kind is None or "crit" in header or "b64" in header:
        raise TokenError("It is signed in a way that is not believed.")
    if str(header.get("typ", "JWT")).upper().removeprefix("APPLICATION/") not in types:
        raise TokenError("It is a token of another kind.")
    named = [key for key in keys if kid is None or key.get("kid") == kid]
    if not named:
        raise UnknownKeyError("It is signed with a key that the provider does not show.")
    for key in named:
        if isinstance(key, kind) and key.get("alg", algorithm) == algorithm:
            try:
                with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # EdDSA has a newer name
                    jws.deserialize_compact(token, key, algorithms=[str(algorithm)])
            except (JoseError, ValueError, TypeError):
                continue
            return header, _object(token.split(".")[1])
    raise TokenError("Its signature does not fit.")


def _check_about_us(claims: Claims, expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise TokenError("It comes from another provider.")
    audience = claims.get("aud")
    if expected.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise TokenError("It is meant for somebody else.")


def _check_times(claims: Claims, now_s: float, max_age_s: float) -> None:
    if not _number(claims, "exp") > now_s - LEEWAY_S:
        raise TokenError("It is over.")
    if not now_s - max_age_s - LEEWAY_S < _number(claims, "iat") < now_s + LEEWAY_S:
        raise TokenError("It is not from now.")
    if "nbf" in claims and not _number(claims, "nbf") < now_s + LEEWAY_S:
        raise TokenError("It is not good yet.")


def _half_hash(access_token: str, header: Mapping[str, Any]) -> str:
    """The claim `at_hash`: the left half of the hash that the algorithm of the signature is made with."""
    bits = str(header["alg"])[-3:]
    hashed = hashlib.new(f"sha{bits if bits in ('256', '384', '512') else '512'}", access_token.encode()).digest()
    return base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()


def _object(part: str) -> dict[str, Any]:
    """A part of a token as the JSON object that it must be. TokenError."""
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TokenError("It is not a signed token.")
    return found


def _text(claims: Claims, name: str, limit: int) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > limit:
        raise TokenError("What it says has another form than it must.")
    return value


def _number(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError("It does not say when it is good.")
    return value
