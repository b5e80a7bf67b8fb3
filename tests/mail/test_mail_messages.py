"""What people get to read: every mail in every language, whatever the values."""

import re
from email.message import EmailMessage
from pathlib import Path

import pytest
from jinja2 import Environment, meta

from pymeet import mail
from pymeet.db.schema.privacy import DECISIONS
from pymeet.mail.errors import Failure, NotSentError
from pymeet.mail.message import LANGUAGES, TEMPLATES, Sender, address, compose

DIRECTORY = Path(mail.__file__).parent / "templates"
SENDER = Sender("meet@example.org", "pymeet", "https://meet.example.org", "meet.example.org", "dpo@example.org")
VALUES = {
    "right": "access",
    "decision": "granted",
    "due_date": "2026-12-21",
    "days_left": "3",
    "url": "https://meet.example.org/privacy#abc",
    "expires": "2026-11-28",
    "date": "2026-12-05",
    "receipt": "E-7Q2M",
    "scan": "clean",
    "days": "30",
    "name": "Weekly tea",
    "device": "Firefox (Linux)",
    "email": "ann@example.net",
    "title": "Plans for spring",
    "organiser": "Ada",
    "when": "Monday, 29 March 2027, 09:00 to 10:00 (Europe/Berlin)",
    "repeats": "every week",
    "was": "Monday, 22 March 2027, 09:00 to 10:00 (Europe/Berlin)",
    "agenda": "Who does what",
    "answer_url": "https://meet.example.org/rsvp#def",
}
RIGHTS = ("access", "correction", "erasure", "restriction", "portability", "objection", "withdrawal")
HOSTILE = "x\r\nBcc: eve@example.net\n\n<script>alert('ü')</script>\u202e\u2028\x00 https://evil.example"


def composed(template: str, language: str = "en", to: str = "ann@example.org", **values: str) -> EmailMessage:
    used = {name: VALUES[name] for name in TEMPLATES[template]} | values
    return compose(
        mail_id="Zm9vYmFyYmF6cXV4MTIzNA",
        template=template,
        language=language,
        values=used,
        to=to,
        sender=SENDER,
        now_ms=1_700_000_000_000,
    )


def text_of(message: EmailMessage, subtype: str = "plain") -> str:
    body = message.get_body((subtype,))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_every_mail_renders_in_every_language_and_uses_every_value(template: str, language: str) -> None:
    """A placeholder without a value, or a value without a place, is a mail that cannot be understood."""
    environment = Environment(autoescape=True)
    environment.filters["day"] = str
    named = meta.find_undeclared_variables(environment.parse((DIRECTORY / f"{template}.{language}.txt").read_text()))

    message = composed(template, language)
    text, html = text_of(message), text_of(message, "html")

    assert named - {"site", "contact"} == TEMPLATES[template]
    assert message["Subject"]
    assert "{" not in text + str(message["Subject"])
    assert "https://meet.example.org" in text
    assert "dpo@example.org" in text
    assert f'<html lang="{language}">' in html
    assert message["Content-Language"] == language
    if "url" in TEMPLATES[template]:
        assert f"\n{VALUES['url']}\n" in text
        assert f'href="{VALUES["url"]}"' in html


