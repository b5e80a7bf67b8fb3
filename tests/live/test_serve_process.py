"""`pymeet serve` as a process: first start, graceful stop, death and rebirth, a port that is taken."""

import asyncio
import signal
import socket
import stat
import subprocess
import sys
import time

import aiohttp
import pytest
from live_server import PASSWORD, ServeProcess
from whip_client import publisher

from pymeet.config import Config
from pymeet.errors import ConflictError
from pymeet.ops.client import call
from pymeet.ops.management import hold_data_dir
from pymeet.server import Server


async def make_room(process: ServeProcess) -> str:
    """Uses the printed link and makes a room."""
    async with aiohttp.ClientSession(process.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        headers = {"Origin": process.url}
        body = {
            "token": process.first_admin_token,
            "name": "Ada",
            "email": "ada@example.org",
            "password": PASSWORD,
        }
        async with http.post("/api/v1/links/redeem", json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
        async with http.post("/api/v1/rooms", json={"name": "Tea"}, headers=headers) as response:
            return str((await response.json())["slug"])


async def everything_from(socket_: aiohttp.ClientWebSocketResponse) -> list[str]:
    """The types of all messages until the server closes."""
    return [message.json()["type"] async for message in socket_ if message.type == aiohttp.WSMsgType.TEXT]


def is_taken(host: str, port: int) -> bool:
    """Whether somebody listens for datagrams there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_within_five_seconds_although_people_are_there(serve_process: ServeProcess, how: signal.Signals):
    """Those in a room hear that the server goes away, and the exit code says that all went well."""
    await serve_process.start()
    slug = await make_room(serve_process)
    headers = {"Origin": serve_process.url}
    async with (
        aiohttp.ClientSession(serve_process.url) as http,
        http.ws_connect(f"/ws/{slug}", headers=headers) as socket_,
    ):
        await socket_.send_json({"type": "join", "v": 1, "name": "Ben"})
        assert (await socket_.receive_json())["type"] == "joined"

        began = time.monotonic()
        code, said = await asyncio.gather(serve_process.end(how), everything_from(socket_))

        assert time.monotonic() - began < 5
        assert code == 0, serve_process.output
        assert "closing" in said
        assert socket_.close_code == 1001
    assert "Traceback" not in serve_process.output


async def test_rooms_survive_a_kill(serve_process: ServeProcess):
    """Killed without warning and started again: the room's link still leads to the room."""
    await serve_process.start()
    slug = await make_room(serve_process)
    await serve_process.end(signal.SIGKILL)

    await serve_process.start()

    async with aiohttp.ClientSession(serve_process.url) as http, http.get(f"/api/v1/rooms/{slug}") as response:
        assert response.status == 200
        assert (await response.json())["name"] == "Tea"


async def test_the_first_start_says_how_to_begin(serve_process: ServeProcess):
    """Address, link and the command for a room stand on the console; the second start has no link any more."""
    await serve_process.start()
    await make_room(serve_process)
    assert serve_process.url in serve_process.output
    assert 'Make a room: pymeet room create "Our meeting"' in serve_process.output
    assert await serve_process.end() == 0

    await serve_process.start()

    assert serve_process.first_admin_token is None


async def test_a_port_in_use_is_one_clear_line_with_a_remedy(serve_process: ServeProcess):
    """Somebody who started it twice must see that, not a stack trace."""
    port = int(serve_process.url.rsplit(":", 1)[1])
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(AssertionError, match="ended with 1"):
            await serve_process.start()
        assert await serve_process.end() == 1

    assert f"port {port}" in serve_process.output
    assert "http.port" in serve_process.output
    assert "Traceback" not in serve_process.output


@pytest.mark.parametrize(("advertised", "taken_elsewhere"), [("203.0.113.5", True), ("127.0.0.1", False)])
async def test_media_is_taken_where_browsers_are_told_to_send_it(
    config: Config, advertised: str, taken_elsewhere: bool
):
    """Behind a reverse proxy the page is on loopback only, and media comes past the proxy to an outside address."""
    media = config.media.model_copy(update={"addresses": (advertised,)})
    server = await Server.start(config.model_copy(update={"media": media}))
    try:
        taken = is_taken("127.0.0.2", server.media_port.port)
    finally:
        await server.stop()

    assert taken is taken_elsewhere


async def test_a_second_server_touches_nothing_of_the_first(config: Config) -> None:
    """It is refused before it migrates a database, renews a certificate or makes a key that are not its own."""
    with hold_data_dir(config):
        with pytest.raises(ConflictError, match="Another pymeet server"):
            await Server.start(config)

        assert [path.name for path in config.data_dir.iterdir()] == ["pymeet.lock"]


async def test_a_damaged_database_is_one_clear_line_with_a_remedy(serve_process: ServeProcess, config: Config) -> None:
    """At a start after a disk fault the operator needs a sentence, not a stack trace."""
    config.data_dir.mkdir()
    config.database_path.write_bytes(b"this is no database" * 500)

    with pytest.raises(AssertionError, match="ended with 1"):
        await serve_process.start()
    assert await serve_process.end() == 1

    assert "pymeet.db" in serve_process.output
    assert "backup" in serve_process.output
    assert "Traceback" not in serve_process.output


async def test_only_the_owner_can_read_what_is_kept(serve_process: ServeProcess, config: Config) -> None:
    """Directory, database, keys and socket: closed to everybody else on the machine from the first moment on."""
    await serve_process.start()
    await make_room(serve_process)

    found = [config.data_dir, *config.data_dir.rglob("*")]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in found if not path.is_dir()}

    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_dir()} == {0o700}
    assert {"master.key", "keys.db", "pymeet.db", "pymeet.db-wal", "pymeet.sock", "pymeet.lock"} <= modes.keys()
    assert set(modes.values()) == {0o600}


