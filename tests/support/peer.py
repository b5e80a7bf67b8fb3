"""A WebRTC peer small enough to have hundreds of, for tests and benchmarks: ICE, DTLS, SRTP, and no media stack at all.

Sans-IO like the server: `receive` takes datagrams, `outgoing` holds what to send, `now` is handed in. It plays the browser: it is
the controlling ICE agent and the DTLS client.
"""

import os
import re
import secrets
import struct

from pymeet.sfu import rtcp, rtp, stun
from pymeet.sfu.dtls import Certificate, Dtls, make_context
from pymeet.sfu.ice import Credentials
from pymeet.sfu.srtp import PROFILES, SrtpPair, SrtpProfile

CERTIFICATE = Certificate.generate()
_CONTEXTS = {}
VP8, VP8_RTX, OPUS = 96, 97, 111
LEVEL_ID, TRANSPORT_ID = 2, 3
MID_ID, RID_ID, REPAIRED_RID_ID = 4, 5, 6


def context(profile: SrtpProfile | None = None):
    """One OpenSSL context per offered profile, shared by all peers of the process."""
    if profile not in _CONTEXTS:
        _CONTEXTS[profile] = make_context(CERTIFICATE, PROFILES if profile is None else (profile,))
    return _CONTEXTS[profile]


