"""Offer and answer (RFC 8829, RFC 9143): what of an offer is accepted, and how our own descriptions read."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pymeet.sfu import codecs, dependency, rtp
from pymeet.sfu.codecs import CodecChoice
from pymeet.sfu.errors import DescriptionError
from pymeet.sfu.sdp import Codec, Description, IceAndDtls, Section, build

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
RID_URI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID_URI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
DEPENDENCY_URI = dependency.URI
TRANSPORT_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

LEVEL_ID = rtp.LEVEL_ID
"""The id under which receivers get the audio level. (Publishers choose their own ids.)"""

_PROTOCOL = "UDP/TLS/RTP/SAVPF"
_MAX_SSRCS = 8  # of a section: one, or three layers, is what senders have
_ONE_BYTE_IDS = range(1, 15)
_MAX_LAYERS = 3
_LAYERED = ("vp8", "h264")
"""Codecs whose simulcast is taken; the others scale within one stream."""
_BEGIN_AT = "x-google-start-bitrate=1000"
"""What browsers of Google's stack take their path to carry at first, in kbit/s, and test by probes. Left alone they begin with
300, and when those fail there was no large picture after twelve seconds; others do not know it. More harms who has less."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a section: the only one, or a layer. Empty and None stand for what was not announced."""

    rid: str = ""
    ssrc: int | None = None
    repair_ssrc: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A section of a publisher's offer that we take. Extension ids are 0 when not in use."""

    section: Section
    choice: CodecChoice
    streams: tuple[Stream, ...]
    """Lowest first, as far as the offer tells."""
    ssrcs: tuple[int, ...]
    repair_ssrcs: tuple[int, ...]
    mid_id: int
    rid_id: int
    repaired_rid_id: int
    level_id: int
    transport_id: int
    dependency_id: int

    @property
    def is_scalable(self) -> bool:
        """Whether its packets may tell which layers of one stream they belong to."""
        return self.choice.codec.name.lower() in ("vp8", "vp9") or bool(self.dependency_id)

    @property
    def rids(self) -> tuple[str, ...]:
        """The names of its layers; empty ones where the sender has none."""
        return tuple(stream.rid for stream in self.streams)

    @property
    def is_named(self) -> bool:
        """Whether the sender tells its streams by names."""
        return bool(self.streams[0].rid)

    @property
    def is_sending(self) -> bool:
        """Whether the publisher says that it sends here now."""
        return self.section.direction in ("sendrecv", "sendonly")


def usable_sections(offer: Description) -> list[Section]:
    """The sections that share one transport with rtcp-mux; others are refused. Raises DescriptionError."""
    if not offer.sections:
        raise DescriptionError("The description has no media section.")
    usable = []
    for section in offer.sections:
        bundled = section.mid in offer.bundle or len(offer.sections) == 1
        if not section.mid:
            raise DescriptionError("Every section needs a mid.")
        if bundled and section.rtcp_mux and section.protocol in (_PROTOCOL, "RTP/SAVPF", "TCP/TLS/RTP/SAVPF"):
            usable.append(section)
    return usable


def accept_publishing(offer: Description) -> dict[str, Accepted]:
    """The sections of a publisher's offer that can be taken, by mid. Raises DescriptionError."""
    accepted: dict[str, Accepted] = {}
    seen: set[int] = set()
    for section in usable_sections(offer):
        choice = codecs.choose(section)
        if choice is None:
            continue
        repair_of: dict[int, int] = {}
        other: set[int] = set()
        for semantics, ssrcs in section.ssrc_groups:
            if semantics == "FID" and len(ssrcs) == 2:
                repair_of[ssrcs[0]] = ssrcs[1]  # some publishers declare it nowhere else
            elif semantics == "FEC-FR":
                other.update(ssrcs[1:])
        repair = list(repair_of.values())
        own = [s for s in section.ssrcs if s not in repair and s not in other]
        mine = {*own, *repair}
        if mine & seen:
            raise DescriptionError("Two sections have the same SSRC.")
        seen |= mine
        by_uri = {uri: i for i, uri in section.extensions.items() if i in _ONE_BYTE_IDS}
        accepted[section.mid] = Accepted(
            section,
            choice,
            _streams(section, choice, own, repair_of, has_names=RID_URI in by_uri),
            tuple(own[:_MAX_SSRCS]),
            tuple(repair[:_MAX_SSRCS]),
            mid_id=by_uri.get(MID_URI, 0),
            rid_id=by_uri.get(RID_URI, 0),
            repaired_rid_id=by_uri.get(REPAIRED_RID_URI, 0),
            level_id=by_uri.get(LEVEL_URI, 0) if section.kind == "audio" else 0,
            transport_id=by_uri.get(TRANSPORT_URI, 0),
            dependency_id=by_uri.get(DEPENDENCY_URI, 0) if choice.codec.name.lower() == "av1" else 0,
        )
    return accepted


