"""The key store: keys come back, shredded ones do not, a wrong master key is loud, and changing it can be killed."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from pymeet.db import inventory
from pymeet.db.keys import (
    FILE_NAME,
    KeyGoneError,
    KeysBusyError,
    KeyStore,
    Rotation,
    WrongKeyError,
    keys_metadata,
    rotate_master_key,
)
from pymeet.errors import ConflictError
from pymeet.keyring import Keyring


def opened(data_dir: Path) -> KeyStore:
    return KeyStore.open(data_dir / FILE_NAME, Keyring.open(data_dir))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KeyStore]:
    with closing(opened(tmp_path)) as store:
        yield store


def bytes_on_disk(data_dir: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data_dir.glob(f"{FILE_NAME}*"))


def wrapped_key(data_dir: Path, file_id: str) -> bytes:
    with closing(sqlite3.connect(data_dir / FILE_NAME)) as conn:
        (wrapped,) = conn.execute("SELECT wrapped FROM file_keys WHERE file_id = ?", (file_id,)).fetchone()
    return bytes(wrapped)


def quiet(done: int, total: int) -> None:
    pass


def test_a_key_comes_back_after_a_restart(tmp_path: Path, store: KeyStore) -> None:
    """Without it the file is lost."""
    key = store.make("file-a", 5)
    other = store.make("file-b", 6)
    store.close()

    with closing(opened(tmp_path)) as again:
        assert again.get("file-a") == key
        assert again.get("file-b") == other
        assert list(again.ids()) == [("file-a", 5), ("file-b", 6)]
        assert again.check() >= 2
    assert len(key) == len(other) == 32
    assert key != other


def test_a_file_never_gets_a_second_key(store: KeyStore) -> None:
    """The first would be lost, and the file with it."""
    key = store.make("file-a", 1)

    with pytest.raises(ConflictError):
        store.make("file-a", 2)

    assert store.get("file-a") == key


def test_no_key_stands_on_the_disk_as_it_is(tmp_path: Path, store: KeyStore) -> None:
    """A copied disk or backup without the master key must open nothing."""
    keys = [store.make("file-a", 1), store.purpose_key(b"ledger")]

    for key in keys:
        assert key not in bytes_on_disk(tmp_path)
        assert key.hex().encode() not in bytes_on_disk(tmp_path)


def test_a_shredded_key_is_gone_from_every_byte_of_the_files(tmp_path: Path, store: KeyStore) -> None:
    """Whoever holds an old copy of the file and the master key must still not be able to open it."""
    for number in range(50):
        store.make(f"file-{number}", number)
    kept = store.get("file-8")
    wrapped = wrapped_key(tmp_path, "file-7")
    assert wrapped in bytes_on_disk(tmp_path)

    store.shred("file-7")

    assert wrapped not in bytes_on_disk(tmp_path)
    assert wrapped[12:] not in bytes_on_disk(tmp_path)
    with pytest.raises(KeyGoneError):
        store.get("file-7")
    assert store.get("file-8") == kept


def test_shredding_again_is_no_error(store: KeyStore) -> None:
    """After a crash it is simply done once more."""
    store.make("file-a", 1)

    store.shred("file-a")
    store.shred("file-a", "never-was")


def test_shredding_while_another_process_reads_is_reported_and_can_be_repeated(tmp_path: Path, store: KeyStore) -> None:
    """A reader's snapshot keeps the deleted key in the write-ahead log: gone must not be said before it is."""
    store.make("file-a", 1)
    wrapped = wrapped_key(tmp_path, "file-a")
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM file_keys").fetchall()

        with pytest.raises(KeysBusyError):
            store.shred("file-a")
        assert wrapped in bytes_on_disk(tmp_path)
        reader.execute("COMMIT")

    store.shred("file-a")

    assert wrapped not in bytes_on_disk(tmp_path)


def test_another_master_key_is_refused_at_the_start_even_without_files(tmp_path: Path, store: KeyStore) -> None:
    """Going on would close new files with a key that does not open the old ones."""
    token_key = store.purpose_key(b"room-token")
    store.close()
    (tmp_path / "master.key").rename(tmp_path / "elsewhere")

    with pytest.raises(WrongKeyError, match=r"Put the right master\.key back"):
        opened(tmp_path)

    (tmp_path / "elsewhere").rename(tmp_path / "master.key")
    with closing(opened(tmp_path)) as again:
        assert again.purpose_key(b"room-token") == token_key


def test_a_damaged_key_is_named_and_the_others_still_open(tmp_path: Path, store: KeyStore) -> None:
    """The operator has to know which file is lost, and that the master key is not at fault."""
    store.make("file-a", 1)
    kept = store.make("file-b", 1)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn, conn:
        conn.execute("UPDATE file_keys SET wrapped = zeroblob(60) WHERE file_id = 'file-a'")

    with pytest.raises(WrongKeyError, match="file-a is damaged"):
        store.get("file-a")
    with pytest.raises(WrongKeyError, match="file-a"):
        store.check()
    assert store.get("file-b") == kept


