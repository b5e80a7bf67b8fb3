"""Looks whether what was recorded can still be played: every track and film is read to its end, and decoded.

Reading proves that nothing was changed, for each byte is authenticated; decoding proves that it was worth keeping: all
of the sound, and of pictures those that stand for themselves. Synchronous, for threads.
"""

from pymeet.db.files import Files
from pymeet.db.seal import SealedReader, SealError
from pymeet.errors import NotFoundError

MISSING = "missing"
"""There is no file, or its key is gone."""
DAMAGED = "damaged"
"""It was changed, or a part of it is not there."""
NOT_PLAYABLE = "not_playable"
"""It is as it was written, and holds neither sound nor pictures that can be decoded."""

_PIECE_BYTES = 1 << 20


def problem_of(files: Files, file_id: str) -> str | None:
    """What is wrong with a sealed film or track; None when nothing is."""
    try:
        with files.open(file_id) as reader:
            while reader.read(_PIECE_BYTES):
                pass
            reader.seek(0)
            return None if _decodes(reader) else NOT_PLAYABLE
    except NotFoundError:
        return MISSING
    except (SealError, OSError):
        return DAMAGED


def _decodes(reader: SealedReader) -> bool:
    # Late, because it is large, and the server never decodes anything unless it is asked to.
    import av
    from av.error import FFmpegError

    try:
        with av.open(reader, "r") as container:
            for stream in container.streams.video:
                stream.codec_context.skip_frame = "NONKEY"
            return sum(1 for _ in container.decode()) > 0
    except (FFmpegError, ValueError):
        return False
