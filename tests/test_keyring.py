"""The master key: made once, kept closed, refused when somebody has been at it."""

import stat
from pathlib import Path

import pytest

from pymeet.errors import ConfigError
from pymeet.keyring import Keyring


def test_the_first_opening_makes_directory_and_key_for_the_owner_only(tmp_path: Path) -> None:
    """The key opens everything that is stored."""
    Keyring.open(tmp_path / "data")

    key = tmp_path / "data" / "master.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert len(key.read_text().strip()) == 64
    assert [path.name for path in key.parent.iterdir()] == ["master.key"]


def test_subkeys_stay_the_same_and_differ_by_purpose(tmp_path: Path) -> None:
    """A token made before a restart is good after it, and a key for one purpose is none for another."""
    first = Keyring.open(tmp_path).subkey(b"room-token")

    again = Keyring.open(tmp_path)

    assert again.subkey(b"room-token") == first
    assert again.subkey(b"other") != first
    assert len(first) == 32


@pytest.mark.parametrize("content", ["", "abc", "z" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n" + "b" * 63])
def test_a_damaged_key_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    """Making a new one would lock away everything stored under the old one."""
    path = tmp_path / "master.key"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(ConfigError, match="64 hexadecimal"):
        Keyring.open(tmp_path)

    assert path.read_text() == content


def test_a_key_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """It may have been copied already; the operator should know."""
    Keyring.open(tmp_path)
    (tmp_path / "master.key").chmod(0o640)

    with pytest.raises(ConfigError, match="chmod 600"):
        Keyring.open(tmp_path)


def test_a_keyring_does_not_show_its_key(tmp_path: Path) -> None:
    """Objects end up in logs."""
    keyring = Keyring.open(tmp_path)

    assert repr(keyring) == "<Keyring>"
    assert keyring.id not in (tmp_path / "master.key").read_text()


def test_a_change_keeps_the_former_key_until_it_is_ended(tmp_path: Path) -> None:
    """What is still closed with the former key must open at every moment in between."""
    before = Keyring.open(tmp_path)

    during = Keyring.begin_change(tmp_path)

    assert during.id != before.id
    assert [each.id for each in during.former] == [before.id]
    assert during.former[0].subkey(b"x") == before.subkey(b"x")
    reopened = Keyring.open(tmp_path)
    assert (reopened.id, [each.id for each in reopened.former]) == (during.id, [before.id])

    after = Keyring.end_change(tmp_path)

    assert (after.id, after.former) == (during.id, ())
    path = tmp_path / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().split()) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["master.key"]


def test_a_change_killed_while_writing_leaves_the_key_as_it_was(tmp_path: Path) -> None:
    """The new key was used for nothing yet; the next change writes over what is left of it."""
    before = Keyring.open(tmp_path)
    (tmp_path / "master.key.new").write_text("abc")

    assert Keyring.open(tmp_path).id == before.id
    assert Keyring.begin_change(tmp_path).former[0].id == before.id
    assert [each.name for each in tmp_path.iterdir()] == ["master.key"]
