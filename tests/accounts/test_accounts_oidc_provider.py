"""What the server believes of a provider, over real HTTP on loopback: one that answers as it should, and several that do not."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from joserfc.jwk import ECKey

from pymeet.accounts.oidc_provider import (
    AGAIN_S,
    GOOD_FOR_S,
    LIMIT_BYTES,
    PAUSE_S,
    CodeRefusedError,
    Provider,
    ProviderError,
)
from pymeet.clock import ManualClock
from pymeet.config_oidc import OidcConfig

EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"}, private=True)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Office:
    """A provider of which each answer can be changed; it counts what it is asked."""

    def __init__(self) -> None:
        self.issuer = ""
        self.says: dict[str, Any] = {}
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.forms: list[tuple[str | None, dict[str, Any]]] = []
        self.clock = ManualClock()

    def provider(self, **more: Any) -> Provider:
        return Provider(OidcConfig.model_validate({"issuer": self.issuer, "client_id": "pymeet", **more}), self.clock)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        self.asked.append(name)
        if name in self.answers:
            return await self.answers[name](request)
        if name == "token":
            self.forms.append((request.headers.get("Authorization"), dict(await request.post())))
            return web.json_response({"id_token": "i", "access_token": "a"})
        if name == "jwks":
            return web.json_response({"keys": [EC.as_dict(private=False)]})
        if name == "userinfo":
            return web.json_response({"sub": "mei", "with": request.headers["Authorization"]})
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorization",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/out?realm=1",
            **self.says,
        }
        return web.json_response({name: value for name, value in said.items() if value is not None})


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with opened() as made:
        yield made


@asynccontextmanager
async def opened() -> AsyncIterator[Office]:
    made = Office()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.issuer = f"http://{host}:{port}/realm"
    try:
        yield made
    finally:
        await runner.cleanup()


async def test_what_it_says_is_asked_once_an_hour(office: Office):
    """And nothing before anybody needs it."""
    provider = office.provider()
    assert office.asked == []
    for _ in range(3):
        assert (await provider.metadata()).token == f"{office.issuer}/token"
        assert len(await provider.keys()) == 1
    assert office.asked == ["openid-configuration", "jwks"]
    office.clock.advance(GOOD_FOR_S)
    await provider.keys()
    assert office.asked == ["openid-configuration", "jwks"] * 2


async def test_a_new_key_is_looked_for_but_not_all_the_time(office: Office):
    """Anybody can send a token that names a key nobody knows."""
    provider = office.provider()
    await provider.keys()
    await provider.keys(newer=True)
    assert office.asked.count("jwks") == 1
    office.clock.advance(AGAIN_S)
    await provider.keys(newer=True)
    await provider.keys(newer=True)
    assert office.asked.count("jwks") == 2


@pytest.mark.parametrize("secret", [None, "p+s: ö/%"])
async def test_a_code_is_redeemed_as_the_standard_says(office: Office, secret: str | None):
    """The secret goes into the header, form-encoded first; without one the name goes along, and PKCE proves the rest."""
    provider = office.provider(**({"client_secret": secret} if secret else {}))

    tokens = await provider.redeem("c", verifier="v", redirect_uri="https://meet.example.org/oidc/callback")

    assert (tokens.id_token, tokens.access_token) == ("i", "a")
    ((header, form),) = office.forms
    assert form == {
        "grant_type": "authorization_code",
        "code": "c",
        "code_verifier": "v",
        "redirect_uri": "https://meet.example.org/oidc/callback",
        "client_id": "pymeet",
    }
    expected = base64.b64encode(b"pymeet:p%2Bs%3A+%C3%B6%2F%25").decode()
    assert header == (f"Basic {expected}" if secret else None)


async def test_a_provider_that_takes_the_secret_in_the_body_gets_it_there(office: Office):
    """It says so in its metadata."""
    office.says["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    await office.provider(client_secret="s").redeem("c", verifier="v", redirect_uri="https://x.example")
    ((header, form),) = office.forms
    assert (header, form["client_secret"]) == (None, "s")


async def test_where_one_is_signed_out_there(office: Office):
    """What stands in the query of its address stays."""
    url = await office.provider().sign_out_url(id_token="t", back_to="https://meet.example.org/")
    assert url == (
        f"{office.issuer}/out?realm=1&id_token_hint=t&client_id=pymeet"
        "&post_logout_redirect_uri=https%3A%2F%2Fmeet.example.org%2F"
    )
    office.says["end_session_endpoint"] = None
    assert await office.provider().sign_out_url(id_token="t", back_to="https://meet.example.org/") is None
    office.says["userinfo_endpoint"] = None
    assert await office.provider().userinfo("a") == {}


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://192.0.2.1/token"},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": "https://user@evil.example/token"},
        {"token_endpoint": "https:///token"},
        {"token_endpoint": None},
        {"jwks_uri": 5},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://x.example/#fragment"},
        {"userinfo_endpoint": "http://[::ffff:7f00:1%x]/"},
        {"end_session_endpoint": "data:text/html,x"},
    ],
    ids=str,
)
async def test_metadata_that_leads_elsewhere_is_not_used(office: Office, says: dict[str, Any]):
    """Nothing is sent in the clear, nothing to what is no web address, and nobody is led by another provider's word."""
    office.says = says
    with pytest.raises(ProviderError):
        await office.provider().metadata()


