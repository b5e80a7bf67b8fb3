"""Writes and reads age files that a passphrase opens, so that people need only well-known programs to open what they
are given.

Format: https://age-encryption.org/v1 (c2sp.org/age), with the scrypt recipient. The payload is cut into chunks as in
our own sealed files, under ChaCha20-Poly1305.
"""

import base64
import hmac
import os
import re
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from pymeet.db.seal import CHUNK_BYTES, TAG_BYTES, Bytes, Sink, StreamWriter
from pymeet.errors import PymeetError

LOG_N: Final = 18
"""The work to try one passphrase, as a power of two: what age itself takes; about a second and 256 MiB of memory."""

_MOST_LOG_N = 20
"""A forged header must not make the reader take more than 1 GiB of memory."""

_LABEL = b"age-encryption.org/v1"
_HEADER = re.compile(
    rb"age-encryption\.org/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n---"
    rb" ([A-Za-z0-9+/]{43})\n"
)
_HEADER_LINES = 4
_LONGEST_LINE_BYTES = 128


class AgeError(PymeetError):
    """This is no age file with a passphrase, or it was changed or cut."""

    code = "age_broken"


class WrongPassphraseError(PymeetError):
    """The passphrase, or the key in its place, does not open this file."""

    code = "wrong_passphrase"


@dataclass(frozen=True)
class Lock:
    """The header of one age file, with the key that the passphrase opens.

    Deriving it is what costs time and memory. Whoever has it needs no passphrase, for this one file.
    """

    header: bytes
    file_key: bytes = field(repr=False)

    @classmethod
    def make(cls, passphrase: str, *, log_n: int = LOG_N) -> "Lock":
        """A new one for a new file. Takes 2^`log_n` KiB of memory for its time; ValueError for an empty passphrase."""
        if not passphrase:
            raise ValueError("an empty passphrase protects nothing")
        file_key, salt = os.urandom(16), os.urandom(16)
        # The wrap key is used once, so a fixed nonce is right.
        body = ChaCha20Poly1305(_wrap_key(passphrase, salt, log_n)).encrypt(bytes(12), file_key, None)
        header = _LABEL + b"\n-> scrypt %s %d\n%s\n---" % (_base64(salt), log_n, _base64(body))
        return cls(header + b" " + _base64(_mac(file_key, header)) + b"\n", file_key)

    @classmethod
    def open(cls, source: BinaryIO, passphrase: str) -> "Lock":
        """Reads the header of an age file. WrongPassphraseError; AgeError when it is none that a passphrase opens."""
        salt, log_n, body, header = _read_header(source)
        if log_n > _MOST_LOG_N:
            raise AgeError("Opening this file would take more memory than any file of ours: it is not opened.")
        try:
            key = ChaCha20Poly1305(_wrap_key(passphrase, salt, log_n)).decrypt(bytes(12), body, None)
        except InvalidTag:
            raise _wrong() from None
        _check_mac(header, key)
        return cls(header, key)


class AgeWriter(StreamWriter):
    """Writes one age file to `sink`, in constant memory. `close()` ends the file and leaves the sink open."""

    def __init__(self, sink: Sink, passphrase: str | Lock, *, log_n: int = LOG_N) -> None:
        """Writes the header; derives the key from the passphrase first, where one is given (`Lock.make`)."""
        super().__init__(sink)
        lock = passphrase if isinstance(passphrase, Lock) else Lock.make(passphrase, log_n=log_n)
        nonce = os.urandom(16)
        self._cipher = ChaCha20Poly1305(_hkdf(lock.file_key, salt=nonce, info=b"payload"))
        sink.write(lock.header + nonce)

    def _seal(self, index: int, last: bool, chunk: Bytes) -> bytes:
        return self._cipher.encrypt(_nonce(index, last), chunk, None)


class AgeReader:
    """Reads one age file from its beginning to its end, in constant memory."""

    def __init__(self, source: BinaryIO, passphrase: str | Lock) -> None:
        """Reads the header. WrongPassphraseError, AgeError. `source.read(n)` gives less than `n` only at its end."""
        if isinstance(passphrase, Lock):
            *_, header = _read_header(source)
            _check_mac(header, passphrase.file_key)
            file_key = passphrase.file_key
        else:
            file_key = Lock.open(source, passphrase).file_key
        nonce = source.read(16)
        self._cipher = ChaCha20Poly1305(_hkdf(file_key, salt=nonce, info=b"payload"))
        self._source = source
        self._ahead: bytes | None = source.read(CHUNK_BYTES + TAG_BYTES)
        self._next_index = 0
        self._held = bytearray()

    def read(self, length: int = -1) -> bytes:
        """The next `length` bytes, fewer only at the end; all that is left when negative.

        AgeError where the file was changed or cut: what was read before it is what was written, and not all of it.
        """
        while self._ahead is not None and (length < 0 or len(self._held) < length):
            self._held += self._chunk(self._ahead)
        wanted = len(self._held) if length < 0 else length
        data = bytes(self._held[:wanted])
        del self._held[:wanted]
        return data

    def _chunk(self, sealed: bytes) -> bytes:
        """The next chunk. The last one is known by nothing following it, and must have been written as the last."""
        index = self._next_index
        following = self._source.read(CHUNK_BYTES + TAG_BYTES)
        try:
            chunk = self._cipher.decrypt(_nonce(index, last=not following), sealed, None)
        except InvalidTag:
            raise _damaged() from None
        if not chunk and index:
            raise _damaged()
        self._ahead = following or None
        self._next_index = index + 1
        return chunk


def _read_header(source: BinaryIO) -> tuple[bytes, int, bytes, bytes]:
    """Salt, work factor, wrapped key, and the header as it stands."""
    header = b"".join(source.readline(_LONGEST_LINE_BYTES) for _ in range(_HEADER_LINES))
    found = _HEADER.fullmatch(header)
    if found is None:
        raise AgeError("This is no age file that a passphrase opens, or its beginning is damaged.")
    salt, log_n, body, _ = found.groups()
    return _bytes(salt), int(log_n), _bytes(body), header


def _check_mac(header: bytes, file_key: bytes) -> None:
    signed, _, mac = header.rpartition(b" ")
    if not hmac.compare_digest(_mac(file_key, signed), _bytes(mac.strip())):
        raise _wrong()


def _wrap_key(passphrase: str, salt: bytes, log_n: int) -> bytes:
    return Scrypt(salt=_LABEL + b"/scrypt" + salt, length=32, n=1 << log_n, r=8, p=1).derive(passphrase.encode())


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_hkdf(file_key, salt=b"", info=b"header"), header, "sha256")


def _hkdf(file_key: bytes, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(file_key)


def _nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11, "big") + bytes([last])


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    data = base64.b64decode(text + b"=" * (-len(text) % 4))
    if _base64(data) != text:
        raise AgeError("The beginning of this age file is damaged.")
    return data


def _wrong() -> WrongPassphraseError:
    return WrongPassphraseError("The passphrase does not open this file. Give the one it was made with.")


def _damaged() -> AgeError:
    return AgeError("This age file is damaged: it was changed, or a part of it is missing.")