def test_a_key_moved_to_another_file_opens_nothing(tmp_path: Path, store: KeyStore) -> None:
    """Who can write to the database must not be able to give one file the key of another."""
    store.make("file-a", 1)
    store.make("file-b", 1)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn, conn:
        conn.execute(
            "UPDATE file_keys SET wrapped = (SELECT wrapped FROM file_keys WHERE file_id = 'file-a') "
            "WHERE file_id = 'file-b'"
        )

    with pytest.raises(WrongKeyError):
        store.get("file-b")


def test_purpose_keys_begin_as_the_subkeys_of_the_master_key(tmp_path: Path, store: KeyStore) -> None:
    """Room tokens handed out before there was a key store stay valid."""
    keyring = Keyring.open(tmp_path)

    assert store.purpose_key(b"room-token") == keyring.subkey(b"room-token")
    assert store.purpose_key(b"ledger") == store.purpose_key(b"ledger") == keyring.subkey(b"ledger")


def test_the_files_are_for_the_owner_only_and_overwrite_what_is_deleted(tmp_path: Path, store: KeyStore) -> None:
    """The same promises as for the main database."""
    store.make("file-a", 1)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob(f"{FILE_NAME}*")}
    assert modes == {"keys.db": 0o600, "keys.db-wal": 0o600, "keys.db-shm": 0o600}


def test_what_is_stored_is_what_is_declared() -> None:
    """A column that says nothing of itself cannot be exported, erased or explained."""
    inventory.check(keys_metadata)

    entries = {entry.name: entry for entry in inventory.entries(keys_metadata)}
    assert set(entries) == {"file_keys", "purpose_keys"}
    assert not any(column.personal for entry in entries.values() for column in entry.columns.values())


def test_the_database_has_the_declared_tables_and_columns_only(tmp_path: Path, store: KeyStore) -> None:
    """The declaration is not a second truth beside the file."""
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as conn:
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: [row[1] for row in conn.execute(f"PRAGMA table_info({name})")] for name in tables}

    assert found == {each.name: [column.name for column in each.columns] for each in keys_metadata.sorted_tables}


def test_a_snapshot_is_whole_private_and_opens_with_the_same_master_key(tmp_path: Path, store: KeyStore) -> None:
    """Losing keys.db loses all files; this is what stands against it."""
    key = store.make("file-a", 1)
    gone = store.make("file-b", 1)
    wrapped = wrapped_key(tmp_path, "file-b")
    store.shred("file-b")
    target = tmp_path / "elsewhere" / FILE_NAME
    target.parent.mkdir()

    store.snapshot(target)

    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in target.parent.iterdir()] == [FILE_NAME]
    assert gone != key
    assert wrapped not in target.read_bytes()
    with closing(KeyStore.open(target, Keyring.open(tmp_path))) as copy:
        assert copy.get("file-a") == key
    with pytest.raises(FileExistsError):
        store.snapshot(target)


def test_threads_share_one_store(store: KeyStore) -> None:
    """The sweeper, exports and the backup run side by side."""
    start = threading.Barrier(8)

    def work(number: int) -> bool:
        start.wait()
        keys = {file_id: store.make(file_id, 1) for file_id in (f"{number}-{each}" for each in range(20))}
        store.shred(f"{number}-0")
        return all(store.get(file_id) == key for file_id, key in keys.items() if file_id != f"{number}-0")

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))

    assert len(list(store.ids())) == 8 * 19


def test_after_a_change_of_the_master_key_all_is_as_before_but_the_old_one_opens_nothing(
    tmp_path: Path, store: KeyStore
) -> None:
    """Files, room tokens and the ledger live on; whoever copied the old master key has nothing any more."""
    keys = {f"file-{number}": store.make(f"file-{number}", 1) for number in range(1200)}
    token_key, ledger_key = store.purpose_key(b"room-token"), store.purpose_key(b"ledger")
    old_master = (tmp_path / "master.key").read_bytes()
    old_wrap = wrapped_key(tmp_path, "file-7")
    told: list[tuple[int, int]] = []

    rotation = rotate_master_key(tmp_path, store, lambda done, total: told.append((done, total)))

    assert rotation == Rotation(rewrapped=1202, resumed=False)
    assert told[-1] == (1202, 1202)
    assert told == sorted(told)
    assert len((tmp_path / "master.key").read_text().split()) == 1
    assert old_wrap not in bytes_on_disk(tmp_path)
    made_after = store.make("later", 2)
    store.close()
    with closing(opened(tmp_path)) as again:
        assert {file_id: again.get(file_id) for file_id in keys} == keys
        assert again.get("later") == made_after
        assert (again.purpose_key(b"room-token"), again.purpose_key(b"ledger")) == (token_key, ledger_key)
    (tmp_path / "master.key").write_bytes(old_master)
    with pytest.raises(WrongKeyError):
        opened(tmp_path)


