"""What is stored comes back equal, whatever text it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.attestation_record import AttestationRecord, Baseline
from confvm_gui.domain.errors import InvalidInput, StoreError
from confvm_gui.domain.event import Event
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.operation import Operation
from confvm_gui.store import ConsoleStore, open_store
from tests.unit.store.nouns import (
    BASELINES,
    EVENTS,
    INSTANCES,
    JSON,
    OPERATIONS,
    RECORDS,
    TEXT,
    event,
    instance,
    operation,
)

Use = Callable[[ConsoleStore], Awaitable[None]]


@pytest.fixture(scope="module")
def in_a_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Use], None]:
    """Runs a coroutine function with a new store."""

    async def open_and_use(use: Use) -> None:
        async with await open_store(tmp_path_factory.mktemp("store")) as store:
            await use(store)

    return lambda use: asyncio.run(open_and_use(use))


@given(instances=st.lists(INSTANCES, max_size=20, unique_by=lambda instance: instance.id))
def test_instances(in_a_store: Callable[[Use], None], instances: list[Instance]) -> None:
    async def round_trip(store: ConsoleStore) -> None:
        store.instances.put(instances)
        await store.flush()
        found = {instance.id: instance for instance in await store.instances.all()}
        assert found == {instance.id: instance for instance in instances}

    in_a_store(round_trip)


@given(operations=st.lists(OPERATIONS, max_size=20, unique_by=lambda operation: operation.id))
def test_operations(in_a_store: Callable[[Use], None], operations: list[Operation]) -> None:
    async def round_trip(store: ConsoleStore) -> None:
        await store.operations.accept(operations)
        assert await store.operations.recent(20) == operations[::-1]
        for one in operations:
            store.operations.update(one)
        await store.flush()
        assert await store.operations.recent(20) == operations[::-1]
        assert await store.operations.unfinished() == [one for one in operations if not one.status.is_final]

    in_a_store(round_trip)


@given(events=st.lists(EVENTS, max_size=20))
def test_events(in_a_store: Callable[[Use], None], events: list[Event]) -> None:
    async def round_trip(store: ConsoleStore) -> None:
        for one in events:
            store.audit.append(one)
        await store.flush()
        records = await store.audit.read(limit=20)
        assert [record.event for record in records] == events[::-1]
        for record in records:
            found = await store.audit.read(limit=20, subject=record.event.subject, text=record.event.message[:5])
            assert record in found
        verdict = await store.audit.verify()
        assert verdict.intact, verdict.reason

    in_a_store(round_trip)


@given(records=st.lists(RECORDS, max_size=8, unique_by=lambda record: record.id))
def test_evidence(in_a_store: Callable[[Use], None], records: list[AttestationRecord]) -> None:
    async def round_trip(store: ConsoleStore) -> None:
        for one in records:
            store.evidence.append(one)
        await store.flush()
        for one in records:
            assert await store.evidence.get(one.id) == one
            (line,) = [line for line in await store.evidence.history(one.instance_id) if line.id == one.id]
            assert (line.at, line.format, line.occasion, line.by) == (one.at, one.verdict.format, one.occasion, one.by)
            assert (line.trusted, line.emulated) == (one.verdict.trusted, one.verdict.emulated)

    in_a_store(round_trip)


@given(baselines=st.lists(BASELINES, max_size=8, unique_by=lambda baseline: (baseline.instance_id, baseline.format)))
def test_baselines(in_a_store: Callable[[Use], None], baselines: list[Baseline]) -> None:
    async def round_trip(store: ConsoleStore) -> None:
        for one in baselines:
            store.baselines.put(one)
        await store.flush()
        for one in baselines:
            assert await store.baselines.get(one.instance_id, one.format) == one

    in_a_store(round_trip)


@given(settings=st.dictionaries(TEXT, JSON, max_size=5))
def test_settings(in_a_store: Callable[[Use], None], settings: dict[str, object]) -> None:
    async def round_trip(store: ConsoleStore) -> None:
        for key, value in settings.items():
            store.settings.put(key, value)
        await store.flush()
        assert await store.settings.load() == settings

    in_a_store(round_trip)


@given(text=st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3), around=TEXT)
def test_surrogates_are_refused_clearly(in_a_store: Callable[[Use], None], text: str, around: str) -> None:
    bad = around + text + around

    async def refuse(store: ConsoleStore) -> None:
        with pytest.raises(InvalidInput, match="surrogate"):
            store.audit.append(replace(event(1), message=bad))
        with pytest.raises(InvalidInput, match="surrogate"):
            await store.operations.accept([replace(operation(1), instance_name=bad)])
        with pytest.raises(InvalidInput, match="surrogate"):
            store.settings.put("key", {bad: 1})
        store.instances.put([replace(instance(1), name=bad)])
        with pytest.raises(StoreError, match="surrogate"):
            await store.flush()

    in_a_store(refuse)


def test_paths(tmp_path: Path) -> None:
    async def use(directory: Path) -> None:
        store = await open_store(directory)
        store.settings.put("a", 1)
        await store.aclose()
        store = await open_store(directory, readonly=True)
        assert await store.settings.load() == {"a": 1}
        await store.aclose()

    for name in ("été à l'ouest", "a?mode=memory", "50%41#x", "new\nline", "&vfs=none"):
        asyncio.run(use(tmp_path / name))
        assert (tmp_path / name / "console.db").exists()
