"""The guest's receipt: whoever has it reaches one seat's data, and nobody can make one."""

import pytest

from pymeet.errors import NotSignedInError
from pymeet.privacy import receipts
from pymeet.privacy.people import guest

KEY = b"k" * 32


def test_a_receipt_leads_to_the_seat_it_was_issued_for():
    """It is all that a guest has to be recognised by."""
    text = receipts.issue(KEY, "seat", "room", 1)

    found = receipts.read(KEY, f" {text}\n")

    assert found == receipts.GuestReceipt("seat", "room", 1)
    assert found.person == guest("seat")


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "pmg1.",
        "pmg1.x.y",
        receipts.issue(b"o" * 32, "seat", "room", 1),
        receipts.issue(KEY, "seat", "room", 1)[:-1],
        receipts.issue(KEY, "seat", "room", 1).replace("pmg1.", "pmr1."),
        "pmg1." + "a" * 2000,
    ],
)
def test_a_receipt_that_this_server_did_not_write_opens_nothing(forged: str):
    """Otherwise anybody could read and erase what others wrote."""
    with pytest.raises(NotSignedInError, match="not a privacy receipt"):
        receipts.read(KEY, forged)


def test_the_server_signs_nothing_but_its_own_words_and_a_room_token_is_no_receipt():
    """Both are signed texts; one must never pass for the other."""
    from pymeet.ops import room_tokens

    token = room_tokens.issue(KEY, "room", "name", 5)

    with pytest.raises(NotSignedInError):
        receipts.read(KEY, token)
