"""Writes age files that a passphrase opens, so that people need only well-known programs to open what they are given.

Format: https://age-encryption.org/v1 (c2sp.org/age), with the scrypt recipient. The payload is cut into chunks as in
our own sealed files, under ChaCha20-Poly1305.
"""

import base64
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from pymeet.db.seal import Bytes, Sink, StreamWriter

LOG_N = 18
"""The work to try one passphrase, as a power of two: what age itself takes; about a second and 256 MiB of memory."""


class AgeWriter(StreamWriter):
    """Writes one age file to `sink`, in constant memory. `close()` ends the file and leaves the sink open."""

    def __init__(self, sink: Sink, passphrase: str, *, log_n: int = LOG_N) -> None:
        """Derives the key from the passphrase, which takes 2^`log_n` KiB of memory for its time, and writes the header."""
        super().__init__(sink)
        if not passphrase:
            raise ValueError("an empty passphrase protects nothing")
        file_key = os.urandom(16)
        nonce = os.urandom(16)
        self._cipher = ChaCha20Poly1305(_hkdf(file_key, salt=nonce, info=b"payload"))
        sink.write(_header(file_key, passphrase, log_n) + nonce)

    def _seal(self, index: int, last: bool, chunk: Bytes) -> bytes:
        return self._cipher.encrypt(index.to_bytes(11, "big") + bytes([last]), chunk, None)


def _header(file_key: bytes, passphrase: str, log_n: int) -> bytes:
    salt = os.urandom(16)
    label = b"age-encryption.org/v1/scrypt"
    wrap_key = Scrypt(salt=label + salt, length=32, n=1 << log_n, r=8, p=1).derive(passphrase.encode())
    # The wrap key is used once, so a fixed nonce is right.
    body = ChaCha20Poly1305(wrap_key).encrypt(bytes(12), file_key, None)
    header = b"age-encryption.org/v1\n-> scrypt %s %d\n%s\n---" % (_base64(salt), log_n, _base64(body))
    mac = hmac.digest(_hkdf(file_key, salt=b"", info=b"header"), header, "sha256")
    return header + b" " + _base64(mac) + b"\n"


def _hkdf(file_key: bytes, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(file_key)


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")
