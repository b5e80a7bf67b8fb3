"""Passwords as argon2id hashes (RFC 9106). Hashing is slow on purpose and runs in few threads, never on the loop."""

import asyncio
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from pymeet.errors import InvalidInputError

T = TypeVar("T")

MIN_LENGTH = 12
MAX_LENGTH = 1024


def normalised(password: str) -> str:
    """The form that is hashed (NFKC), so that the same password typed on another keyboard stays the same.

    Raises InvalidInputError for one of fewer than 12 or more than 1024 characters.
    """
    # Before normalising too: a few characters can become many.
    form = unicodedata.normalize("NFKC", password) if len(password) <= MAX_LENGTH else password
    if len(form) < MIN_LENGTH:
        raise InvalidInputError(f"The password needs at least {MIN_LENGTH} characters.")
    if len(form) > MAX_LENGTH:
        raise InvalidInputError(f"The password can have at most {MAX_LENGTH} characters.")
    try:
        form.encode()
    except UnicodeEncodeError:
        raise InvalidInputError("The password contains characters that do not exist.") from None
    return form


class Passwords:
    """Hashes and verifies passwords; at most half of the cores are busy with it, so that media goes on."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65_536) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._threads = ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2), thread_name_prefix="passwords")

    async def hash(self, password: str) -> str:
        """The hash to store. Raises InvalidInputError for an unacceptable password."""
        form = normalised(password)
        return await self._in_thread(lambda: self._hasher.hash(form))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password belongs to the stored hash.

        Without a hash (no such account) the answer is False and takes the same time, so that nobody can find out by
        waiting who has an account.
        """
        try:
            form = normalised(password)
        except InvalidInputError:
            return False  # depends only on what was typed: says nothing about the account

        def compare() -> bool:
            if stored is None:
                self._hasher.hash(form)
                return False
            try:
                return self._hasher.verify(stored, form)
            except (VerificationError, InvalidHashError):
                return False

        return await self._in_thread(compare)

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
