"""The sealed file: authenticated encryption in chunks that can be read from anywhere. Layout: docs/sealed-files.md.

It is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance", 2015) over AES-256-GCM. A chunk opens only in its place, in its file, and as what it is: the last
one or not. So nothing can be changed, moved, repeated, cut off or appended without being noticed.
"""

import io
import os
import struct
from abc import ABC, abstractmethod
from hashlib import sha256
from types import TracebackType
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pymeet.errors import PymeetError

CHUNK_BYTES = 64 * 1024
"""Plaintext of every chunk but the last."""

KEY_BYTES = 32
TAG_BYTES = 16

_MAGIC = b"PMSEALED"
_VERSION = 1
_HEADER = struct.Struct(">8sBI7s32s")  # magic, version, chunk size, nonce prefix, SHA-256 of the file's id
_MAX_CHUNK_BYTES = 1024 * 1024
"""A forged header must not make the reader take more memory than this."""
_MAX_CHUNKS = 1 << 32

Bytes = bytes | bytearray | memoryview


class SealError(PymeetError):
    """A sealed file is not what was written: damaged, cut, put together from others, or under another key."""

    code = "seal_broken"


class Sink(Protocol):
    """Where sealed bytes go. `write` takes all it is given or raises."""

    def write(self, data: bytes, /) -> int:
        """Takes the bytes."""


