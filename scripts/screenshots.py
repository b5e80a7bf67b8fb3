"""Takes the pictures in docs/images: a real server, real Chromium, and cameras that show painted landscapes.

    make screenshots

Each person has a browser of their own, because Chromium plays one camera file per process. The painting and the voice
are made here, so nobody's face or room is in the documentation.
"""

import asyncio
import math
import sys
import tempfile
import wave
from array import array
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from live_server import PASSWORD, Visitor, make_config, running, visiting
from playwright.async_api import Browser, BrowserContext, Page
from tests.browser.people import Person, chromium, enter

from pymeet.server import Server

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTH, HEIGHT, FPS, FRAMES = 640, 360, 10, 20
RATE = 48_000
VOICE_S = 8
"""The host is heard in the preview, and listens in the meeting."""
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
HOST, TOPIC = "Ada Okafor", "Garden committee"

_DEVICE_NAMES = """{
  const names = {audioinput: 'Desk microphone', videoinput: 'Desk camera', audiooutput: 'Headphones'};
  Object.defineProperty(MediaDeviceInfo.prototype, 'label', {get() { return names[this.kind]; }});
}"""
"""A fake camera is named by the path of its file."""

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Landscape:
    """A sky from top to bottom, a sun that rises, and hills one before the other."""

    sky: tuple[Colour, Colour]
    sun: Colour
    sun_x: float
    hills: Sequence[tuple[Colour, float, float]]
    """Colour, height of the ridge (0 is the top), and where its wave begins."""


ADA = Landscape(
    ((250, 214, 176), (247, 172, 138)),
    (255, 244, 220),
    0.68,
    (((222, 138, 121), 0.62, 0.4), ((173, 98, 107), 0.74, 2.6), ((104, 66, 88), 0.88, 4.4)),
)
JONAS = Landscape(
    ((176, 214, 226), (226, 240, 232)),
    (255, 250, 232),
    0.3,
    (((142, 186, 178), 0.58, 3.4), ((88, 146, 138), 0.72, 1.0), ((44, 98, 96), 0.86, 5.2)),
)
MEI = Landscape(
    ((72, 84, 132), (196, 148, 172)),
    (250, 222, 206),
    0.5,
    (((138, 106, 150), 0.64, 1.6), ((92, 74, 122), 0.76, 3.9), ((48, 44, 84), 0.9, 0.2)),
)


def yuv(colour: Colour) -> Colour:
    """As video has it (BT.601, studio range)."""
    red, green, blue = colour
    return (
        round(16 + 0.257 * red + 0.504 * green + 0.098 * blue),
        round(128 - 0.148 * red - 0.291 * green + 0.439 * blue),
        round(128 + 0.439 * red - 0.368 * green - 0.071 * blue),
    )


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """The colour that lies `share` of the way from one to the other."""
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))  # type: ignore[return-value]


def painted(land: Landscape, step: int) -> bytes:
    """One frame: the planes Y, U and V."""
    sway = math.sin(2 * math.pi * step / FRAMES)
    sun_x, sun_y, radius = land.sun_x * WIDTH, (0.34 + 0.02 * sway) * HEIGHT, 0.13 * HEIGHT
    ridges = [
        [HEIGHT * (top + 0.05 * math.sin(2 * math.pi * 1.3 * x / WIDTH + phase)) for x in range(WIDTH)]
        for _, top, phase in land.hills
    ]
    shades = [yuv(colour) for colour, _, _ in land.hills]
    lines: list[list[Colour]] = []
    for y in range(HEIGHT):
        air = mixed(land.sky[0], land.sky[1], y / HEIGHT)
        line = [yuv(air)] * WIDTH
        reach = int(radius * 2.2)
        for x in range(max(0, int(sun_x) - reach), min(WIDTH, int(sun_x) + reach)):
            far = math.hypot(x - sun_x, y - sun_y) / radius
            share = 1.0 if far < 0.97 else max(0.0, 0.35 * (2.2 - far) / 1.2)
            line[x] = yuv(mixed(air, land.sun, share))
        for ridge, shade in zip(ridges, shades, strict=True):
            for x in range(WIDTH):
                if y >= ridge[x]:
                    line[x] = shade
        lines.append(line)
    luma = bytes(pixel[0] for line in lines for pixel in line)
    blue, red = (bytes(pixel[part] for line in lines[::2] for pixel in line[::2]) for part in (1, 2))
    return luma + blue + red


