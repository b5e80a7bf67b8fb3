"""RTCP (RFC 3550 section 6, RFC 4585, RFC 5104, transport-wide feedback): parse what peers send, build what we send."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat
from operator import mul, sub

from pymeet.sfu.errors import DatagramError

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
_MAX_PACKETS = 64  # in one compound packet
_HEAD = struct.Struct("!BBH")
_FEEDBACK = struct.Struct("!HHI")
_TICK_S = 0.00025  # of transport-wide feedback
FEEDBACK_CLOCK_S = (1 << 32) * _TICK_S
"""After this long the arrival times of transport-wide feedback begin again at 0 (its reference time has 24 bits of 64 ms)."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one stream. `delay_since_last_sr` in units of 1/65536 s."""

    ssrc: int
    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay_since_last_sr: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    """When the sender sampled: `ntp` (64-bit, the sender's own clock) and `rtp_timestamp` name the same moment."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Nack:
    """Sequence numbers that the peer misses (RFC 4585 section 6.2.1)."""

    media_ssrc: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeyframeRequest:
    """PLI (RFC 4585 section 6.3.1) or FIR (RFC 5104 section 4.3.1)."""

    media_ssrc: int


@dataclass(frozen=True, slots=True)
class Reports:
    """The report blocks of an SR or RR."""

    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class Bye:
    """The peer ends these streams."""

    ssrcs: tuple[int, ...]


@dataclass(
    slots=True
)  # not frozen: every receiver sends twenty a second, and to freeze one costs as much as to read it
class TransportFeedback:
    """When the packets numbered from `base` on arrived, by the receiver's own clock.

    `received` are the distances from `base` of those that did, ascending; `arrivals` their times in seconds, which begin again
    after `FEEDBACK_CLOCK_S`. The others of the `count` packets had not arrived when this was sent. `number` counts the feedback itself.
    """

    number: int
    base: int
    count: int
    received: Sequence[int]
    arrivals: Sequence[float]


@dataclass(frozen=True, slots=True)
class Remb:
    """The bandwidth that the receiver estimates for everything it is sent (draft-alvestrand-rmcat-remb-03)."""

    bps: int


Message = SenderReport | Reports | Nack | KeyframeRequest | Bye | TransportFeedback | Remb


def parse(data: bytes) -> list[Message]:
    """The messages of a compound packet that a forwarder acts on; others are passed over. Raises DatagramError."""
    messages: list[Message] = []
    at = 0
    for _ in range(_MAX_PACKETS):
        if at == len(data):
            return messages
        if at + 4 > len(data):
            raise DatagramError("RTCP: cut off")
        first, kind, words = _HEAD.unpack_from(data, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            raise DatagramError("RTCP: wrong header or cut off")
        stop = end
        if first & 0x20:
            if words == 0 or not 0 < data[end - 1] <= 4 * words:
                raise DatagramError("RTCP: wrong padding")
            stop = end - data[end - 1]
        try:
            _parse_one(kind, first & 31, data[at + 4 : stop], messages)
        except (struct.error, IndexError):
            raise DatagramError("RTCP: cut off") from None
        at = end
    raise DatagramError("RTCP: too many packets")


def _parse_one(kind: int, count: int, body: bytes, messages: list[Message]) -> None:
    if kind == SR:
        ssrc, ntp, timestamp, packets, octets = struct.unpack_from("!IQIII", body)
        messages.append(SenderReport(ssrc, ntp, timestamp, packets, octets))
        messages.append(Reports(_report_blocks(body, 24, count)))
    elif kind == RR:
        if count:  # where packets must not come alone (RFC 5506), each begins with an empty one
            messages.append(Reports(_report_blocks(body, 4, count)))
    elif kind == BYE:
        messages.append(Bye(struct.unpack_from(f"!{count}I", body)))
    elif kind == RTPFB and count == 1:
        _, media_ssrc = struct.unpack_from("!II", body)
        messages.append(Nack(media_ssrc, _nacked(body[8:])))
    elif kind == RTPFB and count == 15:
        messages.append(_parse_transport_feedback(body))
    elif kind == PSFB and count == 1:
        _, media_ssrc = struct.unpack_from("!II", body)
        messages.append(KeyframeRequest(media_ssrc))
    elif kind == PSFB and count == 4:
        struct.unpack_from("!II", body)
        messages.extend(
            KeyframeRequest(struct.unpack_from("!I", body, at)[0]) for at in range(8, len(body) - len(body) % 8, 8)
        )
    elif kind == PSFB and count == 15 and body[8:12] == b"REMB":
        (word,) = struct.unpack_from("!I", body, 12)
        messages.append(Remb(min((word & 0x3FFFF) << (word >> 18 & 63), 1 << 40)))


def _report_blocks(body: bytes, at: int, count: int) -> tuple[ReportBlock, ...]:
    blocks = []
    for i in range(count):
        ssrc, lost, highest, jitter, last_sr, delay = struct.unpack_from("!IIIIII", body, at + 24 * i)
        total = lost & 0xFFFFFF
        blocks.append(ReportBlock(ssrc, lost >> 24, total - ((total & 0x800000) << 1), highest, jitter, last_sr, delay))
    return tuple(blocks)


def _nacked(body: bytes) -> tuple[int, ...]:
    sequences = []
    for at in range(0, len(body) - 3, 4):
        first, bits = struct.unpack_from("!HH", body, at)
        sequences.append(first)
        sequences.extend((first + 1 + i) & 0xFFFF for i in range(16) if bits >> i & 1)
    return tuple(sequences)


def _parse_transport_feedback(body: bytes) -> TransportFeedback:
    """Work and memory are bounded by the packet's size, whatever its counts say."""
    base, count, reference = _FEEDBACK.unpack_from(body, 8)
    if 18 + count <= len(body) and body[16] << 8 | body[17] == 0x2000 + count:
        # as good as always: all have come, each not long after the one before
        ticks = accumulate(body[18 : 18 + count], initial=(reference >> 8) * 256)
        next(ticks)
        return TransportFeedback(reference & 0xFF, base, count, range(count), [*map(mul, ticks, repeat(_TICK_S))])
    at, position = 16, 0
    received: list[int] = []
    symbols = bytearray()  # of those received: 1 for a delta of one byte, 2 for one of two
    while position < count:
        chunk = body[at] << 8 | body[at + 1]
        at += 2
        if chunk < 0x8000:
            run, symbol = min(chunk & 0x1FFF, count - position), chunk >> 13
            if symbol:
                received.extend(range(position, position + run))
                symbols.extend(bytes((symbol,)) * run)
            position += run
        else:
            shifts = range(12, -1, -2) if chunk & 0x4000 else range(13, -1, -1)
            mask = 3 if chunk & 0x4000 else 1
            for shift in shifts:
                if position < count and (symbol := chunk >> shift & mask):
                    received.append(position)
                    symbols.append(symbol)
                position += 1
        if len(received) > len(body) or 3 in symbols:
            raise DatagramError("RTCP: wrong feedback")
    ticks = (reference >> 8) * 256
    if 2 not in symbols and len(symbols) <= len(body) - at:
        times = [t * _TICK_S for t in accumulate(body[at : at + len(symbols)], initial=ticks)][1:]
    else:
        times = []
        for symbol in symbols:
            ticks += body[at] if symbol == 1 else ((body[at] << 8 | body[at + 1]) ^ 0x8000) - 0x8000
            at += symbol
            times.append(ticks * _TICK_S)
    return TransportFeedback(reference & 0xFF, base, count, received, times)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def receiver_report(ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    """RR from `ssrc` with at most 31 blocks."""
    body = struct.pack("!I", ssrc)
    for b in blocks:
        lost = (b.fraction_lost << 24) | (max(-0x800000, min(0x7FFFFF, b.packets_lost)) & 0xFFFFFF)
        body += struct.pack("!IIIIII", b.ssrc, lost, b.highest_sequence, b.jitter, b.last_sr, b.delay_since_last_sr)
    return _packet(RR, len(blocks), body)


def sender_report(report: SenderReport) -> bytes:
    """SR without report blocks."""
    values = (
        report.ssrc,
        report.ntp,
        report.rtp_timestamp & 0xFFFFFFFF,
        report.packets & 0xFFFFFFFF,
        report.octets & 0xFFFFFFFF,
    )
    return _packet(SR, 0, struct.pack("!IQIII", *values))


def source_description(ssrc: int, cname: str) -> bytes:
    """SDES with the one item that every compound packet needs."""
    name = cname.encode()[:255]
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    return _packet(SDES, 1, chunk + bytes(-len(chunk) & 3))


def bye(ssrcs: Sequence[int]) -> bytes:
    """BYE for at most 31 streams."""
    return _packet(BYE, len(ssrcs), struct.pack(f"!{len(ssrcs)}I", *ssrcs))


def nack(sender_ssrc: int, media_ssrc: int, sequences: Iterable[int]) -> bytes:
    """Generic NACK for these sequence numbers, ascending modulo 2^16."""
    items: list[list[int]] = []
    for sequence in sequences:
        if items and 0 < (sequence - items[-1][0]) & 0xFFFF <= 16:
            items[-1][1] |= 1 << (((sequence - items[-1][0]) & 0xFFFF) - 1)
        else:
            items.append([sequence, 0])
    body = struct.pack("!II", sender_ssrc, media_ssrc) + b"".join(struct.pack("!HH", *i) for i in items)
    return _packet(RTPFB, 1, body)


def pli(sender_ssrc: int, media_ssrc: int) -> bytes:
    """Picture loss indication: "please send a key frame"."""
    return _packet(PSFB, 1, struct.pack("!II", sender_ssrc, media_ssrc))


def fir(sender_ssrc: int, media_ssrc: int, number: int) -> bytes:
    """Full intra request, for senders that did not accept PLI."""
    return _packet(PSFB, 4, struct.pack("!IIIB3x", sender_ssrc, 0, media_ssrc, number & 0xFF))


def transport_feedback(
    sender_ssrc: int, media_ssrc: int, base: int, arrivals: Sequence[float | None], number: int
) -> bytes:
    """Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).

    `arrivals` are the arrival times in seconds of the packets numbered from `base` on, None for a packet not seen; the first is not None.
    """
    ticks = [None if a is None else int(a * 4000) for a in arrivals]  # 250 µs each
    first = next(t for t in ticks if t is not None)
    reference = first // 256  # 64 ms each
    body = struct.pack("!IIHHI", sender_ssrc, media_ssrc, base, len(ticks), (reference & 0xFFFFFF) << 8 | number & 0xFF)
    body += _close_together(ticks, reference * 256) or _far_apart(ticks, reference * 256)
    return _packet(RTPFB, 15, body + bytes(-len(body) & 3))


def _close_together(ticks: list[int | None], previous: int) -> bytes:
    """Statuses and deltas of packets that all came, each soon after the one before; nothing where they did not."""
    if None in ticks:
        return b""
    deltas = [*map(sub, ticks, [previous, *ticks])]
    if min(deltas) < 0 or max(deltas) > 255:
        return b""
    count = len(ticks)
    return (struct.pack("!H", 0x2000 | count) if 7 <= count < 8192 else _status_chunks([1] * count)) + bytes(deltas)


def _far_apart(ticks: list[int | None], previous: int) -> bytes:
    """The same for any."""
    symbols: list[int] = []
    deltas = b""
    for tick in ticks:
        if tick is None:
            symbols.append(0)
            continue
        delta = max(-32768, min(32767, tick - previous))
        previous += delta
        if 0 <= delta <= 255:
            symbols.append(1)
            deltas += bytes((delta,))
        else:
            symbols.append(2)
            deltas += struct.pack("!h", delta)
    return _status_chunks(symbols) + deltas


def _status_chunks(symbols: list[int]) -> bytes:
    chunks = []
    at = 0
    while at < len(symbols):
        run = 1
        while at + run < len(symbols) and symbols[at + run] == symbols[at] and run < 8191:
            run += 1
        if run >= 7:
            chunks.append(symbols[at] << 13 | run)
            at += run
        else:
            seven = symbols[at : at + 7] + [0] * (7 - len(symbols[at : at + 7]))
            chunks.append(0xC000 | sum(s << (12 - 2 * i) for i, s in enumerate(seven)))
            at += 7
    return struct.pack(f"!{len(chunks)}H", *chunks)
