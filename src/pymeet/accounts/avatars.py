"""Pictures of members: decoded and drawn anew, so that nothing of the file that somebody sent is kept or handed out.

Metadata (where and when a photo was taken) goes with it, and so does whatever else hides in such files.
"""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image, ImageOps
from sqlalchemy import Connection, insert, select

from pymeet.db import audit
from pymeet.db.engine import Transaction
from pymeet.db.files import Files
from pymeet.db.schema import avatars
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.ids import new_id
from pymeet.privacy.gone import remove_pending
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.rows import delete_rows

MAX_BYTES = 2_000_000
MAX_PIXELS = 25_000_000
"""A small file can hold a picture that fills the memory; this much takes 100 MB, and one is drawn at a time."""

SIZE = 256
_FORMATS = ("PNG", "JPEG", "WEBP")
_painter = ThreadPoolExecutor(1, thread_name_prefix="pictures")


@dataclass(frozen=True)
class Avatar:
    """A picture as it is stored."""

    webp: bytes
    changed_at_ms: int


async def set_avatar(lifecycle: Lifecycle, user_id: str, picture: bytes) -> None:
    """Makes a PNG, JPEG or WebP file the person's picture; the one before it is destroyed.

    Raises InvalidInputError (`not_a_picture`).
    """
    drawn = await asyncio.get_running_loop().run_in_executor(_painter, _draw, picture)
    file_id, now_ms = new_id(), lifecycle.clock.now_ms()

    def change(conn: Connection) -> None:
        delete_rows(conn, avatars, avatars.c.user_id == user_id, now_ms)
        conn.execute(insert(avatars).values(user_id=user_id, file_id=file_id, changed_at_ms=now_ms))
        audit.record_now(conn, now_ms, user_id, "user.picture_changed", audit.Person(user_id))

    try:
        await asyncio.to_thread(_store, lifecycle.files, file_id, drawn, now_ms)
        await lifecycle.db.work(change)
    except BaseException:
        await asyncio.to_thread(lifecycle.files.destroy, file_id)
        raise
    await remove_pending(lifecycle)


async def remove_avatar(lifecycle: Lifecycle, user_id: str) -> None:
    """Destroys the person's picture; where there is none, nothing happens."""
    now_ms = lifecycle.clock.now_ms()

    def change(conn: Connection) -> None:
        if delete_rows(conn, avatars, avatars.c.user_id == user_id, now_ms):
            audit.record_now(conn, now_ms, user_id, "user.picture_removed", audit.Person(user_id))

    await lifecycle.db.work(change)
    await remove_pending(lifecycle)


async def has_avatar(conn: Transaction, user_id: str) -> bool:
    """Whether there is a picture of the person."""
    mine = select(avatars.c.user_id).where(avatars.c.user_id == user_id, avatars.c.file_id.is_not(None))
    return (await conn.execute(mine)).first() is not None


async def avatar_of(lifecycle: Lifecycle, user_id: str) -> Avatar:
    """A person's picture. Raises NotFoundError where there is none."""
    async with lifecycle.db.read() as conn:
        row = (await conn.execute(select(avatars).where(avatars.c.user_id == user_id))).mappings().first()
    if row is None or row["file_id"] is None:
        raise NotFoundError("There is no such picture.")
    return Avatar(await asyncio.to_thread(_read, lifecycle.files, row["file_id"]), row["changed_at_ms"])


def _draw(picture: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(picture), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError("too many pixels")
            image.draft("RGB", (2 * SIZE, 2 * SIZE))  # a JPEG need not be decoded in full
            upright = ImageOps.exif_transpose(image)
            square = ImageOps.fit(upright.convert("RGBA"), (SIZE, SIZE))
    except Exception as error:  # decoders fail in as many ways as there are broken files
        raise InvalidInputError(
            "This is no picture that can be used. Send a PNG, JPEG or WebP file of up to 25 megapixels.",
            code="not_a_picture",
        ) from error
    clean = Image.new("RGBA", square.size)  # pixels, and nothing that came with them
    clean.paste(square)
    webp = io.BytesIO()
    clean.save(webp, "WEBP", quality=85)
    return webp.getvalue()


def _store(files: Files, file_id: str, data: bytes, now_ms: int) -> None:
    with files.create(file_id, now_ms) as sink:
        sink.write(data)
        sink.finish()


def _read(files: Files, file_id: str) -> bytes:
    with files.open(file_id) as reader:
        return reader.read(MAX_BYTES)
