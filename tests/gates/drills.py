"""What the gates do again and again: two people in every table, one is exported or erased, then every byte is looked at.

What must stay and what must be withheld is written down here once more, by hand: a second signature under the decisions
of the inventory, so that none can be changed by mistake.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Text, select

from pymeet.clock import ManualClock
from pymeet.db.schema import metadata
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, guest, member
from tests.support.canaries import Canaries, fill
from tests.support.exports import archive_of, opened

Place = tuple[str, str]

STAYS: frozenset[Place] = frozenset(
    {
        # a pseudonym that leads to nobody once `audit_people` has lost the person
        ("audit_events", "actor"),
        ("audit_events", "target"),
        ("audit_events", "detail"),
        # random numbers and a language of what proves that requests were answered and consent was given
        ("consents", "id"),
        ("consents", "notice_hash"),
        ("consents", "object_id"),
        ("requests", "id"),
        ("requests", "result"),
        # recordings belong to everybody who is in them
        ("recordings", "id"),
        ("recordings", "name"),
        # groups belong to everybody who is in them
        ("groups", "id"),
        ("groups", "name"),
        ("groups", "description"),
        ("group_members", "group_id"),
        ("recording_group_shares", "id"),
        # fields of the profile belong to everybody
        ("profile_fields", "id"),
        ("profile_fields", "label"),
        ("profile_values", "field_id"),
        # rooms belong to everybody who uses them
        ("rooms", "id"),
        ("rooms", "name"),
        ("rooms", "slug"),
    }
)
"""What of an erased person's rows may still be there; everything else must be gone."""

WITHHELD: frozenset[Place] = frozenset(
    {
        ("calendar_feeds", "secret_hash"),
        ("api_tokens", "token_hash"),
        ("avatars", "file_id"),
        ("erasure_ledger", "subject_mark"),
        ("exports", "file_id"),
        ("exports", "token_hash"),
        ("films", "file_id"),
        ("known_devices", "token_hash"),
        ("mail_outbox", "template_values"),
        ("one_time_links", "token_hash"),
        ("provider_sessions", "id_token"),
        ("recording_shares", "password_hash"),
        ("recording_shares", "token_hash"),
        ("recording_tracks", "file_id"),
        ("recovery_codes", "code_hash"),
        ("room_passwords", "password_hash"),
        ("second_factors", "totp_secret"),
        ("sessions", "token_hash"),
        ("user_credentials", "password_hash"),
    }
)
"""Personal columns that no archive may hold."""

NOT_PERSONAL: frozenset[Place] = frozenset(
    {
        ("audit_events", "detail"),
        ("consents", "notice_hash"),
        ("consents", "object_id"),
        ("holds", "id"),
        ("invitees", "language"),
        ("invitees", "meeting_id"),
        ("meetings", "id"),
        ("meetings", "rrule"),
        ("meetings", "starts_local"),
        ("mail_outbox", "error"),
        ("notifications", "object_id"),
        ("mail_outbox", "id"),
        ("processing_limits", "id"),
        ("recording_events", "recording_id"),
        ("recording_people", "recording_id"),
        ("recording_shares", "id"),
        ("recording_shares", "recording_id"),
        ("recording_tracks", "codec"),
        ("recording_tracks", "recording_id"),
        ("recording_views", "recording_id"),
        ("recording_views", "share_id"),
        ("recordings", "id"),
        ("films", "error"),
        ("films", "id"),
        ("films", "recording_id"),
        ("requests", "result"),
        ("rooms", "id"),
    }
)
"""Text columns that say nothing about anybody; an archive leaves them out or not, as it likes."""


SEALED = (("recording_tracks", "file_id"), ("films", "file_id"))
"""Columns that name a sealed file of the person, which has to go with its row: here the files are really there."""


@dataclass
class Pair:
    """Two people who are everywhere."""

    lifecycle: Lifecycle
    first: DataSubject
    second: DataSubject
    of_first: Canaries
    of_second: Canaries


@asynccontextmanager
async def two_people(directory: Path, *, guests: bool = False) -> AsyncIterator[Pair]:
    """A fresh server's data with two members, or two guests, in every table that can be about them."""
    make = guest if guests else member
    first, second = make(secrets.token_hex(11)), make(secrets.token_hex(11))
    async with opened(directory, ManualClock()) as lifecycle:
        of_first = await lifecycle.db.work(fill, first, "first")
        of_second = await lifecycle.db.work(fill, second, "second")
        for canaries in (of_first, of_second):
            for file_id in (canaries[place] for place in SEALED if place in canaries):
                with lifecycle.files.create(file_id, lifecycle.clock.now_ms()) as sink:
                    sink.write(b"what they said")
                    sink.finish()
        yield Pair(lifecycle, first, second, of_first, of_second)


async def erasing(pair: Pair) -> list[str]:
    """Erases the first person and tells everything that is not as it should be; the empty list is good."""
    directory = pair.lifecycle.config.data_dir
    await pair.lifecycle.db.checkpoint()
    before = await asyncio.to_thread(_bytes_of, directory)
    wrong = [f"the search is blind for {place}" for place, text in pair.of_first.items() if text.encode() not in before]
    await Erasures(pair.lifecycle).erase_now(pair.first, "operator", "operator")
    await pair.lifecycle.db.checkpoint()
    after = await asyncio.to_thread(_bytes_of, directory)
    stays = {pair.of_first[place] for place in STAYS if place in pair.of_first}
    for place, text in pair.of_first.items():
        if text in stays and place in STAYS and text.encode() not in after:
            wrong.append(f"{place} is gone and should have stayed")
        if text not in stays and text.encode() in after:
            wrong.append(f"{place} is still there")
    wrong += [
        f"{place} of somebody else is gone" for place, text in pair.of_second.items() if text.encode() not in after
    ]
    paths = {place: pair.lifecycle.files.path(pair.of_first[place]) for place in SEALED if place in pair.of_first}
    wrong += [f"the file of {place} is still there" for place, path in paths.items() if path.exists()]
    return wrong + await pair.lifecycle.db.study(_linked, pair.first)


async def exporting(pair: Pair) -> list[str]:
    """Exports the first person and tells everything that is not as it should be."""
    archive = await archive_of(pair.lifecycle, pair.first)
    content = b"\n".join(archive.files.values())
    wrong = []
    for place, text in pair.of_first.items():
        if place in NOT_PERSONAL:
            continue
        # by column, because some values stand in several
        table, column = place
        handed_over = any(text in str(row.get(column)) for row in archive.rows(table))
        if place in WITHHELD and handed_over:
            wrong.append(f"{place} was handed over")
        if place not in WITHHELD and not handed_over:
            wrong.append(f"{place} is missing")
    return wrong + [
        f"{place} of somebody else was handed over"
        for place, text in pair.of_second.items()
        if text.encode() in content
    ]


def _bytes_of(directory: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in _files(directory))


def _files(directory: Path) -> Iterable[Path]:
    return (path for path in sorted(directory.rglob("*")) if path.is_file() and not path.is_socket())


def _linked(conn: Connection, person: DataSubject) -> list[str]:
    """Columns that still hold the person's id, whatever the inventory thinks of them."""
    found = []
    for table in metadata.sorted_tables:
        for column in table.columns:
            if (
                isinstance(column.type, Text)
                and conn.execute(select(column).where(column == person.id).limit(1)).first()
            ):
                found.append(f"{table.name}.{column.name} still holds the person's id")
    return found
