"""A room that is handed to somebody else: what was before stays with those who were there."""

from pathlib import Path

import pytest
from tests.support.migrated import prepare
from tests.support.recordings import LASTS_MS, Seat, make_recording

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.errors import ConflictError, NotFoundError
from pymeet.ops.operations import run
from pymeet.ops.services import open_services
from pymeet.recording.access import Asker
from pymeet.recording.catalogue import Catalogue


async def test_recordings_of_the_time_before_are_none_of_the_new_owners(tmp_path: Path) -> None:
    """An administrator who hands a room to themselves must not watch by that what others recorded there (Article 5(1)(b))."""
    clock = ManualClock()
    prepare(tmp_path / "data" / "pymeet.db")
    async with open_services(Config(data_dir=tmp_path / "data"), clock) as services:
        people = {}
        for name in ("Ada", "Bob", "Cleo"):
            people[name] = (await run(services, "user.add", {"name": name, "email": f"{name.lower()}@example.org"}))[
                "id"
            ]
        await run(services, "room.create", {"name": "Tea", "slug": "tea-time", "owner": "ada@example.org"})
        seats = {"Cleo": Seat(people["Cleo"])}
        before = await make_recording(services.lifecycle, "tea-time", people["Cleo"], seats)
        clock.advance(60)
        await services.meetings.hand_over("tea-time", people["Bob"])
        clock.advance(LASTS_MS / 1000 + 60)
        after = await make_recording(services.lifecycle, "tea-time", people["Cleo"], seats)
        catalogue = Catalogue(services.lifecycle)

        seen = {name: {each.id for each in await catalogue.every(Asker(people[name]), others=False)} for name in people}
        with pytest.raises(NotFoundError):
            await catalogue.one(Asker(people["Bob"]), before.id)

    assert seen == {"Ada": set(), "Bob": {after.id}, "Cleo": {before.id, after.id}}


async def test_recordings_that_are_only_the_owners_stay_theirs_whoever_has_the_room(tmp_path: Path) -> None:
    """A guest started it, or somebody whose account is gone: with the room it would belong to nobody for ever, also when
    the room comes back."""
    clock = ManualClock()
    prepare(tmp_path / "data" / "pymeet.db")
    async with open_services(Config(data_dir=tmp_path / "data"), clock) as services:
        ada = (await run(services, "user.add", {"name": "Ada", "email": "ada@example.org"}))["id"]
        bob = (await run(services, "user.add", {"name": "Bob", "email": "bob@example.org"}))["id"]
        await run(services, "room.create", {"name": "Tea", "slug": "tea-time", "owner": "ada@example.org"})
        catalogue, made = Catalogue(services.lifecycle), {}

        async def theirs() -> list[set[str]]:
            return [{each.id for each in await catalogue.every(Asker(who), others=False)} for who in (ada, bob)]

        for when in ("first", "second"):
            clock.advance(LASTS_MS / 1000 + 60)
            made[when] = (await make_recording(services.lifecycle, "tea-time", None, {"Guest": Seat()})).id
            clock.advance(60)
            if when == "first":
                await services.meetings.hand_over("tea-time", bob)
        assert await theirs() == [{made["first"]}, {made["second"]}]
        await services.meetings.hand_over("tea-time", ada)

        assert await theirs() == [{made["first"]}, {made["second"]}]
        assert (await catalogue.one(Asker(ada), made["first"])).id == made["first"]


async def test_a_room_goes_to_nobody_who_cannot_use_it(tmp_path: Path) -> None:
    """Neither to a disabled account nor to one that is not there; the room keeps its owner."""
    prepare(tmp_path / "data" / "pymeet.db")
    async with open_services(Config(data_dir=tmp_path / "data"), ManualClock()) as services:
        bob = await run(services, "user.add", {"name": "Bob", "email": "bob@example.org"})
        await run(services, "user.disable", {"email": "bob@example.org"})
        await run(services, "room.create", {"name": "Tea", "slug": "tea-time"})

        with pytest.raises(ConflictError):
            await services.meetings.hand_over("tea-time", bob["id"])
        with pytest.raises(NotFoundError):
            await services.meetings.hand_over("tea-time", "A" * 22)

        assert (await services.meetings.room("tea-time")).owner_id is None
