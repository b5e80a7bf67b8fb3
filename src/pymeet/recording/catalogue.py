"""The catalogue: which recordings there are for whom, what stands in one, and what its people change about it.

Who may do what is decided in `access.py` and nowhere else. Times are UTC milliseconds, those inside a recording
milliseconds since its beginning.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, RowMapping

from pymeet.accounts.texts import clean_line
from pymeet.db import audit
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.privacy.gone import remove_pending
from pymeet.privacy.parts import Lifecycle
from pymeet.recording import catalogue_store as store
from pymeet.recording.access import Asker, Standing, Verb, check, may, no_such_recording
from pymeet.recording.catalogue_store import PersonRow, Rows
from pymeet.retention import CLASSES

T = TypeVar("T")

NAME_LENGTH: Final = 120
"""Characters of a recording's name."""

UNDER_WAY: Final = frozenset({"queued", "making"})
"""The states of a film that is being made."""


class FilmMaker(Protocol):
    """Makes films (`films.py`). Whether somebody may ask for one is decided here, before."""

    async def request(
        self,
        recording_id: str,
        *,
        layout: str,
        format: str,  # noqa: A002  the word for it everywhere
        height: int,
        with_names: bool,
    ) -> str:
        """Puts a film on the list of those to make; its id."""

    async def cancel(self, film_id: str) -> None:
        """Stops making it."""

    async def retry(self, film_id: str) -> None:
        """Tries again what failed or was cancelled."""

    def progress(self, film_id: str) -> float | None:
        """How much of it is made, from 0 to 1; None while it waits."""


@dataclass(frozen=True)
class Entry:
    """A recording as one asker sees it."""

    rows: Rows
    standings: frozenset[Standing]
    period_ms: int | None
    """How long recordings of its room are kept."""
    trash_ms: int | None
    user_id: str | None
    """Who asks."""

    @property
    def id(self) -> str:
        return str(self.rows.recording["id"])

    @property
    def running(self) -> bool:
        return self.rows.recording["ended_at_ms"] is None

    @property
    def trashed(self) -> bool:
        return self.rows.recording["trashed_at_ms"] is not None

    @property
    def mine(self) -> bool:
        return Standing.OWNER in self.standings

    @property
    def may(self) -> frozenset[Verb]:
        return may(self.standings, running=self.running, trashed=self.trashed)

    @property
    def people(self) -> tuple[PersonRow, ...]:
        """Who is in it, without those whose data must not be used now; but the asker always."""
        return tuple(each for each in self.rows.people if not each.hidden or self.is_you(each))

    @property
    def persons(self) -> list[tuple[PersonRow, ...]]:
        """The same with all seats of one member together, by name; somebody who left and came back has several."""
        found: dict[str, tuple[PersonRow, ...]] = {}
        for each in self.people:
            found[each.user_id or each.id] = (*found.get(each.user_id or each.id, ()), each)
        return sorted(found.values(), key=lambda seats: seats[0].name.casefold())

    @property
    def duration_ms(self) -> int | None:
        """None while it runs."""
        ended_at_ms = self.rows.recording["ended_at_ms"]
        return None if ended_at_ms is None else max(0, ended_at_ms - self.rows.recording["started_at_ms"])

    @property
    def size_bytes(self) -> int:
        """Tracks and films together."""
        return self.rows.track_bytes + sum(each["size_bytes"] or 0 for each in self.rows.films)

    @property
    def delete_at_ms(self) -> int | None:
        """When it is deleted; None where that has no date."""
        ends = [_after(self.rows.recording["keep_from_ms"], self.period_ms)]
        ends.append(_after(self.rows.recording["trashed_at_ms"], self.trash_ms))
        return min((each for each in ends if each is not None), default=None)

    @property
    def pinned_until_ms(self) -> int | None:
        """Until when somebody had it kept beyond its ordinary time."""
        recording = self.rows.recording
        moved = recording["ended_at_ms"] is not None and recording["keep_from_ms"] != recording["ended_at_ms"]
        return _after(recording["keep_from_ms"], self.period_ms) if moved else None

    @property
    def ordinary_end_ms(self) -> int | None:
        """When it is deleted where nobody pins it."""
        return _after(self.rows.recording["ended_at_ms"], self.period_ms)

    @property
    def pin_limit_ms(self) -> int | None:
        """The latest moment until which it can be pinned; None while it runs or where it is kept without end."""
        ended_at_ms = self.rows.recording["ended_at_ms"]
        return None if ended_at_ms is None or self.period_ms is None else ended_at_ms + CLASSES["recording"].max_ms

    @property
    def film(self) -> RowMapping | None:
        """The film to show: the newest that is ready, else the newest that is not."""
        ready = [each for each in self.rows.films if each["state"] == "ready"]
        return next(iter((*ready, *self.rows.films)), None)

    def is_you(self, person: PersonRow) -> bool:
        """Whether a seat is the asker's own."""
        return person.user_id is not None and person.user_id == self.user_id


