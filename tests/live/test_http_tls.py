"""HTTPS: our own certificate, an operator's, and a proxy in front."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from live_server import PASSWORD, make_config, running

from pymeet.ops.certificates import make_self_signed
from pymeet.server import Server


def trusting_nobody() -> ssl.SSLContext:
    """Accepts any certificate, as a person does who clicks the warning away."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def redeem(server: Server, http: aiohttp.ClientSession, **headers: str) -> str:
    """Becomes the first administrator; the session cookie as it was set."""
    body = {"token": server.first_admin_token, "name": "Ada", "email": "ada@example.org", "password": PASSWORD}
    async with http.post(f"{server.url}/api/v1/links/redeem", json=body, headers=headers) as response:
        assert response.status == 200, await response.text()
        return response.headers["Set-Cookie"]


@pytest.mark.parametrize("mode", ["self_signed", "files"])
async def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path, mode: str):
    """`__Host-` and Secure; the policy names wss; HSTS only where the certificate is a real one."""
    tls: dict[str, object] = {"mode": mode}
    if mode == "files":
        pem = tmp_path / "cert.pem"
        pem.write_bytes(make_self_signed(["127.0.0.1"], datetime.now(UTC)))
        tls |= {"cert_file": pem, "key_file": pem}
    connector = aiohttp.TCPConnector(ssl=trusting_nobody())
    async with (
        running(make_config(tmp_path / "data", http={"tls": tls})) as server,
        aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
    ):
        assert server.url.startswith("https://127.0.0.1:")
        cookie = await redeem(server, http, Origin=server.url)
        assert cookie.startswith("__Host-pymeet_session=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
        async with http.get(f"{server.url}/api/v1/me") as response:
            assert (await response.json())["user"]["name"] == "Ada"
            assert f"wss://{server.url.removeprefix('https://')}" in response.headers["Content-Security-Policy"]
            assert ("Strict-Transport-Security" in response.headers) is (mode == "files")


async def test_a_trusted_proxy_says_that_it_is_https(tmp_path: Path):
    """The cookie is then the one for HTTPS, and the page's origin is an https one."""
    config = make_config(tmp_path / "data", http={"trusted_proxies": ["127.0.0.0/8"]})
    async with running(config) as server, aiohttp.ClientSession() as http:
        proxied = {"X-Forwarded-Proto": "https", "Host": "meet.example.org"}
        cookie = await redeem(server, http, **proxied, Origin="https://meet.example.org")
        assert cookie.startswith("__Host-pymeet_session=")
        async with http.post(
            f"{server.url}/api/v1/sign-out", headers={**proxied, "Origin": "http://meet.example.org"}
        ) as response:
            assert response.status == 403


async def test_anybody_else_may_say_what_they_like(tmp_path: Path):
    """Without trusted proxies the header is a claim of the client's."""
    async with running(make_config(tmp_path / "data")) as server, aiohttp.ClientSession() as http:
        cookie = await redeem(server, http, **{"X-Forwarded-Proto": "https", "Origin": server.url})
        assert cookie.startswith("pymeet_session=")


async def test_a_limit_counts_the_address_that_a_trusted_proxy_names(tmp_path: Path):
    """One guesser behind the proxy does not lock the others out, and cannot hide behind made-up addresses."""
    config = make_config(tmp_path / "data", http={"trusted_proxies": ["127.0.0.1/32"]})
    async with running(config) as server, aiohttp.ClientSession() as http:

        async def guess(n: int, forwarded: str) -> int:
            body = {"email": f"user{n}@example.org", "password": "wrong"}
            headers = {"X-Forwarded-For": forwarded}
            async with http.post(f"{server.url}/api/v1/sign-in", json=body, headers=headers) as response:
                return response.status

        guesses = [await guess(n, f"10.9.9.{n}, 192.0.2.1") for n in range(12)]

        assert guesses == [401] * 10 + [429] * 2
        assert await guess(99, "192.0.2.2") == 401
