"""`store-append`: operations accepted through the store, against the same rows through bare `sqlite3`.

Measured: tasks on one event loop that each accept one operation at a time and wait until it is committed, as the jobs
of a busy console do; each operation is made into its row within that time. Reference: the rows ready-made, inserted by
`executemany` on one connection with the same durability (WAL, `synchronous=NORMAL`), into the same table of the same
schema with its indexes, as many in one transaction as there were tasks: the most that the store can have waiting at
once, so that it never has larger groups than the reference.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Final

from confvm_gui.app.bench.figure import Figure, Judged, Target, in_turns, throughput
from confvm_gui.domain.errors import BugError
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus
from confvm_gui.store import open_store

OPERATIONS: Final = 20_000
TASKS: Final = 256
ROUNDS: Final = 5
TARGET: Final = Target(Judged.RATIO, 0.3, at_least=True)
_SELECT: Final = """
SELECT id, kind, provider, instance_id, instance_name, status, accepted_at, intent, steps, progress, attempts, ended_at,
    error
FROM operations ORDER BY sequence
"""
_INSERT: Final = """
INSERT INTO operations (id, kind, provider, instance_id, instance_name, status, accepted_at, intent, steps, progress,
    attempts, ended_at, error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""


def measure(operations: int = OPERATIONS, tasks: int = TASKS, rounds: int = ROUNDS) -> Figure:
    """Must be called where no event loop runs. Raises StoreError if the temporary folder has no room."""
    made = [_operation(number) for number in range(operations)]
    with tempfile.TemporaryDirectory(prefix="confvm-bench-") as folder:
        root = Path(folder)
        folders = iter(root / str(number) for number in range(2 * rounds + 1))
        rows = _rows(next(folders), made)
        found = in_turns(
            rounds,
            lambda: asyncio.run(_through_store(next(folders), made, tasks)),
            lambda: _through_sqlite(next(folders), rows, tasks),
        )
    return throughput(
        "store-append",
        f"{operations:,} operations accepted one by one by {tasks} tasks, each committed before the task goes on",
        f"sqlite3 inserting the same rows ready-made, {tasks} in a transaction, same schema and durability",
        found,
        work=operations,
        unit="operations/s",
        target=TARGET,
    )


def _operation(number: int) -> Operation:
    name = f"web-{number}"
    return Operation(
        id=f"{number:032x}",
        kind=OperationKind.CREATE,
        provider="embedded",
        instance_id=f"{number:032x}",
        instance_name=name,
        status=OperationStatus.PENDING,
        accepted_at=1_700_000_000.0 + number,
        intent=MappingProxyType(
            {
                "name": name,
                "cloud": "gce",
                "region": "europe-west1",
                "zone": "europe-west1-b",
                "machine_type": "n2d-standard-2",
                "image": "ubuntu-2004-focal",
                "technology": "sev",
                "labels": {"env": "prod"},
            }
        ),
    )


async def _through_store(folder: Path, operations: Sequence[Operation], tasks: int) -> float:
    async with await open_store(folder) as store:
        waiting = iter(operations)

        async def accept() -> None:
            for operation in waiting:
                await store.operations.accept([operation])

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(tasks):
                group.create_task(accept())
        return time.perf_counter() - began


def _rows(folder: Path, operations: Sequence[Operation]) -> list[tuple[object, ...]]:
    """The rows that the store makes of the operations, read back from its database."""

    async def fill() -> None:
        async with await open_store(folder) as store:
            await store.operations.accept(operations)

    asyncio.run(fill())
    with closing(sqlite3.connect(folder / "console.db")) as connection:
        rows = connection.execute(_SELECT).fetchall()
    if len(rows) != len(operations):
        raise BugError("The store has not as many operations as it accepted")
    return rows


def _through_sqlite(folder: Path, rows: Sequence[tuple[object, ...]], batch: int) -> float:
    async def make() -> None:
        await (await open_store(folder)).aclose()

    asyncio.run(make())
    with closing(sqlite3.connect(folder / "console.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        began = time.perf_counter()
        for start in range(0, len(rows), batch):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, rows[start : start + batch])
            connection.execute("COMMIT")
        seconds = time.perf_counter() - began
        (count,) = connection.execute("SELECT count(*) FROM operations").fetchone()
    if count != len(rows):
        raise BugError("sqlite3 has not as many rows as it was given")
    return seconds
