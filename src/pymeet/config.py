"""The configuration: one frozen object, made once at start and passed down. Nothing else reads the environment.

`Config` is the model, `load` makes one from a YAML file and the environment. Its text forms are in ops/config_text.py.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo

from pymeet.config_media import MediaConfig, check_media
from pymeet.config_oidc import OidcConfig, check_oidc
from pymeet.config_section import Port, Section, Switch
from pymeet.config_values import (
    check_line,
    check_mailbox,
    check_public_url,
    check_time_of_day,
    check_token,
    is_loopback,
    off_is_a_word,
    parse_network,
)
from pymeet.errors import ConfigError, InvalidInputError
from pymeet.refusals import DEFAULTS, ENVIRONMENT, explain, origin_of, refusal, refused
from pymeet.retention import CLASSES, FOREVER, check_period, days, format_period, parse_period
from pymeet.yaml_tree import Place, UnreadableError, dotted, read_yaml

DEFAULT_FILE = Path("pymeet.yaml")
_PREFIX = "PYMEET_"
_UNITS_S = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> timedelta:
    """Reads `90s`, `15min`, `12h` or `7d`; a number without a unit is refused, for it would be guessed at."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,9})(s|min|h|d)", value) if isinstance(value, str) else None
    if match is None:
        bare = isinstance(value, int | float) or (isinstance(value, str) and value.isdigit())
        what = f"{value} has no unit." if bare else f"{value!r} is not a duration."
        raise refusal(what, "Write a whole number with a unit: 90s, 15min, 12h or 7d.")
    duration = timedelta(seconds=int(match[1]) * _UNITS_S[match[2]])
    if not duration:
        raise refusal("The duration is zero.", "Write a longer one, such as 12h.")
    return duration


def format_duration(duration: timedelta) -> str:
    """Writes a duration with the largest unit that divides it; the inverse of `parse_duration`."""
    seconds = int(duration.total_seconds())
    unit = next(unit for unit in ("d", "h", "min", "s") if seconds % _UNITS_S[unit] == 0)
    return f"{seconds // _UNITS_S[unit]}{unit}"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Network = Annotated[IPv4Network | IPv6Network, PlainValidator(parse_network)]


class TlsConfig(Section):
    """How the HTTP port is encrypted. Browsers give cameras and microphones to encrypted pages only."""

    mode: Annotated[Literal["self_signed", "files", "off"], BeforeValidator(off_is_a_word)] = "self_signed"
    """`self_signed` makes a certificate in data_dir, which browsers warn about; `files` uses yours; `off` is plain
    HTTP, allowed only on a loopback host or with trusted_proxies."""
    cert_file: Path | None = Field(None, examples=["/etc/pymeet/fullchain.pem"])
    """The certificate with its chain, PEM. Only with mode `files`."""
    key_file: Path | None = Field(None, examples=["/etc/pymeet/privkey.pem"])
    """The private key, PEM, without a passphrase. Only with mode `files`."""


class HttpConfig(Section):
    """The web page, the API and signaling: one TCP port."""

    host: str = Field("0.0.0.0", min_length=1, max_length=253)  # noqa: S104 - the purpose is to be reached
    """The address to listen on. `127.0.0.1` behind a proxy on the same machine."""
    port: Port = 8443
    """The TCP port. 0 takes any free one, which only makes sense for tests."""
    public_url: Annotated[str, AfterValidator(check_public_url)] | None = Field(
        None, examples=["https://meet.example.org"]
    )
    """The address people type, used in links. Without it: the scheme, the first found address and the port."""
    trusted_proxies: tuple[Network, ...] = Field((), examples=[["127.0.0.1/32"]])
    """Networks of the proxies whose `X-Forwarded-*` headers are believed."""
    metrics_token: Annotated[SecretStr, AfterValidator(check_token)] | None = Field(
        None, examples=["the output of openssl rand -hex 32"]
    )
    """The bearer token for /metrics, 16 characters or more. Without it only the management socket has the metrics."""
    announcement: Annotated[str, AfterValidator(check_line)] | None = Field(
        None, examples=["On Sunday from 8 to 9 there are no meetings: the server is being updated."]
    )
    """A line on the start page, for everybody who opens it."""
    tls: TlsConfig = TlsConfig()


