"""The sealed log: a sealed file that grows while something happens, and loses no more than its torn end when it stops.

What is appended is sealed at once, as records of their own length; the last record holds the lengths of all before it, so
that a finished file can be read from anywhere. Nonces are those of STREAM (`pymeet.db.seal`): a record opens only in its
place, in its file, and as what it is, the last one or not. Layout: docs/sealed-files.md.
"""

import os
import struct
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pymeet.db.seal import KEY_BYTES, TAG_BYTES, Bytes, SealedReader, SealError, Sink

MAGIC: Final = b"PMSEALOG"
MAX_RECORD_BYTES: Final = 1024 * 1024
"""Plaintext of one record; more than that becomes several. A reader opens whole records."""
MAX_RECORDS: Final = 1 << 20
"""Twelve days at one record a second."""

_VERSION = 1
_HEADER = struct.Struct(">8sB7s32s")  # magic, version, nonce prefix, SHA-256 of the file's id
_LENGTH = struct.Struct(">I")


class SealedLogWriter:
    """Seals records one by one. The key must never seal a second file, nor the same one twice."""

    def __init__(self, sink: Sink, key: bytes, file_id: str, *, prefix: bytes | None = None) -> None:
        """Writes the header. `prefix` is 7 random bytes; only test vectors bring their own."""
        self._sink = sink
        self._cipher = _Cipher(key, file_id, prefix or os.urandom(7))
        self._lengths = array("I")
        self._open = True
        self.whole_bytes = _HEADER.size
        """Where the last record that is surely written ends; a write that failed may have left something behind it."""
        sink.write(self._cipher.header)

    def append(self, data: Bytes) -> None:
        """Writes `data` as one record, or several when it is long. Raises what the sink raises; then nothing may follow."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), MAX_RECORD_BYTES):
            if not self._open:
                raise ValueError("this file is closed, or writing to it failed")
            if len(self._lengths) == MAX_RECORDS:
                raise SealError("This file has too many records.")
            record = view[start : start + MAX_RECORD_BYTES]
            sealed = self._cipher.seal(len(self._lengths), False, record)
            # A record that was written in part has used up its nonce: it must not be sealed again with other content.
            self._open = False
            self._sink.write(_LENGTH.pack(len(record)) + sealed)
            self._lengths.append(len(record))
            self.whole_bytes += _LENGTH.size + len(sealed)
            self._open = True

    def end(self) -> bytes:
        """The last record, to be written at `whole_bytes`. Nothing can be appended after it."""
        self._open = False
        return _end(self._cipher, self._lengths)


class SealedLogReader(SealedReader):
    """Reads a finished sealed log from anywhere. Belongs to one thread at a time; closing it closes the file."""

    def __init__(self, file: BinaryIO, key: bytes, file_id: str) -> None:
        """Raises SealError when the file is another's or not whole. What lies before its end is checked as it is read.

        `file` is seekable and must stay as it is while it is read.
        """
        self._file = file
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        cipher = _Cipher(key, file_id, _parse(file.read(_HEADER.size), file_id))
        self._log = cipher
        end = _find_end(file, length)
        file.seek(end.starts_at)
        lengths = array("I")
        lengths.frombytes(_native(cipher.open(end.records, True, file.read(end.sealed_bytes))))
        *self._starts, self.size = accumulate(lengths, initial=0)
        if end.starts_at != _HEADER.size + self.size + len(lengths) * (_LENGTH.size + TAG_BYTES):
            raise SealError("This file is damaged: a part of it is missing.")
        self._lengths = lengths
        self._position = 0
        self._cached_index, self._cached = -1, b""

    def read_at(self, offset: int, length: int) -> bytes:
        """The plaintext from `offset`, `length` bytes or what there is of them. SealError where it was changed."""
        if offset < 0 or length < 0:
            raise ValueError("offset and length cannot be negative")
        end = min(offset + length, self.size)
        parts = []
        index = bisect_right(self._starts, offset) - 1
        while offset < end:
            skipped = offset - self._starts[index]
            part = self._record(index)[skipped : skipped + end - offset]
            parts.append(part)
            offset += len(part)
            index += 1
        return b"".join(parts)

    def _record(self, index: int) -> bytes:
        if index != self._cached_index:
            length = self._lengths[index]
            place = _HEADER.size + self._starts[index] + index * (_LENGTH.size + TAG_BYTES)
            self._file.seek(place + _LENGTH.size)
            self._cached = self._log.open(index, False, self._file.read(length + TAG_BYTES))
            self._cached_index = index
        return self._cached


@dataclass(frozen=True)
class Recovered:
    """What can be kept of a log that was not finished."""

    whole_bytes: int
    """Where the last whole record ends; what stands behind it is to be cut off."""
    end: bytes
    """The last record, to be written there."""
    content_bytes: int
    """Plaintext that is kept."""


def recover(file: BinaryIO, key: bytes, file_id: str) -> Recovered | None:
    """Opens the records of an unfinished log one after the other, up to the first that is torn. None when not even the
    header is whole: nothing was ever written to it. SealError when the file is another's.

    The end it gives follows from the records alone, so that doing this again, after a crash in between, seals the same
    bytes with the same nonce; and the nonce of a torn record, which was not a last one, is never used again.
    """
    file.seek(0)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not any(header):
        return None
    cipher = _Cipher(key, file_id, _parse(header, file_id))
    lengths = array("I")
    whole_bytes = _HEADER.size
    while len(lengths) < MAX_RECORDS and (found := file.read(_LENGTH.size)):
        length = _LENGTH.unpack(found)[0] if len(found) == _LENGTH.size else 0
        if not 0 < length <= MAX_RECORD_BYTES:
            break
        try:
            cipher.open(len(lengths), False, file.read(length + TAG_BYTES))
        except SealError:
            break
        lengths.append(length)
        whole_bytes += _LENGTH.size + length + TAG_BYTES
    return Recovered(whole_bytes, _end(cipher, lengths), sum(lengths))


def plaintext_bytes(file: BinaryIO) -> int:
    """How much is in a finished log, by its length and its last four bytes. Needs no key, proves nothing. SealError."""
    end = _find_end(file, file.seek(0, os.SEEK_END))
    return end.starts_at - _HEADER.size - end.records * (_LENGTH.size + TAG_BYTES)


@dataclass(frozen=True)
class _End:
    """Where the last record stands."""

    starts_at: int
    sealed_bytes: int
    records: int


def _find_end(file: BinaryIO, length: int) -> _End:
    """The last record is found from behind: the file's last four bytes say how long its plaintext is."""
    damaged = SealError("This file is damaged: its end is missing.")
    if length < _HEADER.size + TAG_BYTES + _LENGTH.size:
        raise damaged
    file.seek(length - _LENGTH.size)
    (table_bytes,) = _LENGTH.unpack(file.read(_LENGTH.size))
    records, rest = divmod(table_bytes, _LENGTH.size)
    sealed_bytes = table_bytes + TAG_BYTES
    starts_at = length - _LENGTH.size - sealed_bytes
    if rest or records > MAX_RECORDS or starts_at < _HEADER.size + records * (_LENGTH.size + TAG_BYTES):
        raise damaged
    return _End(starts_at, sealed_bytes, records)


