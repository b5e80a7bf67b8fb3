"""The receipt of a consent: what was agreed to, when, and after reading which text, to take along and to show later.

Its fields and sections are those of ISO/IEC TS 27560:2023. The context makes it JSON-LD in the Data Privacy Vocabulary
(W3C DPVCG, "Consent Records and Receipts", profiles `record-eu-gdpr` and `receipt-eu-gdpr`). The server signs it by
HMAC-SHA256 over its canonical JSON, so the server can tell later whether it issued exactly this.
"""

import base64
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from pymeet.config import Config
from pymeet.db.inventory import DATA_CATEGORIES, Basis, Keep, KeepWith, Kind, Recipient, TableEntry, entries
from pymeet.db.schema import metadata
from pymeet.errors import InvalidInputError
from pymeet.ids import new_id
from pymeet.privacy import consents
from pymeet.privacy.consent_terms import CONSENTED, CONTEXT, RIGHTS, STATES, VALID
from pymeet.privacy.consents import Consent
from pymeet.privacy.documents.deadlines import Effective
from pymeet.privacy.notices import Notice, version_now

PURPOSE: Final = b"consent-receipts"
"""What to ask the key store for."""

MAX_LENGTH: Final = 1 << 20
"""Longer texts are not receipts of ours."""

_PROOF = "HMAC-SHA256"
_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#"

_IN_CONSENTED = (Kind.NAME, Kind.CONTENT, Kind.ACTIVITY)


@dataclass(frozen=True)
class Circumstances:
    """What a receipt says besides the records: who answers for them, where, and which periods are in force."""

    config: Config
    site: str
    """The address people open, without a slash at its end."""
    effective: Effective
    key: bytes
    """That of `PURPOSE`."""


def issue(conn: Connection, consent_id: str, given: Circumstances, now_ms: int) -> dict[str, Any]:
    """Makes and signs the receipt of the timeline that one decision belongs to. NotFoundError."""
    decided = consents.same_timeline(conn, consents.one(conn, consent_id))
    receipt_id = new_id()
    receipt = {
        "@context": CONTEXT,
        "@id": f"urn:pymeet:receipt:{receipt_id}",
        "@type": "dpv:ConsentReceipt",
        "metadata": {
            "schema_version": f"{_SCHEMA}receipt-eu-gdpr",
            "receipt_id": receipt_id,
            "created": _iso(now_ms),
        },
        "record": _record(decided, version_now(conn, decided[-1].notice_version), given),
    }
    return {**receipt, "proof": {"type": _PROOF, "value": _signature(given.key, receipt)}}


