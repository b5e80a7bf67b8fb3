"""The document comes first: docs/protocol.md and the message types must say the same."""

import re
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from pymeet.signaling import messages, records
from pymeet.signaling.closing import CloseCode
from pymeet.signaling.error_codes import ErrorCode

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
COMMON = {"type", "id", "re"}


def table(heading: str) -> dict[str, str]:
    """Type → what the row says about its fields, of the first table after a heading."""
    section = DOCUMENT.split(heading, 1)[1].split("\n### ")[0].split("\n## ")[0]
    return {m[1]: m[2] for m in re.finditer(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE)}


def types_of(union: Any) -> dict[str, type[BaseModel]]:
    """The models of a union by their `type`."""
    models = [m for m in get_args(union) if isinstance(m, type)] or list(get_args(get_args(union)[0]))
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in models}


def words_in(cell: str) -> set[str]:
    """What a cell sets in code type, word by word."""
    return set(re.findall(r"[a-z][a-z_]*", " ".join(re.findall(r"`([^`]+)`", cell))))


def words_of(annotation: Any) -> set[str]:
    """Field names and literal values that a type knows, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        return set(fields).union(*(words_of(field.annotation) for field in fields.values()))
    inner = get_args(annotation)
    return {a for a in inner if isinstance(a, str)}.union(*(words_of(a) for a in inner if not isinstance(a, str)))


def compare(documented: dict[str, str], models: dict[str, type[BaseModel]]) -> None:
    assert documented.keys() == models.keys()
    for name, model in models.items():
        said = words_in(documented[name])
        fields = set(model.model_fields) - COMMON
        assert fields <= said, f"{name}: {fields - said} is not in the document"
        unknown = said - words_of(model)
        assert not unknown, f"{name}: the document also speaks of {unknown}"


def test_client_messages_are_those_of_the_document() -> None:
    """Section 1.1."""
    compare(table("### 1.1 Client to server"), types_of(messages.ClientMessage))


def test_server_messages_are_those_of_the_document() -> None:
    """Section 1.2."""
    compare(table("### 1.2 Server to client"), types_of(messages.ServerMessage))


def test_error_codes_are_those_of_the_document() -> None:
    """Clients decide by them what to do."""
    (line,) = re.findall(r"^- error codes: (.*)$", DOCUMENT, re.MULTILINE)

    assert words_in(line) == set(get_args(ErrorCode))


def test_close_codes_are_those_of_the_document() -> None:
    """Clients decide by them whether to come back."""
    (paragraph,) = re.findall(r"^Close codes:.*?(?=\n\n)", DOCUMENT, re.MULTILINE | re.DOTALL)

    assert {int(code) for code in re.findall(r"\b[14]\d{3}\b", paragraph)} == set(CloseCode)


def test_records_are_those_of_the_document() -> None:
    """Participants, chat messages, the state of the room and recordings are described once, below the tables."""
    for name, model in (
        ("participant", records.ParticipantRecord),
        ("message", records.ChatRecord),
        ("state", records.StateRecord),
        ("recording", records.RecordingRecord),
    ):
        (fields,) = re.findall(rf"^- {name}: `{{(.*?)}}`", DOCUMENT, re.MULTILINE)
        assert set(fields.split(", ")) == set(model.model_fields)