@dataclass(frozen=True)
class Contents:
    """What stands in a recording, without those whose data must not be used now."""

    tracks: tuple[RowMapping, ...]
    events: tuple[RowMapping, ...]


class Catalogue:
    """All recordings of one server."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    async def every(self, asker: Asker, *, others: bool = False) -> list[Entry]:
        """The asker's recordings, the newest first, those in the trash among them; with `others`, for administrators
        and the operator only, also those that are none of theirs."""
        now_ms = self._lifecycle.clock.now_ms()
        all_there_are = others and (asker.is_admin or asker.is_operator)
        async with self._lifecycle.db.read() as conn:
            rows = await conn.run_sync(
                lambda here: store.of_asker(here, asker, self._lifecycle.periods, now_ms, others=all_there_are)
            )
        entries = [self._entry(each, asker, now_ms) for each in rows]
        return [each for each in entries if Verb.SEE in each.may]

    async def listed(self, asker: Asker, *, search: str = "", trash: bool = False, others: bool = False) -> list[Entry]:
        """Those of them that `picked` picks."""
        return picked(await self.every(asker, others=others), search=search, trash=trash)

    async def of_guest(self, participant_id: str) -> list[Entry]:
        """The recordings in which a guest's seat is, for the holder of the receipt."""
        now_ms = self._lifecycle.clock.now_ms()
        async with self._lifecycle.db.read() as conn:
            rows = await conn.run_sync(store.of_participant, participant_id, self._lifecycle.periods, now_ms)
        return [self._entry(each, Asker(), now_ms) for each in rows]

    async def one(self, asker: Asker, recording_id: str, verb: Verb = Verb.SEE) -> Entry:
        """A recording with which the asker may do this; NotFoundError, NotAllowedError, ConflictError (`access.check`)."""
        async with self._lifecycle.db.read() as conn:
            return await conn.run_sync(self.allowed, asker, recording_id, verb)

    def allowed(self, conn: Connection, asker: Asker, recording_id: str, verb: Verb) -> Entry:
        """The same inside a transaction: what is decided and what is done about it belong together."""
        now_ms = self._lifecycle.clock.now_ms()
        rows = store.one(conn, recording_id, self._lifecycle.periods, now_ms, asker.user_id)
        if rows is None:
            raise no_such_recording()
        entry = self._entry(rows, asker, now_ms)
        check(entry.standings, verb, running=entry.running, trashed=entry.trashed)
        return entry

    async def contents(self, entry: Entry) -> Contents:
        """Tracks and events of the people whom the asker may see."""
        shown = {each.id for each in entry.people}

        def look(conn: Connection) -> Contents:
            tracks = (each for each in store.tracks(conn, entry.id) if each["person_id"] in shown)
            events = (each for each in store.events(conn, entry.id) if each["person_id"] in shown)
            return Contents(tuple(tracks), tuple(events))

        async with self._lifecycle.db.read() as conn:
            return await conn.run_sync(look)

    async def rename(self, asker: Asker, recording_id: str, name: str) -> None:
        """Gives a recording another name. InvalidInputError, and as `one`."""
        cleaned = clean_line(name, what="The name", limit=NAME_LENGTH)
        await self._change(asker, recording_id, Verb.RENAME, "recording.renamed", lambda _: {"name": cleaned})

    async def pin(self, asker: Asker, recording_id: str, until_ms: int | None) -> None:
        """Keeps a recording until a moment beyond its ordinary time, at most as long as any recording may be kept; None
        takes that back. InvalidInputError or ConflictError with the day in it, and as `one`."""
        now_ms = self._lifecycle.clock.now_ms()

        def moved(entry: Entry) -> dict[str, Any]:
            keep_from_ms = _keep_from_ms(entry, until_ms, now_ms)
            return {"keep_from_ms": keep_from_ms, "warned_days": None}  # it is warned of the new day again

        action = "recording.unpinned" if until_ms is None else "recording.pinned"
        await self._change(asker, recording_id, Verb.PIN, action, moved)

    async def trash(self, asker: Asker, recording_id: str) -> None:
        """Puts a recording into the trash: gone for everybody else, and deleted when the time of the trash is over."""
        now_ms = self._lifecycle.clock.now_ms()
        await self._change(asker, recording_id, Verb.DELETE, "recording.trashed", lambda _: {"trashed_at_ms": now_ms})

    async def restore(self, asker: Asker, recording_id: str) -> None:
        """Takes a recording out of the trash."""
        await self._change(
            asker,
            recording_id,
            Verb.RESTORE,
            "recording.restored",
            lambda _: {"trashed_at_ms": None, "warned_days": None},
        )

    async def delete_now(self, recording_id: str) -> bool:
        """Deletes a recording for good, by the operator, in the trash or not; whether its files are off the disk, too.

        ConflictError while it runs (`still_recording`), is being made into a film (`film_under_way`) or is held
        (`held`); NotFoundError.
        """
        now_ms = self._lifecycle.clock.now_ms()

        def delete(conn: Connection) -> None:
            rows = store.one(conn, recording_id, self._lifecycle.periods, now_ms)
            if rows is None:
                raise no_such_recording()
            if rows.recording["ended_at_ms"] is None:
                raise ConflictError("This meeting is still being recorded.", code="still_recording")
            if rows.held:
                raise ConflictError("A legal hold keeps this recording.", code="held")
            if any(each["state"] == "making" for each in rows.films):
                raise ConflictError("A film of this recording is being made.", code="film_under_way")
            store.delete_recording(conn, recording_id, now_ms)
            audit.record_now(conn, now_ms, audit.OPERATOR, "recording.deleted", recording_id)

        await self._lifecycle.db.work(delete)
        return (await remove_pending(self._lifecycle)).failed == 0

    async def film(self, asker: Asker, recording_id: str, film_id: str, verb: Verb) -> tuple[Entry, RowMapping]:
        """A film of a recording with which the asker may do this; NotFoundError, and as `one`."""
        entry = await self.one(asker, recording_id, verb)
        return entry, _film_of(entry, film_id)

    async def delete_film(self, asker: Asker, recording_id: str, film_id: str) -> None:
        """Deletes a film; it can be made again from the tracks. ConflictError (`film_under_way`), and as `one`."""

        def delete(conn: Connection) -> None:
            now_ms = self._lifecycle.clock.now_ms()
            film = _film_of(self.allowed(conn, asker, recording_id, Verb.COMPOSE), film_id)
            if film["state"] in UNDER_WAY:
                raise ConflictError("This film is being made. Cancel it first.", code="film_under_way")
            store.delete_film(conn, film_id, now_ms)
            audit.record_now(conn, now_ms, asker.actor, "film.deleted", film_id)

        async with self._lifecycle.db.write() as conn:
            await conn.run_sync(delete)
        await remove_pending(self._lifecycle)

    async def note(self, asker: Asker, action: str, target: str, detail: audit.Detail | None = None) -> None:
        """Writes into the audit log what the asker did."""
        async with self._lifecycle.db.write() as conn:
            await audit.record(
                conn,
                at_ms=self._lifecycle.clock.now_ms(),
                actor=asker.actor,
                action=action,
                target=target,
                detail=detail,
            )

    async def _change(
        self, asker: Asker, recording_id: str, verb: Verb, action: str, values: Callable[[Entry], dict[str, Any]]
    ) -> None:
        def change(conn: Connection) -> None:
            entry = self.allowed(conn, asker, recording_id, verb)
            store.change(conn, recording_id, **values(entry))
            audit.record_now(conn, self._lifecycle.clock.now_ms(), asker.actor, action, recording_id)

        async with self._lifecycle.db.write() as conn:
            await conn.run_sync(change)

    def _entry(self, rows: Rows, asker: Asker, now_ms: int) -> Entry:
        periods = self._lifecycle.periods
        return Entry(
            rows=rows,
            standings=_standings(rows, asker),
            period_ms=periods.room(rows.recording["room_id"], "recording", now_ms),
            trash_ms=periods.period_ms("recording_trash", now_ms),
            user_id=asker.user_id,
        )


