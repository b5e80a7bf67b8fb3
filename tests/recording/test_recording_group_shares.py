"""Sharing a recording with a group: whoever is in it at the time of looking, and nobody else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.migrated import prepare
from tests.support.recordings import Made, Seat, make_recording

from pymeet.accounts.groups import Group, Groups
from pymeet.accounts.passwords import Passwords
from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.errors import ConflictError, NotAllowedError, NotFoundError, TooManyError
from pymeet.ops.operations import run
from pymeet.ops.services import Services, open_services
from pymeet.recording import shares
from pymeet.recording.access import OPERATOR, Asker, Standing, Verb
from pymeet.recording.catalogue import Catalogue
from pymeet.recording.shares import Shares
from pymeet.recording.views import By, Views


@dataclass
class Scene:
    """Ann's recording and her group; Bob is in that group, Cleo is in none."""

    services: Services
    catalogue: Catalogue
    shares: Shares
    groups: Groups
    choir: Group
    ann: Asker
    bob: Asker
    cleo: Asker
    made: Made

    async def join(self, asker: Asker) -> None:
        await self.groups.join(self.choir.id, asker.user_id or "")

    async def leave(self, asker: Asker) -> None:
        await self.groups.leave(self.choir.id, asker.user_id or "")

    async def standing(self, asker: Asker) -> set[Standing]:
        """What somebody is to the recording: in their list and when it is asked for alone."""
        listed = {each.id: each.standings for each in await self.catalogue.listed(asker)}
        try:
            alone = (await self.catalogue.one(asker, self.made.id)).standings
        except NotFoundError:
            alone = frozenset()
        assert listed.get(self.made.id, frozenset()) == alone
        return set(alone)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = ManualClock()
    prepare(tmp_path / "data" / "pymeet.db")
    async with open_services(Config(data_dir=tmp_path / "data"), clock) as services:
        askers = []
        for name in ("Ann", "Bob", "Cleo"):
            added = await run(services, "user.add", {"name": name, "email": f"{name.lower()}@example.org"})
            askers.append(Asker(user_id=added["id"]))
        await run(services, "room.create", {"name": "Tea", "slug": "tea-time"})
        ann, bob, cleo = askers
        made = await make_recording(services.lifecycle, "tea-time", ann.user_id, {"Ann": Seat(ann.user_id)})
        catalogue, groups = Catalogue(services.lifecycle), Groups(services.db, clock)
        choir = await groups.add("Choir")
        sharing = Shares(services.lifecycle, catalogue, passwords=Passwords(time_cost=1, memory_kib=8))
        scene = Scene(services, catalogue, sharing, groups, choir, ann, bob, cleo, made)
        await scene.join(ann)
        await scene.join(bob)
        yield scene


async def test_whoever_is_in_the_group_at_the_time_finds_it_among_theirs(scene: Scene) -> None:
    """Who comes later too, and who leaves no more: it is looked up each time."""
    share = await scene.shares.with_group(scene.ann, scene.made.id, scene.choir.id)
    assert await scene.standing(scene.bob) == {Standing.SHARED}
    assert await scene.standing(scene.cleo) == set()

    await scene.join(scene.cleo)
    await scene.leave(scene.bob)
    assert await scene.standing(scene.cleo) == {Standing.SHARED}
    assert await scene.standing(scene.bob) == set()

    await scene.shares.end(scene.ann, scene.made.id, share)
    assert await scene.standing(scene.cleo) == set()


async def test_they_may_watch_it_and_not_change_it(scene: Scene) -> None:
    """As with any other share; in the trash it is gone for them."""
    await scene.shares.with_group(scene.ann, scene.made.id, scene.choir.id)
    entry = await scene.catalogue.one(scene.bob, scene.made.id, Verb.DOWNLOAD)
    assert Verb.SHARE not in entry.may
    with pytest.raises(NotAllowedError):
        await scene.shares.with_group(scene.bob, scene.made.id, scene.choir.id)

    await scene.catalogue.trash(scene.ann, scene.made.id)

    assert await scene.standing(scene.bob) == set()


async def test_the_share_is_listed_with_the_groups_name_and_looking_with_the_members(scene: Scene) -> None:
    """Those in the recording learn who looked, not only by which group."""
    share = await scene.shares.with_group(scene.ann, scene.made.id, scene.choir.id)
    views = Views(scene.services.lifecycle)
    await views.looked(scene.bob, scene.made.id, "film", "film", begins=True)

    (listed,) = await scene.shares.of(scene.made.id)
    (view,) = await views.of(scene.made.id)

    assert (listed.id, listed.kind, listed.name, listed.expires_at_ms) == (share, "group", "Choir", None)
    assert (view.by, view.name) == (By.MEMBER, "Bob")


async def test_only_a_group_of_ones_own_can_be_shared_with_and_once(scene: Scene) -> None:
    """A group that one is not in does not exist for one."""
    board = await scene.groups.add("Board")
    for group_id in (board.id, "no-such-group"):
        with pytest.raises(NotFoundError):
            await scene.shares.with_group(scene.ann, scene.made.id, group_id)
    with pytest.raises(NotFoundError):
        await scene.shares.with_group(OPERATOR, scene.made.id, scene.choir.id)

    await scene.shares.with_group(scene.ann, scene.made.id, scene.choir.id)

    with pytest.raises(ConflictError) as refused:
        await scene.shares.with_group(scene.ann, scene.made.id, scene.choir.id)
    assert refused.value.code == "already_shared"


async def test_with_the_group_the_share_goes(scene: Scene) -> None:
    """What is shared with nobody is no share."""
    await scene.shares.with_group(scene.ann, scene.made.id, scene.choir.id)

    await scene.groups.delete(scene.choir.id)

    assert await scene.shares.of(scene.made.id) == []
    assert await scene.standing(scene.bob) == set()


async def test_shares_with_groups_count_among_all_shares(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound of shares holds for all kinds together."""
    monkeypatch.setattr(shares, "MOST", 2)
    await scene.shares.by_link(scene.ann, scene.made.id, 1)
    await scene.shares.with_group(scene.ann, scene.made.id, scene.choir.id)

    with pytest.raises(TooManyError):
        await scene.shares.by_link(scene.ann, scene.made.id, 1)
