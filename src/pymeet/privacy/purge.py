"""Carries out a plan: in small transactions that leave room for meetings, files after rows, proof at the end.

Each transaction asks again what is held and who meets. Killed at any point, the next run goes on: rows are there or
gone, and the list of files to remove stands in the same database.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import structlog
from sqlalchemy import ColumnElement, Connection, Select, false, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from pymeet.db import audit, audit_proof
from pymeet.db.inventory import Purge
from pymeet.db.schema import metadata, users
from pymeet.errors import PymeetError
from pymeet.privacy.gone import Removed, remove_pending
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, member
from pymeet.privacy.plan import INVENTORY, Plan, Step, goes, months_cutoff_ms, recounted
from pymeet.privacy.rows import among, anonymise_rows, delete_these, picking, rowid

log = structlog.get_logger(__name__)

BATCH_S: Final = 0.005
"""A transaction should take this long at gentle pace: so long everybody else who writes waits,"""

FULL_BATCH_S: Final = 0.030
"""and this long at full pace."""

FEWEST, FIRST, MOST = 100, 100, 5_000
"""Rows in one transaction: at least, at first, at most. Below some 100 it takes no less time: the disk is waited for."""

CHUNK: Final = 1_000
"""So many candidates are looked up at once: no writer waits meanwhile, but Python is busy with them."""

GENTLE_DUTY: Final = 0.25
"""At gentle pace it works no more than this part of the time."""

LAG_S: Final = 0.020
"""When the event loop is later than this, the server has too much to do and the purge waits,"""

LAG_WAIT_S: Final = 1.0
"""but not longer than this for one transaction: even then, what is over goes."""

GENTLE_LAG_S: Final = 0.010
"""At gentle pace it waits until the event loop was never later than this for ten seconds: so no more than one in a
hundred measurements can be late because of it,"""

GENTLE_WAIT_S, GENTLE_WAIT_SHARE = 10.0, 4.0
"""but altogether not longer than this and so many times what the work itself took: where other programs keep the loop
waiting, what is over goes all the same, only slower."""

CHECKPOINT_BATCHES: Final = 20
"""After so many transactions the write-ahead log is emptied, or it would grow with every row."""

CHECKPOINT_TRIES: Final = 15
"""So often, over some ten seconds, the run tries to empty it at the end when readers stand in the way."""

Pace = Literal["auto", "gentle", "full"]
"""Gentle leaves three quarters of the time to others. Auto is gentle while anybody meets, and full otherwise."""

Progress = Callable[[int, int | None, str], None]
"""`progress(done, total, what)`."""

EraseCallable = Callable[[DataSubject, str], Awaitable[Any]]
"""Erases a person: `await erase(person, cause)`."""


class PurgeError(PymeetError):
    """The run broke off; what it deleted until then is gone, the rest is as it was."""

    code = "purge_failed"


@dataclass(frozen=True)
class Drift:
    """How one step differs from its plan, and why."""

    retention_class: str
    table: str
    planned: int
    done: int
    causes: Mapping[str, int]
    """`held`, `running`: newly kept. `gone`: somebody else deleted them first. `added`: more were there than planned.
    `left`: not done, to be tried again. `failed`: it was tried and went wrong."""


@dataclass(frozen=True)
class Outcome:
    """What a run did."""

    done: Mapping[str, int]
    """Rows by class."""
    children: Mapping[str, int]
    """Rows that went with them, by table."""
    drift: tuple[Drift, ...]
    held: int
    """Rows that are over and that a hold keeps."""
    files: Removed
    emptied: bool
    """Whether the write-ahead log was emptied: only then is the deleted content off the disk."""

    @property
    def complete(self) -> bool:
        """Whether everything that was planned is gone from the disk, and nothing is held."""
        return not self.drift and not self.held and not self.files.failed and self.emptied

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return {**asdict(self), "complete": self.complete}


async def execute(
    lifecycle: Lifecycle,
    plan: Plan,
    *,
    actor: str,
    progress: Progress = lambda done, total, what: None,
    pace: Pace = "auto",
    erase: EraseCallable | None = None,
    announce: bool = True,
    cap: int | None = None,
) -> Outcome:
    """Does what the plan says, and reports where things had changed since.

    With `announce` the audit log says before the first row what is about to go, so that a run that was killed shows.
    `cap` ends the run after so many rows of one step. Without `erase` accounts stay. PurgeError when it broke off.
    """
    if announce and plan.count:
        detail: audit.Detail = {**_planned(plan), "plan": plan.digest}
        await lifecycle.db.work(audit.record_now, lifecycle.clock.now_ms(), actor, "purge.begun", "purge", detail)
    run = _Run(lifecycle, plan, progress, pace, erase, cap)
    try:
        for step in plan.steps:
            await run.step(step)
        files = await remove_pending(lifecycle)
        emptied = await _emptied(lifecycle)
    except SQLAlchemyError as error:
        raise PurgeError(
            f"The database could not be changed ({type(error).__name__}); {run.total} of {plan.count} rows are gone.\n"
            "The rest is as it was. Check that the disk has room, and run it again.",
            details={"done": run.total, "planned": plan.count},
        ) from error
    outcome = Outcome(
        done=dict(run.done),
        children=dict(run.children),
        drift=tuple(run.drift),
        held=run.held,
        files=files,
        emptied=emptied,
    )
    if run.total or announce:
        detail = {**outcome.done, "files": files.removed, "held": run.held, "plan": plan.digest}
        await lifecycle.db.work(audit.record_now, lifecycle.clock.now_ms(), actor, "purge.done", "purge", detail)
    log.info("purged", rows=run.total, files=files.removed, held=run.held, drift=len(run.drift), emptied=emptied)
    return outcome


@dataclass
class _Run:
    lifecycle: Lifecycle
    plan: Plan
    progress: Progress
    pace: Pace
    erase: EraseCallable | None
    cap: int | None
    batch: int = FIRST
    batches: int = 0
    worked_s: float = 0.0
    waited_s: float = 0.0
    total: int = 0
    held: int = 0
    done: Counter[str] = field(default_factory=Counter)
    children: Counter[str] = field(default_factory=Counter)
    drift: list[Drift] = field(default_factory=list)

    async def step(self, step: Step) -> None:
        failed = 0
        if step.action is Purge.ERASE:
            done, failed = await self._erase(step)
        elif step.action is Purge.SEGMENT:
            done = await self._months(step)
        else:
            done = await self._rows(step)
        self.done[step.retention_class] += done
        left = await self.lifecycle.db.study(recounted, step, self.plan, self.lifecycle.running_rooms())
        # months after a held event were taken out of the step when it was planned
        self.held += step.held + left.held if step.action is Purge.SEGMENT else left.held
        if causes := _causes(step, done, left, failed):
            self.drift.append(Drift(step.retention_class, step.table, step.count, done, causes))

    async def _rows(self, step: Step) -> int:
        done, after = 0, None
        table = metadata.tables[step.table]
        running: frozenset[str] | None = None
        asked = picking(table, false())
        while self.cap is None or done < self.cap:
            rowids, after = await self.lifecycle.db.study(
                _candidates, step, self.plan, goes(step, self.plan, self.lifecycle.running_rooms()), after
            )
            if not rowids:
                break
            while rowids:
                now, rowids = rowids[: self.batch], rowids[self.batch :]
                if running != (running := self.lifecycle.running_rooms()):
                    asked = picking(table, goes(step, self.plan, running))
                gone = await self._paced(_end_rows, step, asked, now, self.lifecycle.clock.now_ms())
                done += gone.pop(step.table, 0)
                self.children.update(gone)
        return done

    async def _months(self, step: Step) -> int:
        mac_key = await asyncio.to_thread(self.lifecycle.keys.purpose_key, audit_proof.PURPOSE)
        done = 0
        while gone := await self._paced(_drop_months, step, self.plan, mac_key, self.lifecycle.clock.now_ms()):
            done += gone[step.table]
        return done

    async def _erase(self, step: Step) -> tuple[int, int]:
        """Each person once: one whose erasure fails must not be in the way of the others."""
        done = failed = 0
        people, _ = await self.lifecycle.db.study(_candidates, step, self.plan, goes(step, self.plan, ()), None)
        ids = await self.lifecycle.db.study(_user_ids, people)
        for user_id in ids[: self.cap] if self.erase else ():
            assert self.erase is not None  # noqa: S101  the loop has no turn without it
            if not await self.lifecycle.db.study(_still_goes, step, self.plan, user_id):
                continue  # they signed in, or are held now
            try:
                await self.erase(member(user_id), "inactivity")
            except PymeetError as error:
                log.warning("an account that is over was not erased", user_id=user_id, error=error.code)
                failed += 1
                continue
            done += 1
            self._tell(1, step)
        return done, failed

    async def _paced(self, work: Callable[..., Counter[str]], *arguments: Any) -> Counter[str]:
        """One transaction, when meetings allow it; what it took decides how large the next one is and when."""
        clock = self.lifecycle.clock
        gentle = self.pace == "gentle" or (self.pace == "auto" and bool(self.lifecycle.running_rooms()))
        await self._give_way(gentle)
        wanted_s = BATCH_S if gentle else FULL_BATCH_S
        size, began = self.batch, clock.monotonic()
        gone = await self.lifecycle.db.work(work, *arguments)
        took = clock.monotonic() - began
        self.batch = min(MOST, max(FEWEST, round(size * min(2.0, max(0.5, wanted_s / max(took, 1e-6))))))
        self._tell(gone[arguments[0].table], arguments[0])
        self.batches += 1
        if self.batches % CHECKPOINT_BATCHES == 0:
            # a reader in the way is no harm here: the next one empties it
            await self.lifecycle.db.checkpoint(forget=False)
            took = clock.monotonic() - began
        if gentle:
            await asyncio.sleep(took * (1 / GENTLE_DUTY - 1))
        self.worked_s += clock.monotonic() - began
        return gone

    async def _give_way(self, gentle: bool) -> None:
        """Waits while meetings suffer, and at gentle pace until it is certain that they did not for a while."""
        waited_s = 0.0
        while self.lifecycle.lag_s() > LAG_S and waited_s < LAG_WAIT_S:
            await asyncio.sleep(0.1)
            waited_s += 0.1
        while (
            gentle
            and self.lifecycle.worst_lag_s() > GENTLE_LAG_S
            and self.waited_s < GENTLE_WAIT_S + GENTLE_WAIT_SHARE * self.worked_s
        ):
            await asyncio.sleep(0.1)
            self.waited_s += 0.1

    def _tell(self, rows: int, step: Step) -> None:
        self.total += rows
        self.progress(self.total, self.plan.count, step.retention_class)


def _candidates(
    conn: Connection, step: Step, plan: Plan, condition: ColumnElement[bool], after: tuple[int, ...] | None
) -> tuple[list[int], tuple[int, ...] | None]:
    """The next rows that may go, and where to go on after them. Held rows are passed by only once."""
    table = metadata.tables[step.table]
    # Each order is that of an index: of the clock, or of the room or person, in which rows follow their numbers.
    narrow = step.room_id is not None or plan.person is not None
    place = (rowid(table),) if narrow else (table.c[step.clock], rowid(table))
    query = select(rowid(table), *place).where(condition).order_by(*place).limit(CHUNK)
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*after) if len(place) > 1 else place[0] > after[0])
    rows = conn.execute(query).all()
    return [row[0] for row in rows], tuple(rows[-1][1:]) if rows else None


def _end_rows(conn: Connection, step: Step, asked: Select[Any], rowids: list[int], now_ms: int) -> Counter[str]:
    table = metadata.tables[step.table]
    # Asked again here, inside the transaction: a hold placed a moment ago counts.
    going = list(conn.execute(asked, {"rowids": json.dumps(rowids)}).scalars())
    if step.action is Purge.ANONYMISE:
        entry = next(each for each in INVENTORY if each.name == step.table)
        return Counter({step.table: anonymise_rows(conn, entry, among(table, going), now_ms)})
    return Counter(delete_these(conn, table, going, now_ms))


def _drop_months(conn: Connection, step: Step, plan: Plan, mac_key: bytes, now_ms: int) -> Counter[str]:
    gone = audit_proof.drop_segments(conn, months_cutoff_ms(conn, step, plan), mac_key, now_ms)
    return Counter({step.table: gone} if gone else {})


def _user_ids(conn: Connection, rowids: list[int]) -> list[str]:
    found = conn.execute(select(rowid(users), users.c.id).where(among(users, rowids))).all()
    order = {number: place for place, number in enumerate(rowids)}
    return [user_id for _, user_id in sorted(found, key=lambda row: order[row[0]])]


def _still_goes(conn: Connection, step: Step, plan: Plan, user_id: str) -> bool:
    return conn.execute(select(users.c.id).where(users.c.id == user_id, goes(step, plan, ()))).first() is not None


def _causes(step: Step, done: int, left: Step, failed: int) -> dict[str, int]:
    """What stands between the plan and the deed."""
    if done == step.count and not left.count:
        return {}
    causes = {
        "held": max(0, left.held - step.held) if step.action is not Purge.SEGMENT else left.held,
        "running": max(0, left.running - step.running),
        "failed": failed,
        "left": max(0, left.count - failed),
    }
    explained = sum(causes.values())
    causes["gone"] = max(0, step.count - done - explained)
    causes["added"] = max(0, done + explained - step.count)
    return {cause: count for cause, count in causes.items() if count}


def _planned(plan: Plan) -> Counter[str]:
    found: Counter[str] = Counter()
    for step in plan.steps:
        found[step.retention_class] += step.count
    return found


async def _emptied(lifecycle: Lifecycle) -> bool:
    """Empties the write-ahead log; False when readers stood in the way until the deadline."""
    for _ in range(CHECKPOINT_TRIES):
        if await lifecycle.db.checkpoint():
            return True
        await asyncio.sleep(0.2)
    return False
