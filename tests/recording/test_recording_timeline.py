"""The timeline of a recording: what those did who agreed, from when they agreed, and nothing of anybody else."""

from pymeet.recording.timeline import PAUSE_MS, Entry, Timeline
from pymeet.rooms.events import MarkerSet, MessageAdded, ParticipantChanged, ParticipantLeft, SpeakersChanged
from pymeet.rooms.people import Departure, Kind, Participant, Role, Source, TrackKind, TrackRecord


def here(participant_id: str, *sources: Source, muted: bool = False) -> ParticipantChanged:
    tracks = tuple(TrackRecord(f"{participant_id}-{each}", each, TrackKind.VIDEO, muted) for each in sources)
    return ParticipantChanged(Participant(participant_id, participant_id, Role.GUEST, Kind.BROWSER, tracks=tracks))


def told(timeline: Timeline, at: int) -> list[tuple[str, str, int, int | None, str | None]]:
    return [(e.person_id, e.kind, e.begins_at, e.ends_at, e.text) for e in timeline.take(at)]


def test_only_those_who_agreed_are_in_it() -> None:
    """The rest of the room is nobody's business later."""
    timeline = Timeline()
    timeline.hear(here("ada"), 0)
    timeline.hear(here("bob"), 0)
    timeline.agreed("ada", "person-a", 1_000)
    timeline.hear(SpeakersChanged(("ada", "bob")), 2_000)
    timeline.hear(MessageAdded("m", "bob", "Bob", "not for the record", 5), 2_500)
    timeline.hear(MarkerSet("bob", "nor this"), 2_500)
    timeline.finish(5_000)

    assert told(timeline, 5_000) == [
        ("person-a", "present", 1_000, 5_000, None),
        ("person-a", "spoke", 2_000, 5_000, None),
    ]


def test_who_agrees_in_the_middle_of_a_sentence_is_in_it_from_there() -> None:
    """What was before they agreed is not written down afterwards."""
    timeline = Timeline()
    timeline.hear(here("ada", Source.SCREEN), 0)
    timeline.hear(SpeakersChanged(("ada",)), 500)
    timeline.agreed("ada", "person-a", 3_000)

    assert told(timeline, 3_000) == [
        ("person-a", "present", 3_000, None, None),
        ("person-a", "shared", 3_000, None, None),
        ("person-a", "spoke", 3_000, None, None),
    ]


def test_who_withdraws_is_no_longer_in_it() -> None:
    """From that moment on nothing is written down, not even that they are there."""
    timeline = Timeline()
    timeline.hear(here("ada"), 0)
    timeline.agreed("ada", "person-a", 0)
    timeline.withdrew("ada", 4_000)
    timeline.hear(SpeakersChanged(("ada",)), 5_000)
    timeline.hear(MessageAdded("m", "ada", "Ada", "later", 6), 6_000)
    timeline.finish(9_000)

    assert told(timeline, 9_000) == [("person-a", "present", 0, 4_000, None)]


def test_somebody_who_takes_a_breath_goes_on_speaking() -> None:
    """Chapters by speaker would otherwise be a hundred for each sentence."""
    timeline = Timeline()
    timeline.hear(here("ada"), 0)
    timeline.agreed("ada", "person-a", 0)
    timeline.take(0)
    timeline.hear(SpeakersChanged(("ada",)), 1_000)
    timeline.hear(SpeakersChanged(()), 3_000)
    timeline.hear(SpeakersChanged(("ada",)), 3_000 + PAUSE_MS - 1)
    timeline.hear(SpeakersChanged(()), 6_000)

    assert told(timeline, 6_000) == [("person-a", "spoke", 1_000, None, None)]
    assert told(timeline, 6_000 + PAUSE_MS) == [("person-a", "spoke", 1_000, 6_000, None)]


def test_a_screen_is_shared_while_it_is_shown() -> None:
    """A paused share shows nothing."""
    timeline = Timeline()
    timeline.hear(here("ada", Source.SCREEN, Source.CAMERA), 0)
    timeline.agreed("ada", "person-a", 0)
    timeline.hear(here("ada", Source.SCREEN, muted=True), 2_000)
    timeline.hear(here("ada", Source.SCREEN), 3_000)
    timeline.hear(ParticipantLeft("ada", Departure.LEFT), 4_000)

    assert [each for each in told(timeline, 4_000) if each[1] == "shared"] == [
        ("person-a", "shared", 0, 2_000, None),
        ("person-a", "shared", 3_000, 4_000, None),
    ]


def test_messages_and_markers_are_moments() -> None:
    """They have a text, and last no time."""
    timeline = Timeline()
    timeline.agreed("ada", "person-a", 0)
    timeline.hear(MessageAdded("m", "ada", "Ada", "hello", 5), 1_000)
    timeline.hear(MarkerSet("ada", None), 2_000)

    assert told(timeline, 2_000) == [
        ("person-a", "message", 1_000, None, "hello"),
        ("person-a", "marker", 2_000, None, None),
    ]


def test_what_could_not_be_stored_comes_again_as_it_is_then() -> None:
    """A disk that was full for a moment loses no chapter."""
    timeline = Timeline()
    timeline.hear(here("ada"), 0)
    timeline.agreed("ada", "person-a", 0)
    taken = timeline.take(10)
    timeline.finish(5_000)
    timeline.put_back(taken)

    assert timeline.take(5_000) == [Entry(1, "person-a", "present", 0, 5_000)]
    assert timeline.take(5_000) == []
