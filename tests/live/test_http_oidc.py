"""Signing in through an OpenID provider: a real one, in a process of its own, and one that lies."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pyotp
import pytest
import pytest_asyncio
from live_server import PASSWORD, Visitor, first_admin, free_port, make_config, running, visiting
from sqlalchemy import insert, select, update
from tests.support.provider import PASSWORD as THEIR_PASSWORD
from tests.support.provider import RunningProvider, provider

from pymeet.accounts.oidc_provider import AGAIN_S
from pymeet.clock import SystemClock
from pymeet.db.schema import audit_events, identities, provider_sessions
from pymeet.ids import new_id
from pymeet.ops.client import call
from pymeet.server import Server
from pymeet.web.oidc import own_path

pytestmark = pytest.mark.asyncio(loop_scope="module")

API = "/api/v1"
PEOPLE = {
    "mei": {"name": "Mei", "email": "Mei@Example.org", "email_verified": True},
    "ben": {"name": "Ben", "email": "ben@example.org", "email_verified": False},
    "eve": {"name": "Eve", "email": "mei@example.org", "email_verified": True},
    "kim": {"name": "Kim", "email": "kim@example.org", "email_verified": True, "groups": ["staff", "heads"]},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clinic() -> AsyncIterator[RunningProvider]:
    """The provider, which knows two servers: the one that most tests share, and one that a test runs by itself."""
    sites = [f"http://127.0.0.1:{free_port()}" for _ in range(2)]
    async with provider(free_port(), sites, PEOPLE) as running_provider:
        yield running_provider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    tmp_path_factory: pytest.TempPathFactory, clinic: RunningProvider
) -> AsyncIterator[tuple[Server, Visitor]]:
    """A server with the settings that it has by itself, its first administrator, and two who did not come yet."""
    async with served(tmp_path_factory.mktemp("shared"), clinic, number=0, clock=Hurried()) as (server, ada):
        for name in ("Mei", "Ben"):
            await add(server, name)
        yield server, ada


class Hurried(SystemClock):
    """A clock whose seconds can be sent ahead; the time of day stays, which the provider's tokens go by."""

    ahead_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


@asynccontextmanager
async def served(
    directory: Path, clinic: RunningProvider, *, number: int = 1, clock: SystemClock | None = None, **oidc: Any
) -> AsyncIterator[tuple[Server, Visitor]]:
    """A server that the provider knows, and its first administrator."""
    port = urlsplit(clinic.sites[number]).port
    config = make_config(directory / "data", http={"port": port}, oidc=clinic.config(**oidc))
    async with running(config, clock) as server, first_admin(server) as ada:
        yield server, ada


async def ask(visitor: Visitor, method: str, path: str, body: object | None = None, status: int = 200) -> Any:
    got, answer = await visitor.json(method, API + path, body)
    assert got == status, (got, answer)
    return answer


async def add(server: Server, name: str) -> dict[str, Any]:
    """An account whose holder did not come yet."""
    email = f"{name.lower()}@example.org"
    added: dict[str, Any] = await call(server.config, "user.add", {"name": name, "email": email})
    return added


class There:
    """What one browser does at the provider."""

    def __init__(self) -> None:
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def signs_in(self, url: str, user: str) -> dict[str, str]:
        """Signs in there, if it has to; with what it is sent back."""
        async with self.http.get(url, allow_redirects=False) as page:
            text, back = await page.text(), page.headers.get("Location")
            assert page.status in (200, 302), text
        if back is None:
            token = re.search(r'name="token" value="([^"]+)"', text)
            assert token is not None, text
            form = {"token": token[1], "username": user, "password": THEIR_PASSWORD}
            address = urlsplit(url)
            async with self.http.post(
                f"{address.scheme}://{address.netloc}/verify", data=form, allow_redirects=False
            ) as done:
                assert done.status == 302, await done.text()
                back = done.headers["Location"]
        assert urlsplit(back).path == "/oidc/callback"
        return dict(parse_qsl(urlsplit(back).query))

    async def signs_out(self, url: str) -> str:
        """Confirms there that it wants to be signed out everywhere; where it is sent then."""
        async with self.http.get(url) as page:
            text = await page.text()
            token = re.search(r'name="sjwt" value="([^"]+)"', text)
            assert token is not None, text
        address = urlsplit(url)
        async with self.http.post(
            f"{address.scheme}://{address.netloc}/logout", data={"sjwt": token[1]}, allow_redirects=False
        ) as done:
            assert done.status == 302, await done.text()
            return done.headers["Location"]


