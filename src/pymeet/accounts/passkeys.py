"""Passkeys (Web Authentication, level 3): options for the browser, and whether what it signed is good. Pure.

The person is verified by the authenticator every time (by finger, face or PIN), and credentials are discoverable, so that
a passkey alone signs in.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from pymeet.accounts.model import User
from pymeet.errors import InvalidInputError, NotSignedInError

Credential = dict[str, Any]
"""What a browser makes of a `PublicKeyCredential` with `toJSON()`."""

_MAX_CREDENTIAL_ID = 1400
"""Characters: 1,023 bytes (section 4) in base64url."""


@dataclass(frozen=True)
class Site:
    """This server as passkeys know it: they are bound to the name of its host."""

    rp_id: str
    origin: str


@dataclass(frozen=True)
class NewPasskey:
    """What is stored of a passkey; bytes in base64url."""

    credential_id: str
    public_key: str
    sign_count: int


def site_of(origin: str) -> Site | None:
    """The site of `scheme://host[:port]`; None where browsers make no passkeys, such as for a bare address."""
    host = urlsplit(origin).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Site(host, origin) if host else None
    return None


def new_challenge() -> bytes:
    """64 random bytes that the authenticator has to sign."""
    return webauthn.helpers.generate_challenge()


def creation_options(site: Site, user: User, existing: Iterable[str], challenge: bytes) -> dict[str, Any]:
    """`PublicKeyCredentialCreationOptionsJSON`; authenticators that hold one of the `existing` ones are left out."""
    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name=site.rp_id,
        user_id=user.id.encode(),
        user_name=user.email,
        user_display_name=user.name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(existing),
    )
    return _as_dict(webauthn.options_to_json(options))


def request_options(site: Site, allowed: Iterable[str], challenge: bytes) -> dict[str, Any]:
    """`PublicKeyCredentialRequestOptionsJSON`; without `allowed` ones the person chooses among all they have here."""
    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge,
        allow_credentials=_descriptors(allowed),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _as_dict(webauthn.options_to_json(options))


def check_new(site: Site, challenge: bytes, credential: Credential) -> NewPasskey:
    """What a fresh passkey is recognised by later. Raises InvalidInputError (`passkey_refused`)."""
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except Exception as error:
        raise InvalidInputError("This passkey cannot be used here. Try again.", code="passkey_refused") from error
    return NewPasskey(
        bytes_to_base64url(made.credential_id), bytes_to_base64url(made.credential_public_key), made.sign_count
    )


def credential_id_of(credential: Credential) -> str:
    """Which passkey claims to have signed. Raises NotSignedInError (`passkey_refused`)."""
    claimed = credential.get("id")
    if not isinstance(claimed, str) or not claimed.isascii() or not 1 <= len(claimed) <= _MAX_CREDENTIAL_ID:
        raise refused()
    return claimed


def check_signed(site: Site, challenge: bytes, credential: Credential, public_key: str, sign_count: int) -> int:
    """The new number of signatures, which only grows where it is counted (section 6.1.1): a copy would fall behind.

    Raises NotSignedInError (`passkey_refused`).
    """
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except Exception as error:
        raise refused() from error
    return verified.new_sign_count


def refused() -> NotSignedInError:
    """The one answer to whatever is wrong with a passkey."""
    return NotSignedInError("This passkey is not known here, or did not fit.", code="passkey_refused")


def _descriptors(credential_ids: Iterable[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in credential_ids]


def _as_dict(text: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(text)
    return made
