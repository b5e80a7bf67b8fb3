"""The certificate of the HTTP port: a self-signed one kept in data_dir, or the operator's files."""

import os
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pymeet.config import Config
from pymeet.errors import ConfigError
from pymeet.ops.addresses import found_addresses

VALID_FOR = timedelta(days=397)
"""The longest time that browsers accept."""

RENEW_BEFORE = timedelta(days=30)
FILE_NAME = "self-signed.pem"
"""Certificate and key in one file, so that the two can never disagree after a crash."""


def server_ssl_context(config: Config, now: datetime | None = None) -> ssl.SSLContext | None:
    """The TLS settings of the HTTP port (1.2 or newer); None for plain HTTP. ConfigError for unusable files."""
    if config.http.tls.mode == "off":
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    refresh(context, config, now)
    return context


def refresh(context: ssl.SSLContext, config: Config, now: datetime | None = None) -> None:
    """Reads the certificate again, renewing a self-signed one that is due; later connections use the new one."""
    certificate, key = certificate_files(config)
    if config.http.tls.mode == "self_signed":
        _ensure_self_signed(certificate, now or datetime.now(UTC))
    try:
        # An encrypted key is refused rather than asked for: nobody sits at a server's terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        reason = (
            error.strerror if not isinstance(error, ssl.SSLError) and error.strerror else "they do not fit together"
        )
        raise ConfigError(
            f"The certificate {certificate} with the key {key} cannot be used: {reason}.\n"
            "Check both paths, that pymeet may read them, and that the key has no passphrase."
        ) from None


def certificate_files(config: Config) -> tuple[Path, Path]:
    """Where the certificate and its key are."""
    tls = config.http.tls
    if tls.mode == "files" and tls.cert_file and tls.key_file:
        return tls.cert_file, tls.key_file
    path = config.data_dir / FILE_NAME
    return path, path


def read_certificate(path: Path) -> x509.Certificate:
    """The first certificate in a PEM file; OSError or ValueError when there is none."""
    return x509.load_pem_x509_certificates(path.read_bytes())[0]


def make_self_signed(names: Sequence[str], now: datetime) -> bytes:
    """A new P-256 key and certificate in PEM for `names`, which are host names and IP addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pymeet")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # An hour back, because the clock of a phone may be slow.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID_FOR - timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([known for name in names if (known := _general_name(name))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + private


def _ensure_self_signed(path: Path, now: datetime) -> None:
    """Writes a certificate where there is none, or one that is broken or ends soon."""
    try:
        if read_certificate(path).not_valid_after_utc - now > RENEW_BEFORE:
            return
    except (FileNotFoundError, ValueError):
        pass
    names = dict.fromkeys(["localhost", socket.gethostname(), "127.0.0.1", "::1", *found_addresses()])
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(make_self_signed(list(names), now))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _general_name(name: str) -> x509.GeneralName | None:
    """None for a host name that no address could hold: Linux allows 64 characters in one label, DNS 63."""
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        pass
    try:
        # A host name may hold what a certificate may not (an underscore is fine, other alphabets are not).
        return x509.DNSName(name.encode("idna").decode())
    except UnicodeError:
        return None
