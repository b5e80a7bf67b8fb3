"""Looking at other people's data leaves a trace: what kind, how much, by whom."""

import functools
from collections.abc import Callable
from typing import Any

from pymeet.db import audit
from pymeet.ops.services import Operation, Services


def views(what: str) -> Callable[[Operation], Operation]:
    """Marks an operation that shows people's data of the kind `what` (a fixed word): each use is an audit event."""

    def marked(operation: Operation) -> Operation:
        @functools.wraps(operation)
        async def viewed(services: Services, *rest: Any, **arguments: Any) -> Any:
            result = await operation(services, *rest, **arguments)
            await record_view(services, what, len(result) if isinstance(result, list) else 1)
            return result

        return viewed

    return marked


async def record_view(services: Services, what: str, count: int) -> None:
    """Writes into the audit log that the operator looked at `count` records of the kind `what`."""
    async with services.db.write() as conn:
        await audit.record(
            conn,
            at_ms=services.clock.now_ms(),
            actor=audit.OPERATOR,
            action="data.viewed",
            target=what,
            detail={"count": count},
        )
