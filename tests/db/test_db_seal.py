"""The sealed file: what was written comes back from anywhere, and nothing that was changed does."""

import io
import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.db.seal import CHUNK_BYTES, SealedReader, SealedWriter, SealError, plaintext_bytes

KEY = bytes(range(32))
PREFIX = b"prefix7"
FILE_ID = "Zm9vYmFyYmF6cXV4MTIzNA"
HEADER_BYTES = 52
SMALL = 16
"""Small chunks find the same mistakes as large ones, sooner."""

contents = st.binary(max_size=5 * SMALL)


def sealed(content: bytes, *, file_id: str = FILE_ID, key: bytes = KEY, chunk_bytes: int = SMALL) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, key, file_id, chunk_bytes=chunk_bytes, prefix=PREFIX)
    writer.write(content)
    writer.close()
    return file.getvalue()


def opened(data: bytes, *, file_id: str = FILE_ID, key: bytes = KEY) -> bytes:
    return SealedReader(io.BytesIO(data), key, file_id).read()


def chunks_of(data: bytes) -> list[bytes]:
    body = data[HEADER_BYTES:]
    return [body[start : start + SMALL + 16] for start in range(0, len(body), SMALL + 16)]


@pytest.mark.parametrize(
    ("content", "vector"),
    [
        (
            b"",
            "504d5345414c454401000000107072656669783752de8228a75a1a379c8d3b634e53b2d9ca6a302d3b08b23e57226e930dfdcb49"
            "0f6af467a1ededaac2bacb5dedef2215",
        ),
        (
            b"sixteen bytes ok",
            "504d5345414c454401000000107072656669783752de8228a75a1a379c8d3b634e53b2d9ca6a302d3b08b23e57226e930dfdcb49"
            "752493e35f72f2c5235d03bc1f0626eed64bfabbc54926236d6e2b982eae6c20",
        ),
        (
            b"sixteen bytes ok and more",
            "504d5345414c454401000000107072656669783752de8228a75a1a379c8d3b634e53b2d9ca6a302d3b08b23e57226e930dfdcb49"
            "42591f7d4cc5316fd709318f2d37dab5afa73be123f41db2a58341b0c0d50fd6e5e11b87ef07a1d9a079a8975d9bcd7c56459d19f9354fb87c",
        ),
    ],
)
def test_the_format_stays_as_it_was_published(content: bytes, vector: str) -> None:
    """Files outlive versions of the program: the same key, id and prefix give the same bytes for ever."""
    assert sealed(content).hex() == vector
    assert opened(bytes.fromhex(vector)) == content


@given(parts=st.lists(contents, max_size=6))
def test_however_it_is_written_it_reads_the_same(parts: list[bytes]) -> None:
    """Writers bring what they have: a byte, a packet, a megabyte."""
    file = io.BytesIO()
    writer = SealedWriter(file, KEY, FILE_ID, chunk_bytes=SMALL, prefix=PREFIX)

    assert [writer.write(part) for part in parts] == [len(part) for part in parts]
    writer.close()

    assert file.getvalue() == sealed(b"".join(parts))
    assert opened(file.getvalue()) == b"".join(parts)


@given(content=contents, offset=st.integers(0, 6 * SMALL), length=st.integers(0, 6 * SMALL))
def test_any_range_is_the_slice(content: bytes, offset: int, length: int) -> None:
    """Players jump about in recordings."""
    reader = SealedReader(io.BytesIO(sealed(content)), KEY, FILE_ID)

    assert reader.size == len(content) == plaintext_bytes(len(sealed(content)), SMALL)
    assert reader.read_at(offset, length) == content[offset : offset + length]


