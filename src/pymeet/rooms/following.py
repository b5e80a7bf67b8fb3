"""Whom and what a player (WHEP) shows: one person at a time, one sound and one picture. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pymeet.errors import ConflictError, NotFoundError
from pymeet.rooms.people import Participant, Source

_SOUND = (Source.MICROPHONE, Source.SCREEN_AUDIO)
_PICTURE = (Source.SCREEN, Source.CAMERA)


@dataclass(frozen=True, slots=True)
class Following:
    """What a player asked for, and whom it shows now."""

    target: str | None
    """A participant's id; None: whoever leads the conversation."""
    shown: str | None = None


def find_target(wanted: str, participants: Sequence[Participant]) -> Participant:
    """Whom a player means by an id or a name. Raises NotFoundError, or ConflictError when they send nothing."""
    by_id = [p for p in participants if p.id == wanted]
    named = [p for p in participants if p.name.casefold() == wanted.casefold()]
    found = by_id or named
    if not found:
        raise NotFoundError("Nobody like that is in this meeting.")
    sending = [p for p in found if p.tracks]
    if not sending:
        raise ConflictError("This participant sends nothing now.")
    return sending[0]


def choose_shown(following: Following, participants: Sequence[Participant], dominant: str | None) -> str | None:
    """Whom to show now: the target, else who leads the conversation, else who was shown, else the first who sends anything."""
    sending = [p.id for p in participants if p.tracks]
    if following.target is not None:
        return following.target if following.target in sending else None
    for wanted in (dominant, following.shown):
        if wanted in sending:
            return wanted
    return sending[0] if sending else None


def tracks_to_show(participant: Participant) -> tuple[str, ...]:
    """Ids of at most one sound and one picture; a shared screen comes before a camera."""
    by_source = {track.source: track.id for track in participant.tracks}
    sound = next((by_source[source] for source in _SOUND if source in by_source), None)
    picture = next((by_source[source] for source in _PICTURE if source in by_source), None)
    return tuple(track for track in (sound, picture) if track is not None)