async def test_answers_are_bounded_and_never_followed(office: Office):
    """A provider that was taken over must not be able to do more than to refuse."""

    async def large(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b'{"keys": [' + b" " * LIMIT_BYTES + b"]}", content_type="application/json")

    async def packed(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=b'{"keys": [' + b" " * 50 * LIMIT_BYTES + b"]}", content_type="application/json")
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async def elsewhere(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(f"{office.issuer}/userinfo")

    async def broken(_: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    async def words(_: web.Request) -> web.StreamResponse:
        return web.Response(text="[" * 100_000)

    async def empty(_: web.Request) -> web.StreamResponse:
        return web.json_response({"keys": []})

    for answer in (large, packed, elsewhere, broken, words, empty):
        office.answers["jwks"] = answer
        with pytest.raises(ProviderError):
            await office.provider().keys()
    assert "userinfo" not in office.asked


async def test_a_code_that_is_refused_is_told_from_a_provider_that_cannot_be_used(office: Office):
    """The one is the person's matter, the other the operator's."""

    async def refuses(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "invalid_grant"}, status=400)

    async def knows_us_not(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "invalid_client"}, status=401)

    for answer, error in ((refuses, CodeRefusedError), (knows_us_not, ProviderError)):
        office.answers["token"] = answer
        with pytest.raises(error):
            await office.provider().redeem("c", verifier="v", redirect_uri="https://x.example")


async def test_a_code_that_nobody_answers_makes_nobody_else_wait(office: Office):
    """Anybody can send a code, also one at which the provider gives up."""

    async def breaks_off(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    provider = office.provider()
    office.answers = {"token": breaks_off, "userinfo": breaks_off}
    with pytest.raises(ProviderError):
        await provider.redeem("made-up", verifier="v", redirect_uri="https://x.example")
    assert len(await provider.keys()) == 1
    with pytest.raises(ProviderError):
        await provider.userinfo("a")
    office.answers = {}
    assert (await provider.redeem("c", verifier="v", redirect_uri="https://x.example")).id_token == "i"


async def test_a_provider_that_is_away_is_left_alone_for_a_moment():
    """So that many who want to sign in do not wait for it one after the other."""
    async with opened() as office:
        provider = office.provider()
    with pytest.raises(ProviderError):
        await provider.metadata()
    with pytest.raises(ProviderError):
        await provider.metadata()
    office.clock.advance(PAUSE_S)
    with pytest.raises(ProviderError):
        await provider.metadata()
