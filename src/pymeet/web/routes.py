"""Every address this server answers, on one screen."""

from typing import Final

from aiohttp import web

from pymeet.web import accounts, health, pages, privacy_page, rooms, whip, ws

SLUG: Final = "{slug:[a-z0-9][a-z0-9-]{0,63}}"
ID: Final = "{id:[A-Za-z0-9_-]{22}}"

ROUTES: Final = (
    # pages
    web.get("/", pages.index),
    web.get("/sign-in", pages.sign_in),
    web.get("/link", pages.link),
    web.get(f"/r/{SLUG}", pages.room),
    web.get("/privacy", privacy_page.page),
    web.get("/privacy/versions/{version:[1-9][0-9]{0,8}}", privacy_page.version),
    web.get("/static/{path:.+}", pages.static),
    # API
    web.get("/api/v1/me", accounts.me),
    web.post("/api/v1/sign-in", accounts.sign_in),
    web.post("/api/v1/sign-out", accounts.sign_out),
    web.post("/api/v1/links/inspect", accounts.inspect_link),
    web.post("/api/v1/links/redeem", accounts.redeem_link),
    web.get("/api/v1/privacy", privacy_page.data),
    web.get("/api/v1/rooms", rooms.list_own),
    web.post("/api/v1/rooms", rooms.create),
    web.get(f"/api/v1/rooms/{SLUG}", rooms.preview),
    web.delete(f"/api/v1/rooms/{SLUG}", rooms.delete),
    # live
    web.get(f"/ws/{SLUG}", ws.connect, allow_head=False),
    web.post(f"/whip/{SLUG}", whip.publish),
    web.post(f"/whep/{SLUG}", whip.play),
    web.options(f"/{{kind:whip|whep}}/{SLUG}", whip.endpoint_options),
    web.patch(f"/{{kind:whip|whep}}/{SLUG}/{ID}", whip.patch),
    web.delete(f"/{{kind:whip|whep}}/{SLUG}/{ID}", whip.delete),
    web.options(f"/{{kind:whip|whep}}/{SLUG}/{ID}", whip.session_options),
    # monitoring
    web.get("/healthz", health.healthz),
    web.get("/readyz", health.readyz),
    web.get("/metrics", health.metrics),
)
