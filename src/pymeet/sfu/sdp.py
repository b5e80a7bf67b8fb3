"""Session descriptions (RFC 8866) with the attributes WebRTC uses (RFC 8829): text to dataclasses and back.

Unknown lines are passed over. Whatever is wrong raises DescriptionError; no length or count from the network is unbounded.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pymeet.sfu.errors import DescriptionError

_MAX_CHARACTERS = 400_000
_MAX_LINES = 12_000
_MAX_SECTIONS = 500
_MAX_PER_SECTION = 256
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]{1,64}\Z")
_ICE = re.compile(r"[A-Za-z0-9+/=\-_]{4,256}\Z")  # RFC 8839 has no `=`, `-`, `_`; some stacks use them
_FINGERPRINT = re.compile(r"([A-Za-z0-9\-]{3,12}) +([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){15,63})\Z")
_RID = re.compile(r"[0-9A-Za-z_\-]{1,255}\Z")
_MAX_RIDS = 16
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(slots=True)
class Codec:
    """One payload type of a section."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    parameters: str = ""
    """The text of `a=fmtp`, as it came."""
    feedback: list[str] = field(default_factory=list)

    def parameter(self, key: str) -> str | None:
        """One `key=value` of the parameters, the key compared without regard to case."""
        for item in self.parameters.split(";"):
            name, _, value = item.strip().partition("=")
            if name.lower() == key:
                return value
        return None


@dataclass(slots=True)
class IceAndDtls:
    """The transport attributes that stand in a section or, for all of them, at the top."""

    ufrag: str = ""
    password: str = ""
    fingerprints: list[tuple[str, str]] = field(default_factory=list)
    setup: str = ""


@dataclass(slots=True)
class Section:
    """One `m=` section."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    mid: str = ""
    direction: str = "sendrecv"
    transport: IceAndDtls = field(default_factory=IceAndDtls)
    codecs: dict[int, Codec] = field(default_factory=dict)
    extensions: dict[int, str] = field(default_factory=dict)
    ssrcs: dict[int, str] = field(default_factory=dict)
    """SSRC → cname (empty when not told)."""
    ssrc_groups: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    rtcp_mux: bool = False
    rids: dict[str, str] = field(default_factory=dict)
    """The streams that have a name (RFC 8851): `send` or `recv` by name, as the describing side means it."""
    simulcast: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of streams by `send` or `recv`, in order (RFC 8853). Of alternatives the first; paused or not."""
    lines: list[str] = field(default_factory=list)
    """Further attributes to write (`msid:…`, `candidate:…`), without `a=`; not filled by parsing."""


@dataclass(slots=True)
class Description:
    """A whole description."""

    sections: list[Section] = field(default_factory=list)
    transport: IceAndDtls = field(default_factory=IceAndDtls)
    bundle: list[str] = field(default_factory=list)
    ice_lite: bool = False
    extmap_allow_mixed: bool = False
    """Whether header extensions of both forms may come (RFC 8285 section 6); said of the whole, or of any section."""
    session_id: int = 1
    version: int = 1

    def transport_of(self, section: Section) -> IceAndDtls:
        """A section's transport attributes, completed by those at the top."""
        own, top = section.transport, self.transport
        return IceAndDtls(
            own.ufrag or top.ufrag,
            own.password or top.password,
            own.fingerprints or top.fingerprints,
            own.setup or top.setup,
        )


def parse(text: str) -> Description:
    """Reads a description. Raises DescriptionError."""
    if len(text) > _MAX_CHARACTERS:
        raise DescriptionError("The session description is too long.")
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > _MAX_LINES:
        raise DescriptionError("The session description has too many lines.")
    if lines[0] != "v=0":
        raise DescriptionError("A session description begins with v=0.")
    description = Description()
    section: Section | None = None
    for line in lines:
        kind, equals, value = line[:1], line[1:2], line[2:]
        if not line:
            continue
        if equals != "=":
            raise DescriptionError(f"Not a line of a session description: {line[:40]!r}")
        if kind == "m":
            if len(description.sections) >= _MAX_SECTIONS:
                raise DescriptionError("The session description has too many sections.")
            section = _media_line(value)
            description.sections.append(section)
        elif kind == "a":
            name, _, rest = value.partition(":")
            handler = _ATTRIBUTES.get(name)
            try:
                if handler is not None:
                    handler(description, section, rest)
                elif name in DIRECTIONS and section is not None:
                    section.direction = name
            except (ValueError, IndexError):
                raise DescriptionError(f"Cannot read the line {line[:60]!r}") from None
    mids = [s.mid for s in description.sections if s.mid]
    if len(set(mids)) != len(mids):
        raise DescriptionError("Two sections have the same mid.")
    return description


