"""Publishers and players made of independent stacks, all with the same few verbs."""

import datetime
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.stacks.processes import CLIENTS, Client, client
from tests.stacks.waiting import until

CONNECT_S = 15
SYSTEM_PYTHON = "/usr/bin/python3"
"""GStreamer's bindings are a package of the distribution, so they are not in the virtual environment."""

Evaluate = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Where:
    """A room of a running server."""

    url: str
    slug: str

    def whip(self, name: str) -> str:
        """Where somebody of that name publishes."""
        return f"{self.url}/whip/{self.slug}?{urlencode({'name': name})}"

    def whep(self, participant: str | None = None) -> str:
        """Where somebody plays: one participant, or whoever speaks."""
        return f"{self.url}/whep/{self.slug}" + (f"?{urlencode({'participant': participant})}" if participant else "")


@dataclass(frozen=True)
class P256:
    """A certificate and its key, in files."""

    cert_file: Path
    key_file: Path


def make_p256(directory: Path) -> P256:
    """A self-signed certificate with a P-256 key. (What FFmpeg makes by itself, OpenSSL refuses.)"""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "encoder")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    made = P256(directory / "encoder-cert.pem", directory / "encoder-key.pem")
    made.cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


class InBrowser:
    """The standard client of `clients/browser.js` in a page, whichever browser it is."""

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate

    async def begin(self) -> None:
        """Puts the client into the page."""
        await self._evaluate((CLIENTS / "browser.js").read_text())

    async def publish(
        self, url: str, token: str = "", codec: str = "", scalability: str = "", rids: Sequence[str] = ()
    ) -> None:
        """Publishes the fake camera and microphone; by default in the codec and the layers that the browser chooses.

        With `rids` the camera has 1280 × 720 and comes in so many sizes under these names, the largest first.
        """
        wish = {"url": url, "token": token, "codec": codec, "scalabilityMode": scalability, "rids": list(rids)}
        await self._evaluate("(wish) => window.standard.publish(wish)", wish)

    async def play(self, url: str, token: str = "") -> None:
        """Plays sound and picture."""
        await self._evaluate("(wish) => window.standard.play(wish)", {"url": url, "token": token})

    async def choose(self, **choice: Any) -> int:
        """Chooses what is sent of the picture; the status of the answer."""
        return int(await self._evaluate("(choice) => window.standard.choose(choice)", choice))

    async def told(self) -> dict[str, list[dict[str, Any]]]:
        """What there is to choose from, by the index of the section."""
        layers: dict[str, list[dict[str, Any]]] = await self._evaluate("() => window.standard.told()")
        return layers

    async def stats(self) -> dict[str, Any]:
        """`state`; `frames` decoded, packets of `audio` and `video` that came; `sentFrames` and `sentAudio` that went."""
        seen: dict[str, Any] = await self._evaluate("() => window.standard.stats()")
        return seen

    async def restart(self) -> dict[str, str]:
        """Restarts ICE by PATCH; ETags `before` and `after`."""
        changed: dict[str, str] = await self._evaluate("() => window.standard.restart()")
        return changed

    async def stop(self) -> int:
        """Ends the session by DELETE; the status of the answer."""
        return int(await self._evaluate("() => window.standard.stop()"))


@asynccontextmanager
async def in_browser(evaluate: Evaluate) -> AsyncIterator[InBrowser]:
    """The standard client in a page that is open."""
    peer = InBrowser(evaluate)
    await peer.begin()
    yield peer


@asynccontextmanager
async def ffmpeg(url: str, p256: P256, token: str = "", flags: str = "") -> AsyncIterator[Client]:
    """FFmpeg's WHIP muxer, sending. Without flags it waits for the DTLS handshake, with `dtls_active` it begins it."""
    arguments = (url, str(p256.cert_file), str(p256.key_file), token, flags)
    async with client(sys.executable, "ffmpeg_whip.py", *arguments) as publisher:
        await until(publisher.look, lambda said: said.get("state") == "sending", CONNECT_S, "FFmpeg sends")
        yield publisher


@asynccontextmanager
async def gstreamer(role: str, url: str, codec: str, token: str = "") -> AsyncIterator[Client]:
    """GStreamer's webrtcbin, connected."""
    assert shutil.which(SYSTEM_PYTHON), "the Debian package python3 is missing"
    async with client(SYSTEM_PYTHON, "gstreamer.py", role, url, codec, *([token] if token else [])) as peer:
        await until(peer.look, lambda said: said.get("state") == "connected", CONNECT_S, "GStreamer connects")
        yield peer
