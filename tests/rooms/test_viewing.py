"""What each receiver is sent of the pictures: docs/protocol.md section 2.1."""

from pymeet.rooms.viewing import ALL_LINES, CAMERA_LINES, Picture, Precedence, Sight, Watching, look
from pymeet.sfu.view import Importance, View


def camera(owner: str, *, is_muted: bool = False) -> Picture:
    """Of somebody."""
    return Picture(f"{owner}-camera", owner, False, is_muted)


def screen(owner: str) -> Picture:
    """That somebody shares."""
    return Picture(f"{owner}-screen", owner, True, False)


def seen(
    watching: Watching,
    *pictures: Picture,
    dominant: str | None = None,
    spotlight: str | None = None,
    limit: int = 25,
) -> Sight:
    """What one receiver is sent."""
    return look(watching, pictures, dominant=dominant, spotlight=spotlight, limit=limit)


def test_a_client_that_says_nothing_gets_small_cameras_and_whole_screens() -> None:
    """Other clients than ours must see something, too."""
    sight = seen(Watching(), camera("ann"), screen("bob"))

    assert sight.views["ann-camera"] == View(CAMERA_LINES, Importance.OTHER)
    assert sight.views["bob-screen"] == View(ALL_LINES, Importance.SCREEN)
    assert sight.withheld == ()


def test_pictures_are_wanted_as_large_as_they_are_shown() -> None:
    """And not at all where nobody sees them, which is no news to whoever said so."""
    sight = seen(Watching({"ann-camera": 720, "bob-camera": 0}), camera("ann"), camera("bob"))

    assert sight.views["ann-camera"].height == 720
    assert sight.views["bob-camera"].height == 0
    assert sight.withheld == ()


def test_with_audio_only_no_picture_is_sent() -> None:
    """Neither cameras nor screens, whatever size was named."""
    sight = seen(Watching({"ann-camera": 720}, audio_only=True), camera("ann"), screen("bob"))

    assert {view.height for view in sight.views.values()} == {0}
    assert sight.withheld == ()


def test_where_there_is_not_enough_for_all_the_screen_goes_before_the_speaker() -> None:
    """And who is pinned or in the spotlight before the rest: bandwidth is shared by this."""
    watching = Watching(pinned={"cid-camera"})
    pictures = [screen("ann"), camera("ann"), camera("bob"), camera("cid"), camera("dan")]

    views = seen(watching, *pictures, dominant="bob", spotlight="dan").views

    importance = {track: view.importance for track, view in views.items()}
    assert importance == {
        "ann-screen": Importance.SCREEN,
        "ann-camera": Importance.OTHER,
        "bob-camera": Importance.SPEAKER,
        "cid-camera": Importance.PINNED,
        "dan-camera": Importance.PINNED,
    }


def test_of_many_pictures_only_so_many_are_sent_and_the_others_are_named() -> None:
    """Forty faces are more than a phone decodes; who is not shown must not look as if they had no camera."""
    sight = seen(Watching(), *(camera(f"p{n}") for n in range(5)), limit=3)

    assert [track for track, view in sight.views.items() if view.height] == ["p0-camera", "p1-camera", "p2-camera"]
    assert sight.withheld == ("p3-camera", "p4-camera")


def test_pins_and_screens_take_their_places_first() -> None:
    """A person's own choice counts for more than who speaks."""
    sight = seen(Watching(pinned={"cid-camera"}), camera("ann"), camera("bob"), camera("cid"), screen("dan"), limit=2)

    assert sight.withheld == ("ann-camera", "bob-camera")


def test_what_is_off_or_out_of_sight_takes_nobodys_place() -> None:
    """A camera that is switched off has a view all the same, so that it appears at once in the right size."""
    watching = Watching({"bob-camera": 0, "ann-camera": 360})

    sight = seen(watching, camera("ann", is_muted=True), camera("bob"), camera("cid"), limit=1)

    assert sight.withheld == ()
    assert sight.views["ann-camera"].height == 360
    assert sight.views["cid-camera"].height == CAMERA_LINES


def test_who_spoke_last_comes_first_and_stays_until_others_have_spoken() -> None:
    """By the order of a moment's loudness pictures would come and go with every word."""
    precedence = Precedence()
    pictures = [camera("ann"), camera("bob"), camera("cid"), screen("dan")]
    here = ["ann", "bob", "cid", "dan"]

    precedence.led_by("bob")
    precedence.led_by("cid")
    precedence.led_by("bob")

    assert [p.owner for p in precedence.order(pictures, here, None)] == ["dan", "bob", "cid", "ann"]
    assert [p.owner for p in precedence.order(pictures, here, "ann")] == ["dan", "ann", "bob", "cid"]


def test_who_left_is_forgotten() -> None:
    """Nothing is kept of people who are not here, and ids do not pile up."""
    precedence = Precedence()
    precedence.led_by("bob")

    precedence.order([], ["ann"], None)

    assert [p.owner for p in precedence.order([camera("ann"), camera("bob")], ["ann", "bob"], None)] == ["ann", "bob"]
