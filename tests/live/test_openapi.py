"""The description of the API as the server hands it out: `/api/v1/openapi.json` for programs, `/api` for people."""

import gzip
import json
import re

import pytest
from live_server import Visitor
from tests.support.described import document

from pymeet.web.openapi.operations import OPERATIONS

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_document_is_there_for_everybody(new_visitor: Visitor) -> None:
    """Programs read it before they have anything to sign in with."""
    status, answer = await new_visitor.json("GET", "/api/v1/openapi.json")

    assert status == 200
    assert answer == json.loads(json.dumps(document()))


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_it_is_sent_once_and_packed_where_that_is_understood(
    new_visitor: Visitor, path: str, encoding: str
) -> None:
    """It is large for what it is: a phone on the way must not load it again and again."""
    asks = {"Accept-Encoding": encoding}
    async with new_visitor.http.get(path, headers=asks, auto_decompress=False) as first:
        body = await first.read()
        headers = first.headers
    async with new_visitor.http.get(path, headers={**asks, "If-None-Match": headers["ETag"]}) as again:
        assert again.status == 304

    assert headers["Vary"] == "Accept-Encoding"
    assert headers.get("Content-Encoding", "identity") == encoding
    text = (gzip.decompress(body) if encoding == "gzip" else body).decode()
    assert "/rooms/" in text
    if encoding == "gzip":
        assert len(body) < 60_000


async def test_the_page_shows_every_request_and_every_shape(new_visitor: Visitor) -> None:
    """It is the only place where people who write a program look; what is missing there does not exist for them."""
    async with new_visitor.http.get("/api") as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        text = await response.text()

    for line, operation in OPERATIONS.items():
        method, path = line.split(" ")
        assert f'data-find="{method} {path} ' in text, line
        assert operation.summary.replace("'", "&#39;") in text
    shapes = {name for name, schema in document()["components"]["schemas"].items() if "properties" in schema}
    assert {name for name in shapes if f'id="{name}"' not in text} == set()


async def test_every_link_of_the_page_leads_somewhere(new_visitor: Visitor) -> None:
    """From an answer to its shape is one step."""
    async with new_visitor.http.get("/api") as response:
        text = await response.text()

    ids = re.findall(r' id="([^"]+)"', text)
    assert set(re.findall(r'href="#([^"]+)"', text)) - set(ids) == set()
    assert len(ids) == len(set(ids))
    for address in set(re.findall(r'(?:href|src)="(/[^"]*)"', text)):
        async with new_visitor.http.get(address) as response:
            assert response.status == 200, address


async def test_the_page_loads_nothing_from_elsewhere(new_visitor: Visitor) -> None:
    """Nobody else learns who reads it."""
    async with new_visitor.http.get("/api") as response:
        text = await response.text()

    assert re.findall(r'(?:href|src)="(?![/#])[^"]*"', text) == []
