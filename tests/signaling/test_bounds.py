"""Rates and queues of one connection."""

from pymeet.signaling.limits import Allowance, Bucket
from pymeet.signaling.outbox import Frame, FrameKind, Outbox


def test_a_bucket_allows_a_burst_and_then_its_rate() -> None:
    """docs/protocol.md section 1."""
    bucket = Bucket(per_s=20, burst=60, now=0.0)

    assert sum(bucket.take(0.0) for _ in range(100)) == 60
    assert sum(bucket.take(1.0) for _ in range(100)) == 20
    assert sum(bucket.take(1000.0) for _ in range(100)) == 60


def test_a_bucket_survives_a_clock_that_stands_still() -> None:
    """Two messages may come in the same tick, or with a reading that is older."""
    bucket = Bucket(per_s=1, burst=1, now=10.0)

    assert bucket.take(10.0)
    assert not bucket.take(5.0)
    assert not bucket.take(5.5)


def test_chat_is_held_to_a_lower_rate_than_the_rest() -> None:
    """Three messages a second in bursts of ten: nobody reads faster."""
    allowance = Allowance(0.0)

    assert sum(allowance.take(0.0, size=10, is_chat=True) for _ in range(20)) == 10
    assert allowance.take(0.0, size=10, is_chat=False)


def test_what_makes_the_server_write_descriptions_is_held_to_the_lowest_rate() -> None:
    """One `publish` is an offer to everybody in the room: that lever is not pulled twenty times a second."""
    allowance = Allowance(0.0)

    assert sum(allowance.take(0.0, size=10, makes_descriptions=True) for _ in range(20)) == 10
    assert sum(allowance.take(3.0, size=10, makes_descriptions=True) for _ in range(20)) == 3
    assert allowance.take(3.0, size=10)


def test_what_is_seen_is_told_twice_a_second_at_most() -> None:
    """A window that is drawn larger changes at every step; the server need not follow each."""
    allowance = Allowance(0.0)

    assert sum(allowance.take(0.0, size=10, is_view=True) for _ in range(20)) == 6
    assert sum(allowance.take(1.0, size=10, is_view=True) for _ in range(20)) == 2


def test_few_large_messages_are_too_many_as_well() -> None:
    """Twenty descriptions of 256 KiB a second would keep the server busy with reading them."""
    allowance = Allowance(0.0)

    assert sum(allowance.take(0.0, size=256 * 1024, is_chat=False) for _ in range(20)) == 4


def test_patience_ends() -> None:
    """A moment's excess is forgiven, a flood is not."""
    allowance = Allowance(0.0)

    assert sum(not allowance.is_persistent(0.0) for _ in range(100)) == 30


def test_an_outbox_is_first_in_first_out_and_bounded_by_count_and_size() -> None:
    """A client that does not read costs at most 1,000 messages or 4 MiB."""
    outbox = Outbox(messages=3, size=10)

    assert outbox.put(Frame(FrameKind.TEXT, b"12345"))
    assert not outbox.put(Frame(FrameKind.TEXT, b"123456"))
    assert outbox.put(Frame(FrameKind.TEXT, b"1234"))
    assert outbox.put(Frame(FrameKind.PING, b""))
    assert not outbox.put(Frame(FrameKind.PING, b""))

    assert [outbox.take() for _ in range(4)] == [
        Frame(FrameKind.TEXT, b"12345"),
        Frame(FrameKind.TEXT, b"1234"),
        Frame(FrameKind.PING, b""),
        None,
    ]
    assert outbox.put(Frame(FrameKind.TEXT, b"1234567890"))
    outbox.clear()
    assert len(outbox) == 0
    assert outbox.put(Frame(FrameKind.TEXT, b"1234567890"))


def test_what_is_asked_of_a_recording_is_held_to_a_low_rate() -> None:
    """Each answer is written to the disk and told to everybody."""
    allowance = Allowance(0.0)

    assert sum(allowance.take(0.0, size=10, about_recording=True) for _ in range(20)) == 10
    assert sum(allowance.take(3.0, size=10, about_recording=True) for _ in range(20)) == 3
    assert allowance.take(3.0, size=10)
