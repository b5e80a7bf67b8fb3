"""Message type → what is done. Who asks comes from the connection, never from the message."""

from typing import get_args

from pymeet.errors import PymeetError
from pymeet.rooms.joining import RecordingAnswer
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.media import TrackWish
from pymeet.rooms.people import Departure, Source
from pymeet.rooms.recording import Answer
from pymeet.sfu.errors import DescriptionError
from pymeet.signaling import messages

_CODES: frozenset[str] = frozenset(get_args(messages.ErrorCode))


async def act(message: messages.Request, live: LiveRoom, me: str) -> messages.ServerMessage:
    """Does what participant `me` asks in their room and returns the answer; raises the errors of `LiveRoom`."""
    match message:
        case messages.Publish(sdp=sdp, tracks=tracks):
            wishes = {track.mid: TrackWish(track.source, track.muted) for track in tracks}
            return messages.Published(re=message.id, sdp=live.publish(me, sdp, wishes))
        case messages.Subscribed(offer=number, sdp=sdp):
            live.accept(me, number, sdp)
        case messages.Restart(media=media):
            live.restart(me, fresh=media == "new")
        case messages.Mute(source=source, muted=muted):
            live.mute(me, Source(source), muted)
        case messages.Chat(text=text):
            await live.chat(me, text)
        case messages.Remove(participant=participant):
            live.remove(me, participant)
        case messages.End():
            live.end(me, "The host ended the meeting.")
        case messages.Record(on=True, chat=chat):
            await live.start_recording(me, chat)
        case messages.Record():
            live.stop_recording(me)
        case messages.Consent(recording=recording, answer=answer, language=language):
            await live.answer_recording(me, RecordingAnswer(recording, Answer(answer), "dialog", language))
        case messages.Marker(text=text):
            live.mark_recording(me, text)
        case messages.Leave():
            live.leave(me, Departure.LEFT)
        case _:
            raise AssertionError("a type that the session answers itself")
    return messages.Ok(re=message.id)


def error_answer(error: PymeetError, re: str | None) -> messages.Error:
    """An error as the client is told; one that is not for clients becomes `internal`."""
    if isinstance(error, DescriptionError):
        return messages.Error(re=re, code="bad_description", message=error.message)
    if error.code not in _CODES:
        return internal_error(re)
    return messages.Error.model_validate({"re": re, "code": error.code, "message": error.message})


def internal_error(re: str | None) -> messages.Error:
    """What a client is told of an error of ours."""
    return messages.Error(
        re=re, code="internal", message="Something went wrong here. It is written in the server's log."
    )
