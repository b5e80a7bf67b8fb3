"""A client that runs as a process of its own and tells line by line what happens to it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

CLIENTS = Path(__file__).parent / "clients"
END_S = 10


class Client:
    """The running process. What it said last is in `said`, by key."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.said: dict[str, Any] = {}
        self._process = process
        self._output: list[str] = []

    async def look(self) -> dict[str, Any]:
        """What it said so far; AssertionError when it has given up."""
        assert self._process.returncode is None or self._process.returncode == 0, self.output
        assert "error" not in self.said, self.said["error"]
        return self.said

    @property
    def output(self) -> str:
        """All that it printed."""
        return "".join(self._output)

    async def end(self) -> dict[str, Any]:
        """Lets it finish by itself, as it ends its session; AssertionError when it cannot."""
        assert self._process.stdin
        self._process.stdin.close()
        async with asyncio.timeout(END_S):
            code = await self._process.wait()
        assert code == 0, self.output
        return self.said

    async def read(self, stream: asyncio.StreamReader) -> None:
        """Keeps what it prints."""
        while line := (await stream.readline()).decode(errors="replace"):
            self._output.append(line)
            try:
                told = json.loads(line)
            except ValueError:
                continue
            if isinstance(told, dict):
                self.said.update(told)


@asynccontextmanager
async def client(python: str, script: str, *arguments: str) -> AsyncIterator[Client]:
    """Starts one of the scripts in `clients/`; whatever still runs at the end is ended."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        python, str(CLIENTS / script), *arguments, stdin=pipe, stdout=pipe, stderr=pipe, limit=1 << 20
    )
    assert process.stdout
    assert process.stderr
    running = Client(process)
    readers = [asyncio.create_task(running.read(stream)) for stream in (process.stdout, process.stderr)]
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await asyncio.gather(*readers)
