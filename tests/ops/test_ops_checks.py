"""`pymeet doctor`: every fault it knows is found, and comes with a remedy."""

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pymeet.config import Config
from pymeet.keyring import Keyring
from pymeet.ops import addresses, checks
from pymeet.ops.certificates import make_self_signed, server_ssl_context

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def make(tmp_path: Path, **sections: Any) -> Config:
    """A configuration on free ports of loopback."""
    http = {"host": "127.0.0.1", "port": 0, **sections.pop("http", {})}
    media = {"port": 0, **sections.pop("media", {})}
    return Config.model_validate({"data_dir": str(tmp_path / "data"), "http": http, "media": media, **sections})


def test_a_fresh_machine_is_fine(tmp_path: Path) -> None:
    """Doctor before the first start must not cry wolf."""
    findings = checks.examine(make(tmp_path), NOW, server_runs=False)

    assert {finding.check for finding in findings} >= {
        "http port",
        "media port",
        "media buffer",
        "addresses",
        "certificate",
        "clock",
    }
    assert [finding for finding in findings if finding.verdict == "fail"] == []
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_is_taken_is_found(tmp_path: Path, kind: socket.SocketKind) -> None:
    """Unless it is our own server that holds it."""
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        section = "http" if kind == socket.SOCK_STREAM else "media"
        config = make(tmp_path, **{section: {"port": holder.getsockname()[1]}})
        check = checks.check_http_port if kind == socket.SOCK_STREAM else checks.check_media_port

        by_another, by_us = check(config, server_runs=False), check(config, server_runs=True)

    assert (by_another.verdict, by_us.verdict) == ("fail", "ok")
    assert f"{section}.port" in by_another.remedy


def test_an_address_of_another_machine_is_found(tmp_path: Path) -> None:
    """A typing mistake in http.host."""
    finding = checks.check_http_port(make(tmp_path, http={"host": "192.0.2.250"}), server_runs=False)

    assert finding.verdict == "fail"
    assert "http.host" in finding.remedy


def test_a_public_page_with_media_on_loopback_is_found(tmp_path: Path) -> None:
    """Behind a proxy the page opens, and then nobody sees anybody."""
    config = make(tmp_path, http={"public_url": "https://meet.example.org"})

    finding = checks.check_addresses(config)

    assert finding.verdict == "warn"
    assert "media.addresses" in finding.remedy