def _end(cipher: "_Cipher", lengths: "array[int]") -> bytes:
    table = _native(lengths.tobytes())
    return cipher.seal(len(lengths), True, table) + _LENGTH.pack(len(table))


def _native(table: bytes) -> bytes:
    """Between big-endian, as on the disk, and the machine's order, in either direction."""
    numbers = array("I", table)
    if struct.pack("=I", 1) != struct.pack(">I", 1):
        numbers.byteswap()
    return numbers.tobytes()


class _Cipher:
    """One log's key with all that every record of it is bound to."""

    def __init__(self, key: bytes, file_id: str, prefix: bytes) -> None:
        if len(key) != KEY_BYTES or len(prefix) != 7:
            raise ValueError("a sealed file needs a key of 32 bytes and a prefix of 7")
        self.header = _HEADER.pack(MAGIC, _VERSION, prefix, sha256(file_id.encode()).digest())
        self._file_id = file_id.encode()
        self._prefix = prefix
        self._gcm = AESGCM(key)

    def seal(self, index: int, last: bool, record: Bytes) -> bytes:
        place = struct.pack(">I?", index, last)
        return self._gcm.encrypt(self._prefix + place, record, self._file_id + place + self.header)

    def open(self, index: int, last: bool, sealed: bytes) -> bytes:
        place = struct.pack(">I?", index, last)
        try:
            return self._gcm.decrypt(self._prefix + place, sealed, self._file_id + place + self.header)
        except InvalidTag:
            raise SealError("This file is damaged, or its key is another's: it cannot be opened.") from None


def _parse(header: bytes, file_id: str) -> bytes:
    """The nonce prefix."""
    if len(header) < _HEADER.size:
        raise SealError("This file is damaged: its beginning is missing.")
    magic, version, prefix, id_hash = _HEADER.unpack(header)
    if magic != MAGIC:
        raise SealError("This file is damaged: it does not begin like a sealed log.")
    if version != _VERSION:
        raise SealError("This file was sealed by a newer pymeet.")
    if id_hash != sha256(file_id.encode()).digest():
        raise SealError("This file stands in the place of another.")
    return bytes(prefix)
