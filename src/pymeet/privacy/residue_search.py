"""Searches bytes for texts that should be gone, in every form in which programs write texts. Run as a process of its own.

A process of its own, because closing a file that SQLite has open drops SQLite's locks in the whole process (see "How To
Corrupt An SQLite Database File", 2.2), and because hours of searching must not delay a meeting. `residue.py` starts it:
one JSON object comes on standard input, JSON lines go to standard output. Nothing but the standard library is needed.
"""

import base64
import html
import json
import os
import sqlite3
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus

CHUNK_BYTES: Final = 1 << 20
"""So much of a file is in memory at once."""

PIECE: Final = 40
"""Long texts are searched for by their beginning, middle and end, so many characters each: pages are overwritten in part."""

_WORD = 8
_WORD_PATTERN = 2 * _WORD - 1
"""A pattern of this length holds a whole aligned word wherever it stands;"""
_PAIR_PATTERN = 3 * _WORD - 1
"""one of this length, two of them."""

MEMBER_BYTES: Final = 1 << 28
"""Of one compressed member no more than this is looked at: it may be made to unpack without end."""
_MEMBERS_AT_ONCE = 8
_DEEPEST = 3
_GZIP, _ZIP = b"\x1f\x8b\x08", b"PK\x03\x04"
_ZIP_HEADER = struct.Struct("<4xHHH2x2x4x4x4xHH")  # version, flags, method, …, length of name and extra field
_ROWS = 2000

_CHECKPOINT_WAIT_MS = 500
_ATTEMPTS = 20
_PAUSE_S = 0.1


