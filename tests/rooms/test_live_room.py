"""The rim of a live room: what is stored, what members are told, and what the media server is asked for."""

import asyncio

import pytest

from pymeet.accounts.model import User
from pymeet.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    TooManyError,
)
from pymeet.rooms.events import (
    Ended,
    MediaChanged,
    MessageAdded,
    Offered,
    ParticipantChanged,
    ParticipantLeft,
    Removed,
    SpeakersChanged,
    Welcome,
)
from pymeet.rooms.joining import JoinRequest, Resume
from pymeet.rooms.member import CloseReason
from pymeet.rooms.people import Connection, Departure, Kind, Role, Source
from pymeet.sfu.errors import DescriptionError
from pymeet.sfu.events import Connected, Disconnected
from tests.rooms.conftest import Ear, Stage, turn


async def test_who_joins_is_welcomed_with_the_whole_state(stage: Stage, ann: User) -> None:
    """The first thing a client is told must be enough to draw the room."""
    bob, _ = await stage.join("Bob")
    await stage.publish(bob, "microphone")
    await stage.live.chat(bob.id, "hello")

    seat, ear = await stage.join("Ann", user=ann)

    welcome = ear.heard[0]
    assert isinstance(welcome, Welcome)
    assert (welcome.you, welcome.role, welcome.resumed, welcome.slug) == (seat.id, Role.HOST, False, "standup")
    assert [p.name for p in welcome.participants] == ["Bob", "Ann"]
    assert [t.source for t in welcome.participants[0].tracks] == [Source.MICROPHONE]
    assert [m.text for m in welcome.messages] == ["hello"]


async def test_two_who_come_at_once_do_not_share_the_last_seat(stage: Stage) -> None:
    """Capacity is held under concurrency (ASVS 2.3.4): storing the attendance takes time, the seat does not."""
    for number in range(3):
        await stage.join(f"Guest {number}")

    results = await asyncio.gather(*(stage.join(f"Late {n}") for n in range(6)), return_exceptions=True)

    refused = [r for r in results if isinstance(r, TooManyError)]
    assert len(refused) == 4
    assert {r.code for r in refused} == {"room_full"}
    assert len(stage.live.participants) == 5


async def test_a_name_is_made_one_visible_line(stage: Stage) -> None:
    """Names are shown to others: no line breaks, nothing that turns the text direction, nothing invisible."""
    seat, _ = await stage.join("  Bob\n\u202eevil\u2066 ")

    assert seat.name == "Bob evil"
    with pytest.raises(InvalidInputError):
        await stage.join(" \u200b ")
    assert len(stage.live.participants) == 1


async def test_chat_is_on_the_disk_before_anybody_is_told(stage: Stage) -> None:
    """An acknowledged message survives a crash."""
    bob, bob_ear = await stage.join("Bob")
    _, carl_ear = await stage.join("Carl")

    await stage.live.chat(bob.id, "kept")

    stored = await stage.meetings.messages(stage.room.id)
    assert [m.text for m in stored] == ["kept"]
    for ear in (bob_ear, carl_ear):
        assert [e.id for e in ear.of(MessageAdded)] == [stored[0].id]


async def test_everybody_reads_the_chat_in_the_same_order_as_it_is_stored(stage: Stage) -> None:
    """Two who write at once are put in one order for all, also for those who come later."""
    bob, bob_ear = await stage.join("Bob")
    carl, carl_ear = await stage.join("Carl")

    await asyncio.gather(*(stage.live.chat(seat.id, f"{n}") for n in range(10) for seat in (bob, carl)))

    told = [[e.id for e in ear.of(MessageAdded)] for ear in (bob_ear, carl_ear)]
    stored = [m.id for m in await stage.meetings.messages(stage.room.id)]
    assert told[0] == told[1] == stored


