"""Sealed files on the disk: whole or not there, never in plaintext, and gone for good when destroyed."""

import io
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pymeet.db.files import FileNotGoneError, Files
from pymeet.db.keys import KeyGoneError, KeyStore
from pymeet.db.seal import SealError
from pymeet.errors import ConflictError, NotFoundError
from pymeet.keyring import Keyring

FILE_ID = "Zm9vYmFyYmF6cXV4MTIzNA"
CONTENT = b"What was said in confidence. " * 10_000


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    with closing(KeyStore.open(tmp_path / "keys.db", Keyring.open(tmp_path))) as store:
        yield store


@pytest.fixture
def files(tmp_path: Path, keys: KeyStore) -> Files:
    return Files(tmp_path, keys)


def written(files: Files, content: bytes = CONTENT, file_id: str = FILE_ID) -> None:
    with files.create(file_id, 1) as sink:
        sink.write(content)
        sink.finish()


def everything_in(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_a_finished_file_comes_back_from_anywhere(files: Files) -> None:
    """A player jumps to the end of a recording without reading all of it."""
    written(files)

    assert files.exists(FILE_ID)
    assert files.size(FILE_ID) == len(CONTENT)
    with files.open(FILE_ID) as reader:
        assert reader.size == len(CONTENT)
        assert reader.read_at(200_000, 50) == CONTENT[200_000:200_050]
        assert reader.read() == CONTENT


def test_files_are_for_the_owner_only_and_never_plain(tmp_path: Path, files: Files) -> None:
    """Other people on the machine, and whoever finds the disk, learn nothing."""
    with files.create(FILE_ID, 1) as sink:
        sink.write(CONTENT)
        sink.flush()
        assert b"confidence" not in everything_in(tmp_path)
        sink.finish()

    assert b"confidence" not in everything_in(tmp_path)
    path = tmp_path / "files" / "Zm" / f"{FILE_ID}.sealed"
    assert files.path(FILE_ID) == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path.parent.parent)} == {0o700}


def test_an_unfinished_file_is_only_a_part_and_not_there_for_readers(files: Files) -> None:
    """Nobody downloads half an archive."""
    with files.create(FILE_ID, 1) as sink:
        sink.write(CONTENT)

        assert not files.exists(FILE_ID)
        with pytest.raises(NotFoundError):
            files.open(FILE_ID)
        with pytest.raises(NotFoundError):
            files.size(FILE_ID)
        assert [(file_id, is_part) for file_id, _, is_part in files.ids()] == [(FILE_ID, True)]