def forms_of(text: str) -> Iterator[tuple[str, bytes]]:
    """Every form of a text with the name of its encoding; in lower case, for what is searched is made so too."""
    for each in dict.fromkeys((text, text.lower(), text.upper())):
        yield "utf-8", each.encode()
        yield "utf-16-le", each.encode("utf-16-le")
        yield "utf-16-be", each.encode("utf-16-be")
        yield "json", json.dumps(each)[1:-1].encode()
        yield "json", json.dumps(each, ensure_ascii=False)[1:-1].encode()
        yield "html", html.escape(each).encode()
        yield "percent", quote(each, safe="").encode()
        yield "percent", quote(each).encode()
        yield "percent", quote_plus(each).encode()
        yield "quoted-printable", _quoted_printable(each.encode())
    for phase in range(3):
        # the characters at both ends also depend on what stands beside, so they are left out
        inner = base64.b64encode(bytes(phase) + text.encode())
        start = -(-phase * 8 // 6)
        end = (phase + len(text.encode())) * 8 // 6
        yield "base64", inner[start:end]
        yield "base64", inner[start:end].translate(bytes.maketrans(b"+/", b"-_"))


def pieces_of(text: str) -> Iterator[str]:
    """What of a text is searched for."""
    if len(text) <= 2 * PIECE:
        yield text
    else:
        middle = (len(text) - PIECE) // 2
        yield from dict.fromkeys((text[:PIECE], text[middle : middle + PIECE], text[-PIECE:]))


class Patterns:
    """All forms of all texts, prepared so that the time of a search hardly depends on how many they are.

    A pattern of 23 bytes and more holds, wherever it begins, two whole words of eight bytes at multiples of eight. So only
    the aligned words of what is searched are looked up. Patterns from 15 bytes on hold one such word, which is enough for
    ids; the few shorter ones are searched one by one.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._patterns: list[tuple[bytes, int, str]] = []
        self._first: set[int] = set()
        self._words: dict[int, list[tuple[int, int]]] = {}
        self._pairs: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self._short: list[int] = []
        known: set[tuple[int, bytes]] = set()
        for number, text in enumerate(texts):
            for piece in pieces_of(text):
                for form, written in forms_of(piece):
                    pattern = written.lower()
                    if len(pattern) >= 4 and (number, pattern) not in known:
                        known.add((number, pattern))
                        self._add(pattern, number, form)
        self.longest = max((len(pattern) for pattern, _, _ in self._patterns), default=1)

    def _add(self, pattern: bytes, number: int, form: str) -> None:
        index = len(self._patterns)
        self._patterns.append((pattern, number, form))
        if len(pattern) < _WORD_PATTERN:
            self._short.append(index)
            return
        pair = len(pattern) >= _PAIR_PATTERN
        # from the middle: many texts begin alike
        start = (len(pattern) - (_PAIR_PATTERN if pair else _WORD_PATTERN)) // 2
        for offset in range(start, start + _WORD):
            if pair:
                words: tuple[int, int] = struct.unpack_from("=QQ", pattern, offset)
                self._first.add(words[0])
                self._pairs.setdefault(words, []).append((index, offset))
            else:
                (word,) = struct.unpack_from("=Q", pattern, offset)
                self._first.add(word)
                self._words.setdefault(word, []).append((index, offset))

    def find(self, data: bytes, after: int) -> Iterator[tuple[int, str]]:
        """Number of the text and form of every occurrence in `data` that ends behind `after`."""
        lower = data.lower()
        seen: set[tuple[int, int]] = set()
        words = memoryview(lower)[: len(lower) - len(lower) % _WORD].cast("Q")
        first = self._first
        for position in [position for position, word in enumerate(words) if word in first]:
            word = words[position]
            candidates = self._words.get(word, [])
            if position + 1 < len(words):
                candidates = candidates + self._pairs.get((word, words[position + 1]), [])
            for index, offset in candidates:
                start = position * _WORD - offset
                if start >= 0 and lower.startswith(self._patterns[index][0], start):
                    seen.add((index, start))
        for index in self._short:
            pattern = self._patterns[index][0]
            start = lower.find(pattern)
            while start >= 0:
                seen.add((index, start))
                start = lower.find(pattern, start + 1)
        for index, start in seen:
            pattern, number, form = self._patterns[index]
            if start + len(pattern) > after:
                yield number, form


class Search:
    """Searches one stream of bytes, and what is packed in it, in constant memory."""

    def __init__(self, patterns: Patterns, *, depth: int = 0) -> None:
        self.found: Counter[tuple[int, str]] = Counter()
        """How often which text was found in which form."""
        self._patterns = patterns
        self._depth = depth
        self._tail = b""
        self._members: list[_Member] = []

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the stream."""
        for member in self._members:
            member.feed(data)
        buffer = self._tail + data
        self.found.update(self._patterns.find(buffer, len(self._tail)))
        if self._depth < _DEEPEST:
            self._open_members(buffer, len(self._tail))
        for member in self._members:
            if member.ended:
                self.found.update(member.found)
        self._members = [member for member in self._members if not member.ended]
        keep = max(self._patterns.longest, len(_ZIP)) - 1
        self._tail = buffer[-keep:] if keep else b""

    def end(self) -> Counter[tuple[int, str]]:
        """Everything found, when the stream is over."""
        for member in self._members:
            self.found.update(member.found)
        self._members = []
        return self.found

    def _open_members(self, buffer: bytes, after: int) -> None:
        for magic, kind in ((_GZIP, "gzip"), (_ZIP, "zip")):
            start = buffer.find(magic, max(0, after - len(magic) + 1))
            while start >= 0 and len(self._members) < _MEMBERS_AT_ONCE:
                member = _Member(kind, Search(self._patterns, depth=self._depth + 1))
                member.feed(buffer[start:])
                if member.ended:
                    self.found.update(member.found)
                else:
                    self._members.append(member)
                start = buffer.find(magic, start + 1)


class _Member:
    """Something compressed inside a stream, unpacked as the stream goes by."""

    def __init__(self, kind: str, search: Search) -> None:
        self.ended = False
        self._search = search
        self._header = b"" if kind == "zip" else None
        self._unpack = zlib.decompressobj(31 if kind == "gzip" else -15)
        self._left = MEMBER_BYTES

    @property
    def found(self) -> Counter[tuple[int, str]]:
        return self._search.end()

    def feed(self, data: bytes) -> None:
        if self.ended:
            return
        if self._header is not None:
            self._header += data
            data = self._begin()
        try:
            while data and not self._unpack.eof and self._left > 0:
                plain = self._unpack.decompress(data, CHUNK_BYTES)
                data = self._unpack.unconsumed_tail
                self._left -= len(plain)
                if plain:
                    self._search.feed(plain)
        except zlib.error:
            self.ended = True  # it only looked like the beginning of something packed, or it is cut off here
        if self._unpack.eof or self._left <= 0:
            self.ended = True

    def _begin(self) -> bytes:
        """What follows the local header of a zip member (APPNOTE 4.3.7), once all of it is there."""
        header = self._header or b""
        if len(header) < _ZIP_HEADER.size:
            return b""
        _, _, method, name, extra = _ZIP_HEADER.unpack_from(header)
        if method != 8:  # what is stored as it is was searched already
            self.ended = True
            return b""
        start = _ZIP_HEADER.size + name + extra
        if len(header) < start:
            return b""
        self._header = None
        return header[start:]


def search_file(path: Path, patterns: Patterns, tell: Any) -> Counter[tuple[int, str]]:
    """What is found in a file. Raises OSError."""
    search = Search(patterns)
    with path.open("rb", buffering=0) as file:
        while data := file.read(CHUNK_BYTES):
            search.feed(data)
            tell(len(data))
    return search.end()


def search_rows(database: Path, patterns: Patterns, wanted: set[int]) -> Mapping[int, set[str]]:
    """In which columns (`table.column`) of living rows the `wanted` texts stand."""
    found: dict[int, set[str]] = {}
    with _opened(database) as conn:
        for table, column in _text_columns(conn):
            search = Search(patterns, depth=_DEEPEST)
            last = -1
            while rows := conn.execute(
                f'SELECT rowid, CAST("{column}" AS BLOB) FROM "{table}" WHERE rowid > ? ORDER BY rowid LIMIT {_ROWS}',  # noqa: S608
                (last,),
            ).fetchall():
                search.feed(b"\0".join(value for _, value in rows if value) + b"\0")
                last = rows[-1][0]
            for number, _ in search.end():
                if number in wanted:
                    found.setdefault(number, set()).add(f"{table}.{column}")
    return found


def search_free_pages(database: Path) -> tuple[int, int] | None:
    """How many pages of a SQLite file are free, and how many of them are not empty.

    None when the file could not be looked at in one state, because somebody writes without pause. While a snapshot is
    read that needs nothing of the write-ahead log, no checkpoint can change the file (walformat, WAL_READ_LOCK(0)).
    """
    log = database.with_name(f"{database.name}-wal")
    with _opened(database, "rw") as conn:
        conn.execute(f"PRAGMA busy_timeout={_CHECKPOINT_WAIT_MS}")
        for _ in range(_ATTEMPTS):
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            conn.execute("BEGIN")
            try:
                conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
                if not log.exists() or log.stat().st_size == 0:
                    with database.open("rb", buffering=0) as file:
                        return _free_pages(file)
            finally:
                conn.execute("ROLLBACK")
            time.sleep(_PAUSE_S)
    return None


def _free_pages(file: Any) -> tuple[int, int]:
    """Walks the freelist (SQLite file format, 1.5)."""
    header = file.read(100)
    if len(header) < 100:
        return 0, 0
    size = int.from_bytes(header[16:18], "big")
    size = 65536 if size == 1 else size
    pages = int.from_bytes(header[28:32], "big")
    trunk, count = int.from_bytes(header[32:36], "big"), int.from_bytes(header[36:40], "big")
    empty = bytes(size)
    free = dirty = 0
    while trunk and free < count:
        page = _page(file, trunk, size)
        trunk, leaves = struct.unpack_from(">II", page)
        numbers = struct.unpack_from(f">{size // 4 - 2}I", page, 8)
        # Behind the numbers in use there may be former ones; anything larger than a page's number is something else.
        dirty += any(number > pages for number in numbers[leaves:])
        free += 1 + leaves
        dirty += sum(_page(file, number, size) != empty for number in numbers[:leaves])
    return free, dirty


def _page(file: Any, number: int, size: int) -> bytes:
    data: bytes = os.pread(file.fileno(), size, (number - 1) * size)
    return data


def _opened(database: Path, mode: str = "ro") -> closing[sqlite3.Connection]:
    """A connection that makes no file; to be used in a `with` block, which closes it."""
    uri = f"{database.absolute().as_uri()}?mode={mode}"
    return closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=15))


