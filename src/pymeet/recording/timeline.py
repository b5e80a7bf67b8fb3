"""What happened when in a recording, by those who agreed to be in it: who was there, spoke, showed their screen, wrote, or
set a marker. Pure.

What happens is followed for everybody in the room, because somebody may agree in the middle of it; entries are made only for
those who agreed, and from then on.
"""

from dataclasses import dataclass, replace

from pymeet.rooms.events import Event, MarkerSet, MessageAdded, ParticipantChanged, ParticipantLeft, SpeakersChanged
from pymeet.rooms.people import Source

PAUSE_MS = 1_000
"""Who goes on speaking within this time never stopped."""

_LASTING = ("present", "shared", "spoke")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. Times are milliseconds of the recording."""

    number: int
    """Names it in this timeline; what changes is told again under the same number."""
    person_id: str
    kind: str
    begins_at: int
    ends_at: int | None = None
    """None for what lasts no time, and for what has not ended."""
    text: str | None = None


class Timeline:
    """Of one recording under way."""

    def __init__(self) -> None:
        self._people: dict[str, str] = {}
        self._now: dict[str, set[str]] = {kind: set() for kind in _LASTING}
        """Who is there, shows, and speaks now: participants, agreed or not."""
        self._open: dict[tuple[str, str], Entry] = {}
        self._paused: dict[str, int] = {}
        """Who stopped speaking so lately that they may go on, and when."""
        self._changed: dict[int, Entry] = {}
        self._made = 0

    def agreed(self, participant_id: str, person_id: str, at: int) -> None:
        """From now on this participant is in the recording, as this person."""
        self._people[participant_id] = person_id
        for kind in _LASTING:
            if participant_id in self._now[kind]:
                self._begin(participant_id, kind, at)

    def withdrew(self, participant_id: str, at: int) -> None:
        """From now on nothing of this participant is written down."""
        for kind in _LASTING:
            self._end(participant_id, kind, at)
        self._people.pop(participant_id, None)

    def hear(self, event: Event, at: int) -> None:
        """Takes what happened in the room."""
        match event:
            case ParticipantChanged(participant):
                shows = any(each.source is Source.SCREEN and not each.muted for each in participant.tracks)
                self._turn(participant.id, "present", True, at)
                self._turn(participant.id, "shared", shows, at)
            case ParticipantLeft(participant_id):
                for kind in _LASTING:
                    self._turn(participant_id, kind, False, at)
            case SpeakersChanged(speakers):
                for participant_id in self._now["spoke"] ^ set(speakers):
                    self._turn(participant_id, "spoke", participant_id in speakers, at)
            case MessageAdded():
                self._note(event.participant_id, "message", event.text, at)
            case MarkerSet():
                self._note(event.participant_id, "marker", event.text, at)
            case _:
                pass

    @property
    def is_taken(self) -> bool:
        """Whether nothing is new or has changed since the last `take`."""
        return not self._changed

    def finish(self, at: int) -> None:
        """The recording is over: everything that lasts ends."""
        for participant_id in list(self._people):
            self.withdrew(participant_id, at)

    def take(self, at: int) -> list[Entry]:
        """What is new or has changed since the last call."""
        for participant_id, since in list(self._paused.items()):
            if at - since >= PAUSE_MS:
                self._end(participant_id, "spoke", at)
        changed, self._changed = self._changed, {}
        return list(changed.values())

    def put_back(self, entries: list[Entry]) -> None:
        """What was taken could not be stored; it comes again with the next `take`, unless it has changed since."""
        self._changed = {entry.number: entry for entry in entries} | self._changed

    def _turn(self, participant_id: str, kind: str, on: bool, at: int) -> None:
        who = self._now[kind]
        if on:
            who.add(participant_id)
            self._begin(participant_id, kind, at)
        else:
            who.discard(participant_id)
            if kind == "spoke" and participant_id in self._now["present"] and (participant_id, kind) in self._open:
                self._paused.setdefault(participant_id, at)
            else:
                self._end(participant_id, kind, at)

    def _begin(self, participant_id: str, kind: str, at: int) -> None:
        if kind == "spoke":
            self._paused.pop(participant_id, None)
        if participant_id in self._people and (participant_id, kind) not in self._open:
            self._open[participant_id, kind] = self._add(participant_id, kind, at, None)

    def _end(self, participant_id: str, kind: str, at: int) -> None:
        if kind == "spoke":
            at = self._paused.pop(participant_id, at)
        entry = self._open.pop((participant_id, kind), None)
        if entry is not None:
            self._changed[entry.number] = replace(entry, ends_at=max(at, entry.begins_at))

    def _note(self, participant_id: str, kind: str, text: str | None, at: int) -> None:
        if participant_id in self._people:
            self._add(participant_id, kind, at, text)

    def _add(self, participant_id: str, kind: str, at: int, text: str | None) -> Entry:
        self._made += 1
        entry = Entry(self._made, self._people[participant_id], kind, at, None, text)
        self._changed[entry.number] = entry
        return entry
