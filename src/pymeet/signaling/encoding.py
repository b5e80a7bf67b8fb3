"""What happened in the room → what a browser is told: events to messages. Pure."""

from pymeet.ops.turn import IceServer
from pymeet.rooms import events, people
from pymeet.rooms.pictures import words_for
from pymeet.rooms.recording import RecordingState
from pymeet.signaling import messages, records


def message_of(
    event: events.Event,
    *,
    you: str | None,
    heartbeat_s: float,
    re: str | None,
    receipt: str | None = None,
    ice_server: IceServer | None = None,
) -> messages.ServerMessage | None:
    """The message that tells an event; None for what concerns the server alone.

    `you` is the id of the participant who is told, `re` the id of the `join` that a Welcome answers, `receipt` the privacy
    receipt that goes with it to a guest, `ice_server` what goes with it where there is a TURN server.
    """
    match event:
        case events.Waits(id_, slug, name):
            return messages.Waiting(re=re, id=id_, room=records.RoomRecord(slug=slug, name=name))
        case events.Welcome():
            return _joined(event, heartbeat_s, re, receipt, ice_server)
        case events.ParticipantChanged(participant):
            return messages.Participant(participant=_participant(participant, you))
        case events.ParticipantLeft(participant_id, reason):
            return messages.ParticipantLeft(participant=participant_id, reason=reason.value)
        case events.SpeakersChanged(participants, dominant):
            return messages.Speakers(participants=participants, dominant=dominant)
        case events.MessageAdded():
            return messages.ChatAdded(message=_chat(event))
        case events.MessageChanged(id_, text, edited_at_ms):
            return messages.MessageChanged(id=id_, text=text, edited_at=edited_at_ms)
        case events.StateChanged(state):
            return messages.RoomState(**_state(state).model_dump(exclude={"type"}))
        case events.LobbyChanged(people_waiting):
            return messages.Lobby(people=tuple(_waiting(person) for person in people_waiting))
        case events.Reacted(participant_id, reaction):
            return messages.ReactionShown(participant=participant_id, reaction=reaction.value)
        case events.SourceStopped(_, source, by):
            return messages.Stopped(source=source.value, by=by)
        case events.Offered(number, fresh, sdp, sections):
            tracks = tuple(
                messages.OfferedTrack(mid=s.mid, participant=s.participant_id, track=s.track_id, source=s.source.value)
                for s in sections
            )
            return messages.Offer(offer=number, fresh=fresh, sdp=sdp, tracks=tracks)
        case events.MediaChanged(connection, state):
            return messages.Media(connection=connection, state=state)
        case events.LayersWanted(source, active):
            return messages.Layers(source=source.value, active=active)
        case events.PicturesWithheld(track_ids):
            return messages.Withheld(tracks=track_ids)
        case events.QualityChanged(verdicts):
            graded = (messages.Graded(participant=id_, grade=v.grade.value, cause=v.cause.value) for id_, v in verdicts)
            return messages.Quality(participants=tuple(graded))
        case events.Removed(_, reason_given):
            return messages.Removed(reason=reason_given)
        case events.Ended(reason_given):
            return messages.Ended(reason=reason_given)
        case events.Closing(reason_given, retry_s):
            return messages.Closing(reason=reason_given, retry_s=retry_s)
        case events.RecordingChanged(recording, why):
            return messages.Recording(recording=_recording(recording, you), reason=None if why is None else why.value)
        case events.TrackMuted() | events.TracksEnded() | events.MarkerSet():
            return None


class Shared:
    """Encodes once what many are told alike, one after the other: a room says everything to all its people in one go."""

    def __init__(self) -> None:
        self._event: events.Event | None = None
        self._text: bytes | None = None

    def text(self, event: events.Event) -> bytes | None:
        """The text of an event for which `is_alike` holds; None for what concerns the server alone."""
        if event is not self._event:
            message = message_of(event, you=None, heartbeat_s=0.0, re=None)
            self._event, self._text = event, None if message is None else encode(message)
        return self._text

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept."""
        return self._event is None

    def forget(self) -> None:
        """Keeps nothing any more: what people wrote must not stay here until somebody says something else."""
        self._event = self._text = None


def is_alike(event: events.Event) -> bool:
    """Whether an event is told to everybody in the same words."""
    if isinstance(event, events.ParticipantChanged):
        return event.participant.picture is None
    return not isinstance(event, events.Welcome | events.Waits | events.RecordingChanged)


def encode(message: records.Message) -> bytes:
    """A message as it goes over the wire; fields that are empty are left out."""
    return message.model_dump_json(exclude_none=True).encode()


def _joined(
    event: events.Welcome, heartbeat_s: float, re: str | None, receipt: str | None, turn: IceServer | None
) -> messages.Joined:
    return messages.Joined(
        re=re,
        you=event.you,
        resumed=event.resumed,
        resume=event.resume_token,
        room=records.RoomRecord(slug=event.slug, name=event.room_name),
        role=event.role.value,
        state=_state(event.state),
        participants=tuple(_participant(participant, event.you) for participant in event.participants),
        messages=tuple(_chat(message) for message in event.messages),
        heartbeat_s=heartbeat_s,
        seat_s=event.seat_s,
        receipt=receipt,
        ice_servers=(records.IceServerRecord(**vars(turn)),) if turn else None,
        recording=_recording(event.recording, event.you),
    )


def _recording(state: RecordingState | None, you: str | None) -> records.RecordingRecord | None:
    if state is None:
        return None
    answer = None if you is None else state.answers.get(you)
    warning = None
    if state.warning is not None:
        warning = records.RecordingWarning(reason=state.warning.reason.value, stops_at=state.warning.stops_at_ms)
    return records.RecordingRecord(
        id=state.id,
        started_at=state.started_at_ms,
        by=state.by,
        chat=state.with_chat,
        keep_until=state.keep_until_ms,
        recorded=state.recorded,
        you=None if answer is None else answer.value,
        warning=warning,
    )


def _participant(participant: people.Participant, you: str | None) -> records.ParticipantRecord:
    secret = participant.picture
    return records.ParticipantRecord(
        id=participant.id,
        name=participant.name,
        role=participant.role.value,
        kind=participant.kind.value,
        connection=participant.connection.value,
        tracks=tuple(
            records.Track(id=t.id, source=t.source.value, kind=t.kind.value, muted=t.muted) for t in participant.tracks
        ),
        picture=None if secret is None or you is None else words_for(secret, you),
    )


def _chat(message: events.MessageAdded) -> records.ChatRecord:
    return records.ChatRecord(
        id=message.id,
        participant=message.participant_id,
        name=message.name,
        text=message.text,
        at=message.at_ms,
        to=message.to,
        edited_at=message.edited_at_ms,
    )


def _state(state: people.RoomState) -> records.StateRecord:
    return records.StateRecord.model_validate(
        {
            "locked": state.locked,
            "spotlight": state.spotlight,
            "hands": state.hands,
            "may_share": state.may_share,
            "may_record": state.may_record,
        }
    )


def _waiting(person: people.WaitingPerson) -> messages.WaitingPerson:
    return messages.WaitingPerson(
        id=person.id, name=person.name, kind="member" if person.is_member else "guest", since=person.since_ms
    )