@asynccontextmanager
async def browser(server: Server) -> AsyncIterator[tuple[Visitor, There]]:
    """Somebody's browser, here and there."""
    there = There()
    try:
        async with visiting(server) as visitor:
            yield visitor, there
    finally:
        await there.http.close()


def brought(back: dict[str, str]) -> dict[str, str]:
    """What the page hands over."""
    return {name: back[name] for name in ("state", "code", "iss") if name in back}


async def sign_in(visitor: Visitor, there: There, user: str, status: int = 200, **more: Any) -> Any:
    begun = await ask(visitor, "POST", "/sign-in/oidc", more)
    back = await there.signs_in(begun["url"], user)
    return await ask(visitor, "POST", "/sign-in/oidc/finish", brought(back), status)


async def who(visitor: Visitor) -> str | None:
    user = (await ask(visitor, "GET", "/me"))["user"]
    return user and user["name"]


async def test_a_member_signs_in_and_out_at_both_ends(shared: tuple[Server, Visitor], clinic: RunningProvider) -> None:
    """From the verified address to the linked account, and out again through the provider."""
    server, _ = shared
    async with browser(server) as (mei, there):
        assert (await ask(mei, "GET", "/me"))["oidc"] == {"name": "Example Clinic", "only": False}

        answer = await sign_in(mei, there, "mei", return_to="/r/tea#now")

        assert answer["user"]["email"] == "mei@example.org"
        assert (answer["purpose"], answer["return_to"]) == ("sign_in", "/r/tea#now")
        assert await who(mei) == "Mei"
        (identity,) = (await ask(mei, "GET", "/security"))["identities"]
        assert identity["issuer"] == clinic.issuer
        assert (await call(server.config, "user.show", {"email": "mei@example.org"}))["state"] == "active"

        out = await ask(mei, "POST", "/sign-out")
        assert await who(mei) is None
        assert out["url"].startswith(clinic.issuer)
        assert await there.signs_out(out["url"]) == f"{server.url}/"
        await ask(mei, "POST", "/sign-out", status=204)


async def test_an_account_is_known_by_subject_and_not_by_address(
    shared: tuple[Server, Visitor], clinic: RunningProvider
) -> None:
    """Addresses change hands: who has it now is not who had it when the account was linked."""
    server, _ = shared
    async with browser(server) as (mei, there), browser(server) as (eve, hers):
        await sign_in(mei, there, "mei")
        moved = {**PEOPLE["mei"], "email": "mei.li@example.org", "email_verified": False}
        await clinic.ask("people", people={"mei": moved})
        try:
            assert (await sign_in(mei, there, "mei"))["user"]["email"] == "mei@example.org"
            assert (await sign_in(eve, hers, "eve", 403))["code"] == "oidc_other_identity"
            assert await who(eve) is None
        finally:
            await clinic.ask("people", people={"mei": PEOPLE["mei"]})
        await call(server.config, "user.unlink", {"email": "mei@example.org"})
        assert await who(mei) is None
        assert (await sign_in(eve, hers, "eve"))["user"]["name"] == "Mei"
        await call(server.config, "user.unlink", {"email": "mei@example.org"})


async def test_an_administrator_unlinks_the_wrong_account(shared: tuple[Server, Visitor]) -> None:
    """Without a shell on the server: whoever came in by it is out, and so is a program that they made."""
    server, ada = shared
    async with browser(server) as (mei, there):
        user_id = (await sign_in(mei, there, "mei"))["user"]["id"]
        await call(
            server.config,
            "token.create",
            {"email": "mei@example.org", "name": "Script", "scopes": ["rooms:read"], "expires": "1d"},
        )
        path = f"/admin/users/{user_id}"
        shown = await ask(ada, "GET", f"{path}/access")
        assert (len(shown["identities"]), len(shown["tokens"])) == (1, 1)
        elsewhere = await _link_elsewhere(server, user_id)
        (there_id,) = [each["id"] for each in shown["identities"]]

        await ask(ada, "DELETE", f"{path}/identities/{there_id}", status=204)

        assert await who(mei) is None
        shown = await ask(ada, "GET", f"{path}/access")
        assert (shown["tokens"], [each["id"] for each in shown["identities"]]) == ([], [elsewhere])
        await ask(ada, "DELETE", f"{path}/identities/{there_id}", status=404)
        own_id = (await ask(ada, "GET", "/me"))["user"]["id"]
        await ask(ada, "DELETE", f"/admin/users/{own_id}/identities/{elsewhere}", status=400)


