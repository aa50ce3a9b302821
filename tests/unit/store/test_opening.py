"""Opening a data directory: new, damaged, newer, locked, without permission, for reading only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import ReadOnly, StoreCorrupt, StoreError, StoreTooNew
from confvm_gui.store import open_store
from confvm_gui.store.schema import SCHEMA
from tests.unit.store.nouns import event, instance, operation


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "console.lock"}


async def make(directory: Path) -> Path:
    """A database with something in it, closed; its path."""
    store = await open_store(directory)
    store.instances.put([instance(number) for number in range(20)])
    await store.operations.accept([operation(number) for number in range(20)])
    for number in range(20):
        store.audit.append(event(number))
    await store.aclose()
    return directory / "console.db"


async def read_all(directory: Path, *, readonly: bool = False) -> None:
    store = await open_store(directory, readonly=readonly)
    try:
        await store.instances.all()
        await store.operations.recent(100)
        await store.audit.read(limit=100)
        await store.audit.verify()
        await store.settings.load()
    finally:
        await store.aclose()


async def test_a_new_directory_belongs_to_its_user_only(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    store = await open_store(directory)
    store.settings.put("a", 1)
    await store.flush()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert {"console.db", "console.lock"} <= {path.name for path in directory.iterdir()}
    await store.aclose()


async def test_an_empty_directory_is_closed_to_others_but_a_used_one_is_left_alone(tmp_path: Path) -> None:
    empty, used = tmp_path / "empty", tmp_path / "used"
    for directory in (empty, used):
        directory.mkdir(mode=0o755)
        directory.chmod(0o755)
    (used / "letters.txt").write_text("mine")
    for directory in (empty, used):
        await (await open_store(directory)).aclose()
    assert stat.S_IMODE(empty.stat().st_mode) == 0o700
    assert stat.S_IMODE(used.stat().st_mode) == 0o755
    assert stat.S_IMODE((used / "console.db").stat().st_mode) == 0o600


async def test_a_database_that_others_could_read_is_closed_to_them(data_dir: Path) -> None:
    database = await make(data_dir)
    database.chmod(0o644)
    await (await open_store(data_dir)).aclose()
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


async def test_the_file_says_what_it_is(data_dir: Path) -> None:
    database = await make(data_dir)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (0x43564D43,)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(SCHEMA),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_opening_does_not_wait_for_sqlite_utils(data_dir: Path) -> None:
    program = (
        "import asyncio, sys, pathlib\n"
        "from confvm_gui.store import open_store\n"
        "async def main():\n"
        "    for _ in range(2):\n"
        "        await (await open_store(pathlib.Path(sys.argv[1]))).aclose()\n"
        "asyncio.run(main())\n"
        "print([name for name in ('sqlite_utils', 'click', 'numpy', 'cryptography') if name in sys.modules])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(data_dir)], capture_output=True, text=True, timeout=50, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "content", [b"", b"SQLite format 3\0", b"hello", bytes(4096), b"SQLite format 3\0" + bytes(4096)]
)
async def test_what_is_no_database_is_refused_and_left_as_it_is(data_dir: Path, content: bytes) -> None:
    (data_dir / "console.db").write_bytes(content)
    for readonly in (False, True):
        with pytest.raises(StoreCorrupt, match=str(data_dir / "console.db")):
            await open_store(data_dir, readonly=readonly)
    assert contents(data_dir) == {"console.db": content}


@given(content=st.binary(max_size=9000), like_a_database=st.booleans())
def test_random_bytes_are_corrupt_and_nothing_else(
    content: bytes, like_a_database: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("random")
    data = (b"SQLite format 3\0" if like_a_database else b"") + content
    (directory / "console.db").write_bytes(data)
    with pytest.raises(StoreCorrupt):
        asyncio.run(open_store(directory))
    assert contents(directory) == {"console.db": data}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(make(tmp_path_factory.mktemp("sound")))


@given(
    at=st.integers(0, 2**20) | st.integers(0, 200),
    junk=st.binary(min_size=1, max_size=300),
    length=st.none() | st.integers(0, 2**20),
)
def test_a_damaged_database_gives_only_store_errors(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes, length: int | None
) -> None:
    damaged = bytearray(sound.read_bytes())
    at %= len(damaged)
    damaged[at : at + len(junk)] = junk
    if length is not None:
        del damaged[length % len(damaged) :]
    directory = tmp_path_factory.mktemp("damaged")
    (directory / "console.db").write_bytes(damaged)
    with contextlib.suppress(StoreError):
        asyncio.run(read_all(directory))


async def test_a_foreign_database_is_refused(data_dir: Path) -> None:
    with contextlib.closing(sqlite3.connect(data_dir / "console.db")) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.commit()
    before = contents(data_dir)
    with pytest.raises(StoreCorrupt, match="not one of this console"):
        await open_store(data_dir)
    assert contents(data_dir) == before


async def test_missing_tables_are_noticed(data_dir: Path) -> None:
    database = await make(data_dir)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE samples")
        connection.commit()
    with pytest.raises(StoreCorrupt, match="lacks tables"):
        await open_store(data_dir)


async def test_a_newer_database_is_refused_and_left_as_it_is(data_dir: Path) -> None:
    database = await make(data_dir)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = contents(data_dir)
    for readonly in (False, True):
        with pytest.raises(StoreTooNew, match="newer console") as caught:
            await open_store(data_dir, readonly=readonly)
        assert str(database) in caught.value.message
    assert contents(data_dir) == before


async def test_a_write_ahead_log_without_its_database_is_not_overwritten(data_dir: Path) -> None:
    (data_dir / "console.db-wal").write_bytes(b"what was committed last")
    with pytest.raises(StoreCorrupt, match=r"console\.db-wal"):
        await open_store(data_dir)
    assert contents(data_dir) == {"console.db-wal": b"what was committed last"}


async def test_what_a_killed_first_start_left_is_no_obstacle(data_dir: Path) -> None:
    (data_dir / "console.db.new").write_bytes(b"half of a database")
    await (await open_store(data_dir)).aclose()
    assert contents(data_dir).keys() == {"console.db"}


async def test_a_file_in_place_of_the_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    for readonly in (False, True):
        with pytest.raises(StoreError, match="is a file, not a folder"):
            await open_store(tmp_path / "data", readonly=readonly)
    with pytest.raises(StoreError, match=r"cannot be used as the data directory"):
        await open_store(tmp_path / "data" / "deeper")
    assert (tmp_path / "data").read_text() == "not a folder"


async def test_a_directory_in_place_of_the_database_is_told(data_dir: Path) -> None:
    (data_dir / "console.db").mkdir()
    with pytest.raises(StoreError, match=r"console\.db cannot be read"):
        await open_store(data_dir)


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Without the superuser's privileges, if the tests have them."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_road(tmp_path: Path) -> Path:
    """A folder that anyone can reach."""
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001 and folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path


async def test_a_directory_without_permission_is_told(open_road: Path) -> None:
    closed = open_road / "closed"
    closed.mkdir(mode=0o500)
    closed.chmod(0o555)
    with as_nobody():
        with pytest.raises(StoreError, match="not permitted"):
            await open_store(closed)
        with pytest.raises(StoreError, match="Permission denied"):
            await open_store(closed / "new")
    assert list(closed.iterdir()) == []


async def test_a_directory_that_cannot_be_written_can_still_be_read(open_road: Path) -> None:
    directory = open_road / "data"
    await make(directory)
    (directory / "console.db").chmod(0o444)
    directory.chmod(0o555)
    try:
        with as_nobody():
            store = await open_store(directory, readonly=True)
            assert len(await store.instances.all()) == 20
            assert (await store.audit.verify()).intact
            await store.aclose()
    finally:
        directory.chmod(0o700)


async def test_reading_only_leaves_everything_as_it_is(data_dir: Path) -> None:
    await make(data_dir)
    before = contents(data_dir)
    store = await open_store(data_dir, readonly=True)
    assert store.readonly
    assert store.readonly_reason == "The console was opened for reading only"
    assert len(await store.instances.all()) == 20
    with pytest.raises(ReadOnly, match="for reading only"):
        store.settings.put("a", 1)
    await store.aclose()
    assert {name: data for name, data in contents(data_dir).items() if name == "console.db"} == before


async def test_reading_only_takes_no_lock(data_dir: Path) -> None:
    await make(data_dir)
    reader = await open_store(data_dir, readonly=True)
    writer = await open_store(data_dir)
    assert not writer.readonly
    await writer.aclose()
    await reader.aclose()


def test_reading_where_nothing_was_written_makes_nothing(tmp_path: Path) -> None:
    async def read() -> None:
        store = await open_store(tmp_path / "nowhere", readonly=True)
        assert await store.instances.all() == []
        assert await store.settings.load() == {}
        assert (await store.audit.verify()).intact
        await store.aclose()

    asyncio.run(read())
    assert list(tmp_path.iterdir()) == []


HOLD = """
import asyncio, pathlib, sys, time
from confvm_gui.store import open_store
async def main():
    store = await open_store(pathlib.Path(sys.argv[1]))
    print("open", flush=True)
    sys.stdin.read()
