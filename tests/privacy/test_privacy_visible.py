"""Hidden before deleted: readers see nothing that is over, whether or not a sweep was there already."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.dialects import sqlite
from tests.support.retention import DAY_MS, NOW_MS, add_messages, add_room, add_seat, add_user, count, open_lifecycle

from pymeet.db.schema import attendance, messages, metadata, processing_limits
from pymeet.meetings.service import Meetings
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.visible import visible


@pytest.fixture
async def lifecycle(tmp_path: Path):
    async with open_lifecycle(tmp_path) as made:
        await made.db.work(_fill)
        yield made


def _fill(conn: Connection) -> None:
    add_user(conn, "ann")
    add_room(conn, "room")
    add_seat(conn, "room", "ann-seat", NOW_MS, "ann")
    add_messages(conn, "room", NOW_MS - 89 * DAY_MS, NOW_MS, user_id="ann", seat="ann-seat")
    add_seat(conn, "room", "gus-seat", NOW_MS)
    add_messages(conn, "room", NOW_MS - 89 * DAY_MS, NOW_MS, seat="gus-seat")


def meetings(lifecycle: Lifecycle) -> Meetings:
    return Meetings(lifecycle.db, lifecycle.clock, lifecycle.periods)


async def seats(lifecycle: Lifecycle) -> list[str]:
    return [each.participant_id for each in await meetings(lifecycle).messages("room")]


async def test_a_message_is_hidden_in_the_millisecond_in_which_it_is_over(lifecycle: Lifecycle):
    """The sweep runs once a day; what people see must not depend on when."""
    lifecycle.clock.utc_ms = NOW_MS + DAY_MS - 1  # type: ignore[attr-defined]
    assert len(await seats(lifecycle)) == 4

    lifecycle.clock.utc_ms += 1  # type: ignore[attr-defined]
    assert len(await seats(lifecycle)) == 2
    assert await count(lifecycle.db) == 4


async def test_a_room_s_own_period_decides_what_is_seen_in_it(lifecycle: Lifecycle):
    """Longer shows more at once; shorter hides only when it counts."""
    lifecycle.clock.utc_ms = NOW_MS + 10 * DAY_MS  # type: ignore[attr-defined]
    now_ms = lifecycle.clock.now_ms()
    assert len(await seats(lifecycle)) == 2

    await lifecycle.periods.set_room("room", "chat", 180 * DAY_MS, now_ms=now_ms, actor="operator")
    assert len(await seats(lifecycle)) == 4

    await lifecycle.periods.set_room("room", "chat", 5 * DAY_MS, now_ms=now_ms, actor="operator")
    assert len(await seats(lifecycle)) == 4
    lifecycle.clock.utc_ms += 3 * DAY_MS  # type: ignore[attr-defined]
    assert len(await seats(lifecycle)) == 0


@pytest.mark.parametrize(("cause", "is_hidden"), [("erasure", True), ("restriction", True), ("objection", False)])
@pytest.mark.parametrize(
    ("who", "left"), [({"user_id": "ann"}, "gus-seat"), ({"participant_id": "gus-seat"}, "ann-seat")]
)
async def test_restricted_people_s_words_are_hidden_until_the_limit_is_lifted(
    lifecycle: Lifecycle, cause: str, is_hidden: bool, who: dict[str, str], left: str
):
    """Article 18: kept, but not used. An objection ends single uses, not the meeting's own chat."""

    def limit(conn: Connection) -> None:
        conn.execute(insert(processing_limits).values(id="l", cause=cause, from_ms=NOW_MS, **who))

    await lifecycle.db.work(limit)
    assert set(await seats(lifecycle)) == ({left} if is_hidden else {"ann-seat", "gus-seat"})

    def lift(conn: Connection) -> None:
        conn.execute(processing_limits.update().values(lifted_at_ms=NOW_MS))

    await lifecycle.db.work(lift)
    assert set(await seats(lifecycle)) == {"ann-seat", "gus-seat"}


async def test_who_is_still_in_the_room_is_seen(lifecycle: Lifecycle):
    """While the clock of a row has not begun, nothing is over."""
    await lifecycle.db.work(lambda conn: add_seat(conn, "room", "now", None))

    def ask(conn: Connection) -> set[str]:
        shown = visible(attendance, lifecycle.periods, NOW_MS + 10_000 * DAY_MS)
        return set(conn.execute(select(attendance.c.participant_id).where(shown)).scalars())

    assert await lifecycle.db.study(ask) == {"now"}


async def test_kept_for_ever_means_shown_for_ever(tmp_path: Path):
    """An operator who typed `forever` gets what was typed."""
    async with open_lifecycle(tmp_path, retention={"chat": "forever"}) as lifecycle:
        await lifecycle.db.work(_fill)
        lifecycle.clock.utc_ms = NOW_MS + 10_000 * DAY_MS  # type: ignore[attr-defined]

        assert len(await seats(lifecycle)) == 4


async def test_the_condition_is_never_null(lifecycle: Lifecycle):
    """Neither shown nor hidden would be hidden from readers and from those who look for hidden rows."""

    def ask(conn: Connection) -> None:
        for table in metadata.sorted_tables:
            shown = visible(table, lifecycle.periods, NOW_MS)
            assert conn.execute(select(table).where(shown.is_(None))).all() == []

    await lifecycle.db.study(ask)


async def test_reading_a_chat_uses_the_indexes(lifecycle: Lifecycle):
    """A condition that makes every reader look through the whole table would be taken out again soon."""
    query = (
        select(messages)
        .where(messages.c.room_id == "room", visible(messages, lifecycle.periods, NOW_MS))
        .order_by(messages.c.sequence.desc())
        .limit(200)
    )
    sql = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))

    def explain(conn: Connection) -> list[str]:
        return [row.detail for row in conn.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]

    steps = await lifecycle.db.study(explain)
    assert steps[0] == "SEARCH messages USING INDEX ix_messages_room_id_sequence (room_id=?)"
    assert not [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step]
