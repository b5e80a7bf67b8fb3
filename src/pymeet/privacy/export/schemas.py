"""The JSON Schema (draft 2020-12) of a table's lines in an export, from the columns of the table."""

import re
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Integer, LargeBinary, Numeric, String, Table

from pymeet.db.inventory import DATA_CATEGORIES, KEY, ColumnEntry, TableEntry
from pymeet.privacy.export.reading import exported, pointers

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_TIME = "Milliseconds since 1970-01-01T00:00:00Z."


def schema_of(table: Table, version: int) -> dict[str, Any]:
    """The schema of one line. `x-data-category` follows the taxonomy fideslang; TypeError for a type that it cannot say."""
    entry: TableEntry = table.info[KEY]
    columns = exported(entry)
    leading = pointers(entry)
    return {
        "$schema": DIALECT,
        "$id": f"urn:pymeet:export:{version}:{table.name}",
        "title": table.name,
        "description": entry.purpose,
        "type": "object",
        "properties": {
            name: _property(table.columns[name], entry.columns[name], may_be_emptied=name in leading)
            for name in columns
        },
        "required": columns,
        "additionalProperties": False,
    }


def _property(column: Column[Any], entry: ColumnEntry, *, may_be_emptied: bool) -> dict[str, Any]:
    said = _type(column)
    if column.nullable or may_be_emptied:
        said["type"] = [said["type"], "null"]
        if "enum" in said:
            said["enum"] = [*said["enum"], None]
    if isinstance(column.type, BigInteger) and column.name.endswith("_ms"):
        said["description"] = _TIME
    if entry.kind is not None:
        said["x-data-category"] = DATA_CATEGORIES[entry.kind]
    if entry.provided:
        said["x-provided-by-the-person"] = True
    return said


def _type(column: Column[Any]) -> dict[str, Any]:
    # In this order: to SQLAlchemy a Boolean is no Integer, but a Text is a String.
    if isinstance(column.type, Boolean):
        return {"type": "boolean"}
    if isinstance(column.type, Integer):
        return {"type": "integer"}
    if isinstance(column.type, Numeric):
        return {"type": "number"}
    if isinstance(column.type, LargeBinary):
        return {"type": "string", "contentEncoding": "base16"}
    if isinstance(column.type, String):
        words = _checked_words(column)
        return {"type": "string", "enum": words} if words else {"type": "string"}
    raise TypeError(f"An export cannot say what {column.table.name}.{column.name} holds.")


def _checked_words(column: Column[Any]) -> list[str]:
    """The words that a CHECK of the table allows in the column."""
    for check in column.table.constraints:
        if isinstance(check, CheckConstraint):
            found = re.fullmatch(rf"{column.name} IN \((.*)\)", str(check.sqltext))
            if found:
                return re.findall(r"'([^']*)'", found[1])
    return []
