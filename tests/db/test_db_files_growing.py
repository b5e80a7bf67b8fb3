"""Sealed files that grow while something happens, and those whose head is written again at the end."""

import io
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.db.files import Files
from pymeet.db.keys import KeyGoneError, KeyStore
from pymeet.db.seal import PatchableWriter, SealedReader, SealError
from pymeet.errors import ConflictError, NotFoundError
from pymeet.keyring import Keyring

FILE_ID = "Zm9vYmFyYmF6cXV4MTIzNA"
KEY = bytes(range(32))
CHUNK = 64 * 1024


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    with closing(KeyStore.open(tmp_path / "keys.db", Keyring.open(tmp_path))) as store:
        yield store


@pytest.fixture
def files(tmp_path: Path, keys: KeyStore) -> Files:
    return Files(tmp_path, keys)


def part_of(files: Files, file_id: str = FILE_ID) -> Path:
    return files.path(file_id).with_suffix(".sealed.part")


def test_a_log_is_a_part_until_it_is_finished_and_then_a_file_like_others(files: Files) -> None:
    """Readers and backups see whole files only."""
    sink = files.create_log(FILE_ID, 1)
    sink.append(b"one ")
    sink.sync()
    sink.append(b"two")

    assert not files.exists(FILE_ID)
    assert [(file_id, is_part) for file_id, _, is_part in files.ids()] == [(FILE_ID, True)]
    assert stat.S_IMODE(part_of(files).stat().st_mode) == 0o600
    sink.finish()

    assert files.size(FILE_ID) == 7
    with files.open(FILE_ID) as reader:
        assert reader.size == 7
        assert reader.read_at(2, 3) == b"e t"
        assert reader.read() == b"one two"


def test_what_was_appended_is_on_the_disk_at_once(files: Files) -> None:
    """A program that dies must not take with it what it still held back."""
    with files.create_log(FILE_ID, 1) as sink:
        sink.append(b"said before the crash")

        assert part_of(files).stat().st_size == 48 + 4 + 21 + 16
        assert b"crash" not in part_of(files).read_bytes()


def test_a_log_that_a_crash_left_becomes_a_file(files: Files) -> None:
    """What was recorded up to that moment can be watched."""
    with files.create_log(FILE_ID, 1) as sink:
        sink.append(b"whole")
        sink.append(b"torn by the crash")
    with part_of(files).open("r+b") as file:
        file.truncate(part_of(files).stat().st_size - 3)

    assert files.recover_log(FILE_ID) == 5

    assert not part_of(files).exists()
    with files.open(FILE_ID) as reader:
        assert reader.read() == b"whole"
    assert files.recover_log(FILE_ID) == 5, "a finished file stays as it is"


def test_of_a_log_without_anything_nothing_is_made(files: Files) -> None:
    """A machine that dies between making the file and writing to it leaves an empty part, or none."""
    with files.create_log(FILE_ID, 1):
        pass
    with part_of(files).open("r+b") as file:
        file.truncate(10)

    assert files.recover_log(FILE_ID) is None
    part_of(files).unlink()
    assert files.recover_log(FILE_ID) is None
    assert not files.exists(FILE_ID)


def test_a_log_whose_key_was_destroyed_is_not_brought_back(files: Files, keys: KeyStore) -> None:
    """Somebody was erased; recovery must not undo that."""
    with files.create_log(FILE_ID, 1) as sink:
        sink.append(b"erased")
    keys.shred(FILE_ID)

    with pytest.raises(KeyGoneError):
        files.recover_log(FILE_ID)


def test_another_files_part_is_not_taken(files: Files) -> None:
    """Parts that changed places on the disk are not recovered under each other's names."""
    for each in (FILE_ID, "another-file-id"):
        with files.create_log(each, 1) as sink:
            sink.append(each.encode())
    part_of(files, "another-file-id").rename(part_of(files))

    with pytest.raises(SealError, match="place of another"):
        files.recover_log(FILE_ID)


def test_an_id_in_use_is_refused(files: Files) -> None:
    """One key seals one file."""
    with files.create_log(FILE_ID, 1) as sink:
        sink.finish()

    for create in (files.create, files.create_log, files.create_patchable):
        with pytest.raises(ConflictError):
            create(FILE_ID, 2)
    assert files.exists(FILE_ID)


def test_an_abandoned_log_leaves_nothing(files: Files, keys: KeyStore) -> None:
    """Somebody withdrew before anything was worth keeping."""
    sink = files.create_log(FILE_ID, 1)
    sink.append(b"never mind")
    sink.abandon()

    assert list(files.ids()) == []
    assert list(keys.ids()) == []


