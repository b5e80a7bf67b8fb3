"""The verbs of `pymeet purge`: one makes the plan that is shown, the other carries out that same plan."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymeet.db import audit
from pymeet.errors import ConflictError
from pymeet.ops.addresses import public_url
from pymeet.ops.progress import Progress
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.requests import named_person
from pymeet.ops.verbs.retention import DOUBTS
from pymeet.ops.verbs.values import iso
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.people import DataSubject
from pymeet.privacy.plan import Plan, Step, from_dict, plan
from pymeet.privacy.purge import execute
from pymeet.privacy.sweeper import accept_clock, doubts_about
from pymeet.retention import parse_period


async def purge_plan(
    services: Services,
    *,
    older_than: str | None = None,
    categories: Sequence[str] | None = None,
    room: str | None = None,
    user: str | None = None,
) -> dict[str, Any]:
    """What would go now, and the plan itself, for `purge.run`. Without `older_than` by the periods in force.

    InvalidInputError for a period without a unit or out of bounds, NotFoundError for a room or person that is not there.
    """
    older_than_ms = None if older_than is None else parse_period(older_than)
    room_id = None if room is None else (await services.meetings.room(room)).id
    person = None if user is None else await named_person(services, user)
    made = await services.db.study(
        lambda conn: plan(
            conn,
            services.lifecycle.periods,
            services.clock.now_ms(),
            older_than_ms=older_than_ms,
            classes=categories or None,
            room_id=room_id,
            person=person,
            running_rooms=services.lifecycle.running_rooms(),
        )
    )
    slugs = {each.id: each.slug for each in await services.meetings.rooms()}
    return {
        "rows": made.count,
        "held": made.held,
        "running": [slugs[each] for each in made.running_rooms if each in slugs],
        "classes": list(made.classes),
        "steps": [_step(each, slugs) for each in made.steps],
        "plan": made.as_dict(),
    }


async def purge_run(
    services: Services, progress: Progress, *, plan: Mapping[str, Any], take_clock: bool = False
) -> dict[str, Any]:
    """Carries out a plan of `purge.plan`. ConflictError (`clock_doubted`) when the clock may be wrong and `take_clock` is not given."""
    made = from_dict(plan, services.clock.now_ms())
    await _refuse_doubted_clock(services, made, take_clock=take_clock)
    erasures = Erasures(services.lifecycle, site=public_url(services.config))

    async def erase(person: DataSubject, cause: str) -> None:
        await erasures.erase_now(person, cause, audit.OPERATOR)

    outcome = await execute(services.lifecycle, made, actor=audit.OPERATOR, progress=progress, erase=erase)
    return outcome.as_dict()


async def _refuse_doubted_clock(services: Services, made: Plan, *, take_clock: bool) -> None:
    if take_clock:
        await accept_clock(services.lifecycle, audit.OPERATOR)
        return
    if doubts := await doubts_about(services.lifecycle, made):
        what = "; ".join(DOUBTS[each] for each in sorted(doubts))
        raise ConflictError(
            f"Nothing was deleted: the clock may be wrong ({what}). It says {iso(services.clock.now_ms())}.\n"
            "Where that is right, run it again with --accept-clock.",
            code="clock_doubted",
            details={"doubts": sorted(doubts)},
        )


OPERATIONS: Mapping[str, Operation] = {
    "purge.plan": purge_plan,
    "purge.run": purge_run,
}


def _step(step: Step, slugs: Mapping[str, str]) -> dict[str, Any]:
    return {
        "class": step.retention_class,
        "table": step.table,
        "action": step.action.value,
        "room": step.room_id and slugs.get(step.room_id, step.room_id),
        "rows": step.count,
        "oldest": None if step.oldest_ms is None else iso(step.oldest_ms),
        "until": iso(step.cutoff_ms),
        "held": step.held,
        "running": step.running,
        "with_them": dict(step.children),
        "files": step.files,
    }