def _text_columns(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    return [
        (table, column)
        for table in tables
        for _, column, declared, *_ in conn.execute(f'PRAGMA table_info("{table}")').fetchall()
        if declared.upper() in ("TEXT", "VARCHAR", "BLOB") or declared.upper().startswith("VARCHAR")
    ]


def _quoted_printable(data: bytes) -> bytes:
    return b"".join(bytes([byte]) if 32 <= byte < 127 and byte != 61 else b"=%02X" % byte for byte in data)


def run(order: Mapping[str, Any], say: Any) -> dict[str, Any]:
    """Does what the order says: `files` to search, `names` that are no files, `texts`, `databases`."""
    patterns = Patterns(order["texts"])
    total = sum(_size(path) for path in order["files"])
    done, unread = 0, []

    def tell(count: int) -> None:
        nonlocal done
        done += count
        say({"progress": [done, max(total, done)]})

    free = {database: search_free_pages(Path(database)) for database in order["databases"]}
    hits: list[tuple[str, int, str, int]] = []
    names = Search(patterns)
    names.feed("\n".join(order["names"]).encode(errors="surrogateescape"))
    hits += _hits("file names", names.end())
    for path in order["files"]:
        try:
            hits += _hits(path, search_file(Path(path), patterns, tell))
        except FileNotFoundError:
            continue  # it went while others were searched
        except OSError:
            unread.append(path)
    numbers = {number for _, number, _, _ in hits}
    living: dict[int, set[str]] = {}
    for database in order["databases"] if numbers else ():
        for number, columns in search_rows(Path(database), patterns, numbers).items():
            living.setdefault(number, set()).update(columns)
    return {
        "bytes": done,
        "hits": hits,
        "living": {str(number): sorted(columns) for number, columns in living.items()},
        "free": free,
        "unread": unread,
    }


def _hits(place: str, found: Mapping[tuple[int, str], int]) -> Iterable[tuple[str, int, str, int]]:
    return [(place, number, form, count) for (number, form), count in found.items()]


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _say({"result": run(json.load(sys.stdin), _say)})
