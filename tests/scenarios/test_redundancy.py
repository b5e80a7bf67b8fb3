"""Sound with redundancy (RFC 2198): only for who takes it and whose path loses packets, and nothing twice under one number."""

import itertools
import struct

from pymeet.sfu import red, rtcp, rtp
from pymeet.sfu.producer import Track
from pymeet.sfu.tap import Tap
from tests.netem import Publisher, Stream, Subscriber, World
from tests.support.peer import OPUS
from tests.support.reporting import Reporter, reporter

RED = 63
WIDE = 100e6


def _with_red(offer: str, number: int = RED) -> str:
    """An offer of sound, with redundancy under this payload type beside it."""
    line = f"a=rtpmap:{OPUS} opus/48000/2\r\n"
    more = f"a=rtpmap:{number} red/48000/2\r\na=fmtp:{number} {OPUS}/{OPUS}\r\n"
    return offer.replace(f"SAVPF {OPUS}\r\n", f"SAVPF {OPUS} {number}\r\n").replace(line, line + more)


class RedPublisher(Publisher):
    """Sends its sound with a copy of the packet before, as Chromium does."""

    def negotiate(self, **_: object) -> None:
        offer = _with_red(self.peer.offer("sendonly", audio_ssrc=self.audio_ssrc, video_ssrc=self.video_ssrc))
        answer = self.transport.answer(offer, self.wishes, self.world.now)
        assert f"SAVPF {RED} {OPUS}\r\n" in answer
        self.peer.take_description(answer)

    def sound_packet(self, level: int = 40) -> bytes:
        before = self.audio_sequence - 1 & 0xFFFF
        plain = super().sound_packet(level)
        head = bytes((plain[0], RED)) + plain[2:20]
        copy = struct.pack("!I", before) * 20
        blocks = struct.pack("!I", (0x80 | OPUS) << 24 | 960 << 10 | len(copy)) + bytes((OPUS,))
        return head + blocks + copy + plain[20:]


class _Tape(Tap):
    """What a recorder would get."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []

    def packet(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        self.packets.append(packet)

    def report(self, ntp: int, timestamp: int, now: float) -> None:
        pass

    def restarted(self) -> None:
        pass


def _redundant_publisher(world: World) -> RedPublisher:
    alice = RedPublisher(world, "alice")
    alice.join()
    world.run_until(lambda: alice.is_connected)
    return alice


def _payload(packet: bytes) -> bytes:
    return packet[rtp.payload_at(packet) :]


def _kinds(stream: Stream, since: float) -> list[int]:
    """The payload types that came since then, in order."""
    return [stream.packets[number][1] & 0x7F for at, number, _ in stream.arrived if at >= since]


def _said(payload: bytes) -> int:
    """The sender's number of a piece of sound."""
    assert len(payload) == 80
    return int.from_bytes(payload[:4], "big")


def _heard(stream: Stream, since: float) -> set[int]:
    """What a decoder gets, with what redundancy gives back."""
    heard = set()
    for at, number, _ in stream.arrived:
        payload = _payload(stream.packets[number])
        if at < since:
            continue
        if stream.packets[number][1] & 0x7F == RED:
            blocks, primary = red.split(payload, 0, len(payload))
            heard |= {_said(block) for _, block in blocks}
            payload = payload[primary:]
        heard.add(_said(payload))
    return heard


def _is_gapless(stream: Stream) -> bool:
    numbers = [number for _, number, _ in stream.arrived]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_on_a_good_path_everybody_gets_plain_sound_and_so_does_the_tap() -> None:
    """A second copy costs as much as the first, and is for paths that lose packets."""
    world = World(seed=101)
    alice = _redundant_publisher(world)
    bob = reporter(world, "bob", [alice.audio], WIDE)
    tape = _Tape()
    alice.audio.set_tap(tape, world.now)
    alice.talk()
    world.run(3.0)

    assert set(_kinds(bob.audio_of(alice), 0.0)) == {OPUS}
    assert _is_gapless(bob.audio_of(alice))
    assert len({_said(_payload(packet)) for packet in tape.packets}) >= 145
    world.assert_no_keystream_reuse()


def _lossy_meeting(world: World, alice: Publisher) -> tuple[Reporter, Reporter, float]:
    """Two whose paths lose every tenth packet from now on, one of whom takes redundancy; and since when that has been so."""
    bob = reporter(world, "bob", [alice.audio], WIDE)
    cid = Reporter(world, "cid")
    answer = cid.peer.answer
    cid.peer.answer = lambda offer: answer(offer.replace(f"SAVPF {OPUS} {RED}", f"SAVPF {OPUS}"))  # as Firefox would
    cid.receive_tracks([alice.audio])
    world.run_until(lambda: cid.is_connected)
    cid.limit(WIDE)
    alice.talk()
    world.run(2.0)
    for someone in (bob, cid):
        someone.path.loss = 0.1
    world.run(4.0)
    return bob, cid, world.now


def _check_lossy(world: World, alice: Publisher) -> None:
    bob, cid, since = _lossy_meeting(world, alice)
    first = alice.audio_sequence
    world.run(10.0)
    sent = {number & 0xFFFF for number in range(first + 2, first + 490)}

    assert set(_kinds(bob.audio_of(alice), since)) == {RED}
    assert set(_kinds(cid.audio_of(alice), 0.0)) == {OPUS}
    assert len(sent - _heard(cid.audio_of(alice), since)) > 25
    assert len(sent - _heard(bob.audio_of(alice), since)) < 15
    world.assert_no_keystream_reuse()


