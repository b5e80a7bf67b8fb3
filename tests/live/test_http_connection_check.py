"""Looking whether media gets through, before anybody joins: by the API, by a STUN check, and by `doctor --from-outside`."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from live_server import Visitor, first_admin, make_config, running, visiting
from whip_client import player, publisher

from pymeet.cli import main
from pymeet.config import Config
from pymeet.errors import InvalidInputError
from pymeet.ops import outside
from pymeet.ops.checks import Finding
from pymeet.ops.outside import examine_from_outside
from pymeet.server import Server

SECRET = "a long secret of both servers"
URLS = ["turn:turn.example.org:3478", "turns:turn.example.org:443?transport=tcp"]
NOW = datetime.now(UTC)
LINK = re.compile(r'<([^>]+)>; rel="ice-server"; username="([^"]+)"; credential="([^"]+)"; credential-type="password"')


@pytest.fixture
def turn_config(tmp_path: Path) -> Config:
    """An installation with a TURN server beside it."""
    return make_config(tmp_path / "data", media={"turn": {"urls": URLS, "secret": SECRET}})


@pytest.fixture
async def turn_server(turn_config: Config) -> AsyncIterator[Server]:
    """The server of it."""
    async with running(turn_config) as server:
        yield server


def check_turn(server: dict[str, object], good_s: int) -> None:
    """As coturn checks it: the name is an end in time and a word, the password its HMAC."""
    username = str(server["username"])
    ends, word = username.split(":")
    assert int(ends) - time.time() == pytest.approx(good_s, abs=60)
    assert re.fullmatch("[0-9a-f]{16}", word), "the name must say nothing about anybody"
    mac = hmac.new(SECRET.encode(), username.encode(), hashlib.sha1).digest()
    assert server["credential"] == base64.b64encode(mac).decode()


async def check(visitor: Visitor, **body: object) -> dict[str, object]:
    """What the server tells of its media."""
    status, told = await visitor.json("POST", "/api/v1/connection-check", body)
    assert status == 200, told
    return told


async def test_everybody_learns_where_media_goes_and_nothing_else(visitor: Visitor, server: Server) -> None:
    """The same addresses as in every description; no cookie, no account."""
    told = await check(visitor)

    here = [{"host": "127.0.0.1", "port": server.media_port.port}]
    assert told["udp"] == told["tcp"] == here
    assert told["ice_servers"] == []
    assert (await check(visitor))["ufrag"] != told["ufrag"]
    assert not server.sfu.transports


async def test_who_asks_too_often_has_to_wait(visitor: Visitor) -> None:
    """Each answer costs little, and a flood of them would not."""
    for _ in range(30):
        await check(visitor)

    status, problem = await visitor.json("POST", "/api/v1/connection-check", {})

    assert (status, problem["code"]) == (429, "too_many")


async def test_the_relay_is_for_those_who_may_come_in(turn_server: Server) -> None:
    """A password for it lets bytes through somebody's machine: members get one to try, and guests whom a room lets in."""
    async with first_admin(turn_server) as ada, visiting(turn_server) as guest:
        open_room, asking = await ada.make_room(), await ada.make_room("Asking")
        change = {"waiting_room": "guests"}
        assert (await ada.json("PATCH", f"/api/v1/rooms/{asking}/settings", change))[0] == 200

        for visitor, body in ((ada, {}), (guest, {"room": open_room})):
            (relay,) = (await check(visitor, **body))["ice_servers"]
            assert relay["urls"] == URLS
            check_turn(relay, 5 * 60)
        for body in ({}, {"room": asking}, {"room": "no-such-room"}):
            assert (await check(guest, **body))["ice_servers"] == []


async def test_whoever_joins_gets_a_password_for_the_relay(turn_server: Server) -> None:
    """In `joined`, and by WHIP and WHEP in Link headers (RFC 9725): half a day, another one each time."""
    async with first_admin(turn_server) as ada, visiting(turn_server) as guest:
        room, seen = await ada.make_room(), []
        for visitor in (ada, guest):
            async with visitor.http.ws_connect(f"/ws/{room}") as socket:
                await socket.send_json({"type": "join", "v": 1, "name": "Somebody"})
                joined = await socket.receive_json()
                (relay,) = joined["ice_servers"]
                check_turn(relay, 12 * 3600)
                seen.append(relay["username"])
        async with publisher() as peer, player() as viewer:
            for client, path in ((peer, "whip"), (viewer, "whep")):
                await client.negotiate(guest.http, f"/{path}/{room}")
                if client is peer:
                    await client.connected()
                links = [link for link in client.headers.getall("Link") if 'rel="ice-server"' in link]
                found = [LINK.fullmatch(link) for link in links]
                assert [match[1] for match in found] == URLS
                for match in found:
                    check_turn({"username": match[2], "credential": match[3]}, 12 * 3600)
                seen.append(found[0][2])
                assert "Link" in client.headers["Access-Control-Expose-Headers"]

    assert len(set(seen)) == 4


