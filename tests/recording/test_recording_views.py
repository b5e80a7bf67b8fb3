"""Who looked: once in ten minutes however a player asks, each time something is taken along, and who is told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.migrated import prepare
from tests.support.recordings import Made, Seat, make_recording

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.ops.operations import run
from pymeet.ops.services import Services, open_services
from pymeet.recording.access import OPERATOR, Asker
from pymeet.recording.catalogue import Catalogue
from pymeet.recording.shares import Shares
from pymeet.recording.views import AGAIN_AFTER_MS, By, Views


@dataclass
class Scene:
    """Ann's recording and its access log."""

    services: Services
    clock: ManualClock
    views: Views
    ann: Asker
    made: Made

    async def kinds(self) -> list[str]:
        return [each.kind for each in await self.views.of(self.made.id)]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = ManualClock()
    prepare(tmp_path / "data" / "pymeet.db")
    async with open_services(Config(data_dir=tmp_path / "data"), clock) as services:
        ann = Asker(user_id=(await run(services, "user.add", {"name": "Ann", "email": "ann@example.org"}))["id"])
        await run(services, "room.create", {"name": "Tea", "slug": "tea-time"})
        made = await make_recording(services.lifecycle, "tea-time", ann.user_id, {"Ann": Seat(ann.user_id)})
        yield Scene(services, clock, Views(services.lifecycle), ann, made)


async def test_a_player_that_asks_often_looks_once(scene: Scene) -> None:
    """Until ten minutes are over."""
    for _ in range(20):
        await scene.views.looked(scene.ann, scene.made.id, "film", "a", begins=False)
    scene.clock.advance(AGAIN_AFTER_MS / 1000 - 1)
    await scene.views.looked(scene.ann, scene.made.id, "film", "a", begins=True)
    assert await scene.kinds() == ["film"]

    scene.clock.advance(1)
    await scene.views.looked(scene.ann, scene.made.id, "film", "a", begins=False)

    assert await scene.kinds() == ["film", "film"]


async def test_pieces_that_are_asked_for_at_the_same_time_are_one_look(scene: Scene) -> None:
    """Browsers open several connections."""
    await asyncio.gather(*(scene.views.looked(scene.ann, scene.made.id, "film", "a", begins=True) for _ in range(10)))

    assert await scene.kinds() == ["film"]


async def test_taking_along_counts_each_time_it_begins(scene: Scene) -> None:
    """A download that goes on after a break is the same one; one that only seems to go on is counted."""
    await scene.views.looked(scene.ann, scene.made.id, "film_download", "a", begins=False)
    await scene.views.looked(scene.ann, scene.made.id, "film_download", "a", begins=False)
    assert await scene.kinds() == ["film_download"]

    for _ in range(2):
        await scene.views.looked(scene.ann, scene.made.id, "film_download", "a", begins=True)
        scene.clock.advance(60)

    assert await scene.kinds() == ["film_download"] * 3


async def test_asking_for_the_same_download_again_and_again_fills_no_log(scene: Scene) -> None:
    """One entry for each minute, file and person: a hundred would hide who else looked."""

    async def take(film: str) -> None:
        await scene.views.looked(scene.ann, scene.made.id, "film_download", film, begins=True)

    for _ in range(50):
        await take("a")
        scene.clock.advance(1)
    await asyncio.gather(*(take("b") for _ in range(20)))
    assert await scene.kinds() == ["film_download"] * 2

    scene.clock.advance(10)
    await take("a")

    assert await scene.kinds() == ["film_download"] * 3


async def test_everybody_is_counted_for_themselves(scene: Scene) -> None:
    """Members by name, links as links, and what cannot be said is not made up."""
    shares = Shares(scene.services.lifecycle, Catalogue(scene.services.lifecycle))
    links = [(await shares.by_link(scene.ann, scene.made.id, 7))[0] for _ in range(2)]
    for share in links:
        await scene.views.looked(Asker(share_id=share, link_to=scene.made.id), scene.made.id, "film", "a", begins=True)
    await scene.views.looked(scene.ann, scene.made.id, "film", "a", begins=True)
    await scene.views.looked(scene.ann, scene.made.id, "track", "b", begins=True)
    await scene.views.looked(OPERATOR, scene.made.id, "film_download", "a", begins=True)

    seen = [(each.kind, each.by, each.name) for each in reversed(await scene.views.of(scene.made.id))]

    assert seen == [
        ("film", By.LINK, None),
        ("film", By.LINK, None),
        ("film", By.MEMBER, "Ann"),
        ("track", By.MEMBER, "Ann"),
        ("film_download", By.OTHER, None),
    ]
    await shares.end(scene.ann, scene.made.id, links[0])
    assert [each.by for each in await scene.views.of(scene.made.id)].count(By.OTHER) == 2
