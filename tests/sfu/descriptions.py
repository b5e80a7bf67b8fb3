"""Session descriptions for tests: what real stacks offer, and the smallest that will do."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "offers"
SENDERS = ("chromium-send", "chromium-simulcast", "firefox-send", "firefox-simulcast", "ffmpeg-send", "gstreamer-send")
PLAYERS = ("chromium-recv", "firefox-recv")
FINGERPRINT = ":".join(["AB"] * 32)


def offer(name: str) -> str:
    """One of the recorded offers, its lines ended as on the wire."""
    return (_FOLDER / f"{name}.sdp").read_text().replace("\n", "\r\n")


def section(kind: str, mid: str, formats: str, *lines: str, direction: str = "sendonly", setup: str = "actpass") -> str:
    """One section with everything that a transport needs."""
    text = [f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", f"a={direction}"]
    text += ["a=ice-ufrag:abcd", "a=ice-pwd:" + "p" * 24, f"a=fingerprint:sha-256 {FINGERPRINT}", f"a=setup:{setup}"]
    return "\r\n".join([*text, "a=rtcp-mux", *(f"a={line}" for line in lines)]) + "\r\n"


def session(*sections: str, bundle: str | None = None) -> str:
    """A whole description; all sections bundled unless said otherwise."""
    mids = bundle if bundle is not None else " ".join(s.split("a=mid:")[1].split("\r\n")[0] for s in sections)
    head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    return head + (f"a=group:BUNDLE {mids}\r\n" if mids else "") + "".join(sections)


AUDIO = section("audio", "0", "111", "rtpmap:111 opus/48000/2", "ssrc:11 cname:a")
VIDEO = section(
    "video", "1", "96 97", "rtpmap:96 VP8/90000", "rtpmap:97 rtx/90000", "fmtp:97 apt=96", "ssrc:22 cname:a"
)
