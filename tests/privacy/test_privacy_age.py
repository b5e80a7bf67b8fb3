"""Age files with a passphrase: another program opens them, and nothing else does."""

import io
import os
import zipfile

import pyrage
import pytest

from pymeet.privacy.age import LOG_N, AgeError, AgeReader, AgeWriter, Lock, WrongPassphraseError

PASSPHRASE = "correct horse – Batterie äöü"
QUICK = 4
"""A weak work factor: the tests are about the format."""


def encrypted(content: bytes, *, step: int = 1 << 20, passphrase: str = PASSPHRASE, log_n: int = QUICK) -> bytes:
    sink = io.BytesIO()
    writer = AgeWriter(sink, passphrase, log_n=log_n)
    for start in range(0, len(content), step):
        writer.write(content[start : start + step])
    writer.close()
    return sink.getvalue()


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000])
@pytest.mark.parametrize("step", [999, 1 << 20])
def test_another_implementation_opens_the_file(size: int, step: int) -> None:
    """People open it with the age program of their choice, not with ours."""
    content = os.urandom(size)

    assert pyrage.passphrase.decrypt(encrypted(content, step=step), PASSPHRASE) == content


def test_the_usual_work_factor_is_that_of_age() -> None:
    """A passphrase people can remember needs every bit of work that guessing it costs."""
    sealed = encrypted(b"content", log_n=LOG_N)

    assert sealed.split(b"\n")[1].endswith(b" 18")
    assert pyrage.passphrase.decrypt(sealed, PASSPHRASE) == b"content"


def test_another_passphrase_opens_nothing() -> None:
    """That is the point of it."""
    with pytest.raises(pyrage.DecryptError):
        pyrage.passphrase.decrypt(encrypted(b"content"), "another")


@pytest.mark.parametrize("cut", [1, 17, 65_552])
def test_a_cut_file_is_refused_by_another_implementation(cut: int) -> None:
    """Somebody whose download broke off must not take it for everything we hold."""
    with pytest.raises(pyrage.DecryptError):
        pyrage.passphrase.decrypt(encrypted(bytes(3 * 65_536))[:-cut], PASSPHRASE)


def test_two_files_with_the_same_content_and_passphrase_share_nothing() -> None:
    """Equal files would tell who was given the same; a nonce used twice would give both away."""
    one, other = encrypted(bytes(100)), encrypted(bytes(100))

    assert one.split(b"\n")[1] != other.split(b"\n")[1]
    assert one[-116:] != other[-116:]


def test_an_empty_passphrase_is_refused() -> None:
    """It would look protected and be open to all."""
    with pytest.raises(ValueError, match="empty passphrase"):
        AgeWriter(io.BytesIO(), "")


def test_an_archive_can_be_streamed_into_it() -> None:
    """Exports and backups are made while they are encrypted; nothing of them stands on the disk as it is."""
    sink = io.BytesIO()
    writer = AgeWriter(sink, PASSPHRASE, log_n=QUICK)
    with zipfile.ZipFile(writer, "w") as archive:  # type: ignore[call-overload]
        archive.writestr("a.txt", "content")
    writer.close()

    with zipfile.ZipFile(io.BytesIO(pyrage.passphrase.decrypt(sink.getvalue(), PASSPHRASE))) as archive:
        assert archive.read("a.txt") == b"content"


def opened(sealed: bytes, *, step: int = -1, passphrase: str | Lock = PASSPHRASE) -> bytes:
    reader = AgeReader(io.BytesIO(sealed), passphrase)
    return b"".join(iter(lambda: reader.read(step), b""))


@pytest.mark.parametrize("size", [0, 65_536, 200_000])
def test_what_another_implementation_wrote_is_read(size: int) -> None:
    """A backup may have been encrypted anew by hand, with another passphrase."""
    content = os.urandom(size)
    sealed = pyrage.passphrase.encrypt(content, PASSPHRASE)

    lock = Lock.open(io.BytesIO(sealed), PASSPHRASE)

    for step in (-1, 999, 1 << 20):
        assert opened(sealed, step=step, passphrase=lock) == content


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000])
def test_our_own_files_are_read(size: int) -> None:
    """A restore reads what a backup wrote."""
    content = os.urandom(size)

    assert opened(encrypted(content)) == content


def test_a_lock_opens_its_file_without_the_passphrase() -> None:
    """The command derives it, so that the server needs neither the passphrase nor the memory."""
    lock, sink = Lock.make(PASSPHRASE, log_n=QUICK), io.BytesIO()
    writer = AgeWriter(sink, lock)
    writer.write(b"content")
    writer.close()

    assert opened(sink.getvalue(), passphrase=lock) == b"content"
    assert opened(sink.getvalue()) == b"content"
    assert Lock.open(io.BytesIO(sink.getvalue()), PASSPHRASE) == lock
    assert lock.file_key.hex() not in repr(lock)
    assert str(lock.file_key) not in repr(lock)


@pytest.mark.parametrize("passphrase", ["another", Lock(b"", bytes(16))], ids=["passphrase", "lock"])
def test_the_wrong_secret_is_told_from_damage(passphrase: str | Lock) -> None:
    """Who mistyped should try again, not look for another backup."""
    with pytest.raises(WrongPassphraseError):
        opened(encrypted(b"content"), passphrase=passphrase)


@pytest.mark.parametrize("cut", [1, 17, 65_552, 65_553, 3 * 65_552])
def test_a_cut_file_is_refused(cut: int) -> None:
    """Half a database must not be restored."""
    with pytest.raises(AgeError):
        opened(encrypted(bytes(3 * 65_536))[:-cut])


@pytest.mark.parametrize("place", [-1, -65_552, -65_553, -140_000])
def test_a_changed_file_is_refused(place: int) -> None:
    """Wherever the change is."""
    sealed = bytearray(encrypted(bytes(3 * 65_536)))
    sealed[place] ^= 1

    with pytest.raises(AgeError):
        opened(bytes(sealed))


def test_what_follows_the_end_is_refused() -> None:
    """The file was not what somebody made of it."""
    with pytest.raises(AgeError):
        opened(encrypted(bytes(65_536)) + b"x")
    with pytest.raises(AgeError):
        opened(encrypted(b"x") + bytes(65_536))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"PK\x03\x04",
        b"\n" * 10_000,
        b"age-encryption.org/v1\n-> X25519 abc\n",
        b"age-encryption.org/v1\n" + b"x" * 1000,
    ],
)
def test_what_is_no_such_file_is_refused(header: bytes) -> None:
    """Whatever stands under the name of a backup."""
    with pytest.raises(AgeError):
        opened(header)


def test_a_forged_work_factor_takes_no_memory() -> None:
    """2^30 KiB would take the machine down."""
    sealed = encrypted(b"content").replace(b" 4\n", b" 30\n", 1)

    with pytest.raises(AgeError, match="memory"):
        opened(sealed)
