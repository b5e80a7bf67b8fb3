"""Sharing a recording with members and by links, as time goes by."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.support.migrated import prepare
from tests.support.recordings import Made, Seat, make_recording

from pymeet.accounts.passwords import Passwords
from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db.schema import recording_shares
from pymeet.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    TooManyError,
)
from pymeet.ops.operations import run
from pymeet.ops.services import Services, open_services
from pymeet.recording.access import Asker, Standing
from pymeet.recording.catalogue import Catalogue
from pymeet.recording.shares import MOST, Shares
from pymeet.recording.views import Views

PASSWORD = "a password of a link"


@dataclass
class Scene:
    """Ann's recording, and Bob, who is not in it."""

    services: Services
    clock: ManualClock
    catalogue: Catalogue
    shares: Shares
    ann: Asker
    bob: Asker
    made: Made


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = ManualClock()
    prepare(tmp_path / "data" / "pymeet.db")
    async with open_services(Config(data_dir=tmp_path / "data"), clock) as services:
        askers = []
        for name in ("Ann", "Bob"):
            added = await run(services, "user.add", {"name": name, "email": f"{name.lower()}@example.org"})
            askers.append(Asker(user_id=added["id"]))
        await run(services, "room.create", {"name": "Tea", "slug": "tea-time"})
        ann, bob = askers
        made = await make_recording(services.lifecycle, "tea-time", ann.user_id, {"Ann": Seat(ann.user_id)})
        catalogue = Catalogue(services.lifecycle)
        shares = Shares(services.lifecycle, catalogue, passwords=Passwords(time_cost=1, memory_kib=8))
        yield Scene(services, clock, catalogue, shares, ann, bob, made)


async def _columns(scene: Scene) -> list[dict[str, object]]:
    async with scene.services.db.read() as conn:
        return [dict(each) for each in (await conn.execute(select(recording_shares))).mappings()]


async def test_a_member_finds_it_among_theirs(scene: Scene) -> None:
    """Until the share ends."""
    share = await scene.shares.with_member(scene.ann, scene.made.id, "bob@example.org")
    (entry,) = await scene.catalogue.listed(scene.bob)
    assert entry.standings == {Standing.SHARED}

    await scene.shares.end(scene.ann, scene.made.id, share)

    assert await scene.catalogue.listed(scene.bob) == []


@pytest.mark.parametrize("email", ["nobody@example.org", "gone@example.org"])
async def test_an_address_without_account_makes_a_share_that_looks_the_same(scene: Scene, email: str) -> None:
    """Also one whose account is disabled; the name of a member is told once they have looked."""
    await run(scene.services, "user.add", {"name": "Gone", "email": "gone@example.org"})
    await run(scene.services, "user.disable", {"email": "gone@example.org"})
    await scene.shares.with_member(scene.ann, scene.made.id, email)
    await scene.shares.with_member(scene.ann, scene.made.id, "bob@example.org")

    before = await scene.shares.of(scene.made.id)
    await Views(scene.services.lifecycle).looked(scene.bob, scene.made.id, "film", "film", begins=True)
    after = await scene.shares.of(scene.made.id)

    assert [(each.kind, each.name) for each in before] == [("member", None)] * 2
    assert sorted(str(each.name) for each in after) == ["Bob", "None"]
    with pytest.raises(InvalidInputError):
        await scene.shares.with_member(scene.ann, scene.made.id, "no address")


async def test_only_hashes_are_stored(scene: Scene) -> None:
    """Whoever reads the database watches nothing with it."""
    _, token = await scene.shares.by_link(scene.ann, scene.made.id, 7, PASSWORD)

    (row,) = await _columns(scene)

    assert token not in str(row)
    assert PASSWORD not in str(row)
    assert str(row["password_hash"]).startswith("$argon2id$")


