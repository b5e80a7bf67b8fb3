"""A WHIP publisher and a WHEP player made of aiortc, as a standard client would behave."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, MediaStreamTrack, VideoStreamTrack

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


@dataclass
class Peer:
    """One aiortc peer connection and the HTTP session that belongs to it."""

    connection: RTCPeerConnection
    offer: str
    location: str = ""
    etag: str = ""
    answer: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the answer."""
    received: dict[str, MediaStreamTrack] = field(default_factory=dict)

    async def negotiate(self, http: aiohttp.ClientSession, path: str, **headers: str) -> None:
        """Offers at `path` and takes the answer."""
        async with http.post(path, data=self.offer, headers={**SDP, **headers}) as response:
            text = await response.text()
            assert response.status == 201, text
            self.location, self.etag, self.answer = response.headers["Location"], response.headers["ETag"], text
            self.headers = response.headers
        await self.connection.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))

    async def connected(self, timeout_s: float = 10) -> None:
        """Waits until media can flow."""
        await self.reaches("connected", timeout_s)

    async def reaches(self, state: str, timeout_s: float = 10) -> None:
        """Waits for a connection state."""
        reached = asyncio.Event()

        @self.connection.on("connectionstatechange")
        def look() -> None:
            if self.connection.connectionState == state:
                reached.set()

        look()
        async with asyncio.timeout(timeout_s):
            await reached.wait()

    async def frames(self, kind: str, count: int, timeout_s: float = 10) -> None:
        """Waits until that many frames were decoded."""
        async with asyncio.timeout(timeout_s):
            for _ in range(count):
                await self.received[kind].recv()

    async def runs_dry(self, kind: str, timeout_s: float = 10) -> None:
        """Waits until no frame comes for half a second, or the track ends."""
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    async with asyncio.timeout(0.5):
                        await self.received[kind].recv()
                except (TimeoutError, MediaStreamError):
                    return


@asynccontextmanager
async def publisher(kinds: Sequence[str] = ("audio", "video")) -> AsyncIterator[Peer]:
    """Somebody about to publish a beep-less tone and a plain picture."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for kind in kinds:
        connection.addTrack(AudioStreamTrack() if kind == "audio" else VideoStreamTrack())
    try:
        yield await _peer(connection)
    finally:
        await connection.close()


@asynccontextmanager
async def player(kinds: Sequence[str] = ("audio", "video")) -> AsyncIterator[Peer]:
    """Somebody about to watch and listen."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for kind in kinds:
        connection.addTransceiver(kind, direction="recvonly")
    try:
        peer = await _peer(connection)

        @connection.on("track")
        def keep(track: MediaStreamTrack) -> None:
            peer.received[track.kind] = track

        yield peer
    finally:
        await connection.close()


async def _peer(connection: RTCPeerConnection) -> Peer:
    await connection.setLocalDescription(await connection.createOffer())
    return Peer(connection, connection.localDescription.sdp)
