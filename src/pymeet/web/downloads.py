"""Handing out sealed files: opened in a thread, piece by piece, so that an archive of any size needs little memory."""

import asyncio

import structlog
from aiohttp import web

from pymeet.db.seal import SealedReader, SealError
from pymeet.ops.wire import PIECE_BYTES

log = structlog.get_logger(__name__)


async def send_archive(request: web.Request, reader: SealedReader, name: str) -> web.StreamResponse:
    """The archive as an attachment; closes the reader. A file that turns out to be changed breaks the answer off."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/zip",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
    )
    response.content_length = reader.size
    try:
        await response.prepare(request)
        while piece := await _read(reader):
            await response.write(piece)
        await response.write_eof()
    except (SealError, OSError) as error:
        # What was promised cannot follow any more. The client notices by the length; one that left is no error.
        if not isinstance(error, ConnectionError):
            log.error("an archive could not be read", error=type(error).__name__)
        response.force_close()
        if request.transport is not None:
            request.transport.abort()
    finally:
        await asyncio.to_thread(reader.close)
    return response


async def _read(reader: SealedReader) -> bytes:
    """The next piece. A cancellation is passed on when the thread has let go of the reader."""
    reading = asyncio.ensure_future(asyncio.to_thread(reader.read, PIECE_BYTES))
    try:
        return await asyncio.shield(reading)
    finally:
        await asyncio.wait({reading})
