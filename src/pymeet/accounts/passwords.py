"""Passwords as argon2id hashes (RFC 9106). Hashing is slow on purpose and runs in few threads, never on the loop."""

import asyncio
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from pymeet.accounts.password_rules import check_choice
from pymeet.errors import InvalidInputError
from pymeet.stepback import step_far_back

T = TypeVar("T")

MIN_LENGTH = 12
MAX_LENGTH = 1000


def normalised(password: str, *, minimum: int = MIN_LENGTH) -> str:
    """The form that is hashed (NFKC), so that the same password typed on another keyboard stays the same.

    Raises InvalidInputError for one of fewer than `minimum` or more than 1000 characters.
    """
    # Before normalising too: a few characters can become many.
    form = unicodedata.normalize("NFKC", password) if len(password) <= MAX_LENGTH else password
    if len(form) < minimum:
        raise InvalidInputError(f"The password needs at least {minimum} characters.")
    if len(form) > MAX_LENGTH:
        raise InvalidInputError(f"The password can have at most {MAX_LENGTH} characters.")
    try:
        form.encode()
    except UnicodeEncodeError:
        raise InvalidInputError("The password contains characters that do not exist.") from None
    return form


class Passwords:
    """Hashes and verifies passwords; at most half of the cores are busy with it, so that media goes on."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65_536, minimum: int = MIN_LENGTH) -> None:
        self._minimum = minimum
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._threads = ThreadPoolExecutor(
            max(1, (os.cpu_count() or 2) // 2), thread_name_prefix="passwords", initializer=step_far_back
        )

    async def hash(self, password: str) -> str:
        """The hash to store. Raises InvalidInputError for an unacceptable password."""
        form = normalised(password)
        return await self._in_thread(lambda: self._hasher.hash(form))

    async def hash_for(self, password: str, *, name: str, email: str) -> str:
        """The hash of a password that a person chooses for their account. Raises InvalidInputError, which says why not."""
        form = normalised(password, minimum=self._minimum)

        def checked() -> str:
            check_choice(form, name=name, email=email)  # reads a long list the first time
            return self._hasher.hash(form)

        return await self._in_thread(checked)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password belongs to the stored hash.

        Without a hash (no such account) the answer is False and takes the same time, so that nobody can find out by
        waiting who has an account.
        """
        try:
            form = normalised(password, minimum=0)  # it may be older than today's minimum
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
