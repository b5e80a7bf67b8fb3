"""Takes one person out of one recording: their tracks with files and keys, what they did and wrote in it, and the films
that show them. Nobody else's track is touched; films are made again without them.

Killed at any point, asking again goes on: what is gone is gone, and the list of files to remove is in the database.
"""

import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final

import structlog

from pymeet.db import audit
from pymeet.db.schema import recording_events, recording_tracks
from pymeet.errors import ConflictError, NotFoundError
from pymeet.privacy.gone import remove_pending
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject
from pymeet.recording import removal_store as store

log = structlog.get_logger(__name__)

_CHECKPOINT_TRIES: Final = 15
_CHECKPOINT_PAUSE_S: Final = 0.2


@dataclass(frozen=True)
class Removal:
    """What was taken out, or with `dry_run` would be."""

    recording_id: str
    tracks: int
    size_bytes: int
    """Of the tracks."""
    events: int
    """Entries of the timeline, without messages."""
    messages: int
    films: int
    """Films that showed the person; each is made again without them."""
    files_left: int
    """Files whose keys or content could not be removed yet; it is tried again every few minutes."""
    log_emptied: bool
    """Whether the database's log was emptied: only then is what was deleted off the disk."""
    dry_run: bool

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return asdict(self)


async def remove_person(
    lifecycle: Lifecycle, recording_id: str, person_id: str, actor: str, *, dry_run: bool = False
) -> Removal:
    """Takes the person with the row `person_id` of `recording_people` out; also while the recording still runs.

    Their consent ends with it, which stops their tracks. With `dry_run` nothing is changed. NotFoundError when they are
    not in the recording; ConflictError (`held`) when a legal hold keeps it.
    """
    db, clock = lifecycle.db, lifecycle.clock
    person = await db.study(store.person_of, recording_id, person_id)
    await db.study(store.refuse_held, person_id)
    if dry_run:
        return _removal(recording_id, await db.study(store.content_of, person_id), 0, emptied=False, dry_run=True)
    await db.work(store.withdraw, person, recording_id, actor, clock.now_ms())
    await lifecycle.consent_withdrawn(person, recording_id)
    found = await db.study(store.content_of, person_id)
    await lifecycle.withdraw_from_films([person_id])
    await db.work(store.drop_films, person_id, clock.now_ms())
    for table in (recording_tracks, recording_events):
        while await db.work(store.drop_some, table, person_id, clock.now_ms()):
            pass
    await db.work(store.drop_person, recording_id, person_id, actor, found, clock.now_ms())
    removed = await remove_pending(lifecycle)
    emptied = await _emptied(lifecycle)
    lifecycle.poke_films()
    log.info("somebody was taken out of a recording", recording_id=recording_id, files=removed.removed)
    return _removal(recording_id, found, removed.failed, emptied=emptied, dry_run=False)


async def take_out(lifecycle: Lifecycle, recording_id: str, person: DataSubject, actor: str) -> None:
    """Takes out with all their seats who asks for it themself: their consent ends also where a hold keeps what there is.

    NotFoundError when they are not in the recording; ConflictError (`held`): it is done as soon as the hold is over.
    """
    seats = await lifecycle.db.study(store.seats_of, recording_id, person)
    if not seats:
        raise NotFoundError("You are not in this recording, or no longer.")
    await lifecycle.db.work(store.withdraw, person, recording_id, actor, lifecycle.clock.now_ms())
    await lifecycle.consent_withdrawn(person, recording_id)
    try:
        for seat in seats:
            with suppress(NotFoundError):  # somebody else was quicker
                await remove_person(lifecycle, recording_id, seat, actor)
    except ConflictError as error:
        raise ConflictError(
            "Your consent has ended, and you are recorded no further. A legal hold keeps what was recorded of you before; "
            "it is destroyed by itself as soon as the hold is released.",
            code=error.code,
        ) from error


async def finish(lifecycle: Lifecycle) -> None:
    """Takes out who withdrew for good and is still there, because a hold kept them until now, or the server died meanwhile."""
    for recording_id, seat in await lifecycle.db.study(store.unfinished):
        try:
            await remove_person(lifecycle, recording_id, seat, audit.SYSTEM)
        except (NotFoundError, ConflictError):  # somebody was quicker
            continue
        except Exception:  # whatever it is, those after them must not wait for it
            log.exception(
                "somebody could not be taken out of a recording; it will be tried again", recording_id=recording_id
            )


def _removal(recording_id: str, found: store.Content, files_left: int, *, emptied: bool, dry_run: bool) -> Removal:
    return Removal(
        recording_id=recording_id, **asdict(found), files_left=files_left, log_emptied=emptied, dry_run=dry_run
    )


async def _emptied(lifecycle: Lifecycle) -> bool:
    for attempt in range(_CHECKPOINT_TRIES):
        if attempt:
            await asyncio.sleep(_CHECKPOINT_PAUSE_S)
        if await lifecycle.db.checkpoint():
            return True
    return False
