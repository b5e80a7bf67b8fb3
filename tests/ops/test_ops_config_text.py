"""The configuration as text."""

import json
from pathlib import Path

from pymeet.config import Config, fields, load
from pymeet.ops.config_text import example, redacted, schema
from pymeet.yaml_tree import dotted

ROOT = Path(__file__).parents[2]


def test_the_example_file_is_the_one_the_model_makes() -> None:
    """Documentation that is written twice goes stale. Make it anew with `make config.example.yaml`."""
    assert (ROOT / "config.example.yaml").read_text() == example()


def test_the_example_loads_as_it_is_and_changes_nothing(tmp_path: Path) -> None:
    """`pymeet init` writes it; the server must start with it."""
    file = tmp_path / "pymeet.yaml"
    file.write_text(example())

    assert load(file, {}) == Config()


def test_every_default_in_the_example_is_a_value_the_model_accepts(tmp_path: Path) -> None:
    """An operator takes away the `#` of one line, and it must load."""
    lines = [line.replace("# ", "", 1) if _is_setting(line) else line for line in example().splitlines()]
    file = tmp_path / "pymeet.yaml"
    file.write_text("\n".join(lines).replace("mode: self_signed", "mode: files"))

    config = load(file, {})

    assert config.sessions == Config().sessions
    assert config.http.public_url == "https://meet.example.org"


def test_a_secret_is_never_shown() -> None:
    """The output is pasted into tickets."""
    config = Config.model_validate({"http": {"metrics_token": "canary-canary-canary"}})

    shown = json.dumps(redacted(config))

    assert "canary" not in shown
    assert redacted(config)["http"]["metrics_token"] == "[set]"


def test_what_is_shown_can_be_written_into_a_file(tmp_path: Path) -> None:
    """JSON is YAML, and durations keep their units."""
    file = tmp_path / "pymeet.yaml"
    file.write_text(json.dumps(redacted(Config())))

    assert load(file, {}) == Config()


def test_the_schema_describes_every_setting() -> None:
    """Editors complete and explain from it."""
    text = json.dumps(schema())

    for place, field in fields(Config):
        assert f'"{place[-1]}"' in text, dotted(place)
        assert field.description, dotted(place)
    assert "metrics_token_file" in text


def _is_setting(line: str) -> bool:
    words = line.strip().removeprefix("# ").split(":", 1)
    return line.strip().startswith("#") and words[0].isidentifier() and words[0].islower() and len(words) == 2