class LightPeer:
    """One peer connection."""

    def __init__(self, profile: SrtpProfile | None = None) -> None:
        self.local = Credentials(secrets.token_hex(4), secrets.token_hex(12))
        self.remote = Credentials("", "")
        self.remote_address = ("127.0.0.1", 0)
        self.outgoing: list[bytes] = []
        self.srtp: SrtpPair | None = None
        self.reports_arrivals = False
        """Whether answers promise transport-wide feedback."""
        self.checks_passed = 0
        self.rejected = 0
        self.rtp: list[bytes] = []
        """Decrypted packets, in order of arrival; emptied by whoever looks."""
        self.rtcp: list[rtcp.Message] = []
        self.rtcp_raw: list[bytes] = []
        self._profile = profile
        self._dtls: Dtls | None = None
        self._fingerprint = ""

    @property
    def connected(self) -> bool:
        return self.srtp is not None

    # -- descriptions ----------------------------------------------------------------------------------------------

    def _transport_lines(self, setup: str) -> str:
        return (
            f"a=ice-ufrag:{self.local.ufrag}\r\na=ice-pwd:{self.local.password}\r\n"
            f"a=fingerprint:sha-256 {CERTIFICATE.fingerprint}\r\na=setup:{setup}\r\na=rtcp-mux\r\n"
        )

    def offer(
        self,
        direction: str,
        *,
        audio_ssrc: int | None = None,
        video_ssrc: int | None = None,
        rtx: bool = True,
        rids: tuple[str, ...] = (),
    ) -> str:
        """An offer with an audio section (mid 0) and a video section (mid 1); sending ones name their SSRCs, or their layers."""
        text = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
        text += f"m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na={direction}\r\n"
        text += self._transport_lines("actpass") + f"a=rtpmap:{OPUS} opus/48000/2\r\n"
        text += f"a=extmap:{LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
        if audio_ssrc:
            text += f"a=ssrc:{audio_ssrc} cname:light\r\n"
        formats = f"{VP8} {VP8_RTX}" if rtx else f"{VP8}"
        text += f"m=video 9 UDP/TLS/RTP/SAVPF {formats}\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na={direction}\r\n"
        text += self._transport_lines("actpass") + f"a=rtpmap:{VP8} VP8/90000\r\n"
        text += f"a=rtcp-fb:{VP8} nack\r\na=rtcp-fb:{VP8} nack pli\r\na=rtcp-fb:{VP8} transport-cc\r\n"
        text += f"a=extmap:{TRANSPORT_ID} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
        if rtx:
            text += f"a=rtpmap:{VP8_RTX} rtx/90000\r\na=fmtp:{VP8_RTX} apt={VP8}\r\n"
        if rids:
            sdes = "urn:ietf:params:rtp-hdrext:sdes:"
            text += f"a=extmap:{MID_ID} {sdes}mid\r\na=extmap:{RID_ID} {sdes}rtp-stream-id\r\n"
            text += f"a=extmap:{REPAIRED_RID_ID} {sdes}repaired-rtp-stream-id\r\n"
            text += "".join(f"a=rid:{rid} send\r\n" for rid in rids) + f"a=simulcast:send {';'.join(rids)}\r\n"
        if video_ssrc:
            if rtx:
                text += f"a=ssrc-group:FID {video_ssrc} {video_ssrc + 1}\r\n"
            text += f"a=ssrc:{video_ssrc} cname:light\r\n"
        return text

    def take_description(self, text: str) -> None:
        """Learns the server's side from its offer or answer."""
        self.remote = Credentials(_one(text, "ice-ufrag"), _one(text, "ice-pwd"))
        fingerprint = _one(text, "fingerprint").split(" ")[1]
        if fingerprint != self._fingerprint:
            self._fingerprint = fingerprint
            self._dtls = Dtls(context(self._profile), [("sha-256", fingerprint)], is_server=False)
        candidate = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", text)
        if candidate:
            self.remote_address = (candidate[1], int(candidate[2]))

    def answer(self, offer: str) -> str:
        """Accepts everything that the server offers."""
        self.take_description(offer)
        head, *sections = re.split(r"(?m)^(?=m=)", offer)
        text = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" + f"a=group:BUNDLE {_bundle(head)}\r\n"
        for section in sections:
            lines = section.splitlines()
            keep = [x for x in lines if x.startswith(("m=", "c=", "a=mid:", "a=rtpmap", "a=fmtp", "a=rtcp-fb"))]
            keep += [x for x in lines if x.startswith("a=extmap:") and x.endswith("ssrc-audio-level")]
            if self.reports_arrivals:
                keep += [x for x in lines if x.startswith("a=extmap:") and "transport-wide-cc" in x]
            keep.append("a=recvonly" if "a=sendonly" in lines else "a=inactive")
            text += "\r\n".join(keep) + "\r\n" + self._transport_lines("active")
        return text

    def restart_ice(self) -> None:
        """New local credentials, as after a change of network."""
        self.local = Credentials(secrets.token_hex(4), secrets.token_hex(12))

    # -- datagrams ---------------------------------------------------------------------------------------------------

    def check(self, *, nominate: bool = True) -> bytes:
        """A connectivity check; the caller sends it."""
        attributes = [
            (stun.USERNAME, f"{self.remote.ufrag}:{self.local.ufrag}".encode()),
            (stun.PRIORITY, struct.pack("!I", 1845501695)),
            (stun.ICE_CONTROLLING, os.urandom(8)),
        ]
        if nominate:
            attributes.append((stun.USE_CANDIDATE, b""))
        return stun.build(stun.BINDING_REQUEST, os.urandom(12), attributes, self.remote.password)

    def receive(self, datagram: bytes) -> None:
        """Takes one datagram from the server."""
        first = datagram[0]
        if 128 <= first <= 191:
            self._receive_media(datagram)
        elif first <= 3:
            message = stun.parse(datagram)
            if message.type == stun.BINDING_SUCCESS and message.is_authentic(self.remote.password):
                self.checks_passed += 1
                if self.checks_passed == 1 and self._dtls is not None:
                    self._dtls.start()
                    self.outgoing += self._dtls.outgoing()
        elif self._dtls is not None:
            self._dtls.receive(datagram)
            self.outgoing += self._dtls.outgoing()
            if self._dtls.keys is not None and self.srtp is None:
                self.srtp = SrtpPair(self._dtls.keys)

    def handle_timer(self) -> None:
        """Retransmits a handshake flight where one was lost."""
        if self._dtls is not None and self.checks_passed and self.srtp is None:
            self._dtls.handle_timer()
            self.outgoing += self._dtls.outgoing()

    def close(self) -> None:
        """Says good-bye."""
        if self._dtls is not None:
            self._dtls.shutdown()
            self.outgoing += self._dtls.outgoing()

    @property
    def closed(self) -> bool:
        return self._dtls is not None and self._dtls.closed

    def _receive_media(self, datagram: bytes) -> None:
        if self.srtp is None:
            self.rejected += 1
            return
        try:
            if rtp.is_rtcp(datagram[1]):
                raw = self.srtp.unprotect_rtcp(datagram)
                self.rtcp_raw.append(raw)
                self.rtcp += rtcp.parse(raw)
            else:
                self.rtp.append(self.srtp.unprotect(datagram))
        except Exception:  # counted: tests assert that it stays zero
            self.rejected += 1


