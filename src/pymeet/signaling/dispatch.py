"""Message type → what is done. Who asks comes from the connection, never from the message."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import get_args

from pymeet.errors import PymeetError
from pymeet.rooms.commands import (
    GiveRole,
    HandOver,
    Lock,
    LowerHand,
    MuteAll,
    RaiseHand,
    React,
    Spotlight,
    StopSource,
)
from pymeet.rooms.joining import RecordingAnswer
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.media import TrackWish
from pymeet.rooms.people import Departure, Reaction, Source
from pymeet.rooms.recording import Answer
from pymeet.rooms.seat import Seat
from pymeet.rooms.viewing import Watching
from pymeet.sfu.errors import DescriptionError
from pymeet.signaling import messages
from pymeet.signaling.error_codes import ErrorCode

_CODES: frozenset[str] = frozenset(get_args(ErrorCode))


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
        case messages.View(tiles=tiles, audio_only=audio_only):
            live.watch(me, _watching(tiles, audio_only))
        case messages.AskFigures():
            return _figures(message.id, live.seat(me))
        case messages.Chat(text=text, to=to):
            await live.chat(me, text, to)
        case messages.EditMessage(message=message_id, text=text):
            await live.edit_message(me, message_id, text)
        case messages.DeleteMessage(message=message_id):
            await live.delete_message(me, message_id)
        case messages.Hand(up=up):
            live.ask(me, RaiseHand(up))
        case messages.React(reaction=reaction):
            live.ask(me, React(Reaction(reaction)))
        case messages.Admit(participant=participant):
            live.admit(me, participant)
        case messages.Refuse(participant=participant, reason=reason):
            live.refuse(me, participant, reason)
        case messages.Stop(participant=participant, source=source):
            live.ask(me, StopSource(participant, Source(source)))
        case messages.MuteAll(but=but):
            live.ask(me, MuteAll(but))
        case messages.LowerHand(participant=participant):
            live.ask(me, LowerHand(participant))
        case messages.Spotlight(participant=participant):
            live.ask(me, Spotlight(participant))
        case messages.Lock(on=on):
            live.ask(me, Lock(on))
        case messages.GiveRole(participant=participant, role=role):
            live.ask(me, GiveRole(participant, role == "cohost"))
        case messages.HandOver(participant=participant):
            live.ask(me, HandOver(participant))
        case messages.Remove(participant=participant, ban=ban):
            live.remove(me, participant, ban=ban)
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


def _watching(tiles: Sequence[messages.SeenTrack], audio_only: bool) -> Watching:
    heights = {tile.track: tile.height for tile in tiles}
    return Watching(heights, frozenset(tile.track for tile in tiles if tile.pinned), audio_only)


def _figures(re: str | None, seat: Seat) -> messages.Figures:
    """What was measured last of somebody's own connections."""
    ranks = seat.receiving.figures()[1] if seat.receiving else {}
    layers = tuple(messages.SentLayer(track=track, layer=rank) for track, rank in ranks.items())
    return messages.Figures(re=re, layers=layers, **asdict(seat.quality.reading))


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