async def _link_elsewhere(server: Server, user_id: str) -> str:
    """Gives somebody an account at the provider that was asked before this one, which the right one must not go with."""
    row = {"id": new_id(), "user_id": user_id, "issuer": "https://id.example.net", "subject": "mei-1"}
    times = {"created_at_ms": 1, "last_used_at_ms": 1}
    await server.database.work(lambda conn: conn.execute(insert(identities).values(**row, **times)))
    return row["id"]


async def test_who_has_no_account_or_no_verified_address_is_refused(shared: tuple[Server, Visitor]) -> None:
    """Anybody may write any address into an account at some providers."""
    server, _ = shared
    async with browser(server) as (ben, there), browser(server) as (kim, hers):
        assert (await sign_in(ben, there, "ben", 403))["code"] == "oidc_email_unverified"
        assert (await sign_in(kim, hers, "kim", 403))["code"] == "oidc_no_account"

        assert (await ask(ben, "GET", "/me"))["user"] is None
        assert (await call(server.config, "user.show", {"email": "ben@example.org"}))["state"] == "invited"


async def test_without_linking_by_address_an_account_is_linked_by_its_owner(
    tmp_path: Path, clinic: RunningProvider
) -> None:
    """With the password, which an open screen does not know; and never one that somebody else has linked."""
    async with (
        served(tmp_path, clinic, link_by_email=False) as (server, ada),
        browser(server) as (mei, there),
    ):
        await add(server, "Mei")
        assert (await sign_in(mei, there, "mei", 403))["code"] == "oidc_no_account"

        assert (await ask(ada, "POST", "/security/identities", {}, 403))["code"] == "confirm_first"
        assert (await ask(ada, "POST", "/security/identities", {"password": "no"}, 401))["code"] == "wrong_credentials"
        begun = await ask(ada, "POST", "/security/identities", {"password": PASSWORD})
        back = await there.signs_in(begun["url"], "mei")
        assert (await ask(mei, "POST", "/sign-in/oidc/finish", brought(back), 401))["code"] == "oidc_void"
        answer = await ask(ada, "POST", "/sign-in/oidc/finish", brought(back))
        assert (answer["purpose"], answer["return_to"]) == ("link", "/security")
        assert (await sign_in(mei, there, "mei"))["user"]["name"] == "Ada"

        link = (await call(server.config, "user.link", {"email": "mei@example.org"}))["link"].partition("#")[2]
        async with browser(server) as (other, _):
            await ask(other, "POST", "/links/redeem", {"token": link, "password": PASSWORD})
            begun = await ask(other, "POST", "/security/identities", {"password": PASSWORD})
            back = await there.signs_in(begun["url"], "mei")
            taken = await ask(other, "POST", "/sign-in/oidc/finish", brought(back), 409)
            assert taken["code"] == "oidc_taken"

        (identity,) = (await ask(ada, "GET", "/security"))["identities"]
        await ask(ada, "POST", f"/security/identities/{identity['id']}/remove", {"password": PASSWORD}, 204)
        assert await who(mei) is None  # it began with what was taken away
        assert await who(ada) == "Ada"
        await ask(ada, "POST", f"/security/identities/{identity['id']}/remove", {"password": PASSWORD}, 404)


