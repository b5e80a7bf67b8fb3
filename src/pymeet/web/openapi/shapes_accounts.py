"""What the API answers about accounts and signing in. Every field is always there unless it is `NotRequired`."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from pymeet.accounts.scopes import Scope
from pymeet.db.schema.accounts import THEMES
from pymeet.mail.message import LANGUAGES
from pymeet.web.openapi.words import Id, Ms, words

AccountRole = Literal["member", "admin", "dpo"]


class User(TypedDict):
    """A member as they see themselves. What they have not set is null."""

    id: Id
    name: str
    email: str
    admin: bool
    """Whether they look after the server."""
    dpo: bool
    """Whether they are a data protection officer."""
    language: Annotated[str, words(*LANGUAGES)] | None
    time_zone: str | None
    """An IANA name."""
    theme: Annotated[str, words(*THEMES)] | None
    second_factor: bool
    """Whether a second factor is asked for when they sign in."""
    avatar: bool
    """Whether there is a picture of theirs."""


class NoticeRead(TypedDict):
    """Which version of the privacy notice is in force."""

    version: int
    needs_acknowledgement: bool
    """Whether the person who asks has not read it yet."""


class Provider(TypedDict):
    """Where people sign in with the account of their organisation."""

    name: str
    only: bool
    """Whether everybody but administrators must sign in there."""


class Me(TypedDict):
    """Who asks, and what this server allows."""

    user: User | None
    """Null for who is not signed in."""
    guests_allowed: bool
    """Whether people without an account may come into rooms."""
    may_create_rooms: bool
    registration: Literal["invitation", "open", "closed"]
    """Who may make an account: people who were invited, everybody, or those that the operator adds."""
    minimum_password: int
    """How many characters a password must have."""
    mail: bool
    """Whether this server can send mail."""
    oidc: Provider | None
    """The organisation's OpenID provider, where there is one."""
    confirm: Literal["password", "provider", "fresh"] | None
    """How the person shows once more who they are, before what matters: by their password, or at the provider; `fresh` where
    they have just done it there. Null without a session."""
    announcement: str | None
    """A line for everybody who opens the start page."""
    notice: NoticeRead


class SignedIn(TypedDict):
    """The person is signed in; the answer sets the session cookie."""

    user: User


class SecondFactor(TypedDict):
    """What must be shown before the person is signed in."""

    ticket: str
    """Goes with the answer; good for five minutes and five tries."""
    methods: list[Literal["totp", "passkey", "recovery"]]
    """By what the person can answer."""
    remember_days: int
    """How long this browser may be trusted afterwards; 0 where the server does not allow that."""
    passkey: NotRequired[dict[str, Any]]
    """Options for `navigator.credentials.get()`."""


class SecondFactorNeeded(TypedDict):
    """The first proof was good, and a second one is asked for."""

    second_factor: SecondFactor


class PasskeyQuestion(TypedDict):
    """What a browser asks its passkeys."""

    ticket: str
    options: dict[str, Any]
    """For `navigator.credentials.get()`."""


class Link(TypedDict):
    """What a one-time link is for."""

    purpose: Literal[
        "first_admin", "set_password", "invitation", "register", "reset_password", "sign_in", "change_email"
    ]
    name: str | None
    email: str | None


class Nothing(TypedDict):
    """An object without fields."""


class NewUser(TypedDict):
    """The member, changed."""

    user: User


class Totp(TypedDict):
    """An authenticator app that is set up."""

    since: Ms


class Passkey(TypedDict):
    """A passkey of the member."""

    id: Id
    name: str
    created_at: Ms
    last_used_at: Ms | None


class ApiToken(TypedDict):
    """An API token of the member; not the token itself, which is not kept."""

    id: Id
    name: str
    scopes: list[Scope]
    created_at: Ms
    expires_at: Ms
    last_used_at: Ms | None
    """The hour of its last use."""


class ApiTokens(TypedDict):
    """The member's tokens that are still good, and what a new one may be."""

    tokens: list[ApiToken]
    scopes: list[Scope]
    """Those that the member's role allows."""
    default_days: int
    longest_days: int


class MadeApiToken(TypedDict):
    """The token that was made."""

    id: Id
    name: str
    scopes: list[Scope]
    created_at: Ms
    expires_at: Ms
    last_used_at: Ms | None
    token: str
    """Told this once."""


class NewPasskey(TypedDict):
    """The passkey that was added."""

    id: Id
    name: str
    created_at: Ms
    last_used_at: Ms | None
    recovery_codes: NotRequired[list[str]]
    """With the first second factor only, told this once."""


class Session(TypedDict):
    """Where the member is signed in."""

    id: Id
    current: bool
    """Whether it is the one that asks."""
    device: str
    """Such as `Firefox (Linux)`, or empty."""
    created_at: Ms
    last_seen_at: Ms
    expires_at: Ms


class Device(TypedDict):
    """A browser that is known from an earlier sign-in."""

    id: Id
    current: bool
    name: str
    """Such as `Firefox (Linux)`, or empty."""
    created_at: Ms
    last_seen_at: Ms
    expires_at: Ms
    trusted_until: Ms | None
    """Until then the second factor is not asked for."""


class Identity(TypedDict):
    """An account at the OpenID provider that is linked with the member's."""

    id: Id
    issuer: str
    created_at: Ms
    last_used_at: Ms


class Access(TypedDict):
    """What lets programs, and the OpenID provider, into somebody's account."""

    tokens: list[ApiToken]
    identities: list[Identity]


class Security(TypedDict):
    """Everything about the ways into the member's account."""

    password_changed_at: Ms | None
    totp: Totp | None
    recovery_codes_left: int
    passkeys_possible: bool
    """Whether this server has a host name, which passkeys need."""
    passkeys: list[Passkey]
    sessions: list[Session]
    devices: list[Device]
    identities: list[Identity]


class TotpSetup(TypedDict):
    """What an authenticator app needs (RFC 6238); it counts when it is confirmed."""

    secret: str
    uri: str
    qr_svg: str
    """The same as a picture, for an app that can scan it."""


class RecoveryCodes(TypedDict):
    """Told this once. Empty where there are some already."""

    recovery_codes: list[str]


class PasskeyOptions(TypedDict):
    """What a browser needs to make a passkey."""

    options: dict[str, Any]
    """For `navigator.credentials.create()`."""


class Ended(TypedDict):
    """How many sessions ended."""

    ended: int


class Account(TypedDict):
    """An account as administrators see it."""

    id: Id
    name: str
    email: str
    role: AccountRole
    state: Literal["active", "disabled", "invited", "being_erased"]
    created_at: Ms
    last_seen_at: Ms | None
    """Null for who never came."""
    second_factor: bool


class Accounts(TypedDict):
    """A page of accounts, by name."""

    users: list[Account]
    next: str | None
    """The `after` of the next page; null on the last one."""


class Invited(TypedDict):
    """The account for which a link was made."""

    user: Account
    link: NotRequired[str]
    """Only where the server sends no mail."""


class AccountsQuery(TypedDict, total=False):
    """Which accounts are listed."""

    search: Annotated[str, Field(max_length=254)]
    """A part of the name or of the address."""
    after: Annotated[str, Field(max_length=30)]
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=200)]
    """How many at most; 50 unless it is given."""
