"""Texts people type and limits on attempts: no database, no loop, no clock."""

import string
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pymeet.accounts import throttle
from pymeet.accounts.passwords import normalised
from pymeet.accounts.texts import clean_email, clean_line, clean_text
from pymeet.accounts.throttle import AttemptLimiter
from pymeet.errors import InvalidInputError


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ann  Smith ", "Ann Smith"),
        ("Ann\x00\x1b[31m", "Ann[31m"),
        ("Ann\n\tSmith", "Ann Smith"),
        ("\u202egnp.exe", "gnp.exe"),
        ("Zoe\u0308", "Zoë"),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_names_become_one_clean_line(typed: str, kept: str):
    """A name appears in lists, titles and logs of terminals; it must not move anything around there."""
    assert clean_line(typed, what="The name") == kept


@pytest.mark.parametrize("typed", ["", "   ", "\x00\x07", "\u200d", "x" * 81, "half \ud83d"])
def test_names_without_content_or_end_are_refused(typed: str):
    """Somebody nameless cannot be addressed, and half a character cannot be stored."""
    with pytest.raises(InvalidInputError, match="The name"):
        clean_line(typed, what="The name")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_cleaning_a_name_again_changes_nothing(typed: str):
    """What was stored once is compared and shown for ever after."""
    try:
        once = clean_line(typed, what="The name")
    except InvalidInputError:
        return

    assert clean_line(once, what="The name") == once
    assert not any(unicodedata.category(character) == "Cc" for character in once)


def test_messages_keep_their_lines():
    """People paste lists and code; only what is invisible goes."""
    assert clean_text("one\r\n\ttwo\rthree\x00", what="The message", limit=20) == "one\n\ttwo\nthree"


@pytest.mark.parametrize("typed", ["", " \n ", "x" * 21, "\udfff"])
def test_messages_without_content_or_end_are_refused(typed: str):
    """An empty message tells nothing, an endless one fills the disk."""
    with pytest.raises(InvalidInputError):
        clean_text(typed, what="The message", limit=20)


@pytest.mark.parametrize("typed", ["Ann@Example.ORG", "  ann@example.org\n", "ａnn@example.org"])
def test_one_address_has_one_form(typed: str):
    """Otherwise the same person gets two accounts, or cannot sign in from another keyboard."""
    assert clean_email(typed) == "ann@example.org"


@pytest.mark.parametrize(
    "typed",
    ["", "ann", "@example.org", "ann@", "ann@@example.org", "a nn@example.org", "ann@.org", "ann@a..b", "ann@b.",
     "ann\x00@example.org", "x" * 65 + "@example.org", "ann@" + "x" * 260, "\ud800@example.org"],
)  # fmt: skip
def test_what_cannot_be_an_address_is_refused(typed: str):
    """A slip of the finger is cheapest to mend at once."""
    with pytest.raises(InvalidInputError):
        clean_email(typed)


def test_a_password_is_the_same_however_it_was_composed():
    """One keyboard sends ö as one character, another as two."""
    assert normalised("sch\u00f6nes Wetter") == normalised("scho\u0308nes Wetter")


@pytest.mark.parametrize("typed", ["elevencharx", "x" * 1025, "\ufdfa" * 1000, "half a smile \ud83d"])
def test_passwords_have_a_length(typed: str):
    """Too short can be guessed; too long (also only after normalising) is work for nothing."""
    with pytest.raises(InvalidInputError, match="password"):
        normalised(typed)


def test_a_limit_is_reached_and_passes():
    """The window slides: as old attempts fall out, new ones are allowed."""
    limiter = AttemptLimiter(limit=2, window_s=10)

    assert [limiter.attempt("ann", now) for now in (0, 4, 5)] == [True, True, False]
    assert limiter.wait_s("ann", 5) == 5
    assert [limiter.attempt("ann", now) for now in (9.9, 10, 11, 14)] == [False, True, False, True]


def test_keys_do_not_know_each_other():
    """Guessing at one account must not lock out another."""
    limiter = AttemptLimiter(limit=1, window_s=10)

    assert limiter.attempt("ann", 0)
    assert limiter.attempt("bob", 0)
    assert not limiter.attempt("ann", 0)


def test_an_attempt_taken_back_does_not_count():
    """Somebody who signs in often with the right password is no guesser."""
    limiter = AttemptLimiter(limit=1, window_s=10)

    for now in range(5):
        assert limiter.attempt("ann", now)
        limiter.take_back("ann")
    limiter.take_back("nobody")

    assert limiter.key_count == 0


def test_old_keys_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    """The keys are addresses of people, and memory is finite."""
    monkeypatch.setattr(throttle, "MAX_KEYS", 3)
    limiter = AttemptLimiter(limit=1, window_s=10)

    for key in "abcde":
        limiter.attempt(key, 0)
    assert limiter.key_count == 3
    limiter.forget(20)

    assert limiter.key_count == 0


def test_refused_attempts_do_not_keep_a_key():
    """Whoever hammers on after being refused is not remembered for longer than the window, nor keeps others there."""
    limiter = AttemptLimiter(limit=1, window_s=10)

    limiter.attempt("ann", 0)
    limiter.attempt("bob", 5)
    assert not limiter.attempt("ann", 9)
    limiter.forget(10)
    assert limiter.key_count == 1
    limiter.forget(15)

    assert limiter.key_count == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 5)), max_size=60))
def test_no_window_ever_holds_more_than_the_limit(steps: list[tuple[str, float]]):
    """Whatever the rhythm, the promise is per window, not per calendar minute."""
    limiter, now, allowed = AttemptLimiter(limit=3, window_s=10), 0.0, []
    for key, pause in steps:
        now += pause
        if limiter.attempt(key, now):
            allowed.append((key, now))

    for key, start in allowed:
        assert len([1 for other, at in allowed if other == key and start <= at < start + 10]) <= 3


def test_the_alphabet_of_addresses_is_not_touched():
    """Cleaning must not merge two different people."""
    local = string.ascii_lowercase + string.digits + ".+-_"
    assert clean_email(f"{local}@example.org") == f"{local}@example.org"
