"""The verbs of `pymeet settings`: what can be set while the server runs, over the values of the configuration."""

from collections.abc import Mapping
from typing import Any

from pymeet.db.server_settings import Setting
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso


async def settings_list(services: Services) -> list[dict[str, Any]]:
    """Every such setting, with the value that holds and the configuration's."""
    return [_shown(each) for each in services.settings.listed()]


async def settings_set(services: Services, *, name: str, value: bool | str | None) -> dict[str, Any]:
    """Sets a value over the configuration's; it holds at once."""
    return _shown(await services.settings.change(name, value, now_ms=services.clock.now_ms()))


async def settings_reset(services: Services, *, name: str) -> dict[str, Any]:
    """Lets the configuration's value hold again."""
    return _shown(await services.settings.give_back(name, now_ms=services.clock.now_ms()))


OPERATIONS: Mapping[str, Operation] = {
    "settings.list": settings_list,
    "settings.set": settings_set,
    "settings.reset": settings_reset,
}


def _shown(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "value": setting.value,
        "configured": setting.configured,
        "set_here": setting.is_set_here,
        "choices": list(setting.choices),
        "changed_at": None if setting.changed_at_ms is None else iso(setting.changed_at_ms),
    }
