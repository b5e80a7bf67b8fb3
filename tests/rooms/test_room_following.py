"""Whom a player shows."""

import pytest

from pymeet.errors import ConflictError, NotFoundError
from pymeet.rooms.following import Following, choose_shown, find_target, tracks_to_show
from pymeet.rooms.people import Kind, Participant, Role, Source, TrackRecord


def person(name: str, *sources: Source) -> Participant:
    """Somebody who sends these."""
    tracks = tuple(TrackRecord(f"{name}-{s}", s, s.kind, False) for s in sources)
    return Participant(name, name.title(), Role.GUEST, Kind.BROWSER, tracks=tracks)


SILENT = person("zoe")
ANN = person("ann", Source.MICROPHONE, Source.CAMERA)
BOB = person("bob", Source.MICROPHONE, Source.CAMERA, Source.SCREEN)


def test_a_player_follows_who_leads_the_conversation() -> None:
    """Unless that is somebody of whom nothing is left to show."""
    assert choose_shown(Following(None, shown="ann"), [SILENT, ANN, BOB], "bob") == "bob"
    assert choose_shown(Following(None, shown="bob"), [SILENT, ANN, BOB], "zoe") == "bob"


def test_in_silence_the_picture_stays() -> None:
    """Falling back to the first participant at every pause would be restless."""
    assert choose_shown(Following(None, shown="bob"), [ANN, BOB], None) == "bob"


def test_when_the_one_shown_leaves_another_is_shown() -> None:
    """A player should not stand still before an empty picture."""
    assert choose_shown(Following(None, shown="bob"), [SILENT, ANN], None) == "ann"
    assert choose_shown(Following(None, shown="bob"), [SILENT], None) is None


def test_a_player_with_a_target_shows_nobody_else() -> None:
    """Who asked for one person's picture must not get another's."""
    assert choose_shown(Following("ann"), [ANN, BOB], "bob") == "ann"
    assert choose_shown(Following("zoe"), [SILENT, BOB], "bob") is None


def test_a_target_is_found_by_id_or_by_name() -> None:
    """docs/protocol.md section 3."""
    assert find_target("bob", [ANN, BOB]) is BOB
    assert find_target("ANN", [ANN, BOB]) is ANN


def test_a_target_that_is_missing_or_silent_is_an_error() -> None:
    """404 and 409 of section 3."""
    with pytest.raises(NotFoundError):
        find_target("carl", [ANN, BOB])
    with pytest.raises(ConflictError):
        find_target("zoe", [SILENT, ANN])


def test_a_shared_screen_is_shown_instead_of_the_camera() -> None:
    """Who shares a screen wants it to be seen."""
    assert tracks_to_show(BOB) == ("bob-microphone", "bob-screen")
    assert tracks_to_show(ANN) == ("ann-microphone", "ann-camera")
    assert tracks_to_show(SILENT) == ()
