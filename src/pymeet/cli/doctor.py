"""`pymeet doctor`: does this machine fit the configuration."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime

import typer

from pymeet.cli.options import AsJson, ConfigFile, configuration
from pymeet.cli.output import hint, printable, show_json

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Check whether this machine fits the configuration.

    Looks at ports, addresses, certificate, disk, clock, permissions, keys, backups, mail and the OpenID provider. Ends
    with 1 when a check fails.
    """
    from pymeet.ops.checks import examine
    from pymeet.ops.client import ask
    from pymeet.ops.data_checks import examine_data
    from pymeet.ops.provider_check import check_provider

    settings, now = configuration(config), datetime.now(UTC)
    answer = asyncio.run(ask(settings, "status", {}))
    findings = examine(settings, now, server_runs=answer is not None)
    findings += check_provider(settings)
    findings += examine_data(settings, now, None if answer is None else answer.get("result", {}))
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
