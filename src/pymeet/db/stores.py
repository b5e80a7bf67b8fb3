"""Declarations of what is kept outside the database: files, and the visitor's own browser.

What is in memory only is declared in memory.py, and in outflows.py what leaves the server, log lines and recipients.
Texts are shown to people as they stand; `privacy/documents/texts` has them in other languages.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from pymeet.db.inventory import Basis, Category, InventoryError, Recipient


@dataclass(frozen=True)
class FileStore:
    """Files in the data directory."""

    paths: tuple[str, ...]
    """Patterns relative to the data directory, in which `*` stands for any part of a name and `**` for whole folders."""
    category: Category
    holds: str
    purpose: str
    personal: bool
    keep: str
    erase: str
    export: str
    secret: bool = False
    basis: Basis = Basis.LEGITIMATE_INTEREST
    subjects: tuple[str, ...] = ("member", "guest")
    recipients: tuple[Recipient, ...] = (Recipient.BACKUPS,)
    retention: str | None = None
    """The retention class by which whole files of this kind end; None where they do not end by time of their own."""

    @property
    def name(self) -> str:
        """All patterns, for people."""
        return ", ".join(self.paths)

    @property
    def of_tables(self) -> bool:
        """Whether it holds tables, which are declared one by one."""
        return self.paths[0].startswith(("pymeet.db", "keys.db"))


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
    """`{idle}` and `{absolute}` stand for the configured life of a session."""


FILES = (
    FileStore(
        paths=("pymeet.db",),
        category=Category.OPERATION,
        holds="The tables described on this page.",
        purpose="To keep what lasts longer than a meeting.",
        personal=True,
        keep="As each table says.",
        erase="As each table says; deleted content is overwritten (`secure_delete`).",
        export="As each column says.",
    ),
    FileStore(
        paths=("pymeet.db-wal", "pymeet.db-shm"),
        category=Category.OPERATION,
        holds="The newest changes to the tables, before they reach the database file.",
        purpose="To lose no acknowledged change when power fails.",
        personal=True,
        keep="Until the next checkpoint; gone after an orderly stop.",
        erase="A truncating checkpoint ends every erasure.",
        export="Not apart from the database.",
    ),
    FileStore(
        paths=("keys.db", "keys.db-wal", "keys.db-shm"),
        category=Category.OPERATION,
        holds="One wrapped random key for every sealed file, and this server's own keys.",
        purpose="To open sealed files, and to destroy them for good, in backups too.",
        personal=False,
        keep="Each key until its file is destroyed; the server's own as long as the server.",
        erase="The key of a file goes first; what is left of the file can then be read by nobody.",
        export="No: it would open what belongs to others.",
        secret=True,
    ),
    FileStore(
        paths=("master.key", "master.key.new"),
        category=Category.OPERATION,
        holds="The random key that all other keys of this server depend on; for a moment also the next one, while it is changed.",
        purpose="To seal and sign what this server must recognise again.",
        personal=False,
        keep="As long as the server, or until it is changed.",
        erase="Nothing to erase.",
        export="No: it would open what belongs to others.",
        secret=True,
    ),
    FileStore(
        paths=("files/*/*.sealed", "files/*/*.sealed.part"),
        category=Category.RIGHTS,
        holds="Tracks of recordings, films made of them, pictures of members, and archives of people's data: sealed, each "
        "under a key of its own.",
        purpose="To watch meetings again, to show who somebody is, and to hand people their data.",
        personal=True,
        basis=Basis.CONSENT,
        keep="As long as the row that names it; what no row names is removed.",
        erase="Key and file are destroyed with the row.",
        export="A person's own tracks and picture. No films, which show others too, and no archives, which hold what the "
        "next one holds anew.",
    ),
    FileStore(
        paths=("ledger/erasures.jsonl",),
        category=Category.RIGHTS,
        holds="A line for every erasure: a keyed hash in place of the person, a fixed word and the time.",
        purpose="To keep erased people erased when a backup is restored.",
        personal=True,
        basis=Basis.LEGAL_OBLIGATION,
        subjects=("erased person",),
        keep="As the table `erasure_ledger`.",
        erase="Stays: it is what keeps the person erased.",
        export="No: the hash says nothing to anybody without the server's key.",
        retention="ledger",
    ),
    FileStore(
        paths=("ledger/audit-checkpoints.jsonl",),
        category=Category.ACCOUNTABILITY,
        holds="Signed hashes over the end of the audit log.",
        purpose="To notice when somebody cut events off the audit log.",
        personal=False,
        keep="As long as the server: hashes say nothing about anybody.",
        erase="Nothing to erase.",
        export="Nothing to export.",
    ),
    FileStore(
        paths=("backups/**",),
        category=Category.OPERATION,
        holds="Copies of the database, the sealed files and the ledgers, as they were.",
        purpose="To bring the server back after a loss.",
        personal=True,
        keep="As the class of backups says.",
        erase="What was erased stays in older backups until they end, is erased again before a restored server answers "
        "anybody, and sealed files in them can no longer be opened.",
        export="No: the same data is handed over from the database.",
        retention="backup",
    ),
    FileStore(
        paths=("backup-*.part",),
        category=Category.OPERATION,
        holds="A copy of the database, while it is encrypted for a backup or a backup is looked at.",
        purpose="To make and to verify encrypted backups.",
        personal=True,
        keep="Minutes; what a crash left is removed at the next start.",
        erase="Gone before anybody could be erased from it.",
        export="Not apart from the database.",
        recipients=(),
    ),
    FileStore(
        paths=("restore.pending", "restore.pending.new", "quarantine/**"),
        category=Category.OPERATION,
        holds="A backup that is being put back, before it takes the place of what is there.",
        purpose="To erase again whom the backup brings back, before anybody can see it.",
        personal=True,
        keep="While a backup is put back; what a crash left is finished or removed at the next start.",
        erase="Everybody whom the ledger names is erased in it.",
        export="Not apart from the database.",
        recipients=(),
    ),
    FileStore(
        paths=("self-signed.pem", "self-signed.new"),
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
        paths=("pymeet.sock", "pymeet.lock"),
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
        lifetime="{idle} without use, {absolute} at most, or until sign-out.",
    ),
    ClientStore(
        name="pymeet_session",
        place=Place.COOKIE,
        holds="A random token.",
        purpose="The same on a server without TLS, which only answers its own machine.",
        lifetime="{idle} without use, {absolute} at most, or until sign-out.",
    ),
    ClientStore(
        name="__Host-pymeet_device",
        place=Place.COOKIE,
        holds="A random token.",
        purpose="To tell a member's own browser from a stranger's, and to ask for the second factor less often there.",
        lifetime="90 days after the last sign-in, or until the member lets it be forgotten.",
    ),
    ClientStore(
        name="pymeet_device",
        place=Place.COOKIE,
        holds="A random token.",
        purpose="The same on a server without TLS, which only answers its own machine.",
        lifetime="90 days after the last sign-in, or until the member lets it be forgotten.",
    ),
    ClientStore(
        name="__Host-pymeet_oidc",
        place=Place.COOKIE,
        holds="A random number, the page to come back to, what the sign-in is for and, for who is signed in already and links "
        "or confirms an account, the id of theirs here, signed.",
        purpose="To be sure that who comes back from the OpenID provider is who went there.",
        lifetime="10 minutes, or until the sign-in is done; none where no provider is set up.",
    ),
    ClientStore(
        name="pymeet_oidc",
        place=Place.COOKIE,
        holds="A random number, the page to come back to, what the sign-in is for and, for who is signed in already and links "
        "or confirms an account, the id of theirs here, signed.",
        purpose="The same on a server without TLS, which only answers its own machine.",
        lifetime="10 minutes, or until the sign-in is done; none where no provider is set up.",
    ),
    ClientStore(
        name="__Host-pymeet-film",
        place=Place.COOKIE,
        holds="The random number of a link that was opened, signed.",
        purpose="To play the film that somebody shared by a link.",
        lifetime="12 hours, or until the link ends.",
    ),
    ClientStore(
        name="pymeet-film",
        place=Place.COOKIE,
        holds="The random number of a link that was opened, signed.",
        purpose="The same on a server without TLS, which only answers its own machine.",
        lifetime="12 hours, or until the link ends.",
    ),
    ClientStore(
        name="pymeet.seat",
        place=Place.SESSION_STORAGE,
        holds="A random token for the seat in the present meeting, the room's address and the name shown there.",
        purpose="To come back to the same seat after a reload or a lost connection.",
        lifetime="Until the tab closes; worthless 60 seconds after the connection was lost.",
    ),
    ClientStore(
        name="pymeet.receipt",
        place=Place.SESSION_STORAGE,
        holds="The signed receipt of a guest: the random id of the seat, the room's id and the time of joining.",
        purpose="To let guests see, get and erase what is held about them, although they have no account.",
        lifetime="Until the tab closes; guests can keep a copy.",
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
        name="pymeet.knock",
        place=Place.LOCAL_STORAGE,
        holds="Whether no sound tells hosts that somebody waits to be let in.",
        purpose="To stay silent for those who want that.",
        lifetime="Until the visitor turns the sound on again.",
    ),
    ClientStore(
        name="pymeet.audioOnly",
        place=Place.LOCAL_STORAGE,
        holds="Whether pictures of others are left out.",
        purpose="To spare slow and costly networks in the next meeting, too.",
        lifetime="Until the visitor shows pictures again.",
    ),
    ClientStore(
        name="pymeet.music",
        place=Place.LOCAL_STORAGE,
        holds="Whether the microphone is set for music.",
        purpose="To set it so in the next meeting, too.",
        lifetime="Until the visitor switches it off again.",
    ),
    ClientStore(
        name="pymeet.theme",
        place=Place.LOCAL_STORAGE,
        holds="Light, dark or high contrast; nothing while the system decides.",
        purpose="To show the pages as the visitor prefers.",
        lifetime="Until the visitor clears it.",
    ),
    ClientStore(
        name="pymeet.language",
        place=Place.LOCAL_STORAGE,
        holds="The language of the account that was signed in here; nothing while the browser decides.",
        purpose="To show the pages in that language, also before signing in.",
        lifetime="Until the visitor clears it, or chooses another language in the profile.",
    ),
)

BOOKKEEPING_TABLES = {
    "alembic_version": "The number of the newest migration applied.",
    "sqlite_sequence": "SQLite's own counters for ever-growing row numbers.",
}
"""Tables that are not ours to declare; they hold nothing about anybody."""


def file_store(path: PurePath | str) -> FileStore | None:
    """The declaration that covers a path relative to the data directory; None for a file that nobody declared."""
    found = [store for store in FILES if any(_covers(pattern, path) for pattern in store.paths)]
    if len(found) > 1:
        raise InventoryError(f"Two declarations cover the same file: {found[0].name} and {found[1].name}.")
    return found[0] if found else None


def undeclared(paths: Iterable[PurePath]) -> list[PurePath]:
    """Those of `paths`, relative to the data directory, that no declaration covers."""
    return [path for path in paths if file_store(path) is None]


def _covers(pattern: str, path: PurePath | str) -> bool:
    text = re.escape(pattern).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
    return re.fullmatch(text, PurePath(path).as_posix()) is not None
