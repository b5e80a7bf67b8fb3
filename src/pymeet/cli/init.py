"""`pymeet init`: a commented configuration file and the keys, for those who want to see them before the first start."""

from pymeet.cli.options import ConfigFile, command, configuration
from pymeet.cli.output import hint, say
from pymeet.config import DEFAULT_FILE
from pymeet.errors import ConflictError
from pymeet.keyring import Keyring
from pymeet.ops.config_text import example


def init(config: ConfigFile = None) -> None:
    """Write a commented configuration file, and make the keys.

    Overwrites nothing.
    """
    file = config or DEFAULT_FILE
    try:
        with file.open("x", encoding="utf-8") as text:
            text.write(example())
    except FileExistsError:
        raise ConflictError(f"{file} exists already.\nEdit it, or name another file with --config.") from None
    settings = configuration(file)
    Keyring.open(settings.data_dir)
    say(f"Wrote {file} and the keys in {settings.data_dir}.")
    hint(f"Edit it if you like, then start with `{command('serve', file=config)}`.")
