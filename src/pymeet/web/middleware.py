"""What happens around every handler: errors become answers, foreign pages are refused, headers are set."""

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from pymeet.errors import PymeetError
from pymeet.web import whip
from pymeet.web.errors import answer_to, answer_to_http, internal_error, status_of
from pymeet.web.headers import add_security_headers, safe_host
from pymeet.web.origins import check_origin, is_https
from pymeet.web.pages import not_found_page
from pymeet.web.parts import PARTS

log = structlog.get_logger(__name__)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every error into an answer. What nobody expected is logged without values: they may be personal."""
    try:
        return await handler(request)
    except PymeetError as error:
        response = answer_to(error)
        if status_of(error) == 500:
            _report(request)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        response = answer_to_http(error)
    except ConnectionResetError:
        raise
    except Exception:
        _report(request)
        response = internal_error()
    if response.status == 404 and _wants_page(request):
        return not_found_page(request)
    return response


@web.middleware
async def origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what a page of another site asks for."""
    check_origin(request)
    return await handler(request)


async def security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Runs when any answer is prepared, also one that aiohttp made itself."""
    parts = request.app[PARTS]
    add_security_headers(
        response,
        safe_host(request),
        https=is_https(request, parts.config.http.trusted_proxies),
        hsts=parts.config.http.tls.mode == "files",
    )
    if request.path.startswith(whip.PATHS):
        response.headers.update(whip.CORS)


def _wants_page(request: web.Request) -> bool:
    return (
        request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
        and "text/html" in request.headers.get("Accept", "")
        and not request.path.startswith(("/api/", "/static/", "/whip/", "/whep/", "/ws/"))
    )


def _report(request: web.Request) -> None:
    """Logs the error being handled: its type and place, for the message may quote what somebody typed."""
    route = request.match_info.route.resource
    log.error("request failed", method=request.method, route=route.canonical if route else None, exc_info=True)