def _streams(
    section: Section, choice: CodecChoice, own: list[int], repair_of: dict[int, int], *, has_names: bool
) -> tuple[Stream, ...]:
    """The layers of a section: by their names (RFC 8853), or by the group of SSRCs that was in use before there were names."""
    names = [rid for rid in section.simulcast.get("send", ()) if section.rids.get(rid) == "send"]
    group = next((ssrcs for semantics, ssrcs in section.ssrc_groups if semantics == "SIM"), ())
    group = tuple(ssrc for ssrc in group if ssrc in own)
    if choice.codec.name.lower() in _LAYERED:
        if names and has_names:
            return tuple(Stream(rid) for rid in [*dict.fromkeys(names)][:_MAX_LAYERS])
        if len(group) > 1:
            return tuple(Stream("", ssrc, repair_of.get(ssrc)) for ssrc in group[:_MAX_LAYERS])
    return (Stream("", own[0], repair_of.get(own[0])) if own else Stream(),)


def publishing_answer(
    offer: Description, accepted: dict[str, Accepted], local: IceAndDtls, candidates: list[str]
) -> str:
    """The answer to a publisher: one codec per section, no wish to send."""
    is_mixed = offer.extmap_allow_mixed and any(taken.dependency_id for taken in accepted.values())
    answer = Description(ice_lite=True, bundle=list(accepted), extmap_allow_mixed=is_mixed)
    for offered in offer.sections:
        taken = accepted.get(offered.mid)
        if taken is None:
            answer.sections.append(_refused(offered))
            continue
        known = codecs.VIDEO_FEEDBACK if offered.kind == "video" else codecs.AUDIO_FEEDBACK
        chosen = taken.choice.codec
        if offered.kind == "video":
            chosen = replace(chosen, parameters=";".join(filter(None, (chosen.parameters, _BEGIN_AT))))
        feedback = [f for f in known if f in chosen.feedback and (f != "transport-cc" or taken.transport_id)]
        section = _section(offered.kind, offered.mid, "recvonly" if taken.is_sending else "inactive", local)
        _add_codec(section, chosen, chosen.payload_type, taken.choice.rtx_payload_type, feedback)
        if taken.choice.red_payload_type is not None:
            _add_red(section, taken.choice.red_payload_type, chosen)
            section.formats.reverse()  # what is named first is sent
        for identifier, uri in (
            (taken.mid_id, MID_URI),
            (taken.rid_id if taken.is_named else 0, RID_URI),
            (taken.repaired_rid_id if taken.is_named else 0, REPAIRED_RID_URI),
            (taken.level_id, LEVEL_URI),
            (taken.transport_id, TRANSPORT_URI),
            (taken.dependency_id, DEPENDENCY_URI),
        ):
            if identifier:
                section.extensions[identifier] = uri
        if taken.is_named:
            section.rids = dict.fromkeys(taken.rids, "recv")
            section.simulcast = {"recv": taken.rids}
        answer.sections.append(section)
    _add_candidates(answer, candidates)
    return build(answer)


_FEEDBACK = {"audio": ("transport-cc",), "video": ("goog-remb", "transport-cc", "nack", "nack pli", "ccm fir")}
"""What we want of receivers; of the first two browsers choose the second."""


@dataclass(slots=True)
class Sending:
    """One section on which the server sends: what our offer, or our answer to a player, says of it."""

    kind: str
    mid: str
    codec: Codec
    payload_type: int
    rtx_payload_type: int | None
    active: bool
    red_payload_type: int | None = None
    ssrc: int = 0
    rtx_ssrc: int = 0
    cname: str = ""
    stream_id: str = ""
    track_id: str = ""
    level_id: int = LEVEL_ID
    wide_id: int = rtp.WIDE_ID
    """Under which id packets carry their transport-wide number; 0 for not at all."""
    dependency_id: int = rtp.DEPENDENCY_ID
    """The same of AV1's dependency descriptor."""
    offered_feedback: Sequence[str] | None = None
    """What a player said it would send; None where we offer."""

    @property
    def is_described(self) -> bool:
        """Whether packets carry a dependency descriptor."""
        return bool(self.dependency_id) and self.codec.name.lower() == "av1"


