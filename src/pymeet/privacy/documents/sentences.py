"""Every English sentence of the inventory that people read: what a translation must have, no more and no less."""

from collections.abc import Iterator

from pymeet.db.declared import tables
from pymeet.db.inventory import Erase, Export, Kind, Lasting, Purge, Recipient, TableEntry, Unreachable
from pymeet.db.memory import MEMORY
from pymeet.db.outflows import LOG_FIELDS, RECEIVERS
from pymeet.db.stores import BOOKKEEPING_TABLES, CLIENT, FILES, Place
from pymeet.retention import CLASSES


def sentences() -> frozenset[str]:
    """All of them."""
    return frozenset(_all())


def _all() -> Iterator[str]:
    for words in (Erase, Export, Kind, Purge, Recipient, Place):
        yield from (word.value for word in words)
    for _, entry in tables():
        yield from _of_table(entry)
    for rule in CLASSES.values():
        yield from (rule.title, rule.begins)
    for file in FILES:
        yield from (file.holds, file.purpose, file.keep, file.erase, file.export)
    for client in CLIENT:
        yield from (client.holds, client.purpose, client.lifetime)
    for memory in MEMORY:
        yield from (memory.name, memory.holds, memory.purpose, memory.keep)
    for receiver in RECEIVERS:
        yield from (receiver.name, receiver.receives, receiver.purpose)
    yield from LOG_FIELDS.values()
    yield from BOOKKEEPING_TABLES.values()


def _of_table(entry: TableEntry) -> Iterator[str]:
    yield entry.purpose
    for subject in entry.subjects:
        yield subject.role
        if isinstance(subject, Unreachable):
            yield subject.reason
    for rule in entry.keep:
        if isinstance(rule, Lasting):
            yield rule.reason
    for column in entry.columns.values():
        if column.reason:
            yield column.reason
