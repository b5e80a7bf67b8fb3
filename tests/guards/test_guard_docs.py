"""The documentation names everything there is: a setting or command that nobody can find does not exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer.main

from pymeet.cli.app import app
from pymeet.config import Config, fields, is_secret
from pymeet.ops.config_text import redacted
from pymeet.privacy.documents.pages import pages
from pymeet.web.routes import ROUTES
from pymeet.yaml_tree import dotted

ROOT = Path(__file__).parents[2]


def commands(group: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it."""
    for name, command in sorted(getattr(group, "commands", {}).items()):
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_setting_stands_in_the_configuration_page() -> None:
    """With its default."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    values = redacted(Config())

    for place, field in fields(Config):
        assert f"| `{dotted(place)}` |" in text, dotted(place)
        if is_secret(field):
            assert f"`{dotted(place)}_file`" in text
        default = values
        for name in place:
            default = default[str(name)]
        if default not in (None, []):
            row = next(line for line in text.splitlines() if line.startswith(f"| `{dotted(place)}` |"))
            assert f"`{str(default).lower() if isinstance(default, bool) else default}`" in row, dotted(place)


def test_every_command_and_option_stands_in_the_administrators_page() -> None:
    """Operators look there, not into the source."""
    text = (ROOT / "docs" / "admin.md").read_text()
    common = {"--help", "--config", "--json", "--yes"}

    for words, command in commands(typer.main.get_command(app), "pymeet"):
        assert f"`{words}" in text, words
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        for option in options - common:
            assert option in text, f"{words} {option}"
    for option in common - {"--help"}:
        assert f"`{option}`" in text, option


def test_every_command_can_be_given_a_configuration_file() -> None:
    """`config schema` alone needs none."""
    without = [
        words
        for words, command in commands(typer.main.get_command(app), "pymeet")
        if not any("--config" in parameter.opts for parameter in command.params)
    ]

    assert without == ["pymeet config schema"]


@pytest.mark.parametrize(
    "name", ["data.md", "configuration.md", "record.example.md", "retention.md", "notice.example.md"]
)
def test_a_generated_page_says_what_the_program_says_now(name: str) -> None:
    """Byte for byte: a page that is renewed by hand is wrong after the first change. `make docs` renews them all."""
    made = {path.name: text for path, text in pages(ROOT / "docs")}

    assert (ROOT / "docs" / name).read_bytes() == made.pop(name).encode()
    assert len(made) == 4  # nothing is generated that no test compares


def test_every_generated_page_is_the_same_when_it_is_made_again() -> None:
    """Neither the day nor the order of a set may show in it, or CI would fail on some days."""
    assert list(pages(ROOT / "docs")) == list(pages(ROOT / "docs"))


def test_the_protocol_names_every_route_of_the_api_and_no_other() -> None:
    """Whoever writes another client reads the document, not the table of routes."""
    rows = [
        line.split(" | ")[0] for line in (ROOT / "docs" / "protocol.md").read_text().splitlines() if line[:3] == "| `"
    ]
    said = {match for row in rows for match in re.findall(r"`([A-Z]+) (/api/v1/[^`?]+)`", row)}
    there = {(route.method, re.sub(r"\{(\w+)(?::.*?\](?:\{[\d,]+\})?)?\}", r"<\1>", route.path)) for route in ROUTES}

    assert said == {(method, path) for method, path in there if path.startswith("/api/")}


def test_every_page_of_the_documentation_stands_in_its_table_of_contents() -> None:
    """A page that nobody finds is not read."""
    contents = (ROOT / "docs" / "README.md").read_text()

    assert [
        page.name
        for page in (ROOT / "docs").glob("*.md")
        if f"({page.name})" not in contents and page.name != "README.md"
    ] == []


def test_every_make_target_stands_in_the_contributors_page() -> None:
    """A target that is not described is run by nobody."""
    text = (ROOT / "docs" / "contributing.md").read_text()
    targets = [line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if "  ## " in line]

    assert len(targets) > 5
    assert [target for target in targets if f"`make {target}`" not in text] == []
