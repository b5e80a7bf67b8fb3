"""What a document is made of, and how it is written as Markdown, CSV or JSON. The same document gives the same bytes."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

FORMATS: Final = ("md", "json", "csv")


@dataclass(frozen=True)
class Grid:
    """A table."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A part of a document in Markdown; what is empty is left out."""

    title: str = ""
    level: int = 2
    text: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    grid: Grid | None = None
    diagram: str = ""
    """A diagram in Mermaid's language."""


@dataclass(frozen=True)
class Document:
    """One document in all forms: sections for people, the same as flat rows, and as data for machines."""

    title: str
    sections: tuple[Section, ...]
    rows: Grid
    data: Any


def written(document: Document, form: str) -> str:
    """The document as text in one of `FORMATS`."""
    if form == "json":
        return json.dumps(document.data, ensure_ascii=False, indent=2) + "\n"
    if form == "csv":
        return _csv(document.rows)
    return f"# {document.title}\n\n{markdown(document.sections)}"


def markdown(sections: Sequence[Section]) -> str:
    """Sections as Markdown, without a title above them."""
    return "\n\n".join(part for section in sections for part in _parts(section)) + "\n"


def cell(text: str) -> str:
    """A text as it can stand in a table of Markdown: on one line, and without ending the cell."""
    return " ".join(text.replace("|", "\\|").split())


def _parts(section: Section) -> list[str]:
    parts = [f"{'#' * section.level} {section.title}"] if section.title else []
    parts += section.text
    if section.items:
        parts.append("\n".join(f"- {item}" for item in section.items))
    if section.grid:
        lines = (section.grid.head, ("---",) * len(section.grid.head), *section.grid.rows)
        parts.append("\n".join("| " + " | ".join(cell(text) for text in line) + " |" for line in lines))
    if section.diagram:
        parts.append(f"```mermaid\n{section.diagram}\n```")
    return parts


def _csv(grid: Grid) -> str:
    """RFC 4180, but for the ends of lines; what a spreadsheet would calculate is marked as text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(grid.head)
    writer.writerows([f"'{text}" if text[:1] in "=+-@\t\r" and text else text for text in row] for row in grid.rows)
    return out.getvalue()
