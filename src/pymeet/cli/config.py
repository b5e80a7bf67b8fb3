"""`pymeet config`: look at the configuration without starting anything."""

import typer
import yaml

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, chosen, configuration
from pymeet.cli.output import hint, say, show_json
from pymeet.ops.config_text import redacted, schema

app = typer.Typer(name="config", help="Look at the configuration.", no_args_is_help=True, rich_markup_mode=None)


@app.command(cls=Command)
def check(config: ConfigFile = None) -> None:
    """Read the configuration and say whether it can be used."""
    configuration(config)
    file = chosen(config)
    say(f"{file} is fine." if file else "There is no pymeet.yaml; the defaults are fine.")
    hint("`pymeet doctor` checks whether this machine fits it.")


@app.command(cls=Command)
def show(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print the values in force, without secrets.

    They come from the file, the environment and the defaults.
    """
    values = redacted(configuration(config))
    if as_json:
        show_json(values)
    else:
        typer.echo(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), nl=False)


@app.command("schema", cls=Command)
def show_schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    show_json(schema())
