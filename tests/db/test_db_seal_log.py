"""The sealed log: whatever is left of it after a crash is whole up to its torn end, and nothing that was changed opens."""

import io
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.db.seal import SealError
from pymeet.db.seal_log import MAX_RECORD_BYTES, SealedLogReader, SealedLogWriter, plaintext_bytes, recover

KEY = bytes(range(32))
PREFIX = b"prefix7"
FILE_ID = "Zm9vYmFyYmF6cXV4MTIzNA"
HEADER_BYTES = 48

VECTOR = (
    "504d5345414c4f47017072656669783752de8228a75a1a379c8d3b634e53b2d9ca6a302d3b08b23e57226e930dfdcb49"
    "000000055759157a5d4b9b794c607f77c51e0b06f2051036700000000ab2a2cabe81bdd339adbb282fb264abcca3b5d9"
    "aa73fd12260af557c9e0e123b5bbfd6f16c7d9d423db9b29bb9e53cec5cf9e00000008"
)
"""The records `first` and `second one`."""

records_of = st.lists(st.binary(min_size=1, max_size=40), max_size=6)


def unfinished(
    records: list[bytes], *, file_id: str = FILE_ID, key: bytes = KEY, prefix: bytes | None = PREFIX
) -> bytes:
    file = io.BytesIO()
    writer = SealedLogWriter(file, key, file_id, prefix=prefix)
    for record in records:
        writer.append(record)
    assert writer.whole_bytes == len(file.getvalue())
    return file.getvalue()


def finished(records: list[bytes], *, file_id: str = FILE_ID) -> bytes:
    file = io.BytesIO()
    writer = SealedLogWriter(file, KEY, file_id, prefix=PREFIX)
    for record in records:
        writer.append(record)
    file.write(writer.end())
    return file.getvalue()


def opened(data: bytes, *, file_id: str = FILE_ID, key: bytes = KEY) -> bytes:
    return SealedLogReader(io.BytesIO(data), key, file_id).read()


def recovered(data: bytes, *, key: bytes = KEY, file_id: str = FILE_ID) -> bytes:
    """The file as recovery leaves it."""
    found = recover(io.BytesIO(data), key, file_id)
    assert found is not None
    return data[: found.whole_bytes] + found.end


def pieces(data: bytes, records: list[bytes]) -> list[bytes]:
    """The sealed records, each with its length in front."""
    sizes, start, found = [4 + len(each) + 16 for each in records], HEADER_BYTES, []
    for size in sizes:
        found.append(data[start : start + size])
        start += size
    return found


def test_the_format_stays_as_it_was_published() -> None:
    """The same key, id and prefix give the same bytes for ever."""
    assert finished([b"first", b"second one"]).hex() == VECTOR
    assert opened(bytes.fromhex(VECTOR)) == b"firstsecond one"


@given(records=records_of)
def test_what_was_appended_reads_as_one_file(records: list[bytes]) -> None:
    """A film player neither knows nor cares in which pieces it was written."""
    data = finished(records)
    content = b"".join(records)

    assert opened(data) == content
    assert plaintext_bytes(io.BytesIO(data)) == len(content)


@given(records=records_of, offset=st.integers(0, 260), length=st.integers(0, 260))
def test_any_range_is_the_slice(records: list[bytes], offset: int, length: int) -> None:
    """Players jump about in recordings."""
    content = b"".join(records)
    reader = SealedLogReader(io.BytesIO(finished(records)), KEY, FILE_ID)

    assert reader.size == len(content)
    assert reader.read_at(offset, length) == content[offset : offset + length]


@given(
    records=records_of, moves=st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.integers(0, 90), st.integers(-1, 90)))
)
def test_reading_and_seeking_follow_an_ordinary_file(records: list[bytes], moves: list[tuple[int, int, int]]) -> None:
    """What takes files should not notice that this one is sealed."""
    reader, plain = SealedLogReader(io.BytesIO(finished(records)), KEY, FILE_ID), io.BytesIO(b"".join(records))

    for whence, offset, length in moves:
        assert reader.seek(offset, whence) == plain.seek(offset, whence)
        assert reader.read(length) == plain.read(length)
        assert reader.tell() == plain.tell()


def test_what_is_long_becomes_several_records() -> None:
    """A reader opens whole records, so none may be as large as somebody's shared screen can make it."""
    content = random.Random(4).randbytes(2 * MAX_RECORD_BYTES + 5)

    data = finished([content])

    assert opened(data) == content
    assert len(data) == HEADER_BYTES + len(content) + 3 * 20 + (12 + 16 + 4)