class RoomsConfig(Section):
    """Rooms and who may enter them."""

    guests_allowed: Switch = True
    """Whether people without an account may join a room whose link they have."""
    max_participants: int = Field(100, strict=True, ge=2, le=10_000)
    """How many people, publishers and players one room takes."""
    last_videos: int = Field(25, strict=True, ge=1, le=1_000)
    """How many pictures one person is sent at a time: shared screens, pinned people and those who spoke last come first."""
    last_voices: int = Field(8, strict=True, ge=1, le=1_000)
    """How many microphones are sent to everybody at a time: the loudest. Recordings have all of them."""
    max_lag_ms: int = Field(100, strict=True, ge=0, le=10_000)
    """When the server is later than this, in milliseconds, or never idle for ten seconds, it lets nobody new in. 0 refuses nobody."""
    may_create: Literal["members", "admins"] = "members"
    """Who may make rooms. `admins`: administrators only, also for the rooms of scheduled meetings and personal rooms."""
    waiting_room: Annotated[Literal["off", "guests", "everybody"], BeforeValidator(off_is_a_word)] = "off"
    """Who waits to be admitted in a room that is made from now on. Its owner can decide otherwise."""


class RecordingConfig(Section):
    """Recording meetings. A host starts it, everybody is asked, and who does not agree is not recorded."""

    enabled: Switch = True
    """Whether hosts may record."""
    max_duration: Duration = timedelta(hours=8)
    """A recording that is this old is stopped."""
    max_gigabytes: int = Field(50, strict=True, ge=1, le=10_000)
    """A recording whose tracks are together this large (10^9 bytes) is stopped."""
    min_free_gigabytes: int = Field(2, strict=True, ge=1, le=10_000)
    """Recording stops, or does not start, when the disk has less room than this left."""
    sync: Duration = timedelta(seconds=1)
    """How often what was recorded is made safe against a power cut. A crash of the server alone loses less."""
    film: Annotated[Literal["mp4", "webm", "off"], BeforeValidator(off_is_a_word)] = "mp4"
    """What is made of a recording by itself when it ends: `mp4` (H.264, AAC), `webm` (VP9, Opus), or `off`: only when
    somebody asks for it."""
    film_height: Literal[360, 480, 720, 1080] = 720
    """Lines of the film's picture."""
    film_layout: Literal["grid", "speaker"] = "grid"
    """`grid` shows everybody alike, `speaker` shows who speaks large. A shared screen is large in both."""


class AccountsConfig(Section):
    """Who gets an account, and what passwords must be like."""

    registration: Literal["invitation", "open", "closed"] = "invitation"
    """`invitation` lets administrators invite people; `open` lets everybody register who can read mail at the address
    they give; `closed` leaves making accounts to the command line."""
    minimum_password: int = Field(12, strict=True, ge=12, le=128)
    """How many characters a new password needs."""


class SessionsConfig(Section):
    """How long members stay signed in."""

    idle: Duration = timedelta(days=7)
    """A session that was not used for this long ends."""
    absolute: Duration = timedelta(days=30)
    """Every session ends after this long, used or not."""
    remember_device_days: int = Field(30, strict=True, ge=0, le=90)
    """For how many days a browser is not asked for the second factor again, where its owner wants that. 0: it always
    is."""


def _kept(name: str) -> Any:
    """The field of one retention class; what it means and its bounds come from the one table."""
    known = CLASSES[name]
    end = ", or `forever`" if known.may_be_forever else ""
    about = f"{known.title}: deleted this long {known.begins}. From {format_period(known.min_ms)} to {format_period(known.max_ms)}{end}."
    return Field(format_period(known.default_ms), description=about)


