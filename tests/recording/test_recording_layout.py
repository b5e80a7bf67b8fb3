"""What a film shows when, and where: rectangles from who was there, what they sent and who spoke."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.recording.layout import Picture, Segment, Span, Tile, segments, size_of, speakers

SIZE = (1280, 720)


def camera(person: str, begin: int, end: int) -> Picture:
    return Picture(f"camera of {person}", person, "camera", begin, end)


def screen(person: str, begin: int, end: int) -> Picture:
    return Picture(f"screen of {person}", person, "screen", begin, end)


def layout(pictures: list[Picture], present: list[Span], spoke: list[Span] = [], **more: object) -> list[Segment]:  # noqa: B006
    options = {"style": "grid", "size": SIZE, "ends_at": 10_000} | more
    return segments(pictures, present, spoke, **options)  # type: ignore[arg-type]


def area(tile: Tile) -> int:
    return tile.width * tile.height


def test_two_people_stand_side_by_side_with_their_cameras() -> None:
    """The simplest grid: both alike, each from the beginning of their track."""
    (both,) = layout(
        [camera("ada", 0, 10_000), camera("bob", 0, 10_000)], [Span("ada", 0, 10_000), Span("bob", 0, 10_000)]
    )

    one, other = both.tiles
    assert (one.track_id, other.track_id) == ("camera of ada", "camera of bob")
    assert area(one) == area(other)
    assert one.y == other.y
    assert one.x + one.width <= other.x


def test_a_camera_that_is_off_leaves_a_tile_without_picture() -> None:
    """Whoever is in the room is to be seen there, with or without a picture; the offset tells where their track is."""
    found = layout([camera("ada", 2000, 5000)], [Span("ada", 0, 10_000)])

    assert [(each.begins_at, each.ends_at, each.tiles[0].track_id) for each in found] == [
        (0, 2000, None),
        (2000, 5000, "camera of ada"),
        (5000, 10_000, None),
    ]


def test_who_is_not_in_the_room_has_no_tile() -> None:
    """The others get their place."""
    found = layout([], [Span("ada", 0, 10_000), Span("bob", 4000, 6000)])

    assert [[tile.person_id for tile in each.tiles] for each in found] == [["ada"], ["ada", "bob"], ["ada"]]
    assert area(found[0].tiles[0]) > area(found[1].tiles[0])


def test_while_nobody_is_there_nothing_is_shown() -> None:
    """The film keeps the recording's time, also before the first one agreed."""
    found = layout([], [Span("ada", 3000, 10_000)])

    assert found[0] == Segment(0, 3000, ())


@pytest.mark.parametrize("style", ["grid", "speaker"])
def test_a_shared_screen_is_large_in_both_layouts_and_people_stand_beside(style: str) -> None:
    """What is presented is what is looked at."""
    found = layout(
        [screen("ada", 1000, 9000), camera("bob", 0, 10_000)],
        [Span("ada", 0, 10_000), Span("bob", 0, 10_000)],
        style=style,
    )

    large, *strip = found[1].tiles
    assert (large.source, large.track_id) == ("screen", "screen of ada")
    assert {tile.person_id for tile in strip} == {"ada", "bob"}
    assert area(large) > 5 * area(strip[0])


def test_who_speaks_is_large_in_the_layout_for_speakers() -> None:
    """The others stand in the strip; when somebody else speaks they change places."""
    everybody = [Span(name, 0, 10_000) for name in ("ada", "bob", "cem")]

    found = layout([], everybody, [Span("bob", 0, 4000), Span("cem", 5000, 9000)], style="speaker")

    assert [each.tiles[0].person_id for each in found] == ["bob", "cem"]
    assert found[1].begins_at == 6000


def test_short_words_and_quick_turns_do_not_change_the_speaker() -> None:
    """Hysteresis: a picture that jumps with every cough cannot be watched."""
    said = [Span("ada", 0, 3000), Span("bob", 3000, 3800), Span("ada", 4000, 6000), Span("bob", 6000, 9000)]

    assert speakers(said) == [(0, "ada"), (7000, "bob")]


def test_of_many_people_those_who_speak_most_are_shown() -> None:
    """Forty tiles could not be told apart; who speaks just now is always among them."""
    everybody = [Span(f"p{number:02}", 0, 10_000) for number in range(40)]

    found = layout([], everybody, [Span("p35", 0, 3000), Span("p39", 0, 9000)])

    shown = {tile.person_id for tile in found[-1].tiles}
    assert len(shown) == 25
    assert {"p35", "p39"} <= shown


def test_sizes_are_sixteen_to_nine() -> None:
    """Encoders want even numbers."""
    assert [size_of(height) for height in (360, 480, 720, 1080)] == [(640, 360), (852, 480), (1280, 720), (1920, 1080)]


_SPANS = st.lists(
    st.builds(
        lambda person, begin, length: Span(person, begin, begin + length),
        st.sampled_from(["ada", "bob", "cem", "dan", "eve", "fay", "gus"]),
        st.integers(0, 9000),
        st.integers(1, 5000),
    ),
    max_size=12,
)


@given(_SPANS, _SPANS, _SPANS, _SPANS, st.sampled_from(["grid", "speaker"]), st.sampled_from([360, 720, 1080]))
def test_tiles_are_even_inside_the_picture_and_never_overlap(
    cameras: list[Span], screens: list[Span], present: list[Span], spoke: list[Span], style: str, height: int
) -> None:
    """Whatever happened in the meeting, rows are copied to places that exist, and the film has no holes."""
    pictures = [camera(span.person_id, span.begins_at, span.ends_at) for span in cameras]
    pictures += [screen(span.person_id, span.begins_at, span.ends_at) for span in screens]
    size = size_of(height)

    found = layout(pictures, present, spoke, style=style, size=size)

    assert (found[0].begins_at, found[-1].ends_at) == (0, 10_000)
    assert all(one.ends_at == other.begins_at for one, other in pairwise(found))
    for segment in found:
        for index, tile in enumerate(segment.tiles):
            assert not any(number % 2 for number in (tile.x, tile.y, tile.width, tile.height))
            assert tile.x >= 0
            assert tile.y >= 0
            assert tile.x + tile.width <= size[0]
            assert tile.y + tile.height <= size[1]
            for other in segment.tiles[index + 1 :]:
                apart = tile.x + tile.width <= other.x or other.x + other.width <= tile.x
                assert apart or tile.y + tile.height <= other.y or other.y + other.height <= tile.y