@given(content=contents, moves=st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.integers(0, 40), st.integers(-1, 40))))
def test_reading_and_seeking_follow_an_ordinary_file(content: bytes, moves: list[tuple[int, int, int]]) -> None:
    """What takes files (archives, responses) should not notice that this one is sealed."""
    reader, plain = SealedReader(io.BytesIO(sealed(content)), KEY, FILE_ID), io.BytesIO(content)

    for whence, offset, length in moves:
        assert reader.seek(offset, whence) == plain.seek(offset, whence)
        assert reader.read(length) == plain.read(length)
        assert reader.tell() == plain.tell()


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_chunks_of_the_usual_size_hold_at_their_borders(size: int) -> None:
    """A full last chunk must not be followed by an empty one, nor be taken for one in the middle."""
    content = os.urandom(size)
    file = io.BytesIO()
    writer = SealedWriter(file, KEY, FILE_ID)
    writer.write(memoryview(content))
    writer.close()

    reader = SealedReader(file, KEY, FILE_ID)

    assert reader.size == size == plaintext_bytes(len(file.getvalue()))
    assert reader.read() == content
    assert len(file.getvalue()) == HEADER_BYTES + size + 16 * max(1, -(-size // CHUNK_BYTES))


@given(content=contents, data=st.data())
def test_a_flipped_bit_is_refused(content: bytes, data: st.DataObject) -> None:
    """Somebody who can write to the disk must not be able to change what people said."""
    damaged = bytearray(sealed(content))
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(SealError):
        opened(bytes(damaged))


@given(content=contents, data=st.data())
def test_a_cut_file_is_refused_wherever_it_is_cut(content: bytes, data: st.DataObject) -> None:
    """A full disk, or somebody who wants the end gone, may cut exactly between two chunks."""
    whole = sealed(content)
    cut = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(SealError):
        SealedReader(io.BytesIO(whole[:cut]), KEY, FILE_ID)


@given(content=contents, tail=st.binary(min_size=1, max_size=3 * SMALL))
def test_anything_appended_is_refused(content: bytes, tail: bytes) -> None:
    """The end is where the writer said it is."""
    with pytest.raises(SealError):
        opened(sealed(content) + tail)


@given(content=st.binary(min_size=SMALL + 1, max_size=5 * SMALL), data=st.data())
def test_chunks_in_another_order_repeated_or_left_out_are_refused(content: bytes, data: st.DataObject) -> None:
    """Each chunk is genuine; their order is what was tampered with."""
    whole = sealed(content)
    chunks = chunks_of(whole)
    picked = data.draw(st.lists(st.sampled_from(chunks), max_size=len(chunks) + 2).filter(lambda some: some != chunks))

    with pytest.raises(SealError):
        opened(whole[:HEADER_BYTES] + b"".join(picked))


def test_every_chunk_but_the_last_is_refused_as_the_end() -> None:
    """Cut between two chunks, the file has a perfectly good length."""
    whole = sealed(bytes(4 * SMALL))

    for count in range(1, 4):
        with pytest.raises(SealError):
            SealedReader(io.BytesIO(whole[: HEADER_BYTES + count * (SMALL + 16)]), KEY, FILE_ID)


def test_a_file_in_the_place_of_another_is_refused_even_under_the_same_key() -> None:
    """Swapping two people's files on the disk must not show one the other's."""
    theirs = sealed(b"theirs", file_id="theirs")

    with pytest.raises(SealError, match="place of another"):
        opened(theirs)
    disguised = theirs[:20] + sealed(b"mine")[20:HEADER_BYTES] + theirs[HEADER_BYTES:]
    with pytest.raises(SealError):
        opened(disguised)


def test_another_key_opens_nothing() -> None:
    """That is the point of it."""
    with pytest.raises(SealError):
        opened(sealed(b"secret"), key=bytes(32))


def test_damage_in_the_middle_is_found_when_it_is_read_and_spares_the_rest() -> None:
    """Opening a recording of two hours must not read all of it; what is whole can still be saved."""
    content = bytes(range(4 * SMALL))
    damaged = bytearray(sealed(content))
    damaged[HEADER_BYTES + SMALL + 16] ^= 1
    reader = SealedReader(io.BytesIO(bytes(damaged)), KEY, FILE_ID)

    assert reader.read_at(0, SMALL) == content[:SMALL]
    with pytest.raises(SealError):
        reader.read_at(SMALL, 1)
    assert reader.read_at(2 * SMALL, 2 * SMALL) == content[2 * SMALL :]


def test_a_file_of_a_later_version_says_so() -> None:
    """After a downgrade the file is not damaged, and must not be called so."""
    later = bytearray(sealed(b"x"))
    later[8] = 2

    with pytest.raises(SealError, match="newer pymeet"):
        opened(bytes(later))


def test_a_forged_chunk_size_takes_no_memory() -> None:
    """The header is read before anything can be verified."""
    forged = bytearray(sealed(b"x"))
    forged[9:13] = b"\xff\xff\xff\xff"

    with pytest.raises(SealError):
        opened(bytes(forged))


def test_two_files_under_one_key_share_no_nonce() -> None:
    """Should a key ever be used twice by mistake, the random prefix still keeps the two apart."""
    files = [io.BytesIO() for _ in range(20)]
    for file in files:
        SealedWriter(file, KEY, FILE_ID).close()

    prefixes = sorted(file.getvalue()[13:20] for file in files)
    assert all(one != other for one, other in pairwise(prefixes))


def test_nothing_may_follow_a_write_that_failed() -> None:
    """A full disk leaves half a chunk; finishing such a file would make damage look like a file."""

    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            if len(self.getvalue()) >= HEADER_BYTES:
                raise OSError(28, "No space left on device")
            return super().write(data)

    writer = SealedWriter(Full(), KEY, FILE_ID, chunk_bytes=SMALL)
    with pytest.raises(OSError, match="No space"):
        writer.write(bytes(2 * SMALL))

    with pytest.raises(ValueError, match="failed"):
        writer.write(b"more")
    with pytest.raises(ValueError, match="failed"):
        writer.close()


def test_closing_twice_ends_the_file_once() -> None:
    """Whoever cleans up need not know whether it was closed."""
    file = io.BytesIO()
    writer = SealedWriter(file, KEY, FILE_ID, chunk_bytes=SMALL, prefix=PREFIX)
    writer.write(b"once")
    writer.close()
    writer.close()

    assert file.getvalue() == sealed(b"once")
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"more")
