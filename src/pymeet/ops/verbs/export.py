"""The verbs of `pymeet export-user`."""

from collections.abc import Mapping
from typing import Any

from pymeet.db import audit
from pymeet.ops.addresses import public_url
from pymeet.ops.progress import Progress
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.requests import named_person
from pymeet.privacy.export import discard, export_person


async def export_build(services: Services, progress: Progress, *, who: str, language: str = "en") -> dict[str, Any]:
    """Makes the archive of a person, named by e-mail address, account id or receipt; it is to be fetched and discarded.

    NotFoundError, TooManyError.
    """
    person = await named_person(services, who)
    export = await export_person(
        services.lifecycle,
        person,
        language=language,
        progress=progress,
        actor=audit.OPERATOR,
        instance=public_url(services.config),
    )
    return {
        "id": export.id,
        "file_id": export.file_id,
        "size_bytes": export.size_bytes,
        "tables": dict(export.tables),
        "files": export.files,
        "withheld": [
            {"table": each.table, "column": each.column, "reason": each.reason, "rows": each.rows}
            for each in export.withheld
        ],
        "failed": [{"path": each.path, "reason": each.reason} for each in export.failed],
    }


async def export_discard(services: Services, *, export_id: str) -> None:
    """Destroys the server's copy of an archive; one that is not there is no error."""
    await discard(services.lifecycle, export_id)


OPERATIONS: Mapping[str, Operation] = {
    "export.build": export_build,
    "export.discard": export_discard,
}
