"""The words of consent receipts: which term of which vocabulary each of their fields is, and what values are called.

The fields are those of ISO/IEC TS 27560:2023; the terms come from the Data Privacy Vocabulary, its extension for the
GDPR, and Dublin Core, as the guide "Consent Records and Receipts" of the W3C's DPVCG pairs them.
"""

from collections.abc import Mapping
from typing import Any, Final

CONTEXT: Final[Mapping[str, Any]] = {
    "@version": 1.1,
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "pymeet": "urn:pymeet:",
    # Sections of the standard; what stands in them belongs to the receipt or the record itself.
    "metadata": "@nest",
    "header": "@nest",
    "pii_processing": "@nest",
    "schema_version": {"@id": "dct:conformsTo", "@type": "@id"},
    "receipt_id": "dpv:hasIdentifier",
    "record_id": "dct:identifier",
    "created": {"@id": "dct:created", "@type": "xsd:dateTime"},
    "record": "dpv:hasRecordOfActivity",
    "pii_principal_id": {"@id": "dpv:hasDataSubject", "@type": "@id"},
    "privacy_notice": "dpv:hasNotice",
    "notice_type": "@type",
    "version": "dct:hasVersion",
    "sha256": "pymeet:sha256",
    "inventory": "pymeet:inventory",
    "published": {"@id": "dct:issued", "@type": "xsd:dateTime"},
    "language": "dct:language",
    "purposes": "dpv:hasProcess",
    "purpose": "dpv:hasPurpose",
    "title": "dct:title",
    "lawful_basis": {"@id": "dpv:hasLegalBasis", "@type": "@vocab"},
    "pii_information": "dpv:hasPersonalData",
    "pii_type": "dct:type",
    "pii_controllers": {"@id": "dpv:hasDataController", "@type": "@id"},
    "collection_method": {"@id": "dpv:hasDataSource", "@type": "@vocab"},
    "storage_locations": {"@id": "dpv:hasLocation", "@type": "@id"},
    "retention_period": "dpv:hasStorageCondition",
    "condition_type": "@type",
    "duration": "dpv:hasDuration",
    "begins": "dct:description",
    "jurisdiction": {"@id": "dpv:hasApplicableLaw", "@type": "@vocab"},
    "recipient_third_parties": "dpv:hasRecipient",
    "withdrawal_method": "dpv:hasConsentControl",
    "control_type": "@type",
    "exercised_at": {"@id": "dpv:isExercisedAt", "@type": "@id"},
    "privacy_rights": "dpv:hasRight",
    "right_type": "@type",
    "authority_party": {"@id": "dpv:hasAuthority", "@type": "@id"},
    "party_identification": "dpv:hasEntity",
    "party_id": "@id",
    "party_role": "@type",
    "party_name": "dpv:hasName",
    "party_address": "dpv:hasAddress",
    "party_contact": "dpv:hasContact",
    "party_url": {"@id": "schema:url", "@type": "@id"},
    "events": {"@id": "dpv:hasConsentStatus", "@container": "@list"},
    "event_id": "dct:identifier",
    "event_time": {"@id": "dpv:isIndicatedAtTime", "@type": "xsd:dateTime"},
    "event_type": {"@id": "dpv:hasLegalBasis", "@type": "@vocab"},
    "event_state": "@type",
    "event_method": "dpv:hasIndicationMethod",
    "entity_id": {"@id": "dpv:isIndicatedBy", "@type": "@id"},
    "validity_duration": "dpv:hasDuration",
    "notice": "dpv:hasNotice",
}
"""The `@context`. It loads nothing: a receipt can be read without a network."""

STATES: Final = {
    "given": "dpv:ConsentGiven",
    "refused": "dpv:ConsentRefused",
    "withdrawn": "dpv:ConsentWithdrawn",
    "acknowledged": "pymeet:acknowledged",
}
VALID: Final = {
    "given": "until it is withdrawn, and no longer than what it is for",
    "refused": "until it is given",
    "withdrawn": "until it is given again",
    "acknowledged": "until a version of the notice must be read anew",
}
RIGHTS: Final = {
    "access": "A15",
    "rectification": "A16",
    "erasure": "A17",
    "restriction": "A18",
    "portability": "A20",
    "objection": "A21",
    "withdrawal of consent": "A7-3",
    "complaint to the authority": "A77",
}
CONSENTED: Final = {
    "recording": "To record a meeting, with sound and picture of those who agreed.",
    "transcript": "To write down what those who agreed say in a meeting.",
    "streaming": "To show a meeting, with those who agreed, to people outside it.",
    "summary": "To summarise what those who agreed said in a meeting.",
}