async def test_what_comes_back_counts_once_and_in_the_same_browser(shared: tuple[Server, Visitor]) -> None:
    """Otherwise somebody could be signed in to a stranger's account by a link, or a code be used by who saw it."""
    server, _ = shared
    async with browser(server) as (mei, there), browser(server) as (eve, _):
        begun = await ask(mei, "POST", "/sign-in/oidc", {})
        asked = dict(parse_qsl(urlsplit(begun["url"]).query))
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["nonce"]) == len(asked["state"]) == len(asked["code_challenge"]) == 43
        back = await there.signs_in(begun["url"], "mei")

        for stranger in (brought(back), {**brought(back), "state": "x"}):
            assert (await ask(eve, "POST", "/sign-in/oidc/finish", stranger, 401))["code"] == "oidc_void"
        await ask(eve, "POST", "/sign-in/oidc", {})  # with a cookie of their own it is the same
        assert (await ask(eve, "POST", "/sign-in/oidc/finish", brought(back), 401))["code"] == "oidc_void"
        wrong = {**brought(back), "state": "x"}
        assert (await ask(mei, "POST", "/sign-in/oidc/finish", wrong, 401))["code"] == "oidc_void"

        await ask(mei, "POST", "/sign-in/oidc/finish", brought(back))
        assert (await ask(mei, "POST", "/sign-in/oidc/finish", brought(back), 401))["code"] == "oidc_void"
        assert (await who(mei), await who(eve)) == ("Mei", None)

        begun = await ask(mei, "POST", "/sign-in/oidc", {})
        back = await there.signs_in(begun["url"], "mei")
        mixed_up = {**brought(back), "iss": "https://evil.example"}
        assert (await ask(mei, "POST", "/sign-in/oidc/finish", mixed_up, 401))["code"] == "oidc_refused"

        begun = await ask(mei, "POST", "/sign-in/oidc", {})
        made_up = {**brought(await there.signs_in(begun["url"], "mei")), "code": "made-up"}
        assert (await ask(mei, "POST", "/sign-in/oidc/finish", made_up, 401))["code"] == "oidc_refused"


async def test_nobody_shuts_their_neighbours_out(shared: tuple[Server, Visitor], clinic: RunningProvider) -> None:
    """A whole company may come from one address: neither rubbish nor codes that the provider refuses count for others."""
    server, _ = shared
    async with browser(server) as (eve, _), browser(server) as (mei, there):
        for _ in range(11):
            rubbish = {"state": "x", "code": "made-up"}
            assert (await ask(eve, "POST", "/sign-in/oidc/finish", rubbish, 401))["code"] == "oidc_void"
        for _ in range(11):
            begun = await ask(eve, "POST", "/sign-in/oidc", {})
            state = dict(parse_qsl(urlsplit(begun["url"]).query))["state"]
            made_up = {"state": state, "code": "made-up", "iss": clinic.issuer}
            assert (await ask(eve, "POST", "/sign-in/oidc/finish", made_up, 401))["code"] == "oidc_refused"
            assert (await ask(eve, "POST", "/sign-in/oidc/finish", made_up, 401))["code"] == "oidc_void"
        assert (await sign_in(mei, there, "mei"))["user"]["name"] == "Mei"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a\tb",
        "evil",
        "",
        "/x" * 300,
        "/ä",
        "/\\/evil.example",
    ],
)
async def test_nobody_is_led_elsewhere_afterwards(elsewhere: str) -> None:
    """A link to the sign-in page must not end on a page that looks like it."""
    assert own_path(elsewhere) == "/"
    assert own_path("/r/tea?x=1#y") == "/r/tea?x=1#y"


async def test_the_provider_ends_sessions_here(shared: tuple[Server, Visitor], clinic: RunningProvider) -> None:
    """Back-channel logout: at once, once, and by nothing but a token that was made for it."""
    server, ada = shared
    async with browser(server) as (mei, there):
        await sign_in(mei, there, "mei")
        async with server.database.read() as conn:
            query = select(provider_sessions.c.id_token)
            id_token = (await conn.execute(query)).scalars().first()

        async def told(body: Any) -> tuple[int, str | None]:
            async with (
                aiohttp.ClientSession() as http,
                http.post(f"{server.url}/oidc/backchannel-logout", data=body) as r,
            ):
                return r.status, r.headers.get("Cache-Control")

        for wrong in ({"logout_token": id_token}, {"logout_token": "x"}, {}, [("logout_token", "x")] * 2):
            assert await told(wrong) == (400, "no-store")
        assert await who(mei) == "Mei"

        over = await clinic.ask("sign-out", user="mei")
        assert over["status"] == 200
        assert await who(mei) is None
        assert await who(ada) == "Ada"
        assert await told({"logout_token": over["token"]}) == (400, "no-store")
        async with server.database.read() as conn:
            actions = (await conn.execute(select(audit_events.c.action))).scalars().all()
        assert {"identity.linked", "session.ended"} <= set(actions)