def test_a_log_torn_at_any_byte_keeps_every_record_before_it() -> None:
    """The machine may die in the middle of any write; what was whole before stays, and nothing else appears."""
    records = [b"one", b"twentytwo", b"x" * 30, b"the last one"]
    ends = [HEADER_BYTES]
    for piece in pieces(unfinished(records), records):
        ends.append(ends[-1] + len(piece))
    data = finished(records)

    for cut in range(HEADER_BYTES, len(data) + 1):
        kept = sum(cut >= end for end in ends[1:])
        assert opened(recovered(data[:cut])) == b"".join(records[:kept]), cut


def test_a_torn_header_means_that_nothing_was_written() -> None:
    """A machine that dies at once leaves an empty file, or one that the disk filled with zeros."""
    data = unfinished([b"one"])

    for cut in range(HEADER_BYTES):
        assert recover(io.BytesIO(data[:cut]), KEY, FILE_ID) is None
    assert recover(io.BytesIO(bytes(4096)), KEY, FILE_ID) is None


@pytest.mark.parametrize("filling", [b"\x00", b"\xff", b"\x00\x00\x00\x05"])
def test_pages_that_never_reached_the_disk_are_cut_off(filling: bytes) -> None:
    """After a power cut a file can be as long as it was, with anything in the pages that were not written."""
    records = [b"safe", b"also safe", b"lost" * 8]
    data = unfinished(records)
    torn = len(data) - 20
    damaged = data[:torn] + (filling * 40)[: len(data) + 20 - torn]

    assert opened(recovered(damaged)) == b"safealso safe"


def test_recovery_that_was_killed_does_the_same_again() -> None:
    """The second time it must come to the very same bytes: another text under the same nonce would give the key away."""
    records = [b"one", b"twentytwo"]
    torn = unfinished([*records, b"torn in the middle"])[:-7]
    whole = recovered(torn)

    for cut in range(len(unfinished(records)), len(whole) + 1):
        assert recovered(whole[:cut]) == whole


def test_the_nonce_of_a_torn_record_seals_nothing_else() -> None:
    """With AES-GCM two texts under one nonce reveal each other. The end that follows a torn record has the last bit set."""
    torn = unfinished([b"one", b"torn record"])
    found = recover(io.BytesIO(torn[:-1]), KEY, FILE_ID)
    assert found is not None
    keystream_torn = bytes(a ^ b for a, b in zip(torn[found.whole_bytes + 4 :], b"torn record", strict=False))
    keystream_end = bytes(a ^ b for a, b in zip(found.end, b"\x00\x00\x00\x03", strict=False))

    assert keystream_torn[:4] != keystream_end[:4]


def test_nothing_is_sealed_after_a_write_that_failed() -> None:
    """A full disk leaves half a record whose nonce is used up; the records before it can still be finished."""

    class Full(io.BytesIO):
        room = HEADER_BYTES + 40

        def write(self, data: object) -> int:
            assert isinstance(data, bytes)
            left = self.room - len(self.getvalue())
            if len(data) > left:
                super().write(data[:left])
                raise OSError(28, "No space left on device")
            return super().write(data)

    file = Full()
    writer = SealedLogWriter(file, KEY, FILE_ID, prefix=PREFIX)
    writer.append(b"fits")
    with pytest.raises(OSError, match="No space"):
        writer.append(b"does not fit any more")

    with pytest.raises(ValueError, match="failed"):
        writer.append(b"more")
    assert opened(file.getvalue()[: writer.whole_bytes] + writer.end()) == b"fits"


def test_nothing_follows_the_end() -> None:
    """The end says how many records there are."""
    writer = SealedLogWriter(io.BytesIO(), KEY, FILE_ID)
    writer.append(b"one")
    writer.end()

    with pytest.raises(ValueError, match="closed"):
        writer.append(b"two")


@given(records=records_of, data=st.data())
def test_a_flipped_bit_is_refused(records: list[bytes], data: st.DataObject) -> None:
    """Somebody who can write to the disk must not be able to change what people said."""
    damaged = bytearray(finished(records))
    # The length in front of a record is for recovery only; finished files are read by the sealed table at their end.
    lengths = {place + i for place in _length_places(records) for i in range(4)}
    place = data.draw(st.integers(0, len(damaged) - 1).filter(lambda each: each not in lengths))
    damaged[place] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(SealError):
        opened(bytes(damaged))


