"""The yardstick: what `sendmmsg` alone costs here, to as many sockets, at the same pace, on the same CPU, a moment later.

A packet costs far more when the CPU wakes for a few of them than when it sends millions in a row, and a virtual machine's speed
moves by tens of percent within minutes; so a ratio says something only against a figure taken under the same circumstances.
"""

import multiprocessing
import os
import socket
import time
from multiprocessing.connection import Connection

from pymeet.sfu.batch import SocketName
from pymeet.sfu.sending import Layout, SendTable, pointers_of


def _drain(sockets: list[socket.socket], cpu: int | None) -> None:
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    while True:
        time.sleep(0.02)
        for sock in sockets:
            try:
                while True:
                    sock.recv(2048, socket.MSG_DONTWAIT)
            except BlockingIOError:
                pass


def _send(
    pipe: Connection,
    sockets: list[socket.socket],
    cpu: int | None,
    size: int,
    batches_per_s: float,
    per_batch: int,
    seconds: float,
) -> None:
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    count = len(sockets)
    table = SendTable(count)
    layout = table.lay(1)
    for i, sock in enumerate(sockets):
        name = table.names[i] = SocketName()
        name.set(sock.getsockname())
        layout.words[i * Layout.stride] = pointers_of([name])[0]
        table.lengths[layout.cells[i][0][3]] = size
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    sender.bind(("127.0.0.1", 0))
    batches, spent = 0, 0.0
    due = begin = time.monotonic()
    while due < begin + seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        start = time.thread_time()
        for _ in range(per_batch):
            table.count = count
            table.send(sender)
        spent += time.thread_time() - start
        batches += 1
        due += 1 / batches_per_s
    pipe.send(spent / batches / per_batch / count * 1e6)


def bare_us(
    receivers: int,
    batches_per_s: float,
    *,
    size: int,
    cpu: int | None,
    drain_cpu: int | None,
    per_batch: int = 1,
    seconds: float = 3.0,
) -> float:
    """CPU microseconds per packet of sendmmsg to `receivers` sockets, `per_batch` packets each, `batches_per_s` times a second."""
    sockets = []
    for _ in range(receivers):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind(("127.0.0.1", 0))
        sockets.append(sock)
    fork = multiprocessing.get_context("fork")
    mine, theirs = multiprocessing.Pipe()
    drainer = fork.Process(target=_drain, args=(sockets, drain_cpu), daemon=True)
    sender = fork.Process(
        target=_send, args=(theirs, sockets, cpu, size, batches_per_s, per_batch, seconds), daemon=True
    )
    drainer.start()
    sender.start()
    result: float = mine.recv()
    sender.join()
    drainer.terminate()
    drainer.join()
    for sock in sockets:
        sock.close()
    return result
