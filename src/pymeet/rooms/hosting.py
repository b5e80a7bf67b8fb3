"""What hosts decide in a meeting, and hands: roles, spotlight, lock. Pure, a part of `Room`; docs/protocol.md section 1.4."""

from dataclasses import replace

from pymeet.errors import NotAllowedError, NotFoundError
from pymeet.rooms.commands import Configure
from pymeet.rooms.events import ParticipantChanged, RoomEvent, SourceStopped, StateChanged, TrackMuted, TracksEnded
from pymeet.rooms.people import Kind, Participant, Role, RoomState, Source

_SHARE = frozenset({Source.SCREEN, Source.SCREEN_AUDIO})


class Hosting:
    """Works on the participants of one `Room`. Who asks, and whether their role allows it, was looked at before."""

    def __init__(self, participants: dict[str, Participant]) -> None:
        self._participants = participants
        self._came_as: dict[str, Role] = {}
        self.state = RoomState()

    # -- coming and going ---------------------------------------------------------------------------------------

    def came(self, participant: Participant) -> None:
        """Somebody is new."""
        self._came_as[participant.id] = participant.role

    def left(self, gone: Participant) -> list[RoomEvent]:
        """What changes when somebody is no longer here. Without a host the cohost who came first becomes one."""
        del self._came_as[gone.id]
        events = self._change(
            replace(
                self.state,
                hands=tuple(each for each in self.state.hands if each != gone.id),
                spotlight=None if self.state.spotlight == gone.id else self.state.spotlight,
            )
        )
        if gone.role is Role.HOST and not any(each.role is Role.HOST for each in self._participants.values()):
            heir = next((each for each in self._participants.values() if each.role is Role.COHOST), None)
            if heir is not None:
                events += self._give(heir, Role.HOST)
        return events

    def check_ban(self, banned: Participant) -> None:
        """Raises NotAllowedError where somebody hosts by right: the room's owner, or an administrator."""
        if self._came_as[banned.id] is Role.HOST:
            raise NotAllowedError("The room's owner and administrators cannot be banned.")

    # -- the meeting as a whole ---------------------------------------------------------------------------------

    def configure(self, command: Configure) -> list[RoomEvent]:
        """The room's settings are others."""
        return self._change(replace(self.state, may_share=command.may_share, may_record=command.may_record))

    def lock(self, on: bool) -> list[RoomEvent]:
        """Nobody new comes in, or they do again."""
        return self._change(replace(self.state, locked=on))

    def spotlight(self, shown: Participant | None) -> list[RoomEvent]:
        """Shows somebody to everybody. Raises NotAllowedError for a player, who shows nothing."""
        if shown is not None and shown.kind is Kind.PLAYER:
            raise NotAllowedError("A player sends nothing that could be shown.")
        return self._change(replace(self.state, spotlight=None if shown is None else shown.id))

    def hand(self, participant_id: str, up: bool) -> list[RoomEvent]:
        """Somebody's hand is up, or down."""
        hands = self.state.hands
        if up and participant_id not in hands:
            hands = (*hands, participant_id)
        elif not up:
            hands = tuple(each for each in hands if each != participant_id)
        return self._change(replace(self.state, hands=hands))

    # -- single people ------------------------------------------------------------------------------------------

    def give_role(self, to: Participant, is_cohost: bool) -> list[RoomEvent]:
        """Makes somebody a cohost, or what they are otherwise. Raises NotAllowedError for hosts, publishers and players."""
        _check_may_host(to)
        came_as = self._came_as[to.id]
        role = Role.COHOST if is_cohost else Role.MEMBER if came_as is Role.HOST else came_as
        return self._give(to, role)

    def hand_over(self, asker: Participant, to: Participant) -> list[RoomEvent]:
        """The asker becomes cohost, the other one host. Raises NotAllowedError as `give_role`."""
        _check_may_host(to)
        return [*self._give(to, Role.HOST), *self._give(asker, Role.COHOST)]

    def stop(self, by: str, whose: Participant, source: Source) -> list[RoomEvent]:
        """Mutes a microphone or camera, ends a share with its sound. Raises NotFoundError when nothing comes from there."""
        meant = [track for track in whose.tracks if track.source is source]
        if not meant:
            raise NotFoundError("They are not sending that.")
        stopped = SourceStopped(whose.id, source, by)
        if source in _SHARE:
            ending = _SHARE if source is Source.SCREEN else {source}
            ended = [track for track in whose.tracks if track.source in ending]
            tracks = tuple(track for track in whose.tracks if track not in ended)
            return [
                TracksEnded(whose.id, tuple(track.id for track in ended)),
                *self._set(replace(whose, tracks=tracks)),
                stopped,
            ]
        if all(track.muted for track in meant):
            return []
        tracks = tuple(replace(track, muted=True) if track in meant else track for track in whose.tracks)
        muted = [TrackMuted(whose.id, track.id, True) for track in meant]
        return [*muted, *self._set(replace(whose, tracks=tracks)), stopped]

    def mute_all(self, asker: Participant, spared: Participant | None) -> list[RoomEvent]:
        """Mutes every microphone but the asker's, the spared one's and, where a cohost asks, the hosts'.

        Publishers (WHIP) are left alone: nobody is there who could switch on again.
        """
        events: list[RoomEvent] = []
        for each in tuple(self._participants.values()):
            is_above = asker.role is not Role.HOST and each.role is Role.HOST
            is_heard = any(track.source is Source.MICROPHONE and not track.muted for track in each.tracks)
            if is_heard and each not in (asker, spared) and each.kind is Kind.BROWSER and not is_above:
                events += self.stop(asker.id, each, Source.MICROPHONE)
        return events

    # -- within -------------------------------------------------------------------------------------------------

    def _give(self, to: Participant, role: Role) -> list[RoomEvent]:
        return [] if to.role is role else self._set(replace(to, role=role))

    def _set(self, participant: Participant) -> list[RoomEvent]:
        self._participants[participant.id] = participant
        return [ParticipantChanged(participant)]

    def _change(self, state: RoomState) -> list[RoomEvent]:
        before, self.state = self.state, state
        return [] if before == state else [StateChanged(state)]


def _check_may_host(who: Participant) -> None:
    if who.role is Role.HOST:
        raise NotAllowedError("They host this meeting.")
    if who.kind is not Kind.BROWSER:
        raise NotAllowedError("Publishers and players cannot host.")
