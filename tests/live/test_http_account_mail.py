"""Invitations, registration, forgotten passwords and links to sign in: what arrives by mail, and what it lets in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from live_server import PASSWORD, Visitor, first_admin, make_config, running, visiting
from tests.mail.post_office import Delivery, PostOffice

from pymeet.server import Server

OTHER = "a wholly different sentence"


class Site:
    """A server that sends mail, and the post office where it arrives."""

    def __init__(self, server: Server, office: PostOffice) -> None:
        self.server = server
        self.office = office
        self._read = 0

    async def next_mail(self) -> Delivery:
        """The mail that nobody has read yet."""
        self._read += 1
        return (await self.office.has(self._read))[self._read - 1]

    def unread(self) -> int:
        return len(self.office.delivered) - self._read


@asynccontextmanager
async def site(tmp_path: Path, **accounts: Any) -> AsyncIterator[Site]:
    async with PostOffice() as office:
        mail = {"host": "localhost", "port": office.port, "encryption": "off", "from_address": "meet@example.org"}
        async with running(make_config(tmp_path / "data", mail=mail, accounts=accounts)) as server:
            yield Site(server, office)


def token_in(mail: Delivery) -> str:
    found = re.search(r"/link#([\w-]+)", mail.part("plain"))
    assert found, mail.part("plain")
    return found[1]


async def redeem(visitor: Visitor, token: str, **more: Any) -> tuple[int, Any]:
    return await visitor.json("POST", "/api/v1/links/redeem", {"token": token, **more})


async def test_an_invitation_arrives_by_mail_and_makes_a_member_once(tmp_path: Path) -> None:
    """The ordinary way in: the administrator never sees the link, and the member chooses the password."""
    async with site(tmp_path) as here, first_admin(here.server) as ada, visiting(here.server) as bob:
        body = {"email": "Bob@Example.org", "name": "Bob", "language": "de"}
        status, answer = await ada.json("POST", "/api/v1/admin/invitations", body)
        assert status == 201
        assert answer.keys() == {"user"}
        assert (answer["user"]["state"], answer["user"]["email"]) == ("invited", "bob@example.org")
        mail = await here.next_mail()
        assert mail.recipients == ["bob@example.org"]
        assert "eingeladen" in str(mail.message["Subject"])
        token = token_in(mail)

        _, seen = await bob.json("POST", "/api/v1/links/inspect", {"token": token})
        assert seen == {"purpose": "invitation", "name": "Bob", "email": "bob@example.org"}
        for weak, code in (("Passwort2026!", "common_password"), ("bob@example.org", "personal_password")):
            status, problem = await redeem(bob, token, password=weak)
            assert (status, problem["code"]) == (400, code)
        status, answer = await redeem(bob, token, password=PASSWORD, name="Bob B.")
        assert (status, answer["user"]["name"], answer["user"]["language"]) == (200, "Bob B.", "de")

        assert (await redeem(bob, token, password=OTHER))[0] == 404
        status, problem = await ada.json("POST", "/api/v1/admin/invitations", body)
        assert (status, problem["code"]) == (409, "email_taken")
        _, listed = await ada.json("GET", "/api/v1/admin/users?search=bob")
        assert [(each["name"], each["state"], each["role"]) for each in listed["users"]] == [
            ("Bob B.", "active", "member")
        ]


async def test_who_lost_the_invitation_gets_a_fresh_link(tmp_path: Path) -> None:
    """Mail gets lost; the older link is void, so that only one is about."""
    async with site(tmp_path) as here, first_admin(here.server) as ada, visiting(here.server) as bob:
        body = {"email": "bob@example.org", "name": "Bob"}
        for _ in range(2):
            assert (await ada.json("POST", "/api/v1/admin/invitations", body))[0] == 201
        old, new = token_in(await here.next_mail()), token_in(await here.next_mail())
        await bob.json("POST", "/api/v1/reset-password", {"email": "bob@example.org"})
        reset = token_in(await here.next_mail())

        assert (await redeem(bob, old, password=PASSWORD))[0] == 404
        assert (await redeem(bob, new, password=PASSWORD))[0] == 200
        assert (await redeem(bob, reset, password=OTHER))[0] == 404  # voided by the new password


async def test_with_open_registration_whoever_reads_the_mail_gets_an_account(tmp_path: Path) -> None:
    """An address is proved by the mail itself; the page answers the same whether there is an account or not."""
    async with site(tmp_path, registration="open") as here, visiting(here.server) as eve:
        assert (await eve.json("GET", "/api/v1/me"))[1]["registration"] == "open"
        first = await eve.json("POST", "/api/v1/register", {"email": "eve@example.org"})
        mail = await here.next_mail()
        token = token_in(mail)
        assert (await redeem(eve, token, password=PASSWORD))[0] == 400  # without a name
        status, answer = await redeem(eve, token, password=PASSWORD, name="Eve", email="other@example.org")
        assert (status, answer["user"]["email"], answer["user"]["admin"]) == (200, "eve@example.org", False)

        again = await eve.json("POST", "/api/v1/register", {"email": "eve@example.org"})
        assert first == again == (202, None)
        told = await here.next_mail()
        assert told.message["Subject"] == "You have an account already"
        assert "/link#" not in told.part("plain")


async def test_a_forgotten_password_is_replaced_by_mail_and_everybody_is_signed_out(tmp_path: Path) -> None:
    """Whoever resets it may do so because somebody else got in."""
    async with site(tmp_path) as here, first_admin(here.server) as ada, visiting(here.server) as phone:
        credentials = {"email": "ada@example.org", "password": PASSWORD}
        assert (await phone.json("POST", "/api/v1/sign-in", credentials))[0] == 200
        while here.office.delivered and here.unread():
            await here.next_mail()
        unknown = await phone.json("POST", "/api/v1/reset-password", {"email": "nobody@example.org"})
        known = await phone.json("POST", "/api/v1/reset-password", {"email": "ada@example.org"})
        assert unknown == known == (202, None)
        mail = await reset_mail(here)
        assert mail.recipients == ["ada@example.org"]
        token = token_in(mail)
        async with visiting(here.server) as anywhere:
            await anywhere.http.get("/link")  # opening the page uses nothing
            assert (await anywhere.json("POST", "/api/v1/links/inspect", {"token": token}))[1]["purpose"] == (
                "reset_password"
            )
            assert (await redeem(anywhere, token, password=OTHER))[0] == 200

        for visitor in (ada, phone):
            assert (await visitor.json("GET", "/api/v1/me"))[1]["user"] is None
        assert (await phone.json("POST", "/api/v1/sign-in", credentials))[0] == 401


async def reset_mail(here: Site) -> Delivery:
    """The mail about the password, among those about new devices."""
    while True:
        mail = await here.next_mail()
        if "/link#" in mail.part("plain"):
            return mail


async def test_a_link_signs_in_and_mail_cannot_be_asked_for_without_end(tmp_path: Path) -> None:
    """Three mails to one address in a quarter of an hour, for known and unknown addresses alike."""
    async with site(tmp_path) as here, first_admin(here.server), visiting(here.server) as phone:
        for email in ("ada@example.org", "nobody@example.org"):
            asked = [await phone.json("POST", "/api/v1/sign-in-link", {"email": email}) for _ in range(3)]
            assert asked == [(202, None)] * 3
            async with phone.http.post("/api/v1/sign-in-link", json={"email": email}) as response:
                assert response.status == 429
                assert 1 <= int(response.headers["Retry-After"]) <= 900
        token = [token_in(await reset_mail(here)) for _ in range(3)][-1]

        status, answer = await redeem(phone, token)
        assert (status, answer["user"]["email"]) == (200, "ada@example.org")
        assert (await phone.json("GET", "/api/v1/me"))[1]["user"]["email"] == "ada@example.org"
        assert (await redeem(phone, token))[0] == 404


async def test_without_mail_the_administrator_hands_links_over(tmp_path: Path) -> None:
    """A server without mail is whole, too; and it says so instead of promising a mail."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as ada, visiting(server) as bob:
        assert (await bob.json("GET", "/api/v1/me"))[1]["mail"] is False
        _, answer = await ada.json("POST", "/api/v1/admin/invitations", {"email": "bob@example.org", "name": "Bob"})
        assert (await redeem(bob, answer["link"].partition("#")[2], password=PASSWORD))[0] == 200
        user = f"/api/v1/admin/users/{answer['user']['id']}"
        for path in ("reset-password", "sign-in-link"):
            status, problem = await bob.json("POST", f"/api/v1/{path}", {"email": "bob@example.org"})
            assert (status, problem["code"]) == (409, "mail_off")
        status, problem = await bob.json("POST", "/api/v1/register", {"email": "eve@example.org"})
        assert (status, problem["code"]) == (403, "registration_closed")

        _, reset = await ada.json("POST", f"{user}/reset-password")
        assert (await bob.json("GET", "/api/v1/me"))[1]["user"] is not None  # until the link is used
        async with visiting(server) as elsewhere:
            assert (await redeem(elsewhere, reset["link"].partition("#")[2], password=OTHER))[0] == 200
        assert (await bob.json("GET", "/api/v1/me"))[1]["user"] is None