async def test_who_joins_while_others_write_misses_nothing_and_gets_nothing_twice(stage: Stage) -> None:
    """The history is read while messages arrive; the seam must be tight."""
    bob, _ = await stage.join("Bob")

    writing = [stage.live.chat(bob.id, f"{n}") for n in range(20)]
    joined, *_ = await asyncio.gather(stage.join("Carl"), *writing)

    ear = joined[1]
    welcome = ear.heard[0]
    assert isinstance(welcome, Welcome)
    seen = [m.id for m in welcome.messages] + [e.id for e in ear.of(MessageAdded)]
    assert seen == [m.id for m in await stage.meetings.messages(stage.room.id)]
    assert len(seen) == 20


async def test_a_browser_is_offered_what_the_others_send(stage: Stage) -> None:
    """The heart of a meeting."""
    bob, _ = await stage.join("Bob")
    carl, ear = await stage.join("Carl")
    assert ear.of(Offered) == []

    await stage.publish(bob, "microphone", "camera")

    (offer,) = ear.of(Offered)
    assert isinstance(offer, Offered)
    assert offer.fresh
    assert [(s.participant_id, s.source) for s in offer.sections] == [
        (bob.id, Source.MICROPHONE),
        (bob.id, Source.CAMERA),
    ]
    assert stage.media.subscriber_of(carl.id).owner == carl.id


async def test_who_joins_later_is_offered_what_is_sent_already(stage: Stage) -> None:
    """Nobody publishes again for a latecomer."""
    bob, bob_ear = await stage.join("Bob")
    await stage.publish(bob, "camera")

    _, ear = await stage.join("Carl")

    assert len(ear.of(Offered)) == 1
    assert bob_ear.of(Offered) == []


async def test_several_changes_within_one_turn_make_one_offer(stage: Stage) -> None:
    """When a crowd starts its cameras at once, nobody negotiates once per camera."""
    _, ear = await stage.join("Ear")
    seats = [(await stage.join(f"Guest {n}"))[0] for n in range(3)]

    await asyncio.gather(*(stage.publish(seat, "camera") for seat in seats))

    assert len(ear.of(Offered)) == 1
    assert len(ear.of(Offered)[0].sections) == 3


async def test_the_next_offer_waits_for_the_answer_or_ten_seconds(stage: Stage) -> None:
    """Sections must not change between an offer and its answer."""
    bob, _ = await stage.join("Bob")
    carl, ear = await stage.join("Carl")
    await stage.publish(bob, "camera")
    await stage.publish(bob, "camera", "screen")
    assert len(ear.of(Offered)) == 1
    assert len(stage.media.subscriber_of(carl.id).current) == 1

    stage.live.accept(carl.id, 1, "answer")
    await turn()
    assert [o.number for o in ear.of(Offered)] == [1, 2]

    await stage.publish(bob, "camera")
    stage.clock.advance(9.9)
    stage.live.tick()
    await turn()
    assert len(ear.of(Offered)) == 2
    stage.clock.advance(0.1)
    stage.live.tick()
    await turn()
    assert [o.number for o in ear.of(Offered)] == [1, 2, 3]


async def test_an_answer_to_an_older_offer_is_ignored(stage: Stage) -> None:
    """It may cross a newer offer on the way."""
    bob, _ = await stage.join("Bob")
    carl, ear = await stage.join("Carl")
    await stage.publish(bob, "camera")
    stage.live.restart(carl.id)
    await turn()
    assert len(ear.of(Offered)) == 2

    stage.live.accept(carl.id, 1, "bad and old")

    assert stage.media.subscriber_of(carl.id).accepted == []
    stage.live.accept(carl.id, 2, "answer")
    assert stage.media.subscriber_of(carl.id).accepted == [2]


async def test_a_bad_answer_is_an_error_and_does_not_stop_later_offers(stage: Stage) -> None:
    """A client that stumbles once gets another chance with the next change."""
    bob, _ = await stage.join("Bob")
    carl, ear = await stage.join("Carl")
    await stage.publish(bob, "camera")

    with pytest.raises(DescriptionError):
        stage.live.accept(carl.id, 1, "bad")

    await stage.publish(bob, "screen")
    assert len(ear.of(Offered)) == 2


