"""What an `error` can say: docs/protocol.md, section 1.2."""

from typing import Literal

ErrorCode = Literal[
    "protocol_error",
    "invalid_input",
    "not_allowed",
    "not_signed_in",
    "signed_out",
    "not_found",
    "conflict",
    "too_many",
    "room_full",
    "busy",
    "wrong_password",
    "locked",
    "refused",
    "bad_description",
    "recording_off",
    "recording_failed",
    "disk_full",
    "internal",
]
