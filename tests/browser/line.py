"""A network line that can be cut: a relay for one person's HTTP and WebSocket, and for the media of a whole server.

The server advertises the relay's address for media; the person whose line may be cut enters by the relay's own web port.
"""

import asyncio
import contextlib
import socket
from collections.abc import Coroutine
from typing import Any

from live_server import free_port

HOST = "127.0.0.2"
"""Another loopback address, so that the relay can have the number of the server's media port."""

Address = tuple[str, int]


class _Upstream(asyncio.DatagramProtocol):
    """Towards the server, one socket per flow."""

    def __init__(self, line: "Line", client: Address) -> None:
        self.line, self.client = line, client

    def datagram_received(self, data: bytes, address: Address) -> None:
        if self.line.lets_through(self.client) and self.line.media is not None:
            self.line.media.sendto(data, self.client)

    def error_received(self, error: Exception) -> None:
        """A server that is away refuses datagrams; they are lost."""


class Line(asyncio.DatagramProtocol):
    """`cut()` and `mend()`; what was sent over a cut line is lost."""

    def __init__(self, web_port: int, media_port: int) -> None:
        self._web_port, self._media_port = web_port, media_port
        self.media: asyncio.DatagramTransport | None = None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._flows: dict[Address, asyncio.DatagramTransport] = {}
        self._waiting: dict[Address, list[bytes]] = {}
        self._others: set[Address] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Starts relaying."""
        loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, self._media_port))

    async def close(self) -> None:
        """Ends everything."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for transport in [*self._flows.values(), self.media]:
            if transport is not None:
                transport.close()
        await asyncio.sleep(0)

    def spare_present_flows(self) -> None:
        """The media flows that exist now belong to others: a cut does not touch them."""
        self._others = set(self._flows)

    def cut(self) -> None:
        """Nothing passes any more, except the spared flows."""
        self._open.clear()

    def mend(self) -> None:
        """The line is back."""
        self._open.set()

    def change_address(self) -> None:
        """From now on the server sees another port, as after a NAT has forgotten its mapping. Nobody tells the browser."""
        for client in set(self._flows) - self._others:
            self._flows.pop(client).close()

    def lets_through(self, client: Address) -> bool:
        return self._open.is_set() or client in self._others

    # -- media ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self.media = transport

    def datagram_received(self, data: bytes, address: Address) -> None:
        if not self.lets_through(address):
            return
        if address in self._flows:
            self._flows[address].sendto(data)
        elif address in self._waiting:
            self._waiting[address].append(data)
        else:
            self._waiting[address] = [data]
            self._start(self._connect(address))

    async def _connect(self, address: Address) -> None:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Upstream(self, address), remote_addr=("127.0.0.1", self._media_port), family=socket.AF_INET
        )
        self._flows[address] = transport
        for data in self._waiting.pop(address):
            transport.sendto(data)

    # -- web ------------------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._start(self._relay(reader, writer))

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        upstream: asyncio.StreamWriter | None = None
        try:
            back, upstream = await asyncio.open_connection("127.0.0.1", self._web_port)
            await asyncio.gather(self._pump(reader, upstream), self._pump(back, writer))
        except OSError:
            pass  # the server is away: the browser sees its connection end
        finally:
            for end in (writer, upstream):
                if end is not None:
                    end.close()
                    with contextlib.suppress(OSError):
                        await end.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