async def test_accounts_are_made_with_the_role_that_the_provider_gives(tmp_path: Path, clinic: RunningProvider) -> None:
    """And the role follows the provider; but whoever is the last administrator stays one."""
    roles = {"role_claim": "groups", "roles": {"heads": "admin", "privacy": "dpo"}, "create_accounts": True}
    scopes = ["openid", "email", "profile", "groups"]
    async with (
        served(tmp_path, clinic, scopes=scopes, **roles) as (server, ada),
        browser(server) as (kim, there),
        browser(server) as (ben, his),
    ):
        made = (await sign_in(kim, there, "kim"))["user"]
        assert (made["name"], made["email"], made["admin"], made["dpo"]) == ("Kim", "kim@example.org", True, False)
        assert (await sign_in(ben, his, "ben", 403))["code"] == "oidc_email_unverified"

        try:
            await clinic.ask("people", people={"kim": {**PEOPLE["kim"], "groups": ["privacy"]}})
            assert (await sign_in(kim, there, "kim"))["user"]["dpo"] is True
            without = {name: value for name, value in PEOPLE["kim"].items() if name != "groups"}
            await clinic.ask("people", people={"kim": without})
            again = (await sign_in(kim, there, "kim"))["user"]
            assert (again["admin"], again["dpo"]) == (False, False)
            await clinic.ask("people", people={"kim": PEOPLE["kim"]})
            assert (await sign_in(kim, there, "kim"))["user"]["admin"] is True
            own = (await ask(ada, "GET", "/me"))["user"]["id"]
            await ask(kim, "PUT", f"/admin/users/{own}/role", {"role": "member"}, 204)
            await clinic.ask("people", people={"kim": without})
            assert (await sign_in(kim, there, "kim"))["user"]["admin"] is True
        finally:
            await clinic.ask("people", people={"kim": PEOPLE["kim"]})


async def test_who_has_no_password_confirms_at_the_provider(tmp_path: Path, clinic: RunningProvider) -> None:
    """A sign-in of a moment ago counts; an old one does not, and a session that is merely open there does not either."""
    async with (
        served(tmp_path, clinic, create_accounts=True) as (server, ada),
        browser(server) as (kim, there),
        browser(server) as (mei, hers),
    ):
        await sign_in(kim, there, "kim")
        assert (await ask(kim, "GET", "/me"))["confirm"] == "fresh"
        assert (await ask(ada, "GET", "/me"))["confirm"] == "password"
        (identity,) = (await ask(kim, "GET", "/security"))["identities"]
        last = await ask(kim, "POST", f"/security/identities/{identity['id']}/remove", {}, 409)
        assert last["code"] == "last_way_in"
        assert "secret" in await ask(kim, "POST", "/security/totp", {})

        async with server.database.write() as conn:  # a quarter of an hour goes by
            await conn.execute(update(provider_sessions).values(confirmed_at_ms=server.clock.now_ms() - 900_000))
        assert (await ask(kim, "GET", "/me"))["confirm"] == "provider"
        for path in ("/security/totp", "/my-data/erasure"):
            assert (await ask(kim, "POST", path, {}, 403))["code"] == "confirm_first"

        begun = await ask(kim, "POST", "/security/confirm", {"return_to": "/my-data"})
        asked = dict(parse_qsl(urlsplit(begun["url"]).query))
        assert (asked["prompt"], asked["max_age"]) == ("login", "0")
        # somebody who takes these two out is not believed; and neither is somebody else who signs in there
        await clinic.ask("age", user="kim", by_s=900)
        back = await there.signs_in(begun["url"].replace("&prompt=login&max_age=0", ""), "kim")
        assert (await ask(kim, "POST", "/sign-in/oidc/finish", brought(back), 403))["code"] == "confirm_failed"
        begun = await ask(kim, "POST", "/security/confirm", {"return_to": "/my-data"})
        back = await hers.signs_in(begun["url"], "mei")
        assert (await ask(kim, "POST", "/sign-in/oidc/finish", brought(back), 403))["code"] == "confirm_failed"
        begun = await ask(kim, "POST", "/security/confirm", {"return_to": "/my-data"})
        answer = await ask(kim, "POST", "/sign-in/oidc/finish", brought(await there.signs_in(begun["url"], "kim")))
        assert (answer["purpose"], answer["return_to"]) == ("confirm", "/my-data")
        assert (await ask(kim, "GET", "/me"))["confirm"] == "fresh"

        await ask(kim, "POST", "/my-data/erasure", {})
        pending = await sign_in(kim, there, "kim", 409)
        assert pending["code"] == "erasure_pending"
        kept = await sign_in(kim, there, "kim", keep_account=True)
        assert kept["purpose"] == "keep"
        assert await who(kim) == "Kim"
        await ask(mei, "POST", "/security/confirm", {}, 401)


