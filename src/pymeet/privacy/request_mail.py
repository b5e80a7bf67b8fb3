"""Who is told what of requests: the mails, and the notification that one was decided. Inside the caller's transaction."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from pymeet.config import Config
from pymeet.db import notifications
from pymeet.db.outbox import queue_statement
from pymeet.db.schema import users
from pymeet.privacy.request_rows import Request

MY_DATA_PAGE: Final = "/my-data"
REQUESTS_PAGE: Final = "/admin/requests"
"""Where mails lead the person, and those who answer."""

_DECIDED: Final = "request_decided"
_IN_MAILS: Final = {"rectification": "correction"}


def queue(
    conn: Connection,
    config: Config,
    template: str,
    request: Request,
    values: Mapping[str, str],
    to: ColumnElement[bool],
    now_ms: int,
) -> None:
    """Queues a mail about a request to the accounts that `to` picks, where mail is on."""
    if config.mail.host is None:
        return
    people = select(users.c.id, users.c.email, users.c.language).where(to, users.c.disabled_at_ms.is_(None))
    for row in conn.execute(people).all():
        conn.execute(
            queue_statement(
                now_ms=now_ms,
                user_id=row.id,
                to=row.email,
                template=template,
                values={"right": _IN_MAILS.get(request.right, request.right), **values},
                language=row.language or config.mail.language,
            )
        )


def tell_decided(
    conn: Connection, config: Config, request: Request, decision: str, actor: str, now_ms: int, *, site: str | None
) -> None:
    """Tells the member who asked, on the pages and by mail, each where they want that; who decided it themselves knows.

    `site` is the address people open; without it there is no mail.
    """
    user_id = request.person.user_id if request.person else None
    if user_id is None or user_id == actor:
        return
    notifications.tell(conn, now_ms=now_ms, user_id=user_id, kind=_DECIDED, object_id=request.id)
    if site is not None and notifications.wants_mail(conn, user_id, _DECIDED):
        values = {"decision": decision, "url": f"{site}{MY_DATA_PAGE}"}
        queue(conn, config, "request_decided", request, values, users.c.id == user_id, now_ms)
