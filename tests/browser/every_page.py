"""Every page of the server with something on it, for what must hold on all of them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from live_server import PASSWORD, Visitor, first_admin, free_port, make_config, running, visiting
from playwright.async_api import Browser, BrowserContext, Page
from privacy_people import guest_was_there, person
from sqlalchemy import Connection, insert, select

from pymeet.config import Config
from pymeet.db.schema import mail_outbox, passkeys
from pymeet.ids import new_id
from pymeet.ops.client import call
from pymeet.privacy import receipts
from pymeet.server import Server
from tests.browser.people import camera, chromium
from tests.browser.recorded import record
from tests.support.recordings import Seat

DESKTOP: Final = {"width": 1280, "height": 800}
PHONE: Final = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Place:
    """A page in one state, and whose browser opens it."""

    path: str
    who: str = "nobody"
    note: str = ""
    """What tells it from other states of the page."""

    @property
    def name(self) -> str:
        return " ".join(each for each in (self.path.partition("#")[0], self.who, self.note) if each)


ALL: Final = (
    Place("/"),
    Place("/", "ada"),
    Place("/", "new", "with nothing yet"),
    Place("/sign-in"),
    Place("/link", note="without a token"),
    Place("/link#{link}"),
    Place("/register"),
    Place("/forgot"),
    Place("/oidc/callback"),
    Place("/security", "ada"),
    Place("/security"),
    Place("/profile", "ada"),
    Place("/admin/users", "ada"),
    Place("/admin/users", "new", "refused"),
    Place("/admin/groups", "ada"),
    Place("/admin/{page}", "ada"),
    Place("/admin/rooms", "ada"),
    Place("/admin/live", "ada"),
    Place("/admin/mail", "ada"),
    Place("/admin/settings", "ada"),
    Place("/admin/privacy#people", "ada", "people"),
    Place("/admin/privacy#holds", "ada", "holds"),
    Place("/admin/privacy#retention", "ada", "retention"),
    Place("/admin/privacy#audit", "ada", "audit log"),
    Place("/r/{slug}"),
    Place("/r/{slug}", "ada"),
    Place("/my-data", "ada"),
    Place("/guest-data", note="without a receipt"),
    Place("/guest-data#{receipt}"),
    Place("/erasure"),
    Place("/recordings", "ada"),
    Place("/recordings/{id}", "ada"),
    Place("/watch", note="without a token"),
    Place("/watch#{share}"),
    Place("/rsvp", note="without a token"),
    Place("/rsvp#{rsvp}"),
    Place("/privacy"),
    Place("/api"),
    Place("/nowhere", note="not found"),
)


@dataclass
class Site:
    """The server, and a browser for each who looks at it."""

    server: Server
    ada: Visitor
    browser: Browser
    contexts: dict[str, BrowserContext]
    names: dict[str, str]
    """What stands in addresses."""

    def url(self, place: Place) -> str:
        """The whole address of a place."""
        return self.server.url + place.path.format(**self.names)

    async def open(self, place: Place) -> Page:
        """A tab of its own in which the place is shown."""
        page = await self.contexts[place.who].new_page()
        await page.goto(self.url(place), wait_until="networkidle")
        await shown(page)
        return page


async def shown(page: Page) -> None:
    """Waits until a page is there with what it loads."""
    await page.locator("h1").first.wait_for()
    await page.get_by_text("Loading").first.wait_for(state="hidden")


@asynccontextmanager
async def furnished(config: Config) -> AsyncIterator[Site]:
    """Ada hosts, plans and was recorded; requests, holds and members are there to be looked after."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(config))
        ada = await stack.enter_async_context(first_admin(server))
        new = await stack.enter_async_context(person(server, "Newton"))
        browser = await stack.enter_async_context(chromium(camera(5)))
        slug = await ada.make_room("Weekly")
        names = {"slug": slug, "page": "requests"} | await _things(server, ada, slug)
        contexts = {}
        for who, visitor in {"nobody": None, "ada": ada, "new": new}.items():
            contexts[who] = await new_context(browser, server.url, visitor)
        yield Site(server, ada, browser, contexts, names)


async def new_context(browser: Browser, url: str, visitor: Visitor | None = None) -> BrowserContext:
    """A browser with an empty profile, signed in as the visitor is; nothing moves in it."""
    context = await browser.new_context(viewport=DESKTOP, locale="en-GB", reduced_motion="reduce")
    await context.grant_permissions(["camera", "microphone"], origin=url)
    for cookie in visitor.http.cookie_jar if visitor else ():
        await context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])
    return context


