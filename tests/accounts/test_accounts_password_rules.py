"""Which passwords may not be chosen: what others try first, and what everybody knows about somebody."""

import pytest

from pymeet.accounts.password_rules import check_choice, common
from pymeet.errors import InvalidInputError


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password2026!",
        "P@ssw0rd!!!!",
        "123456789012",
        "987654321098",
        "aaaaaaaaaaaa",
        "qwertyuiop123",
        "iloveyouforever",
        "Summer-2026-Summer-2026",
        "letmein letmein",
        "!!!!!!!!!!!!!!",
        "Administrator1",
        "Willkommen2026",
        "thequickbrownfoxjumpsoverthelazydog",
        "correct horse battery staple".replace(" ", ""),
    ],
)
def test_common_passwords_are_refused_however_they_are_decorated(password: str) -> None:
    """Who guesses tries the list, with a capital letter, with this year and with an exclamation mark."""
    with pytest.raises(InvalidInputError) as caught:
        check_choice(password, name="Ann Example", email="ann@example.org")

    assert caught.value.code == "common_password"


@pytest.mark.parametrize(
    "password", ["I am ann@example.org", "my name: Ann Example", "annexample2026x", "ANN EXAMPLE!!"]
)
def test_what_everybody_knows_about_somebody_is_refused(password: str) -> None:
    """Name and address are what a guesser knows before anything else."""
    with pytest.raises(InvalidInputError) as caught:
        check_choice(password, name="Ann Example", email="ann@example.org")

    assert caught.value.code == "personal_password"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "four random words here",
        "kT9-vv2_Qmx!",
        "der Regen faellt auf Dächer",
        "ß" * 6 + "日本語の長い",
    ],
)
def test_what_nobody_would_guess_early_is_taken(password: str) -> None:
    """A rule that refuses good passwords teaches people to decorate bad ones."""
    check_choice(password, name="Ann", email="ann@example.org")


def test_the_list_is_clean() -> None:
    """Compared in lower case, so an entry with a capital letter would never match."""
    assert len(common()) > 20_000
    assert all(entry == entry.casefold() for entry in common())
