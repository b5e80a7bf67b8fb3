"""The verb `pymeet status`."""

from collections.abc import Mapping
from typing import Any

from pymeet import __version__
from pymeet.config import Config
from pymeet.ops.addresses import public_url
from pymeet.ops.services import Operation, Services
from pymeet.privacy import gone
from pymeet.privacy.breach import open_breaches
from pymeet.privacy.requests import Requests


async def status(services: Services) -> dict[str, Any]:
    """What there is, what the running server is doing, and what somebody must attend to."""
    requests = Requests(services.lifecycle)
    breaches = await services.db.study(open_breaches)
    return {
        **no_data(services.config),
        "running": services.live is not None,
        "rooms": len(await services.meetings.rooms()),
        "users": len(await services.accounts.list_users()),
        "requests_open": len(await requests.list("open")),
        "requests_overdue": len(await requests.list("overdue")),
        "breaches_open": len(breaches),
        "files_waiting": await services.db.study(gone.waiting),
        **(services.live.status() if services.live else {}),
    }


def no_data(config: Config) -> dict[str, Any]:
    """The status where neither server nor database is."""
    return {
        "version": __version__,
        "running": False,
        "url": public_url(config),
        "data_dir": str(config.data_dir.absolute()),
        "rooms": 0,
        "users": 0,
        "requests_open": 0,
        "requests_overdue": 0,
        "breaches_open": 0,
        "files_waiting": 0,
    }


OPERATIONS: Mapping[str, Operation] = {"status": status}