async def _things(server: Server, ada: Visitor, slug: str) -> dict[str, str]:
    me = (await ada.json("GET", "/api/v1/me"))[1]["user"]["id"]
    added = await call(server.config, "user.add", {"name": "Grace", "email": "grace@example.org"})
    receipt = await guest_was_there(server, slug, "Gail", "Hello from outside")
    key = await asyncio.to_thread(server.lifecycle.keys.purpose_key, receipts.PURPOSE)
    seats = {"Ada": Seat(me), "Gail": Seat(participant_id=receipts.read(key, receipt).participant_id)}
    recorded = await record(server.lifecycle, slug, me, seats, "Planting plan")
    await recorded.add_event("Ada", "marker", 7000, text="Apple trees")
    await _done(ada, "POST", f"recordings/{recorded.made.id}/shares", {"email": "grace@example.org"})
    link = await _done(ada, "POST", f"recordings/{recorded.made.id}/shares", {"days": 7})
    meeting = {"title": "Plans for spring", "agenda": "Beds\nSeeds", "time_zone": "Europe/Berlin", "duration_min": 60}
    invited = [{"email": "carol@example.net"}]
    weekly = {"start": "2099-03-23T09:00", "rrule": "FREQ=WEEKLY"}
    await _done(ada, "POST", "meetings", {**meeting, **weekly, "room": slug, "invitees": invited})
    soon = {"start": _tomorrow(server), "rrule": "FREQ=DAILY;COUNT=3"}
    await _done(ada, "POST", "meetings", {**meeting, **soon, "room": slug, "title": "Plans for tomorrow"})
    await _done(ada, "POST", "admin/requests", {"right": "access", "email": "grace@example.org"})
    held = {"email": "grace@example.org", "reason": "legal_claim", "review_days": 30}
    await _done(ada, "POST", "admin/holds", held)
    await _done(ada, "POST", "calendar-feed")
    group = await _done(ada, "POST", "admin/groups", {"name": "Gardeners", "description": "Whoever digs"})
    await _done(ada, "PUT", f"admin/groups/{group['id']}/members/{me}")
    for field in ({"label": "Department"}, {"label": "Staff number", "editable": False}):
        await _done(ada, "POST", "admin/profile-fields", field)
    token = {"name": "Script", "scopes": ["rooms:read"], "password": PASSWORD}
    await _done(ada, "POST", "security/tokens", token)
    await _add_passkey(server, me)
    async with visiting(server) as elsewhere:
        await _done(elsewhere, "POST", "sign-in", {"email": "ada@example.org", "password": PASSWORD})
    return {
        "link": added["link"].partition("#")[2],
        "receipt": receipt,
        "id": recorded.made.id,
        "share": link["url"].partition("#")[2],
        "rsvp": await _answer_token(server),
    }


async def _done(visitor: Visitor, method: str, path: str, body: object = None) -> Any:
    status, answer = await visitor.json(method, f"/api/v1/{path}", body)
    assert status < 300, answer
    return answer


def _tomorrow(server: Server) -> str:
    day_ms = 86_400_000
    return f"{datetime.fromtimestamp((server.clock.now_ms() + day_ms) / 1000, UTC):%Y-%m-%d}T12:00"


async def _add_passkey(server: Server, user_id: str) -> None:
    """One that signs nobody in, to be shown."""
    values = {"name": "Phone", "credential_id": new_id(), "public_key": new_id(), "sign_count": 0, "created_at_ms": 1}

    def add(conn: Connection) -> None:
        conn.execute(insert(passkeys).values(id=new_id(), user_id=user_id, **values))

    await server.database.work(add)


async def _answer_token(server: Server) -> str:
    """What stands in the link of the invitation that waits for the mail server."""
    async with server.database.read() as conn:
        found = (await conn.execute(select(mail_outbox.c.template_values))).scalars().all()
    (url,) = [json.loads(each)["answer_url"] for each in found if "answer_url" in each]
    return str(url).partition("#")[2]


def configured(data_dir: Path) -> Config:
    """Mail is written and waits, for nobody listens there; everybody may register."""
    mail = {"host": "localhost", "port": free_port(), "encryption": "off", "from_address": "meet@example.org"}
    return make_config(data_dir, mail=mail, accounts={"registration": "open"})
