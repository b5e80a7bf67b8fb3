"""What `pymeet doctor` looks at: named checks that say ok, warn or fail, and the remedy. They change nothing."""

import errno
import os
import shutil
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from cryptography import x509

from pymeet.config import Config
from pymeet.config_values import is_loopback
from pymeet.ops.addresses import advertised_addresses, media_host, takes_tcp
from pymeet.ops.certificates import certificate_files, read_certificate
from pymeet.sfu.udp import BUFFER_BYTES, bind

WRITTEN_ON = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows a time before this program was written."""

LITTLE_SPACE = 1 << 30
NO_SPACE = 100 << 20
SOON = timedelta(days=14)
ENOUGH_BUFFER = 1 << 20


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    check: str
    verdict: Literal["ok", "warn", "fail"]
    says: str
    remedy: str = ""
    """What to do; empty when all is well."""


def examine(config: Config, now: datetime, *, server_runs: bool) -> list[Finding]:
    """Runs every check. `server_runs`: whether our own server answers, which then holds the ports itself."""
    return [
        check_http_port(config, server_runs=server_runs),
        check_media_port(config, server_runs=server_runs),
        *check_media_tcp(config, server_runs=server_runs),
        check_media_buffer(),
        check_addresses(config),
        check_certificate(config, now),
        check_disk(config),
        check_clock(config, now),
        *check_permissions(config),
    ]


def check_http_port(config: Config, *, server_runs: bool) -> Finding:
    """Whether the web page's port can be listened on."""
    host, port = config.http.host, config.http.port
    return _check_port("http port", "http.port", socket.SOCK_STREAM, host, port, server_runs=server_runs)


def check_media_port(config: Config, *, server_runs: bool) -> Finding:
    """Whether the port for sound and pictures can be listened on."""
    host, port = media_host(config), config.media.port
    return _check_port("media port", "media.port", socket.SOCK_DGRAM, host, port, server_runs=server_runs)


def check_media_tcp(config: Config, *, server_runs: bool) -> list[Finding]:
    """Whether the same number can be listened on for people whose network lets no UDP out."""
    if not config.media.tcp:
        return []
    if not takes_tcp(config):
        says = f"TCP port {config.media.port} is that of the pages, so media comes by UDP only."
        remedy = "Choose another media.port, or set media.tcp to false."
        return [Finding("media over TCP", "warn", says, remedy)]
    host, port = media_host(config), config.media.port
    return [_check_port("media over TCP", "media.port", socket.SOCK_STREAM, host, port, server_runs=server_runs)]


