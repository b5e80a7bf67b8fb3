"""What monitoring asks: is the process alive, can it work, how is it doing."""

import hmac

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from pymeet.errors import NotFoundError, PymeetError
from pymeet.web.bearer import bearer_token
from pymeet.web.errors import StatusError
from pymeet.web.parts import PARTS


async def healthz(_request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"alive": True})


async def readyz(request: web.Request) -> web.Response:
    """Database and media port work; 503 and which of them does not otherwise."""
    parts = request.app[PARTS]
    try:
        await parts.database.check()
        database = True
    except (SQLAlchemyError, PymeetError, OSError):
        database = False
    checks = {"database": database, "media": parts.media_alive()}
    return web.json_response({"ready": all(checks.values()), **checks}, status=200 if all(checks.values()) else 503)


async def metrics(request: web.Request) -> web.Response:
    """Readings for Prometheus, for whoever shows `http.metrics_token`; without one configured there is nothing here."""
    parts = request.app[PARTS]
    wanted = parts.config.http.metrics_token
    if not wanted:
        raise NotFoundError("Metrics are not switched on.")
    shown = bearer_token(request)
    if shown is None or not hmac.compare_digest(shown.encode(), wanted.get_secret_value().encode()):
        raise StatusError(401, "Show the metrics token.", headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    return web.Response(body=parts.metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
