"""Declarations of what is kept outside the database: files, the visitor's own browser, and memory."""

from dataclasses import dataclass
from enum import StrEnum

from pymeet.db.inventory import Category


@dataclass(frozen=True)
class FileStore:
    """Files under the data directory; `path` may be a pattern."""

    path: str
    category: Category
    holds: str
    purpose: str
    personal: bool
    keep: str
    erase: str
    export: str
    secret: bool = False


class Place(StrEnum):
    """Where a browser keeps something for us."""

    COOKIE = "cookie"
    LOCAL_STORAGE = "local storage"
    SESSION_STORAGE = "session storage"


@dataclass(frozen=True)
class ClientStore:
    """Something the visitor's browser keeps. All of it is essential: no banner is needed."""

    name: str
    place: Place
    holds: str
    purpose: str
    lifetime: str


@dataclass(frozen=True)
class MemoryStore:
    """Personal data that exists only while the process runs."""

    name: str
    holds: str
    purpose: str
    lifetime: str


FILES = (
    FileStore(
        path="pymeet.db",
        category=Category.OPERATION,
        holds="The tables described on this page.",
        purpose="To keep what lasts longer than a meeting.",
        personal=True,
        keep="As each table says.",
        erase="As each table says; deleted content is overwritten (`secure_delete`).",
        export="As each column says.",
    ),
    FileStore(
        path="pymeet.db-wal, pymeet.db-shm",
        category=Category.OPERATION,
        holds="The newest changes to the tables, before they reach the database file.",
        purpose="To lose no acknowledged change when power fails.",
        personal=True,
        keep="Until the next checkpoint; gone after an orderly stop.",
        erase="A truncating checkpoint ends every erasure.",
        export="Not apart from the database.",
    ),
    FileStore(
        path="master.key",
        category=Category.OPERATION,
        holds="The random key from which this server's other keys are derived.",
        purpose="To seal and sign what this server must recognise again.",
        personal=False,
        keep="As long as the server.",
        erase="Nothing to erase.",
        export="No: it would open what belongs to others.",
        secret=True,
    ),
    FileStore(
        path="self-signed.pem",
        category=Category.OPERATION,
        holds="The self-signed certificate and its private key, where the operator brings none.",
        purpose="To encrypt the way between browser and server.",
        personal=False,
        keep="Until it is renewed.",
        erase="Nothing to erase.",
        export="No: the private key would let others pose as this server.",
        secret=True,
    ),
    FileStore(
        path="pymeet.sock, pymeet.lock",
        category=Category.OPERATION,
        holds="Nothing: the socket by which commands reach the running server, and the mark that one is running.",
        purpose="To administer the server on its own machine.",
        personal=False,
        keep="While the server runs.",
        erase="Nothing to erase.",
        export="Nothing to export.",
    ),
)

CLIENT = (
    ClientStore(
        name="__Host-pymeet_session",
        place=Place.COOKIE,
        holds="A random token.",
        purpose="To know a signed-in member again.",
        lifetime="7 days without use, 30 days at most, or until sign-out.",
    ),
    ClientStore(
        name="pymeet_session",
        place=Place.COOKIE,
        holds="A random token.",
        purpose="The same on a server without TLS, which only answers its own machine.",
        lifetime="7 days without use, 30 days at most, or until sign-out.",
    ),
    ClientStore(
        name="pymeet.seat",
        place=Place.SESSION_STORAGE,
        holds="A random token for the seat in the present meeting, the room's address and the name shown there.",
        purpose="To come back to the same seat after a reload or a lost connection.",
        lifetime="Until the tab closes; worthless 60 seconds after the connection was lost.",
    ),
    ClientStore(
        name="pymeet.name",
        place=Place.LOCAL_STORAGE,
        holds="The name last typed on the preview page.",
        purpose="To save typing it again.",
        lifetime="Until the visitor clears it.",
    ),
    ClientStore(
        name="pymeet.devices",
        place=Place.LOCAL_STORAGE,
        holds="Which microphone, camera and loudspeaker were last chosen, and whether the first two were on.",
        purpose="To choose them again.",
        lifetime="Until the visitor clears it.",
    ),
    ClientStore(
        name="pymeet.shortcuts",
        place=Place.LOCAL_STORAGE,
        holds="Whether keyboard shortcuts are off.",
        purpose="To leave the keys to those who use them for something else.",
        lifetime="Until the visitor turns them on again.",
    ),
    ClientStore(
        name="pymeet.theme",
        place=Place.LOCAL_STORAGE,
        holds="Light, dark or high contrast; nothing while the system decides.",
        purpose="To show the pages as the visitor prefers.",
        lifetime="Until the visitor clears it.",
    ),
)

MEMORY = (
    MemoryStore(
        name="sign-in attempts by e-mail address",
        holds="E-mail addresses with which somebody failed to sign in, and when; the newest 10,000.",
        purpose="To slow down the guessing of one person's password.",
        lifetime="6 minutes at most.",
    ),
    MemoryStore(
        name="sign-in attempts by network address",
        holds="Network addresses (of IPv6 the first half) from which somebody failed to sign in, and when; the newest 10,000.",
        purpose="To slow down the guessing of passwords from one place.",
        lifetime="2 minutes at most.",
    ),
    MemoryStore(
        name="live rooms",
        holds="Who is in a room, their names, network addresses and what they send.",
        purpose="To hold the meeting.",
        lifetime="Until they leave, or 60 seconds after their connection is lost.",
    ),
)

BOOKKEEPING_TABLES = {
    "alembic_version": "The number of the newest migration applied.",
    "sqlite_sequence": "SQLite's own counters for ever-growing row numbers.",
}
"""Tables that are not ours to declare; they hold nothing about anybody."""