def picked(entries: Iterable[Entry], *, search: str, trash: bool) -> list[Entry]:
    """Those in the trash, or those that are not. `search` is a part of the name, of the room's name, or of the name of
    somebody who is in it."""
    wanted = [each for each in entries if each.trashed == trash]
    return [each for each in wanted if _matches(each, search)] if search.strip() else wanted


def _standings(rows: Rows, asker: Asker) -> frozenset[Standing]:
    """What the asker is to a recording."""
    who = asker.user_id
    found = {
        Standing.OPERATOR: asker.is_operator,
        Standing.ADMIN: asker.is_admin,
        Standing.OWNER: who is not None and who in (rows.recording["owner_id"], rows.recording["room_owner_id"]),
        Standing.RECORDED: who is not None and any(each.user_id == who for each in rows.people),
        Standing.SHARED: who is not None and who in rows.shared_with,
        Standing.LINK: asker.link_to == rows.recording["id"],
    }
    return frozenset(standing for standing, given in found.items() if given)


def _keep_from_ms(entry: Entry, until_ms: int | None, now_ms: int) -> int:
    """Where the clock of a recording must stand for it to be deleted then."""
    ended_at_ms, period_ms = entry.rows.recording["ended_at_ms"], entry.period_ms
    ordinary_ms, latest_ms = entry.ordinary_end_ms, entry.pin_limit_ms
    if period_ms is None or ordinary_ms is None or latest_ms is None:
        raise ConflictError("Recordings are kept without end here: there is nothing to pin.", code="kept_forever")
    if until_ms is None:
        if ordinary_ms <= now_ms:
            raise ConflictError(
                f"Its ordinary time was over on {_day(ordinary_ms)}: without the pin it would be gone at once. "
                "Put it into the trash instead.",
                code="over_without_pin",
            )
        return int(ended_at_ms)
    if until_ms > latest_ms:
        raise InvalidInputError(f"It can be kept until {_day(latest_ms)} at the latest.", code="pin_too_late")
    if until_ms <= max(ordinary_ms, now_ms):
        raise InvalidInputError(f"It is kept until {_day(ordinary_ms)} anyway; choose a later day.")
    return until_ms - period_ms


def _film_of(entry: Entry, film_id: str) -> RowMapping:
    for each in entry.rows.films:
        if each["id"] == film_id:
            return each
    raise NotFoundError("There is no such film.")


def _matches(entry: Entry, search: str) -> bool:
    """Whoever may not see who is in a recording does not find that out by searching."""
    texts = [entry.rows.recording["name"], entry.rows.recording["room_name"], entry.rows.recording["slug"]]
    if Verb.VIEW in entry.may or entry.mine or Standing.RECORDED in entry.standings:
        texts += [each.name for each in entry.people]
    wanted = search.strip().casefold()
    return any(wanted in text.casefold() for text in texts)


def _after(clock_ms: int | None, period_ms: int | None) -> int | None:
    return None if clock_ms is None or period_ms is None else clock_ms + period_ms


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%-d %B %Y")
