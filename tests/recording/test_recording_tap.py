"""The tap: a recorder gets what receivers get, and nothing from before the yes, from a mute, or from after the end."""

from dataclasses import dataclass, field

from tests.netem import World, lossy

from pymeet.sfu import rtp


@dataclass
class Listening:
    """A tap that remembers."""

    packets: list[tuple[int, int, float]] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    reports: list[tuple[int, int, float]] = field(default_factory=list)
    restarts: int = 0

    def packet(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        self.packets.append((sequence, timestamp, now))
        self.contents.append(packet)

    def report(self, ntp: int, timestamp: int, now: float) -> None:
        self.reports.append((ntp, timestamp, now))

    def restarted(self) -> None:
        self.restarts += 1

    @property
    def sequences(self) -> list[int]:
        return [sequence for sequence, _, _ in self.packets]

    @property
    def numbers(self) -> list[int]:
        """The same, counted on where sixteen bits begin anew, which is at another packet each time."""
        first = self.sequences[0]
        return [first + (sequence - first + 0x8000) % 0x10000 - 0x8000 for sequence in self.sequences]


def test_a_tap_gets_every_packet_in_clear_text() -> None:
    """Numbers and timestamps are those of the packet itself; nobody else need be in the room."""
    world = World(seed=31)
    alice = world.publisher()
    tap = Listening()
    alice.film()
    world.run(0.5)
    alice.video.set_tap(tap, world.now)
    begun = world.now
    world.run(2.0)

    assert tap.numbers == list(range(tap.numbers[0], tap.numbers[0] + len(tap.packets)))
    assert len(tap.packets) > 60
    for content, (sequence, timestamp, now) in zip(tap.contents, tap.packets, strict=True):
        assert isinstance(content, bytes)
        first, _, number, stamp, ssrc = rtp.HEADER.unpack_from(content)
        assert (first & 0xCF, number, stamp, ssrc) == (0x80, sequence, timestamp, 0)
        assert begun <= now <= world.now


def test_what_was_lost_on_the_way_comes_by_repair_once() -> None:
    """A recording must not have holes that no receiver has."""
    world = World(seed=32)
    alice = world.publisher()
    world.subscriber("bob", [alice.video])
    tap = Listening()
    alice.film()
    world.run(0.5)
    lossy(alice.up, 0.05)
    alice.video.set_tap(tap, world.now)
    world.run(4.0)

    numbers = sorted(set(tap.numbers))
    assert len(numbers) == len(tap.packets)
    assert alice.up.lost > 5
    assert numbers[-1] - numbers[0] + 1 - len(numbers) <= 2
    assert tap.numbers != numbers


def test_nothing_sent_before_the_yes_is_had_after_it() -> None:
    """A packet that is repaired late was said before the consent."""
    world = World(seed=33)
    alice = world.publisher()
    alice.film()
    world.run(0.5)
    alice.up.is_cut = True
    world.run(0.2)
    alice.up.is_cut = False
    tap = Listening()
    before = list(alice.source.sent)
    alice.video.set_tap(tap, world.now)
    world.run(0.1)
    for sequence in before[-30:]:
        alice.send_packet(alice.source.repair(sequence))
    world.run(1.0)

    assert tap.packets
    assert not set(before) & set(tap.sequences)


def test_nothing_comes_while_muted_nor_of_it_later() -> None:
    """A muted track goes nowhere, into a recording least of all."""
    world = World(seed=34)
    alice = world.publisher()
    tap = Listening()
    alice.film()
    alice.talk()
    sound = Listening()
    alice.video.set_tap(tap, world.now)
    alice.audio.set_tap(sound, world.now)
    world.run(1.0)
    alice.video.set_muted(True, world.now)
    alice.audio.set_muted(True, world.now)
    counts = len(tap.packets), len(sound.packets)
    sent_before = set(alice.source.sent)
    world.run(1.0)
    muted = [sequence for sequence in alice.source.sent if sequence not in sent_before]
    world.run(0.1)  # what is on its way when she unmutes is not of the mute
    assert (len(tap.packets), len(sound.packets)) == counts

    alice.video.set_muted(False, world.now)
    world.run(0.1)
    for sequence in muted[-20:]:
        alice.send_packet(alice.source.repair(sequence))
    world.run(1.0)

    assert len(tap.packets) > counts[0]
    assert not set(muted) & set(tap.sequences[counts[0] :])


def test_after_the_tap_is_taken_away_nothing_comes() -> None:
    """A withdrawal stops the packets first of all."""
    world = World(seed=35)
    alice = world.publisher()
    tap = Listening()
    alice.film()
    alice.video.set_tap(tap, world.now)
    world.run(1.0)
    alice.video.set_tap(None, world.now)
    count = len(tap.packets)
    world.run(1.0)

    assert count > 30
    assert len(tap.packets) == count


def test_setting_a_tap_asks_for_a_key_frame_and_tells_the_clock() -> None:
    """A recording that begins in the middle of a meeting can show something at once, and knows when it was."""
    world = World(seed=36)
    alice = world.publisher()
    alice.film()
    world.run(1.0)
    alice.report()
    world.run(0.5)
    reported = world.now
    keyframes = world.sfu.keyframes_asked
    tap = Listening()

    alice.video.set_tap(tap, world.now)
    world.run(0.6)

    assert world.sfu.keyframes_asked > keyframes
    assert len(tap.reports) == 1
    assert tap.reports[0][2] < reported
    for _ in range(50):
        alice.report()
    world.run(0.5)
    assert len(tap.reports) == 2  # a flood of reports is not passed on


def test_another_ssrc_is_told_as_a_restart() -> None:
    """A new stream's numbers are unrelated; without being told a recorder would wait for the old ones."""
    world = World(seed=37)
    alice = world.publisher()
    tap = Listening()
    alice.film()
    alice.video.set_tap(tap, world.now)
    world.run(1.0)

    alice.video.layers[0].take_ssrc(0x1234, world.now)

    assert tap.restarts == 1