async def test_with_only_the_provider_nothing_else_lets_members_in(tmp_path: Path, clinic: RunningProvider) -> None:
    """Who is locked out there is locked out here; administrators keep their passwords for the day it is away."""
    async with served(tmp_path, clinic, only=True) as (server, ada), browser(server) as (mei, there):
        added = await add(server, "Mei")
        token = added["link"].partition("#")[2]
        redeem = {"token": token, "password": PASSWORD}
        assert (await ask(mei, "POST", "/links/redeem", redeem, 403))["code"] == "oidc_only"
        assert (await ask(mei, "POST", "/links/inspect", {"token": token}))["purpose"] == "set_password"
        assert (await ask(mei, "GET", "/me"))["oidc"]["only"] is True

        await sign_in(mei, there, "mei")
        assert await who(mei) == "Mei"
        await ask(ada, "POST", "/sign-out", status=204)
        await ask(ada, "POST", "/sign-in", {"email": "ada@example.org", "password": PASSWORD})
        assert await who(ada) == "Ada"

        link = (await call(server.config, "user.add", {"name": "Kim", "email": "kim@example.org", "admin": True}))[
            "link"
        ]
        async with visiting(server) as kim:  # an administrator, who is none any more
            body = {"token": link.partition("#")[2], "password": PASSWORD}
            await ask(kim, "POST", "/links/redeem", body)
            await call(server.config, "user.role", {"email": "kim@example.org", "role": "member"})
            own = {"email": "kim@example.org", "password": PASSWORD}
            assert (await ask(kim, "POST", "/sign-in", own, 403))["code"] == "oidc_only"
            await ask(kim, "POST", "/sign-in", {**own, "password": "wrong"}, 401)


async def test_the_own_second_factor_is_asked_where_the_provider_is_not_trusted_with_it(
    tmp_path: Path, clinic: RunningProvider
) -> None:
    """And the session still ends with the one at the provider."""
    async with (
        served(tmp_path, clinic, trust_second_factor=False) as (server, _),
        browser(server) as (mei, there),
        browser(server) as (phone, pocket),
    ):
        await add(server, "Mei")
        await sign_in(mei, there, "mei")
        setup = await ask(mei, "POST", "/security/totp", {})
        app = pyotp.TOTP(setup["secret"])
        await ask(mei, "POST", "/security/totp/confirm", {"code": app.now()})

        asked = await sign_in(phone, pocket, "mei", return_to="/recordings")
        assert asked["second_factor"]["methods"] == ["totp", "recovery"]
        assert asked["return_to"] == "/recordings"
        assert await who(phone) is None
        code = {"ticket": asked["second_factor"]["ticket"], "code": app.at(server.clock.now_ms() // 1000 + 30)}
        await ask(phone, "POST", "/sign-in/second-factor", code)
        assert await who(phone) == "Mei"

        await clinic.ask("sign-out", user="mei", site=clinic.sites[1])
        assert await who(phone) is None


async def test_new_keys_of_the_provider_are_found(shared: tuple[Server, Visitor], clinic: RunningProvider) -> None:
    """Providers change them without telling. But strangers cannot have it asked for them all the time."""
    server, _ = shared
    assert isinstance(server.clock, Hurried)
    async with browser(server) as (mei, there):
        await sign_in(mei, there, "mei")
        server.clock.ahead_s += AGAIN_S
        await clinic.ask("new-keys")
        assert (await sign_in(mei, there, "mei"))["user"]["name"] == "Mei"
        await clinic.ask("new-keys")
        assert (await sign_in(mei, there, "mei", 401))["code"] == "oidc_refused"
        server.clock.ahead_s += AGAIN_S
        assert (await sign_in(mei, there, "mei"))["user"]["name"] == "Mei"
