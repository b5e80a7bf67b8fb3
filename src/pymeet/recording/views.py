"""The access log: who looked at a recording or took something of it along, told to its owner and to those in it.

A player asks for a film in many pieces, so looking counts once in ten minutes and viewer. Taking along counts each time,
but not more often than once in a minute for the same file: nobody fills the log by asking again and again.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from pymeet.privacy.parts import Lifecycle
from pymeet.recording import sharing_store as store
from pymeet.recording.access import Asker
from pymeet.retention import minutes

AGAIN_AFTER_MS: Final = minutes(10)
TAKEN_AGAIN_AFTER_MS: Final = minutes(1)
SHOWN: Final = 500
"""So many entries are told, the newest."""


class By(StrEnum):
    """Who looked, as far as it can be said."""

    MEMBER = "member"
    LINK = "link"
    OTHER = "other"  # by a link that has ended, a member who is not here any more, or the operator


@dataclass(frozen=True)
class View:
    """One entry. `kind` is one of `VIEW_KINDS`, `at_ms` UTC milliseconds."""

    at_ms: int
    kind: str
    by: By
    name: str | None
    """The member's name; None for everybody else."""


class Views:
    """The access log of all recordings."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._taken: dict[tuple[str | None, str | None, str], int] = {}
        """Who took which file along in the last minute, and when: member, link and file."""

    async def looked(self, asker: Asker, recording_id: str, kind: str, file_id: str, *, begins: bool) -> None:
        """Notes that a film or track is being sent, before its first byte is.

        `begins` says that it is sent from its beginning: then taking it along counts each time, and not when a broken
        download goes on.
        """
        now_ms = self._lifecycle.clock.now_ms()
        always = begins and kind.endswith("_download")
        taking = (asker.user_id, asker.share_id, file_id)
        if always:
            since = now_ms - TAKEN_AGAIN_AFTER_MS
            self._taken = {each: at_ms for each, at_ms in self._taken.items() if since < at_ms <= now_ms}
            if taking in self._taken:
                return

        def known(conn: Connection) -> bool:
            since_ms = now_ms - AGAIN_AFTER_MS
            return store.looked_since(conn, recording_id, asker.user_id, asker.share_id, kind, since_ms)

        def note(conn: Connection) -> None:
            if always or not known(conn):  # asked again: two pieces may be asked for at the same time
                store.add_view(
                    conn,
                    recording_id=recording_id,
                    user_id=asker.user_id,
                    share_id=asker.share_id,
                    kind=kind,
                    at_ms=now_ms,
                )

        if not always:
            async with self._lifecycle.db.read() as conn:
                if await conn.run_sync(known):
                    return
        if always:
            self._taken[taking] = now_ms
        try:
            async with self._lifecycle.db.write() as conn:
                await conn.run_sync(note)
        except BaseException:
            self._taken.pop(taking, None)
            raise

    async def of(self, recording_id: str) -> list[View]:
        """The newest entries of a recording, the newest first."""
        async with self._lifecycle.db.read() as conn:
            rows = await conn.run_sync(store.views, recording_id, SHOWN)
        return [
            View(
                at_ms=each["at_ms"],
                kind=each["kind"],
                by=By.MEMBER if each["user_id"] else By.LINK if each["share_id"] else By.OTHER,
                name=each["name"],
            )
            for each in rows
        ]