def test_a_process_that_missed_the_change_makes_no_key_under_the_old_one(tmp_path: Path, store: KeyStore) -> None:
    """The old master key is about to be forgotten: what is closed with it now would never open again."""
    with closing(opened(tmp_path)) as other:
        other.make("before", 1)

        rotate_master_key(tmp_path, store, quiet)

        with pytest.raises(WrongKeyError, match="start it again"):
            other.make("after", 2)
        with pytest.raises(WrongKeyError):
            other.purpose_key(b"new-purpose")
    assert [file_id for file_id, _ in store.ids()] == ["before"]
    assert store.check() == 2


def test_two_changes_at_once_are_refused(tmp_path: Path, store: KeyStore) -> None:
    """The second would write over the first one's new key."""
    seen: list[str] = []

    def again(done: int, total: int) -> None:
        with pytest.raises(ConflictError):
            rotate_master_key(tmp_path, store, quiet)
        seen.append("refused")

    rotate_master_key(tmp_path, store, again)

    assert seen
    rotate_master_key(tmp_path, store, quiet)


def test_a_snapshot_from_before_a_change_opens_with_the_old_key_as_second_line(tmp_path: Path, store: KeyStore) -> None:
    """This is how an old backup is restored after the master key was changed."""
    key = store.make("file-a", 1)
    store.snapshot(tmp_path / "snapshot.db")
    old = (tmp_path / "master.key").read_text()
    rotate_master_key(tmp_path, store, quiet)
    store.close()

    for path in tmp_path.glob(f"{FILE_NAME}*"):
        path.unlink()
    (tmp_path / "snapshot.db").rename(tmp_path / FILE_NAME)
    with (tmp_path / "master.key").open("a") as file:
        file.write(old)

    with closing(opened(tmp_path)) as restored:
        assert restored.get("file-a") == key
        assert rotate_master_key(tmp_path, restored, quiet).resumed
        assert restored.get("file-a") == key
    assert len((tmp_path / "master.key").read_text().split()) == 1


KILLED_ROTATIONS = """
import os, pathlib, shutil, signal, sys
from pymeet.db import keys
from pymeet.keyring import Keyring

def rotate(data_dir, left):
    def dying(function):
        def wrapper(*arguments, **options):
            nonlocal left
            for moment in ("before", "after"):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                if moment == "before":
                    result = function(*arguments, **options)
            return result
        return wrapper

    store = keys.KeyStore.open(data_dir / keys.FILE_NAME, Keyring.open(data_dir))
    keys._BATCH = 3
    for place, name in (
        (os, "open"), (os, "fsync"), (pathlib.Path, "replace"),
        (keys.KeyStore, "_wrap"), (keys.KeyStore, "_empty_log"),
    ):
        setattr(place, name, dying(getattr(place, name)))
    keys.rotate_master_key(data_dir, store, dying(lambda done, total: None))
    store.close()

step, killed = 0, True
while killed:
    step += 1
    data_dir = pathlib.Path(sys.argv[1]) / str(step)
    shutil.copytree(pathlib.Path(sys.argv[1]) / "begin", data_dir)
    child = os.fork()
    if not child:
        rotate(data_dir, step)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
print(step, status)
"""
"""Changes the master key again and again, each time killed one step later: before and after every file operation,
wrapped key and finished batch. Ends with the change that nobody killed."""


def test_a_change_killed_at_any_point_loses_nothing_and_is_finished_by_the_next(tmp_path: Path) -> None:
    """The machine may lose power at any moment; no file may be lost, and no old key may stay for ever."""
    begin = tmp_path / "begin"
    with closing(opened(begin)) as store:
        keys = {f"file-{number}": store.make(f"file-{number}", 1) for number in range(7)}
        ledger = store.purpose_key(b"ledger")
    old_id = Keyring.open(begin).id
    script = [sys.executable, "-c", KILLED_ROTATIONS, str(tmp_path)]
    steps, status = map(int, subprocess.run(script, check=True, capture_output=True, text=True).stdout.split())
    assert steps > 40
    assert status == 0

    resumed = 0
    for step in range(1, steps + 1):
        data_dir = tmp_path / str(step)
        with closing(opened(data_dir)) as store:
            assert {file_id: store.get(file_id) for file_id in keys} == keys, step
            assert store.purpose_key(b"ledger") == ledger
            made = store.make("meanwhile", 2)
            if step < steps:
                resumed += rotate_master_key(data_dir, store, quiet).resumed
            assert {file_id: store.get(file_id) for file_id in keys} == keys, step
            assert store.get("meanwhile") == made
            assert store.check() == 10
        keyring = Keyring.open(data_dir)
        assert keyring.id != old_id
        assert keyring.former == ()
        assert sorted(os.listdir(data_dir)) == ["keys.db", "master.key"], step
    assert 20 < resumed < steps
