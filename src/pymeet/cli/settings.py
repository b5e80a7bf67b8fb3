"""`pymeet settings`: what can be set while the server runs, over the values of the configuration."""

from typing import Annotated, Any

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, operate
from pymeet.cli.output import hint, moment, say, show_json, show_table

app = typer.Typer(
    name="settings",
    help="Change settings while the server runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The setting, such as rooms.guests_allowed.")]


@app.command("list", cls=Command)
def list_settings(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List these settings, and where each value comes from."""
    settings = operate(config, "settings.list")
    if as_json:
        show_json(settings)
        return
    show_table(
        ["Setting", "Value", "From", "In the configuration"],
        [
            [
                each["name"],
                _written(each["value"]),
                f"set here {moment(each['changed_at'])}" if each["set_here"] else "the configuration",
                _written(each["configured"]),
            ]
            for each in settings
        ],
    )


@app.command("set", cls=Command)
def set_value(
    name: Name,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="true, false, a word, a line of text, or none.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Set a value; it holds at once, and after a restart too."""
    plain: dict[str, Any] = {"true": True, "false": False, "none": None}
    setting = operate(config, "settings.set", name=name, value=plain.get(value, value))
    if as_json:
        show_json(setting)
        return
    say(f"{setting['name']} is {_written(setting['value'])}.")
    hint(f"The configuration says {_written(setting['configured'])}; `pymeet settings reset {name}` leads back to it.")


@app.command(cls=Command)
def reset(name: Name, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Let the configuration's value hold again."""
    setting = operate(config, "settings.reset", name=name)
    if as_json:
        show_json(setting)
        return
    say(f"{setting['name']} is {_written(setting['value'])}, as the configuration says.")


def _written(value: bool | str | None) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else value
