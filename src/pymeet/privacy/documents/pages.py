"""The pages under docs/ that are made from the inventory and the settings, as a new server has them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pymeet.config import Config, fields, format_duration, is_secret
from pymeet.privacy.documents.data_map import sections
from pymeet.privacy.documents.deadlines import configured
from pymeet.privacy.documents.flow import flow
from pymeet.privacy.documents.library import write
from pymeet.privacy.documents.model import Grid, Section, markdown
from pymeet.privacy.documents.words import words
from pymeet.yaml_tree import dotted

MARK = "<!-- From here on the page is generated: make docs -->"

_SETTINGS = ("<!-- Generated: make docs -->", "<!-- Until here -->")

_EXAMPLE = """\
<!-- Generated: make docs -->

*An example: the {what} of a new server, whose operator has not said anything yet. `pymeet privacy {name}` prints that of
yours.*

"""


def pages(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every generated page with what it should say; what people wrote around the generated parts stays."""
    config = Config()
    effective = configured(config)
    say = words("en")
    data_map = markdown((Section(say("data_map.flow"), diagram=flow(say, config)), *sections(say, config, effective)))
    page = folder / "data.md"
    yield page, f"{page.read_text(encoding='utf-8').partition(MARK)[0]}{MARK}\n\n{data_map}"
    page = folder / "configuration.md"
    first, last = _SETTINGS
    before, _, rest = page.read_text(encoding="utf-8").partition(first)
    yield page, f"{before}{first}\n\n{markdown((Section(grid=_settings()),))}\n{last}{rest.partition(last)[2]}"
    for name, what, file in (
        ("record", "record of processing activities", "record.example.md"),
        ("retention", "retention table", "retention.md"),
        ("notice", "privacy notice", "notice.example.md"),
    ):
        yield folder / file, _EXAMPLE.format(what=what, name=name) + write(name, config, effective)


def _settings() -> Grid:
    rows = []
    for place, field in fields(Config):
        about = " ".join((field.description or "").split())
        if is_secret(field):
            about += f" Also as `{dotted(place)}_file`."
        rows.append((f"`{dotted(place)}`", _default(field.default), about))
    return Grid(("key", "default", "what it does"), tuple(rows))


def _default(value: object) -> str:
    if value is None or value == ():
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{list(value)}`"
    return f"`{format_duration(value) if isinstance(value, timedelta) else value}`"
