"""Names and words that try to be more than text (CVE classes 15 and 16), seen by somebody else's real browser."""

import aiohttp
import pytest

from tests.browser.conftest import Meeting
from tests.browser.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAYLOADS = (
    "<script>window.harmed=1</script>",
    "</script><script>window.harmed=1</script>",
    "<img src=x onerror=window.harmed=1>",
    '<img src="https://tracker.test/1.png">',
    "<svg onload=window.harmed=1>",
    "<svg><script>window.harmed=1</script></svg>",
    "<iframe srcdoc='<script>top.harmed=1</script>'>",
    "<iframe src=//tracker.test>",
    "<object data=//tracker.test/x>",
    "<link rel=stylesheet href=//tracker.test/x.css>",
    "<style>@import '//tracker.test/x.css'</style>",
    "<meta http-equiv=refresh content='0;url=//tracker.test'>",
    "<base href=//tracker.test/>",
    "<form action=//tracker.test><button id=b>",
    "<details open ontoggle=window.harmed=1>",
    "<video src=//tracker.test autoplay onerror=harmed=1>",
    '"><script>window.harmed=1</script>',
    "' onmouseover='window.harmed=1",
    '" autofocus onfocus="window.harmed=1',
    "javascript:window.harmed=1",
    "JaVaScRiPt&colon;harmed=1",
    "data:text/html,<script>opener.harmed=1</script>",
    "vbscript:harmed",
    "${window.harmed=1}",
    "{{constructor.constructor('harmed=1')()}}",
    "`${harmed=1}`",
    "&lt;script&gt;harmed=1&lt;/script&gt;",
    "&#60;script&#62;harmed=1",
    "\\u003cscript\\u003eharmed=1",
    "%3Cscript%3Eharmed=1%3C/script%3E",
    "]]><script>harmed=1</script>",
    "<!--<script>-->harmed=1",
    "__proto__",
    "constructor",
    "toString",
    "https://tracker.test/pixel.png",
    "https://tracker.test/'onclick='harmed=1",
    'https://tracker.test/"><img/src=x/onerror=harmed=1>',
    "http://javascript:harmed@tracker.test/",
    "\u202ecod.exe\u202c \u200f<b>bold</b>",
)

ADDED = """() => [...document.querySelectorAll(
  "main script, main iframe, main object, main base, main meta, main form[action*='tracker'], main style, main link, "
  + "main img[src*='tracker'], main svg[onload], [onerror], [onload], [onclick], [onmouseover], [onfocus], [ontoggle], "
  + "a[href^='javascript' i], a[href^='data' i], a[href^='vbscript' i]")].map(e => e.outerHTML)"""


async def _unharmed(person: Person) -> None:
    assert await person.page.evaluate("() => window.harmed === undefined && ({}).polluted === undefined")
    assert await person.page.evaluate(ADDED) == []


async def test_whatever_people_write_or_call_themselves_is_text(shared_meeting: Meeting) -> None:
    """Forty payloads in the chat, in names and in the room's name: nothing runs, nothing is loaded, nobody is asked."""
    (ada,) = await shared_meeting.joined("Ada")
    dialogs: list[str] = []
    ada.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await ada.press("Chat")
    url = shared_meeting.server.url
    async with aiohttp.ClientSession(url, headers={"Origin": url}) as http:
        for at in range(0, len(PAYLOADS), 8):
            sockets = [await http.ws_connect(f"/ws/{shared_meeting.slug}") for _ in PAYLOADS[at : at + 8]]
            for socket, payload in zip(sockets, PAYLOADS[at:], strict=False):
                await socket.send_json({"type": "join", "v": 1, "name": payload[:60]})
                assert (await socket.receive_json())["type"] == "joined"
                await socket.send_json({"type": "chat", "text": payload})
            await ada.page.get_by_text(PAYLOADS[min(at + 7, len(PAYLOADS) - 1)][:40]).last.wait_for()
            await ada.press("People")
            await _unharmed(ada)
            await ada.press("Chat")
            for socket in sockets:
                await socket.send_json({"type": "leave"})
                await socket.close()

    await ada.page.get_by_role("log").get_by_text(PAYLOADS[0], exact=True).first.wait_for()
    links = (
        await ada.page.get_by_role("log")
        .locator("a")
        .evaluate_all("all => all.map(a => [a.protocol, a.rel, a.target])")
    )
    await _unharmed(ada)
    assert {tuple(link) for link in links} <= {
        ("https:", "noreferrer noopener", "_blank"),
        ("http:", "noreferrer noopener", "_blank"),
    }
    assert len(links) == 5
    assert dialogs == []


@pytest.mark.parametrize("payload", ["<img src=x onerror=harmed=1>", "</title><script>harmed=1</script>"])
async def test_a_rooms_name_is_text_on_every_page(shared_meeting: Meeting, payload: str) -> None:
    """The preview, the room and the title show it as it was typed."""
    room = await shared_meeting.server.meetings.create_room(payload, None)
    ben = await shared_meeting.person("Ben")

    await ben.page.goto(f"{shared_meeting.server.url}/r/{room.slug}")
    await ben.page.get_by_text(payload).first.wait_for()
    await _unharmed(ben)
    await ben.join(room.slug)

    await _unharmed(ben)


@pytest.mark.parametrize(
    "after", ["//evil.test", "/%09/evil.test", "/%0a/evil.test", "/%5cevil.test", "https:evil.test"]
)
async def test_signing_in_leads_nowhere_else(shared_meeting: Meeting, after: str) -> None:
    """A link to our own sign-in page must not be a way to somebody else's (CVE class 25)."""
    ada = await shared_meeting.person("Ada")
    await ada.page.goto(f"{shared_meeting.server.url}/sign-in?next={after}")
    await ada.page.get_by_label("E-mail").fill("ada@example.org")
    await ada.page.get_by_label("Password", exact=True).fill("seven purple lanterns drift")
    await ada.page.get_by_role("button", name="Sign in", exact=True).click()

    await ada.page.wait_for_url(f"{shared_meeting.server.url}/")