async def test_an_administrator_locks_unlocks_promotes_and_erases(tmp_path: Path) -> None:
    """And nobody else does, nor to the last administrator."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as ada, visiting(server) as bob:
        _, answer = await ada.json("POST", "/api/v1/admin/invitations", {"email": "bob@example.org", "name": "Bob"})
        await redeem(bob, answer["link"].partition("#")[2], password=PASSWORD)
        own = (await ada.json("GET", "/api/v1/me"))[1]["user"]["id"]
        user, mine = f"/api/v1/admin/users/{answer['user']['id']}", f"/api/v1/admin/users/{own}"
        for method, path, body in (
            ("GET", "/api/v1/admin/users", None),
            ("POST", "/api/v1/admin/invitations", {"email": "eve@example.org", "name": "Eve"}),
            ("POST", f"{mine}/disable", None),
            ("POST", f"{mine}/reset-password", None),
            ("PUT", f"{user}/role", {"role": "admin"}),
            ("DELETE", mine, None),
        ):
            assert (await bob.json(method, path, body))[0] == 403, path

        assert (await ada.json("POST", f"{user}/disable"))[0] == 204
        assert (await bob.json("GET", "/api/v1/me"))[1]["user"] is None
        assert await state(ada, "bob") == "disabled"
        assert (await ada.json("POST", f"{user}/enable"))[0] == 204
        credentials = {"email": "bob@example.org", "password": PASSWORD}
        assert (await bob.json("POST", "/api/v1/sign-in", credentials))[0] == 200
        assert (await ada.json("PUT", f"{user}/role", {"role": "dpo"}))[0] == 204
        assert (await bob.json("GET", "/api/v1/me"))[1]["user"] is None
        assert (await ada.json("POST", f"{mine}/disable"))[0] == 400
        assert (await ada.json("PUT", f"{mine}/role", {"role": "member"}))[0] == 409
        assert (await ada.json("POST", f"/api/v1/admin/users/{'A' * 22}/disable"))[0] == 404
        status, begun = await ada.json("DELETE", user)
        assert (status, begun.keys()) == (200, {"request", "erased_after"})
        assert await state(ada, "bob") == "being_erased"


async def state(ada: Visitor, search: str) -> str:
    _, listed = await ada.json("GET", f"/api/v1/admin/users?search={search}")
    (found,) = listed["users"]
    return str(found["state"])


async def test_the_list_of_people_comes_in_pages(tmp_path: Path) -> None:
    """Two hundred people are no screenful; each is seen once, whatever their names."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as ada:
        for number, name in enumerate(("Émile", "bob", "Bob", "Zoë", "ada")):
            body = {"email": f"p{number}@example.org", "name": name}
            assert (await ada.json("POST", "/api/v1/admin/invitations", body))[0] == 201
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            _, page = await ada.json("GET", f"/api/v1/admin/users?limit=2&after={after}")
            seen += [each["email"] for each in page["users"]]
            after = page["next"]
        assert sorted(seen) == ["ada@example.org", *(f"p{number}@example.org" for number in range(5))]
        _, found = await ada.json("GET", "/api/v1/admin/users?search=%25")
        assert found["users"] == []
        for limit in ("0", "x", "1000", "-1"):
            assert (await ada.json("GET", f"/api/v1/admin/users?limit={limit}"))[0] == 400


