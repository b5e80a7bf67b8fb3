"""SDP fragments for trickle ICE and ICE restart (RFC 8840, RFC 9725 section 4.3). Pure: text in, text out."""

import re
from dataclasses import dataclass

from pymeet.errors import ProtocolError

CONTENT_TYPE = "application/trickle-ice-sdpfrag"
LIMIT = 16 * 1024
_MAX_CANDIDATES = 100

_LINE = re.compile(r"[am]=[\x20-\x7e]+")
_UFRAG = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")  # RFC 8839 has no `=`, `_`, `-`; some stacks use them
_PWD = re.compile(r"[A-Za-z0-9+/=_-]{22,256}")
_CANDIDATE = re.compile(
    r"[A-Za-z0-9+/]{1,32} [0-9]{1,3} (?:udp|tcp) [0-9]{1,10} [A-Za-z0-9.:\-]{1,255} [0-9]{1,5} typ [a-z]+(?: .*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Credentials:
    """The user name fragment and password of one side's ICE."""

    ufrag: str
    pwd: str


@dataclass(frozen=True)
class Fragment:
    """What a client said in a PATCH."""

    credentials: Credentials | None
    candidates: int
    """How many there were. An ICE-lite server learns addresses from checks and does not need them."""


def parse_fragment(raw: bytes) -> Fragment:
    """Reads a fragment; ProtocolError when it is none."""
    try:
        lines = [line for line in raw.decode("ascii").replace("\r\n", "\n").split("\n") if line]
    except UnicodeDecodeError:
        raise ProtocolError("The SDP fragment is no text.") from None
    values: dict[str, set[str]] = {"ice-ufrag": set(), "ice-pwd": set()}
    candidates = 0
    for line in lines:
        if not _LINE.fullmatch(line):
            raise ProtocolError("The SDP fragment has a line that is neither an attribute nor a media line.")
        name, _, value = line[2:].partition(":")
        if line.startswith("a=") and name in values:
            values[name].add(value)
        elif line.startswith("a=") and name == "candidate":
            candidates += 1
            if not _CANDIDATE.fullmatch(value):
                raise ProtocolError("The SDP fragment has a broken candidate.")
    if not lines or candidates > _MAX_CANDIDATES:
        raise ProtocolError("The SDP fragment is empty, or has too many candidates.")
    return Fragment(_credentials(values["ice-ufrag"], values["ice-pwd"]), candidates)


def credentials_of(description: str) -> Credentials | None:
    """The first ICE credentials of a whole description; None when it has none."""
    ufrag = re.search(r"^a=ice-ufrag:(\S+)\s*$", description, re.MULTILINE)
    pwd = re.search(r"^a=ice-pwd:(\S+)\s*$", description, re.MULTILINE)
    return Credentials(ufrag[1], pwd[1]) if ufrag and pwd else None


def restart_fragment(answer: str, credentials: Credentials) -> str:
    """What the server says after an ICE restart: new credentials, and the candidates of its earlier `answer`."""
    lines = answer.replace("\r\n", "\n").split("\n")
    media = next((line for line in lines if line.startswith("m=")), "m=audio 9 UDP/TLS/RTP/SAVPF 0")
    first = lines[lines.index(media) + 1 :] if media in lines else []
    candidates = dict.fromkeys(line for line in lines if line.startswith("a=candidate:"))
    return "\r\n".join(
        [
            "a=ice-lite",
            *(line for line in lines if line.startswith("a=group:BUNDLE")),
            media,
            *[line for line in first if line.startswith("a=mid:")][:1],
            f"a=ice-ufrag:{credentials.ufrag}",
            f"a=ice-pwd:{credentials.pwd}",
            *candidates,
            "a=end-of-candidates",
            "",
        ]
    )


def _credentials(ufrags: set[str], pwds: set[str]) -> Credentials | None:
    if not ufrags and not pwds:
        return None
    if len(ufrags) != 1 or len(pwds) != 1:
        raise ProtocolError("The SDP fragment must name one ice-ufrag and one ice-pwd.")
    ufrag, pwd = ufrags.pop(), pwds.pop()
    if not _UFRAG.fullmatch(ufrag) or not _PWD.fullmatch(pwd):
        raise ProtocolError("The ICE credentials in the SDP fragment are not acceptable.")
    return Credentials(ufrag, pwd)
