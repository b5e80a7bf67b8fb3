"""Every table of pymeet, one file per feature. Importing this package checks the inventory as a whole."""

from pymeet.db import inventory
from pymeet.db.schema.accounts import avatars, one_time_links, sessions, user_credentials, users
from pymeet.db.schema.audit import audit_anchors, audit_events, audit_head, audit_people
from pymeet.db.schema.base import metadata
from pymeet.db.schema.factors import known_devices, passkeys, recovery_codes, second_factors
from pymeet.db.schema.groups import group_members, groups, recording_group_shares
from pymeet.db.schema.lifecycle import (
    breaches,
    clock_marks,
    notices,
    pending_gone,
    retention_periods,
    room_retention,
)
from pymeet.db.schema.mail import mail_outbox
from pymeet.db.schema.meetings import attendance, message_recipients, messages, room_passwords, rooms
from pymeet.db.schema.notifications import notification_choices, notifications
from pymeet.db.schema.oidc import identities, provider_sessions
from pymeet.db.schema.privacy import (
    consents,
    erasure_ledger,
    exports,
    holds,
    processing_limits,
    request_events,
    requests,
)
from pymeet.db.schema.profile import profile_fields, profile_values
from pymeet.db.schema.recordings import (
    film_people,
    films,
    recording_events,
    recording_people,
    recording_shares,
    recording_tracks,
    recording_views,
    recordings,
)
from pymeet.db.schema.schedule import (
    calendar_feeds,
    invitees,
    meeting_exceptions,
    meetings,
    notification_settings,
    personal_rooms,
    reminder_marks,
)
from pymeet.db.schema.settings import server_settings
from pymeet.db.schema.tokens import api_tokens

inventory.check(metadata)

__all__ = [
    "api_tokens",
    "attendance",
    "audit_anchors",
    "audit_events",
    "audit_head",
    "audit_people",
    "avatars",
    "breaches",
    "calendar_feeds",
    "clock_marks",
    "consents",
    "erasure_ledger",
    "exports",
    "film_people",
    "films",
    "group_members",
    "groups",
    "holds",
    "identities",
    "invitees",
    "known_devices",
    "mail_outbox",
    "meeting_exceptions",
    "meetings",
    "message_recipients",
    "messages",
    "metadata",
    "notices",
    "notification_choices",
    "notification_settings",
    "notifications",
    "one_time_links",
    "passkeys",
    "pending_gone",
    "personal_rooms",
    "processing_limits",
    "profile_fields",
    "profile_values",
    "provider_sessions",
    "recording_events",
    "recording_group_shares",
    "recording_people",
    "recording_shares",
    "recording_tracks",
    "recording_views",
    "recordings",
    "recovery_codes",
    "reminder_marks",
    "request_events",
    "requests",
    "retention_periods",
    "room_passwords",
    "room_retention",
    "rooms",
    "second_factors",
    "server_settings",
    "sessions",
    "user_credentials",
    "users",
]
