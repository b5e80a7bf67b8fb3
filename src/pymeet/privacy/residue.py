"""The proof of an erasure: what identified the person is searched for in all bytes that the server keeps.

What is searched for is collected before anything is erased. Ids, addresses and tokens count from 6 characters on, texts
that people wrote from 16: shorter ones stand everywhere. Of a column with very many values an even sample is taken.
A value that living rows of others still hold (the same name, a quotation) proves nothing and is told apart.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Text, func, select

from pymeet.config import Config
from pymeet.db import files
from pymeet.db.inventory import KEY, ColumnEntry, Erase, Kind, Subject, TableEntry, Unreachable, entries
from pymeet.db.schema import metadata
from pymeet.errors import PymeetError
from pymeet.privacy.people import DataSubject
from pymeet.privacy.reach import may_be_anybodys, reach

Progress = Callable[[int, int | None, str], None]

SHORTEST: Final = 6
"""Characters; what is shorter is not searched for as text."""

SHORTEST_TEXT: Final = 16
"""The same for texts that people wrote."""

SAMPLE: Final = 400
"""Values of one column that are searched for, when there are more: evenly chosen, first and last included."""

_LINE_BYTES = 1 << 26
_SEARCHED_KINDS = frozenset({Kind.REFERENCE, Kind.NAME, Kind.CONTACT, Kind.CONTENT, Kind.CREDENTIAL})
_FREE_TEXT = frozenset({Kind.NAME, Kind.CONTENT})


class ResidueError(PymeetError):
    """The search for remains could not be made."""

    code = "residue_search_failed"


@dataclass(frozen=True)
class Needles:
    """What is searched for. Lives in memory, and sealed on the disk while an erasure is under way."""

    texts: tuple[str, ...]
    of: int
    """How many values the person had, before the sample."""


@dataclass(frozen=True)
class Remain:
    """Something found that should be gone."""

    place: str
    """The file, relative to the data directory; `file names`; or `table.column` of a living row."""
    form: str
    """In which encoding; `row` for a living row."""
    count: int


@dataclass(frozen=True)
class Findings:
    """What a search found."""

    bytes: int = 0
    files: int = 0
    texts: int = 0
    """So many values were searched for."""
    texts_of: int = 0
    """So many there were."""
    remains: tuple[Remain, ...] = ()
    mentions: Mapping[str, int] = field(default_factory=dict)
    """Values that stand in living rows by others, with the columns where; they were not counted as remains."""
    free_pages: int | None = 0
    """Free pages of the databases; None when they could not be looked at, because somebody wrote without pause."""
    dirty_pages: int = 0
    """Free pages that hold former content."""
    unread: tuple[str, ...] = ()
    """Files that could not be read."""

    @property
    def clean(self) -> bool:
        """Whether everything was searched and nothing found."""
        return not self.remains and not self.dirty_pages and not self.unread

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        lists = {"remains": [asdict(remain) for remain in self.remains], "unread": list(self.unread)}
        return {**asdict(self), **lists, "clean": self.clean}


def needles_of(conn: Connection, person: DataSubject, addresses: Sequence[str]) -> Needles:
    """Collects what identifies the person, out of every column that erasing empties."""
    values: dict[str, None] = {person.id: None, **dict.fromkeys(addresses)}
    seen = {hash(value) for value in values}
    stays = _named_by_what_stays()
    for entry in entries(metadata):
        condition = reach(entry, person, addresses)
        table = metadata.tables[entry.name]
        wanted = [name for name, column in entry.columns.items() if _is_searched(column, table.c[name].type)]
        wanted = [name for name in wanted if (entry.name, name) not in stays]
        if condition is None or not wanted:
            continue
        rows = conn.execute(select(func.count()).select_from(table).where(condition)).scalar_one()
        step = max(1, -(-rows // SAMPLE))
        query = select(*(table.c[name] for name in wanted)).where(condition).order_by(*table.primary_key.columns)
        found = conn.execute(query, execution_options={"yield_per": 500}).mappings()
        for number, row in enumerate(found):
            taken = number % step == 0 or number == rows - 1
            for name in wanted:
                shortest = SHORTEST_TEXT if entry.columns[name].kind is Kind.CONTENT else SHORTEST
                value = row[name]
                if entry.columns[name].kind is Kind.CONTACT and may_be_anybodys(entry) and value not in addresses:
                    continue  # it may be somebody else's, whose address the person only typed
                if value is not None and len(value) >= shortest:
                    seen.add(hash(value))
                    if taken:
                        values[value] = None
    return Needles(tuple(value for value in values if len(value) >= SHORTEST), len(seen))


def paths_of(config: Config) -> tuple[list[Path], list[Path]]:
    """The files to search, and the databases among them. Sealed files are left out: in ciphertext nothing is found.

    Backups are left out too: they are encrypted, or end by their own period, and the ledger keeps people out of them.
    """
    data_dir = config.data_dir.absolute()
    sealed, backups = data_dir / files.DIRECTORY, config.backup_dir.absolute()
    found = [
        path
        for path in sorted(data_dir.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not path.is_relative_to(sealed)
        and not path.is_relative_to(backups)
    ]
    return found, [path for path in (config.database_path.absolute(), config.keys_path.absolute()) if path.exists()]


async def scan(config: Config, needles: Needles, progress: Progress) -> Findings:
    """Searches everything under the data directory. To be called when the write-ahead log was emptied.

    Raises ResidueError when the search cannot be run. A cancellation ends it.
    """
    searched, databases = await asyncio.to_thread(paths_of, config)
    names = await asyncio.to_thread(_names, config)
    order = {
        "texts": needles.texts,
        "files": [str(path) for path in searched] if needles.texts else [],
        "names": names,
        "databases": [str(path) for path in databases],
    }
    result = await _run(order, progress)
    return _judged(config, needles, len(searched), result)


def _judged(config: Config, needles: Needles, count: int, result: Mapping[str, Any]) -> Findings:
    """Tells what should be gone from what others wrote, or share with the person."""
    living: dict[int, list[str]] = {int(number): columns for number, columns in result["living"].items()}
    mentions: dict[str, int] = {}
    remains = []
    for number, columns in living.items():
        strange = [column for column in columns if not _is_of_others(column)]
        if strange:
            remains += [Remain(column, "row", 1) for column in strange]
            living[number] = []
        else:
            for column in columns:
                mentions[column] = mentions.get(column, 0) + 1
    for place, number, form, times in result["hits"]:
        if not living.get(number):
            remains.append(Remain(_relative(config, place), form, times))
    free = list(result["free"].values())
    looked_at = [each for each in free if each is not None]
    return Findings(
        bytes=result["bytes"],
        files=count,
        texts=len(needles.texts),
        texts_of=max(needles.of, len(needles.texts)),
        remains=tuple(sorted(remains, key=lambda each: (each.place, each.form))),
        mentions=dict(sorted(mentions.items())),
        free_pages=sum(pages for pages, _ in looked_at) if len(looked_at) == len(free) else None,
        dirty_pages=sum(dirty for _, dirty in looked_at),
        unread=tuple(_relative(config, path) for path in result["unread"]),
    )


async def _run(order: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    # What is searched for goes through a pipe: arguments and environment can be read by others on the machine.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pymeet.privacy.residue_search",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # a traceback could show values
        limit=_LINE_BYTES,
    )
    assert process.stdin is not None  # noqa: S101  asked for above
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(json.dumps(order).encode())
        await process.stdin.drain()
        process.stdin.close()
        async for line in process.stdout:
            said = json.loads(line)
            if "result" in said:
                await process.wait()
                result: dict[str, Any] = said["result"]
                return result
            done, total = said["progress"]
            progress(done, total, "searching for remains")
    except (OSError, ValueError):
        pass  # it ended in the middle; told below
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    raise ResidueError("The search for remains ended before it was done. Run `pymeet privacy verify` to repeat it.")


def _is_searched(column: ColumnEntry, kind: object) -> bool:
    if not column.personal or column.kind not in _SEARCHED_KINDS or not isinstance(kind, Text):
        return False
    return column.erase in (Erase.WITH_ROW, Erase.CLEAR, Erase.PSEUDONYM)


def _named_by_what_stays() -> set[tuple[str, str]]:
    """Columns whose values other rows keep by decision, such as a person's pseudonym in the audit log."""
    found = set()
    for entry in entries(metadata):
        for whose in entry.subjects:
            if isinstance(whose, Subject) and whose.hops and _stays(entry, whose.hops[0].column):
                table, _, column = whose.hops[0].to.partition(".")
                found.add((table, column))
    return found


def _stays(entry: TableEntry, column: str) -> bool:
    return entry.columns[column].erase is Erase.KEEP


def _is_of_others(place: str) -> bool:
    """Whether a value of the person may stand in this column, `table.column`, of rows that are not theirs.

    That is text that people wrote, a name, which two may share, and the address to which a mail goes: whether rows are
    theirs is counted apart.
    """
    table, _, column = place.partition(".")
    made = metadata.tables.get(table)
    if made is None or column not in made.c:
        return False
    entry: TableEntry = made.info[KEY]
    found_by_address = any(isinstance(whose, Unreachable) for whose in entry.subjects)
    kind = entry.columns[column].kind
    return kind in _FREE_TEXT or (kind is Kind.CONTACT and found_by_address)


def _names(config: Config) -> list[str]:
    """The names of all files: an id may stand there."""
    return [str(path.relative_to(config.data_dir)) for path in config.data_dir.rglob("*")]


def _relative(config: Config, place: str) -> str:
    path = Path(place)
    data_dir = config.data_dir.absolute()
    return str(path.relative_to(data_dir)) if path.is_relative_to(data_dir) else place