async def test_a_restart_offers_anew_on_the_same_connection_or_on_a_fresh_one(stage: Stage) -> None:
    """After an address change new ICE credentials do; after the client lost its connection nothing old helps."""
    bob, _ = await stage.join("Bob")
    carl, ear = await stage.join("Carl")
    await stage.publish(bob, "camera")
    first = stage.media.subscriber_of(carl.id)

    stage.live.restart(carl.id)
    await turn()
    assert first.ice_restarts == 1
    assert [o.fresh for o in ear.of(Offered)] == [True, False]

    stage.live.restart(carl.id, fresh=True)
    await turn()
    assert first.closed
    assert stage.media.subscriber_of(carl.id) is not first
    assert [o.fresh for o in ear.of(Offered)] == [True, False, True]


async def test_an_offer_with_another_certificate_is_a_new_connection(stage: Stage) -> None:
    """A page that was reloaded publishes from a new peer connection; its old tracks end."""
    bob, _ = await stage.join("Bob")
    await stage.publish(bob, "camera", sdp="a=fingerprint:one")
    first = stage.media.publisher_of(bob.id)
    await stage.publish(bob, "camera", sdp="a=fingerprint:one\r\na=ice-ufrag:new")
    assert stage.media.publisher_of(bob.id) is first

    await stage.publish(bob, "camera", sdp="a=fingerprint:two")

    assert first.closed
    assert stage.media.publisher_of(bob.id) is not first


async def test_a_bad_offer_changes_nothing(stage: Stage) -> None:
    """Neither on the connection that is there nor by a new one left behind."""
    bob, _ = await stage.join("Bob")
    await stage.publish(bob, "camera", sdp="a=fingerprint:one")
    good = stage.media.publisher_of(bob.id)

    with pytest.raises(DescriptionError):
        await stage.publish(bob, "camera", sdp="bad\na=fingerprint:two")

    assert not good.closed
    assert stage.media.publisher_of(bob.id).closed
    assert len(stage.live.seat(bob.id).sends) == 1


async def test_a_picture_that_claims_to_be_a_microphone_reaches_nobody(stage: Stage) -> None:
    """What people agreed to see is not smuggled in as sound."""
    liar, _ = await stage.join("Liar")
    _, ear = await stage.join("Carl")

    await stage.publish(liar, "microphone", sdp="lying")

    assert stage.live.seat(liar.id).sends == {}
    assert ear.of(Offered) == []


async def test_muting_reaches_the_media_server_at_once(stage: Stage) -> None:
    """CVE class 19: nothing is forwarded after the click, whatever the client sends."""
    bob, _ = await stage.join("Bob")
    _, ear = await stage.join("Carl")
    await stage.publish(bob, "microphone")
    track = stage.media.publisher_of(bob.id).tracks["0"]

    stage.live.mute(bob.id, Source.MICROPHONE, True)

    assert track.muted
    last = ear.of(ParticipantChanged)[-1]
    assert last.participant.tracks[0].muted


async def test_somebody_removed_is_out_at_once_and_stays_out(stage: Stage, ann: User) -> None:
    """CVE class 12: media to and from stops, and the old token opens nothing."""
    host, _ = await stage.join("Ann", user=ann)
    bob, bob_ear = await stage.join("Bob")
    _, carl_ear = await stage.join("Carl")
    await stage.publish(host, "camera")
    await stage.publish(bob, "camera")

    stage.live.remove(host.id, bob.id)

    assert isinstance(bob_ear.heard[-1], Removed)
    assert bob_ear.closed is CloseReason.REMOVED
    assert stage.media.publisher_of(bob.id).closed
    assert stage.media.subscriber_of(bob.id).closed
    assert carl_ear.of(ParticipantLeft) == [ParticipantLeft(bob.id, Departure.REMOVED)]
    with pytest.raises(NotAllowedError):
        await stage.join("Bob", resume=Resume(bob.token, keep_media=False))


