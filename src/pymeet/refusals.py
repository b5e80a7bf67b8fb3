"""What a person reads when a setting is refused: where it stands, what is wrong, and what to write instead."""

import difflib
from collections.abc import Mapping

from pydantic_core import ErrorDetails, PydanticCustomError

from pymeet.yaml_tree import Place, dotted

ENVIRONMENT = "environment variable "
"""What the origin of a value begins with that comes from the environment."""

DEFAULTS = "defaults"
"""The origin of a value that nobody gave."""

_EXPECTED = {
    "int_type": ("is not a whole number", "Write digits without quotes, such as 8443."),
    "bool_type": ("is neither true nor false", "Write true or false."),
    "string_type": ("is not text", "Put the value in quotes."),
    "tuple_type": ("is not a list", "Write a list: [a, b]."),
    "path_type": ("is not a path", "Write the path of a file or directory."),
    "model_type": ("is not a section", "Write its settings below it, indented."),
}


def refusal(what: str, remedy: str) -> PydanticCustomError:
    """The error of a validator: what is wrong, and what to write instead; both are sentences."""
    return PydanticCustomError("refused", "{what}", {"what": what, "remedy": remedy})


def explain(problem: ErrorDetails, origins: Mapping[Place, str], file: str, known: Mapping[str, bool]) -> str:
    """Two lines: where and what; and the remedy. `known` maps every setting to whether it is a secret."""
    place: Place = problem["loc"]
    key = dotted(place)
    origin = origin_of(place, origins, file)
    kind, context = problem["type"], problem.get("ctx", {})
    shown = "The value" if known.get(key) else repr(problem["input"])
    if kind == "extra_forbidden":
        return f"{origin}: {key} is no setting.\n{_did_you_mean(key, known)}"
    if kind == "refused":
        return refused(origin, place, context["what"], context["remedy"])
    if kind == "literal_error":
        expected = context["expected"].replace("'", "")
        return refused(origin, place, f"{shown} is not possible here.", f"Write one of: {expected}.")
    if kind in _EXPECTED:
        what, remedy = _EXPECTED[kind]
        return refused(origin, place, f"{shown} {what}.", remedy)
    remedy = f"{problem['msg'].replace('Input should', 'It should')}."
    return refused(origin, place, f"{shown} is not acceptable.", remedy)


def refused(origin: str, place: Place, what: str, remedy: str) -> str:
    """Two lines: where it stands and what is wrong; and the remedy. A variable's name says already which setting it is."""
    variable = origin.startswith(ENVIRONMENT)
    where = origin if variable else dotted(place) if origin == DEFAULTS else f"{origin}: {dotted(place)}"
    return f"{where}: {what}\n{remedy}"


def origin_of(place: Place, origins: Mapping[Place, str], file: str) -> str:
    """Where the value stands, or the section around it."""
    for length in range(len(place), 0, -1):
        if place[:length] in origins:
            return origins[place[:length]]
    return file


def _did_you_mean(key: str, known: Mapping[str, bool]) -> str:
    """Guesses by spelling, then by the last word alone: people forget the section."""
    guesses = difflib.get_close_matches(key, known, 1, 0.75)
    if not guesses:
        words = {setting.rpartition(".")[2] for setting in known}
        near = difflib.get_close_matches(key.rpartition(".")[2], words, 1, 0.75)
        guesses = [setting for setting in known if setting.rpartition(".")[2] in near]
    return (
        f"Did you mean {' or '.join(guesses)}?" if guesses else "Remove it; docs/configuration.md lists all settings."
    )
