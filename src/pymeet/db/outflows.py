"""Declarations of what leaves the server, or its database: the fields of log lines, and those who receive something.

A field that is not declared here may not be logged (`tests/guards`); a recipient that is not declared gets nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pymeet.db.inventory import Basis, Recipient

LOG_FIELDS: Mapping[str, str] = {
    "event": "What happened, in fixed words.",
    "level": "How serious it is.",
    "timestamp": "When it was written, in UTC.",
    "logger": "The library that wrote it.",
    "room": "The random id of a room.",
    "participant": "The random id of a seat in a room.",
    "connection": "Which of a seat's media connections: publish or subscribe.",
    "mail": "The random id of a mail.",
    "template": "Which of the fixed texts a mail has.",
    "reply": "The number a mail server answered with.",
    "attempt": "How often a mail was tried.",
    "kind": "A fixed word: what sort of thing it is about.",
    "type": "The type of a message of the protocol, a fixed word.",
    "reason": "Why, in fixed words.",
    "why": "Why, in fixed words.",
    "room_id": "The random id of a room.",
    "recording_id": "The random id of a recording.",
    "film": "The random id of a film.",
    "meeting": "The random id of a planned meeting.",
    "films": "A number of films.",
    "user_id": "The random id of an account.",
    "request_id": "The random id of a request.",
    "role": "A fixed word: what somebody may do in a room.",
    "retention_class": "Which class of data it is about.",
    "period": "A period.",
    "in_hours": "A number of hours.",
    "rows": "A number of rows.",
    "files": "A number of files.",
    "people": "A number of people.",
    "held": "A number of things kept by a legal hold.",
    "places": "A number of places.",
    "drift": "A number of differences between what was planned and what was done.",
    "emptied": "Whether the write-ahead log was emptied.",
    "errors": "The types of errors, without their messages.",
    "doubts": "Fixed words: why a clock is not believed.",
    "part": "Which part of the work it was, in fixed words.",
    "state": "How far something is, in fixed words.",
    "outcome": "How something ended, in fixed words.",
    "search": "How a search for remains ended, in fixed words.",
    "code": "The number with which a connection was closed.",
    "method": "The method of an HTTP request.",
    "route": "The pattern of an address, without what stood in its place.",
    "http_port": "The port of the pages.",
    "media_port": "The port of sound and pictures.",
    "count": "A number.",
    "lag_ms": "How late the server got to its work, in milliseconds.",
    "busy_percent": "In how much of the time the server had work.",
    "where": "Where in the program, in words of the library.",
    "error": "The type of an error, without its message.",
    "at": "Files and lines of the program that led to an error.",
    "error_says": "The message of an error; shown at `debug` only.",
}
"""Every field that log lines at `info` and above may have. None of them holds personal data; ids are random."""


class Needs(StrEnum):
    """What must be configured for a recipient to receive anything."""

    NOTHING = "nothing"
    MAIL = "mail"
    OIDC = "an OpenID provider"
    TURN = "a TURN server"


@dataclass(frozen=True)
class Receiver:
    """Somebody, or something, that receives personal data in the ordinary course of things (Article 30(1)(d))."""

    name: str
    receives: str
    purpose: str
    basis: Basis
    needs: Needs = Needs.NOTHING
    means: tuple[Recipient, ...] = ()
    """The recipients that tables name when they mean this one."""
    outside: bool = False
    """Whether the data leaves the machine for somebody else's."""


RECEIVERS = (
    Receiver(
        name="The other participants",
        receives="Your name, your sound, picture and shared screen, and what you write; not your network address.",
        purpose="To meet.",
        basis=Basis.CONTRACT,
        means=(Recipient.ROOM, Recipient.OWNER),
    ),
    Receiver(
        name="People who watch a recording",
        receives="The name, sound, picture and shared screen of those who agreed, what they did and, where the chat is recorded "
        "too, what they wrote.",
        purpose="To watch a meeting again.",
        basis=Basis.CONSENT,
        means=(Recipient.HOST, Recipient.RECORDED, Recipient.VIEWERS),
    ),
    Receiver(
        name="The other members",
        receives="The picture you chose for your account.",
        purpose="To show who somebody is.",
        basis=Basis.CONTRACT,
        means=(Recipient.MEMBERS,),
    ),
    Receiver(
        name="Administrators of this server",
        receives="What the tables marked so hold; they also control the machine, its disk and its backups.",
        purpose="To run the server and to answer for it.",
        basis=Basis.LEGITIMATE_INTEREST,
        means=(Recipient.ADMINISTRATORS,),
    ),
    Receiver(
        name="Data protection officers",
        receives="Requests, records of consent, holds and the audit log; not the content of meetings.",
        purpose="To watch over how this server handles personal data.",
        basis=Basis.LEGAL_OBLIGATION,
        means=(Recipient.PRIVACY_OFFICERS,),
    ),
    Receiver(
        name="The operator's mail server",
        receives="The e-mail address and the text of each mail sent.",
        purpose="To tell people what they must be told.",
        basis=Basis.CONTRACT,
        needs=Needs.MAIL,
        means=(Recipient.MAIL_SERVER,),
        outside=True,
    ),
    Receiver(
        name="Backups",
        receives="A copy of everything in the database and of all sealed files.",
        purpose="To bring the server back after a loss.",
        basis=Basis.LEGITIMATE_INTEREST,
        means=(Recipient.BACKUPS,),
    ),
    Receiver(
        name="A TURN server",
        receives="Your network address, whenever you are in a meeting; and your sound and pictures, encrypted so that it "
        "cannot see or hear them, where they find no other way.",
        purpose="To relay media through firewalls.",
        basis=Basis.CONTRACT,
        needs=Needs.TURN,
        outside=True,
    ),
    Receiver(
        name="An OpenID provider",
        receives="That you sign in here or sign out, and when; not what you do here.",
        purpose="To sign in with an account from elsewhere.",
        basis=Basis.CONTRACT,
        needs=Needs.OIDC,
        outside=True,
    ),
)
