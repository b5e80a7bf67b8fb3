"""How often somebody may try."""

from pymeet.web.limits import Attempts


def test_after_a_burst_the_next_attempt_must_wait_and_time_heals_it():
    """Passwords cannot be tried through, and nobody is locked out for good."""
    attempts = Attempts(burst=3, refill_s=6)
    for _ in range(3):
        assert attempts.wait_s("192.0.2.1", now=0) == 0
        attempts.add("192.0.2.1", now=0)

    assert attempts.wait_s("192.0.2.1", now=0) == 6
    assert attempts.wait_s("192.0.2.2", now=0) == 0
    assert attempts.wait_s("192.0.2.1", now=6) == 0


def test_a_good_attempt_does_not_count():
    """Many people sign in from one office."""
    attempts = Attempts(burst=1, refill_s=6)

    attempts.add("192.0.2.1", now=0)
    attempts.take_back("192.0.2.1", now=0)

    assert attempts.wait_s("192.0.2.1", now=0) == 0


def test_no_more_keys_are_remembered_than_agreed():
    """Memory stays bounded when a flood comes from many addresses."""
    attempts = Attempts(burst=1, refill_s=6, keys=2)

    for key in ("a", "b", "c"):
        attempts.add(key, now=0)

    assert [attempts.wait_s(key, now=0) for key in "abc"] == [0, 6, 6]