async def test_a_publisher_without_a_connection_can_be_removed_too(stage: Stage, ann: User) -> None:
    """A WHIP encoder has no page that could be told."""
    host, _ = await stage.join("Ann", user=ann)
    encoder, _ = await stage.join("Encoder", kind=Kind.PUBLISHER)
    await stage.publish(encoder, "camera")

    stage.live.remove(host.id, encoder.id)

    assert encoder.is_gone
    assert stage.media.publisher_of(encoder.id).closed
    with pytest.raises(NotFoundError):
        stage.live.publish(encoder.id, "a=fingerprint:1", {})


async def test_ending_a_meeting_sends_everybody_out(stage: Stage, ann: User) -> None:
    """And a new meeting can begin in the same room at once."""
    host, host_ear = await stage.join("Ann", user=ann)
    bob, bob_ear = await stage.join("Bob")
    await stage.publish(bob, "camera")
    live = stage.live

    live.end(host.id, "Over.")

    for ear in (host_ear, bob_ear):
        assert isinstance(ear.heard[-1], Ended)
        assert ear.closed is CloseReason.ENDED
    assert stage.media.publisher_of(bob.id).closed
    assert stage.live is not live
    assert stage.registry.people("standup") == 0


async def test_who_resumes_gets_seat_media_and_missed_messages(stage: Stage) -> None:
    """docs/protocol.md: a reconnecting browser keeps its seat and gets what it missed."""
    bob, bob_ear = await stage.join("Bob")
    carl, _ = await stage.join("Carl")
    await stage.publish(bob, "camera")
    await stage.publish(carl, "camera")
    await stage.live.chat(carl.id, "seen")
    seen = bob_ear.of(MessageAdded)[-1].id
    stage.live.lose(bob.id, bob_ear)
    await stage.live.chat(carl.id, "missed")
    stage.clock.advance(59)
    stage.live.tick()

    again, ear = await stage.join("Bob", resume=Resume(bob.token, keep_media=True, last_message=seen))

    assert again is bob
    welcome = ear.heard[0]
    assert isinstance(welcome, Welcome)
    assert welcome.resumed
    assert [m.text for m in welcome.messages] == ["missed"]
    assert not stage.media.publisher_of(bob.id).closed
    assert [p.connection for p in welcome.participants] == [Connection.CONNECTED] * 2
    (offer,) = ear.of(Offered)
    assert not offer.fresh


async def test_who_resumes_after_a_reload_starts_with_new_media(stage: Stage) -> None:
    """The peer connections of a page that is gone are ended, so that no frozen picture stays."""
    bob, bob_ear = await stage.join("Bob")
    carl, carl_ear = await stage.join("Carl")
    await stage.publish(bob, "camera")
    await stage.publish(carl, "camera")
    stage.live.lose(bob.id, bob_ear)

    _, ear = await stage.join("Bob", resume=Resume(bob.token, keep_media=False))

    assert stage.media.publisher_of(bob.id).closed
    assert carl_ear.of(ParticipantChanged)[-1].participant.tracks == ()
    (offer,) = ear.of(Offered)
    assert offer.fresh


async def test_a_second_connection_with_the_token_takes_the_seat_over(stage: Stage) -> None:
    """There is one live connection per token; the newer wins, and the older's end changes nothing."""
    bob, old = await stage.join("Bob")

    again, new = await stage.join("Bob", resume=Resume(bob.token, keep_media=True))
    stage.live.lose(bob.id, old)

    assert again is bob
    assert old.closed is CloseReason.TAKEN_OVER
    assert new.closed is None
    assert stage.live.participants[0].connection is Connection.CONNECTED


async def test_of_many_that_take_a_seat_over_at_once_one_keeps_it(stage: Stage) -> None:
    """A race of resumes leaves exactly one listener, the newest."""
    bob, _ = await stage.join("Bob")
    resume = Resume(bob.token, keep_media=True)

    results = await asyncio.gather(*(stage.join("Bob", resume=resume) for _ in range(5)), return_exceptions=True)

    winners = [r for r in results if isinstance(r, tuple)]
    losers = [r for r in results if isinstance(r, ConflictError)]
    assert (len(winners), len(losers)) == (1, 4)
    assert bob.listener is winners[0][1]
    assert len(stage.live.participants) == 1