def test_where_packets_are_lost_who_takes_redundancy_gets_it_and_nobody_else() -> None:
    """Of a tenth of lost packets a hundredth is left. Who did not accept it goes on with plain sound."""
    world = World(seed=102)
    _check_lossy(world, _redundant_publisher(world))


def test_sound_of_who_sends_none_gets_its_redundancy_here() -> None:
    """Firefox and most encoders cannot; their listeners' paths are not better for it."""
    world = World(seed=103)
    _check_lossy(world, world.publisher())


def test_what_is_lost_on_the_way_here_is_given_back_to_who_gets_redundancy() -> None:
    """The sender's own copy is passed on, so that it helps on both halves of the way."""
    world = World(seed=104)
    alice = _redundant_publisher(world)
    bob, _, _ = _lossy_meeting(world, alice)
    alice.up.loss = 0.1
    since, first = world.now, alice.audio_sequence
    world.run(6.0)
    sent = {number & 0xFFFF for number in range(first + 2, first + 290)}

    assert len(sent - _heard(bob.audio_of(alice), since)) < 0.06 * len(sent)
    world.assert_no_keystream_reuse()


def test_when_the_path_is_good_again_sound_is_plain_again() -> None:
    """One stream all along: its numbers have no gap of our making."""
    world = World(seed=105)
    alice = _redundant_publisher(world)
    bob, _, _ = _lossy_meeting(world, alice)
    bob.path.loss = 0.0
    world.run(15.0)

    stream = bob.audio_of(alice)
    assert set(_kinds(stream, world.now - 2.0)) == {OPUS}
    recent = [number for at, number, _ in stream.arrived if at > world.now - 5.0]
    assert recent == list(range(recent[0], recent[0] + len(recent)))
    stamps = [stamp for at, _, stamp in stream.arrived if at > world.now - 5.0]
    assert {(b - a) & 0xFFFFFFFF for a, b in itertools.pairwise(stamps)} == {960}
    world.assert_no_keystream_reuse()


def test_no_word_from_behind_a_mute_comes_out_by_redundancy() -> None:
    """The first packet after it brings a copy of what was said before it ended."""
    world = World(seed=106)
    alice = _redundant_publisher(world)
    bob, _, _ = _lossy_meeting(world, alice)
    alice.audio.set_muted(True, world.now)
    world.run(0.2)  # what is under way arrives
    first_muted = alice.audio_sequence
    world.run(1.0)
    last_muted = alice.audio_sequence - 3
    alice.audio.set_muted(False, world.now)
    world.run(1.0)

    muted = {number & 0xFFFF for number in range(first_muted, last_muted)}
    assert not muted & _heard(bob.audio_of(alice), 0.0)
    assert RED in _kinds(bob.audio_of(alice), world.now - 0.9)
    world.assert_no_keystream_reuse()


class _Player(Subscriber):
    """Plays by WHEP, and tells once a second what share of its sound was lost."""

    def __init__(self, world: World, name: str, number: int) -> None:
        super().__init__(world, name)
        self._red_number = number
        self.answered = ""

    def play(self, tracks: list[Track]) -> str:
        offer = self.peer.offer
        self.peer.offer = lambda direction: _with_red(offer(direction), self._red_number)
        self.answered = super().play(tracks)
        return self.answered

    def report(self) -> None:
        """Every tenth packet never came."""
        block = rtcp.ReportBlock(self.by_track["audio"].ssrc, 26, 0, 0, 0, 0, 0)
        self.send_control(rtcp.receiver_report(1, [block]))
        self.world.at(self.world.now + 1.0, self.report)


def _player(world: World, alice: Publisher, number: int) -> _Player:
    player = _Player(world, "tv", number)
    player.play([alice.audio, alice.video])
    world.run_until(lambda: player.is_connected)
    player.down.loss = 0.1
    player.report()
    alice.talk()
    world.run(4.0)
    return player


def test_a_player_that_offers_redundancy_gets_it_where_packets_are_lost() -> None:
    """Also after another one speaks: it is the same stream to the player."""
    world = World(seed=107)
    alice, albert = _redundant_publisher(world), world.publisher("albert")
    player = _player(world, alice, RED)
    since, first = world.now, alice.audio_sequence
    world.run(6.0)
    sent = {number & 0xFFFF for number in range(first + 2, first + 290)}
    stream = player.by_track["audio"]

    assert f"SAVPF {OPUS} {RED}\r\n" in player.answered
    assert set(_kinds(stream, since)) == {RED}
    assert len(sent - _heard(stream, since)) < 10

    player.transport.set_tracks([albert.audio, albert.video], world.now)
    albert.talk()
    world.run(3.0)
    assert set(_kinds(stream, world.now - 1.0)) == {RED}
    world.assert_no_keystream_reuse()


def test_a_player_whose_numbers_are_not_those_of_the_copies_gets_plain_sound() -> None:
    """The numbers stand inside of what everybody gets alike; browsers that take redundancy have them all the same."""
    world = World(seed=108)
    alice = _redundant_publisher(world)
    player = _player(world, alice, RED + 1)

    assert f"SAVPF {OPUS}\r\n" in player.answered
    assert set(_kinds(player.by_track["audio"], 0.0)) == {OPUS}
