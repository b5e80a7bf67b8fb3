"""`pymeet status`: is a server running, and what is it doing."""

from pathlib import Path

from pymeet.cli.options import AsJson, ConfigFile, command, operate
from pymeet.cli.output import hint, say, show_json


def status(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Say whether the server runs, and what there is."""
    found = operate(config, "status")
    if as_json:
        show_json(found)
        return
    for key, value in found.items():
        if value is None:
            continue
        shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        say(f"{key.replace('_', ' '):18}{shown}")
    if not found["running"]:
        start = command("serve", file=config)
        if Path(found["data_dir"]).is_dir():
            hint(f"Start the server with `{start}`.")
        else:
            hint(
                "There is no data directory here. If a server was started elsewhere, run this there, or with its -c FILE."
            )
            hint(f"A new server begins with `{start}`.")