class RetentionConfig(Section):
    """How long things are kept. What is over is hidden at once and deleted by the next sweep. A shorter period takes
    effect 72 hours after it was set, so that a mistake can be taken back."""

    at: Annotated[str, BeforeValidator(check_time_of_day)] = "02:00"
    """When the daily sweep runs, in UTC. What lives shortly is looked for every few minutes besides."""
    account: str = _kept("account")
    erasure_grace: str = _kept("erasure_grace")
    session: str = _kept("session")
    link: str = _kept("link")
    token: str = _kept("token")
    room_address: str = _kept("room_address")
    attendance: str = _kept("attendance")
    chat: str = _kept("chat")
    recording: str = _kept("recording")
    recording_trash: str = _kept("recording_trash")
    meeting: str = _kept("meeting")
    mail_sent: str = _kept("mail_sent")
    mail_failed: str = _kept("mail_failed")
    notification: str = _kept("notification")
    notification_read: str = _kept("notification_read")
    export: str = _kept("export")
    consent: str = _kept("consent")
    request: str = _kept("request")
    ledger: str = _kept("ledger")
    audit: str = _kept("audit")
    breach: str = _kept("breach")
    backup: str = _kept("backup")

    def period_ms(self, name: str) -> int | None:
        """How long class `name` is kept, in milliseconds; None without end."""
        text: str = getattr(self, name)
        return None if text == FOREVER else parse_period(text)

    @field_validator(*CLASSES, mode="before")
    @classmethod
    def _check_period(cls, value: object, info: ValidationInfo) -> str:
        name = info.field_name or ""
        try:
            period_ms = None if value == FOREVER else parse_period(str(value))
            check_period(name, period_ms)
        except InvalidInputError as error:
            what, _, remedy = error.message.partition(". ")
            raise refusal(f"{what.removesuffix('.')}.", remedy or "Write a period inside these bounds.") from None
        return format_period(period_ms)


class PrivacyConfig(Section):
    """Who answers for the personal data here. Shown on the public privacy page and in the record of processing."""

    controller: str | None = Field(None, max_length=200, examples=["Example Clinic, 1 Main Street, Springfield"])
    """The organisation that answers for this server, with its address (Article 4(7))."""
    contact: str | None = Field(None, max_length=200, examples=["privacy@example.org"])
    """How people reach it about their data."""
    dpo_contact: str | None = Field(None, max_length=200, examples=["dpo@example.org"])
    """How people reach the data protection officer (Article 37), where there is one."""
    authority: str | None = Field(None, max_length=200, examples=["Autoriteit Persoonsgegevens, The Hague"])
    """The supervisory authority people can complain to (Article 77)."""


class BackupConfig(Section):
    """Where backups go. How long they are kept stands under retention."""

    dir: Path | None = Field(None, examples=["/var/backups/pymeet"])
    """The directory for backups. Without it: `backups` in data_dir."""


class MailConfig(Section):
    """Outgoing mail, handed to a mail server. Without a host no mail is sent: people find on their pages what they
    would be written."""

    host: str | None = Field(None, min_length=1, max_length=253, examples=["smtp.example.org"])
    """The mail server that takes mail from pymeet. Without it mail is off."""
    port: int = Field(587, strict=True, ge=1, le=65535)
    """Its TCP port: 587 as a rule with `starttls`, 465 with `tls`, 25 with `off`."""
    encryption: Annotated[Literal["starttls", "tls", "off"], BeforeValidator(off_is_a_word)] = "starttls"
    """`starttls` turns to TLS after the greeting and sends nothing without it; `tls` begins with TLS; `off` is for a
    mail server on this machine only. Certificates are always verified."""
    username: str | None = Field(None, min_length=1, max_length=320, examples=["pymeet"])
    """The name to sign in with at the mail server, where it asks for one."""
    password: SecretStr | None = Field(None, examples=["what the mail server's operator gave you"])
    """The password that belongs to it."""
    from_address: Annotated[str, AfterValidator(check_mailbox)] | None = Field(None, examples=["meet@example.org"])
    """The address that mail comes from. Needed with a host; answers and bounces arrive there."""
    from_name: str = Field("pymeet", min_length=1, max_length=80)
    """The name shown beside it."""
    language: Literal["en", "de"] = "en"
    """The language of mail to people who chose none."""
    timeout: Duration = timedelta(seconds=30)
    """How long it may take to connect to the mail server, and then to hand over each mail."""