def _number(text: str, top: int) -> int:
    """An integer of ASCII digits up to `top`. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= top):
        raise ValueError(text)
    return int(text)


def _media_line(value: str) -> Section:
    parts = value.split(" ")
    try:
        kind, port, protocol = parts[0], _number(parts[1].partition("/")[0], 65535), parts[2]
    except (ValueError, IndexError):
        raise DescriptionError(f"Cannot read the line {'m=' + value[:60]!r}") from None
    formats = [p for p in parts[3:] if p]
    if len(formats) > _MAX_PER_SECTION or not all(map(_TOKEN.match, (kind, *protocol.split("/"), *formats))):
        raise DescriptionError("A section names too many formats, or something that is no name.")
    return Section(kind, port, protocol, formats)


def _transport(description: Description, section: Section | None) -> IceAndDtls:
    return description.transport if section is None else section.transport


def _ufrag(d: Description, s: Section | None, rest: str) -> None:
    if not _ICE.match(rest):
        raise ValueError
    _transport(d, s).ufrag = rest


def _password(d: Description, s: Section | None, rest: str) -> None:
    if not _ICE.match(rest) or len(rest) < 22:
        raise ValueError
    _transport(d, s).password = rest


def _fingerprint(d: Description, s: Section | None, rest: str) -> None:
    match = _FINGERPRINT.match(rest)
    if match is None:
        raise ValueError
    found = _transport(d, s).fingerprints
    if len(found) < 8:
        found.append((match[1].lower(), match[2].upper()))


def _setup(d: Description, s: Section | None, rest: str) -> None:
    if rest not in ("actpass", "active", "passive", "holdconn"):
        raise ValueError
    _transport(d, s).setup = rest


def _group(d: Description, s: Section | None, rest: str) -> None:
    semantics, *mids = rest.split()
    if semantics == "BUNDLE" and s is None:
        d.bundle = mids


def _mid(d: Description, s: Section | None, rest: str) -> None:
    if s is None or not _TOKEN.match(rest):
        raise ValueError
    s.mid = rest


def _rtpmap(d: Description, s: Section | None, rest: str) -> None:
    if s is None:
        raise ValueError
    number, encoding = rest.split(" ", 1)
    name, rate, *channels = encoding.strip().split("/")
    codec = _codec(s, number)
    if not _TOKEN.match(name):
        raise ValueError
    codec.name, codec.clock_rate = name, _number(rate, 10_000_000)
    codec.channels = _number(channels[0], 255) if channels else 1


def _fmtp(d: Description, s: Section | None, rest: str) -> None:
    if s is None:
        raise ValueError
    number, parameters = rest.split(" ", 1)
    if len(parameters) > 1000 or not parameters.isprintable():
        raise ValueError
    _codec(s, number).parameters = parameters.strip()


def _rtcp_fb(d: Description, s: Section | None, rest: str) -> None:
    if s is None:
        raise ValueError
    number, feedback = rest.split(" ", 1)
    if number == "*":
        return
    known = _codec(s, number).feedback
    if len(known) < 32 and len(feedback) <= 64:
        known.append(feedback.strip())


def _codec(s: Section, number: str) -> Codec:
    payload_type = _number(number, 127)
    if payload_type not in s.codecs and len(s.codecs) >= 128:
        raise ValueError
    return s.codecs.setdefault(payload_type, Codec(payload_type, "", 0))


def _extmap(d: Description, s: Section | None, rest: str) -> None:
    if s is None:
        return
    head, uri, *_ = rest.split(" ")
    number, _, direction = head.partition("/")
    if len(s.extensions) < 64 and direction != "inactive":
        s.extensions[_number(number, 255)] = uri


def _ssrc(d: Description, s: Section | None, rest: str) -> None:
    if s is None:
        raise ValueError
    number, _, attribute = rest.partition(" ")
    ssrc = _number(number, 0xFFFFFFFF)
    name, _, value = attribute.partition(":")
    if ssrc in s.ssrcs or len(s.ssrcs) < _MAX_PER_SECTION:
        s.ssrcs[ssrc] = value if name == "cname" else s.ssrcs.get(ssrc, "")


def _ssrc_group(d: Description, s: Section | None, rest: str) -> None:
    if s is None:
        raise ValueError
    semantics, *ssrcs = rest.split()
    if len(s.ssrc_groups) < 32 and len(ssrcs) <= 16:
        s.ssrc_groups.append((semantics, tuple(_number(x, 0xFFFFFFFF) for x in ssrcs)))


def _rtcp_mux(d: Description, s: Section | None, rest: str) -> None:
    if s is not None:
        s.rtcp_mux = True


def _rid(d: Description, s: Section | None, rest: str) -> None:
    """One that cannot be read is to be passed over (RFC 8851 section 6.3)."""
    name, direction = [*rest.split(" "), ""][:2]
    if s is not None and _RID.match(name) and direction in ("send", "recv") and len(s.rids) < _MAX_RIDS:
        s.rids[name] = direction


def _simulcast(d: Description, s: Section | None, rest: str) -> None:
    words = rest.split()
    for direction, streams in zip(words[::2], words[1::2], strict=False):
        names = tuple(stream.split(",")[0].removeprefix("~") for stream in streams.split(";"))
        if s is not None and direction in ("send", "recv") and all(map(_RID.match, names)):
            s.simulcast[direction] = names[:_MAX_RIDS]


def _extmap_allow_mixed(d: Description, s: Section | None, rest: str) -> None:
    d.extmap_allow_mixed = True


def _ice_lite(d: Description, s: Section | None, rest: str) -> None:
    d.ice_lite = True


_ATTRIBUTES: dict[str, Callable[[Description, Section | None, str], None]] = {
    "ice-ufrag": _ufrag,
    "ice-pwd": _password,
    "ice-lite": _ice_lite,
    "fingerprint": _fingerprint,
    "setup": _setup,
    "group": _group,
    "mid": _mid,
    "rtpmap": _rtpmap,
    "fmtp": _fmtp,
    "rtcp-fb": _rtcp_fb,
    "extmap": _extmap,
    "extmap-allow-mixed": _extmap_allow_mixed,
    "ssrc": _ssrc,
    "ssrc-group": _ssrc_group,
    "rtcp-mux": _rtcp_mux,
    "rid": _rid,
    "simulcast": _simulcast,
}


def build(d: Description) -> str:
    """The text of a description, lines ended by CRLF."""
    lines = ["v=0", f"o=- {d.session_id} {d.version} IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if d.bundle:
        lines.append("a=group:BUNDLE " + " ".join(d.bundle))
    if d.extmap_allow_mixed:
        lines.append("a=extmap-allow-mixed")
    lines.append("a=msid-semantic: WMS *")
    if d.ice_lite:
        lines.append("a=ice-lite")
    for section in d.sections:
        lines += _section_lines(section)
    return "\r\n".join(lines) + "\r\n"


def _section_lines(s: Section) -> list[str]:
    lines = [f"m={s.kind} {s.port} {s.protocol} {' '.join(s.formats)}", "c=IN IP4 0.0.0.0"]
    if s.mid:
        lines.append(f"a=mid:{s.mid}")
    if s.port == 0:
        return [*lines, "a=inactive"]
    t = s.transport
    lines += [f"a={s.direction}", f"a=ice-ufrag:{t.ufrag}", f"a=ice-pwd:{t.password}"]
    lines += [f"a=fingerprint:{name} {value}" for name, value in t.fingerprints]
    lines += [f"a=setup:{t.setup}", "a=rtcp-mux", "a=rtcp-rsize"]
    lines += [f"a=extmap:{number} {uri}" for number, uri in s.extensions.items()]
    for c in s.codecs.values():
        channels = f"/{c.channels}" if c.channels > 1 else ""
        lines.append(f"a=rtpmap:{c.payload_type} {c.name}/{c.clock_rate}{channels}")
        if c.parameters:
            lines.append(f"a=fmtp:{c.payload_type} {c.parameters}")
        lines += [f"a=rtcp-fb:{c.payload_type} {feedback}" for feedback in c.feedback]
    lines += [f"a=ssrc-group:{semantics} {' '.join(map(str, ssrcs))}" for semantics, ssrcs in s.ssrc_groups]
    lines += [f"a=ssrc:{ssrc} cname:{cname}" for ssrc, cname in s.ssrcs.items()]
    lines += [f"a=rid:{name} {direction}" for name, direction in s.rids.items()]
    if s.simulcast:
        lines.append("a=simulcast:" + " ".join(f"{way} {';'.join(names)}" for way, names in s.simulcast.items()))
    return lines + [f"a={line}" for line in s.lines]