def test_destroying_a_log_that_is_being_written_closes_it_for_ever(files: Files) -> None:
    """An erasure does not wait for the end of a meeting: what is still written afterwards is noise."""
    with files.create_log(FILE_ID, 1) as sink:
        sink.append(b"one")
        files.destroy(FILE_ID)
        sink.append(b"two")

        with pytest.raises(FileNotFoundError):
            sink.finish()

    assert list(files.ids()) == []
    with pytest.raises(NotFoundError):
        files.open(FILE_ID)


FULL_DISK = """
import pathlib, resource, signal, sys
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.keyring import Keyring

data_dir, limit = pathlib.Path(sys.argv[1]), int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
keys = KeyStore.open(data_dir / "keys.db", Keyring.open(data_dir))
files = Files(data_dir, keys)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
sink = files.create_log("file-too-large", 1)
appended = 0
try:
    for number in range(100):
        sink.append(bytes([number]) * 10_000)
        appended += 1
except OSError as error:
    print(type(error).__name__, appended)
try:
    sink.finish()
    print("finished", files.size("file-too-large"))
except OSError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print("recovered", files.recover_log("file-too-large"))
keys.close()
"""


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [
        (200_000, ["OSError", "19", "finished", "190000"]),
        # the end itself does not fit: 48 bytes of header, 20 around each record, 36 + 4 for each of the end
        (48 + 20 * 10_020 + 50, ["OSError", "20", "recovered", "200000"]),
    ],
)
def test_a_log_on_a_full_disk_keeps_what_fitted(tmp_path: Path, limit: int, outcome: list[str]) -> None:
    """A meeting of two hours is not lost because the disk is full at its end."""
    script = [sys.executable, "-c", FULL_DISK, str(tmp_path), str(limit)]
    child = subprocess.run(script, capture_output=True, text=True, check=True)

    assert child.stdout.split() == outcome
    assert child.stderr == ""


def test_a_film_whose_head_is_written_at_the_end_reads_as_an_ordinary_file(files: Files) -> None:
    """Makers of films put sizes and durations into the head when they know them."""
    body = os.urandom(200_000)
    with files.create_patchable(FILE_ID, 1) as sink:
        sink.write(b"size: ????")
        sink.write(body)
        assert sink.tell() == 200_010
        sink.seek(6)
        sink.write(b"9999")
        assert not files.exists(FILE_ID)
        sink.seek(0, os.SEEK_END)
        sink.write(b"the end")
        sink.finish()

    assert files.size(FILE_ID) == 200_017
    with files.open(FILE_ID) as reader:
        assert reader.read() == b"size: 9999" + body + b"the end"


def test_an_unfinished_film_leaves_nothing(files: Files, keys: KeyStore) -> None:
    """A film can be made again; half a one is worth nothing."""
    with files.create_patchable(FILE_ID, 1) as sink:
        sink.write(bytes(300_000))

    assert list(files.ids()) == []
    assert list(keys.ids()) == []


@given(
    parts=st.lists(
        st.tuples(st.integers(0, 20), st.binary(max_size=50)) | st.tuples(st.none(), st.binary(max_size=50)), max_size=8
    )
)
def test_patching_is_what_an_ordinary_file_does_or_is_refused(parts: list[tuple[int | None, bytes]]) -> None:
    """A chunk that is sealed must never be sealed again with other content: its nonce is used up."""
    file, plain = io.BytesIO(), io.BytesIO()
    writer = PatchableWriter(file, KEY, FILE_ID, chunk_bytes=16)

    for place, data in parts:
        try:
            at = writer.seek(0, os.SEEK_END) if place is None else writer.seek(place)
            writer.write(data)
        except io.UnsupportedOperation:
            continue
        plain.seek(at)
        plain.write(data)
        assert writer.tell() == plain.tell()
    writer.close()
    writer.close()

    assert SealedReader(file, KEY, FILE_ID).read() == plain.getvalue()


def test_what_is_sealed_cannot_be_written_again() -> None:
    """Refused before anything has changed, so that the writer can go on at the end."""
    file = io.BytesIO()
    writer = PatchableWriter(file, KEY, FILE_ID, chunk_bytes=16)
    writer.write(bytes(50))

    for seek in (lambda: writer.seek(20), lambda: writer.seek(51), lambda: writer.seek(-1)):
        with pytest.raises(io.UnsupportedOperation):
            seek()
    writer.seek(10)
    with pytest.raises(io.UnsupportedOperation):
        writer.write(b"seven..")
    assert writer.write(b"six...") == 6
    with pytest.raises(io.UnsupportedOperation):
        writer.write(b"x")
    writer.seek(0, os.SEEK_END)
    writer.write(b"end")
    writer.close()

    assert SealedReader(file, KEY, FILE_ID).read() == bytes(10) + b"six..." + bytes(34) + b"end"
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"more")
