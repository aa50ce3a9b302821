"""The writer: order, failures that are told, a full disk, closing."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.errors import InvalidInput, StoreError, StoreFull
from confvm_gui.domain.operation import OperationStatus
from confvm_gui.store import open_store
from tests.support.runners import Run
from tests.unit.store.nouns import event, instance, operation, sample


async def test_a_write_that_fails_is_raised_by_flush_once_and_told(data_dir: Path) -> None:
    told: list[StoreError] = []
    store = await open_store(data_dir, on_error=told.append)
    store.instances.put([instance(1)])
    store.operations.update(operation(404))
    store.instances.put([replace(instance(2), name="\ud800")])
    store.instances.put([replace(instance(3), vcpus=2**70)])
    store.instances.put([instance(4)])
    with pytest.raises(StoreError, match="op-404 cannot be updated"):
        await store.flush()
    await store.flush()
    assert await store.instances.all() == [instance(1), instance(4)]
    assert told
    await store.aclose()


async def test_without_a_flush_closing_raises_it(data_dir: Path) -> None:
    store = await open_store(data_dir)
    store.operations.update(operation(404))
    with pytest.raises(StoreError, match="op-404"):
        await store.aclose()
    await store.aclose()
    store = await open_store(data_dir)
    assert not store.readonly
    await store.aclose()


async def test_every_failed_put_of_its_own_is_told(data_dir: Path) -> None:
    told: list[StoreError] = []
    store = await open_store(data_dir, on_error=told.append)
    for number in range(3):
        store.operations.update(operation(number))
        with pytest.raises(StoreError):
            await store.flush()
    assert [f"op-{number}" in error.message for number, error in enumerate(told)] == [True] * 3
    await store.aclose()


async def test_text_that_is_no_unicode_and_numbers_that_are_none_are_refused(data_dir: Path) -> None:
    store = await open_store(data_dir)
    await store.operations.accept([operation(1)])
    with pytest.raises(InvalidInput):
        store.operations.update(replace(operation(1), error="\udfff"))
    with pytest.raises(InvalidInput):
        store.operations.update(replace(operation(1), progress=float("nan")))
    with pytest.raises(InvalidInput):
        store.samples.append([sample("\ud800", 1.0)])
    with pytest.raises(InvalidInput):
        store.samples.append([sample("a", float("inf"))])
    with pytest.raises(InvalidInput):
        store.settings.put("\ud800", 1)
    with pytest.raises(InvalidInput):
        store.instances.remove(["\ud800"])
    with pytest.raises(InvalidInput):
        await store.audit.read(limit=1, text="\ud800")
    await store.flush()
    assert await store.operations.unfinished() == [operation(1)]
    await store.aclose()


async def test_a_full_disk_is_told_and_what_was_there_stays(data_dir: Path) -> None:
    told: list[StoreError] = []
    await (await open_store(data_dir)).aclose()
    store = await open_store(data_dir, on_error=told.append, max_pages=60)
    accepted = []

    async def accept_for_ever() -> None:
        for number in itertools.count():
            await store.operations.accept([operation(number)])
            accepted.append(operation(number))

    with pytest.raises(StoreFull, match="No space is left"):
        await accept_for_ever()
    store.audit.append(replace(event(1), message="x" * 400_000))
    with pytest.raises(StoreFull):
        await store.flush()
    assert [type(error) for error in told] == [StoreFull]
    assert await store.operations.unfinished() == accepted
    # What needs no more room still works, and so does the chain.
    store.operations.update(replace(accepted[0], status=OperationStatus.FAILED))
    await store.flush()
    await store.aclose()

    store = await open_store(data_dir)
    assert await store.operations.unfinished() == accepted[1:]
    store.audit.append(event(2))
    await store.flush()
    verdict = await store.audit.verify()
    assert (verdict.intact, verdict.records) == (True, 1)
    await store.aclose()


async def test_one_write_too_large_takes_none_of_its_group_along(data_dir: Path) -> None:
    store = await open_store(data_dir, max_pages=200)
    for number in range(50):
        store.audit.append(event(number))
        if number == 25:
            store.audit.append(replace(event(99), message="x" * 2_000_000))
    with pytest.raises(StoreFull):
        await store.flush()
    verdict = await store.audit.verify()
    assert (verdict.intact, verdict.records) == (True, 50)
    await store.aclose()


async def test_a_database_locked_by_another_program_is_told(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confvm_gui.store.database._BUSY_SECONDS", 0.05)
    store = await open_store(data_dir)
    with contextlib.closing(sqlite3.connect(data_dir / "console.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another program keeps"):
            await store.operations.accept([operation(1)])
        other.execute("ROLLBACK")
    await store.operations.accept([operation(1)])
    assert await store.operations.unfinished() == [operation(1)]
    await store.aclose()


async def test_order_is_kept_over_kinds_of_writes(data_dir: Path) -> None:
    store = await open_store(data_dir)
    for number in range(300):
        store.instances.put([instance(number)])
        if number % 2:
            store.instances.remove([instance(number).id])
        store.settings.put("last", number)
        store.audit.append(event(number))
    await store.flush()
    assert await store.instances.all() == [instance(number) for number in range(0, 300, 2)]
    assert await store.settings.load() == {"last": 299}
    assert [record.event for record in await store.audit.read(limit=2)] == [event(299), event(298)]
    await store.aclose()


async def test_flush_waits_for_a_prune_that_is_done_in_parts(data_dir: Path) -> None:
    store = await open_store(data_dir)
    for at in range(12):
        store.samples.append([sample("a", at + number / 1000) for number in range(1000)])
    store.samples.prune(11.5)
    await store.operations.accept([operation(1)])
    await store.flush()
    assert [each.at for each in await store.samples.since("a", 0.0)] == [11 + n / 1000 for n in range(500, 1000)]
    await store.aclose()


async def test_closing_commits_what_waits(data_dir: Path) -> None:
    store = await open_store(data_dir)
    for number in range(5000):
        store.audit.append(event(number))
    await store.aclose()
    assert not (data_dir / "console.db-wal").exists()
    store = await open_store(data_dir)
    assert (await store.audit.verify()).records == 5000
    await store.aclose()


async def test_a_closed_store_says_so(data_dir: Path) -> None:
    store = await open_store(data_dir)
    await store.aclose()
    with pytest.raises(StoreError, match="closed"):
        store.settings.put("a", 1)
    with pytest.raises(StoreError, match="closed"):
        await store.operations.accept([operation(1)])
    with pytest.raises(StoreError, match="closed"):
        await store.instances.all()
    with pytest.raises(StoreError, match="closed"):
        await store.flush()


async def test_closing_goes_on_when_its_caller_is_cancelled(data_dir: Path) -> None:
    store = await open_store(data_dir)
    closing = asyncio.create_task(store.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await store.aclose()
    again = await open_store(data_dir)
    assert not again.readonly
    await again.aclose()


async def test_an_accept_whose_caller_is_cancelled_harms_nobody(data_dir: Path) -> None:
    store = await open_store(data_dir)
    tasks = [asyncio.create_task(store.operations.accept([operation(number)])) for number in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[1::2] == [None] * 10
    await store.flush()
    assert {each.id for each in await store.operations.unfinished()} >= {f"op-{n}" for n in range(1, 20, 2)}
    await store.aclose()


async def test_the_event_loop_is_free_while_a_fleet_is_written(data_dir: Path) -> None:
    store = await open_store(data_dir)
    fleet = [instance(number) for number in range(20_000)]
    before = time.thread_time()
    store.instances.put(fleet)
    assert time.thread_time() - before < 0.02
    await store.flush()
    assert len(await store.instances.all()) == 20_000
    await store.aclose()


def test_it_works_on_the_windows_own_loop(qasync_run: Run, data_dir: Path) -> None:
    async def use() -> None:
        async with await open_store(data_dir) as store:
            await asyncio.gather(*(store.operations.accept([operation(number)]) for number in range(50)))
            store.audit.append(event(1))
            await store.flush()
            assert len(await store.operations.unfinished()) == 50
            assert (await store.audit.verify()).intact

    qasync_run(use())
