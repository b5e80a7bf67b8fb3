"""The public privacy page: made on the server, in the visitor's language, from what is in force."""

import hashlib
import re
from pathlib import Path

import pytest
from live_server import Visitor, make_config, running, visiting

from pymeet.db.inventory import entries
from pymeet.db.schema import metadata
from pymeet.privacy.documents.words import words


async def text_of(visitor: Visitor, path: str, **headers: str) -> str:
    async with visitor.http.get(path, headers=headers) as response:
        assert response.status == 200
        return await response.text()


async def test_the_page_needs_no_script_and_loads_nothing_from_elsewhere(visitor: Visitor):
    """Whoever mistrusts a server should be able to read what it says without running its code."""
    async with visitor.http.get("/privacy") as response:
        html = await response.text()

        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert response.headers["Vary"] == "Accept-Encoding, Accept-Language"
    assert "<h1>Privacy on this server</h1>" in html
    assert re.findall(r"<script[^>]*>", html) == ['<script src="/static/js/theme.js">']  # colours only
    assert "style=" not in html
    assert not re.search(r"(src|href)=\"(?!/|\?)", html)


async def test_every_stylesheet_of_the_page_is_there(visitor: Visitor):
    """The page is written apart from the others, so nothing else would notice a file that was renamed."""
    for path in re.findall(r'href="(/static/[^"]+)"', await text_of(visitor, "/privacy")):
        await text_of(visitor, path)


async def test_everything_that_is_stored_about_people_stands_on_the_page(visitor: Visitor):
    """The page is made from the inventory; a table that it left out would be a secret."""
    html = await text_of(visitor, "/privacy")

    assert [
        entry.name for entry in entries(metadata) if entry.personal and words("en")(f"title.{entry.name}") not in html
    ] == []


@pytest.mark.parametrize(
    ("path", "wanted", "heading"),
    [
        ("/privacy", "de-AT,de;q=0.9,en;q=0.5", "Datenschutz auf diesem Server"),
        ("/privacy", "en-GB,de;q=0.9", "Privacy on this server"),
        ("/privacy", "fr,de;q=0.2", "Datenschutz auf diesem Server"),
        ("/privacy", "fr", "Privacy on this server"),
        ("/privacy", "de;q=x,;;,=", "Privacy on this server"),
        ("/privacy", "", "Privacy on this server"),
        ("/privacy?language=de", "en", "Datenschutz auf diesem Server"),
        ("/privacy?language=xx", "de", "Datenschutz auf diesem Server"),
    ],
)
async def test_the_visitor_s_language_is_spoken(visitor: Visitor, path: str, wanted: str, heading: str):
    """A notice in a language one does not read informs nobody; what a hostile header says must not fail either."""
    assert f"<h1>{heading}</h1>" in await text_of(visitor, path, **{"Accept-Language": wanted})


async def test_the_page_says_who_is_responsible_and_what_has_no_end(tmp_path: Path):
    """Both come from the settings; `forever` must be shown to those whom it concerns. What is typed is never markup."""
    config = make_config(
        tmp_path / "data",
        privacy={"controller": "Clinic <b>One</b>", "contact": "privacy@example.org"},
        retention={"chat": "forever"},
        mail={"host": "mail.example.org", "from_address": "meet@example.org"},
    )
    async with running(config) as server, visiting(server) as visitor:
        html = await text_of(visitor, "/privacy")

    assert "Clinic &lt;b&gt;One&lt;/b&gt;" in html
    assert "privacy@example.org" in html
    assert '<p class="endless">Without end.</p>' in html
    assert "Some of what is stored about you has no end." in html
    assert "outside this server" in html  # the mail server


async def test_every_version_stays_readable_and_the_next_one_says_what_changed(tmp_path: Path):
    """People agreed to a text; it must not vanish when the operator changes something."""
    first = make_config(tmp_path / "data")
    async with running(first) as server, visiting(server) as visitor:
        html = await text_of(visitor, "/privacy")
        assert "Version 1, since " in html
        assert "This is the first version." in html
    second = make_config(tmp_path / "data", privacy={"contact": "privacy@example.org"})
    async with running(second) as server, visiting(server) as visitor:
        html = await text_of(visitor, "/privacy")
        status, answer = await visitor.json("GET", "/api/v1/privacy")
        before = await text_of(visitor, "/privacy/versions/1?language=de")
        now = await text_of(visitor, "/privacy/versions/2")
        missing, _ = await visitor.json("GET", "/privacy/versions/3")

    assert "Version 2, since " in html
    assert "Changed since the version before: Who is responsible." in html
    assert 'href="/privacy/versions/1?language=en"' in html
    assert (status, answer["version"], answer["changed"]) == (200, 2, ["Who is responsible"])
    assert before.startswith("# Datenschutz auf diesem Server\n")
    assert "privacy@example.org" not in before
    assert hashlib.sha256(now.encode()).hexdigest() == answer["sha256"]
    assert missing == 404


async def test_a_browser_that_has_the_page_is_not_sent_it_again(visitor: Visitor):
    """It changes seldom and is public; making and sending it each time would be work that anybody can ask for."""
    async with visitor.http.get("/privacy") as response:
        etag = response.headers["ETag"]
    async with visitor.http.get("/privacy", headers={"If-None-Match": etag}) as response:
        assert response.status == 304


async def test_programs_get_the_same_as_data(visitor: Visitor):
    """A directory of servers, or a browser extension, can read what a server promises."""
    status, answer = await visitor.json("GET", "/api/v1/privacy?language=de")

    assert status == 200
    assert answer["language"] == "de"
    assert [group["title"] for group in answer["groups"]][:2] == ["Konto", "Anmeldung"]
    assert answer["endless"] is False


async def test_other_pages_lead_to_it(visitor: Visitor):
    """A notice must be within reach before anything is given away (Article 13(1))."""
    assert 'href="/privacy"' in await text_of(visitor, "/static/js/views/ui.js")
