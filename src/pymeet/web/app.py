"""The application factory: parts, middleware and routes put together."""

from aiohttp import web

from pymeet.accounts.throttle import AttemptLimiter
from pymeet.web import middleware, tokens
from pymeet.web.attempts import FAILED_SIGN_INS
from pymeet.web.background import BACKGROUND, Background, close_background
from pymeet.web.connection_check import CHECKS_PER_NETWORK, CHECKS_WINDOW_S, CONNECTION_CHECKS
from pymeet.web.mail_limits import MAIL_LIMITS, MailLimits
from pymeet.web.openapi.page import DESCRIPTION, Description
from pymeet.web.pages import CLIENT, Client
from pymeet.web.parts import PARTS, Parts
from pymeet.web.privacy_page import MADE, Made
from pymeet.web.recording_parts import RECORDINGS, Recordings
from pymeet.web.repeats import REPEATS, Repeats
from pymeet.web.routes import ROUTES
from pymeet.web.whip_sessions import SESSIONS, Sessions, close_sessions

FAILED_SIGN_INS_PER_ADDRESS = 10
FAILED_SIGN_INS_WINDOW_S = 60.0


def forget_attempts(app: web.Application) -> None:
    """Forgets who failed to sign in a while ago, and sessions of encoders and players that are over. To be called twice a minute."""
    app[FAILED_SIGN_INS].forget(app[PARTS].clock.monotonic())
    app[PARTS].accounts.forget_attempts()
    app[PARTS].factors.forget_setups()
    app[PARTS].sign_in.forget_old()
    if (oidc := app[PARTS].oidc) is not None:
        oidc.forget_old()
    app[CONNECTION_CHECKS].forget(app[PARTS].clock.monotonic())
    app[MAIL_LIMITS].forget(app[PARTS].clock.monotonic())
    app[RECORDINGS].shares.forget_attempts()
    app[REPEATS].forget(app[PARTS].clock.monotonic())
    app[SESSIONS].forget_over()


def make_app(parts: Parts, client: Client) -> web.Application:
    """The whole HTTP interface. Handlers limit their own bodies; `client_max_size` holds for anything that forgot."""
    app = web.Application(middlewares=[middleware.errors, middleware.origin, tokens.door], client_max_size=64 * 1024)
    app[PARTS] = parts
    app[CLIENT] = client
    app[FAILED_SIGN_INS] = AttemptLimiter(limit=FAILED_SIGN_INS_PER_ADDRESS, window_s=FAILED_SIGN_INS_WINDOW_S)
    app[CONNECTION_CHECKS] = AttemptLimiter(limit=CHECKS_PER_NETWORK, window_s=CHECKS_WINDOW_S)
    app[MAIL_LIMITS] = MailLimits()
    app[SESSIONS] = Sessions()
    app[MADE] = Made()
    app[REPEATS] = Repeats()
    app[DESCRIPTION] = Description(ROUTES)
    app[RECORDINGS] = Recordings.of(parts.lifecycle, parts.passwords)
    app[BACKGROUND] = Background()
    app.on_shutdown.append(close_background)
    app.on_shutdown.append(close_sessions)
    app.on_response_prepare.append(middleware.security_headers)
    app.add_routes(ROUTES)
    return app
