"""Every address this server answers, on one screen."""

from typing import Final

from aiohttp import web

from pymeet.web import (
    accounts,
    erasures,
    guest_data,
    health,
    my_data,
    pages,
    privacy_admin,
    privacy_office,
    privacy_page,
    recording_files,
    recordings,
    rooms,
    shared_recordings,
    whip,
    ws,
)

SLUG: Final = "{slug:[a-z0-9][a-z0-9-]{0,63}}"
ID: Final = "{id:[A-Za-z0-9_-]{22}}"
FILM: Final = "{film:[A-Za-z0-9_-]{22}}"
TRACK: Final = "{track:[A-Za-z0-9_-]{22}}"
PERSON: Final = "{person:[A-Za-z0-9_-]{22}}"
SHARE: Final = "{share:[A-Za-z0-9_-]{22}}"

ROUTES: Final = (
    # pages
    web.get("/", pages.index),
    web.get("/sign-in", pages.sign_in),
    web.get("/link", pages.link),
    web.get("/register", pages.register),
    web.get("/forgot", pages.forgot),
    web.get("/security", pages.security),
    web.get("/profile", pages.profile),
    web.get("/admin/users", pages.admin_users),
    web.get(f"/r/{SLUG}", pages.room),
    web.get("/my-data", pages.my_data),
    web.get("/guest-data", pages.guest_data),
    web.get("/erasure", pages.erasure),
    web.get("/admin/{page:privacy|requests}", pages.admin_privacy),
    web.get("/recordings", pages.recordings),
    web.get(f"/recordings/{ID}", pages.recording),
    web.get("/watch", pages.watch),
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
    # recordings
    web.get("/api/v1/recordings", recordings.list_recordings),
    web.get(f"/api/v1/recordings/{ID}", recordings.show),
    web.patch(f"/api/v1/recordings/{ID}", recordings.change),
    web.delete(f"/api/v1/recordings/{ID}", recordings.delete),
    web.post(f"/api/v1/recordings/{ID}/restore", recordings.restore),
    web.post(f"/api/v1/recordings/{ID}/films", recordings.make_film),
    web.post(f"/api/v1/recordings/{ID}/films/{FILM}/cancel", recordings.cancel_film),
    web.post(f"/api/v1/recordings/{ID}/films/{FILM}/retry", recordings.retry_film),
    web.delete(f"/api/v1/recordings/{ID}/films/{FILM}", recordings.delete_film),
    web.get(f"/api/v1/recordings/{ID}/films/{FILM}/file", recording_files.film_file),
    web.get(f"/api/v1/recordings/{ID}/tracks/{TRACK}/file", recording_files.track_file),
    web.post(f"/api/v1/recordings/{ID}/people/{PERSON}/remove", recordings.remove),
    web.post(f"/api/v1/recordings/{ID}/shares", recordings.share),
    web.delete(f"/api/v1/recordings/{ID}/shares/{SHARE}", recordings.end_share),
    web.post("/api/v1/shared-recordings", shared_recordings.open_link),
    # personal data: one's own
    web.get("/api/v1/my-data", my_data.show),
    web.patch("/api/v1/my-data", my_data.correct),
    web.post("/api/v1/my-data/exports", my_data.begin_export),
    web.get(f"/api/v1/my-data/exports/{ID}/file", my_data.export_file, allow_head=False),
    web.put("/api/v1/my-data/restriction", my_data.restriction),
    web.put("/api/v1/my-data/objection", my_data.objection),
    web.post("/api/v1/my-data/erasure", my_data.begin_erasure),
    web.post(f"/api/v1/my-data/consents/{ID}/withdraw", my_data.withdraw_consent),
    web.get(f"/api/v1/my-data/consents/{ID}/receipt", my_data.consent_receipt_file),
    web.post("/api/v1/my-data/notice", my_data.read_notice),
    web.post("/api/v1/guest-data", guest_data.show),
    web.post("/api/v1/guest-data/export", guest_data.export),
    web.put("/api/v1/guest-data/restriction", guest_data.restriction),
    web.post("/api/v1/guest-data/erasure", guest_data.erasure),
    web.post(f"/api/v1/guest-data/consents/{ID}/withdraw", guest_data.withdraw_consent),
    web.post(f"/api/v1/guest-data/recordings/{ID}/remove", guest_data.leave_recording),
    web.post("/api/v1/erasures/inspect", erasures.inspect),
    web.post("/api/v1/erasures/cancel", erasures.cancel),
    # personal data: for administrators and data protection officers
    web.get("/api/v1/admin/requests", privacy_office.list_requests),
    web.post("/api/v1/admin/requests", privacy_office.add_request),
    web.post(f"/api/v1/admin/requests/{ID}/decide", privacy_office.decide),
    web.post(f"/api/v1/admin/requests/{ID}/extend", privacy_office.extend),
    web.post("/api/v1/admin/people", privacy_admin.find_people),
    web.post(f"/api/v1/admin/people/{ID}/exports", privacy_admin.begin_export),
    web.get(f"/api/v1/admin/exports/{ID}/file", privacy_admin.export_file, allow_head=False),
    web.get(f"/api/v1/admin/people/{ID}/erasure", privacy_admin.plan_erasure),
    web.post(f"/api/v1/admin/people/{ID}/erasure", privacy_admin.begin_erasure),
    web.get("/api/v1/admin/holds", privacy_office.list_holds),
    web.post("/api/v1/admin/holds", privacy_office.place_hold),
    web.post(f"/api/v1/admin/holds/{ID}/release", privacy_office.release_hold),
    web.get("/api/v1/admin/audit", privacy_office.read_audit),
    web.post("/api/v1/admin/audit/verify", privacy_office.verify_audit),
    web.get("/api/v1/admin/retention", privacy_office.show_retention),
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
