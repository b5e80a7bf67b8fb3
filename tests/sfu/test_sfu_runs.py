"""Which packets may leave as one message: sizes evened by padding where that is little, order and text untouched."""

from hypothesis import given
from hypothesis import strategies as st

from pymeet.sfu import rtp
from pymeet.sfu.runs import MAX_PADDING, split
from tests.netem import bare


def _packet(size: int, number: int = 0, padding: int = 0) -> bytes:
    """One of `size` bytes in all, of which the last `padding` are padding of its own."""
    head = rtp.normal_header(0xA0 if padding else 0x80, 0, number, 0)
    body = bytes([number & 0xFF]) * (size - len(head) - padding)
    return head + body + (bytes(padding - 1) + bytes([padding]) if padding else b"")


def _sizes(runs: list[list[bytes]]) -> list[list[int]]:
    return [[len(p) for p in run] for run in runs]


def test_a_frame_cut_a_byte_apart_becomes_one_run() -> None:
    """As browsers cut it: the first packets a byte longer than the others."""
    packets = [_packet(size, n) for n, size in enumerate((1101, 1101, 1100, 1100, 1100))]

    (run,) = split(packets, 16)

    assert _sizes([run]) == [[1101, 1101, 1101, 1101, 1100]]
    assert [bare(p) for p in run] == [bare(p) for p in packets]
    assert run[0] is packets[0], "what needs no padding is not copied"
    assert run[2][0] & 0x20
    assert run[2][-1] == 1


def test_two_frames_of_other_sizes_become_two_runs() -> None:
    """Padding a whole frame up would cost bandwidth."""
    packets = [_packet(size) for size in (1100, 1100, 900, 800, 800)]

    assert _sizes(split(packets, 16)) == [[1100, 1100, 900], [800, 800]]


def test_a_packet_with_padding_of_its_own_stays_as_it_is() -> None:
    """Its sender's padding may mean something (probing), and two paddings are no valid packet."""
    padded = _packet(1090, padding=9)

    assert _sizes(split([padded, _packet(1100), _packet(1100)], 16)) == [[1090], [1100, 1100]]
    assert split([_packet(1100), padded, _packet(1100)], 16)[0][1] is padded


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(1050, 1110), st.just(0)),
            st.tuples(st.integers(60, 1400), st.sampled_from((0, 0, 1, 30))),
        ),
        max_size=40,
    ),
    st.integers(1, 16),
)
def test_runs_are_what_the_kernel_takes_and_receivers_see_no_difference(
    wanted: list[tuple[int, int]], longest: int
) -> None:
    """Every run: at most `longest`, all of one size but a last that is not longer; nothing lost, moved, or padded by much."""
    packets = [_packet(size, n, padding) for n, (size, padding) in enumerate(wanted)]

    runs = split(packets, longest)

    flat = [p for run in runs for p in run]
    assert [bare(p) for p in flat] == [bare(p) for p in packets]
    assert all(0 <= len(new) - len(old) <= MAX_PADDING for new, old in zip(flat, packets, strict=True))
    for run in runs:
        assert 1 <= len(run) <= longest
        assert len({len(p) for p in run[:-1]}) <= 1
        assert len(run[-1]) <= len(run[0])