asyncio.run(main())
"""


async def readonly_reason(directory: Path) -> str:
    async with await open_store(directory) as store:
        return store.readonly_reason


def test_the_lock_names_its_holder_and_dies_with_it(data_dir: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        reason = asyncio.run(readonly_reason(data_dir))
        assert f"process {other.pid}" in reason
        assert str(data_dir) in reason
        other.send_signal(signal.SIGKILL)
    assert asyncio.run(readonly_reason(data_dir)) == ""


def test_a_forked_child_does_not_keep_the_lock(data_dir: Path) -> None:
    reading, writing = os.pipe()
    told, telling = os.pipe()

    async def fork() -> int:
        async with await open_store(data_dir):
            child = os.fork()
            if child == 0:
                # Python has let go of the lock by now, before it gave the child its first instruction here.
                os.close(writing)
                os.write(telling, b"!")
                os.read(reading, 1)
                os._exit(0)
            os.read(told, 1)
            return child

    child = asyncio.run(fork())
    for descriptor in (reading, told, telling):
        os.close(descriptor)
    try:
        assert asyncio.run(readonly_reason(data_dir)) == ""
    finally:
        os.close(writing)
        os.waitpid(child, 0)


async def test_an_opening_that_is_cancelled_leaves_no_lock(data_dir: Path) -> None:
    opening = asyncio.create_task(open_store(data_dir))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    async with asyncio.timeout(10):
        while (store := await open_store(data_dir)).readonly:
            await store.aclose()
    await store.aclose()
