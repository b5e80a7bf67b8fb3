"""`pymeet privacy`: what this server keeps about people, as documents; and whether its settings are in order."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from pymeet.cli.exit_codes import PARTLY
from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, configuration, operate
from pymeet.cli.output import hint, printable, show_json

app = typer.Typer(
    name="privacy",
    help="What this server keeps about people, as documents.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Form(StrEnum):
    """How a document is written."""

    MARKDOWN = "md"
    JSON = "json"
    CSV = "csv"


class Language(StrEnum):
    """In which language."""

    ENGLISH = "en"
    GERMAN = "de"


Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it into this file.")]
InForm = Annotated[Form, typer.Option("--format", help="md for people, json for programs, csv for spreadsheets.")]
InLanguage = Annotated[Language, typer.Option("--language", help="The language of the text.")]

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@app.command("data-map", cls=Command)
def data_map(
    form: InForm = Form.MARKDOWN,
    language: InLanguage = Language.ENGLISH,
    output: Output = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Every place where something is kept, with a diagram."""
    _print("data-map", form, language, output, config, as_json=as_json)


@app.command(cls=Command)
def record(
    form: InForm = Form.MARKDOWN,
    language: InLanguage = Language.ENGLISH,
    output: Output = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """The record of processing activities (Article 30 GDPR)."""
    _print("record", form, language, output, config, as_json=as_json)


@app.command(cls=Command)
def retention(
    form: InForm = Form.MARKDOWN,
    language: InLanguage = Language.ENGLISH,
    output: Output = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """How long everything is kept, and when the last copy is gone."""
    _print("retention", form, language, output, config, as_json=as_json)


@app.command(cls=Command)
def cookies(
    form: InForm = Form.MARKDOWN,
    language: InLanguage = Language.ENGLISH,
    output: Output = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """What the visitor's browser keeps."""
    _print("cookies", form, language, output, config, as_json=as_json)


@app.command(cls=Command)
def notice(
    form: InForm = Form.MARKDOWN,
    language: InLanguage = Language.ENGLISH,
    output: Output = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """The privacy notice, as the public page /privacy shows it."""
    _print("notice", form, language, output, config, as_json=as_json)


@app.command(cls=Command)
def check(
    strict: Annotated[bool, typer.Option("--strict", help="End with 5 when something is red.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Look for what is missing, has no end, or should not be there."""
    found = _checked(config)
    if as_json:
        show_json(found)
    else:
        for finding in found["checks"]:
            verdict = typer.style(f"{finding['verdict']:4}", fg=_COLOURS[finding["verdict"]])
            typer.echo(f"{verdict}  {finding['check']:12} {printable(finding['says'])}")
            if finding["remedy"]:
                typer.echo(f"{'':19}{printable(finding['remedy'])}")
        red = sum(finding["verdict"] == "fail" for finding in found["checks"])
        hint(f"{red} of {len(found['checks'])} are red." if red else "Nothing is red.")
    raise typer.Exit(PARTLY if strict and not found["ok"] else 0)


def _print(
    name: str, form: Form, language: Language, output: Path | None, config: Path | None, *, as_json: bool
) -> None:
    from pymeet.privacy.documents.deadlines import configured
    from pymeet.privacy.documents.library import write

    settings = configuration(config)
    kind = Form.JSON if as_json else form
    if settings.database_path.exists():
        text = operate(config, "privacy.document", name=name, language=language, form=kind)["text"]
    else:  # before the first start: what is configured will be in force
        text = write(name, settings, configured(settings), language=language, form=kind)
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    hint(f"Wrote {output}.")


def _checked(config: Path | None) -> dict[str, Any]:
    from dataclasses import asdict

    from pymeet.privacy.documents import check as checks
    from pymeet.privacy.documents.deadlines import configured

    settings = configuration(config)
    if settings.database_path.exists():
        found: dict[str, Any] = operate(config, "privacy.check")
        return found
    findings = checks.check(settings, configured(settings))
    return {"ok": not any(each.verdict == "fail" for each in findings), "checks": [asdict(each) for each in findings]}
