"""Declarations of personal data that exists only while the process runs. Texts as in stores.py."""

from dataclasses import dataclass

from pymeet.db.inventory import Basis, Category, Recipient


@dataclass(frozen=True)
class MemoryStore:
    """Personal data that exists only while the process runs."""

    name: str
    category: Category
    holds: str
    purpose: str
    basis: Basis
    subjects: tuple[str, ...]
    recipients: tuple[Recipient, ...]
    keep: str


MEMORY = (
    MemoryStore(
        name="sign-in attempts by e-mail address",
        category=Category.SIGN_IN,
        holds="E-mail addresses with which somebody failed to sign in, with the network address it was from (of IPv6 the "
        "first half), and when; the newest 10,000.",
        purpose="To slow down the guessing of one person's password.",
        basis=Basis.LEGITIMATE_INTEREST,
        subjects=("member",),
        recipients=(),
        keep="6 minutes at most.",
    ),
    MemoryStore(
        name="mail that was asked for",
        category=Category.SIGN_IN,
        holds="E-mail addresses to which somebody had a link sent, and network addresses (of IPv6 the first half) from "
        "which that was asked for, and when; the newest 10,000 of each.",
        purpose="To keep anybody from having somebody else flooded with mail.",
        basis=Basis.LEGITIMATE_INTEREST,
        subjects=("member",),
        recipients=(),
        keep="61 minutes at most.",
    ),
    MemoryStore(
        name="sign-in attempts by network address",
        category=Category.SIGN_IN,
        holds="Network addresses (of IPv6 the first half) from which a wrong password or receipt came, and when; the newest 10,000.",
        purpose="To slow down the guessing of passwords from one place.",
        basis=Basis.LEGITIMATE_INTEREST,
        subjects=("member",),
        recipients=(),
        keep="2 minutes at most.",
    ),
    MemoryStore(
        name="sign-ins that wait for a second factor",
        category=Category.SIGN_IN,
        holds="Ids of accounts, the hash of the password, how often a second factor was tried, and a random number that a passkey "
        "has to sign; for who comes from the OpenID provider, also what it said of the sign-in: its ID token, in which name and "
        "e-mail address can stand.",
        purpose="To ask for the second factor after the password.",
        basis=Basis.CONTRACT,
        subjects=("member",),
        recipients=(),
        keep="6 minutes at most.",
    ),
    MemoryStore(
        name="wrong codes by account",
        category=Category.SIGN_IN,
        holds="Ids of accounts for which a wrong code was typed, and when; the newest 10,000.",
        purpose="To slow down the guessing of codes.",
        basis=Basis.LEGITIMATE_INTEREST,
        subjects=("member",),
        recipients=(),
        keep="61 minutes at most.",
    ),
    MemoryStore(
        name="second factors that are being set up",
        category=Category.SIGN_IN,
        holds="Ids of accounts, with the secret for an authenticator app or a random number that a passkey has to sign.",
        purpose="To let a member set up a second factor.",
        basis=Basis.CONTRACT,
        subjects=("member",),
        recipients=(),
        keep="11 minutes at most.",
    ),
    MemoryStore(
        name="sign-outs that the OpenID provider announced",
        category=Category.SIGN_IN,
        holds="Random numbers of sign-ins and of announced sign-outs that were used.",
        purpose="To take each of them once.",
        basis=Basis.CONTRACT,
        subjects=("member",),
        recipients=(),
        keep="11 minutes at most.",
    ),
    MemoryStore(
        name="requests that may be sent twice",
        category=Category.MEETING,
        holds="Hashes of keys that programs chose, of whose they are and of what was asked for, and the room or meeting that "
        "was made; the newest 10,000.",
        purpose="To make a room or a meeting once when a program asks for it twice.",
        basis=Basis.CONTRACT,
        subjects=("member",),
        recipients=(),
        keep="24 hours at most.",
    ),
    MemoryStore(
        name="failed sign-ins by account",
        category=Category.SIGN_IN,
        holds="Ids of accounts to which somebody failed to sign in, and how often.",
        purpose="To note the number in the audit log a little later, so that the time of an answer tells nothing.",
        basis=Basis.LEGITIMATE_INTEREST,
        subjects=("member",),
        recipients=(),
        keep="About a minute.",
    ),
    MemoryStore(
        name="live rooms",
        category=Category.MEETING,
        holds="Who is in a room or waits to come in, their names, roles and times, which administrators can see; their network "
        "addresses and what they send; how well their connections work; who raised a hand, and who was banned; of members, "
        "the hash of the session with which they came.",
        purpose="To hold the meeting.",
        basis=Basis.CONTRACT,
        subjects=("member", "guest"),
        recipients=(Recipient.ROOM, Recipient.ADMINISTRATORS),
        keep="Until they leave, or 60 seconds after their connection is lost; a ban until the meeting is over.",
    ),
    MemoryStore(
        name="owners to be told that somebody waits",
        category=Category.MEETING,
        holds="Ids of rooms in which somebody waited to be let in while the owner was away, and of their owners.",
        purpose="To tell owners of it, and not again and again.",
        basis=Basis.CONTRACT,
        subjects=("member",),
        recipients=(),
        keep="An owner's id until they are told, which is at once; a room's for 10 minutes, and until somebody waits in any room "
        "after that.",
    ),
    MemoryStore(
        name="connection checks by network address",
        category=Category.MEETING,
        holds="Network addresses (of IPv6 the first half) from which somebody looked whether a connection can be made, and when; "
        "the newest 10,000.",
        purpose="To keep anybody from wearing out the server by asking for it.",
        basis=Basis.LEGITIMATE_INTEREST,
        subjects=("member", "guest"),
        recipients=(),
        keep="2 minutes at most.",
    ),
    MemoryStore(
        name="wrong room passwords by network address",
        category=Category.ROOM,
        holds="Network addresses (of IPv6 the first half) from which a wrong password of a room came, and when; the newest 10,000.",
        purpose="To slow down the guessing of a room's password.",
        basis=Basis.LEGITIMATE_INTEREST,
        subjects=("member", "guest"),
        recipients=(),
        keep="About 5 minutes.",
    ),
)