def test_leaving_the_block_without_finishing_leaves_nothing(files: Files, keys: KeyStore) -> None:
    """An export that fails in the middle leaves neither a key nor a file to clean up."""

    def fail() -> None:
        with files.create(FILE_ID, 1) as sink:
            sink.write(CONTENT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert list(files.ids()) == []
    assert list(keys.ids()) == []


def test_an_id_in_use_is_refused_and_the_file_unharmed(files: Files) -> None:
    """Writing over somebody's file would be worse than any error."""
    written(files)

    with pytest.raises(ConflictError):
        files.create(FILE_ID, 2)

    with files.open(FILE_ID) as reader:
        assert reader.read() == CONTENT


def test_a_destroyed_file_is_gone_and_a_copy_of_it_stays_closed(tmp_path: Path, files: Files, keys: KeyStore) -> None:
    """Copies in backups outlive the deletion; without the key they are noise."""
    written(files)
    copy = shutil.copy(files.path(FILE_ID), tmp_path / "copy")

    files.destroy(FILE_ID)

    assert not files.exists(FILE_ID)
    assert list(files.ids()) == []
    with pytest.raises(KeyGoneError):
        files.open(FILE_ID)
    files.path(FILE_ID).write_bytes(Path(copy).read_bytes())
    with pytest.raises(KeyGoneError):
        files.open(FILE_ID)


def test_destroying_again_is_no_error(files: Files) -> None:
    """After a crash it is simply done once more, wherever it stopped."""
    written(files)
    files.path(FILE_ID).unlink()

    files.destroy(FILE_ID)
    files.destroy(FILE_ID)
    files.destroy("never-was-there")


def test_a_file_that_will_not_go_is_reported_and_its_key_is_gone_already(files: Files, keys: KeyStore) -> None:
    """Saying it is gone would be a lie; whoever asked has to come back."""
    written(files)
    path = files.path(FILE_ID)
    path.unlink()
    path.mkdir()  # cannot be unlinked, not even by root

    with pytest.raises(FileNotGoneError):
        files.destroy(FILE_ID)

    assert list(keys.ids()) == []
    path.rmdir()
    files.destroy(FILE_ID)


def test_a_key_that_will_not_go_is_reported_and_the_file_is_gone_already(files: Files, keys: KeyStore) -> None:
    """On a full disk the key database cannot write; deleting the file is what makes room."""
    written(files)
    keys.close()

    with pytest.raises(FileNotGoneError):
        files.destroy(FILE_ID)

    assert list(files.ids()) == []


def test_a_damaged_file_is_refused_and_closed(files: Files) -> None:
    """A disk that lost a block must not go unnoticed."""
    written(files)
    path = files.path(FILE_ID)
    path.write_bytes(path.read_bytes()[:-70_000])

    with pytest.raises(SealError):
        files.open(FILE_ID)


def test_files_are_listed_with_their_age(tmp_path: Path, files: Files) -> None:
    """The sweep for files that nobody knows spares the young ones, whose row may not be written yet."""
    assert list(files.ids()) == []
    written(files, b"one", "aa-first-file")
    written(files, b"two", "bb-second-file")
    os.utime(files.path("aa-first-file"), ns=(5_000_000_000, 5_000_000_000))
    (tmp_path / "files" / "stray").touch()
    (tmp_path / "files" / "aa" / "stray.txt").touch()

    found = {file_id: (mtime_ms, is_part) for file_id, mtime_ms, is_part in files.ids()}

    assert found["aa-first-file"] == (5_000, False)
    assert found.keys() == {"aa-first-file", "bb-second-file"}


@pytest.mark.parametrize("file_id", ["../../etc/passwd", "", "short", "with.dot.inside", "a" * 65, "new\nline-id"])
def test_what_is_not_an_id_is_no_path(files: Files, file_id: str) -> None:
    """Ids come from the database, and a database may be restored from anywhere."""
    with pytest.raises(ValueError, match="not the id"):
        files.path(file_id)


def test_an_archive_can_be_streamed_into_a_sealed_file(files: Files) -> None:
    """Exports are archives; they are sealed as they are made."""
    with files.create(FILE_ID, 1) as sink:
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
            archive.writestr("a.txt", CONTENT)
        sink.finish()

    with files.open(FILE_ID) as reader, zipfile.ZipFile(io.BytesIO(reader.read())) as archive:
        assert archive.read("a.txt") == CONTENT


FULL_DISK = """
import pathlib, resource, sys
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.keyring import Keyring

data_dir = pathlib.Path(sys.argv[1])
keys = KeyStore.open(data_dir / "keys.db", Keyring.open(data_dir))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    with Files(data_dir, keys).create("file-too-large", 1) as sink:
        sink.write(bytes(1_000_000))
        sink.finish()
except OSError as error:
    print(type(error).__name__, error.errno, list(keys.ids()), list(Files(data_dir, keys).ids()))
keys.close()
"""


def test_a_file_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    """A disk without room must not keep half a file and its key for ever."""
    child = subprocess.run([sys.executable, "-c", FULL_DISK, tmp_path], capture_output=True, text=True, check=True)

    assert child.stdout.split(None, 2)[2].strip() == "[] []"
    assert child.stderr == ""


KILLED = """
import os, pathlib, shutil, signal, sys
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.db.seal import SealedWriter
from pymeet.keyring import Keyring

base, deed = pathlib.Path(sys.argv[1]), sys.argv[2]

def run(data_dir, left):
    def dying(function):
        def wrapper(*arguments, **options):
            nonlocal left
            for moment in ("before", "after"):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                if moment == "before":
                    result = function(*arguments, **options)
            return result
        return wrapper

    keys = KeyStore.open(data_dir / "keys.db", Keyring.open(data_dir))
    files = Files(data_dir, keys)
    for place, name in (
        (os, "open"), (os, "fsync"), (os, "rename"), (pathlib.Path, "mkdir"), (pathlib.Path, "unlink"),
        (KeyStore, "make"), (KeyStore, "shred"), (KeyStore, "_empty_log"), (SealedWriter, "_emit"),
    ):
        setattr(place, name, dying(getattr(place, name)))
    if deed == "write":
        with files.create("file-killed", 1) as sink:
            sink.write(b"in confidence " * 10_000)
            sink.finish()
    else:
        files.destroy("file-killed")
    keys.close()

step, killed = 0, True
while killed:
    step += 1
    data_dir = base / str(step)
    shutil.copytree(base / "begin", data_dir)
    child = os.fork()
    if not child:
        run(data_dir, step)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
print(step, status)
"""
"""Does the deed again and again, each time killed one step later, and ends with the one that nobody killed."""


def killed_at_every_step(base: Path, deed: str) -> Iterator[tuple[Path, Files, KeyStore, bool]]:
    """The state each kill left behind, opened as the next start would; the last one was not killed."""
    script = [sys.executable, "-c", KILLED, str(base), deed]
    steps, status = map(int, subprocess.run(script, check=True, capture_output=True, text=True).stdout.split())
    assert status == 0
    for step in range(1, steps + 1):
        data_dir = base / str(step)
        with closing(KeyStore.open(data_dir / "keys.db", Keyring.open(data_dir))) as keys:
            yield data_dir, Files(data_dir, keys), keys, step < steps


def test_writing_killed_at_any_point_leaves_a_whole_file_or_a_part_that_can_be_destroyed(tmp_path: Path) -> None:
    """Nobody may find half a file under a whole one's name, and nothing may stay that cannot be cleaned up."""
    KeyStore.open(tmp_path / "begin" / "keys.db", Keyring.open(tmp_path / "begin")).close()
    seen = set()

    for data_dir, files, keys, killed in killed_at_every_step(tmp_path, "write"):
        assert b"confidence" not in everything_in(data_dir)
        if files.exists("file-killed"):
            with files.open("file-killed") as reader:
                assert reader.read() == b"in confidence " * 10_000
        seen.add((files.exists("file-killed"), tuple(is_part for _, _, is_part in files.ids()), len(list(keys.ids()))))
        assert killed or files.exists("file-killed")

        files.destroy("file-killed")

        assert list(files.ids()) == []
        assert list(keys.ids()) == []

    nothing, key_only, part, whole = (False, (), 0), (False, (), 1), (False, (True,), 1), (True, (False,), 1)
    assert seen == {nothing, key_only, part, whole}


def test_destroying_killed_at_any_point_is_finished_by_the_next(tmp_path: Path) -> None:
    """What should be gone goes, however often the machine fails."""
    begin = tmp_path / "begin"
    with closing(KeyStore.open(begin / "keys.db", Keyring.open(begin))) as keys:
        written(Files(begin, keys), b"in confidence", "file-killed")
    seen = set()

    for _, files, keys, killed in killed_at_every_step(tmp_path, "destroy"):
        seen.add((len(list(files.ids())), len(list(keys.ids()))))
        assert killed or (list(files.ids()), list(keys.ids())) == ([], [])

        files.destroy("file-killed")

        assert list(files.ids()) == []
        assert list(keys.ids()) == []

    assert seen == {(1, 1), (1, 0), (0, 0)}, "the key goes first"
