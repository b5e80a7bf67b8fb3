"""Certificates: one is made without asking, kept closed, renewed in time; unusable files give a remedy."""

import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from pymeet.config import Config
from pymeet.errors import ConfigError
from pymeet.ops.certificates import (
    RENEW_BEFORE,
    VALID_FOR,
    make_self_signed,
    read_certificate,
    refresh,
    server_ssl_context,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def self_signed(tmp_path: Path) -> Config:
    return Config(data_dir=tmp_path / "data")


def with_files(tmp_path: Path, certificate: bytes, key: bytes) -> Config:
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)
    tls = {"mode": "files", "cert_file": str(tmp_path / "cert.pem"), "key_file": str(tmp_path / "key.pem")}
    return Config.model_validate({"data_dir": str(tmp_path), "http": {"tls": tls}})


def test_a_self_signed_certificate_names_this_machine_and_is_closed_to_others(tmp_path: Path) -> None:
    """Browsers on this machine and on the network should only have to accept who signed it."""
    config = self_signed(tmp_path)

    context = server_ssl_context(config, NOW)

    path = config.data_dir / "self-signed.pem"
    names = read_certificate(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert context
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {"localhost", socket.gethostname()} <= set(names.get_values_for_type(x509.DNSName))
    assert ip_address("127.0.0.1") in names.get_values_for_type(x509.IPAddress)


def test_the_certificate_stays_until_it_is_due(tmp_path: Path) -> None:
    """People have accepted it in their browsers; a new one means asking them again."""
    config = self_signed(tmp_path)
    path = config.data_dir / "self-signed.pem"
    context = server_ssl_context(config, NOW)
    assert context
    first = path.read_bytes()

    refresh(context, config, NOW + VALID_FOR - RENEW_BEFORE - timedelta(days=1))
    kept = path.read_bytes()
    refresh(context, config, NOW + VALID_FOR - RENEW_BEFORE + timedelta(days=1))

    assert kept == first
    assert path.read_bytes() != first


def test_a_damaged_self_signed_certificate_is_replaced(tmp_path: Path) -> None:
    """Nothing is lost with it, so nobody needs to be bothered."""
    config = self_signed(tmp_path)
    config.data_dir.mkdir()
    path = config.data_dir / "self-signed.pem"
    path.write_text("half a certi")

    assert server_ssl_context(config, NOW)
    assert read_certificate(path)


def test_plain_http_has_no_context(tmp_path: Path) -> None:
    """Behind a proxy nothing is encrypted twice."""
    config = Config.model_validate({"http": {"host": "127.0.0.1", "tls": {"mode": "off"}}})

    assert server_ssl_context(config) is None


def test_the_operators_files_are_used(tmp_path: Path) -> None:
    """The usual case on a public server."""
    pem = make_self_signed(["meet.example.org"], NOW)

    assert server_ssl_context(with_files(tmp_path, pem, pem))


def test_files_that_do_not_fit_together_are_refused_with_a_remedy(tmp_path: Path) -> None:
    """An operator swaps them sooner or later."""
    first, second = make_self_signed(["a"], NOW), make_self_signed(["a"], NOW)
    certificate, key = first.partition(b"-----BEGIN PRIVATE")[0], second.partition(b"-----BEGIN PRIVATE")
    config = with_files(tmp_path, certificate, key[1] + key[2])

    with pytest.raises(ConfigError, match="Check both paths"):
        server_ssl_context(config)


def test_a_missing_file_is_refused_with_its_path(tmp_path: Path) -> None:
    """The path is what is wrong."""
    pem = make_self_signed(["a"], NOW)
    config = with_files(tmp_path, pem, pem)
    (tmp_path / "key.pem").unlink()

    with pytest.raises(ConfigError, match=r"key\.pem"):
        server_ssl_context(config)


@pytest.mark.parametrize("name", ["x" * 64, "bad..name", ".", "\u2062"])
def test_a_host_name_that_no_certificate_can_hold_is_left_out(name: str) -> None:
    """Nobody should have to rename a machine before a first meeting."""
    certificate = x509.load_pem_x509_certificate(make_self_signed(["localhost", name], NOW))

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName)[0] == "localhost"
