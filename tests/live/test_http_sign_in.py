"""Second factors, passkeys, sessions and devices over HTTP, as pages use them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyotp
import pytest
from live_server import PASSWORD, Visitor, first_admin, make_config, running, visiting
from privacy_people import seated
from sqlalchemy import select
from tests.support.authenticator import Authenticator

from pymeet.db.schema import mail_outbox
from pymeet.ops.client import call
from pymeet.server import Server

API = "/api/v1"
ADA = {"email": "ada@example.org", "password": PASSWORD}
SITE = "https://meet.example.org"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
PHONE = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Server]:
    """A server with a name, which passkeys need, and with mail that is queued and goes nowhere."""
    mail = {"host": "127.0.0.1", "port": 9, "encryption": "off", "from_address": "meet@example.org"}
    config = make_config(tmp_path / "data", http={"public_url": SITE}, mail=mail)
    async with running(config) as server:
        http = server.config.http.model_copy(update={"public_url": None})
        server.config = server.config.model_copy(update={"http": http})  # visitors go to the address it listens on
        yield server


@asynccontextmanager
async def browser(server: Server, user_agent: str = LINUX) -> AsyncIterator[Visitor]:
    """Another browser, of which nobody knows anything."""
    async with visiting(server) as visitor:
        visitor.http.headers["User-Agent"] = user_agent
        yield visitor


async def ask(visitor: Visitor, method: str, path: str, body: object | None = None, status: int = 200) -> Any:
    got, answer = await visitor.json(method, API + path, body)
    assert got == status, (got, answer)
    return answer


async def with_app(visitor: Visitor) -> tuple[pyotp.TOTP, list[str]]:
    """Sets an app up; it shows codes, and the second are for when it is lost."""
    setup = await ask(visitor, "POST", "/security/totp", {"password": PASSWORD})
    app = pyotp.parse_uri(setup["uri"])
    assert isinstance(app, pyotp.TOTP)
    assert app.secret == setup["secret"]
    assert setup["qr_svg"].startswith("<svg")
    # the code before the present one: the present one is then still unused
    confirmed = await ask(visitor, "POST", "/security/totp/confirm", {"code": code(app, -1)})
    return app, confirmed["recovery_codes"]


def code(app: pyotp.TOTP, steps: int = 0) -> str:
    return app.generate_otp(int(time.time()) // 30 + steps)


async def test_the_password_alone_is_not_enough_with_an_app(site: Server):
    """From setting it up to a second browser that is remembered."""
    async with first_admin(site) as ada, browser(site, PHONE) as phone:
        app, codes = await with_app(ada)
        assert len(codes) == 10

        challenge = (await ask(phone, "POST", "/sign-in", ADA))["second_factor"]
        assert set(challenge) == {"ticket", "methods", "remember_days"}
        assert (challenge["methods"], challenge["remember_days"]) == (["totp", "recovery"], 30)
        assert (await ask(phone, "GET", "/me"))["user"] is None
        ticket = challenge["ticket"]
        wrong = await ask(phone, "POST", "/sign-in/second-factor", {"ticket": ticket, "code": "no"}, 401)
        assert wrong["code"] == "wrong_code"
        neither = await ask(phone, "POST", "/sign-in/second-factor", {"ticket": ticket}, 400)
        assert neither["code"] == "invalid_input"
        answer = {"ticket": ticket, "code": code(app, 1), "remember": True}
        signed_in = await ask(phone, "POST", "/sign-in/second-factor", answer)
        assert signed_in["user"]["second_factor"] is True
        assert (await ask(phone, "GET", "/me"))["user"]["name"] == "Ada"

        await ask(phone, "POST", "/sign-out", status=204)
        assert "user" in await ask(phone, "POST", "/sign-in", ADA)  # remembered: not asked again

        security = await ask(phone, "GET", "/security")
        assert security["totp"] is not None
        assert security["recovery_codes_left"] == 10
        (this,) = [each for each in security["devices"] if each["current"]]
        assert this["name"] == "Chrome (Android)"
        assert this["trusted_until"] is not None
        await ask(phone, "DELETE", f"/security/devices/{this['id']}", status=204)
        assert "second_factor" in await ask(phone, "POST", "/sign-in", ADA)


async def test_a_passkey_signs_in_alone_and_as_second_factor(site: Server):
    """Made in one browser, used in another; renamed and removed from the list."""
    laptop = Authenticator(SITE)
    async with first_admin(site) as ada, browser(site) as other:
        options = (await ask(ada, "POST", "/security/passkeys/options", {"password": PASSWORD}))["options"]
        assert options["rp"]["id"] == "meet.example.org"
        assert options["authenticatorSelection"]["userVerification"] == "required"
        made = {"name": "Laptop", "credential": laptop.create(options)}
        passkey = await ask(ada, "POST", "/security/passkeys", made, 201)
        assert len(passkey["recovery_codes"]) == 10
        again = await ask(ada, "POST", "/security/passkeys", made, 404)  # a challenge is good once
        assert again["code"] == "no_setup"

        offered = await ask(other, "POST", "/sign-in/passkey/options")
        answer = {"ticket": offered["ticket"], "credential": laptop.get(offered["options"])}
        assert (await ask(other, "POST", "/sign-in/passkey", answer))["user"]["name"] == "Ada"
        assert (await ask(other, "POST", "/sign-in/passkey", answer, 401))["code"] == "ticket_void"
        await ask(other, "POST", "/sign-out", status=204)

        challenge = (await ask(other, "POST", "/sign-in", ADA))["second_factor"]
        assert challenge["methods"] == ["passkey", "recovery"]
        answer = {"ticket": challenge["ticket"], "credential": laptop.get(challenge["passkey"])}
        assert "user" in await ask(other, "POST", "/sign-in/second-factor", answer)

        place = f"/security/passkeys/{passkey['id']}"
        await ask(ada, "PATCH", place, {"name": "Old laptop"}, 204)
        (shown,) = (await ask(ada, "GET", "/security"))["passkeys"]
        assert (shown["name"], shown["last_used_at"] is None) == ("Old laptop", False)
        wrong = await ask(ada, "POST", f"{place}/remove", {"password": "wrong password here"}, 401)
        assert wrong["code"] == "wrong_credentials"
        await ask(ada, "POST", f"{place}/remove", {"password": PASSWORD}, 204)
        await ask(ada, "POST", f"{place}/remove", {"password": PASSWORD}, 404)
        assert "user" in await ask(other, "POST", "/sign-in", ADA)


async def test_new_ways_in_ask_for_the_password_again(site: Server):
    """Whoever finds a screen unlocked must not be able to stay."""
    wrong = {"password": "wrong password here"}
    async with first_admin(site) as ada:
        for path in ("/security/totp", "/security/recovery-codes", "/security/passkeys/options"):
            assert (await ask(ada, "POST", path, wrong, 401))["code"] == "wrong_credentials"
        change = {"current": "wrong password here", "new": "eight green lanterns sink"}
        await ask(ada, "POST", "/security/password", change, 401)
    async with browser(site) as stranger:
        await ask(stranger, "GET", "/security", status=401)
        await ask(stranger, "POST", "/security/totp", {"password": PASSWORD}, 401)


async def test_sessions_are_seen_and_ended_from_elsewhere(site: Server):
    """A lost phone is signed out from the laptop, and a new password ends every other session."""
    async with first_admin(site) as ada, browser(site, PHONE) as phone:
        await ask(phone, "POST", "/sign-in", ADA)
        listed = (await ask(ada, "GET", "/security"))["sessions"]
        assert sorted((each["device"], each["current"]) for each in listed) == [("", True), ("Chrome (Android)", False)]
        (lost,) = [each for each in listed if not each["current"]]

        await ask(ada, "DELETE", f"/security/sessions/{lost['id']}", status=204)

        assert (await ask(phone, "GET", "/me"))["user"] is None
        await ask(phone, "POST", "/sign-in", ADA)
        assert await ask(ada, "POST", "/security/sessions/end-others") == {"ended": 1}
        assert (await ask(phone, "GET", "/me"))["user"] is None
        await ask(phone, "POST", "/sign-in", ADA)
        change = {"current": PASSWORD, "new": "eight green lanterns sink"}
        await ask(ada, "POST", "/security/password", change, 204)
        assert (await ask(phone, "GET", "/me"))["user"] is None
        assert (await ask(ada, "GET", "/me"))["user"]["name"] == "Ada"
        common = {"current": "eight green lanterns sink", "new": "password12345"}
        assert (await ask(ada, "POST", "/security/password", common, 400))["code"] == "common_password"


async def test_a_session_that_is_ended_leaves_the_meeting_too(site: Server):
    """Who signs a lost phone out must not have to look on while it goes on listening, or waits to be let in."""
    async with first_admin(site) as ada, browser(site, PHONE) as phone, browser(site) as guest:
        await ask(phone, "POST", "/sign-in", ADA)
        slug = await ada.make_room()
        async with (
            seated(ada, slug, "Ada") as laptop,
            seated(phone, slug, "Ada") as lost,
            seated(guest, slug, "Eve") as eve,
        ):
            await ask(ada, "POST", "/security/sessions/end-others")

            last = None
            async with asyncio.timeout(10):
                async for message in lost.socket:
                    last = message.json()
            assert last is not None
            assert (last["type"], last["code"], lost.socket.close_code) == ("error", "signed_out", 4403)
            await laptop.say("Only we are here now")
            await eve.leave()
            assert len((await ask(ada, "GET", f"/admin/live/{slug}/people"))["people"]) == 1


async def test_a_strange_browser_is_told_by_mail(site: Server):
    """Once, and not for the browser in which the account was made."""
    async with first_admin(site) as ada, browser(site, PHONE) as phone:
        await ask(ada, "POST", "/sign-in", ADA)
        for _ in range(2):
            await ask(phone, "POST", "/sign-in", ADA)

    async with site.database.read() as conn:
        mails = (await conn.execute(select(mail_outbox.c.template, mail_outbox.c.template_values))).all()
    assert [mail.template for mail in mails] == ["new_device"]
    assert "Chrome (Android)" in mails[0].template_values
    assert f"{SITE}/security" in mails[0].template_values


async def test_guessing_beside_a_known_browser_does_not_shut_it_out(site: Server):
    """All come from one address here, as in an office: the guesser waits, Ada signs in."""
    async with first_admin(site) as ada, browser(site) as guesser:
        for _ in range(12):
            await guesser.json("POST", f"{API}/sign-in", {**ADA, "password": "wrong password here"})
        await ask(guesser, "POST", "/sign-in", ADA, 429)

        assert "user" in await ask(ada, "POST", "/sign-in", ADA)


async def test_an_administrator_helps_who_lost_everything(site: Server):
    """Over the web, and from the shell."""
    async with first_admin(site) as ada, browser(site) as eve:
        added = await call(site.config, "user.add", {"name": "Eve", "email": "eve@example.org"})
        await ask(eve, "POST", "/links/redeem", {"token": added["link"].partition("#")[2], "password": PASSWORD})
        await with_app(eve)
        await ask(eve, "POST", f"/admin/users/{added['id']}/remove-second-factor", status=403)
        own = (await ask(ada, "GET", "/me"))["user"]["id"]
        await ask(ada, "POST", f"/admin/users/{own}/remove-second-factor", status=400)  # theirs asks for the password

        await ask(ada, "POST", f"/admin/users/{added['id']}/remove-second-factor", status=204)

        assert (await ask(eve, "GET", "/security"))["totp"] is None
        await with_app(eve)
        done = await call(site.config, "user.remove_second_factor", {"email": "eve@example.org"})
        assert done["removed"] == 1
        assert (await ask(eve, "GET", "/me"))["user"]["second_factor"] is False


async def test_a_bare_address_offers_no_passkeys(server: Server, admin: Visitor):
    """Browsers bind them to names; the page is told, instead of failing in front of the person."""
    assert (await ask(admin, "GET", "/security"))["passkeys_possible"] is False
    refused = await ask(admin, "POST", "/security/passkeys/options", {"password": PASSWORD}, 409)
    assert refused["code"] == "no_passkeys_here"
    await ask(admin, "POST", "/sign-in/passkey/options", status=409)


async def test_an_erasure_is_cancelled_only_by_who_shows_the_second_factor(site: Server):
    """The password alone neither lets anybody in nor takes back what the person has asked for."""
    async with first_admin(site) as ada, browser(site) as eve, browser(site) as thief:
        added = await call(site.config, "user.add", {"name": "Eve", "email": "eve@example.org"})
        await ask(eve, "POST", "/links/redeem", {"token": added["link"].partition("#")[2], "password": PASSWORD})
        app, _ = await with_app(eve)
        begun = await ask(eve, "POST", "/my-data/erasure", {"password": PASSWORD})
        right = {"email": "eve@example.org", "password": PASSWORD}

        asked = (await ask(thief, "POST", "/erasures/cancel", right))["second_factor"]

        assert (await ask(ada, "POST", "/erasures/inspect", {"status": begun["status"]}))["state"] == "restricted"
        answer = {"ticket": asked["ticket"], "code": code(app)}
        assert (await ask(thief, "POST", "/sign-in/second-factor", answer))["user"]["name"] == "Eve"
        assert (await ask(ada, "POST", "/erasures/inspect", {"status": begun["status"]}))["state"] == "cancelled"


async def test_passkeys_cannot_be_tried_without_end(site: Server):
    """Each try costs the server work, and anybody can make one."""
    async with browser(site) as stranger:
        answers = [
            (await stranger.json("POST", f"{API}/sign-in/passkey", {"ticket": "00", "credential": {}}))[0]
            for _ in range(12)
        ]
    assert (answers[0], answers[-1]) == (401, 429)