async def test_nobodys_name_or_address_is_in_the_log(serve_process: ServeProcess, config: Config) -> None:
    """At the usual level the log could be handed to anybody: no name, address, token or word of anybody's is in it."""
    await serve_process.start()
    greeting = len(serve_process.output)
    slug = await make_room(serve_process)
    secrets = [serve_process.first_admin_token, PASSWORD, "ada@example.org"]
    added = await call(config, "user.add", {"name": "Canary Member", "email": "canary@example.org"})
    secrets.append(added["link"].partition("#")[2])
    secrets.append((await call(config, "room.token", {"slug": slug, "name": "Canary Token"}))["token"])
    agent = {"User-Agent": "Canary-Browser", "X-Forwarded-For": "203.0.113.77", "Origin": serve_process.url}
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(serve_process.url, cookie_jar=jar, headers=agent) as http, publisher() as peer:
        for path in ("/canary", "/r/canary?canary=1", "/static/canary.js", "/api/v1/rooms/canary", "/link?canary"):
            await (await http.get(path, headers={"Accept": "text/html", "Cookie": "canary=1"})).read()
        for body in ({"email": "canary@example.org", "password": "canary pass word"}, {"canary": "canary"}):
            await (await http.post("/api/v1/sign-in", json=body)).read()
        link = {"token": secrets[3], "password": "canary password"}
        await (await http.post("/api/v1/links/redeem", json=link)).read()
        secrets += [cookie.value for cookie in jar]
        await (await http.post("/api/v1/rooms", json={"name": "Canary Room"})).read()
        async with http.ws_connect(f"/ws/{slug}") as socket_:
            await socket_.send_json({"type": "join", "v": 1, "name": "Canary Name"})
            joined = await socket_.receive_json()
            secrets += [joined["resume"]]
            await socket_.send_json({"type": "chat", "text": "canary text"})
            await socket_.send_json({"type": "publish", "sdp": "v=0\r\ncanary", "tracks": []})
            await socket_.send_json({"type": "remove", "participant": "canary"})
            await peer.negotiate(http, f"/whip/{slug}?name=Canary+Encoder")
            await peer.connected()
            secrets += [peer.location.rpartition("/")[2], peer.offer.partition("a=ice-pwd:")[2].split()[0]]
            sdp = {"Content-Type": "application/sdp", "Authorization": "Bearer canary"}
            await (await http.post(f"/whip/{slug}", data=b"canary", headers=sdp)).read()
            await (await http.post(f"/whep/{slug}?participant=Canary+Encoder", data=b"v=0\r\n", headers=sdp)).read()
            await socket_.send_str('{"type": "canary"}')
            await everything_from(socket_)
        await (await http.delete(peer.location)).read()
        await call(config, "user.disable", {"email": "canary@example.org"})
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(serve_process.url.rpartition(":")[2]))
        writer.write(b"GET /canary HTTP/9.9\r\nCanary\r\n\r\n")
        await reader.read()
        writer.close()
    await serve_process.end()

    logged = serve_process.output[greeting:]
    assert "joined" in logged
    assert "protocol error" in logged
    assert "canary" not in logged.lower()
    assert "203.0.113.77" not in logged
    assert len(secrets) == 10
    assert [secret for secret in secrets if not secret or secret in logged] == []
    assert "Traceback" not in logged


def test_a_stop_that_hangs_ends_the_process() -> None:
    """Whoever started it waits for its end; what was left is put in order at the next start."""
    hangs = (
        "import asyncio\n"
        "from pymeet import server\n"
        "async def stop():\n"
        "    while True:\n"
        "        try: await asyncio.Event().wait()\n"
        "        except asyncio.CancelledError: pass\n"
        "asyncio.run(server.end_in_time(stop(), 0.1))\n"
    )
    ended = subprocess.run([sys.executable, "-c", hangs], capture_output=True, timeout=60)

    assert ended.returncode == 1
    assert b"Traceback" not in ended.stderr