@pytest.mark.parametrize("valid_days", [1, 30])
async def test_a_link_is_good_until_its_last_millisecond(scene: Scene, valid_days: int) -> None:
    """And whoever opened it before stands outside then, too."""
    share, token = await scene.shares.by_link(scene.ann, scene.made.id, valid_days)
    scene.clock.advance(valid_days * 86_400 - 1)
    opened = await scene.shares.open(token, None)
    assert opened.entry.standings == {Standing.LINK}
    assert opened.asker == Asker(share_id=share, link_to=scene.made.id)

    scene.clock.advance(1)

    with pytest.raises(NotFoundError):
        await scene.shares.open(token, None)
    with pytest.raises(NotFoundError):
        await scene.shares.still_open(share)
    assert await scene.shares.of(scene.made.id) == []


@pytest.mark.parametrize("valid_days", [0, 31, -1])
async def test_no_link_is_good_for_longer_than_a_month(scene: Scene, valid_days: int) -> None:
    """Nor for no time at all."""
    with pytest.raises(InvalidInputError):
        await scene.shares.by_link(scene.ann, scene.made.id, valid_days)


async def test_a_password_is_asked_for_and_not_to_be_guessed(scene: Scene) -> None:
    """Ten wrong ones in five minutes, from wherever they come."""
    _, token = await scene.shares.by_link(scene.ann, scene.made.id, 7, PASSWORD)
    with pytest.raises(NotAllowedError) as needed:
        await scene.shares.open(token, None)
    assert needed.value.code == "password_needed"
    for _ in range(10):
        with pytest.raises(NotSignedInError):
            await scene.shares.open(token, "another password")
    with pytest.raises(TooManyError):
        await scene.shares.open(token, PASSWORD)

    scene.clock.advance(301)
    scene.shares.forget_attempts()

    assert (await scene.shares.open(token, PASSWORD)).entry.id == scene.made.id
    with pytest.raises(InvalidInputError):
        await scene.shares.by_link(scene.ann, scene.made.id, 7, "too short")


async def test_who_does_not_own_it_shares_nothing(scene: Scene) -> None:
    """Somebody it was shared with does not hand it on."""
    await scene.shares.with_member(scene.ann, scene.made.id, "bob@example.org")

    with pytest.raises(NotAllowedError):
        await scene.shares.by_link(scene.bob, scene.made.id, 7)
    with pytest.raises(NotAllowedError):
        await scene.shares.with_member(scene.bob, scene.made.id, "ann@example.org")
    with pytest.raises(NotFoundError):
        await scene.shares.end(scene.ann, scene.made.id, "A" * 22)


async def test_shares_have_a_bound(scene: Scene) -> None:
    """And trying out addresses has one, too."""
    for _ in range(60):
        await scene.shares.with_member(scene.ann, scene.made.id, "bob@example.org")
    with pytest.raises(TooManyError):
        await scene.shares.with_member(scene.ann, scene.made.id, "bob@example.org")
    scene.clock.advance(3601)
    for _ in range(MOST - 60):
        await scene.shares.with_member(scene.ann, scene.made.id, "bob@example.org")
    with pytest.raises(TooManyError):
        await scene.shares.by_link(scene.ann, scene.made.id, 7)


async def test_what_runs_or_lies_in_the_trash_cannot_be_shared(scene: Scene) -> None:
    """And a link to it leads nowhere meanwhile."""
    _, token = await scene.shares.by_link(scene.ann, scene.made.id, 7)
    running = await make_recording(scene.services.lifecycle, "tea-time", scene.ann.user_id, {}, running=True)
    with pytest.raises(ConflictError):
        await scene.shares.by_link(scene.ann, running.id, 7)

    await scene.catalogue.trash(scene.ann, scene.made.id)

    with pytest.raises(ConflictError):
        await scene.shares.by_link(scene.ann, scene.made.id, 7)
    with pytest.raises(NotFoundError):
        await scene.shares.open(token, None)
    await scene.catalogue.restore(scene.ann, scene.made.id)
    assert (await scene.shares.open(token, None)).entry.id == scene.made.id