def camera_file(land: Landscape, path: Path) -> Path:
    """A film without end, as Chromium's fake camera reads it."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420mpeg2\n".encode())
        half = [painted(land, step) for step in range(-FRAMES // 4, FRAMES // 4 + 1)]
        for frame in [*half, *reversed(half[1:-1])]:
            file.write(b"FRAME\n" + frame)
    return path


def microphone_file(path: Path, voice_s: int, silence_s: int) -> Path:
    """A voice without words, then silence, then from the beginning again."""
    samples = array("h", _voice(voice_s)) + array("h", bytes(2 * RATE * silence_s))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path


def _voice(length_s: int) -> Iterator[int]:
    for i in range(length_s * RATE):
        at = i / RATE
        syllable = 0.55 + 0.45 * math.sin(2 * math.pi * 3.7 * at)
        pitch = 140 + 12 * math.sin(2 * math.pi * 0.6 * at)
        tone = sum(math.sin(2 * math.pi * pitch * overtone * at) / overtone for overtone in (1, 2, 3, 4, 5))
        yield round(4000 * syllable * tone)


class Studio:
    """Browsers, people, and the place where pictures go."""

    def __init__(self, stack: AsyncExitStack, folder: Path, origin: str) -> None:
        self._stack, self._folder, self.origin = stack, folder, origin

    async def person(self, name: str, land: Landscape, *, voice_s: int, silence_s: int) -> tuple[Person, Browser]:
        """Somebody in front of a browser of their own."""
        mark = name.split()[0].lower()
        camera = camera_file(land, self._folder / f"{mark}.y4m")
        microphone = microphone_file(self._folder / f"{mark}.wav", voice_s, silence_s)
        browser = await self._stack.enter_async_context(
            chromium(f"--use-file-for-fake-video-capture={camera}", f"--use-file-for-fake-audio-capture={microphone}")
        )
        person = await enter(browser, self.origin, name, locale="en-GB", color_scheme="light")
        await person.context.add_init_script(_DEVICE_NAMES)
        return person, browser

    async def join(self, person: Person, slug: str) -> None:
        """Through the preview into the meeting."""
        await self.open_preview(person.page, slug, person.name)
        await person.press("Join")
        await person.button("Leave").wait_for()

    async def open_preview(self, page: Page, slug: str, name: str) -> None:
        """The page before the meeting, with the picture running."""
        await page.goto(f"{self.origin}/r/{slug}")
        await page.get_by_role("textbox", name="Your name").fill(name)
        await page.locator(".preview-picture video").wait_for()
        await page.evaluate("document.activeElement?.blur()")
        await asyncio.sleep(2)

    async def take(self, page: Page, name: str, settle_s: float = 1.0) -> None:
        """Writes docs/images/NAME.png of what the page shows."""
        await page.mouse.move(2, 300)
        await asyncio.sleep(settle_s)
        await page.screenshot(path=IMAGES / f"{name}.png")
        sys.stdout.write(f"docs/images/{name}.png\n")


async def make_admin(server: Server, admin: Visitor) -> None:
    """Uses the link of the first start."""
    body = {"token": server.first_admin_token, "name": HOST, "email": "ada@example.org", "password": PASSWORD}
    await admin.json("POST", "/api/v1/links/redeem", body)


async def sign_in(context: BrowserContext, admin: Visitor) -> None:
    """Hands the administrator's session to a browser."""
    for cookie in admin.http.cookie_jar:
        await context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": admin.url}])