def verify(key: bytes, text: str) -> dict[str, Any]:
    """What a receipt says, where this server issued exactly this. InvalidInputError (`not_our_receipt`)."""
    try:
        if len(text) > MAX_LENGTH:
            raise ValueError("too long")
        receipt: dict[str, Any] = json.loads(text, object_pairs_hook=_once)
        proof = receipt.pop("proof")
        signed = set(proof) == {"type", "value"} and proof["type"] == _PROOF
        signed = signed and hmac.compare_digest(_signature(key, receipt), proof["value"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        signed = False
    if not signed:
        raise InvalidInputError(
            "This server did not issue this receipt, or it was changed since.\n"
            "Ask for the file as it was downloaded; opening and saving it in a program may change it.",
            code="not_our_receipt",
        )
    return receipt


def _record(decided: Sequence[Consent], notice: Notice, given: Circumstances) -> dict[str, Any]:
    """One record: header, processing, parties and events (TS 27560, 6.3)."""
    newest = decided[-1]
    principal = _principal(given.key, newest)
    return {
        "@type": "dpv:ConsentRecord",
        "header": {
            "schema_version": f"{_SCHEMA}record-eu-gdpr",
            "record_id": decided[0].id,
            "pii_principal_id": principal,
        },
        "pii_processing": {
            "privacy_notice": _notice(newest, notice),
            "language": newest.language,
            "purposes": list(_purposes(newest, given.effective)),
            **_everywhere(given),
        },
        "party_identification": list(_parties(principal, given)),
        "events": [_event(each, principal) for each in decided],
    }


def _notice(consent: Consent, notice: Notice) -> dict[str, Any]:
    return {
        "notice_type": "dpv:PrivacyNotice" if consent.purpose == consents.NOTICE else "dpv:ConsentNotice",
        "version": consent.notice_version,
        "sha256": consent.notice_hash,
        "language": consent.language,
        "published": _iso(notice.published_at_ms),
        "inventory": notice.inventory,
    }


def _purposes(consent: Consent, effective: Effective) -> Iterator[dict[str, Any]]:
    """What the data is for. The privacy notice tells of everything; any other consent is about one thing."""
    if consent.purpose != consents.NOTICE:
        yield {
            "purpose": CONSENTED[consent.purpose],
            "lawful_basis": _basis(Basis.CONSENT),
            "pii_information": _information(_IN_CONSENTED),
            "retention_period": [
                {"condition_type": "dpv:StorageDuration", "duration": f"as long as the {consent.purpose}"}
            ],
            "recipient_third_parties": [str(Recipient.ROOM)],
        }
        return
    for entry in entries(metadata):
        if entry.personal:
            yield {
                "purpose": entry.purpose,
                "lawful_basis": _basis(entry.basis),
                "pii_information": _information(each.kind for each in entry.columns.values() if each.kind),
                "retention_period": list(_kept(entry, effective)),
                "recipient_third_parties": [str(each) for each in entry.recipients],
            }


def _everywhere(given: Circumstances) -> dict[str, Any]:
    """What holds for every purpose."""
    page = f"{given.site}/my-data"
    rights = [
        {"right_type": ["dpv:DataSubjectRight", f"eu-gdpr:{article}"], "title": name, "exercised_at": page}
        for name, article in RIGHTS.items()
    ]
    authority = {"authority_party": f"{given.site}/#authority"} if given.config.privacy.authority else {}
    return {
        "pii_controllers": [f"{given.site}/#controller"],
        "collection_method": "dpv:DataSubjectDataSource",
        "storage_locations": [given.site],
        "jurisdiction": "eu-gdpr:GDPR",
        "withdrawal_method": {"control_type": "dpv:WithdrawConsent", "exercised_at": page},
        "privacy_rights": rights,
        **authority,
    }


def _kept(entry: TableEntry, effective: Effective) -> Iterator[dict[str, str]]:
    for rule in entry.keep:
        if isinstance(rule, KeepWith):
            yield {"condition_type": "dpv:StorageDuration", "duration": f"as long as its {rule.table}"}
        elif isinstance(rule, Keep):
            duration = _duration(effective[rule.name])
            yield {"condition_type": "dpv:StorageDuration", "duration": duration, "begins": rule.rule.begins}


def _parties(principal: str, given: Circumstances) -> Iterator[dict[str, str]]:
    said = given.config.privacy
    controller = said.controller or "The operator of this server"
    yield {
        "party_id": f"{given.site}/#controller",
        "party_role": "dpv:DataController",
        "party_name": controller,
        "party_address": controller,
        "party_contact": said.contact or given.site,
        "party_url": given.site,
    }
    for party_id, role, contact in (
        ("dpo", "dpv:DataProtectionOfficer", said.dpo_contact),
        ("authority", "dpv:DataProtectionAuthority", said.authority),
    ):
        if contact:
            yield {
                "party_id": f"{given.site}/#{party_id}",
                "party_role": role,
                "party_name": contact,
                "party_contact": contact,
            }
    yield {"party_id": principal, "party_role": "dpv:DataSubject"}


def _event(consent: Consent, principal: str) -> dict[str, Any]:
    agreed = consent.purpose != consents.NOTICE
    return {
        "event_id": consent.id,
        "event_time": _iso(consent.at_ms),
        **({"event_type": "dpv:ExpressedConsent"} if agreed else {}),
        "event_state": STATES[consent.decision],
        "event_method": consent.method,
        "entity_id": principal,
        "validity_duration": VALID[consent.decision],
        "notice": {"version": consent.notice_version, "sha256": consent.notice_hash, "language": consent.language},
    }


def _principal(key: bytes, consent: Consent) -> str:
    """A name for the person in this one timeline, which leads nobody but this server back to them, or to another one."""
    if consent.person is None:
        return "urn:pymeet:person:erased"
    parts = [consent.person.anchor.value, consent.person.id, consent.purpose, consent.object_id]
    mark = hmac.digest(key, json.dumps(["principal", *parts]).encode(), "sha256")[:16]
    return f"urn:pymeet:person:{_base64(mark)}"


def _information(kinds: Iterable[Kind]) -> list[dict[str, str]]:
    return [{"pii_type": DATA_CATEGORIES[kind]} for kind in dict.fromkeys(kinds)]


def _basis(basis: Basis) -> str:
    return f"eu-gdpr:A6-1-{basis.value}"


def _duration(milliseconds: int | None) -> str:
    """As ISO 8601 writes it; whole days as days, because an hour more or less for the clock does not count here."""
    if milliseconds is None:
        return "without end"
    minutes, rest = divmod(milliseconds // 1000, 60)
    if minutes % 1440 == 0 and not rest:
        return f"P{minutes // 1440}D"
    return f"PT{minutes}M" if not rest else f"PT{milliseconds // 1000}S"


def _signature(key: bytes, receipt: Mapping[str, Any]) -> str:
    canonical = json.dumps(receipt, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _base64(hmac.digest(key, canonical.encode(), "sha256"))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key that stands twice shows one thing to a reader and another to us."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _iso(at_ms: int) -> str:
    """UTC as ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
