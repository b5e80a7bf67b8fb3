"""The organisation's OpenID provider, as this server reaches it: where it has what, its keys, and tokens for a code.

Nothing is asked before somebody wants to sign in. Answers are bounded in size and time, no redirect is followed, and
only encrypted addresses are spoken to (OpenID Connect Discovery 1.0; RFC 6749, section 4.1.3; RFC 7636).
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
import structlog

from pymeet.accounts.oidc_tokens import Key, read_keys
from pymeet.clock import Clock
from pymeet.config_oidc import OidcConfig
from pymeet.config_values import is_loopback
from pymeet.errors import PymeetError

log = structlog.get_logger(__name__)

TIMEOUT_S: Final = 10.0
LIMIT_BYTES: Final = 256 * 1024
GOOD_FOR_S: Final = 3600.0
"""How long what the provider says about itself, and its keys, are not asked for again."""

AGAIN_S: Final = 30.0
"""Not more often is it asked for keys because of one that nobody knows; strangers can make such tokens."""

PAUSE_S: Final = 3.0
"""For so long it is left alone after what it says about itself could not be had. What is asked with somebody's code
makes no pause: strangers can send such codes."""


class ProviderError(PymeetError):
    """The provider cannot be used at the moment, or says what it must not say; `details` has `why`, in fixed words."""

    code = "provider_unavailable"


class CodeRefusedError(PymeetError):
    """The provider gives no tokens for this code: it is used, over, or not ours."""

    code = "oidc_refused"


@dataclass(frozen=True)
class Metadata:
    """Where the provider has what (OpenID Connect Discovery 1.0, section 3)."""

    authorization: str
    token: str
    keys: str
    userinfo: str | None
    end_session: str | None
    basic: bool
    """Whether the secret goes into the header of a request, not into its body."""
    names_itself: bool
    """Whether its answers say who they come from (RFC 9207)."""


@dataclass(frozen=True)
class Tokens:
    """What the provider gave for a code."""

    id_token: str
    access_token: str


class Provider:
    """The one provider of this server. Everything raises ProviderError when it cannot be used."""

    def __init__(self, config: OidcConfig, clock: Clock) -> None:
        assert config.issuer is not None  # noqa: S101  without one there is no provider
        assert config.client_id is not None  # noqa: S101  the configuration needs it, too
        self.issuer = config.issuer
        self.client_id = config.client_id
        self._secret = config.client_secret.get_secret_value() if config.client_secret else None
        self._clock = clock
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, tuple[Key, ...]] | None = None
        self._failed_at_s: float | None = None
        self._asking = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """Where the provider has what; asked for once an hour."""
        async with self._asking:
            if self._metadata is None or self._metadata[0] <= self._clock.monotonic() - GOOD_FOR_S:
                url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                found = self._read_metadata(await self._get(url, pausing=True))
                self._metadata = (self._clock.monotonic(), found)
            return self._metadata[1]

    async def keys(self, *, newer: bool = False) -> tuple[Key, ...]:
        """The keys it signs with, asked for once an hour; `newer` when one is missing, but not all the time."""
        address = (await self.metadata()).keys
        async with self._asking:
            age_s = None if self._keys is None else self._clock.monotonic() - self._keys[0]
            if self._keys is None or age_s is None or age_s >= (AGAIN_S if newer else GOOD_FOR_S):
                found = read_keys(await self._get(address, pausing=True))
                if not found:
                    raise self._unusable("no keys")
                self._keys = (self._clock.monotonic(), found)
            return self._keys[1]

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> Tokens:
        """The tokens for a code. Raises CodeRefusedError too."""
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self.client_id,
        }
        headers = {}
        if self._secret is not None and metadata.basic:
            # each half is encoded as in a form before (RFC 6749, section 2.3.1)
            both = f"{quote_plus(self.client_id)}:{quote_plus(self._secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
        elif self._secret is not None:
            form["client_secret"] = self._secret
        status, answer = await self._ask("POST", metadata.token, headers, form)
        if status in (400, 403) and answer.get("error") == "invalid_grant":
            raise CodeRefusedError("The provider does not know this sign-in.")
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if status != 200 or not isinstance(id_token, str) or not isinstance(access_token, str):
            raise self._unusable("no tokens")  # such as a wrong secret, which is the operator's to mend
        return Tokens(id_token, access_token)

    async def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """What else it says about the person (OpenID Connect Core 1.0, section 5.3); nothing where it has no such answer."""
        address = (await self.metadata()).userinfo
        return await self._get(address, {"Authorization": f"Bearer {access_token}"}) if address else {}

    async def sign_out_url(self, *, id_token: str | None, back_to: str) -> str | None:
        """Where to go to be signed out there too (OpenID Connect RP-Initiated Logout 1.0); None where that is not possible."""
        address = (await self.metadata()).end_session
        if address is None:
            return None
        asked = {"client_id": self.client_id, "post_logout_redirect_uri": back_to}
        return with_query(address, {**({"id_token_hint": id_token} if id_token else {}), **asked})

    async def _get(
        self, url: str, headers: Mapping[str, str] | None = None, *, pausing: bool = False
    ) -> Mapping[str, Any]:
        status, answer = await self._ask("GET", url, headers or {}, None, pausing=pausing)
        if status != 200:
            raise self._unusable("status")
        return answer

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None,
        *,
        pausing: bool = False,
    ) -> tuple[int, Mapping[str, Any]]:
        """Status and answer, a JSON object. Every request has a connection of its own: there are few.

        `pausing`: where it cannot be reached, it is left alone for a moment.
        """
        if self._failed_at_s is not None and self._clock.monotonic() - self._failed_at_s < PAUSE_S:
            raise _unavailable("unreachable")
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http,
                http.request(
                    method, url, headers={"Accept": "application/json", **headers}, data=form, allow_redirects=False
                ) as response,
            ):
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > LIMIT_BYTES:
                        raise self._unusable("too large")
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            if pausing:
                self._failed_at_s = self._clock.monotonic()
            raise self._unusable("unreachable") from None
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._unusable("no object")
        return status, answer

    def _read_metadata(self, said: Mapping[str, Any]) -> Metadata:
        if said.get("issuer") != self.issuer:
            raise self._unusable("another issuer")
        methods = said.get("token_endpoint_auth_methods_supported")
        return Metadata(
            authorization=self._endpoint(said, "authorization_endpoint"),
            token=self._endpoint(said, "token_endpoint"),
            keys=self._endpoint(said, "jwks_uri"),
            userinfo=self._endpoint(said, "userinfo_endpoint") if "userinfo_endpoint" in said else None,
            end_session=self._endpoint(said, "end_session_endpoint") if "end_session_endpoint" in said else None,
            basic=not isinstance(methods, list) or "client_secret_basic" in methods,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )

    def _endpoint(self, said: Mapping[str, Any], name: str) -> str:
        """An address that may be spoken to: encrypted, or on this machine where the issuer itself is there."""
        url = said.get(name)
        try:
            parts = urlsplit(url if isinstance(url, str) else "")
            host, local = parts.hostname or "", urlsplit(self.issuer).scheme == "http"
            good = host and (parts.scheme == "https" or (local and parts.scheme == "http" and is_loopback(host)))
        except ValueError:
            good = False
        if not good or not isinstance(url, str) or len(url) > 2000 or parts.fragment or "@" in parts.netloc:
            raise self._unusable("an address")
        return url

    def _unusable(self, why: str) -> ProviderError:
        log.warning("the OpenID provider cannot be used", why=why)
        return _unavailable(why)


def with_query(url: str, more: Mapping[str, str]) -> str:
    """The address with more in its query; what stands there already stays."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(more)}"


def _unavailable(why: str) -> ProviderError:
    said = "The sign-in service cannot be used at the moment. Try again in a minute."
    return ProviderError(said, details={"why": why})
