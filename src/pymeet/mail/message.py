"""Composes mail: text and HTML (multipart/alternative, RFC 2046) from one template in `templates/`.

`<name>.<language>.txt` holds the subject in its first line, then paragraphs between blank lines. The HTML shows the same
paragraphs and loads nothing. Values stay on one line, so none of them can add a header or a paragraph.
"""

import re
import textwrap
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import idna
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context

from pymeet.mail.errors import Failure, NotSentError

LANGUAGES = ("en", "de")

_MEETING = frozenset({"title", "organiser", "when", "repeats", "agenda", "url", "answer_url"})

TEMPLATES: Mapping[str, frozenset[str]] = {
    "request_received": frozenset({"right", "due_date", "url"}),
    "request_decided": frozenset({"right", "decision", "url"}),
    "request_reminder": frozenset({"right", "due_date", "days_left", "url"}),
    "export_ready": frozenset({"url", "expires"}),
    "erasure_planned": frozenset({"date", "url"}),
    "erasure_done": frozenset({"receipt", "scan"}),
    "account_expiring": frozenset({"days", "url"}),
    "recording_expiring": frozenset({"name", "days", "url"}),
    "confirm_address": frozenset({"url"}),
    "new_device": frozenset({"device", "date", "url"}),
    "feed_made": frozenset({"url"}),
    "token_made": frozenset({"url"}),
    "meeting_invitation": _MEETING,
    "meeting_changed": _MEETING | {"was"},
    "meeting_cancelled": frozenset({"title", "when", "repeats"}),
    "meeting_uninvited": frozenset({"title", "when", "repeats"}),
    "meeting_reminder": frozenset({"title", "when", "url"}),
    "invitation": frozenset({"url"}),
    "set_password": frozenset({"url"}),
    "register": frozenset({"url"}),
    "already_registered": frozenset({"url"}),
    "reset_password": frozenset({"url"}),
    "sign_in": frozenset({"url"}),
    "change_email": frozenset({"url"}),
    "email_changing": frozenset({"url", "email"}),
    "test": frozenset(),
}
"""Every mail pymeet sends, with the values it needs. All are texts; days are `2026-11-21`; `right` is one of `access`,
`correction`, `erasure`, `restriction`, `portability`, `objection`, `withdrawal`; `decision` is one of the register's;
`scan` is `clean`, `found` or `not_run`."""

CALENDAR = "calendar"
"""The value that is an iCalendar object (RFC 5545), to be attached."""

MEETING = "meeting"
"""The value that says which meeting a mail is about, so that what waits can be found."""

_UNSEEN = frozenset({CALENDAR, MEETING})
"""Values that a mail may have besides, and that no template shows."""

_ATOM = r"[^\s@<>()\[\]\\,:;\".\x00-\x1f\x7f]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(\.{_ATOM})*")  # the dot-atom of RFC 5322 and RFC 6532: no quoting, no comments
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
# fmt: off
MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June",
           "July", "August", "September", "October", "November", "December"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni",
           "Juli", "August", "September", "Oktober", "November", "Dezember"),
}
# fmt: on


@dataclass(frozen=True)
class Sender:
    """Who writes: the same in every mail of a server."""

    address: str
    name: str
    site: str
    """The address people open: it says which server wrote."""
    host: str
    """The right side of every Message-ID, and what the mail server is greeted with; an ASCII host name."""
    contact: str
    """Who answers questions, in words or as an address."""


def compose(
    *, mail_id: str, template: str, language: str, values: Mapping[str, str], to: str, sender: Sender, now_ms: int
) -> EmailMessage:
    """Makes the mail; an unknown language becomes English. Raises NotSentError (`unusable`).

    The Message-ID is made of `mail_id`, which must be random: a mail that is sent twice is recognised as the same one.
    """
    if TEMPLATES.get(template) != frozenset(values) - _UNSEEN:
        raise NotSentError(Failure.UNUSABLE, "There is no such template, or its values are not these.")
    language = language if language in LANGUAGES else LANGUAGES[0]
    lines = {name: one_line(value) for name, value in values.items() if name not in _UNSEEN}
    shared = {"site": one_line(sender.site), "contact": one_line(sender.contact), "language": language}
    text = _ENVIRONMENT.get_template(f"{template}.{language}.txt").render({**lines, **shared})
    subject, *paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))

    message = EmailMessage(policy=SMTP)
    message["From"] = Address(one_line(sender.name), *sender.address.rsplit("@", 1))
    message["To"] = address(to)
    message["Subject"] = subject
    message["Date"] = datetime.fromtimestamp(now_ms / 1000, UTC)
    message["Message-ID"] = f"<{mail_id}@{sender.host}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in return
    plain = "\n\n".join(
        textwrap.fill(paragraph, 76, break_long_words=False, break_on_hyphens=False) for paragraph in paragraphs
    )
    links = [lines[name] for name in ("url", "answer_url") if _is_link(lines.get(name, ""))]
    html = _ENVIRONMENT.get_template("layout.html").render(
        language=language, subject=subject, paragraphs=paragraphs, links=links
    )
    # quoted-printable, because not every server on the way passes eight bits
    message.set_content(f"{plain}\n", cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    if CALENDAR in values:
        _attach_calendar(message, values[CALENDAR])
    message["Content-Language"] = language
    return message


def _attach_calendar(message: EmailMessage, text: str) -> None:
    """As a third way to read the mail, for programs that know calendars (RFC 6047), and as a file for those that do not."""
    method = re.search(r"^METHOD:([A-Z]+)\r?$", text, re.MULTILINE)
    params = {"method": method[1] if method else "PUBLISH"}
    message.add_alternative(text, subtype="calendar", cte="base64", params=params)
    message.add_attachment(text.encode(), maintype="application", subtype="ics", filename="invite.ics")


def address(text: str) -> Address:
    """An address that can be written to, its domain in the form that DNS knows. Raises NotSentError (`unusable`)."""
    local, _, domain = text.rpartition("@")
    try:
        domain = ascii_domain(domain)
    except ValueError:
        domain = ""
    # one_line first: it takes out half surrogates, which cannot be encoded
    if not domain or one_line(local) != local or not _LOCAL_PART.fullmatch(local) or len(local.encode()) > 64:
        raise NotSentError(Failure.UNUSABLE, "This is not an address that mail can be sent to.")
    return Address(username=local, domain=domain)


def ascii_domain(domain: str) -> str:
    """A host name as DNS knows it (IDNA 2008, RFC 5891). Raises ValueError for what is none."""
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True).decode()  # its errors are ValueErrors
    if len(domain) > 253 or not _DOMAIN.fullmatch(domain):
        raise ValueError("This is not a host name.")
    return domain


def one_line(text: str) -> str:
    """`text` without line breaks, control characters and marks that turn its direction around."""
    spaced = " ".join(text.split())
    return "".join(
        character for character in spaced if character in "\u200c\u200d" or unicodedata.category(character)[0] != "C"
    )


@pass_context
def _day(context: Context, text: str) -> str:
    """The filter `day`: `2026-11-21` in words of the mail's language; anything else as it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    language = context["language"]
    month = MONTHS[language][day.month - 1]
    return f"{day.day}. {month} {day.year}" if language == "de" else f"{day.day} {month} {day.year}"


def _is_link(text: str) -> bool:
    return text.startswith(("https://", "http://"))


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["day"] = _day
