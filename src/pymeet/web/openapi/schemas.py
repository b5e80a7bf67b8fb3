"""JSON Schemas of what is answered and taken, out of the types that say so."""

import ast
import inspect
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter

from pymeet.web.bodies import Body
from pymeet.web.openapi.shapes_privacy import LanguageQuery
from pymeet.web.openapi.words import File, Operation, Problem

REFERENCE: Final = "#/components/schemas/"
_TEMPLATE: Final = REFERENCE + "{model}"

_INTERNAL: Final = ("says how long it may be.", "the setting says.")
"""How texts end that only say where in the program something is decided."""


class Schemas:
    """Those of all operations. `components` holds every shape that has a name; bodies add what they are made of."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        shapes, queries = {id(Problem): Problem}, {id(LanguageQuery): LanguageQuery}
        for each in operations:
            shapes |= {id(shape): shape for shape in (each.gives, *each.also.values()) if _is_shape(shape)}
            queries |= {} if each.query is None else {id(each.query): each.query}
        wanted = [*shapes.values(), *queries.values()]
        # All at once, so that what several refer to is made once.
        all_of_them: Any = tuple.__class_getitem__(tuple(wanted))
        made: TypeAdapter[Any] = TypeAdapter(all_of_them, config=ConfigDict(extra="forbid"))
        schema = _tidy(made.json_schema(ref_template=_TEMPLATE))
        self.components: dict[str, Any] = schema["$defs"]
        for name, said in _field_docs({shape.__module__ for shape in wanted if hasattr(shape, "__module__")}).items():
            _say(said, self.components.get(name, {}))
        found = dict(zip([*shapes, *queries], schema["prefixItems"], strict=True))
        self._of: Mapping[int, Any] = {key: found[key] for key in shapes}
        self._queries = {key: self.components.pop(found[key]["$ref"].removeprefix(REFERENCE)) for key in queries}

    def of(self, shape: Any) -> dict[str, Any]:
        """The schema of an answer: mostly a reference to `components`."""
        return dict(self._of[id(shape)])

    def query(self, query: Any) -> Mapping[str, dict[str, Any]]:
        """Parameter → schema."""
        properties: Mapping[str, dict[str, Any]] = self._queries[id(query)]["properties"]
        return properties

    def body(self, model: type[Body]) -> dict[str, Any]:
        """The schema of what is sent."""
        schema: dict[str, Any] = _tidy(model.model_json_schema(ref_template=_TEMPLATE))
        parts = schema.pop("$defs", {})
        docs = _field_docs({model.__module__})
        for name, each in [(model.__name__, schema), *parts.items()]:
            _say(docs.get(name, {}), each)
        self.components |= parts
        return schema


def _is_shape(gives: Any) -> bool:
    return gives is not None and not isinstance(gives, File)


def _tidy(schema: Any) -> Any:
    """Without the titles that repeat a name. A property that is called `title` is a schema, and stays."""
    if isinstance(schema, dict):
        return {key: _tidy(each) for key, each in schema.items() if not (key == "title" and isinstance(each, str))}
    return [_tidy(each) for each in schema] if isinstance(schema, list) else schema


def _say(said: Mapping[str, str], schema: Mapping[str, Any]) -> None:
    """Puts what is said of fields into their schemas, where these have no words of their own."""
    for field in said.keys() & schema.get("properties", {}).keys():
        schema["properties"][field].setdefault("description", said[field])


def _field_docs(modules: Iterable[str]) -> dict[str, dict[str, str]]:
    """Class → field → the text below it, those of its bases included; without texts that are for programmers here.

    Pydantic can do this too, but reads the whole file anew for every class: too long for a process that carries media.
    """
    found: dict[str, dict[str, str]] = {}
    for module in modules:
        if module.startswith("pymeet.web."):
            found |= _docs_of(module)
    return found


@cache
def _docs_of(module: str) -> Mapping[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(node, ast.ClassDef):
            said = [found.get(base.id, {}) for base in node.bases if isinstance(base, ast.Name)]
            found[node.name] = {field: text for each in said for field, text in each.items()} | _below(node)
    return found


def _below(node: ast.ClassDef) -> dict[str, str]:
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in zip(node.body, node.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
        and not text.value.value.endswith(_INTERNAL)
    }
