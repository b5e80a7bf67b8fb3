"""YAML whose values know the line they stand on, so that a refusal can name it; knows no setting."""

from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]
"""Where a value stands in the tree: `("http", "tls", "mode")`; entries of lists are numbers."""


class UnreadableError(Exception):
    """The file is missing, no YAML, no mapping, or says a key twice; two lines, the second being the remedy."""


def dotted(place: Place) -> str:
    """`http.tls.mode`, as people write it."""
    return ".".join(str(part) for part in place)


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[Place, str]]:
    """The file's tree, and for every place "file, line n". UnreadableError for anything else."""
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        origins: dict[Place, str] = {}
        if node is None:
            return {}, origins
        if not isinstance(node, yaml.MappingNode):
            raise UnreadableError(f"{path}, line 1: the file holds no settings.\nWrite lines of `key: value`.")
        _note_lines(node, path, (), origins)
        return _without_empty_sections(loader.construct_document(node)), origins
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read ({error.strerror}).\nMake a file with `pymeet init`.") from None
    except UnicodeDecodeError:
        raise UnreadableError(f"{path}: is not UTF-8 text.\nSave it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UnreadableError(f"{path}, line {line}: {error.problem}.\nCheck the indentation and the quotes.") from None
    except (yaml.YAMLError, ValueError):
        raise UnreadableError(f"{path}: is not YAML.\nCheck it for unusual characters and impossible dates.") from None


def _note_lines(node: yaml.Node, path: Path, place: Place, origins: dict[Place, str]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*place, str(key.value))
            origin = f"{path}, line {key.start_mark.line + 1}"
            if below in origins:
                raise UnreadableError(f"{origin}: {dotted(below)} stands here a second time.\nRemove one of the two.")
            origins[below] = origin
            _note_lines(value, path, below, origins)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            origins[(*place, number)] = f"{path}, line {value.start_mark.line + 1}"
            _note_lines(value, path, (*place, number), origins)


def _without_empty_sections(tree: Any) -> Any:
    """A section all of whose lines are commented out reads as null; it means the defaults."""
    if not isinstance(tree, dict):
        return tree
    return {str(key): _without_empty_sections(value) for key, value in tree.items() if value is not None}