class StreamWriter(ABC):
    """Cuts what is written into chunks and seals them one by one, in constant memory.

    Only `close()` knows which chunk is the last, so one is always held back: the last chunk is empty only where
    nothing was written at all.
    """

    def __init__(self, sink: Sink, *, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._sink = sink
        self._chunk_bytes = chunk_bytes
        self._held = bytearray()
        self._next_index = 0
        self._open = True
        self._finished = False

    @abstractmethod
    def _seal(self, index: int, last: bool, chunk: Bytes) -> bytes:
        """The chunk as it goes to the sink."""

    def write(self, data: Bytes) -> int:
        """Takes all of `data` and returns its length. Raises what the sink raises; the file is then worthless."""
        self._refuse_unless_open()
        view = memoryview(data).cast("B")
        for start in range(0, len(view), self._chunk_bytes):
            self._held += view[start : start + self._chunk_bytes]
            if len(self._held) > self._chunk_bytes:
                self._emit(self._held[: self._chunk_bytes], last=False)
                del self._held[: self._chunk_bytes]
        return len(view)

    def flush(self) -> None:
        """For those who call it on every file. It writes nothing: an unfinished chunk cannot be sealed."""
        self._refuse_unless_open()

    def close(self) -> None:
        """Writes the last chunk; the sink stays open, for its owner to sync. A second call does nothing."""
        if not self._finished:
            self._refuse_unless_open()
            self._emit(self._held, last=True)
            self._finished = True

    def _emit(self, chunk: Bytes, *, last: bool) -> None:
        index = self._next_index
        if index >= _MAX_CHUNKS:
            raise SealError("This file is too large to be sealed.")
        self._open = False  # a write that fails leaves half a chunk behind; nothing may follow it
        self._sink.write(self._seal(index, last, chunk))
        self._next_index += 1
        self._open = not last

    def _refuse_unless_open(self) -> None:
        if not self._open:
            raise ValueError("this file is closed, or writing to it failed")


class SealedWriter(StreamWriter):
    """Writes one sealed file. The key must never seal a second one, nor the same one twice."""

    def __init__(
        self,
        sink: Sink,
        key: bytes,
        file_id: str,
        *,
        chunk_bytes: int = CHUNK_BYTES,
        prefix: bytes | None = None,
    ) -> None:
        """Writes the header. `prefix` is 7 random bytes; only test vectors bring their own."""
        super().__init__(sink, chunk_bytes=chunk_bytes)
        if not 1 <= chunk_bytes <= _MAX_CHUNK_BYTES:
            raise ValueError(f"a chunk has 1 to {_MAX_CHUNK_BYTES} bytes")
        self._cipher = _Cipher(key, file_id, chunk_bytes, prefix or os.urandom(7))
        sink.write(self._cipher.header)

    def _seal(self, index: int, last: bool, chunk: Bytes) -> bytes:
        return self._cipher.seal(index, last, chunk)


class PatchableWriter:
    """Writes one sealed file whose first chunk can be written again, for programs that patch the head when they know
    the end. That chunk is kept in memory and sealed last; so each nonce is used once here, too."""

    def __init__(
        self,
        file: BinaryIO,
        key: bytes,
        file_id: str,
        *,
        chunk_bytes: int = CHUNK_BYTES,
        prefix: bytes | None = None,
    ) -> None:
        """Writes the header to `file`, which is seekable and empty, and leaves a gap where the first chunk will be."""
        if not 1 <= chunk_bytes <= _MAX_CHUNK_BYTES:
            raise ValueError(f"a chunk has 1 to {_MAX_CHUNK_BYTES} bytes")
        self._file = file
        self._chunk_bytes = chunk_bytes
        self._cipher = _Cipher(key, file_id, chunk_bytes, prefix or os.urandom(7))
        self._head = bytearray()
        self._held = bytearray()
        self._next_index = 1
        self._position = 0
        self._open = True
        self._finished = False
        file.write(self._cipher.header)

    @property
    def size(self) -> int:
        """Bytes of plaintext so far."""
        return len(self._head) + (self._next_index - 1) * self._chunk_bytes + len(self._held)

    def write(self, data: Bytes) -> int:
        """Takes all of `data` at the present place and returns its length.

        `io.UnsupportedOperation` where it would run from the first chunk into others that are there already. Raises what
        the file raises; it is then worthless.
        """
        self._refuse_unless_open()
        view = memoryview(data).cast("B")
        if self._position < self.size > self._chunk_bytes < self._position + len(view):
            raise io.UnsupportedOperation("only the first chunk can be written again")
        into_head = max(0, min(len(view), self._chunk_bytes - self._position))
        self._head[self._position : self._position + into_head] = view[:into_head]
        for start in range(into_head, len(view), self._chunk_bytes):
            self._held += view[start : start + self._chunk_bytes]
            if len(self._held) > self._chunk_bytes:
                self._emit(self._next_index, self._held[: self._chunk_bytes], last=False)
                self._next_index += 1
                del self._held[: self._chunk_bytes]
        self._position += len(view)
        return len(view)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves inside the first chunk or to the end, and returns that place; `io.UnsupportedOperation` elsewhere."""
        self._refuse_unless_open()
        target = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if target != self.size and not 0 <= target < len(self._head):
            raise io.UnsupportedOperation("only the first chunk can be written again")
        self._position = target
        return target

    def tell(self) -> int:
        """Where the next `write` begins."""
        return self._position

    def flush(self) -> None:
        """For those who call it on every file. It writes nothing."""
        self._refuse_unless_open()

    def close(self) -> None:
        """Writes the last chunk, then the first; the file stays open, for its owner to sync. A second call does nothing."""
        if self._finished:
            return
        self._refuse_unless_open()
        if self._held:
            self._emit(self._next_index, self._held, last=True)
        self._emit(0, self._head, last=not self._held)
        self._open, self._finished = False, True

    def _emit(self, index: int, chunk: Bytes, *, last: bool) -> None:
        if index >= _MAX_CHUNKS:
            raise SealError("This file is too large to be sealed.")
        self._open = False  # as in StreamWriter: nothing may follow a write that failed
        self._file.seek(_HEADER.size + index * (self._chunk_bytes + TAG_BYTES))
        self._file.write(self._cipher.seal(index, last, chunk))
        self._open = True

    def _refuse_unless_open(self) -> None:
        if not self._open:
            raise ValueError("this file is closed, or writing to it failed")


class SealedReader:
    """Reads a sealed file from anywhere. Belongs to one thread at a time; closing it closes the file."""

    size: int
    """Bytes of plaintext. The last chunk was opened to be sure that nothing is missing behind it."""

    def __init__(self, file: BinaryIO, key: bytes, file_id: str) -> None:
        """Raises SealError when the file is another's or not whole. What lies before its end is checked as it is read.

        `file` is seekable and must stay as it is while it is read.
        """
        self._file = file
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        chunk_bytes, prefix = _parse(file.read(_HEADER.size), file_id)
        self._chunk_bytes = chunk_bytes
        self._cipher = _Cipher(key, file_id, chunk_bytes, prefix)
        self.size = plaintext_bytes(length, chunk_bytes)
        self._last_index = max(0, self.size - 1) // chunk_bytes
        self._position = 0
        self._cached_index, self._cached = -1, b""
        self._chunk(self._last_index)

    def read_at(self, offset: int, length: int) -> bytes:
        """The plaintext from `offset`, `length` bytes or what there is of them. SealError where it was changed."""
        if offset < 0 or length < 0:
            raise ValueError("offset and length cannot be negative")
        end = min(offset + length, self.size)
        parts = []
        while offset < end:
            index, skipped = divmod(offset, self._chunk_bytes)
            part = self._chunk(index)[skipped : skipped + end - offset]
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def read(self, length: int = -1) -> bytes:
        """The next `length` bytes, fewer only at the end; all that is left when negative."""
        data = self.read_at(self._position, self.size if length < 0 else length)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to where the next `read` begins and returns that place; beyond the end nothing is read."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if origin + offset < 0:
            raise ValueError("cannot seek before the beginning")
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        """Where the next `read` begins."""
        return self._position

    def close(self) -> None:
        """Closes the file. May be called twice."""
        self._file.close()

    def __enter__(self) -> "SealedReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _chunk(self, index: int) -> bytes:
        if index != self._cached_index:
            last = index == self._last_index
            length = self.size - index * self._chunk_bytes if last else self._chunk_bytes
            self._file.seek(_HEADER.size + index * (self._chunk_bytes + TAG_BYTES))
            self._cached = self._cipher.open(index, last, self._file.read(length + TAG_BYTES))
            self._cached_index = index
        return self._cached


def plaintext_bytes(sealed_bytes: int, chunk_bytes: int = CHUNK_BYTES) -> int:
    """How much is in a sealed file of this length; SealError when no file can have it. Needs no key, proves nothing."""
    body = sealed_bytes - _HEADER.size
    chunks = -(-body // (chunk_bytes + TAG_BYTES))
    size = body - chunks * TAG_BYTES
    # The last chunk holds at least one byte, unless it is the only one.
    if not 1 <= chunks <= _MAX_CHUNKS or size < 0 or (chunks > 1 and size <= (chunks - 1) * chunk_bytes):
        raise SealError("This file is damaged: a part of it is missing.")
    return size


class _Cipher:
    """One file's key with all that every chunk of it is bound to."""

    def __init__(self, key: bytes, file_id: str, chunk_bytes: int, prefix: bytes) -> None:
        if len(key) != KEY_BYTES or len(prefix) != 7:
            raise ValueError("a sealed file needs a key of 32 bytes and a prefix of 7")
        self.header = _HEADER.pack(_MAGIC, _VERSION, chunk_bytes, prefix, sha256(file_id.encode()).digest())
        self._file_id = file_id.encode()
        self._prefix = prefix
        self._gcm = AESGCM(key)

    def seal(self, index: int, last: bool, chunk: Bytes) -> bytes:
        place = struct.pack(">I?", index, last)
        return self._gcm.encrypt(self._prefix + place, chunk, self._file_id + place + self.header)

    def open(self, index: int, last: bool, sealed: bytes) -> bytes:
        place = struct.pack(">I?", index, last)
        try:
            return self._gcm.decrypt(self._prefix + place, sealed, self._file_id + place + self.header)
        except InvalidTag:
            raise SealError("This file is damaged, or its key is another's: it cannot be opened.") from None


def _parse(header: bytes, file_id: str) -> tuple[int, bytes]:
    """Chunk size and nonce prefix."""
    if len(header) < _HEADER.size:
        raise SealError("This file is damaged: its beginning is missing.")
    magic, version, chunk_bytes, prefix, id_hash = _HEADER.unpack(header)
    if magic != _MAGIC or not 1 <= chunk_bytes <= _MAX_CHUNK_BYTES:
        raise SealError("This file is damaged: it does not begin like a sealed file.")
    if version != _VERSION:
        raise SealError("This file was sealed by a newer pymeet.")
    if id_hash != sha256(file_id.encode()).digest():
        raise SealError("This file stands in the place of another.")
    return chunk_bytes, prefix
