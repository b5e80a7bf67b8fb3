"""VP9's payload descriptor (RFC 9628), in the flexible and the non-flexible mode."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.sfu import vp9
from pymeet.sfu.errors import DatagramError
from tests.fuzz.profile import examples


@pytest.mark.parametrize(
    ("payload", "picture", "spatial", "temporal", "end"),
    [
        ("08", -1, 0, 0, 1),
        ("88 05", 5, 0, 0, 2),
        ("88 85 05", 0x505, 0, 0, 3),
        ("a8 85 05 32 07", 0x505, 1, 1, 5),  # non-flexible: TL0PICIDX follows
        ("b8 85 05 32", 0x505, 1, 1, 4),  # flexible, not predicted
        ("f8 85 05 32 04", 0x505, 1, 1, 5),  # flexible, one reference
        ("f8 85 05 32 05 07 08", 0x505, 1, 1, 7),  # three
        ("f8 85 05 32 05 07 09", 0x505, 1, 1, 7),  # never more than three
        ("28 44 07", -1, 2, 2, 3),
    ],
)
def test_layers_and_picture_ids_are_read(payload: str, picture: int, spatial: int, temporal: int, end: int) -> None:
    """Each field moves those behind it."""
    d = vp9.parse(bytes.fromhex(payload), 0)

    assert (d.picture, d.spatial, d.temporal, d.end) == (picture, spatial, temporal, end)


def test_the_flags_of_a_frame_are_read() -> None:
    """They say where a frame begins and ends and what it depends on."""
    d = vp9.parse(bytes.fromhex("6d 13 00"), 0)

    assert (d.is_predicted, d.begins_frame, d.ends_frame, d.is_unreferenced) == (True, True, True, True)
    assert (d.is_switch_point, d.depends_on_below, d.spatial) == (True, True, 1)
    d = vp9.parse(bytes.fromhex("20 00 00"), 0)
    assert not any((d.is_predicted, d.begins_frame, d.ends_frame, d.is_unreferenced))
    assert not any((d.is_switch_point, d.depends_on_below))


def test_the_scalability_structure_tells_the_sizes() -> None:
    """Which layer fills a tile is chosen by height."""
    structure = "58 0140 00b4 0280 0168 0500 02d0 02 14 01 34 02"  # three sizes, a group of two pictures
    d = vp9.parse(bytes.fromhex("8a 05" + structure), 0)

    assert d.sizes == ((320, 180), (640, 360), (1280, 720))
    assert d.end == 20
    assert vp9.parse(bytes.fromhex("8a 05 00"), 0).sizes == ()


@pytest.mark.parametrize(
    "payload",
    ["", "88", "88 85", "a8 05", "a8 05 32", "f8 05 32", "f8 05 32 05", "8a 05", "8a 05 18 0140 00", "8a 05 08 01 14"],
)
def test_what_is_cut_off_is_refused(payload: str) -> None:
    """A length that lies must not be believed."""
    with pytest.raises(DatagramError):
        vp9.parse(bytes.fromhex(payload), 0)


@given(st.binary(max_size=80), st.integers(0, 80))
@examples(400)
def test_any_bytes_are_a_descriptor_or_refused(data: bytes, start: int) -> None:
    """Whoever publishes may send anything."""
    with contextlib.suppress(DatagramError):
        d = vp9.parse(data, start)
        assert start < d.end <= len(data)
        assert 0 <= d.spatial < 8
        assert 0 <= d.temporal < 8
