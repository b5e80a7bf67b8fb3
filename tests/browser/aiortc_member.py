"""A participant made of aiortc: it speaks the signaling of docs/protocol.md and decodes what it receives."""

import asyncio
import contextlib
import fractions
import time
from typing import Any

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError


class Picture(MediaStreamTrack):
    """A moving 640x360 picture at 30 frames a second."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._frames, self._begun = 0, time.monotonic()

    async def recv(self) -> av.VideoFrame:
        due = self._begun + self._frames / 30
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        frame = av.VideoFrame(640, 360, "yuv420p")
        row = bytearray(frame.planes[0].line_size)
        at = (self._frames * 8) % 560
        row[at : at + 80] = bytes([180]) * 80
        luma, *chroma = frame.planes
        luma.update(bytes(row) * 360)
        for plane in chroma:
            plane.update(bytes([128]) * plane.buffer_size)
        frame.pts, frame.time_base = self._frames * 3000, fractions.Fraction(1, 90000)
        self._frames += 1
        return frame


class AiortcMember:
    """`async with AiortcMember(url, slug, name) as member`; `frames` counts decoded pictures by who sent them."""

    def __init__(self, url: str, slug: str, name: str) -> None:
        self._url, self._slug, self._name = url, slug, name
        self.frames: dict[str, int] = {}
        self.sizes: dict[str, set[tuple[int, int]]] = {}
        self.longest_gap_s: dict[str, float] = {}
        self.sound: dict[str, int] = {}
        self.chat: list[str] = []
        self._names: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        config = RTCConfiguration(iceServers=[])
        self._sending, self._receiving = RTCPeerConnection(config), RTCPeerConnection(config)
        self._receiving.on("track", self._on_track)

    async def __aenter__(self) -> "AiortcMember":
        self._http = aiohttp.ClientSession(headers={"Origin": self._url})
        self._socket = await self._http.ws_connect(f"{self._url}/ws/{self._slug}")
        await self._socket.send_json({"type": "join", "v": 1, "name": self._name})
        self._sending.addTrack(AudioStreamTrack())
        self._sending.addTrack(Picture())
        await self._sending.setLocalDescription(await self._sending.createOffer())
        self._tasks.append(asyncio.create_task(self._listen()))
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(ConnectionError):
            await self._socket.send_json({"type": "leave"})
        await self._socket.close()
        await self._http.close()
        for pc in (self._sending, self._receiving):
            await pc.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def say(self, text: str) -> None:
        await self._socket.send_json({"type": "chat", "text": text})

    async def _listen(self) -> None:
        async for frame in self._socket:
            message = frame.json()
            match message["type"]:
                case "joined":
                    for participant in message["participants"]:
                        self._names[participant["id"]] = participant["name"]
                    tracks = [
                        {"mid": t.mid, "source": "microphone" if t.kind == "audio" else "camera", "muted": False}
                        for t in self._sending.getTransceivers()
                    ]
                    await self._socket.send_json(
                        {"type": "publish", "id": "p", "sdp": self._sending.localDescription.sdp, "tracks": tracks}
                    )
                case "published":
                    await self._sending.setRemoteDescription(RTCSessionDescription(message["sdp"], "answer"))
                case "participant":
                    self._names[message["participant"]["id"]] = message["participant"]["name"]
                case "offer":
                    await self._answer(message)
                case "chat":
                    self.chat.append(message["message"]["text"])
                case "error":
                    raise AssertionError(message)

    async def _answer(self, message: dict[str, Any]) -> None:
        self._owners |= {t["mid"]: self._names[t["participant"]] for t in message["tracks"]}
        await self._receiving.setRemoteDescription(RTCSessionDescription(message["sdp"], "offer"))
        await self._receiving.setLocalDescription(await self._receiving.createAnswer())
        await self._socket.send_json(
            {"type": "subscribed", "offer": message["offer"], "sdp": self._receiving.localDescription.sdp}
        )

    def _on_track(self, track: Any) -> None:
        mid = next(t.mid for t in self._receiving.getTransceivers() if t.receiver.track is track)
        self._tasks.append(asyncio.create_task(self._consume(track, self._owners[mid])))

    async def _consume(self, track: Any, owner: str) -> None:
        before: float | None = None
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if track.kind == "audio":
                self.sound[owner] = max(self.sound.get(owner, 0), max(bytes(frame.planes[0])))
                continue
            now = time.monotonic()
            if before is not None:
                self.longest_gap_s[owner] = max(self.longest_gap_s.get(owner, 0.0), now - before)
            before = now
            self.frames[owner] = self.frames.get(owner, 0) + 1
            self.sizes.setdefault(owner, set()).add((frame.width, frame.height))
