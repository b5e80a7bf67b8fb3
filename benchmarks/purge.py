"""What deleting millions of messages does to a meeting, and how fast it goes when there is none.

    python benchmarks/purge.py [--rows 2000000] [--full 500000] [--turns 10] [--spread] [--json]

A real `pymeet serve` holds the messages. First some of them are purged with nobody there, and as many by bare sqlite3 on a
copy of the same database; then the rest while ten light clients send and receive in another room, by turns with the
same meeting undisturbed. The server is pinned to the last CPU, with all its threads, clients to the others; with
`--spread` the server may use every CPU, as it does in use. Everything stays on this machine.
"""

import argparse
import asyncio
import json
import math
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from awake import awake  # noqa: E402
from clients import Clients  # noqa: E402 - found through the path set above
from forwarding import CLIENT_CPU, VIDEO_PPS, Participant, Scenario, Server, quiet, settled  # noqa: E402

from pymeet.config import Config, load  # noqa: E402
from pymeet.ops.client import call  # noqa: E402

DAY_MS = 86_400_000
PEOPLE = 10
BATCH = 500
"""Rows in a transaction of bare sqlite3."""

WINDOW_S = 2.0
STOLEN = 0.01
"""The share of a window that may be taken from the machine before the window says nothing about the server."""

MESH = Scenario("10 by 10", PEOPLE, 0, mesh=True)


def fill(database: Path, rows: int) -> None:
    """Messages of 120 bytes between 100 and 1,000 days old, the oldest first, in one room, by 50 people."""
    now_ms = time.time_ns() // 1_000_000
    text = "What we said on that day, and what somebody answered. " * 2
    conn = sqlite3.connect(database)
    conn.execute("INSERT INTO rooms (id, slug, name, created_at_ms) VALUES ('archive', 'archive', 'Archive', 1)")
    step_ms = 900 * DAY_MS / rows
    conn.executemany(
        "INSERT INTO messages (id, room_id, participant_id, name, text, at_ms) VALUES (?, 'archive', ?, ?, ?, ?)",
        (
            (
                f"message-{n:014}",
                f"seat-{n % 50}",
                f"Person {n % 50}",
                text,
                round(now_ms - 1000 * DAY_MS + n * step_ms),
            )
            for n in range(rows)
        ),
    )
    conn.commit()
    # what filling leaves in the log is not the purge's; while the server reads it cannot be cut off
    while conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        time.sleep(0.1)
    conn.close()


def bare(database: Path, rows: int) -> float:
    """Rows a second that sqlite3 alone deletes, with the same promises (pragmas) and the same checkpoints."""
    conn = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=wal", "synchronous=2", "secure_delete=1", "temp_store=2", "foreign_keys=1"):
        conn.execute(f"PRAGMA {pragma}")
    began, done, batches = time.monotonic(), 0, 0
    while done < rows:
        conn.execute("BEGIN IMMEDIATE")
        oldest = "SELECT rowid FROM messages ORDER BY at_ms, rowid LIMIT ?"
        done += conn.execute(f"DELETE FROM messages WHERE rowid IN ({oldest})", (BATCH,)).rowcount
        conn.execute("COMMIT")
        batches += 1
        if batches % 20 == 0:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    took = time.monotonic() - began
    conn.close()
    return done / took


def dropped_by_kernel(port: int) -> int:
    """Datagrams to a UDP port for which there was no more room (the last column of /proc/net/udp)."""
    lines = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(fields[-1]) for fields in lines if int(fields[1].rpartition(":")[2], 16) == port)


def stolen_s() -> float:
    """Seconds of processor time that the hypervisor gave to others instead, all CPUs together (proc(5), /proc/stat)."""
    return int(Path("/proc/stat").read_text().split(maxsplit=9)[8]) / os.sysconf("SC_CLK_TCK")


