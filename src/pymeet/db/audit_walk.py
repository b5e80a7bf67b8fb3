"""Follows the chain of the audit log from event to event, and notes what does not fit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pymeet.db.audit import START, chained, leaf_of, payload_of

MOST_PROBLEMS: Final = 20
"""More are not noted: a log that broken needs no longer list."""

REDACTED: Final = "audit.redacted"
"""The action of the event that says which other event was redacted."""


class What(StrEnum):
    """What can be wrong with the log. The value is stable."""

    CHANGED = "changed"
    UNLINKED = "unlinked"
    GAP = "gap"
    TRUNCATED = "truncated"
    BEYOND_HEAD = "beyond_head"
    HEAD_CHANGED = "head_changed"
    HEAD_MISSING = "head_missing"
    REWRITTEN = "rewritten"
    SEAL_FORGED = "seal_forged"
    SEAL_MISSING = "seal_missing"
    ANCHOR_FORGED = "anchor_forged"
    CHECKPOINT_FORGED = "checkpoint_forged"
    CHECKPOINTS_MISSING = "checkpoints_missing"
    ROLLED_BACK = "rolled_back"
    REDACTED_SILENTLY = "redacted_silently"


SENTENCES: Final[Mapping[What, str]] = {
    What.CHANGED: "The content of this event was changed.",
    What.UNLINKED: "This event does not follow the one before it: one of the two was exchanged.",
    What.GAP: "Events are missing from this number on.",
    What.TRUNCATED: "The newest events are missing, from this number on.",
    What.BEYOND_HEAD: "From this number on, events were added past the program.",
    What.HEAD_CHANGED: "The record of the newest event does not fit it.",
    What.HEAD_MISSING: "The record of the newest event is missing.",
    What.REWRITTEN: "This event is not the one that was signed: the log was rewritten here or before.",
    What.SEAL_FORGED: "The signature up to this event is not this server's.",
    What.SEAL_MISSING: "The signature was removed.",
    What.ANCHOR_FORGED: "The month that begins with this event was deleted, and not by this server.",
    What.CHECKPOINT_FORGED: "From this line on, the file of checkpoints was changed.",
    What.CHECKPOINTS_MISSING: "The file of checkpoints was removed.",
    What.ROLLED_BACK: "The log once went up to this event: the database is an older copy, or its end was removed.",
    What.REDACTED_SILENTLY: "The content of this event was removed, and no later event says so.",
}


@dataclass(frozen=True)
class Problem:
    """Something that contradicts the log."""

    what: What
    sequence: int
    """The first event concerned; for CHECKPOINT_FORGED the line of the file, 0 where there is none."""


class Walk:
    """Where one stands in the chain, and what was found on the way.

    It begins after the event `sequence`, with the chain as it was there. `expected` are hashes that the chain must
    have after some events, from signatures and checkpoints.
    """

    def __init__(self, sequence: int = 0, chain: bytes = START, *, expected: Mapping[int, bytes] | None = None) -> None:
        self.sequence = sequence
        self.chain = chain
        self.events = 0
        self.problems: list[Problem] = []
        self._expected = {} if expected is None else expected
        self._rewritten = False
        self._redacted: dict[int, tuple[Any, Any]] = {}
        self._announced: dict[int, tuple[Any, Any]] = {}

    def note(self, what: What, sequence: int) -> None:
        """Remembers a problem."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(what, sequence))

    def jump(self, first: int, last: int, chain: bytes) -> None:
        """Passes over events that were deleted in time, up to `last`."""
        if first > self.sequence + 1:
            self.note(What.GAP, self.sequence + 1)
        self._arrive(last, chain)

    def step(self, row: Any) -> None:
        """Passes the next event: a row of audit_events, its values as SQLite has them."""
        self.events += 1
        linked = True
        if row.sequence != self.sequence + 1:
            self.note(What.GAP, self.sequence + 1)
            linked = False  # nobody knows what it followed
        if not isinstance(row.leaf, bytes) or not isinstance(row.chain, bytes) or not self._is_content_right(row):
            self.note(What.CHANGED, row.sequence)
        elif linked and chained(self.chain, row.leaf) != row.chain:
            self.note(What.UNLINKED, row.sequence)
        self._arrive(row.sequence, row.chain if isinstance(row.chain, bytes) else START)

    def finish(self) -> int:
        """Looks whether every redaction was announced; how many there are."""
        for sequence, said in self._redacted.items():
            if self._announced.get(sequence) != said:
                self.note(What.REDACTED_SILENTLY, sequence)
        return len(self._redacted)

    def _arrive(self, sequence: int, chain: bytes) -> None:
        self.sequence, self.chain = sequence, chain
        if self._expected.get(sequence, chain) != chain and not self._rewritten:
            self._rewritten = True  # every later hash differs, too
            self.note(What.REWRITTEN, sequence)

    def _is_content_right(self, row: Any) -> bool:
        content = (row.actor, row.action, row.target, row.detail, row.salt)
        if all(each is None for each in content):
            self._redacted[row.sequence] = (row.at_ms, row.segment)
            return True
        if not isinstance(row.salt, bytes):
            return False
        try:
            payload = payload_of(row.at_ms, row.segment, row.actor, row.action, row.target, row.detail)
        except TypeError:  # JSON cannot carry it, so it was never hashed
            return False
        if leaf_of(row.salt, row.sequence, payload) != row.leaf:
            return False
        if row.action == REDACTED and row.detail:
            try:
                said = json.loads(row.detail)
                self._announced[said["sequence"]] = (said.get("at_ms"), said.get("segment"))
            except (ValueError, KeyError, TypeError, AttributeError):
                return False  # its hash is right, and yet the program never writes such a detail
        return True
