"""Who gets how much of one receiver's bandwidth."""

import itertools
import random

from pymeet.sfu.bandwidth.share import PAUSED, Wish, demand, share
from pymeet.sfu.view import Importance

CAMERA = ((0, 150_000.0), (1, 500_000.0), (2, 1_700_000.0))
SCREEN = ((0, 1_200_000.0),)
SOUND = ((0, 50_000.0),)


def camera(key: str, importance: Importance = Importance.OTHER) -> Wish:
    return Wish(key, CAMERA, importance)


def screen(key: str = "screen") -> Wish:
    return Wish(key, SCREEN, Importance.SCREEN)


def sound(key: str) -> Wish:
    return Wish(key, SOUND, is_audio=True)


def test_sound_goes_first_and_is_never_taken_away() -> None:
    """People can do without a picture."""
    ranks = share(60_000, [camera("a"), sound("s1"), sound("s2"), screen()], {})

    assert ranks == {"a": PAUSED, "s1": 0, "s2": 0, "screen": PAUSED}


def test_everybody_gets_a_little_picture_before_anybody_gets_a_large_one() -> None:
    """Twelve faces beat one."""
    people = [camera(str(i)) for i in range(12)]

    assert set(share(12 * 150_000 + 300_000, people, {}).values()) == {0}


def test_the_important_ones_come_first_where_not_all_fit() -> None:
    """Shared screen, speaker, pinned, others."""
    wishes = [camera("other"), camera("pinned", Importance.PINNED), camera("speaker", Importance.SPEAKER), screen()]

    assert share(1_300_000, wishes, {}) == {"screen": 0, "speaker": PAUSED, "pinned": PAUSED, "other": PAUSED}
    assert share(1_600_000, wishes, {}) == {"screen": 0, "speaker": 0, "pinned": 0, "other": PAUSED}
    assert share(2_000_000, wishes, {"speaker": 1}) == {"screen": 0, "speaker": 1, "pinned": 0, "other": 0}


def test_a_screen_becomes_sharp_before_a_camera_does() -> None:
    """Its words must be readable."""
    layered = Wish("screen", ((0, 300_000.0), (1, 900_000.0), (2, 1_500_000.0)), Importance.SCREEN)

    assert share(1_900_000, [camera("a"), layered], {"screen": 2}) == {"screen": 2, "a": 0}


def test_what_just_fits_stays_but_does_not_come_back() -> None:
    """Otherwise an estimate that moves a little would switch pictures, and ask for key frames, all the time."""
    people = [camera("a"), sound("s")]

    assert share(560_000, people, {"a": 1, "s": 0})["a"] == 1
    assert share(560_000, people, {"a": 0, "s": 0})["a"] == 0
    assert share(600_000, people, {"a": 0, "s": 0})["a"] == 1
    assert share(210_000, people, {"a": 0, "s": 0})["a"] == 0
    assert share(205_000, people, {"a": PAUSED, "s": 0})["a"] == PAUSED


def test_what_is_muted_costs_nothing_and_comes_back_as_large_as_fits() -> None:
    """Twenty cameras that are off take nothing from the one that is on."""
    off = [Wish(str(i), CAMERA, is_muted=True) for i in range(20)]

    ranks = share(2_300_000, [*off, camera("on")], {"on": 2})

    assert ranks["on"] == 2
    assert {ranks[w.key] for w in off} == {1}
    assert demand([*off, camera("on")]) == 1_700_000


def test_where_nothing_is_known_everything_is_sent() -> None:
    """A receiver without any feedback is served as before there were estimates."""
    assert share(float("inf"), [camera("a"), screen(), sound("s")], {}) == {"a": 2, "screen": 0, "s": 0}
    assert demand([camera("a"), screen(), sound("s")]) == 2_950_000


def test_any_shares_keep_to_the_budget_and_more_budget_takes_nothing_away() -> None:
    """However wishes and budgets fall out."""
    draw = random.Random(4)
    for _ in range(200):
        wishes = [
            Wish(
                str(i),
                tuple(enumerate(itertools.accumulate(draw.uniform(5e4, 1e6) for _ in range(draw.randint(1, 4))))),
                draw.choice(list(Importance)),
            )
            for i in range(draw.randint(1, 20))
        ]
        cost = {w.key: dict(w.layers) | {PAUSED: 0.0} for w in wishes}
        budget = draw.uniform(1e4, 2e7)
        ranks = share(budget, wishes, {})
        assert sum(cost[k][rank] for k, rank in ranks.items()) <= budget
        assert share(budget, wishes, ranks) == ranks
