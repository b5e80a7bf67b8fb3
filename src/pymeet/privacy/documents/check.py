"""Reads the settings of one server as a data protection officer would: what is missing, what has no end, what is open."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pymeet.config import Config
from pymeet.db.stores import undeclared
from pymeet.privacy.documents.deadlines import Effective
from pymeet.retention import CLASSES, days, format_period

_SEALS = (b"PMSEALED", b"PMSEALOG")
"""What every sealed file begins with (docs/sealed-files.md)."""

_SHOWN = 3
"""So many paths are named; of the others there is only the number."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. `fail` is red: it must be put right before anybody relies on this server."""

    check: str
    verdict: Literal["ok", "warn", "fail"]
    says: str
    remedy: str = ""
    """What to do; empty when all is well."""


def check(config: Config, effective: Effective) -> list[Finding]:
    """Every check, over the settings, the periods in force and the files in the data directory. Reads only."""
    return [
        *_responsible(config),
        *_periods(effective),
        _ledger(effective),
        _mail(config),
        _log(config),
        *_files(config.data_dir),
    ]


def _responsible(config: Config) -> Iterator[Finding]:
    given = config.privacy
    wanted: Mapping[str, tuple[str | None, Literal["warn", "fail"], str]] = {
        "controller": (given.controller, "fail", "The notice does not say who is responsible (Article 13(1)(a))."),
        "contact": (given.contact, "fail", "The notice does not say how to reach whoever is responsible."),
        "dpo_contact": (given.dpo_contact, "warn", "No data protection officer is named; not everybody needs one."),
        "authority": (given.authority, "warn", "The notice does not name the supervisory authority (Article 77)."),
    }
    for key, (value, verdict, says) in wanted.items():
        name = key.replace("_", " ")
        yield Finding(name, "ok", f"{value}.") if value else Finding(name, verdict, says, f"Set privacy.{key}.")


def _periods(effective: Effective) -> Iterator[Finding]:
    endless = [name for name, period_ms in effective.items() if period_ms is None]
    for name in endless:
        remedy = f"Set retention.{name} to a period; the default is {format_period(CLASSES[name].default_ms)}."
        yield Finding("retention", "fail", f"{CLASSES[name].title} are kept without end.", remedy)
    if not endless:
        yield Finding("retention", "ok", f"All {len(effective)} classes have an end.")


def _ledger(effective: Effective) -> Finding:
    ledger_ms, backup_ms = effective["ledger"], effective["backup"]
    if ledger_ms is None:
        return Finding("erasures", "ok", "Marks of erasures outlive every backup.")
    if backup_ms is None or ledger_ms < backup_ms + days(30):
        says = "Marks of erasures end before the oldest backup does, so a restore could bring erased people back."
        return Finding("erasures", "fail", says, "Keep retention.ledger 30 days longer than retention.backup.")
    return Finding("erasures", "ok", "Marks of erasures outlive every backup by 30 days or more.")


def _mail(config: Config) -> Finding:
    if config.mail.host:
        return Finding("mail", "ok", "People are told by mail what they must be told.")
    says = "Mail is off: requests cannot be confirmed by mail, and nobody is warned before an account ends."
    return Finding("mail", "warn", says, "Set mail.host and mail.from_address.")


def _log(config: Config) -> Finding:
    if config.log.level == "debug":
        says = "The log is set to debug: it holds names, addresses and texts."
        return Finding("log", "fail", says, "Set log.level to info as soon as the fault is found.")
    return Finding("log", "ok", "The log holds no personal data.")


def _files(data_dir: Path) -> Iterator[Finding]:
    paths = sorted(path for path in data_dir.rglob("*") if not path.is_dir()) if data_dir.is_dir() else []
    unknown = undeclared(path.relative_to(data_dir) for path in paths)
    if unknown:
        named = ", ".join(path.as_posix() for path in unknown[:_SHOWN])
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        says = f"Files in the data directory that pymeet did not make: {named}{more}."
        yield Finding("files", "fail", says, "Move them elsewhere: nothing here deletes them, whatever they hold.")
    else:
        yield Finding("files", "ok", "Every file in the data directory is accounted for.")
    unsealed = [path for path in paths if path.suffix == ".sealed" and not _is_sealed(path)]
    if unsealed:
        says = f"{len(unsealed)} files under files/ are not sealed."
        yield Finding("sealing", "fail", says, "Put them back from a backup: somebody has replaced them.")
    else:
        yield Finding("sealing", "ok", "Every stored file is sealed.")


def _is_sealed(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(8) in _SEALS
    except FileNotFoundError:
        return True  # gone meanwhile, which is no fault
