"""The verbs of `pymeet keys`."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from pymeet.config import Config
from pymeet.db import audit
from pymeet.db.keys import KeyStore, Rotation, rotate_master_key
from pymeet.keyring import Keyring
from pymeet.ops.progress import Progress
from pymeet.ops.services import Operation, Services


async def keys_check(services: Services) -> dict[str, Any]:
    """Opens every key, and says whether a change of the master key is unfinished."""
    count = await asyncio.to_thread(services.keys.check)
    return {"keys": count, "unfinished_change": await asyncio.to_thread(is_unfinished, services.config)}


async def keys_rotate(services: Services, progress: Progress) -> dict[str, Any]:
    """Changes the master key, or finishes a change begun. Once begun it runs to its end, whoever goes away."""
    running = asyncio.ensure_future(asyncio.to_thread(_rotate, services, progress))
    try:
        done = await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
    detail: audit.Detail = {"keys": done.rewrapped, "resumed": done.resumed}
    async with services.db.write() as conn:
        now_ms = services.clock.now_ms()
        await audit.record(
            conn, at_ms=now_ms, actor=audit.OPERATOR, action="master_key.changed", target="master_key", detail=detail
        )
    return {"keys": done.rewrapped, "resumed": done.resumed}


def is_unfinished(config: Config) -> bool:
    """Whether `master.key` still holds a former key: a change was interrupted, and `pymeet keys rotate` finishes it."""
    return bool(Keyring.open(config.data_dir).former)


def finish_change(config: Config, keys: KeyStore) -> Rotation | None:
    """Finishes a change of the master key that was interrupted, for the start of the server; None when there is none."""
    if not is_unfinished(config):
        return None
    return rotate_master_key(config.data_dir, keys, lambda _done, _total: None)


def _rotate(services: Services, progress: Progress) -> Rotation:
    from pymeet.ops.management import hold_data_dir  # late: it imports the table that this is a part of

    with ExitStack() as stack:
        if services.live is None:
            # A server that starts meanwhile would wrap new keys under the key that is about to go.
            stack.enter_context(hold_data_dir(services.config))
        return rotate_master_key(
            services.config.data_dir, services.keys, lambda done, total: progress(done, total, "wrapping keys anew")
        )


OPERATIONS: Mapping[str, Operation] = {
    "keys.check": keys_check,
    "keys.rotate": keys_rotate,
}
