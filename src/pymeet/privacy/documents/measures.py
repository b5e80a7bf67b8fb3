"""The security measures (Article 30(1)(g)): what the program guarantees, and what of it the configuration decides."""

from pymeet.config import Config
from pymeet.privacy.documents.deadlines import Effective
from pymeet.privacy.documents.words import Words

ALWAYS = (
    "media",
    "recorded",
    "overwritten",
    "sealed",
    "keys",
    "passwords",
    "tokens",
    "guessing",
    "content",
    "files",
    "log",
    "audit",
    "erased",
    "limits",
)
"""Those that no setting can switch off."""


def measures(say: Words, config: Config, effective: Effective) -> tuple[str, ...]:
    """All measures of a server with these settings, as sentences."""
    sessions = {
        name: say.period(round(getattr(config.sessions, name).total_seconds() * 1000), after=True)
        for name in ("idle", "absolute")
    }
    backup_ms = effective["backup"]
    found = [say(f"measure.tls_{config.http.tls.mode}")]
    found += [say(f"measure.{key}") for key in ALWAYS]
    found += [
        say("measure.sessions", **sessions),
        say("measure.retention", at=config.retention.at),
        say(
            "measure.backups",
            period=say("data_map.endless") if backup_ms is None else say.period(backup_ms, after=True),
        ),
    ]
    if config.mail.host:
        found.append(say(f"measure.mail_{config.mail.encryption}"))
    if not config.rooms.guests_allowed:
        found.append(say("measure.members"))
    return tuple(found)