class LogConfig(Section):
    """What is written to standard error. At `info` and above it holds no personal data."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """`debug` shows names and addresses: for hunting a fault, not for every day."""
    format: Literal["text", "json"] = "text"
    """`text` for people, `json` (one object a line) for machines."""


class Config(Section):
    """All settings of one pymeet server."""

    data_dir: Path = Path("pymeet-data")
    """The directory for the database, keys, certificate and management socket. Relative to where pymeet is started."""
    http: HttpConfig = HttpConfig()
    media: MediaConfig = MediaConfig()
    rooms: RoomsConfig = RoomsConfig()
    recording: RecordingConfig = RecordingConfig()
    accounts: AccountsConfig = AccountsConfig()
    oidc: OidcConfig = OidcConfig()
    sessions: SessionsConfig = SessionsConfig()
    retention: RetentionConfig = RetentionConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    backup: BackupConfig = BackupConfig()
    mail: MailConfig = MailConfig()
    log: LogConfig = LogConfig()

    @property
    def listens_on_loopback(self) -> bool:
        """Whether only this machine can reach the HTTP port."""
        return is_loopback(self.http.host)

    @property
    def socket_path(self) -> Path:
        """Where the running server listens for the command line."""
        return self.data_dir / "pymeet.sock"

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "pymeet.db"

    @property
    def keys_path(self) -> Path:
        """The SQLite file of wrapped keys, apart from the database."""
        return self.data_dir / "keys.db"

    @property
    def backup_dir(self) -> Path:
        """Where backups go."""
        return self.backup.dir or self.data_dir / "backups"


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Makes the configuration from the file (None: defaults) and `PYMEET_…` variables, which win. ConfigError."""
    file = str(path) if path else DEFAULTS
    try:
        tree, origins = read_yaml(path) if path else ({}, {})
    except UnreadableError as error:
        raise ConfigError(str(error)) from None
    _overlay(tree, origins, environ)
    _read_secret_files(Config, tree, origins, ())
    known = {dotted(place): is_secret(field) for place, field in fields(Config)}
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(problem, origins, file, known) for problem in error.errors())) from None
    _check_together(config, origins, file)
    return config


def fields(model: type[Section], place: Place = ()) -> Iterator[tuple[Place, FieldInfo]]:
    """Every setting with its place, in the order of the model; sections themselves are left out."""
    for name, field in model.model_fields.items():
        section = section_of(field)
        if section:
            yield from fields(section, (*place, name))
        else:
            yield (*place, name), field


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that a field holds, None for a setting."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def is_secret(field: FieldInfo) -> bool:
    """Whether the setting must not be shown; each such one can also be given as `<key>_file`."""
    return "SecretStr" in str(field.annotation)


def _overlay(tree: dict[str, Any], origins: dict[Place, str], environ: Mapping[str, str]) -> None:
    """Puts `PYMEET_HTTP__PORT=80` and the like into the tree. A list is written with commas."""
    known = dict(fields(Config))
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or not ("__" in variable or variable == "PYMEET_DATA_DIR"):
            continue
        place: Place = tuple(variable.removeprefix(_PREFIX).lower().split("__"))
        text, field = environ[variable], known.get(place)
        value: object = text
        if field and field.annotation in (int, bool):
            value = _plain(text)
        elif field and "tuple" in str(field.annotation):
            value = [part.strip() for part in text.split(",") if part.strip()]
        section = tree
        for name in place[:-1]:
            below = section.setdefault(str(name), {})
            section = below if isinstance(below, dict) else {}
        section[str(place[-1])] = value
        origins[place] = f"{ENVIRONMENT}{variable}"


