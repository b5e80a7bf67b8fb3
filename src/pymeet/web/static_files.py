"""The client's files, read once at start and served from memory.

Only what was found then can be asked for: there is no path to walk out of, no link to follow and no folder to list.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ETag, web

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


@dataclass(frozen=True)
class StaticFile:
    """One file in memory; `etag` is the hash of its content."""

    content: bytes
    content_type: str
    etag: str


def read_files(folder: Path) -> dict[str, StaticFile]:
    """Every servable file below `folder` by its path with slashes. Links and hidden files are left out."""
    return {path.relative_to(folder).as_posix(): read_file(path) for path in _walk(folder)}


def read_file(path: Path) -> StaticFile:
    """One file with its type."""
    content = path.read_bytes()
    return StaticFile(content, _TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:32])


def answer_with(request: web.Request, file: StaticFile, *, status: int = 200, cache: str) -> web.Response:
    """The file, or 304 when the browser has it already."""
    headers = {"Cache-Control": cache, "ETag": f'"{file.etag}"'}
    if status == 200 and any(tag.value in (file.etag, "*") for tag in _known_tags(request)):
        return web.Response(status=304, headers=headers)
    return web.Response(status=status, body=file.content, headers={**headers, "Content-Type": file.content_type})


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