class Watch:
    """The largest write-ahead log, how late the server's event loop was, and the packets that the server missed: those
    that the kernel dropped because nobody fetched them, and those that the server itself counts as dropped.

    A virtual machine's processors are taken away from it at times, and then every program is late. So lag is counted a
    second time for those windows only in which (nearly) nothing was taken.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._wal = config.database_path.with_name(f"{config.database_path.name}-wal")
        self.wal_mb = 0.0
        self.own_lag: Counter[float] = Counter()
        """Lag in windows in which the machine had its processors to itself."""
        self.own_s = 0.0
        self._before: dict[float, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Watch":
        self._before, self._dropped = await self._read()
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        after, dropped = await self._read()
        self.lag = {bound: after[bound] - self._before[bound] for bound in after}
        self.server_missed = dropped - self._dropped

    async def _look(self) -> None:
        before, stolen, began = self._before, stolen_s(), time.monotonic()
        while True:
            if self._wal.exists():
                self.wal_mb = max(self.wal_mb, self._wal.stat().st_size / 1e6)
            await asyncio.sleep(0.05)
            window_s = time.monotonic() - began
            if window_s < WINDOW_S:
                continue
            after, _ = await self._read()
            if stolen_s() - stolen <= STOLEN * window_s * (os.cpu_count() or 1):
                self.own_lag.update({bound: after[bound] - before[bound] for bound in after})
                self.own_s += window_s
            before, stolen, began = after, stolen_s(), time.monotonic()

    async def _read(self) -> tuple[dict[float, int], int]:
        connector = aiohttp.UnixConnector(str(self._config.socket_path))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get("http://pymeet/metrics") as answer,
        ):
            text = await answer.text()
        lag = re.findall(r'pymeet_event_loop_lag_seconds_bucket\{le="([^"]+)"\} ([0-9.]+)', text)
        (dropped,) = re.findall(r"^pymeet_packets_dropped_total ([0-9.e+]+)$", text, re.MULTILINE)
        missed = int(float(dropped)) + dropped_by_kernel(self._config.media.port)
        return {float(bound.replace("+Inf", "inf")): int(float(count)) for bound, count in lag}, missed


def quantile_ms(lag: Mapping[float, int], quantile: float) -> float:
    """Between the bounds of the server's own histogram, as if readings were spread evenly there."""
    if not lag[float("inf")]:
        return math.nan  # so short that nothing was read
    wanted, below, low = quantile * lag[float("inf")], 0, 0.0
    for bound, count in sorted(lag.items()):
        if count >= wanted:
            return 1000 * (low + (bound - low) * (wanted - below) / max(1, count - below)) if bound < 10 else 1000.0
        below, low = count, bound
    return 1000.0


def lag_of(watches: Sequence[Watch]) -> dict[str, Any]:
    """How late the loop was, all turns of one kind as one, and in those windows that nobody took from the machine."""
    lag: Counter[float] = sum((Counter(watch.lag) for watch in watches), Counter())
    own: Counter[float] = sum((watch.own_lag for watch in watches), Counter())
    return {
        "lag_p99_ms": quantile_ms(lag, 0.99),
        "lag_p99_ms_by_turn": [round(quantile_ms(watch.lag, 0.99), 1) for watch in watches],
        "own_lag_p99_ms": quantile_ms(own, 0.99) if own else None,
        "own_seconds": sum(watch.own_s for watch in watches),
    }


def say_lag(lag: Mapping[str, Any]) -> str:
    """The same for people."""
    own = lag["own_lag_p99_ms"]
    figure = "never had the machine to itself" if own is None else f"{own:.1f} ms in {lag['own_seconds']:.0f} s"
    by_turn = f"{lag['lag_p99_ms']:.1f} ms {lag['lag_p99_ms_by_turn']}"
    return f"loop lag p99 {by_turn}; with the machine to itself: {figure}"


async def purge(config: Config, older_than: str) -> dict[str, Any]:
    """Lets the server purge; rows a second from the first to the last, without making the plan."""
    plan = await call(config, "purge.plan", {"older_than": older_than, "categories": ["chat"]})
    began = time.monotonic()
    arguments = {"plan": plan["plan"], "take_clock": True}
    outcome = await call(config, "purge.run", arguments)
    took = time.monotonic() - began
    assert outcome["complete"], outcome
    return {"rows": plan["rows"], "seconds": took, "rows_per_s": plan["rows"] / took}


async def alone(config: Config, database: Path, rows: int, total: int) -> dict[str, Any]:
    """With nobody there; the copy for bare sqlite3 is made of the very same file."""
    copy = database.with_name("copy.db")
    shutil.copy(database, copy)
    bare_per_s = await asyncio.to_thread(bare, copy, rows)
    copy.unlink()
    share = rows / total
    async with Watch(config) as watch:
        found = await purge(config, f"{round(1000 - 900 * share)}d")
    return {
        **found,
        "bare_rows_per_s": bare_per_s,
        "ratio": found["rows_per_s"] / bare_per_s,
        "wal_mb": watch.wal_mb,
        **lag_of([watch]),
    }