def sending_section(sending: Sending, local: IceAndDtls) -> Section:
    """The section for it."""
    s = sending
    section = _section(s.kind, s.mid, "sendonly" if s.active else "inactive", local)
    feedback = [f for f in _FEEDBACK[s.kind] if s.offered_feedback is None or f in s.offered_feedback]
    if not s.wide_id and "transport-cc" in feedback:
        feedback.remove("transport-cc")
    _add_codec(section, s.codec, s.payload_type, s.rtx_payload_type, feedback)
    if s.red_payload_type is not None:
        _add_red(section, s.red_payload_type, section.codecs[s.payload_type])
    if s.kind == "audio" and s.level_id:
        section.extensions[s.level_id] = LEVEL_URI
    if s.wide_id:
        section.extensions[s.wide_id] = TRANSPORT_URI
    if s.is_described:
        section.extensions[s.dependency_id] = DEPENDENCY_URI
    if s.active:
        section.lines.append(f"msid:{s.stream_id} {s.track_id}")
        section.ssrcs[s.ssrc] = s.cname
        if s.rtx_payload_type is not None:
            section.ssrcs[s.rtx_ssrc] = s.cname
            section.ssrc_groups.append(("FID", (s.ssrc, s.rtx_ssrc)))
    return section


def wide_id_of(section: Section, codec: Codec) -> int:
    """The id under which a receiver wants transport-wide numbers in this section; 0 when it would not report on them."""
    found = next((i for i, uri in section.extensions.items() if uri == TRANSPORT_URI and i in _ONE_BYTE_IDS), 0)
    return found if "transport-cc" in codec.feedback else 0


def level_id_of(section: Section) -> int:
    """The id under which a receiver wants the level of sound; 0 when it does not."""
    return next((i for i, uri in section.extensions.items() if uri == LEVEL_URI and i in _ONE_BYTE_IDS), 0)


def dependency_id_of(section: Section) -> int:
    """The id under which a receiver wants dependency descriptors; 0 when it does not."""
    return next((i for i, uri in section.extensions.items() if uri == DEPENDENCY_URI and i in _ONE_BYTE_IDS), 0)


def receiving_offer(sendings: Sequence[Sending], local: IceAndDtls, candidates: list[str], version: int) -> str:
    """The server's offer to a browser."""
    is_mixed = any(s.is_described for s in sendings)
    offer = Description(ice_lite=True, bundle=[s.mid for s in sendings], version=version, extmap_allow_mixed=is_mixed)
    offer.sections = [sending_section(s, local) for s in sendings]
    _add_candidates(offer, candidates)
    return build(offer)


@dataclass(slots=True)
class PlayerAnswer:
    """The answer to a player under construction: refused sections stand as they were offered."""

    offer: Description
    sendings: dict[str, Sending] = field(default_factory=dict)

    def text(self, local: IceAndDtls, candidates: list[str]) -> str:
        """The answer itself."""
        mids = [s.mid for s in self.offer.sections if s.mid in self.sendings]
        is_mixed = self.offer.extmap_allow_mixed and any(s.is_described for s in self.sendings.values())
        answer = Description(ice_lite=True, bundle=mids, extmap_allow_mixed=is_mixed)
        for offered in self.offer.sections:
            sending = self.sendings.get(offered.mid)
            answer.sections.append(_refused(offered) if sending is None else sending_section(sending, local))
        _add_candidates(answer, candidates)
        return build(answer)


def same_codec(a: Codec, b: Codec) -> bool:
    """Whether what is encoded as `a` can be decoded by who announced `b`."""
    name = a.name.lower()
    if name != b.name.lower() or a.clock_rate != b.clock_rate:
        return False
    if name == "h264":
        mine, theirs = (c.parameter("profile-level-id") or "42e01f" for c in (a, b))
        modes = {c.parameter("packetization-mode") or "0" for c in (a, b)}
        return mine[:2].lower() == theirs[:2].lower() and len(modes) == 1
    if name == "vp9":
        return (a.parameter("profile-id") or "0") == (b.parameter("profile-id") or "0")
    return True


def _section(kind: str, mid: str, direction: str, local: IceAndDtls) -> Section:
    return Section(kind, 9, _PROTOCOL, [], mid=mid, direction=direction, transport=local)


def _add_codec(
    section: Section, codec: Codec, payload_type: int, rtx_payload_type: int | None, feedback: list[str]
) -> None:
    section.codecs[payload_type] = Codec(
        payload_type, codec.name, codec.clock_rate, codec.channels, codec.parameters, feedback
    )
    section.formats.append(str(payload_type))
    if rtx_payload_type is not None:
        section.codecs[rtx_payload_type] = Codec(
            rtx_payload_type, "rtx", codec.clock_rate, parameters=f"apt={payload_type}"
        )
        section.formats.append(str(rtx_payload_type))


def _add_red(section: Section, payload_type: int, opus: Codec) -> None:
    blocks = f"{opus.payload_type}/{opus.payload_type}"
    section.codecs[payload_type] = Codec(payload_type, "red", opus.clock_rate, opus.channels, blocks)
    section.formats.append(str(payload_type))


def _refused(offered: Section) -> Section:
    return Section(offered.kind, 0, offered.protocol, offered.formats[:1] or ["0"], mid=offered.mid)


def _add_candidates(description: Description, candidates: list[str]) -> None:
    for section in description.sections:
        if section.port:
            section.lines += candidates
            return
