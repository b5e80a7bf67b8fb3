"""The table of everything that the command line can do. The running server offers it on its socket; where none runs,
the command opens the services itself and calls the same functions.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.ops.progress import Progress, silent
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs import (
    audit,
    backup,
    breach,
    consents,
    erasure,
    export,
    groups,
    holds,
    keys,
    live,
    mail,
    privacy,
    profile_fields,
    purge,
    recordings,
    requests,
    retention,
    rooms,
    settings,
    status,
    tokens,
    users,
)


def merged(*groups: Mapping[str, Operation]) -> Mapping[str, Operation]:
    """One table of several; ValueError when two operations go by the same name."""
    table: dict[str, Operation] = {}
    for group in groups:
        for name, operation in group.items():
            if name in table:
                raise ValueError(f"two operations are called {name}")
            table[name] = operation
    return table


OPERATIONS = merged(
    audit.OPERATIONS,
    backup.OPERATIONS,
    breach.OPERATIONS,
    consents.OPERATIONS,
    erasure.OPERATIONS,
    export.OPERATIONS,
    groups.OPERATIONS,
    holds.OPERATIONS,
    keys.OPERATIONS,
    live.OPERATIONS,
    mail.OPERATIONS,
    privacy.OPERATIONS,
    profile_fields.OPERATIONS,
    purge.OPERATIONS,
    recordings.OPERATIONS,
    requests.OPERATIONS,
    retention.OPERATIONS,
    rooms.OPERATIONS,
    settings.OPERATIONS,
    status.OPERATIONS,
    tokens.OPERATIONS,
    users.OPERATIONS,
)


async def run(
    services: Services,
    name: str,
    arguments: Mapping[str, Any],
    *,
    progress: Progress = silent,
    operations: Mapping[str, Operation] = OPERATIONS,
) -> Any:
    """Runs one operation by name. NotFoundError for an unknown one, InvalidInputError for unfitting arguments."""
    operation = operations.get(name)
    if operation is None:
        raise NotFoundError(f"This pymeet has no operation {name}.", code="no_such_operation")
    signature = inspect.signature(operation)
    given = (services, progress) if "progress" in signature.parameters else (services,)
    try:
        bound = signature.bind(*given, **arguments)
    except TypeError as error:
        raise InvalidInputError(f"The arguments do not fit {name}: {error}.") from None
    return await operation(*bound.args, **bound.kwargs)