def test_the_set_of_mails_is_the_same_in_every_language() -> None:
    """Nobody gets less because of the language they read."""
    for language in LANGUAGES:
        found = {path.name.removesuffix(f".{language}.txt") for path in DIRECTORY.glob(f"[!_]*.{language}.txt")}
        assert found == set(TEMPLATES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_right_has_words_of_its_own(language: str) -> None:
    """The codes of the register mean nothing to the person who asked."""
    texts = {text_of(composed("request_received", language, right=right)) for right in RIGHTS}
    others = {text_of(composed("request_reminder", language, right=right)) for right in RIGHTS}

    assert len(texts) == len(others) == len(RIGHTS)
    assert all(
        re.search(r"\(Arti(cle|kel) \d+(\(3\)| Absatz 3)? (GDPR|DSGVO)\)", " ".join(text.split()))
        for text in texts | others
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_decision_has_words_of_its_own(language: str) -> None:
    """And whoever is refused reads where they can complain (Article 12(4))."""
    texts = {
        each: " ".join(text_of(composed("request_decided", language, decision=each)).split()) for each in DECISIONS
    }

    assert len(set(texts.values())) == len(DECISIONS)
    assert not [each for each, text in texts.items() if f" {each} " in text and "_" in each]
    complaining = {
        each for each, text in texts.items() if re.search("data protection authority|Datenschutzaufsicht", text)
    }
    assert complaining == {"granted_in_part", "not_identified", "unfounded", "legal_duty"}


@pytest.mark.parametrize(
    ("scan", "words"), [("clean", "found nothing"), ("found", "still found"), ("not_run", "not run")]
)
def test_the_receipt_says_what_the_search_for_remains_found(scan: str, words: str) -> None:
    """A promise that was not checked must not read like one that was."""
    assert words in " ".join(text_of(composed("erasure_done", scan=scan)).split())


def test_days_and_dates_are_written_as_people_write_them() -> None:
    """Computers' dates are read wrongly."""
    assert "in 1 day." in text_of(composed("request_reminder", days_left="1"))
    assert composed("account_expiring", "de", days="1")["Subject"] == "Ihr Konto wird in 1 Tag gelöscht"
    assert composed("account_expiring")["Subject"] == "Your account will be erased in 30 days"
    assert "21. Dezember 2026" in text_of(composed("request_received", "de"))
    assert "21 December 2026" in text_of(composed("request_received"))


def test_a_reminder_says_when_the_day_is_today_or_over() -> None:
    """Nobody knows what "in -2 days" means."""
    assert "today" in text_of(composed("request_reminder", days_left="0"))
    assert "was due" in text_of(composed("request_reminder", days_left="-2"))


def test_a_mail_names_its_server_and_not_the_machine() -> None:
    """Mailing programs sort by these lines; the machine's own name is nobody's business."""
    message = composed("export_ready")

    assert message["From"] == "pymeet <meet@example.org>"
    assert message["To"] == "ann@example.org"
    assert message["Message-ID"] == "<Zm9vYmFyYmF6cXV4MTIzNA@meet.example.org>"
    assert message["Date"].datetime.timestamp() == 1_700_000_000
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    assert not [name for name in message if name.startswith("List-")]


def test_nothing_is_loaded_when_a_mail_is_read() -> None:
    """Opening a mail must tell nobody that it was opened."""
    for template in TEMPLATES:
        html = text_of(composed(template), "html")
        assert not re.search(r"<(img|link|script|iframe|object|video|audio|form)|url\(|@import|srcset", html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", sorted(name for name in TEMPLATES if TEMPLATES[name]))
def test_hostile_values_stay_text_on_one_line(template: str, language: str) -> None:
    """A name that somebody chose must not add a recipient, a paragraph, a link or a script."""
    values = dict.fromkeys(TEMPLATES[template], HOSTILE)

    message = composed(template, language, **values)
    html = text_of(message, "html")

    assert set(message.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"),
        "Content-Language",
    }
    head = message.as_bytes().partition(b"\r\n\r\n")[0]
    assert not re.search(rb"^Bcc", head, re.MULTILINE)
    assert "<script" not in html
    assert "href" not in html
    assert "\u202e" not in html + text_of(message) + str(message["Subject"])
    assert len(html.split("<p>")) == len(text_of(composed(template, language), "html").split("<p>"))


def test_a_hostile_name_of_the_sender_cannot_add_a_header() -> None:
    """It is configuration, and still only a name."""
    sender = Sender("meet@example.org", "A\nBcc: eve@example.net", "https://x", "meet.example.org", "c\nd")

    message = compose(
        mail_id="a", template="test", language="en", values={}, to="ann@example.org", sender=sender, now_ms=0
    )

    assert "Bcc" not in message


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("ann@example.org", "ann@example.org"),
        ("o'hara+x@example.org", "o'hara+x@example.org"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("jürgen@example.org", "jürgen@example.org"),
        ("ann@localhost", "ann@localhost"),
    ],
)
def test_an_address_is_written_as_mail_servers_know_it(given: str, written: str) -> None:
    """`straße` and `strasse` are two domains with two owners."""
    assert address(given).addr_spec == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@exa mple.org",
        "ann@example.org\r\nRCPT TO:<eve@example.net>",
        "ann\n@example.org",
        "foo<eve@example.net>@example.org",
        "a,eve@example.net",
        '"ann b"@example.org',
        "ann@@example.org",
        ".ann@example.org",
        "an..n@example.org",
        "ann@-example.org",
        "ann@example..org",
        "ann@[192.0.2.1]",
        "ann@ex\u202eample.org",
        "a\u200bnn@example.org",
        "ann@" + "x" * 64 + "ü.example",
        "ü" * 40 + "@example.org",
        "ann@example.org>",
        "\ud800@example.org",
    ],
)
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    """Guessing would send somebody's link to somebody else."""
    with pytest.raises(NotSentError) as caught:
        composed("confirm_address", to=text)

    assert caught.value.failure is Failure.UNUSABLE
    assert caught.value.permanent


@pytest.mark.parametrize(("template", "values"), [("nothing", {}), ("test", {"url": "x"}), ("export_ready", {})])
def test_a_mail_with_other_values_than_declared_is_refused(template: str, values: dict[str, str]) -> None:
    """It was queued by another version, and half a mail is none."""
    with pytest.raises(NotSentError, match="no such template"):
        compose(mail_id="a", template=template, language="en", values=values, to="a@b.example", sender=SENDER, now_ms=0)


def test_an_unknown_language_becomes_english() -> None:
    """A mail in the wrong language is better than none."""
    assert composed("test", "tlh")["Subject"] == composed("test", "en")["Subject"]


def test_an_invitation_carries_its_calendar_entry_twice() -> None:
    """As an alternative with its method, by which calendars offer to answer, and as a file for all others (RFC 6047)."""
    entry = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"

    message = composed("meeting_invitation", calendar=entry, meeting="an-id")

    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    *_, shown, attached = message.walk()
    assert shown["Content-Type"].params["method"] == "REQUEST"
    assert shown.get_payload(decode=True) == attached.get_payload(decode=True) == entry.encode()
    assert attached.get_filename() == "invite.ics"
    assert text_of(message, "html").count("<a href=") == 2