async def test_a_token_that_is_unknown_or_too_old_gives_a_fresh_seat(stage: Stage) -> None:
    """After a restart of the server, or an hour in a tunnel, people simply come in again."""
    bob, bob_ear = await stage.join("Bob")
    stage.live.lose(bob.id, bob_ear)
    stage.clock.advance(60)
    stage.live.tick()

    again, ear = await stage.join("Bob", resume=Resume(bob.token, keep_media=True))

    assert again is not bob
    assert not ear.heard[0].resumed
    assert bob.is_gone


async def test_the_seat_of_a_signed_in_person_is_theirs_alone(stage: Stage, ann: User, bob: User) -> None:
    """A token that leaked does not make a guest the host."""
    host, host_ear = await stage.join("Ann", user=ann)

    for other in (None, bob):
        thief, ear = await stage.join("Thief", user=other, resume=Resume(host.token, keep_media=True))
        assert thief is not host
        assert ear.heard[0].role is not Role.HOST
    assert host_ear.closed is None


async def test_media_states_are_told_to_the_one_concerned(stage: Stage) -> None:
    """The client starts an ICE restart when the server no longer hears it."""
    bob, bob_ear = await stage.join("Bob")
    _, carl_ear = await stage.join("Carl")
    await stage.publish(bob, "camera")
    transport = stage.media.publisher_of(bob.id)

    transport.on_event(Connected())
    transport.on_event(Disconnected())
    transport.close(0.0, "no connection")
    await turn()

    assert bob_ear.of(MediaChanged) == [
        MediaChanged("publish", "connected"),
        MediaChanged("publish", "disconnected"),
        MediaChanged("publish", "failed"),
    ]
    assert carl_ear.of(MediaChanged) == []
    assert carl_ear.of(ParticipantChanged)[-1].participant.tracks == ()


async def test_a_receiving_connection_that_failed_is_replaced_by_a_fresh_offer(stage: Stage) -> None:
    """The client need not ask for it."""
    bob, _ = await stage.join("Bob")
    carl, ear = await stage.join("Carl")
    await stage.publish(bob, "camera")

    stage.media.subscriber_of(carl.id).close(0.0, "handshake failed")
    await turn()

    assert ear.of(MediaChanged) == [MediaChanged("subscribe", "failed")]
    assert [o.fresh for o in ear.of(Offered)] == [True, True]


async def test_a_publisher_whose_connection_ends_leaves(stage: Stage) -> None:
    """A WHIP encoder that is switched off without DELETE does not stay for ever."""
    _, ear = await stage.join("Bob")
    encoder, _ = await stage.join("Encoder", kind=Kind.PUBLISHER)
    await stage.publish(encoder, "camera")
    transport = stage.media.publisher_of(encoder.id)

    transport.on_event(Disconnected())
    assert ear.of(ParticipantChanged)[-1].participant.connection is Connection.RECONNECTING
    transport.on_event(Connected())
    assert ear.of(ParticipantChanged)[-1].participant.connection is Connection.CONNECTED
    transport.close(0.0, "peer closed")

    assert ear.of(ParticipantLeft) == [ParticipantLeft(encoder.id, Departure.LOST)]


async def test_a_player_follows_the_speaker_on_one_connection(stage: Stage) -> None:
    """WHEP without a target: the sections stay, what they carry changes."""
    bob, _ = await stage.join("Bob")
    carl, _ = await stage.join("Carl")
    await stage.publish(bob, "microphone", "camera")
    await stage.publish(carl, "microphone", "camera")
    player, _ = await stage.join("Screen in the hall", kind=Kind.PLAYER)

    assert stage.live.play(player.id, "offer") == "answer to offer"
    transport = stage.media.subscriber_of(player.id)
    assert {t.owner for t in transport.current} == {bob.id}

    stage.media.loudness = {carl.id: 100.0}
    for _ in range(10):
        stage.clock.advance(0.2)
        stage.live.tick()
    await turn()
    assert {t.owner for t in transport.current} == {carl.id}

    stage.live.leave(carl.id)
    await turn()
    assert {t.owner for t in transport.current} == {bob.id}


