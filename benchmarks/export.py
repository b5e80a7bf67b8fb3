"""How much memory an archive of many gigabytes takes: sealed files are opened, hashed, and written into a new sealed file.

`python -m benchmarks.export --gb 10` makes the files in a temporary directory (which needs twice the room), exports them
through the same builder as the server, and prints time and peak memory. The limit is 150 MB.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine

from pymeet.clock import SystemClock
from pymeet.config import PrivacyConfig
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.ids import new_id
from pymeet.keyring import Keyring
from pymeet.privacy.export.build import Builder
from pymeet.privacy.export.contents import Occasion
from pymeet.privacy.export.reading import FileOfPerson
from pymeet.privacy.export.zipping import ArchiveWriter
from pymeet.privacy.people import member

LIMIT_MB = 150
FILES = 20
BLOCK = os.urandom(1 << 20)


class Alone:
    """The surroundings of a builder where nobody meets."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def study(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(self._conn, *arguments)

    def breathe(self) -> None:
        pass

    def now_ms(self) -> int:
        return SystemClock().now_ms()


def fill(files: Files, total_bytes: int) -> list[FileOfPerson]:
    """Sealed files of together `total_bytes`, which do not compress."""
    made = []
    for _ in range(FILES):
        file_id = new_id()
        with files.create(file_id, 0) as sink:
            written = 0
            while written < total_bytes // FILES:
                # another beginning for every block, so that no two are equal
                written += sink.write(os.urandom(64) + BLOCK[64:])
            sink.finish()
        made.append(FileOfPerson("files", "file_id", file_id))
    return made


def export(files: Files, to_copy: list[FileOfPerson]) -> tuple[str, float]:
    """Writes the archive into a sealed file; its id, and the seconds it took."""
    from pymeet.db.schema import metadata

    engine = create_engine("sqlite://")
    file_id = new_id()
    begin = time.monotonic()
    with engine.connect() as conn, files.create(file_id, 0) as sink:
        metadata.create_all(conn)
        writer = ArchiveWriter(sink, SystemClock().now_ms())
        occasion = Occasion(member("nobody"), SystemClock().now_ms(), None, "en")
        builder = Builder(
            writer,
            occasion,
            Alone(conn),
            files,
            privacy=PrivacyConfig(),
            period=lambda _name: 0,
            progress=lambda _done, _total, _what: None,
        )
        contents = builder.build(also=to_copy)
        sink.finish()
    engine.dispose()
    assert len(contents.files) == len(to_copy)
    assert not contents.failed
    return file_id, time.monotonic() - begin


def peak_mb() -> float:
    """The most memory this process ever had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=10.0, help="how many gigabytes of files")
    parser.add_argument("--dir", type=Path, default=None, help="where to make them")
    arguments = parser.parse_args()
    total_bytes = int(arguments.gb * 1e9)
    with tempfile.TemporaryDirectory(dir=arguments.dir) as directory:
        if shutil.disk_usage(directory).free < 2.1 * total_bytes:
            sys.exit(f"{directory} has no room for twice {arguments.gb} GB.")
        data_dir = Path(directory) / "data"
        keys = KeyStore.open(_made(data_dir) / "keys.db", Keyring.open(data_dir))
        files = Files(data_dir, keys)
        to_copy = fill(files, total_bytes)
        before = peak_mb()
        file_id, seconds = export(files, to_copy)
        size = files.size(file_id)
        after = peak_mb()
        keys.close()
    print(f"files           {total_bytes / 1e9:8.1f} GB in {FILES}")
    print(f"archive         {size / 1e9:8.1f} GB in {seconds:.0f} s, {size / 1e6 / seconds:.0f} MB/s")
    print(f"peak memory     {after:8.0f} MB ({before:.0f} MB before; limit {LIMIT_MB})")
    if after >= LIMIT_MB:
        sys.exit("Too much memory.")


def _made(directory: Path) -> Path:
    directory.mkdir(mode=0o700)
    return directory


if __name__ == "__main__":
    main()
