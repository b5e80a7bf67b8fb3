"""`pymeet doctor`: does this machine fit the configuration."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pymeet.cli.options import AsJson, ConfigFile, configuration
from pymeet.cli.output import hint, printable, show_json

if TYPE_CHECKING:
    from pymeet.config import Config
    from pymeet.ops.checks import Finding

Url = Annotated[str | None, typer.Argument(metavar="URL", help="With --from-outside: the server's address.")]
FromOutside = Annotated[
    bool,
    typer.Option("--from-outside", help="Look from here at a server elsewhere, as its visitors do. Needs no account."),
]

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(
    url: Url = None, from_outside: FromOutside = False, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Check this machine, or a server from outside.

    Looks at ports, addresses, certificate, disk, clock, permissions, keys, backups, mail and the OpenID provider. With
    --from-outside, best on another machine, it looks instead at what stands at URL (without one: http.public_url): name,
    certificate, page, messages, and the ways of media. Ends with 1 when a check fails.
    """
    settings, now = configuration(config), datetime.now(UTC)
    if url is not None and not from_outside:
        raise typer.BadParameter("An address goes with --from-outside.")
    findings = _look_from_outside(url or settings.http.public_url, now) if from_outside else _look_here(settings, now)
    failed = sum(finding.verdict == "fail" for finding in findings)
    if as_json:
        show_json({"ok": failed == 0, "checks": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            verdict = typer.style(f"{finding.verdict:4}", fg=_COLOURS[finding.verdict])
            typer.echo(f"{verdict}  {finding.check:16} {printable(finding.says)}")
            if finding.remedy:
                typer.echo(f"{'':23}{printable(finding.remedy)}")
        hint(f"{failed} of {len(findings)} checks failed." if failed else "Nothing failed.")
    raise typer.Exit(1 if failed else 0)


def _look_here(settings: "Config", now: datetime) -> "list[Finding]":
    from pymeet.ops.checks import examine
    from pymeet.ops.client import ask
    from pymeet.ops.data_checks import examine_data
    from pymeet.ops.provider_check import check_provider

    answer = asyncio.run(ask(settings, "status", {}))
    findings = examine(settings, now, server_runs=answer is not None)
    findings += check_provider(settings)
    return findings + examine_data(settings, now, None if answer is None else answer.get("result", {}))


def _look_from_outside(url: str | None, now: datetime) -> "list[Finding]":
    from pymeet.ops.outside import examine_from_outside

    if url is None:
        raise typer.BadParameter("Write the server's address: pymeet doctor --from-outside https://meet.example.org.")
    return asyncio.run(examine_from_outside(url, now))
