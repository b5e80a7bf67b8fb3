"""The page shells and the client's files. A shell is the same for everybody; what differs comes through the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import web

from pymeet.errors import NotFoundError
from pymeet.web.parts import PARTS
from pymeet.web.static_files import StaticFile, answer_with, read_files

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Client:
    """The browser client as it was found at start."""

    pages: Mapping[str, StaticFile]
    static: Mapping[str, StaticFile]


CLIENT = web.AppKey("client", Client)


@cache
def read_client() -> Client:
    """Pages and files, read once: a newer client comes with a newer server."""
    return Client(pages=read_files(_HERE / "pages"), static=read_files(_HERE / "static"))


async def index(request: web.Request) -> web.Response:
    return _page(request, "index")


async def sign_in(request: web.Request) -> web.Response:
    return _page(request, "sign-in")


async def link(request: web.Request) -> web.Response:
    """Where a one-time link leads; its token stands in the fragment and never reaches the server's logs."""
    return _page(request, "link")


async def register(request: web.Request) -> web.Response:
    """Asking for a link to make an account, where everybody may."""
    return _page(request, "register")


async def forgot(request: web.Request) -> web.Response:
    """Asking for a link to choose another password."""
    return _page(request, "forgot")


async def security(request: web.Request) -> web.Response:
    """Password, second factors, sessions; whose, the API says."""
    return _page(request, "security")


async def profile(request: web.Request) -> web.Response:
    """Name, picture, address, language, time zone and theme."""
    return _page(request, "profile")


async def admin_users(request: web.Request) -> web.Response:
    """The accounts of this server; who may see them, the API says."""
    return _page(request, "admin-users")


async def admin_groups(request: web.Request) -> web.Response:
    """Groups of members; who may see them, the API says."""
    return _page(request, "admin-groups")


async def admin_server(request: web.Request) -> web.Response:
    """Rooms, live meetings, the mail queue and settings; who may see them, the API says."""
    return _page(request, "admin-server")


async def room(request: web.Request) -> web.Response:
    """The room's page; a room that does not exist is a 404 already here."""
    await request.app[PARTS].meetings.room(request.match_info["slug"])
    return _page(request, "room")


async def static(request: web.Request) -> web.Response:
    """One of the client's files. Browsers ask whether it changed each time, and mostly hear 304."""
    file = request.app[CLIENT].static.get(request.match_info["path"])
    if file is None:
        raise NotFoundError("There is no such file.")
    return answer_with(request, file, cache="no-cache")


async def my_data(request: web.Request) -> web.Response:
    """What is held about a member, and what they may do about it."""
    return _page(request, "my-data")


async def guest_data(request: web.Request) -> web.Response:
    """The same for guests; their receipt stands in the fragment and never reaches the server's logs."""
    return _page(request, "guest-data")


async def erasure(request: web.Request) -> web.Response:
    """How far an erasure is; what names it stands in the fragment."""
    return _page(request, "erasure")


async def admin_privacy(request: web.Request) -> web.Response:
    """Requests, people, holds, retention and the audit log; who may see which, the API says."""
    return _page(request, "admin-privacy")


async def recordings(request: web.Request) -> web.Response:
    """What was recorded, and what is in the trash."""
    return _page(request, "recordings")


async def recording(request: web.Request) -> web.Response:
    """One recording; whether there is one, and for whom, the API says."""
    return _page(request, "recording")


async def watch(request: web.Request) -> web.Response:
    """Where a shared link leads; its token stands in the fragment and never reaches the server's logs."""
    return _page(request, "watch")


async def rsvp(request: web.Request) -> web.Response:
    """Where the link in an invitation leads; its token stands in the fragment and never reaches the server's logs."""
    return _page(request, "rsvp")


async def oidc(request: web.Request) -> web.Response:
    """Where the OpenID provider sends people back to; the page hands over what they come with."""
    return _page(request, "oidc")


def not_found_page(request: web.Request) -> web.Response:
    """What a person sees at an address that leads nowhere."""
    return _page(request, "not-found", status=404)


def _page(request: web.Request, name: str, status: int = 200) -> web.Response:
    return answer_with(request, request.app[CLIENT].pages[f"{name}.html"], status=status, cache="no-store")
