"""Room tokens: what was issued is accepted until it expires, anything else is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.errors import NotSignedInError
from pymeet.ops.room_tokens import issue, verify

KEY = b"k" * 32


@given(st.text(max_size=40), st.none() | st.text(max_size=60))
def test_a_token_grants_what_it_was_issued_for(room_id: str, name: str | None) -> None:
    """Names are in every alphabet."""
    granted = verify(KEY, issue(KEY, room_id, name, 1000), 999)

    assert (granted.room_id, granted.name) == (room_id, name)


def test_a_token_ends_at_its_time() -> None:
    """A camera that was lent out for a day must not watch on."""
    token = issue(KEY, "r1", "Camera", 1000)

    with pytest.raises(NotSignedInError, match="expired"):
        verify(KEY, token, 1000)


def test_a_token_of_another_server_is_refused() -> None:
    """The key is what makes it ours."""
    with pytest.raises(NotSignedInError, match="not valid"):
        verify(b"x" * 32, issue(KEY, "r1", None, 1000), 0)


def test_no_changed_character_is_accepted() -> None:
    """Otherwise a token for one room could become one for another."""
    token = issue(KEY, "r1", "Camera", 1000)

    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        changed = f"{token[:place]}{other}{token[place + 1 :]}"
        try:
            granted = verify(KEY, changed, 0)
        except NotSignedInError:
            continue
        # The last character of base64 carries spare bits: what it grants may not differ.
        assert granted == verify(KEY, token, 0), "also its id, or a ban would not hold for another spelling"


@given(st.text(max_size=200) | st.builds("pmr1.{}.{}".format, st.text(max_size=50), st.text(max_size=50)))
def test_whatever_is_shown_nothing_but_the_declared_error_comes_out(token: str) -> None:
    """Anybody on the internet may send one."""
    with pytest.raises(NotSignedInError):
        verify(KEY, token, 0)
