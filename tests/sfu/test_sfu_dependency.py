"""The dependency descriptor (AV1 RTP specification, appendix A), read as Chromium and others write it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.sfu import dependency
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.operating_points import descriptor_of
from tests.fuzz.profile import examples
from tests.support.layered import Bits, LayeredSource

CAPTURED = bytes.fromhex(
    "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b820ac1282"
    "503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d"
)
"""The descriptor of a key frame's first packet from a browser that sends three spatial and three temporal layers."""


def test_the_structure_of_a_browser_is_understood() -> None:
    """Bytes that somebody else wrote: what our own writer in these tests gets wrong cannot hide here."""
    reader = dependency.Reader()

    frame = reader.read(CAPTURED)

    assert (frame.begins, frame.ends, frame.number, frame.is_key) == (True, True, 0x0172, True)
    assert reader.structure is not None
    assert reader.structure.targets == tuple((s, t) for s in range(3) for t in range(3))
    assert reader.structure.sizes == ((120, 67), (240, 135), (480, 270))
    assert frame.template.present == frame.template.switches == 0x1FF
    assert reader.active == 0x1FF


@pytest.mark.parametrize(
    ("packet", "begins", "ends", "number", "layer", "present"),
    [
        ("860173", True, False, 0x0173, (1, 0), 0b111111000),
        ("460173", False, True, 0x0173, (1, 0), 0b111111000),
        ("8b0174", True, False, 0x0174, (2, 0), 0b111000000),
        ("c30175", True, True, 0x0175, (0, 2), 0b100100100),
    ],
)
def test_packets_without_a_structure_refer_to_the_one_before(
    packet: str, begins: bool, ends: bool, number: int, layer: tuple[int, int], present: int
) -> None:
    """Three bytes say which frame, which layer, and who needs it."""
    reader = dependency.Reader()
    reader.read(CAPTURED)

    frame = reader.read(bytes.fromhex(packet))

    assert (frame.begins, frame.ends, frame.number, frame.is_key) == (begins, ends, number, False)
    assert (frame.template.spatial, frame.template.temporal) == layer
    assert frame.template.present == present


def test_which_targets_are_active_is_followed() -> None:
    """A sender on a bad network stops its higher layers without a new structure."""
    reader = dependency.Reader()
    reader.read(CAPTURED)

    reader.read(bytes.fromhex("86017340fc"))

    assert reader.active == 0b000111111


def test_what_refers_to_an_unknown_structure_is_refused() -> None:
    """The key frame's first packet may come late, or never."""
    reader = dependency.Reader()
    with pytest.raises(DatagramError):
        reader.read(bytes.fromhex("860173"))
    with pytest.raises(DatagramError):
        reader.read(bytes.fromhex("86017340fc"))
    with pytest.raises(DatagramError):
        reader.read(b"\x80\x00")

    reader.read(CAPTURED)
    with pytest.raises(DatagramError):
        reader.read(bytes.fromhex("bf0173"))  # template 63


def test_packets_of_the_former_structure_are_read_after_a_new_one() -> None:
    """Around a key frame packets overtake each other; the ids of two structures do not overlap."""
    source, reader = LayeredSource("av1", 2, 2), dependency.Reader()
    old = [_descriptor(p) for _ in range(3) for p in source.next_picture()]
    source.key_wanted = True
    new = [_descriptor(p) for p in source.next_picture()]
    for data in [*old[:-1], *new]:
        reader.read(data)

    late = reader.read(old[-1])

    assert (late.template.spatial, late.template.temporal) == (1, 0)


def test_a_repaired_key_frame_of_the_past_does_not_bring_its_structure_back() -> None:
    """What comes by retransmission may be older than what is in force."""
    source, reader = LayeredSource("av1", 2, 2), dependency.Reader()
    old = _descriptor(source.next_picture()[0])
    source.key_wanted = True
    new = _descriptor(source.next_picture()[0])
    reader.read(new)
    in_force = reader.structure

    assert reader.read(old).is_key
    assert reader.structure is in_force


def test_a_structure_holds_however_long_no_other_comes() -> None:
    """Frame numbers come round every few minutes; a new key frame must be taken also after that."""
    source, reader = LayeredSource("av1", 1, 1, per_frame=1), dependency.Reader()
    first = _descriptor(source.next_picture()[0])
    reader.read(first)
    for number in range(source.frame_number, source.frame_number + 70000, 1000):
        reader.read(bytes((first[0] + 1,)) + (number & 0xFFFF).to_bytes(2, "big"))
    source.frame_number = (source.frame_number + 70000) & 0xFFFF
    source.key_wanted = True
    before = reader.structure

    reader.read(_descriptor(source.next_picture()[0]))

    assert reader.structure is not before


def test_a_frame_may_say_itself_who_needs_it() -> None:
    """An encoder that departs from its templates writes the indications into the frame."""
    reader = dependency.Reader()
    reader.read(CAPTURED)
    bits = Bits()
    bits.put(0b00100, 5)
    for indication in (0, 0, 0, 0, 2, 1, 0, 0, 3):
        bits.put(indication, 2)

    template = reader.read(bytes.fromhex("c60173") + bits.bytes()).template

    assert (template.present, template.switches) == (0b100110000, 0b000010000)


@given(st.lists(st.binary(max_size=120), max_size=5), st.integers(0, 100), st.binary(max_size=60))
@examples(150)
def test_any_bytes_are_a_descriptor_or_refused(packets: list[bytes], cut: int, tail: bytes) -> None:
    """Whoever publishes may send anything, before and after a structure."""
    reader = dependency.Reader()
    for data in [*packets, CAPTURED[:cut] + tail, CAPTURED, *packets]:
        with contextlib.suppress(DatagramError):
            frame = reader.read(data)
            assert frame.template.spatial <= 3
            assert frame.template.present >= frame.template.switches


def _descriptor(packet: bytes) -> bytes:
    data = descriptor_of(packet)
    assert data is not None
    return data
