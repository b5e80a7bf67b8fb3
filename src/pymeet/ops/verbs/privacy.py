"""The verbs of `pymeet privacy`: the documents about this server, and what is wrong with its settings."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pymeet.ops.services import Operation, Services
from pymeet.privacy.documents.check import check
from pymeet.privacy.documents.deadlines import Effective, in_force
from pymeet.privacy.documents.library import write


async def privacy_document(services: Services, *, name: str, language: str = "en", form: str = "md") -> dict[str, Any]:
    """One of the documents as text, with the settings and the periods in force."""
    return {"text": write(name, services.lifecycle.in_force, _effective(services), language=language, form=form)}


async def privacy_check(services: Services) -> dict[str, Any]:
    """What a data protection officer would ask about these settings; `ok` when nothing is red."""
    findings = await asyncio.to_thread(check, services.lifecycle.in_force, _effective(services))
    return {
        "ok": not any(finding.verdict == "fail" for finding in findings),
        "checks": [asdict(finding) for finding in findings],
    }


OPERATIONS: Mapping[str, Operation] = {
    "privacy.document": privacy_document,
    "privacy.check": privacy_check,
}


def _effective(services: Services) -> Effective:
    return in_force(services.lifecycle.periods, services.clock.now_ms())