async def during_a_meeting(
    server: Server, config: Config, http: aiohttp.ClientSession, cuts: list[str], calm_s: float
) -> dict[str, Any]:
    """What is older than each of `cuts` in turn, while ten people meet; before each, `calm_s` of the meeting without a
    purge. By turns, because what else the machine does changes from minute to minute and would be taken for the purge.
    """
    slug = server.make_room()
    sender, receiver = Clients(CLIENT_CPU), Clients(CLIENT_CPU)
    people = [Participant(f"p{number}", sender, receiver) for number in range(PEOPLE)]
    turns: dict[str, list[Turn]] = {"calm": [], "purge": []}
    try:
        for person in people:
            await person.join(http, server.url, slug, with_audio=True)
        sender.ask("send", True)
        await settled(sender, receiver, MESH)
        sender.ask("pace", VIDEO_PPS)
        for cut in cuts:
            for title in turns:
                await quiet(sender, receiver)
                _, received, _ = receiver.ask("counts")
                missing = receiver.ask("missing")
                sender.ask("send", True)
                cpu0, at0 = server.cpu_s(), time.monotonic()
                async with Watch(config) as watch:
                    rows = 0 if title == "calm" else (await purge(config, cut))["rows"]
                    if title == "calm":
                        await asyncio.sleep(calm_s)
                turn = Turn(rows, time.monotonic() - at0, server.cpu_s() - cpu0, watch)
                turn.delays_s = receiver.ask("counts")[2]
                await quiet(sender, receiver)
                turn.packets = receiver.ask("counts")[1] - received
                turn.lost = receiver.ask("missing") - missing
                turns[title].append(turn)
        return {title: together(each) for title, each in turns.items()}
    finally:
        sender.ask("send", False)
        for person in people:
            await person.leave()
        sender.stop()
        receiver.stop()


@dataclass
class Turn:
    """One stretch of the meeting, with or without a purge."""

    rows: int
    seconds: float
    cpu_s: float
    watch: Watch
    packets: int = 0
    lost: int = 0
    delays_s: list[float] = field(default_factory=list)


def together(turns: list[Turn]) -> dict[str, Any]:
    """All turns of one kind as one."""
    seconds = sum(turn.seconds for turn in turns)
    delays_s = sorted(delay for turn in turns for delay in turn.delays_s)
    return {
        "rows": sum(turn.rows for turn in turns),
        "seconds": seconds,
        "rows_per_s": sum(turn.rows for turn in turns) / seconds,
        "packets": sum(turn.packets for turn in turns),
        "server_missed": sum(turn.watch.server_missed for turn in turns),
        "lost": sum(turn.lost for turn in turns),
        **lag_of([turn.watch for turn in turns]),
        "delay_p50_ms": 1000 * delays_s[len(delays_s) // 2],
        "delay_p99_ms": 1000 * delays_s[int(len(delays_s) * 0.99)],
        "wal_mb": max(turn.watch.wal_mb for turn in turns),
        "cpu_percent": 100 * sum(turn.cpu_s for turn in turns) / seconds,
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000, help="messages in the database")
    parser.add_argument("--full", type=int, default=500_000, help="how many of them go while nobody meets")
    parser.add_argument("--turns", type=int, default=10, help="in how many parts the rest goes during a meeting")
    parser.add_argument("--calm", type=float, default=10.0, help="seconds of the meeting before each, to compare")
    parser.add_argument("--spread", action="store_true", help="let the server use every CPU instead of one")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # what is deleted here is asked for; left to the sweeper, whose first pass may come as late as this, it all is over
        server = Server(folder, "retention: {chat: forever}\n", pinned=not options.spread)
        config = load(Path(folder) / "pymeet.yaml", {})
        try:
            async with aiohttp.ClientSession() as http:
                await server.ready(http)
                await asyncio.to_thread(fill, config.database_path, options.rows)
                megabytes = config.database_path.stat().st_size / 1e6
                result = {"rows": options.rows, "database_mb": megabytes}
                result["alone"] = await alone(config, config.database_path, options.full, options.rows)
                first = 900 * (1 - options.full / options.rows)
                cuts = [f"{round(99 + first * (1 - turn / options.turns))}d" for turn in range(1, options.turns + 1)]
                result |= await during_a_meeting(server, config, http, cuts, options.calm)
        finally:
            server.stop()
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        _print(result)


def _print(r: dict[str, Any]) -> None:
    a, c, p = r["alone"], r["calm"], r["purge"]
    print(f"{r['rows']} messages, a database of {r['database_mb']:.0f} MB")
    print(
        f"nobody there: {a['rows_per_s']:.0f} rows/s over {a['rows']} rows, bare sqlite3 {a['bare_rows_per_s']:.0f}, "
        f"ratio {a['ratio']:.2f}; write-ahead log {a['wal_mb']:.0f} MB at most; {say_lag(a)}"
    )
    for title, m in (("ten people, no purge", c), ("ten people, purge", p)):
        rows = f"{m['rows_per_s']:.0f} rows/s over {m['rows']} rows; " if m["rows"] else ""
        print(
            f"{title}: {rows}{say_lag(m)}; packets forwarded {m['packets']}, "
            f"missed by the server {m['server_missed']}, lost anywhere {m['lost']}; "
            f"delay p50 {m['delay_p50_ms']:.1f} ms, p99 {m['delay_p99_ms']:.1f} ms; "
            f"write-ahead log {m['wal_mb']:.0f} MB at most; {m['cpu_percent']:.0f} % of a core"
        )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server and the clients end, too
    with awake():
        asyncio.run(main())