@pytest.mark.parametrize(
    ("media", "leads_to", "verdict", "told"),
    [
        ({}, ["5.9.0.1"], "warn", "5.9.0.1"),
        ({"addresses": ["10.0.0.7"]}, ["5.9.0.1", "2a01:4f8::7"], "warn", "2a01:4f8::7"),
        ({"addresses": ["5.9.0.1"]}, ["5.9.0.1"], "ok", ""),
        ({"addresses": ["5.9.0.2"]}, ["5.9.0.1"], "ok", ""),
        ({"addresses": ["10.0.0.7"]}, ["10.0.0.7"], "ok", ""),
        ({"addresses": ["10.0.0.7"]}, [], "ok", ""),
    ],
    ids=["found", "configured inside", "outside", "another machine", "inside name", "no answer"],
)
def test_a_server_behind_nat_is_found(
    tmp_path: Path, media: dict[str, Any], leads_to: list[str], verdict: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own addresses are inside ones; its name says which is the outside one. Nobody else is asked."""
    monkeypatch.setattr(addresses, "found_addresses", lambda: ["10.0.0.7"])
    config = Config.model_validate(
        {"data_dir": tmp_path, "http": {"public_url": "https://meet.example.org"}, "media": media}
    )

    finding = checks.check_addresses(config, lambda name: leads_to if name == "meet.example.org" else [])

    assert finding.verdict == verdict
    assert bool(finding.remedy) is (verdict == "warn")
    assert told in finding.remedy


def test_media_over_tcp_is_looked_at(tmp_path: Path) -> None:
    """Free, switched off, or in the way of the pages."""
    free = make(tmp_path, media={"port": 0})
    off = make(tmp_path, media={"tcp": False})
    clash = make(tmp_path, media={"port": 8443}, http={"port": 8443})

    assert [each.verdict for each in checks.check_media_tcp(free, server_runs=False)] == ["ok"]
    assert checks.check_media_tcp(off, server_runs=False) == []
    (finding,) = checks.check_media_tcp(clash, server_runs=False)
    assert (finding.verdict, "media.port" in finding.remedy) == ("warn", True)


def files(tmp_path: Path, pem: bytes, **http: Any) -> Config:
    path = tmp_path / "own.pem"
    path.write_bytes(pem)
    path.chmod(0o600)
    tls = {"mode": "files", "cert_file": str(path), "key_file": str(path)}
    return make(tmp_path, http={"tls": tls, **http})


@pytest.mark.parametrize(("made_days_ago", "verdict"), [(0, "ok"), (390, "warn"), (400, "fail"), (-1, "fail")])
def test_a_certificate_near_or_past_its_end_is_found(tmp_path: Path, made_days_ago: int, verdict: str) -> None:
    """Browsers refuse it from one minute to the next."""
    config = files(tmp_path, make_self_signed(["meet.example.org"], NOW - timedelta(days=made_days_ago)))

    assert checks.check_certificate(config, NOW).verdict == verdict


def test_a_certificate_for_another_name_is_found(tmp_path: Path) -> None:
    """Browsers refuse it too."""
    pem = make_self_signed(["other.example.org", "*.wild.example.org"], NOW)

    refused = checks.check_certificate(files(tmp_path, pem, public_url="https://meet.example.org"), NOW)
    fitting = checks.check_certificate(files(tmp_path, pem, public_url="https://meet.wild.example.org"), NOW)

    assert (refused.verdict, fitting.verdict) == ("fail", "ok")


def test_a_file_that_is_no_certificate_is_found(tmp_path: Path) -> None:
    """Key and certificate are easily swapped."""
    assert checks.check_certificate(files(tmp_path, b"nothing"), NOW).verdict == "fail"


@pytest.mark.parametrize(("free", "verdict"), [(1 << 40, "ok"), (1 << 29, "warn"), (1 << 20, "fail")])
def test_a_full_disk_is_found_before_it_is_full(tmp_path: Path, free: int, verdict: str) -> None:
    """A database on a full disk refuses every write."""
    assert checks.check_disk(make(tmp_path), lambda _place: free).verdict == verdict


def test_a_wrong_clock_is_found(tmp_path: Path) -> None:
    """Machines without a battery start in 1970; others jump back."""
    config = make(tmp_path)
    Keyring.open(config.data_dir)
    config.database_path.touch()
    os.utime(config.database_path, (NOW.timestamp(), NOW.timestamp()))

    assert checks.check_clock(config, NOW).verdict == "ok"
    assert checks.check_clock(config, datetime(1970, 1, 1, tzinfo=UTC)).verdict == "fail"
    assert checks.check_clock(config, NOW - timedelta(days=1)).verdict == "fail"


@pytest.mark.parametrize("name", [".", "master.key", "pymeet.db", "self-signed.pem"])
def test_files_that_others_may_read_are_found(tmp_path: Path, name: str) -> None:
    """A backup restored with the wrong modes is the usual way to get there."""
    config = make(tmp_path)
    Keyring.open(config.data_dir)
    server_ssl_context(config, NOW)
    config.database_path.touch(0o600)
    before = checks.check_permissions(config)

    (config.data_dir / name).chmod(0o755)

    after = checks.check_permissions(config)
    assert all(finding.verdict == "ok" for finding in before)
    assert [finding.verdict for finding in after].count("fail") == 1
    assert any("chmod" in finding.remedy for finding in after)