def _length_places(records: list[bytes]) -> list[int]:
    places, start = [], HEADER_BYTES
    for each in records:
        places.append(start)
        start += 4 + len(each) + 16
    return places


@given(records=records_of, data=st.data())
def test_a_finished_log_cut_anywhere_is_refused(records: list[bytes], data: st.DataObject) -> None:
    """Somebody who wants the end gone may cut exactly between two records."""
    whole = finished(records)
    cut = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(SealError):
        opened(whole[:cut])


@given(records=records_of, tail=st.binary(min_size=1, max_size=60))
def test_anything_appended_is_refused(records: list[bytes], tail: bytes) -> None:
    """The end is where the writer said it is."""
    with pytest.raises(SealError):
        opened(finished(records) + tail)


def test_records_swapped_removed_or_repeated_are_refused() -> None:
    """Each record is genuine and of the same length; their order is what was tampered with."""
    records = [b"aaaa", b"bbbb", b"cccc"]
    whole = finished(records)
    parts = pieces(whole, records)
    end = whole[HEADER_BYTES + sum(map(len, parts)) :]

    for order in ([1, 0, 2], [0, 2], [0, 1, 1, 2], [0, 1, 2, 2], [0, 0, 2], [1, 2, 0], []):
        with pytest.raises(SealError):
            opened(whole[:HEADER_BYTES] + b"".join(parts[each] for each in order) + end)


def test_recovery_takes_nothing_that_was_swapped_or_repeated() -> None:
    """A part lies on the disk for as long as a meeting lasts; tampering with it must not pass for a crash."""
    records = [b"aaaa", b"bbbb", b"cccc"]
    data = unfinished(records)
    parts = pieces(data, records)

    for order, kept in (([1, 0, 2], b""), ([0, 2], b"aaaa"), ([0, 1, 1, 2], b"aaaabbbb")):
        assert opened(recovered(data[:HEADER_BYTES] + b"".join(parts[each] for each in order))) == kept


def test_a_log_in_the_place_of_another_is_refused_even_under_the_same_key() -> None:
    """Swapping two people's files on the disk must not show one the other's."""
    theirs = finished([b"theirs"], file_id="theirs")

    with pytest.raises(SealError, match="place of another"):
        opened(theirs)
    with pytest.raises(SealError, match="place of another"):
        recover(io.BytesIO(theirs), KEY, FILE_ID)
    disguised = theirs[:16] + finished([b"mine"])[16:HEADER_BYTES] + theirs[HEADER_BYTES:]
    with pytest.raises(SealError):
        opened(disguised)
    assert opened(recovered(disguised)) == b""


def test_another_key_opens_nothing() -> None:
    """That is the point of it."""
    with pytest.raises(SealError):
        opened(finished([b"secret"]), key=bytes(32))


def test_a_log_of_a_later_version_says_so() -> None:
    """After a downgrade the file is not damaged, and must not be called so, nor cut off by recovery."""
    later = bytearray(finished([b"x"]))
    later[8] = 2

    with pytest.raises(SealError, match="newer pymeet"):
        opened(bytes(later))
    with pytest.raises(SealError, match="newer pymeet"):
        recover(io.BytesIO(bytes(later)), KEY, FILE_ID)


def test_forged_lengths_take_no_memory() -> None:
    """They are read before anything can be verified."""
    forged_end = finished([b"x"])[:-4] + b"\xff\xff\xff\xfc"
    forged_record = bytearray(unfinished([b"x"]))
    forged_record[HEADER_BYTES : HEADER_BYTES + 4] = b"\xff\xff\xff\xff"

    with pytest.raises(SealError):
        opened(forged_end)
    assert opened(recovered(bytes(forged_record))) == b""


def test_damage_in_the_middle_spares_the_rest() -> None:
    """What is whole can still be watched."""
    records = [b"aaaa", b"bbbb", b"cccc"]
    damaged = bytearray(finished(records))
    damaged[HEADER_BYTES + 24 + 6] ^= 1
    reader = SealedLogReader(io.BytesIO(bytes(damaged)), KEY, FILE_ID)

    assert reader.read_at(0, 4) == b"aaaa"
    with pytest.raises(SealError):
        reader.read_at(5, 1)
    assert reader.read_at(8, 4) == b"cccc"


def test_two_logs_under_one_key_share_no_nonce() -> None:
    """Should a key ever be used twice by mistake, the random prefix still keeps the two apart."""
    prefixes = sorted(unfinished([], prefix=None)[9:16] for _ in range(20))

    assert all(one != other for one, other in pairwise(prefixes))
