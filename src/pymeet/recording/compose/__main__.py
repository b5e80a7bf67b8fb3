"""The child process: a job comes as one line on standard input, JSON lines go to standard output.

`{"permille": n}` while it works; last `{"done": {"duration_ms", "copied"}}` or `{"error": word}`. Standard input stays open
as long as the server lives: when it ends, so does this process.
"""

import errno
import json
import os
import resource
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from av import logging
from av.error import FFmpegError

from pymeet.errors import PymeetError
from pymeet.recording.compose.film import compose
from pymeet.recording.compose.job import Job
from pymeet.recording.compose.passing import pass_through, passable


def run(job: Job) -> Mapping[str, Any]:
    """Makes the film and tells about it."""
    files = job.files()
    told = -1

    def progress(permille: int) -> None:
        nonlocal told
        if permille > told:
            told = permille
            _say({"permille": permille})

    with files.create_patchable(job.file_id, job.now_ms) as sink:
        copied = passable(job, files)
        duration_ms = (pass_through if copied else compose)(job, files, sink, progress)
        sink.finish()
    return {"duration_ms": duration_ms, "copied": copied}


def main() -> int:
    """Reads the job, works, and says how it went. 0 when there is a film."""
    with suppress(OSError):  # a wish, which a sandbox may refuse
        os.nice(19)
    with suppress(OSError):  # Linux: where memory runs out, this ends and not the server
        Path("/proc/self/oom_score_adj").write_text("1000")
    with suppress(OSError, ValueError):  # a picture of this memory would hold keys; ValueError: refused
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.set_level(logging.PANIC)
    line = bytearray()
    while not line.endswith(b"\n"):
        if not (data := os.read(0, 1 << 16)):
            return 2
        line += data
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    try:
        _say({"done": run(Job.from_json(bytes(line)))})
    except (OSError, FFmpegError, PymeetError) as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        _say({"error": "disk_full" if full else "failed", "kind": type(error).__name__})
        return 1
    return 0


def _end_with_the_server() -> None:
    while os.read(0, 1):
        pass
    os._exit(2)


def _say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