class Vp8Source:
    """Synthetic VP8: frames of `per_frame` packets, a key frame when asked. The payload carries a running number."""

    def __init__(
        self, peer: LightPeer, ssrc: int, *, size: int = 1160, per_frame: int = 5, fps: int = 30, key_every: int = 0
    ) -> None:
        self.peer, self.ssrc = peer, ssrc
        self.size, self.per_frame, self.fps, self.key_every = size, per_frame, fps, key_every
        self.sequence = secrets.randbelow(0x10000)
        self.timestamp = secrets.randbits(32)
        self.rtx_sequence = secrets.randbelow(0x4000)
        self.frames = 0
        self.key_wanted = True
        self.key_frames = 0
        self.sent: dict[int, bytes] = {}
        self.body = os.urandom(size)

    def frame(self) -> list[bytes]:
        """The packets of the next frame, clear text."""
        key = self.key_wanted or bool(self.key_every and self.frames % self.key_every == 0)
        self.key_wanted = False
        self.key_frames += key
        packets = []
        for i in range(self.per_frame):
            marker = 0x80 if i == self.per_frame - 1 else 0
            head = rtp.HEADER.pack(0x80, marker | VP8, self.sequence, self.timestamp, self.ssrc)
            descriptor = b"\x10" if i == 0 else b"\x00"
            tag = (
                (b"\x10\x02\x00\x9d\x01\x2a\x80\x02\x68\x01" if key else b"\x11\x02\x00" + bytes(7)) if i == 0 else b""
            )
            body = descriptor + tag + struct.pack("!IH", self.frames, i) + self.body
            packet = head + body[: self.size]
            self.sent[self.sequence] = packet
            self.sent.pop((self.sequence - 1024) & 0xFFFF, None)
            self.sequence = (self.sequence + 1) & 0xFFFF
            packets.append(packet)
        self.frames += 1
        self.timestamp = (self.timestamp + 90000 // self.fps) & 0xFFFFFFFF
        return packets

    def repair(self, sequence: int) -> bytes:
        """What was sent under this number once more, as RTX: a stream of its own, whose numbers go on by one."""
        packet = rtp.rtx_packet(self.sent[sequence], VP8_RTX, self.rtx_sequence, self.ssrc + 1)
        self.rtx_sequence = (self.rtx_sequence + 1) & 0xFFFF
        return packet

    def handle_rtcp(self) -> list[bytes]:
        """Acts on what the server asked: retransmissions (as RTX) to send now; key frames are made with the next frame."""
        out = []
        for message in self.peer.rtcp:
            if isinstance(message, rtcp.Nack) and message.media_ssrc == self.ssrc:
                out += [self.repair(sequence) for sequence in message.sequences if sequence in self.sent]
            elif isinstance(message, rtcp.KeyframeRequest) and message.media_ssrc == self.ssrc:
                self.key_wanted = True
        self.peer.rtcp.clear()
        return out


def _one(text: str, name: str) -> str:
    match = re.search(rf"(?m)^a={name}:(.*?)\r?$", text)
    assert match, f"no a={name} in the description"
    return match[1]


def _bundle(head: str) -> str:
    match = re.search(r"a=group:BUNDLE ?(.*?)\r?\n", head)
    return match[1] if match else ""
