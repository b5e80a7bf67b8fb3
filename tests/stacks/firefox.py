"""A driver for the stock Firefox, headless: WebDriver BiDi over its remote debugging port, and no other program between.

It knows one tab and does three things: open an address, run JavaScript, and keep what the console said.
"""

import asyncio
import json
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

PACKAGE = "firefox-esr"
START_S = 30
CALL_S = 25

MEDIA_PREFS: dict[str, bool | int | str] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.peerconnection.enabled": True,
    "media.volume_scale": "0.0",
    "permissions.default.camera": 1,
    "permissions.default.microphone": 1,
}
"""Fake devices, no questions, and candidates that lead to this machine: without the permissions, Firefox would offer only the
address of the default route, and it pairs that with no loopback address."""

QUIET_PREFS: dict[str, bool | int | str] = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "app.update.disabledForTesting": True,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.contentblocking.introCount": 99,
    "browser.newtabpage.enabled": False,
    "browser.places.speculativeConnect.enabled": False,
    "browser.region.network.url": "",
    "browser.region.update.enabled": False,
    "browser.safebrowsing.blockedURIs.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.provider.google4.updateURL": "",
    "browser.safebrowsing.provider.mozilla.updateURL": "",
    "browser.search.suggest.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "browser.topsites.contile.enabled": False,
    "browser.urlbar.speculativeConnect.enabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.usage.uploadEnabled": False,
    "dom.push.connection.enabled": False,
    "dom.push.serverURL": "",
    "extensions.blocklist.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "geo.provider.network.url": "",
    "media.gmp-gmpopenh264.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-manager.url": "data:,",
    "media.gmp-provider.enabled": False,
    "messaging-system.rsexperimentloader.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.http.speculative-parallel-limit": 0,
    "network.prefetch-next": False,
    "network.proxy.type": 0,
    "network.trr.mode": 5,
    "nimbus.rollouts.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "signon.management.page.breach-alerts.enabled": False,
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "toolkit.telemetry.server": "data:,",
    "toolkit.telemetry.unified": False,
}
"""Nothing in the background that would ask a host on the internet."""


class FirefoxError(Exception):
    """Firefox refused a command, or a script in the page threw."""


class Firefox:
    """One tab of a running Firefox. `async with firefox(directory) as browser` makes one."""

    def __init__(self, bidi: aiohttp.ClientWebSocketResponse) -> None:
        self.console: list[str] = []
        """Errors and warnings of the pages, in order."""
        self._bidi = bidi
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._context = ""

    async def begin(self) -> None:
        """Opens the session and finds the tab."""
        await self.command("session.new", capabilities={})
        await self.command("session.subscribe", events=["log.entryAdded"])
        tree = await self.command("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def goto(self, url: str) -> None:
        """Opens an address and waits until it is loaded."""
        await self.command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, function: str, argument: object = None) -> Any:
        """Calls a JavaScript function, as `async (argument) => …`, with JSON in and JSON out; FirefoxError when it throws."""
        outcome = await self.command(
            "script.callFunction",
            functionDeclaration=f"async (json) => JSON.stringify(await ({function})(JSON.parse(json)))",
            arguments=[{"type": "string", "value": json.dumps(argument)}],
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        if outcome["type"] == "exception":
            raise FirefoxError(outcome["exceptionDetails"]["text"])
        text = outcome["result"].get("value")
        return None if text is None else json.loads(text)

    async def command(self, method: str, **params: object) -> Any:
        """Sends one BiDi command and hands back its result."""
        number = len(self._waiting) + 1
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._bidi.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(CALL_S):
            return await answer

    async def read(self) -> None:
        """Hands every answer to whoever waits for it, until Firefox hangs up."""
        try:
            await self._read()
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.cancel("Firefox hung up")

    async def _read(self) -> None:
        async for message in self._bidi:
            said = message.json()
            answer = self._waiting.get(said.get("id"))
            if said["type"] == "event" and said["method"] == "log.entryAdded":
                entry = said["params"]
                if entry["level"] in ("error", "warn"):
                    self.console.append(f"{entry['level']}: {entry['text']}")
            elif answer is None or answer.done():
                continue
            elif said["type"] == "error":
                answer.set_exception(FirefoxError(f"{said['error']}: {said['message']}"))
            else:
                answer.set_result(said["result"])


@asynccontextmanager
async def firefox(
    directory: Path,
    *,
    program: str | None = None,
    make_socket: Callable[[Any], socket.socket] | None = None,
    prefs: Mapping[str, bool | int | str] | None = None,
) -> AsyncIterator[Firefox]:
    """A headless Firefox with a fresh profile in `directory`, ended and reaped at the end.

    Where it runs in another network namespace, `program` is what starts it there and `make_socket` what reaches it.
    """
    program = program or shutil.which(PACKAGE)
    assert program, f"Firefox is missing: install the Debian package {PACKAGE}"
    profile = directory / "firefox"
    profile.mkdir()
    chosen = {**MEDIA_PREFS, **QUIET_PREFS, **(prefs or {})}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in chosen.items()]
    (profile / "user.js").write_text("\n".join(lines))
    process = await asyncio.create_subprocess_exec(
        program,
        *("--headless", "--no-remote", "--new-instance", "--remote-debugging-port", "0"),
        *("--profile", str(profile), "about:blank"),
        env={
            **os.environ,
            "HOME": str(directory),
            "MOZ_CRASHREPORTER_DISABLE": "1",
            "MOZ_REMOTE_SETTINGS_DEVTOOLS": "1",  # without it a release ignores `services.settings.server`
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stderr
    drain: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(START_S):
            url = await _address(process.stderr)
        drain = asyncio.create_task(process.stderr.read())  # a full pipe would stop Firefox
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=make_socket)) as http,
            http.ws_connect(f"{url}/session", max_msg_size=0) as bidi,
        ):
            browser = Firefox(bidi)
            reader = asyncio.create_task(browser.read())
            try:
                await browser.begin()
                yield browser
                with suppress(FirefoxError, ConnectionError, TimeoutError):
                    await browser.command("browser.close")
            finally:
                reader.cancel()
                with suppress(asyncio.CancelledError):
                    await reader
    finally:
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        if drain:
            await drain


async def _address(stderr: asyncio.StreamReader) -> str:
    said = []
    while line := (await stderr.readline()).decode(errors="replace"):
        said.append(line)
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
            return found[1]
    raise AssertionError("Firefox ended before it could be driven:\n" + "".join(said))
