"""What the API answers about personal data: to people about their own, and to those who look after others'."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from pymeet.db.schema.privacy import (
    CONSENT_DECISIONS,
    CONSENT_PURPOSES,
    DECISIONS,
    EXPORT_STATES,
    HOLD_REASONS,
    ORIGINS,
    RIGHTS,
    STATES,
)
from pymeet.privacy.documents.notice import Held, Receiving, Right, Stored
from pymeet.privacy.documents.words import LANGUAGES
from pymeet.privacy.erasure_plan import Action
from pymeet.retention import CLASSES
from pymeet.web.openapi.words import Id, Ms, words

RequestState = Annotated[str, words(*STATES)]


class NoticeGroup(TypedDict):
    """What stands under one heading of the notice."""

    title: str
    held: list[Held]


class Notice(TypedDict):
    """The privacy notice as data, in one language."""

    version: int
    published_on: str
    """The day in UTC, `2026-11-21`."""
    sha256: str
    """Of the canonical text; records of consent name it."""
    changed: list[str]
    """The headings under which the version before said something else."""
    language: Annotated[str, words(*LANGUAGES)]
    responsible: list[tuple[str, str]]
    """What and who."""
    short: list[str]
    endless: bool
    """Whether anything is kept without end."""
    groups: list[NoticeGroup]
    memory: list[Stored]
    browser: list[Stored]
    log: list[str]
    receivers: list[Receiving]
    rights: list[Right]
    ways: list[str]


class PersonShown(TypedDict):
    """Whose data it is."""

    kind: Literal["member", "guest"]
    name: str | None
    email: NotRequired[str]
    """A member's."""
    room: NotRequired[str | None]
    """Where a guest was, as far as it is known."""
    at: NotRequired[Ms]
    """When a guest came."""


class Kept(TypedDict):
    """How long something is kept, in words, and until when."""

    period: str
    begins: str
    """Empty where `period` says it all."""
    gone_by: Ms | None
    """By when the newest of it is gone from everywhere, backups included; null where that cannot be computed."""


class HeldClass(TypedDict):
    """One kind of data that exists about the person."""

    name: str
    title: str
    purpose: str
    basis: str
    count: int
    keep: Kept
    recipients: list[str]


class Limits(TypedDict):
    """What the person asked for, and is in force."""

    restricted: bool
    objecting: bool


class ErasureUnderWay(TypedDict):
    """An erasure that was asked for."""

    request: Id
    state: RequestState
    erased_after: Ms | None


class Export(TypedDict):
    """An archive that was asked for."""

    id: Id
    state: Annotated[str, words(*EXPORT_STATES)]
    requested_at: Ms
    ready_at: Ms | None
    link_until: Ms | None
    downloads_left: int
    size: int | None
    """Bytes."""


class Consent(TypedDict):
    """What the person decided about one purpose."""

    id: Id
    purpose: Annotated[str, words(*CONSENT_PURPOSES)]
    recording: Id | None
    decision: Annotated[str, words(*CONSENT_DECISIONS)]
    notice_version: int
    language: str
    at: Ms


class OwnRequest(TypedDict):
    """What the person asked for."""

    id: Id
    right: Annotated[str, words(*RIGHTS)]
    state: RequestState
    received_at: Ms
    due_at: Ms
    closed_at: Ms | None
    decision: Annotated[str, words(*DECISIONS)] | None


class NoticeState(TypedDict):
    """The notice in force, and whether the person has read it."""

    version: int
    published_at: Ms
    acknowledged: bool


class GuestRecording(TypedDict):
    """A recording that a guest is in."""

    id: Id
    name: str
    room: str
    started_at: Ms
    ended_at: Ms | None
    duration_ms: int | None
    delete_at: Ms | None


class OwnData(TypedDict):
    """What is held about a person."""

    person: PersonShown
    classes: list[HeldClass]
    limits: Limits
    erasure: ErasureUnderWay | None
    exports: list[Export]
    consents: list[Consent]
    requests: list[OwnRequest]
    notice: NoticeState


class GuestData(OwnData):
    """What is held about a guest's seat."""

    recordings: list[GuestRecording]


class Made(TypedDict):
    """What was made, or is being made."""

    id: Id


