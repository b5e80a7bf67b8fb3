"""Everything that is declared, in both databases and outside of them, as one: for documents, gates and the digest."""

import hashlib
import json
from dataclasses import asdict

from pymeet.db.inventory import TableEntry, entries
from pymeet.db.keys import keys_metadata
from pymeet.db.memory import MEMORY
from pymeet.db.outflows import LOG_FIELDS, RECEIVERS
from pymeet.db.schema import metadata
from pymeet.db.stores import BOOKKEEPING_TABLES, CLIENT, FILES


def tables() -> tuple[tuple[str, TableEntry], ...]:
    """Every table with the file it stands in: first those of `pymeet.db`, then those of `keys.db`."""
    return tuple(
        (file, entry) for file, made in (("pymeet.db", metadata), ("keys.db", keys_metadata)) for entry in entries(made)
    )


def digest() -> str:
    """A fingerprint of every declaration, 16 hexadecimal digits: it changes when any answer changes."""
    declared = {
        "tables": [[file, asdict(entry)] for file, entry in tables()],
        "files": [asdict(store) for store in FILES],
        "browser": [asdict(store) for store in CLIENT],
        "memory": [asdict(store) for store in MEMORY],
        "log": dict(LOG_FIELDS),
        "recipients": [asdict(receiver) for receiver in RECEIVERS],
        "bookkeeping": BOOKKEEPING_TABLES,
    }
    said = json.dumps(declared, sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
