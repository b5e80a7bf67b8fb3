"""RTCP: what we read, what we write, and that other stacks read it."""

import random
import struct

import pytest
from aiortc.rtp import (
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
)

from pymeet.sfu import rtcp
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.feedback import ArrivalLog


def test_reports_come_back_as_they_were() -> None:
    """Both directions of one format."""
    block = rtcp.ReportBlock(1, 255, -5, 0xFFFFFFFF, 3, 4, 5)
    report = rtcp.SenderReport(9, 1 << 63, 0xFFFFFFFF, 1, 2)

    assert rtcp.parse(rtcp.receiver_report(7, [block, block])) == [rtcp.Reports((block, block))]
    assert rtcp.parse(rtcp.sender_report(report)) == [report, rtcp.Reports(())]
    assert rtcp.parse(rtcp.bye([1, 2])) == [rtcp.Bye((1, 2))]


def test_another_stack_reads_what_we_write() -> None:
    """aiortc parses a compound packet of everything that we send."""
    compound = (
        rtcp.sender_report(rtcp.SenderReport(9, 1 << 40, 90000, 10, 11))
        + rtcp.receiver_report(9, [rtcp.ReportBlock(1, 2, 3, 4, 5, 6, 7)])
        + rtcp.source_description(9, "somebody")
        + rtcp.nack(9, 1, [65534, 65535, 0, 40])
        + rtcp.pli(9, 1)
        + rtcp.fir(9, 1, 2)
        + rtcp.bye([9])
    )

    sr, rr, sdes, nack, pli, fir, bye = RtcpPacket.parse(compound)

    assert isinstance(sr, RtcpSrPacket)
    assert (sr.ssrc, sr.sender_info.ntp_timestamp, sr.sender_info.packet_count) == (9, 1 << 40, 10)
    assert isinstance(rr, RtcpRrPacket)
    assert (rr.reports[0].packets_lost, rr.reports[0].dlsr) == (3, 7)
    assert isinstance(sdes, RtcpSdesPacket)
    assert sdes.chunks[0].items == [(1, b"somebody")]
    assert isinstance(nack, RtcpRtpfbPacket)
    assert sorted(n & 0xFFFF for n in nack.lost) == [0, 40, 65534, 65535]
    assert isinstance(pli, RtcpPsfbPacket)
    assert (pli.fmt, fir.fmt) == (1, 4)
    assert isinstance(bye, RtcpByePacket)
    assert bye.sources == [9]


def test_nacks_come_back_as_they_were() -> None:
    """Any set of numbers, packed in sixteens, across the wrap."""
    draw = random.Random(5)
    for _ in range(200):
        start = draw.randrange(0x10000)
        wanted = sorted(draw.sample(range(400), draw.randrange(1, 60)))
        sequences = tuple((start + n) & 0xFFFF for n in wanted)
        (message,) = rtcp.parse(rtcp.nack(1, 2, sequences))
        assert message == rtcp.Nack(2, sequences)


def test_full_intra_requests_of_many_streams_are_read() -> None:
    """The media SSRC of FIR stands in its entries (RFC 5104 section 4.3.1)."""
    packet = struct.pack("!BBHII", 0x84, 206, 6, 1, 0) + struct.pack("!II", 5, 0) + struct.pack("!II", 6, 0)

    assert rtcp.parse(packet) == [rtcp.KeyframeRequest(5), rtcp.KeyframeRequest(6)]


def test_padding_and_unknown_kinds_are_passed_over() -> None:
    """RFC 3550: extended reports, application packets and padding of the last packet do not hurt."""
    packet = struct.pack("!BBHI", 0x80, 207, 1, 9) + struct.pack("!BBHI", 0xA1, 203, 2, 9) + b"\0\0\0\4"

    assert rtcp.parse(packet) == [rtcp.Bye((9,))]


@pytest.mark.parametrize(
    "data",
    [
        b"\x80",
        b"\x80\xc8\x00",
        b"\x80\xc8\x00\x01\x00\x00\x00\x00",
        b"\x00\xc9\x00\x01\x00\x00\x00\x00",
        b"\x81\xc9\x00\x01\x00\x00\x00\x00",
        b"\x82\xcb\x00\x01\x00\x00\x00\x00",
        b"\xa0\xc9\x00\x00",
        b"\xa0\xc9\x00\x01\x00\x00\x00\x00",
        b"\xa0\xc9\x00\x01\x00\x00\x00\x09",
        b"\x81\xcd\x00\x01\x00\x00\x00\x00",
        b"\x80\xc9\x00\x01\x00\x00\x00\x00" * 65,
    ],
)
def test_what_is_cut_off_or_endless_is_refused(data: bytes) -> None:
    """Counts and lengths are the sender's word only."""
    with pytest.raises(DatagramError):
        rtcp.parse(data)


# -- transport-wide feedback, decoded by the letter of draft-holmer-rmcat-transport-wide-cc-extensions-01 -----------


