"""The verbs of `pymeet breach-report` and `pymeet breach`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pymeet.db import audit, audit_proof
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.audit import log_checkpoints
from pymeet.ops.verbs.moments import moment_ms
from pymeet.ops.verbs.values import iso
from pymeet.privacy import breach
from pymeet.privacy.breach_letters import LETTERS, draft


async def breach_report(
    services: Services,
    *,
    since: str,
    until: str | None = None,
    categories: Sequence[str] = (),
    noticed: str | None = None,
    letters: bool = False,
    language: str = "en",
) -> dict[str, Any]:
    """What a breach between two points in time may concern, and who did what; with `letters` the drafts of both."""
    assessment = await _assess(services, since, until, categories)
    noticed_at_ms = None if noticed is None else moment_ms(noticed, services.clock.now_ms())
    config = services.config.privacy
    drafts = {each: draft(each, language, assessment, config, noticed_at_ms) for each in LETTERS} if letters else {}
    proof = await services.db.study(audit_proof.verify, await log_checkpoints(services))
    async with services.db.write() as conn:
        await audit.record(
            conn,
            at_ms=services.clock.now_ms(),
            actor=audit.OPERATOR,
            action="breach.assessed",
            target="audit",
            detail={"records": assessment.held.records, "intact": proof.intact},
        )
    return {
        "since": iso(assessment.since_ms),
        "until": iso(assessment.until_ms),
        "categories": [
            {
                "category": each.category,
                "within": asdict(each.within),
                "held": asdict(each.held),
                "kinds": list(each.kinds),
                "sensitive": list(each.sensitive),
            }
            for each in assessment.affected
        ],
        "within": asdict(assessment.within),
        "held": asdict(assessment.held),
        "unreachable": [f"{each.role}: {each.reason}" for each in assessment.unreachable],
        "access": [asdict(each) for each in assessment.access],
        "failed_sign_ins": assessment.failed_sign_ins,
        "audit_intact": proof.intact,
        "letters": drafts,
    }


async def breach_note(
    services: Services,
    *,
    since: str,
    until: str | None = None,
    categories: Sequence[str] = (),
    noticed: str | None = None,
) -> dict[str, Any]:
    """Enters a breach in the register, noticed now if nothing else is said."""
    assessment = await _assess(services, since, until, categories)
    now_ms = services.clock.now_ms()
    noticed_at_ms = now_ms if noticed is None else moment_ms(noticed, now_ms)
    made = await services.db.work(breach.note, assessment, noticed_at_ms, now_ms, audit.OPERATOR)
    return _shown(made, now_ms)


async def breach_list(services: Services) -> list[dict[str, Any]]:
    """The register, the newest first."""
    found = await services.db.study(breach.all_breaches)
    return [_shown(each, services.clock.now_ms()) for each in found]


async def breach_told(services: Services, *, whom: str, breach_id: str) -> dict[str, Any]:
    """Notes that the authority or the people were told now."""
    now_ms = services.clock.now_ms()
    return _shown(await services.db.work(breach.told, breach_id, whom, now_ms, audit.OPERATOR), now_ms)


OPERATIONS: Mapping[str, Operation] = {
    "breach.report": breach_report,
    "breach.note": breach_note,
    "breach.list": breach_list,
    "breach.told": breach_told,
}


async def _assess(services: Services, since: str, until: str | None, categories: Sequence[str]) -> breach.Assessment:
    now_ms = services.clock.now_ms()
    until_ms = now_ms if until is None else moment_ms(until, now_ms)
    return await services.db.study(breach.assess, moment_ms(since, now_ms), until_ms, categories)


def _shown(found: breach.Breach, now_ms: int) -> dict[str, Any]:
    left_ms = found.left_ms(now_ms)
    return {
        "id": found.id,
        "noticed_at": iso(found.noticed_at_ms),
        "since": iso(found.since_ms),
        "until": iso(found.until_ms),
        "deadline": iso(found.deadline_ms),
        "left_s": None if left_ms is None else left_ms // 1000,
        "authority_told_at": None if found.authority_told_at_ms is None else iso(found.authority_told_at_ms),
        "people_told_at": None if found.people_told_at_ms is None else iso(found.people_told_at_ms),
        "counts": found.counts,
    }