@pytest.mark.parametrize("registration", ["invitation", "closed"])
async def test_where_registration_is_not_open_nobody_registers(tmp_path: Path, registration: str) -> None:
    """And where it is closed, accounts are made on the command line alone."""
    async with (
        running(make_config(tmp_path / "data", accounts={"registration": registration})) as server,
        first_admin(server) as ada,
    ):
        assert (await ada.json("POST", "/api/v1/register", {"email": "eve@example.org"}))[0] == 403
        body = {"email": "eve@example.org", "name": "Eve"}
        status, _ = await ada.json("POST", "/api/v1/admin/invitations", body)
        assert status == (403 if registration == "closed" else 201)


async def test_a_new_address_must_be_confirmed_and_the_old_one_is_told(tmp_path: Path) -> None:
    """Whoever finds an open session must not be able to move the account to their own address in silence."""
    async with site(tmp_path) as here, first_admin(here.server) as ada, visiting(here.server) as elsewhere:
        wish = {"email": "Ada@Example.net", "password": PASSWORD}
        assert (await ada.json("POST", "/api/v1/profile/email", {**wish, "password": "wrong"}))[0] == 401
        assert await ada.json("POST", "/api/v1/profile/email", wish) == (202, None)
        mails = {mail.recipients[0]: mail for mail in [await here.next_mail(), await here.next_mail()]}
        assert mails.keys() == {"ada@example.net", "ada@example.org"}
        assert "ada@example.net" in mails["ada@example.org"].part("plain")
        assert "/link#" not in mails["ada@example.org"].part("plain")
        assert (await ada.json("GET", "/api/v1/me"))[1]["user"]["email"] == "ada@example.org"

        token = token_in(mails["ada@example.net"])
        _, seen = await elsewhere.json("POST", "/api/v1/links/inspect", {"token": token})
        assert seen == {"purpose": "change_email", "name": "Ada", "email": "ada@example.net"}
        status, problem = await redeem(elsewhere, token)
        assert (status, problem["code"]) == (401, "sign_in_first")  # who reads that mail may not be Ada
        assert await redeem(ada, token) == (200, {})
        assert (await ada.json("GET", "/api/v1/me"))[1]["user"]["email"] == "ada@example.net"

        await ada.json("POST", "/api/v1/admin/invitations", {"email": "bob@example.org", "name": "Bob"})
        await here.next_mail()
        await ada.json("POST", "/api/v1/profile/email", {**wish, "email": "bob@example.org"})
        taken = next(mail for mail in [await here.next_mail(), await here.next_mail()] if "bob" in mail.recipients[0])
        status, problem = await redeem(ada, token_in(taken))
        assert (status, problem["code"]) == (409, "email_taken")


