"""Age files with a passphrase: another program opens them, and nothing else does."""

import io
import os
import zipfile

import pyrage
import pytest

from pymeet.privacy.age import LOG_N, AgeWriter

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