def decode_transport_feedback(packet: bytes) -> tuple[int, dict[int, float]]:
    """The feedback's number and the arrival time of each packet, written from the draft's section 3.1 alone."""
    first, kind, words = struct.unpack_from("!BBH", packet)
    assert (first & 31, kind, 4 + 4 * words) == (15, 205, len(packet))
    _, _, base, count, word = struct.unpack_from("!IIHHI", packet, 4)
    reference, number = word >> 8, word & 0xFF
    at, symbols = 20, []
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", packet, at)
        at += 2
        if not chunk >> 15:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        elif chunk >> 14 & 1:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    now, arrivals = reference * 0.064, {}
    for i, symbol in enumerate(symbols[:count]):
        if symbol == 1:
            now += packet[at] * 0.00025
            at += 1
        elif symbol == 2:
            now += struct.unpack_from("!h", packet, at)[0] * 0.00025
            at += 2
        else:
            assert symbol == 0
            continue
        arrivals[(base + i) & 0xFFFF] = now
    assert len(packet) - at < 4
    assert not any(packet[at:])
    return number, arrivals


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("spread", [0.001, 0.05])
def test_feedback_tells_every_arrival_to_a_quarter_millisecond(loss: float, spread: float) -> None:
    """The sender's bandwidth estimate is made of the differences of these times."""
    draw = random.Random(int(loss * 10) + int(spread * 1000))
    log, told, sent, now, numbers = ArrivalLog(), {}, {}, 100.0, []
    sequence = 65_300
    for _ in range(20):
        batch = []
        for _ in range(60):
            now += spread * draw.random()
            if draw.random() >= loss:
                batch.append((sequence & 0xFFFF, now))
            sequence += 1
        if draw.random() < 0.5 and len(batch) > 4:
            batch[1], batch[3] = (batch[3][0], batch[1][1]), (batch[1][0], batch[3][1])
        log.arrivals += batch
        sent |= dict(batch)
        for packet in log.feedback(1, 2):
            assert len(packet) <= 1100
            number, arrivals = decode_transport_feedback(packet)
            numbers.append(number)
            told |= arrivals

    assert told.keys() == sent.keys()
    assert all(abs(told[n] - sent[n]) < 0.0003 for n in sent)
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("spread", [0.001, 0.05])
def test_feedback_of_others_is_read_as_it_was_written(loss: float, spread: float) -> None:
    """A receiver's feedback is what our own estimate is made of."""
    draw = random.Random(int(loss * 10) + int(spread * 1000) + 7)
    for number in range(60):
        now, arrivals = draw.uniform(0, 1e6), []
        for _ in range(draw.randrange(1, 300)):
            now += spread * (draw.random() - 0.2)
            arrivals.append(None if draw.random() < loss else now)
        if not any(arrivals):
            continue
        base = draw.randrange(0x10000)
        packet = rtcp.transport_feedback(1, 2, base, arrivals, number)

        (message,) = rtcp.parse(packet)

        assert isinstance(message, rtcp.TransportFeedback)
        assert (message.number, message.base, message.count) == (number, base, len(arrivals))
        told = dict(zip(message.received, message.arrivals, strict=True))
        assert told.keys() == {i for i, at in enumerate(arrivals) if at is not None}
        assert all(abs(told[i] - at) < 0.0003 for i, at in enumerate(arrivals) if at is not None)
        assert list(told.values()) == pytest.approx(list(decode_transport_feedback(packet)[1].values()))


@pytest.mark.parametrize(
    "chunks",
    [
        "0000" * 10,  # runs of nothing
        "3fff" * 20,  # 8191 arrived, and no times of theirs
        "7fff",  # a status that does not exist
        "ffff",
        "e000",  # a vector of two-bit statuses without times
    ],
)
def test_feedback_that_lies_about_its_size_is_refused(chunks: str) -> None:
    """A few bytes that tell of 65535 packets must not become work."""
    body = struct.pack("!IIHHI", 1, 2, 9, 0xFFFF, 0) + bytes.fromhex(chunks)
    body += bytes(-len(body) & 3)

    with pytest.raises(DatagramError):
        rtcp.parse(struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body)


def test_a_receivers_own_estimate_is_read() -> None:
    """REMB: 18 bits and an exponent; absurd ones are bounded."""
    body = struct.pack("!II4sII", 1, 0, b"REMB", 1 << 24 | 2 << 18 | 131_072, 5)
    huge = struct.pack("!II4sII", 1, 0, b"REMB", 1 << 24 | 63 << 18 | 131_072, 5)

    assert rtcp.parse(struct.pack("!BBH", 0x8F, 206, len(body) // 4) + body) == [rtcp.Remb(524_288)]
    assert rtcp.parse(struct.pack("!BBH", 0x8F, 206, len(huge) // 4) + huge) == [rtcp.Remb(1 << 40)]


def test_a_wide_hole_makes_several_feedbacks_not_a_large_one() -> None:
    """A sender that jumps in its numbers must not make us send kilobytes."""
    log = ArrivalLog()
    log.arrivals += [(n, 1.0) for n in (0, 1, 399, 400, 5000, 30_000)]

    packets = log.feedback(1, 2)

    assert sorted(n for p in packets for n in decode_transport_feedback(p)[1]) == [0, 1, 399, 400, 5000, 30_000]
    assert all(len(p) < 200 for p in packets)
    assert log.feedback(1, 2) == []