async def test_people_set_their_name_language_zone_and_theme(tmp_path: Path) -> None:
    """Each alone; null takes a setting back, and nonsense changes nothing."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as ada, visiting(server) as eve:
        wish = {"name": " Ada  L. ", "language": "de", "time_zone": "Europe/Berlin", "theme": "dark"}
        status, answer = await ada.json("PATCH", "/api/v1/profile", wish)
        assert status == 200
        assert {key: answer["user"][key] for key in wish} == {**wish, "name": "Ada L."}
        _, answer = await ada.json("PATCH", "/api/v1/profile", {"time_zone": None})
        assert (answer["user"]["time_zone"], answer["user"]["theme"]) == (None, "dark")
        for nonsense in (
            {"language": "tlh"},
            {"time_zone": "../../etc/passwd"},
            {"time_zone": "Mars/Olympus"},
            {"theme": "loud"},
            {"name": ""},
            {"name": None},
            {"email": "other@example.org"},
        ):
            assert (await ada.json("PATCH", "/api/v1/profile", nonsense))[0] == 400, nonsense
        assert (await eve.json("PATCH", "/api/v1/profile", {"name": "Eve"}))[0] == 401


async def test_a_member_cannot_have_mail_sent_without_end(tmp_path: Path) -> None:
    """Neither to one address nor to many: the server would be somebody's means to annoy others."""
    async with site(tmp_path) as here, first_admin(here.server) as ada:

        async def ask(email: str) -> int:
            return (await ada.json("POST", "/api/v1/profile/email", {"email": email, "password": PASSWORD}))[0]

        assert [await ask("bob@example.org") for _ in range(4)] == [202, 202, 202, 429]
        assert [await ask(f"p{number}@example.org") for number in range(3)] == [202, 202, 429]
