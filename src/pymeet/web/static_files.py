"""The client's files, read once at start and served from memory.

Only what was found then can be asked for: there is no path to walk out of, no link to follow and no folder to list.
"""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aiohttp import ETag, hdrs, web

_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""What may be served; a file of any other kind stays unseen."""


_GZIP_ETAG = "-gzip"
"""What tells the packed form of a file from the plain one: a strong tag names bytes (RFC 9110, section 8.8.3.3)."""


@dataclass(frozen=True)
class StaticFile:
    """One file in memory; `etag` is the hash of its content."""

    content: bytes
    content_type: str
    etag: str

    @cached_property
    def packed(self) -> bytes:
        """The content as gzip, made when somebody first asks for it. None of these files holds a secret that could be
        guessed from how well it packs."""
        return gzip.compress(self.content, mtime=0)


def read_files(folder: Path) -> dict[str, StaticFile]:
    """Every servable file below `folder` by its path with slashes. Links and hidden files are left out."""
    return {path.relative_to(folder).as_posix(): read_file(path) for path in _walk(folder)}


def read_file(path: Path) -> StaticFile:
    """One file with its type."""
    content = path.read_bytes()
    return StaticFile(content, _TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:32])


def answer_with(request: web.Request, file: StaticFile, *, status: int = 200, cache: str) -> web.Response:
    """The file, or 304 when the browser has it already."""
    packs = _takes_gzip(request)
    etag = f"{file.etag}{_GZIP_ETAG}" if packs else file.etag
    headers = {"Cache-Control": cache, "ETag": f'"{etag}"', "Vary": hdrs.ACCEPT_ENCODING}
    if status == 200 and any(tag.value in (etag, "*") for tag in _known_tags(request)):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = file.content_type
    if packs:
        headers["Content-Encoding"] = "gzip"
    return web.Response(status=status, body=file.packed if packs else file.content, headers=headers)


def _takes_gzip(request: web.Request) -> bool:
    """Whether the client names gzip and does not rule it out (RFC 9110, section 12.5.3)."""
    for coding in request.headers.get(hdrs.ACCEPT_ENCODING, "").split(","):
        name, _, quality = coding.partition(";")
        if name.strip().lower() == "gzip":
            return quality.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _known_tags(request: web.Request) -> tuple[ETag, ...]:
    try:
        return request.if_none_match or ()
    except ValueError:
        return ()


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_symlink() or path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.suffix in _TYPES:
            yield path
