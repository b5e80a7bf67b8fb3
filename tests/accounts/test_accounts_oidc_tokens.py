"""Tokens that a provider signed: what is believed, and everything that must not be."""

import base64
import hashlib
import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from pymeet.accounts.oidc_tokens import (
    LOGOUT_EVENT,
    Expected,
    SignedIn,
    TokenError,
    UnknownKeyError,
    check_id_token,
    check_logout_token,
    read_keys,
)

NOW_S = 1_700_000_000
US = Expected("https://login.example.org", "pymeet")
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"}, private=True)
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, private=True)
ED = OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig"}, private=True)
KEYS = read_keys({"keys": [key.as_dict(private=False) for key in (EC, RSA, ED)]})
ACCESS = "an access token"


def half(text: str, name: str = "sha256") -> str:
    hashed = hashlib.new(name, text.encode()).digest()
    return base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()


CLAIMS = {
    "iss": US.issuer,
    "aud": "pymeet",
    "sub": "mei",
    "exp": NOW_S + 300,
    "iat": NOW_S,
    "nonce": "n",
    "at_hash": half(ACCESS),
    "sid": "s",
    "auth_time": NOW_S - 5,
}
LOGOUT = {
    "iss": US.issuer,
    "aud": ["pymeet"],
    "sid": "s",
    "exp": NOW_S + 120,
    "iat": NOW_S,
    "jti": "1",
    "events": {LOGOUT_EVENT: {}},
}


def signed(claims: dict[str, Any], key: Any = EC, alg: str = "ES256", **header: Any) -> str:
    """A token with these claims; a header or a claim that is None is left out."""
    head = {"alg": alg, "kid": key.kid, **header}
    head = {name: value for name, value in head.items() if value is not None}
    said = {name: value for name, value in claims.items() if value is not None}
    return jws.serialize_compact(head, json.dumps(said).encode(), key, algorithms=[alg])


def check(token: str, **other: Any) -> SignedIn:
    given: dict[str, Any] = {"nonce": "n", "access_token": ACCESS, "now_s": NOW_S, **other}
    return check_id_token(token, KEYS, US, **given)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize(("key", "alg"), [(EC, "ES256"), (RSA, "RS256"), (RSA, "PS256"), (ED, "EdDSA")])
def test_a_good_token_says_who_it_is(key: Any, alg: str):
    """Whichever of the usual algorithms the provider signs by."""
    hashed = half(ACCESS, "sha512" if alg == "EdDSA" else "sha256")
    said = check(signed({**CLAIMS, "at_hash": hashed}, key, alg))

    assert (said.subject, said.session, said.confirmed_at_s) == ("mei", "s", NOW_S - 5)


def test_a_token_for_several_is_good_when_it_was_issued_for_us():
    """Some providers name themselves, or an API of theirs, beside us."""
    assert check(signed({**CLAIMS, "aud": ["account", "pymeet"], "azp": "pymeet"})).subject == "mei"


def test_one_key_without_a_name_is_found():
    """`kid` is optional."""
    assert check(signed(CLAIMS, kid=None)).subject == "mei"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": US.issuer + "/"},
        {"iss": None},
        {"aud": "other"},
        {"aud": []},
        {"aud": None},
        {"aud": ["pymeet", "other"]},
        {"azp": "other"},
        {"aud": ["pymeet", "other"], "azp": "other"},
        {"exp": NOW_S - 61},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": float("nan")},
        {"iat": NOW_S + 61},
        {"iat": NOW_S - 700},
        {"iat": None},
        {"nbf": NOW_S + 61},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ["n"]},
        {"at_hash": half("another token")},
        {"at_hash": 5},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "x" * 256},
        {"auth_time": "now"},
    ],
    ids=str,
)
def test_a_token_with_one_wrong_claim_is_not_believed(claims: dict[str, Any]):
    """Each check of OpenID Connect Core 3.1.3.7 stands for an attack."""
    with pytest.raises(TokenError):
        check(signed({**CLAIMS, **claims}))


def test_a_token_that_is_not_signed_by_the_provider_is_not_believed():
    """Neither unsigned, nor with the public key as a secret, nor with a key that names itself, nor changed afterwards."""
    stranger = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)
    shared = OctKey.import_key(json.dumps(EC.as_dict(private=False)), {"kid": "ec"})
    head, body, signature = signed(CLAIMS).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    other = base64.urlsafe_b64encode(json.dumps({**CLAIMS, "sub": "eve"}).encode()).rstrip(b"=").decode()
    for token in (
        signed(CLAIMS, stranger),
        signed(CLAIMS, stranger, kid=None),
        signed(CLAIMS, shared, "HS256"),
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{head}.{other}.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.{body}.{signature}",
        "",
        "a.b.c",
        "x" * 40_000,
    ):
        with pytest.raises(TokenError):
            check(token)
    with pytest.raises(TokenError):
        check(signed(CLAIMS, typ="logout+jwt"))
    with pytest.raises(UnknownKeyError):
        check(signed(CLAIMS, kid="new"))


def test_a_key_is_used_for_what_it_says_only():
    """A key for encryption, or for another algorithm, signs nothing."""
    for more in ({"use": "enc"}, {"alg": "RS512"}, {"alg": "ES256"}):
        keys = read_keys({"keys": [{**RSA.as_dict(private=False), **more}]})
        with pytest.raises(TokenError):
            check_id_token(signed(CLAIMS, RSA, "RS256"), keys, US, nonce="n", access_token=ACCESS, now_s=NOW_S)


def test_what_is_no_key_is_left_out():
    """The provider may have kinds that nobody here knows; the others still count."""
    strange = [None, 5, {}, {"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-0"}, {"kty": "RSA"}, {"kty": ["RSA"]}]
    assert len(read_keys({"keys": [*strange, EC.as_dict(private=False)]})) == 1
    for document in (None, [], {}, {"keys": 5}):
        assert read_keys(document) == ()


def test_a_logout_token_says_which_session_is_over():
    """By session, by person, or both; with the type that the standard recommends, and with the one from before."""
    for typ in ("logout+jwt", "JWT", None):
        over = check_logout_token(signed(LOGOUT, typ=typ), KEYS, US, now_s=NOW_S)
        assert (over.subject, over.session, over.id) == (None, "s", "1")
    over = check_logout_token(signed({**LOGOUT, "sid": None, "sub": "mei"}), KEYS, US, now_s=NOW_S)
    assert (over.subject, over.session) == ("mei", None)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "other"},
        {"events": None},
        {"events": {}},
        {"events": {LOGOUT_EVENT: True}},
        {"events": [LOGOUT_EVENT]},
        {"nonce": "n"},
        {"jti": None},
        {"sid": None},
        {"sid": 5},
        {"iat": NOW_S - 400},
        {"iat": NOW_S + 90},
        {"iat": None},
        {"exp": NOW_S - 90},
        {"exp": None},
    ],
    ids=str,
)
def test_a_logout_token_with_one_wrong_claim_is_not_believed(claims: dict[str, Any]):
    """Back-Channel Logout 2.6; above all an ID token, which many have seen, must not sign anybody out."""
    with pytest.raises(TokenError):
        check_logout_token(signed({**LOGOUT, **claims}), KEYS, US, now_s=NOW_S)
