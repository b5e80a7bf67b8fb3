"""Looks every minute for meetings of which somebody wants to be reminded now."""

import asyncio

import structlog

from pymeet.meetings.reminders import Reminders

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 60


async def run(reminders: Reminders) -> None:
    """Goes on until cancelled."""
    while True:
        try:
            await reminders.send_due()
        except Exception:  # whatever it is, the next look sends what this one did not
            log.exception("reminders could not be looked for; they are tried again in a minute")
        await asyncio.sleep(LOOK_EVERY_S)
