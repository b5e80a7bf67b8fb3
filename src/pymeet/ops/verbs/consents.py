"""The verbs of `pymeet consent`."""

import asyncio
from collections.abc import Mapping
from typing import Any

from pymeet.db import audit
from pymeet.ops.addresses import public_url
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.requests import named_person
from pymeet.ops.verbs.values import iso
from pymeet.ops.verbs.viewing import views
from pymeet.privacy import consent_receipt, consents
from pymeet.privacy.consents import Consent
from pymeet.privacy.documents.deadlines import in_force
from pymeet.privacy.notices import Notices


@views("consents")
async def consent_show(services: Services, *, person: str) -> list[dict[str, Any]]:
    """Everything that a member or guest decided, oldest first."""
    whose = await named_person(services, person)
    return [_consent(each) for each in await services.db.study(consents.timeline, whose)]


@views("consents")
async def consent_receipt_of(services: Services, *, consent_id: str) -> dict[str, Any]:
    """The signed receipt of a consent, with all decisions about the same thing."""
    now_ms = services.clock.now_ms()
    given = consent_receipt.Circumstances(
        config=services.config,
        site=public_url(services.config),
        effective=in_force(services.lifecycle.periods, now_ms),
        key=await _key(services),
    )
    return await services.db.study(consent_receipt.issue, consent_id, given, now_ms)


async def consent_verify(services: Services, *, text: str) -> dict[str, Any]:
    """What a receipt says, where this server issued exactly this."""
    found = consent_receipt.verify(await _key(services), text)
    record = found["record"]
    return {
        "receipt_id": found["metadata"]["receipt_id"],
        "created": found["metadata"]["created"],
        "record_id": record["header"]["record_id"],
        "notice_version": record["pii_processing"]["privacy_notice"]["version"],
        "events": [{"at": each["event_time"], "state": each["event_state"]} for each in record["events"]],
    }


async def consent_renew(services: Services) -> dict[str, Any]:
    """Publishes the privacy notice as a version that every member is asked to read."""
    notice = await Notices(services.lifecycle).renew(services.clock.now_ms(), audit.OPERATOR)
    return {"version": notice.version, "published_at": iso(notice.published_at_ms), "hash": notice.hash}


OPERATIONS: Mapping[str, Operation] = {
    "consent.show": consent_show,
    "consent.receipt": consent_receipt_of,
    "consent.verify": consent_verify,
    "consent.renew": consent_renew,
}


async def _key(services: Services) -> bytes:
    return await asyncio.to_thread(services.keys.purpose_key, consent_receipt.PURPOSE)


def _consent(consent: Consent) -> dict[str, Any]:
    return {
        "id": consent.id,
        "purpose": consent.purpose,
        "object": consent.object_id,
        "decision": consent.decision,
        "method": consent.method,
        "notice_version": consent.notice_version,
        "notice_hash": consent.notice_hash,
        "language": consent.language,
        "at": iso(consent.at_ms),
    }