async def test_without_a_relay_nobody_hears_of_one(visitor: Visitor, room: str) -> None:
    """An empty field would be a question."""
    async with visitor.http.ws_connect(f"/ws/{room}") as socket:
        await socket.send_json({"type": "join", "v": 1, "name": "Somebody"})

        assert "ice_servers" not in await socket.receive_json()


def verdicts(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.verdict for finding in findings}


async def test_from_outside_all_is_well_where_it_is(server: Server) -> None:
    """Name, page, messages and both ways of media; nobody is in a meeting afterwards, nothing stays open."""
    findings = await examine_from_outside(server.url, NOW)

    assert verdicts(findings) == {
        "name": "ok",
        "http port": "warn",  # the tests' server speaks no TLS
        "page": "ok",
        "messages": "ok",
        "media by UDP": "ok",
        "media by TCP": "ok",
    }
    assert not server.sfu.transports
    assert not server.registry.counts()["participants"]


async def test_from_outside_a_certificate_that_nobody_trusts_is_named(tmp_path: Path) -> None:
    """Browsers ask their people whether to go on; what lies behind is looked at all the same."""
    async with running(make_config(tmp_path / "data", http={"tls": {"mode": "self_signed"}})) as server:
        findings = await examine_from_outside(server.url, NOW)

    assert verdicts(findings) == {
        "name": "ok",
        "certificate": "warn",
        "page": "ok",
        "messages": "ok",
        "media by UDP": "ok",
        "media by TCP": "ok",
    }


@pytest.mark.parametrize("broken", ["UDP", "TCP", "both", "inside"])
async def test_from_outside_the_broken_way_is_named(
    broken: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall that drops one of them, or a server behind NAT that tells inside addresses."""
    monkeypatch.setattr(outside, "TRY_S", 0.1)
    port, nowhere = server.media_port.port, 9
    if broken in ("UDP", "both"):
        server.sfu.addresses = [("127.0.0.1", nowhere)]
    if broken in ("TCP", "both"):
        server.sfu.stream_addresses = [("127.0.0.1", nowhere)]
    if broken == "inside":
        server.sfu.addresses, server.sfu.stream_addresses = [("192.0.2.77", port)], [("192.0.2.77", port)]

    findings = {finding.check: finding for finding in await examine_from_outside(server.url, NOW)}

    by_udp, by_tcp = findings["media by UDP"], findings["media by TCP"]
    assert by_udp.verdict == ("ok" if broken == "TCP" else "fail")
    assert by_tcp.verdict == {"UDP": "ok", "TCP": "warn"}.get(broken, "fail")
    for finding in (by_udp, by_tcp):
        assert bool(finding.remedy) is (finding.verdict != "ok")
    if broken == "inside":
        assert "media.addresses" in by_udp.remedy


async def test_from_outside_a_closed_door_is_the_last_hop_that_is_looked_at(server: Server) -> None:
    """What lies behind it would only repeat that."""
    closed = await examine_from_outside("http://127.0.0.1:9", NOW)
    nowhere = await examine_from_outside("https://no-such-host.invalid", NOW)

    assert verdicts(closed) == {"name": "ok", "http port": "fail"}
    assert verdicts(nowhere) == {"name": "fail"}
    assert closed[-1].remedy
    assert nowhere[-1].remedy


@pytest.mark.parametrize("url", ["ftp://meet.example.org", "https://meet.example.org/r/tea", "https://:99999", "mail@"])
async def test_from_outside_needs_the_address_of_a_server(url: str) -> None:
    """A room's link is easily pasted instead."""
    with pytest.raises(InvalidInputError):
        await examine_from_outside(url, NOW)


async def test_the_command_asks_from_outside(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As an operator runs it on another machine: no configuration, no data, JSON for scripts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pymeet", "doctor", "--from-outside", server.url, "--json"])

    with pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(main)

    assert ended.value.code == 0
    found = {each["check"]: each["verdict"] for each in json.loads(capsys.readouterr().out)["checks"]}
    assert found["media by UDP"] == found["media by TCP"] == "ok"