def check_media_buffer() -> Finding:
    """Whether the system lets the media port keep what arrives while the server is busy for a moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        granted = probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    if granted >= ENOUGH_BUFFER:
        return Finding("media buffer", "ok", f"{granted >> 10} KiB for datagrams that wait.")
    return Finding(
        "media buffer",
        "warn",
        f"Only {granted >> 10} KiB for datagrams that wait: a short stall loses sound and picture in large meetings.",
        f"Run `sysctl -w net.core.rmem_max={BUFFER_BYTES} net.core.wmem_max={BUFFER_BYTES}`, and put both into /etc/sysctl.d.",
    )


def check_addresses(config: Config, resolve: Callable[[str], list[str]] | None = None) -> Finding:
    """Whether browsers are told addresses that they can send to. The only one asked is the name server, for our own name."""
    advertised = advertised_addresses(config)
    says = f"Browsers are told to send to {', '.join(advertised)}."
    public = urlsplit(config.http.public_url or "").hostname
    meant_for_others = not config.listens_on_loopback or (public and not is_loopback(public))
    if meant_for_others and all(is_loopback(address) for address in advertised):
        remedy = "Connect a network, or set media.addresses to the address of this machine."
        return Finding("addresses", "warn", f"{says} Only this machine can reach that.", remedy)
    inside = not any(ip_address(address).is_global for address in advertised)
    if not public or not inside or _is_private_name(public):
        return Finding("addresses", "ok", says)
    outside = [address for address in (resolve or _resolve)(public) if ip_address(address).is_global]
    if outside:
        seems = f"{says} {public} is {', '.join(outside)}, which is no address of this machine: it stands behind NAT."
        port = config.media.port
        remedy = (
            f"Set media.addresses to [{', '.join(outside)}], and have the router pass UDP and TCP port {port} to this machine "
            "under the same number. Then run `pymeet doctor --from-outside` on another machine."
        )
        return Finding("addresses", "warn", seems, remedy)
    if not config.media.addresses:
        remedy = "If people join over the internet, set media.addresses to the outside address."
        return Finding("addresses", "warn", f"{says} These are private addresses.", remedy)
    return Finding("addresses", "ok", says)


def check_certificate(config: Config, now: datetime) -> Finding:
    """Whether the certificate can be read, is in force and fits the public address."""
    mode = config.http.tls.mode
    if mode == "off":
        return Finding("certificate", "ok", "None needed: plain HTTP on loopback or behind a proxy.")
    path, _ = certificate_files(config)
    if mode == "self_signed" and not path.exists():
        return Finding("certificate", "ok", "A self-signed one is made at the first start.")
    try:
        certificate = read_certificate(path)
    except (OSError, ValueError):
        return Finding(
            "certificate", "fail", f"{path} holds no certificate that can be read.", "Check http.tls.cert_file."
        )
    ends = certificate.not_valid_after_utc
    until = f"valid until {ends:%Y-%m-%d}"
    renew = "Restart pymeet: it makes a new one." if mode == "self_signed" else "Renew it, then restart pymeet."
    if not certificate.not_valid_before_utc <= now < ends:
        return Finding("certificate", "fail", f"{path} is not in force ({until}).", renew)
    if ends - now < SOON:
        return Finding("certificate", "warn", f"{path} ends soon ({until}).", renew)
    host = urlsplit(config.http.public_url or "").hostname
    if mode == "files" and host and not _names(certificate, host):
        return Finding(
            "certificate", "fail", f"{path} is not for {host}.", "Get one for the host name in http.public_url."
        )
    return Finding("certificate", "ok", f"{'Self-signed' if mode == 'self_signed' else path.name}, {until}.")


def check_disk(
    config: Config, free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
) -> Finding:
    """Whether there is room where data_dir is."""
    place = config.data_dir.absolute()
    while not place.exists():
        place = place.parent
    free = free_bytes(place)
    says = f"{free / (1 << 30):.1f} GiB free in {place}."
    if free < LITTLE_SPACE:
        return Finding("disk", "fail" if free < NO_SPACE else "warn", says, "Free some space, or move data_dir.")
    return Finding("disk", "ok", says)


def check_clock(config: Config, now: datetime) -> Finding:
    """Whether the time can be right: links, sessions and certificates depend on it."""
    says = f"{now:%Y-%m-%d %H:%M:%S} UTC."
    remedy = "Switch on time synchronisation: `timedatectl set-ntp true`."
    if now < WRITTEN_ON:
        return Finding("clock", "fail", f"{says} That is before this pymeet was written.", remedy)
    files = [config.database_path, config.database_path.with_name(config.database_path.name + "-wal")]
    written = [datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in files if path.exists()]
    if any(moment - now > timedelta(minutes=5) for moment in written):
        return Finding("clock", "fail", f"{says} The database was written later than that.", remedy)
    return Finding("clock", "ok", says)


def check_permissions(config: Config) -> list[Finding]:
    """Whether anybody else on this machine can read what pymeet keeps."""
    if not config.data_dir.exists():
        return [Finding("data_dir", "ok", f"{config.data_dir} is made at the first start.")]
    names = ("master.key", "keys.db", config.database_path.name, "self-signed.pem", config.socket_path.name)
    paths = [config.data_dir, *(config.data_dir / name for name in names)]
    findings = [_check_private(path) for path in paths if path.exists()]
    if config.http.tls.key_file and config.http.tls.key_file.exists():
        findings.append(_check_key_file(config.http.tls.key_file))
    return findings


def _check_port(check: str, key: str, kind: socket.SocketKind, host: str, port: int, *, server_runs: bool) -> Finding:
    protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
    name = f"{protocol} port {port}"
    try:
        found = socket.getaddrinfo(host or None, port, type=kind, flags=socket.AI_PASSIVE)[0][4]
        bind(kind, str(found[0]), port).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE and server_runs:
            return Finding(check, "ok", f"{name} is held by the running pymeet.")
        if error.errno == errno.EADDRINUSE:
            return Finding(check, "fail", f"{name} is taken by another program.", f"Stop that, or change {key}.")
        if error.errno == errno.EACCES:
            remedy = f"Choose {key} above 1023, or give the service CAP_NET_BIND_SERVICE."
            return Finding(check, "fail", f"{name} may not be used by this user.", remedy)
        remedy = "Set http.host to an address of this machine, or to 0.0.0.0."
        return Finding(check, "fail", f"{host} port {port} cannot be listened on ({error.strerror}).", remedy)
    return Finding(check, "ok", f"{name} is free.")


def _check_private(path: Path) -> Finding:
    found = path.stat()
    mode, wanted = stat.S_IMODE(found.st_mode), 0o700 if path.is_dir() else 0o600
    if mode & 0o077:
        return Finding(path.name, "fail", f"Others may use {path} (mode {mode:o}).", f"Run `chmod {wanted:o} {path}`.")
    if not os.access(path, os.R_OK | os.W_OK):
        remedy = "Run pymeet as the user who owns it, or change the owner."
        return Finding(path.name, "fail", f"{path} may not be used by this user.", remedy)
    return Finding(path.name, "ok", f"Only its owner may use it (mode {mode:o}).")


def _check_key_file(path: Path) -> Finding:
    """The operator's own key: a group may share it, as Debian's ssl-cert does."""
    if stat.S_IMODE(path.stat().st_mode) & 0o007:
        return Finding(path.name, "fail", f"Everybody may read the key {path}.", f"Run `chmod o= {path}`.")
    if not os.access(path, os.R_OK):
        return Finding(path.name, "fail", f"{path} may not be read by this user.", "Give pymeet's group access to it.")
    return Finding(path.name, "ok", "Not everybody may read it.")


def _names(certificate: x509.Certificate, host: str) -> bool:
    """Whether the certificate is for `host`, also by a wildcard for its first label."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        known = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
        return host.lower() in known or f"*.{host.lower().partition('.')[2]}" in known


def _resolve(name: str) -> list[str]:
    """The addresses of a name; none where the name server knows none, or does not answer."""
    try:
        return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)))
    except OSError:
        return []


def _is_private_name(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal", ".home.arpa"))
