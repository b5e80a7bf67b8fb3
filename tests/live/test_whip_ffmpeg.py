"""FFmpeg's own WHIP muxer as a publisher: an independent stack, with another DTLS, ICE and SDP than ours."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from live_server import Visitor
from whip_client import player

from pymeet.ops.certificates import make_self_signed
from pymeet.server import Server

PUBLISHER = Path(__file__).with_name("ffmpeg_publisher.py")


async def test_ffmpeg_publishes_and_a_player_sees_it(server: Server, visitor: Visitor, room: str, tmp_path: Path):
    """It trickles nothing, names an RTX stream that it declares nowhere, and uses the certificate it is given."""
    certificate = tmp_path / "publisher.pem"
    certificate.write_bytes(make_self_signed(["ffmpeg"], datetime.now(UTC)))
    stored = await server.meetings.room(room)
    url = f"{visitor.url}/whip/{room}?name=FFmpeg"
    process = await asyncio.create_subprocess_exec(
        sys.executable, PUBLISHER, url, certificate, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(30), player() as sink:
            while not any(person.tracks for person in server.registry.open(stored).participants):
                assert process.returncode is None
                await visitor.json("GET", "/healthz")
            await sink.negotiate(visitor.http, f"/whep/{room}?participant=FFmpeg")
            await sink.connected()
            await sink.frames("video", 10, timeout_s=20)
            await sink.frames("audio", 10, timeout_s=20)
    finally:
        _, said = await asyncio.wait_for(process.communicate(b""), 20)

    assert process.returncode == 0, said.decode()
    async with asyncio.timeout(5):
        while (await visitor.json("GET", f"/api/v1/rooms/{room}"))[1]["people"]:
            pass  # its DELETE may still be on the way