async def take_all(studio: Studio, admin: Visitor) -> None:
    """Three people meet, and every page is looked at once."""
    await admin.make_room("Monday morning")
    await admin.make_room("Reading circle")
    slug = await admin.make_room(TOPIC)
    ada, browser = await studio.person(HOST, ADA, voice_s=VOICE_S, silence_s=200)
    jonas, _ = await studio.person("Jonas Weber", JONAS, voice_s=10, silence_s=0)
    mei, _ = await studio.person("Mei Tanaka", MEI, voice_s=0, silence_s=10)
    await sign_in(ada.context, admin)

    await studio.join(jonas, slug)
    await studio.join(mei, slug)
    await mei.press("Mute microphone")
    await studio.open_preview(ada.page, slug, ada.name)
    await studio.take(ada.page, "preview")
    await ada.page.set_viewport_size(PHONE)
    await studio.take(ada.page, "preview-phone")
    await ada.page.set_viewport_size(DESKTOP)
    await ada.press("Join")
    await ada.sees(jonas.name)
    await ada.sees(mei.name)
    await ada.page.locator("figure video").nth(1).wait_for()
    await studio.take(ada.page, "meeting", settle_s=VOICE_S)
    await ada.page.set_viewport_size(PHONE)
    await studio.take(ada.page, "meeting-phone", settle_s=2)
    await ada.page.set_viewport_size(DESKTOP)

    await jonas.say("The seed order closes on Friday.")
    await mei.say("I can pick it up: https://example.org/seeds")
    await ada.say("Thank you both. Shall we look at the plan for the east bed next?")
    await jonas.say("Yes please.")
    await studio.take(ada.page, "chat", settle_s=2)
    await jonas.press("Raise hand")
    await ada.press("People")
    await ada.page.get_by_text("Hand raised, number 1").first.wait_for(state="attached")
    await studio.take(ada.page, "people")
    await ada.press("People")
    await jonas.press("Lower hand")

    await take_recording(studio, ada, jonas, mei)

    start = await enter(browser, admin.url, ada.name, locale="en-GB", color_scheme="light")
    await sign_in(start.context, admin)
    await start.page.goto(f"{admin.url}/")
    await start.page.get_by_role("link", name=f"Enter {TOPIC}").wait_for()
    await start.press("I have read it")
    await start.button("I have read it").wait_for(state="detached")
    await studio.take(start.page, "start")
    await take_player(studio, start.page)

    await start.page.goto(f"{admin.url}/my-data")
    await start.press("Download my data")
    await start.page.get_by_role("link", name="Save the archive").wait_for()
    await studio.take(start.page, "my-data")
    await start.page.set_viewport_size(PHONE)
    await studio.take(start.page, "my-data-phone")


async def take_recording(studio: Studio, ada: Person, jonas: Person, mei: Person) -> None:
    """Ada records; Mei agrees, Jonas is looked at while he is asked, and then does not."""
    await ada.press("Record meeting")
    await studio.take(ada.page, "recording-start")
    await ada.press("Start recording")
    await ada.press("Record me")
    await mei.press("Record me")
    await jonas.press("Chat")
    await studio.take(jonas.page, "recording-question", settle_s=8)
    await jonas.page.set_viewport_size(PHONE)
    await studio.take(jonas.page, "recording-question-phone")
    await jonas.page.set_viewport_size(DESKTOP)
    await jonas.press("Don\N{RIGHT SINGLE QUOTATION MARK}t record me")
    await ada.press("Add a marker")
    marker = ada.page.get_by_role("dialog")
    await marker.get_by_role("textbox").fill("Plan for the east bed")
    await marker.get_by_role("textbox").press("Enter")
    await marker.wait_for(state="detached")
    await studio.take(ada.page, "recording", settle_s=8)
    await ada.press("Stop recording")
    await ada.page.get_by_role("dialog").get_by_role("button", name="Stop recording").click()


async def take_player(studio: Studio, page: Page) -> None:
    """The recording once its film is made, at a moment that shows everybody who agreed."""
    await page.goto(f"{studio.origin}/recordings")
    await page.get_by_text("Ready to watch").wait_for(timeout=300_000)
    await page.get_by_role("link", name=TOPIC).click()
    video = page.locator("video")
    await video.evaluate("(video) => video.readyState || new Promise((done) => { video.onloadedmetadata = done; })")
    await video.evaluate("(video) => { video.currentTime = video.duration - 4; }")
    await studio.take(page, "recording-page", settle_s=4)


async def main() -> None:
    """Everything, from an empty data directory."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(running(make_config(Path(folder) / "data")))
            admin = await stack.enter_async_context(visiting(server))
            await make_admin(server, admin)
            await take_all(Studio(stack, Path(folder), server.url), admin)


if __name__ == "__main__":
    asyncio.run(main())
