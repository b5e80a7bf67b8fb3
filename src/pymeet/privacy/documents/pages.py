"""The pages under docs/ that are made from the inventory, with the settings of a new server."""

from collections.abc import Iterator
from pathlib import Path

from pymeet.config import Config
from pymeet.privacy.documents.data_map import sections
from pymeet.privacy.documents.deadlines import configured
from pymeet.privacy.documents.flow import flow
from pymeet.privacy.documents.library import write
from pymeet.privacy.documents.model import Section, markdown
from pymeet.privacy.documents.words import words

MARK = "<!-- From here on the page is generated: make docs -->"

_EXAMPLE = """\
<!-- Generated: make docs -->

*An example: the {what} of a new server, whose operator has not said anything yet. `pymeet privacy {name}` prints that of
yours.*

"""


def pages(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every generated page with what it should say; what people wrote in data.md above the mark stays."""
    config = Config()
    effective = configured(config)
    say = words("en")
    data_map = markdown((Section(say("data_map.flow"), diagram=flow(say, config)), *sections(say, config, effective)))
    page = folder / "data.md"
    yield page, f"{page.read_text(encoding='utf-8').partition(MARK)[0]}{MARK}\n\n{data_map}"
    for name, what, file in (
        ("record", "record of processing activities", "record.example.md"),
        ("retention", "retention table", "retention.md"),
        ("notice", "privacy notice", "notice.example.md"),
    ):
        yield folder / file, _EXAMPLE.format(what=what, name=name) + write(name, config, effective)