class ErasureBegun(TypedDict):
    """The erasure that was asked for; the session ends."""

    request: Id
    erased_after: Ms | None
    status: str
    """A signed text that tells how far it is."""


class GuestErasureBegun(TypedDict):
    """The erasure goes on at once."""

    request: Id
    status: str
    """A signed text that tells how far it is."""


class ErasureStep(TypedDict):
    """When the erasure went which step."""

    state: str
    at: Ms


class ErasureState(TypedDict):
    """How far an erasure is. It names nobody."""

    request: Id
    state: RequestState
    events: list[ErasureStep]
    erased_after: Ms | None
    result: dict[str, Any] | None
    """The receipt, once it is done."""


class RequestEntry(TypedDict):
    """A request in the register."""

    id: Id
    right: Annotated[str, words(*RIGHTS)]
    origin: Annotated[str, words(*ORIGINS)]
    who: str | None
    """Named to administrators only."""
    state: RequestState
    received_at: Ms
    due_at: Ms
    days_left: int
    overdue: bool
    decision: Annotated[str, words(*DECISIONS)] | None


class Requests(TypedDict):
    """The register of requests."""

    requests: list[RequestEntry]


class FoundPerson(TypedDict):
    """Somebody who certainly is meant."""

    kind: Literal["member", "guest"]
    id: str
    name: str | None
    email: str | None
    counts: dict[str, int]
    """How many rows of which table."""


class FoundPeople(TypedDict):
    """Whoever was found."""

    people: list[FoundPerson]


class ErasureStepPlanned(TypedDict):
    """What would happen to the rows of one table."""

    name: str
    title: str
    rows: int
    action: Action


class ErasurePlan(TypedDict):
    """What erasing somebody would do."""

    tables: list[ErasureStepPlanned]
    rooms: int
    """Rooms that would belong to nobody."""
    held: int
    """Rows that a legal hold keeps."""
    erased_after: Ms


class OthersErasureBegun(TypedDict):
    """The erasure that was begun."""

    request: Id
    erased_after: Ms | None


class Hold(TypedDict):
    """What must not be deleted yet."""

    id: Id
    kind: Literal["member", "guest", "room", "recording"]
    who: str | None
    """Named to administrators only."""
    reason: Annotated[str, words(*HOLD_REASONS)]
    placed_at: Ms
    review_at: Ms


class Holds(TypedDict):
    """The holds in force."""

    holds: list[Hold]


class AuditEvent(TypedDict):
    """An event of the audit log; people stand in it under random names. Of one that was redacted only the place is left."""

    sequence: int
    at: Ms
    actor: str | None
    action: str | None
    target: str | None
    detail: dict[str, Any] | None


class AuditEvents(TypedDict):
    """Events, the newest first."""

    events: list[AuditEvent]


class AuditProblem(TypedDict):
    """Where the log is not as it was written."""

    what: str
    sequence: int | None


class AuditReport(TypedDict):
    """Whether the whole log is as it was written."""

    intact: bool
    events: int
    problems: list[AuditProblem]


ComingPeriod = TypedDict("ComingPeriod", {"period": str, "from": Ms})
"""A period that waits to come into force."""


class RetentionClass(TypedDict):
    """One class of data, and how long it is kept."""

    name: Annotated[str, words(*CLASSES)]
    title: str
    period: str
    """As `90d`, or `forever`."""
    coming: ComingPeriod | None
    due: int
    """How many rows are over and still there."""


class Sweeper(TypedDict):
    """How the sweeps stand."""

    last: Ms | None
    next: Ms | None
    waiting: int
    refused: list[str]
    """Why the clock is not believed."""


class Retention(TypedDict):
    """The periods in force."""

    classes: list[RetentionClass]
    sweeper: Sweeper


class AuditQuery(TypedDict, total=False):
    """Which events are shown."""

    before: Annotated[int, Field(ge=1)]
    """Older than this `sequence`."""
    action: str
    limit: Annotated[int, Field(ge=1)]
    """How many at most; 100 unless it is given, 500 are the most."""


class LanguageQuery(TypedDict, total=False):
    """In which language."""

    language: Annotated[str, words(*LANGUAGES)]