async def test_a_player_with_nothing_to_show_is_refused(stage: Stage) -> None:
    """Section 3: 409 for somebody who sends nothing, 404 for nobody."""
    await stage.join("Bob")
    player, _ = await stage.join("Player", kind=Kind.PLAYER)

    with pytest.raises(ConflictError):
        stage.live.play(player.id, "offer")
    with pytest.raises(ConflictError):
        stage.live.play(player.id, "offer", "Bob")
    with pytest.raises(NotFoundError):
        stage.live.play(player.id, "offer", "Nobody")
    assert all(transport.closed for transport in stage.media.subscribers)


async def test_players_and_publishers_are_offered_nothing(stage: Stage) -> None:
    """Only browsers receive by the server's offer."""
    bob, _ = await stage.join("Bob")
    await stage.join("Encoder", kind=Kind.PUBLISHER)
    await stage.join("Player", kind=Kind.PLAYER)

    await stage.publish(bob, "camera")

    assert stage.media.subscribers == []


async def test_who_speaks_is_told_on_change_only(stage: Stage) -> None:
    """Five times a second for everybody would drown the rest."""
    bob, ear = await stage.join("Bob")
    await stage.publish(bob, "microphone")
    stage.media.loudness = {bob.id: 100.0}

    for _ in range(20):
        stage.clock.advance(0.2)
        stage.live.tick()

    assert ear.of(SpeakersChanged) == [SpeakersChanged((bob.id,), bob.id)]
    _, late = await stage.join("Late")
    assert late.heard[1] == SpeakersChanged((bob.id,), bob.id)


async def test_a_muted_microphone_does_not_speak(stage: Stage) -> None:
    """Levels that a client goes on sending are not shown either."""
    bob, ear = await stage.join("Bob")
    await stage.publish(bob, "microphone", muted=True)
    stage.media.loudness = {bob.id: 127.0}

    for _ in range(10):
        stage.clock.advance(0.2)
        stage.live.tick()

    assert ear.of(SpeakersChanged) == []


class _DeafEar(Ear):
    """A listener with a fault in it."""

    def send(self, event: object) -> None:
        raise RuntimeError("broken")


async def test_a_media_connection_that_fails_at_closing_keeps_nobody_in_the_room(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seats whose time is up go together: a fault at the first must not leave it half there, nor the second forgotten."""
    bob, bobs = await stage.join("Bob")
    carl, carls = await stage.join("Carl")
    await stage.join("Dora")
    await stage.publish(bob, "camera")
    await stage.publish(carl, "camera")

    def fail(now: float) -> None:
        raise RuntimeError

    monkeypatch.setattr(stage.media.publisher_of(bob.id), "close", fail)
    stage.live.lose(bob.id, bobs)
    stage.live.lose(carl.id, carls)
    stage.clock.advance(61)

    stage.registry.tick()

    assert [p.name for p in stage.live.participants] == ["Dora"]
    assert bob.is_gone
    assert carl.is_gone
    assert bob.receiving is None
    assert stage.media.publisher_of(carl.id).closed


async def test_a_member_that_fails_does_not_disturb_the_others(stage: Stage) -> None:
    """One broken connection is closed; everybody else hears on."""
    bob, _ = await stage.join("Bob")
    broken = _DeafEar()
    await stage.live.join(JoinRequest("Broken", None, Kind.BROWSER, broken))
    _, carl_ear = await stage.join("Carl")

    await stage.live.chat(bob.id, "hello")

    assert broken.closed is CloseReason.BROKEN
    assert [m.text for m in carl_ear.of(MessageAdded)] == ["hello"]
