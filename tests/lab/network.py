"""Network namespaces for a server and its clients, with one line from each client to the server.

They have no other way out, and no names: when the test process ends, however it does, nothing of them is left. It needs the
rights of root, also those that a user namespace gives: `unshare --user --map-root-user --net python -m pytest …`.
"""

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.lab.forwarder import Conditions

SERVER = "198.18.0.1"
"""Of the network for tests of devices (RFC 2544). Client N has 198.18.N.2, and another last number whenever it moves."""
_NETMASK = "255.255.0.0"
_DEVICE = "net0"

_CLONE_NEWNET = 0x40000000  # sched.h
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK, _IFF_UP = 0x8914, 0x8916, 0x891C, 0x1  # netdevice(7)


class LabUnavailableError(Exception):
    """This machine, or this user, cannot have network namespaces or TUN devices; the sentence says what is needed."""


class Namespace:
    """One network namespace, with its loopback interface and one TUN device, whose other end is `tun`."""

    def __init__(self, address: str, closing: ExitStack) -> None:
        home = _open_namespace()
        _libc("unshare", _CLONE_NEWNET)
        try:
            self.fd = _open_namespace()
            closing.callback(os.close, self.fd)
            self._control = closing.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            closing.callback(os.close, self.tun)
            fcntl.ioctl(self.tun, _TUNSETIFF, struct.pack("16sH22x", _DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
        finally:
            _libc("setns", home, _CLONE_NEWNET)
            os.close(home)
        self._up("lo")
        self.take(address)
        self._up(_DEVICE)

    def take(self, address: str) -> None:
        """Has this address from now on, and no longer the one it had."""
        self._ask(_SIOCSIFADDR, "HH4s16x", socket.AF_INET, 0, socket.inet_aton(address))
        self._ask(_SIOCSIFNETMASK, "HH4s16x", socket.AF_INET, 0, socket.inet_aton(_NETMASK))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What this thread opens or starts meanwhile belongs to the namespace, and stays there afterwards."""
        home = _open_namespace()
        _libc("setns", self.fd, _CLONE_NEWNET)
        try:
            yield
        finally:
            _libc("setns", home, _CLONE_NEWNET)
            os.close(home)

    def _up(self, interface: str) -> None:
        self._ask(_SIOCSIFFLAGS, "H22x", _IFF_UP, interface=interface)

    def _ask(self, request: int, form: str, *values: Any, interface: str = _DEVICE) -> None:
        fcntl.ioctl(self._control, request, struct.pack(f"16s{form}", interface.encode(), *values))


class Lab:
    """`with Lab(clients) as lab`: `lab.server` and `lab.clients[n]` are namespaces, clients counted from 1.

    Raises LabUnavailableError where there can be none.
    """

    def __init__(self, clients: int) -> None:
        self._count = clients
        self._closing = ExitStack()
        self._host: dict[int, int] = {}

    def __enter__(self) -> "Lab":
        with ExitStack() as closing:
            try:
                self.server = Namespace(SERVER, closing)
                self.clients = {n: Namespace(self._next_address(n), closing) for n in range(1, self._count + 1)}
            except OSError as error:
                how = "as root, or by: unshare --user --map-root-user --net python -m pytest"
                raise LabUnavailableError(f"no network namespaces with TUN devices here ({error}); run {how}") from None
            devices = [self.server.tun, *(client.tun for client in self.clients.values())]
            self._forwarder = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("forwarder.py")), *map(str, devices)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=devices,
                text=True,
            )
            closing.callback(self._end_forwarder)
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._closing.close()

    def set(self, client: int, conditions: Conditions) -> None:
        """The line of this client, both ways, from now on."""
        assert self._forwarder.stdin
        assert self._forwarder.stdout
        self._forwarder.stdin.write(json.dumps({"client": client, **asdict(conditions)}) + "\n")
        self._forwarder.stdin.flush()
        assert self._forwarder.stdout.readline() == "\n", "the forwarder has ended"

    def move(self, client: int) -> None:
        """The client has another address; what comes for the old one reaches nobody."""
        self.clients[client].take(self._next_address(client))

    def program(self, client: int, program: str, folder: Path) -> Path:
        """A script that starts the program in the client's namespace, a little behind the server where both want the processor."""
        script = folder / f"client-{client}-{Path(program).name}"
        namespace = f"/proc/{os.getpid()}/fd/{self.clients[client].fd}"
        script.write_text(f'#!/bin/sh\nexec nice -n 5 nsenter --net={namespace} "{program}" "$@"\n')
        script.chmod(0o700)
        return script

    def sockets(self, client: int) -> Callable[[Any], socket.socket]:
        """Makes sockets in the client's namespace, as aiohttp's connectors want them made."""

        def make(info: Any) -> socket.socket:
            with self.clients[client].inside():
                return socket.socket(*info[:3])

        return make

    def _next_address(self, client: int) -> str:
        self._host[client] = self._host.get(client, 1) + 1
        return f"198.18.{client}.{self._host[client]}"

    def _end_forwarder(self) -> None:
        for pipe in (self._forwarder.stdin, self._forwarder.stdout):
            assert pipe
            pipe.close()
        self._forwarder.wait(5)


def _open_namespace() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


_C = ctypes.CDLL(None, use_errno=True)


def _libc(function: str, *arguments: int) -> None:
    if getattr(_C, function)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
