"""The whole route table × who asks (CVE classes 10, 11, 12): what each gets, what a refusal changes, and what it tells."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from authorization_table import ASKERS, LIKE_NOBODY, PNG, TABLE, Row
from authorization_world import (
    EVERYTHING,
    MUST_NOT_READ,
    PLACES,
    Names,
    World,
    asked,
    comes_in_as,
    mail_of,
    peopled,
    settled,
    snapshot,
)
from live_server import Visitor, first_admin, free_port, make_config, running

from pymeet.web.routes import ROUTES

PLAIN = {
    "version": "1",
    "path": "icon.svg",
    "page": "privacy",
    "kind": "whip",
    "part": "layer",
    "recurrence": "20990330T090000",
    "secret": "A" * 43,
}
"""What stands in an address where nothing of Olga's is meant; ids are such as nobody has."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One server and one cast for the whole table."""
    http = {**PLACES, "metrics_token": "a token for the metrics of this server"}
    oidc = {"issuer": f"http://127.0.0.1:{free_port()}", "client_id": "pymeet"}
    config = make_config(tmp_path_factory.mktemp("matrix") / "data", http=http, mail=mail_of(), oidc=oidc)
    async with running(config) as server, first_admin(server) as admin, peopled(server, admin) as made:
        assert (await asked(made.owner, made, "PUT", "/api/v1/profile/avatar", sent=(PNG, "image/png")))[0] == 204
        yield made


def test_every_route_has_a_row() -> None:
    """A new route must say who gets what from it."""
    router = web.UrlDispatcher()
    router.add_routes(ROUTES)
    routes = {(each.method, each.resource.canonical) for each in router.routes() if each.resource}

    assert {(each.method, each.path) for each in TABLE} == {each for each in routes if each[0] != "HEAD"}
    assert len({each.name for each in TABLE}) == len(TABLE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
@pytest.mark.asyncio(loop_scope="module")
async def test_everybody_gets_what_the_table_says(world: World, row: Row) -> None:
    """Who is refused changes nothing that is stored. No answer tells what the asker must not read."""
    refused = [*(each for each in ASKERS if row.of(each) >= 400), *_derived(row)]
    wanted = {who: _wanted(row, await _kept(world, row), await _body(world, row, who)) for who in refused}
    before = await snapshot(world.server)
    for who in refused:
        expected = row.of(who) if who in ASKERS else row.of("anonymous")
        allowed = {expected, 401} if who == "wrong token" else {expected}
        await _check(world, who, world.people[who], wanted[who], allowed)
    assert await snapshot(world.server) == before

    for who in [each for each in ASKERS if row.of(each) < 400]:
        visitor = await world.stand_in(who) if row.new else world.people[who]
        names = await (_kept(world, row) if row.method == "GET" else row.target(world))
        await settled(world.server)
        await _check(world, who, visitor, _wanted(row, names, await _body(world, row, who)), {row.of(who)})


@pytest.mark.asyncio(loop_scope="module")
async def test_people_come_into_a_room_with_the_role_they_have_there(world: World) -> None:
    """Hosting another room, or having hosted this one in a session that is over, makes nobody host here."""
    roles = {who: await comes_in_as(visitor, world.slug) for who, visitor in world.people.items()}
    roles.pop("wrong token")

    assert roles == {
        "anonymous": "guest",
        "guest": "guest",
        "member": "member",
        "rival": "member",
        "owner": "host",
        "admin": "host",
        "dpo": "member",
        "expired": "guest",
        "forged": "guest",
    }


def _derived(row: Row) -> tuple[str, ...]:
    """Where nobody may do something, neither may those whose session or token is none. Where everybody may, they would do it
    to themselves."""
    return LIKE_NOBODY if row.method == "GET" or row.of("anonymous") >= 400 else ()


async def _kept(world: World, row: Row) -> Names:
    """One thing of a kind for all who only look, or who try in vain."""
    if row.target not in world.kept:
        world.kept[row.target] = await row.target(world)
    return world.kept[row.target]


async def _body(world: World, row: Row, who: str) -> object:
    return await row.body(world, who) if callable(row.body) else row.body


def _wanted(row: Row, names: Names, body: object) -> dict[str, Any]:
    """The request: what `asked` takes."""
    url = re.sub(r"\{(\w+)\}", lambda part: {**PLAIN, **names}.get(part[1], "A" * 22), row.path)
    return {"method": row.method, "url": url, "body": body, "sent": row.sent}


async def _check(world: World, who: str, visitor: Visitor, wanted: dict[str, Any], allowed: set[int]) -> None:
    status, text = await asked(visitor, world, **wanted)
    told = [each for each in MUST_NOT_READ.get(who, EVERYTHING) if each in text]

    assert status in allowed, (who, status, text)
    assert not told, (who, told, text)
