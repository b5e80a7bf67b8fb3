"""What `pymeet doctor --from-outside` looks at, from this machine, at a server elsewhere: the page, messages, and the ways of media.

It joins nothing and needs no account: the server tells where media is to be sent, and answers a check there
(docs/protocol.md, section 4.7). The first hop that is broken is named, with its remedy.
"""

import asyncio
import secrets
import socket
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from cryptography import x509

from pymeet.errors import InvalidInputError
from pymeet.ops.checks import SOON, Finding
from pymeet.sfu import stun
from pymeet.sfu.errors import DatagramError

WITHIN_S: Final = 5.0
TRIES: Final = 3
TRY_S: Final = 0.7

Place = tuple[str, int]


async def examine_from_outside(url: str, now: datetime) -> list[Finding]:
    """Every check, in the order of the hops; what needs a hop that is broken is not tried. InvalidInputError for another sort of URL."""
    site = _site(url)
    findings = [await check_name(site)]
    if findings[0].verdict == "fail":
        return findings
    certificate = await check_certificate(site, now)
    findings.append(certificate)
    if certificate.verdict == "fail":
        return findings
    # a certificate that is not trusted is a finding of its own; what lies behind it is looked at all the same
    connector = aiohttp.TCPConnector(ssl=certificate.verdict == "ok")
    timeout = aiohttp.ClientTimeout(total=WITHIN_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        page, ways = await check_page(http, site)
        findings.append(page)
        if ways is None:
            return findings
        findings.append(await check_messages(http, site))
    return findings + await check_media(site, ways)


@dataclass(frozen=True)
class Site:
    """Where the server is said to be."""

    url: str
    host: str
    port: int
    is_https: bool


@dataclass(frozen=True)
class Ways:
    """What the server tells of its media."""

    ufrag: str
    password: str
    udp: tuple[Place, ...]
    tcp: tuple[Place, ...]


def _site(url: str) -> Site:
    try:
        parts = urlsplit(url if "//" in url else f"https://{url}")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise InvalidInputError(f"{url!r} is not the address of a server. Write it as https://meet.example.org.")
    host, is_https = parts.hostname, parts.scheme == "https"
    usual = 443 if is_https else 80
    shown = f"[{host}]" if ":" in host else host
    where = shown if port in (None, usual) else f"{shown}:{port}"
    return Site(f"{parts.scheme}://{where}", host, port or usual, is_https)


async def check_name(site: Site) -> Finding:
    """Whether the name leads to an address."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(site.host, site.port, type=socket.SOCK_STREAM)
    except OSError:
        remedy = "Check the spelling, and the name's A and AAAA records at your name service."
        return Finding("name", "fail", f"{site.host} leads to no address.", remedy)
    addresses = dict.fromkeys(str(each[4][0]) for each in found)
    return Finding("name", "ok", f"{site.host} is {', '.join(addresses)}.")


async def check_certificate(site: Site, now: datetime) -> Finding:
    """Whether a connection can be made, and browsers would trust what is at its end."""
    where = f"{site.host} TCP port {site.port}"
    try:
        untrusted = await _problem_of_certificate(site)
    except (OSError, TimeoutError) as error:
        remedy = f"Let the firewall (and the router, behind NAT) pass TCP port {site.port}, and see whether pymeet or its proxy runs."
        return Finding("http port", "fail", f"{where} does not answer ({type(error).__name__}).", remedy)
    if not site.is_https:
        remedy = "Browsers give cameras and microphones to https pages only: use https://."
        return Finding("http port", "warn", f"{where} answers without encryption.", remedy)
    if untrusted:
        remedy = "Get a certificate from an authority that browsers know, for this very name, and send its whole chain."
        return Finding("certificate", "warn", f"Browsers will not trust {site.host}: {untrusted}.", remedy)
    ends = await _certificate_ends(site)
    if ends is not None and ends - now < SOON:
        return Finding("certificate", "warn", f"It ends soon ({ends:%Y-%m-%d}).", "Renew it.")
    return Finding("certificate", "ok", "Browsers trust it" + (f", until {ends:%Y-%m-%d}." if ends else "."))


async def _problem_of_certificate(site: Site) -> str:
    """Why browsers would not trust the certificate; empty where they do, or where there is none."""
    context = ssl.create_default_context() if site.is_https else None
    try:
        await _connect(site, context)
    except ssl.SSLCertVerificationError as error:
        return error.verify_message.rstrip(".") or "it cannot be verified"
    return ""


async def _certificate_ends(site: Site) -> datetime | None:
    raw = await _connect(site, ssl.create_default_context())
    return x509.load_der_x509_certificate(raw).not_valid_after_utc.astimezone(UTC) if raw else None


async def _connect(site: Site, context: ssl.SSLContext | None) -> bytes | None:
    """Connects and hangs up; the certificate as DER. Raises OSError, which SSLError is, or TimeoutError."""
    async with asyncio.timeout(WITHIN_S):
        _, writer = await asyncio.open_connection(site.host, site.port, ssl=context)
    encrypted = writer.get_extra_info("ssl_object")
    raw: bytes | None = encrypted.getpeercert(binary_form=True) if encrypted else None
    writer.transport.abort()
    return raw


async def check_page(http: aiohttp.ClientSession, site: Site) -> tuple[Finding, Ways | None]:
    """Whether it is pymeet that answers, and what it tells of its media."""
    remedy = "Check the address. If a proxy stands before pymeet: it must pass every path, /api and /ws among them."
    another = f"{site.url} does not answer as pymeet does"
    try:
        async with http.post(f"{site.url}/api/v1/connection-check", json={}, allow_redirects=False) as response:
            status = response.status
            told = await response.json() if status == 200 else {}
            ways = _ways(told) if status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
        return Finding("page", "fail", f"{another} ({type(error).__name__}).", remedy), None
    if status == 429:
        often = "The server was asked too often from here."
        return Finding("page", "fail", often, "Wait a minute, and try again."), None
    if ways is None:
        return Finding("page", "fail", f"{another} (HTTP {status}).", remedy), None
    return Finding("page", "ok", f"pymeet answers at {site.url}."), ways


def _ways(told: dict[str, Any]) -> Ways:
    """What was told, as far as it can be: ValueError, KeyError or TypeError where it is something else."""

    def places(name: str) -> tuple[Place, ...]:
        return tuple((str(ip_address(each["host"])), int(each["port"])) for each in told[name][:32])

    return Ways(str(told["ufrag"]), str(told["password"]), places("udp"), places("tcp"))


async def check_messages(http: aiohttp.ClientSession, site: Site) -> Finding:
    """Whether a WebSocket gets through. It asks for a room that does not exist, so it disturbs nobody."""
    try:
        async with http.ws_connect(f"{site.url}/ws/check-{secrets.token_hex(8)}", origin=site.url) as socket_:
            await socket_.receive(timeout=WITHIN_S)
    except (aiohttp.ClientError, TimeoutError) as error:
        remedy = "If a proxy stands before pymeet: it must pass WebSocket upgrades (nginx: the Upgrade and Connection headers)."
        says = f"WebSocket connections do not get through ({type(error).__name__})."
        return Finding("messages", "fail", says, remedy)
    return Finding("messages", "ok", "WebSocket connections get through.")


async def check_media(site: Site, ways: Ways) -> list[Finding]:
    """Whether the media port answers at each address that browsers are told, by UDP and by TCP."""
    probes = [(place, "UDP", _by_udp(ways, place)) for place in ways.udp]
    probes += [(place, "TCP", _by_tcp(ways, place)) for place in ways.tcp]
    answers = await asyncio.gather(*(probe for _, _, probe in probes))
    reached = [(place, protocol) for (place, protocol, _), answered in zip(probes, answers, strict=True) if answered]
    return list(_media_findings(site, ways, reached))


def _media_findings(site: Site, ways: Ways, reached: list[tuple[Place, str]]) -> Iterator[Finding]:
    for protocol, places in (("UDP", ways.udp), ("TCP", ways.tcp)):
        open_ = [place for place in places if (place, protocol) in reached]
        shut = [place for place in places if place not in open_]
        check = f"media by {protocol}"
        if open_:
            but = f", {_list(shut)} does not" if shut else ""  # inside addresses, beside the outside one
            yield Finding(check, "ok", f"{_list(open_)} answers{but}.")
        elif places:
            yield Finding(
                check,
                "fail" if protocol == "UDP" or not reached else "warn",
                f"{_list(places)} does not answer.",
                _media_remedy(protocol, places),
            )
        elif protocol == "TCP":
            says = "The server takes no media by TCP, so networks that block UDP are shut out."
            remedy = "Set media.tcp to true, and media.port to another number than http.port."
            yield Finding(check, "warn", says, remedy)


def _media_remedy(protocol: str, places: tuple[Place, ...]) -> str:
    private = [host for host, _ in places if not ip_address(host).is_global]
    if len(private) == len(places):
        return (
            f"These are addresses inside the server's network. Set media.addresses there to the outside address, and have the "
            f"router pass {protocol} port {places[0][1]}."
        )
    return f"Let the server's firewall (and the router, behind NAT) pass {protocol} port {places[0][1]} under the same number."


def _list(places: Iterable[Place]) -> str:
    return ", ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in places)


def _request(ways: Ways) -> tuple[bytes, bytes]:
    """A binding request and its transaction id."""
    transaction_id = secrets.token_bytes(12)
    name = f"{ways.ufrag}:doctor".encode()
    return stun.build(stun.BINDING_REQUEST, transaction_id, [(stun.USERNAME, name)], ways.password), transaction_id


def _is_answer(packet: bytes, transaction_id: bytes, password: str) -> bool:
    try:
        message = stun.parse(packet)
    except DatagramError:
        return False
    return (
        message.type == stun.BINDING_SUCCESS
        and message.transaction_id == transaction_id
        and message.is_authentic(password)
    )


class _Listener(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue(16)

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.came.full():
            self.came.put_nowait(data)


async def _by_udp(ways: Ways, place: Place) -> bool:
    request, transaction_id = _request(ways)
    try:
        transport, listener = await asyncio.get_running_loop().create_datagram_endpoint(_Listener, remote_addr=place)
    except OSError:  # no way to addresses of this family
        return False
    try:
        for _ in range(TRIES):
            transport.sendto(request)
            try:
                async with asyncio.timeout(TRY_S):
                    while not _is_answer(await listener.came.get(), transaction_id, ways.password):
                        pass
                return True
            except TimeoutError:
                continue
        return False
    finally:
        transport.close()


async def _by_tcp(ways: Ways, place: Place) -> bool:
    request, transaction_id = _request(ways)
    try:
        async with asyncio.timeout(TRIES * TRY_S):
            reader, writer = await asyncio.open_connection(*place)
            try:
                writer.write(len(request).to_bytes(2, "big") + request)
                size = int.from_bytes(await reader.readexactly(2), "big")
                return _is_answer(await reader.readexactly(size), transaction_id, ways.password)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
