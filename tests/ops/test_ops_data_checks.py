"""`pymeet doctor` on the data: keys, sealed files, backups, mail, and the running server."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pymeet.config import Config
from pymeet.db.files import Files
from pymeet.db.keys import FILE_NAME, KeyStore
from pymeet.ids import new_id
from pymeet.keyring import Keyring
from pymeet.ops import data_checks
from pymeet.ops.backup_sets import DATABASE, FORMAT, Entry, Manifest, name_of
from pymeet.ops.checks import Finding
from pymeet.ops.restore_swap import MARK

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A server that was started once, so that its keys are there."""
    settings = Config.model_validate({"data_dir": str(tmp_path / "data"), "backup": {"dir": str(tmp_path / "backups")}})
    keyring = Keyring.open(settings.data_dir)
    KeyStore.open(settings.data_dir / FILE_NAME, keyring).close()
    return settings


@pytest.fixture
def sealed(config: Config) -> Iterator[tuple[Files, str]]:
    """One sealed file, and its id."""
    with closing(KeyStore.open(config.data_dir / FILE_NAME, Keyring.open(config.data_dir))) as keys:
        files, file_id = Files(config.data_dir, keys), new_id()
        with files.create(file_id, NOW_MS) as sink:
            sink.write(b"minutes")
            sink.finish()
        yield files, file_id


def verdicts(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.verdict for finding in findings}


def test_a_server_that_was_never_started_has_nothing_to_look_at(tmp_path: Path) -> None:
    """Doctor comes before the first start, too, and makes nothing."""
    settings = Config.model_validate({"data_dir": str(tmp_path / "data")})

    assert verdicts(data_checks.examine_data(settings, NOW, None)) == {"mail": "ok"}
    assert not (tmp_path / "data").exists()


def test_a_healthy_server_is_fine(config: Config, sealed: tuple[Files, str]) -> None:
    """But for the backup that nobody made yet."""
    status = {"clock_doubted": None, "rows_waiting": 0, "files_waiting": 0, "last_sweep": "2026-11-21T11:55:00Z"}

    found = data_checks.examine_data(config, NOW, status)

    assert verdicts(found) == {
        "mail": "ok",
        "keys": "ok",
        "sealed files": "ok",
        "backups": "warn",
        "retention": "ok",
        "files": "ok",
    }
    assert all(bool(finding.remedy) == (finding.verdict != "ok") for finding in found)


def test_another_master_key_is_found(config: Config) -> None:
    """It opens nothing; the server would not start with it."""
    (config.data_dir / "master.key").write_text("ab" * 32 + "\n")

    (found,) = data_checks.check_keys(config)

    assert found.verdict == "fail"
    assert found.remedy


def test_a_change_of_the_master_key_that_was_interrupted_is_found(config: Config) -> None:
    """The former key opens the other keys until somebody finishes it."""
    Keyring.begin_change(config.data_dir)

    found = data_checks.check_keys(config)

    assert verdicts(found) == {"keys": "warn", "sealed files": "ok"}
    assert "pymeet keys rotate" in found[0].remedy


def test_sealed_files_without_a_key_are_counted(config: Config, sealed: tuple[Files, str]) -> None:
    """They were destroyed and could not be removed, or the keys were lost."""
    files, file_id = sealed
    with closing(KeyStore.open(config.data_dir / FILE_NAME, Keyring.open(config.data_dir))) as keys:
        keys.shred(file_id)
    without = data_checks.check_keys(config)
    (config.data_dir / FILE_NAME).unlink()
    lost = data_checks.check_keys(config)

    assert files.exists(file_id)
    assert (without[1].verdict, "1." in without[1].says) == ("warn", True)
    assert verdicts(lost) == {"keys": "fail"}
    assert not (config.data_dir / FILE_NAME).exists()


def test_damaged_keys_are_no_crash(config: Config) -> None:
    """Doctor is run when something is broken."""
    (config.data_dir / FILE_NAME).write_bytes(b"no database" * 1000)

    assert verdicts(data_checks.check_keys(config)) == {"keys": "fail"}


def test_a_restore_that_was_interrupted_is_found(config: Config) -> None:
    """No command works until the server finished it, or gave it up."""
    (config.data_dir / MARK).write_bytes(b"checking\n")

    (found,) = data_checks.check_restore(config)

    assert (found.check, found.verdict) == ("restore", "fail")
    assert "pymeet serve" in found.remedy


def test_the_newest_backup_must_be_whole_and_young(config: Config) -> None:
    """A set of last month, or half a one, is what people find when they need it."""
    none_yet = data_checks.check_backups(config, NOW)
    path = config.backup_dir / name_of(NOW_MS - 3_600_000)
    path.mkdir(parents=True)
    damaged = data_checks.check_backups(config, NOW)

    assert (none_yet.verdict, damaged.verdict) == ("warn", "fail")
    assert "2026-11-21 11:00 UTC" in damaged.says


def test_an_old_backup_is_found(config: Config) -> None:
    """Whoever set up a timer and lost it is told."""
    path = config.backup_dir / name_of(NOW_MS)
    path.mkdir(parents=True)
    (path / DATABASE).write_bytes(b"copy")
    entry = Entry(DATABASE, 4, "00" * 32)
    Manifest(FORMAT, "0.1.0", NOW_MS, "0001", "00", False, 0, 0, (entry,)).write(path)

    assert data_checks.check_backups(config, NOW + timedelta(hours=47)).verdict == "ok"
    assert data_checks.check_backups(config, NOW + timedelta(hours=49)).verdict == "warn"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_of_backups_that_cannot_be_written_is_found(config: Config) -> None:
    """The nightly backup would fail, and nobody looks at the mail of cron."""
    config.backup_dir.mkdir(mode=0o500)

    assert data_checks.check_backups(config, NOW).verdict == "fail"


def test_a_file_in_the_place_of_the_backups_is_found(config: Config) -> None:
    """A mount point that became something else."""
    config.backup_dir.write_text("")

    assert data_checks.check_backups(config, NOW).verdict == "fail"


def test_the_mail_server_is_asked_only_where_one_is_configured(tmp_path: Path) -> None:
    """Doctor contacts nobody else."""

    def mail(**settings: Any) -> Config:
        return Config.model_validate({"data_dir": str(tmp_path), "mail": settings})

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        there = mail(host="127.0.0.1", port=port, from_address="meet@example.org", encryption="off")
        reached = data_checks.check_mail(there)
    refused = data_checks.check_mail(there)

    assert data_checks.check_mail(mail()).says == "Mail is off: mail.host is not set."
    assert (reached.verdict, refused.verdict) == ("ok", "fail")
    assert f"port {port}" in refused.says


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ({"clock_doubted": "stepped"}, {"retention": "fail", "files": "ok"}),
        ({"rows_waiting": 12}, {"retention": "warn", "files": "ok"}),
        ({"files_waiting": 1}, {"retention": "ok", "files": "warn"}),
    ],
)
def test_what_keeps_the_server_from_deleting_is_found(status: dict[str, Any], verdict: dict[str, str]) -> None:
    """A promise about to be broken."""
    assert verdicts(data_checks.check_server(status)) == verdict
