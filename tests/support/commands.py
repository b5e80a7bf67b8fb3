"""Runs commands of the command line in this process, as a script would: what they print, and their exit code."""

import asyncio
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import pytest

from pymeet.cli import main
from pymeet.config import load
from tests.support.management import serving

CONFIG = """\
data_dir: {directory}/data
http: {{host: 127.0.0.1, port: 18777, tls: {{mode: 'off'}}}}
media: {{port: 18778, addresses: ['127.0.0.1']}}
"""


@dataclass
class Result:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Result]


def configured(directory: Path) -> str:
    """A configuration file whose data directory was made."""
    (directory / "data").mkdir(mode=0o700)
    path = directory / "bench.yaml"
    path.write_text(CONFIG.format(directory=directory))
    return str(path)


def runner(config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs commands with that configuration, without a terminal."""
    monkeypatch.chdir(Path(config).parent)
    for name in [name for name in os.environ if name.startswith("PYMEET_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str) -> Result:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["pymeet", *arguments, "-c", config])
            patch.setattr(sys, "stdin", io.StringIO(""))
            try:
                main()
            except SystemExit as ended:
                code = ended.code
        printed = capsys.readouterr()
        return Result(int(code or 0), printed.out, printed.err)

    return run


@contextmanager
def server(config: str) -> Iterator[None]:
    """A management socket for these commands, in a thread of its own."""
    started, stop = Event(), Event()

    async def serve() -> None:
        async with serving(load(Path(config), {})):
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(30)
        yield
    finally:
        stop.set()
        thread.join()