def _plain(text: str) -> object:
    """A number or switch out of the environment; anything else stays text and is refused by the model."""
    if re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    return {"true": True, "false": False}.get(text.lower(), text)


def _read_secret_files(model: type[Section], tree: dict[str, Any], origins: dict[Place, str], place: Place) -> None:
    """Replaces `<key>_file: PATH` by `<key>: what the file holds`, for every secret."""
    for name, field in model.model_fields.items():
        section = section_of(field)
        if section and isinstance(tree.get(name), dict):
            _read_secret_files(section, tree[name], origins, (*place, name))
        if not is_secret(field) or f"{name}_file" not in tree:
            continue
        here = (*place, f"{name}_file")
        path, origin = tree.pop(f"{name}_file"), origins.get(here, DEFAULTS)
        if name in tree:
            raise ConfigError(
                f"{origin}: {dotted(here)} and {dotted((*place, name))} are both given.\nRemove one of the two."
            )
        try:
            tree[name] = Path(str(path)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            remedy = "Check that it exists and may be read by pymeet."
            raise ConfigError(refused(origin, here, f"{path} cannot be read.", remedy)) from None
        origins[(*place, name)] = origin


def _check_together(config: Config, origins: dict[Place, str], file: str) -> None:
    """What no single value can tell."""

    def refuse(place: Place, what: str, remedy: str) -> None:
        raise ConfigError(refused(origin_of(place, origins, file), place, what, remedy))

    ledger_ms, backup_ms = config.retention.period_ms("ledger"), config.retention.period_ms("backup")
    if ledger_ms is not None and backup_ms is not None and ledger_ms < backup_ms + days(30):
        refuse(
            ("retention", "ledger"),
            "It ends before the oldest backup does, so a restore could bring erased people back.",
            f"Keep it for {format_period(backup_ms + days(30))} or longer.",
        )
    tls = config.http.tls
    if tls.mode == "off" and not config.listens_on_loopback and not config.http.trusted_proxies:
        refuse(
            ("http", "tls", "mode"),
            f"Plain HTTP on {config.http.host} could be read by anybody on the way.",
            "Set http.host to 127.0.0.1, or name the proxy that encrypts in http.trusted_proxies.",
        )
    for name in ("cert_file", "key_file"):
        given = getattr(tls, name) is not None
        if tls.mode == "files" and not given:
            refuse(("http", "tls", name), "It is missing; mode `files` needs it.", "Write the path of the PEM file.")
        if tls.mode != "files" and given:
            refuse(("http", "tls", name), f"It has no effect with mode `{tls.mode}`.", "Set http.tls.mode to files.")
    check_media(config.media, refuse)
    check_oidc(config.oidc, refuse)
    _check_mail(config.mail, refuse)


def _check_mail(mail: MailConfig, refuse: Callable[[Place, str, str], None]) -> None:
    if mail.host and not mail.from_address:
        remedy = "Write the address that mail comes from, such as meet@example.org."
        refuse(("mail", "from_address"), "It is missing; mail.host needs it.", remedy)
    if mail.host and mail.encryption == "off" and not is_loopback(mail.host):
        refuse(
            ("mail", "encryption"),
            f"Mail on its way to {mail.host} could be read by anybody on the way.",
            "Set mail.encryption to starttls or tls; `off` is for a mail server on this machine.",
        )
    for one, other in (("username", "password"), ("password", "username")):
        if getattr(mail, one) is not None and getattr(mail, other) is None:
            refuse(("mail", other), f"It is missing; mail.{one} needs it.", "Give both, or neither.")
