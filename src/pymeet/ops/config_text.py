"""The configuration as text: the commented example, the values in force without secrets, and the JSON schema."""

import json
import textwrap
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from pymeet.config import Config, format_duration, is_secret, section_of
from pymeet.config_section import Section

_HEAD = """\
# Configuration of pymeet. Each line that is commented out shows the default, or an example where there is none.
# Durations need a unit: 90s, 15min, 12h, 7d. Every key can also come from the environment (PYMEET_HTTP__PORT=8443);
# a secret also from a file: append _file to its key and write a path."""


def example() -> str:
    """The text of config.example.yaml: every setting with its documentation, none of them set."""
    return "\n".join([_HEAD, *_lines(Config, 0)]) + "\n"


def redacted(section: Section) -> dict[str, Any]:
    """The values in force as JSON-able data; of a secret it shows only that it is set."""
    return {name: _plain(getattr(section, name)) for name in type(section).model_fields}


def schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    found = Config.model_json_schema()
    _add_secret_files(Config, found, found["$defs"])
    return found


def _add_secret_files(model: type[Section], described: dict[str, Any], definitions: dict[str, Any]) -> None:
    for name, field in model.model_fields.items():
        section = section_of(field)
        if section:
            _add_secret_files(section, definitions[section.__name__], definitions)
        elif is_secret(field):
            about = {"type": "string", "description": f"A file that holds {name}."}
            described["properties"][f"{name}_file"] = about


def _lines(model: type[Section], depth: int) -> list[str]:
    indent = "  " * depth
    lines = []
    for name, field in model.model_fields.items():
        section = section_of(field)
        about = section.__doc__ if section else field.description
        lines.append("")
        lines += textwrap.wrap(
            " ".join((about or "").split()), 110, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
        )
        if section:
            lines += [f"{indent}{name}:", *_lines(section, depth + 1)[1:]]
        else:
            shown = field.examples[0] if field.examples else _plain(field.default)
            lines.append(f"{indent}# {name}: {_yaml(shown)}")
    return lines


def _yaml(value: object) -> str:
    """JSON is YAML; plain words need no quotes."""
    if isinstance(value, str) and value not in ("", "off") and " " not in value:
        return value
    return json.dumps(value) if value is not None else '""'


def _plain(value: Any) -> Any:
    if isinstance(value, Section):
        return redacted(value)
    if isinstance(value, SecretStr):
        return "[set]"
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, bool | int) else str(value)
