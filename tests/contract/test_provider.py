"""What every provider promises, whoever runs the instances."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound, OperationCancelled, Unsupported, WrongState
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.memory import PAGE_SIZE, PageKind, Viewer
from confvm_gui.domain.ports.provider import (
    CanClone,
    CanMigrate,
    CanPause,
    Capability,
    ChangeKind,
    HasConsole,
    HasGuestQueries,
    HasMemory,
    HasMetrics,
    HasSnapshots,
    OperationContext,
    Provider,
)
from confvm_gui.domain.query import Query, QueryVerb
from tests.support.embedded_rig import embedded, launch_request
from tests.support.fake_provider import FakeProvider
from tests.support.operations import OperationRecord

RUNNING, PAUSED, STOPPED = InstanceState.RUNNING, InstanceState.PAUSED, InstanceState.STOPPED
Act: TypeAlias = Callable[[Provider, str, OperationContext], Awaitable[Instance]]


class EveryPower(Provider, CanPause, HasMemory, HasConsole, HasMetrics, HasGuestQueries, Protocol):
    """A provider with all optional powers."""


@asynccontextmanager
async def fake(data_dir: Path) -> AsyncIterator[FakeProvider]:
    provider = FakeProvider()
    await provider.connect()
    yield provider
    await provider.aclose()


@dataclass(frozen=True)
class Kind:
    """One provider that keeps the contract."""

    open: Callable[[Path], AbstractAsyncContextManager[EveryPower]]
    """Connected, closed at the end; of the optional powers it need not have all."""
    request: Callable[[str, Technology], LaunchRequest] = lambda name, technology: launch_request(
        name, technology=technology
    )
    usual: Technology = Technology.SEV
    trust: Trust = Trust.MEASURED
    """Of a confidential instance that has just been made."""


KINDS: dict[str, Kind] = {"embedded": Kind(embedded), "fake": Kind(fake)}


@pytest.fixture(params=["embedded", "fake"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[str(request.param)]


@pytest.fixture(params=[Technology.SEV, Technology.NONE])
def technology(request: pytest.FixtureRequest) -> Technology:
    return Technology(request.param)


async def everything(provider: Provider) -> dict[str, Instance]:
    return {instance.id: instance async for page in provider.instances() for instance in page}


async def make(kind: Kind, provider: Provider, name: str = "probe") -> Instance:
    return await provider.create(kind.request(name, kind.usual), OperationRecord())


async def start(provider: Provider, instance_id: str, operation: OperationContext) -> Instance:
    return await provider.start(instance_id, operation)


async def stop(provider: Provider, instance_id: str, operation: OperationContext) -> Instance:
    return await provider.stop(instance_id, operation)


async def reset(provider: Provider, instance_id: str, operation: OperationContext) -> Instance:
    return await provider.reset(instance_id, operation)


async def pause(provider: Provider, instance_id: str, operation: OperationContext) -> Instance:
    assert isinstance(provider, CanPause)
    return await provider.pause(instance_id, operation)


async def resume(provider: Provider, instance_id: str, operation: OperationContext) -> Instance:
    assert isinstance(provider, CanPause)
    return await provider.resume(instance_id, operation)


async def test_it_says_what_it_is_and_why_it_cannot(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        assert provider.name
        assert provider.title
        assert Technology.NONE not in provider.technologies
        for capability in Capability:
            assert bool(provider.reason_unsupported(capability)) is (capability not in provider.capabilities)
        for technology in Technology:
            possible = technology in provider.technologies or technology is Technology.NONE
            assert bool(provider.reason_unsupported(technology)) is not possible


async def test_its_powers_are_those_that_it_names(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        plain: Provider = provider
        for capability, power in (
            (Capability.PAUSE, CanPause),
            (Capability.MEMORY_HYPERVISOR, HasMemory),
            (Capability.CONSOLE, HasConsole),
            (Capability.METRICS, HasMetrics),
            (Capability.GUEST_QUERIES, HasGuestQueries),
            (Capability.SNAPSHOT, HasSnapshots),
            (Capability.MIGRATION, CanMigrate),
            (Capability.CLONE, CanClone),
        ):
            assert (capability in plain.capabilities) is isinstance(plain, power)


async def test_created_as_asked_for_and_running(kind: Kind, data_dir: Path, technology: Technology) -> None:
    async with kind.open(data_dir) as provider:
        operation = OperationRecord()
        request = kind.request("probe", technology)
        made = await provider.create(request, operation)
        assert made.id == operation.instance_id
        assert made.state is RUNNING
        assert (made.name, made.provider, made.region, made.zone) == (
            "probe",
            provider.name,
            request.region,
            request.zone,
        )
        assert (made.machine_type, made.image, made.technology) == (request.machine_type, request.image, technology)
        assert made.trust is (Trust.NOT_APPLICABLE if technology is Technology.NONE else kind.trust)
        assert dict(made.labels) == {"env": "test"}
        assert await everything(provider) == {made.id: made}
        progress = [at for _, at, _ in operation.steps]
        assert progress == sorted(progress)
        assert all(0 < at <= 1 for at in progress)


async def test_a_creation_called_again_confirms_it(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        operation = OperationRecord()
        first = await provider.create(kind.request("probe", kind.usual), operation)
        again = await provider.create(
            kind.request("probe", kind.usual), OperationRecord(first.id, operation_id=operation.operation_id)
        )
        assert again.id == first.id
        assert again.created_at == first.created_at
        assert list(await everything(provider)) == [first.id]


@pytest.mark.parametrize(
    ("prepare", "act", "expected"),
    [
        ([stop], start, RUNNING),
        ([], stop, STOPPED),
        ([], reset, RUNNING),
        ([stop], reset, RUNNING),
        ([], pause, PAUSED),
        ([pause], resume, RUNNING),
        ([pause], stop, STOPPED),
        ([pause], reset, RUNNING),
    ],
)
async def test_an_act_called_twice_ends_where_once_does(
    kind: Kind, data_dir: Path, prepare: list[Act], act: Act, expected: InstanceState
) -> None:
    async with kind.open(data_dir) as provider:
        made = await make(kind, provider)
        for before in prepare:
            await before(provider, made.id, OperationRecord(made.id))
        operation = OperationRecord(made.id)
        for _ in range(2):
            done = await act(provider, made.id, OperationRecord(made.id, operation_id=operation.operation_id))
            assert done.state is expected
            assert await everything(provider) == {made.id: done}


async def test_deleted_whatever_its_state_and_once_more(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        for number, prepare in enumerate(([], [pause], [stop])):
            made = await make(kind, provider, f"probe-{number}")
            for before in prepare:
                await before(provider, made.id, OperationRecord(made.id))
            await provider.delete(made.id, OperationRecord(made.id))
            assert await everything(provider) == {}
            await provider.delete(made.id, OperationRecord(made.id))


@pytest.mark.parametrize("act", [start, stop, reset, pause, resume])
async def test_what_is_not_there_is_not_found(kind: Kind, data_dir: Path, act: Act) -> None:
    async with kind.open(data_dir) as provider:
        with pytest.raises(NotFound):
            await act(provider, "0" * 32, OperationRecord())


@pytest.mark.parametrize("act", [pause, resume])
async def test_what_does_not_run_cannot_pause(kind: Kind, data_dir: Path, act: Act) -> None:
    async with kind.open(data_dir) as provider:
        made = await make(kind, provider)
        await provider.stop(made.id, OperationRecord(made.id))
        with pytest.raises(WrongState):
            await act(provider, made.id, OperationRecord(made.id))
        assert (await everything(provider))[made.id].state is STOPPED


async def test_a_creation_cancelled_at_any_step_leaves_nothing(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        cancelled = 0
        while True:
            operation = OperationRecord(cancel_at=cancelled)
            try:
                made = await provider.create(kind.request("probe", kind.usual), operation)
            except OperationCancelled:
                assert await everything(provider) == {}
                cancelled += 1
            else:
                break
        assert cancelled > 1
        assert made.state is RUNNING
        assert list(await everything(provider)) == [operation.instance_id]


@pytest.mark.parametrize("act", [stop, reset, pause])
async def test_an_act_cancelled_at_its_first_step_changes_nothing(kind: Kind, data_dir: Path, act: Act) -> None:
    async with kind.open(data_dir) as provider:
        made = await make(kind, provider)
        with pytest.raises(OperationCancelled):
            await act(provider, made.id, OperationRecord(made.id, cancel_at=0))
        assert (await everything(provider))[made.id].state is RUNNING


async def test_a_deletion_cancelled_at_any_step_is_done_or_not_begun(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        made = await make(kind, provider)
        for number in range(3):
            try:
                await provider.delete(made.id, OperationRecord(made.id, cancel_at=number))
            except OperationCancelled:
                assert (await everything(provider))[made.id].state is RUNNING
            else:
                assert await everything(provider) == {}
        assert await everything(provider) == {}


async def test_changes_are_told_from_the_call_on_to_all_who_watch(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        first, second = provider.watch(), provider.watch()
        made = await make(kind, provider)
        await provider.delete(made.id, OperationRecord(made.id))
        await provider.aclose()
        for changes in (first, second):
            seen = [change async for change in changes]
            assert [change.kind for change in seen].index(ChangeKind.REMOVED) == len(seen) - 1
            assert {change.instance.id for change in seen} == {made.id}
            assert any(change.instance.state is RUNNING for change in seen)


async def test_watching_ends_with_the_provider(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        changes = provider.watch()
        made = await make(kind, provider)
        await provider.aclose()
        last = [change async for change in changes][-1]
        assert last.instance.id == made.id
        await provider.aclose()


async def test_memory_is_whole_pages_of_what_they_are(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        made = await make(kind, provider)
        for viewer in Viewer:
            source = provider.memory(made.id, viewer)
            assert source.viewer is viewer
            assert source.granularity % PAGE_SIZE == 0
            assert source.best_length % source.granularity == 0
            region = source.regions()[0]
            assert region.gpa % PAGE_SIZE == region.length % PAGE_SIZE == 0
            chunk = await source.read(1 << 20, source.granularity)
            assert (chunk.gpa, len(chunk.data), chunk.viewer) == (1 << 20, source.granularity, viewer)
            if viewer is Viewer.HYPERVISOR:
                assert PageKind.PLAINTEXT not in chunk.kinds
            else:
                assert PageKind.CIPHERTEXT not in chunk.kinds
            with pytest.raises(InvalidInput):
                await source.read(region.gpa + region.length, source.granularity)


async def test_memory_of_what_does_not_run_is_not_there(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        made = await make(kind, provider)
        await provider.stop(made.id, OperationRecord(made.id))
        with pytest.raises(WrongState):
            provider.memory(made.id, Viewer.HYPERVISOR)
        with pytest.raises(NotFound):
            provider.memory("0" * 32, Viewer.HYPERVISOR)


async def test_a_console_streams_until_the_instance_is_deleted(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        made = await make(kind, provider)
        console = provider.console(made.id)
        streams = [asyncio.ensure_future(_whole(console.stream())) for _ in range(2)]
        await asyncio.sleep(0)
        await provider.delete(made.id, OperationRecord(made.id))
        async with asyncio.timeout(10):
            assert {await stream for stream in streams} == {console.scrollback()}
            assert await _whole(console.stream()) == console.scrollback()
        with pytest.raises(NotFound):
            provider.console(made.id)


async def _whole(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([data async for data in stream])


async def test_samples_are_of_what_lives(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        runs, stopped = await make(kind, provider, "runs"), await make(kind, provider, "stopped")
        await provider.stop(stopped.id, OperationRecord(stopped.id))
        (sample,) = await provider.sample([runs.id, stopped.id, "0" * 32])
        assert sample.instance_id == runs.id
        assert sample.memory_bytes > 0
        assert sample.cpu >= 0
        assert await provider.sample([]) in ((), [])


async def test_questions_reach_only_what_runs(kind: Kind, data_dir: Path) -> None:
    async with kind.open(data_dir) as provider:
        made = await make(kind, provider)
        await provider.pause(made.id, OperationRecord(made.id))
        with pytest.raises((WrongState, Unsupported)):
            await provider.query(made.id, Query(QueryVerb.STATUS))
        await provider.stop(made.id, OperationRecord(made.id))
        with pytest.raises(WrongState):
            await provider.query(made.id, Query(QueryVerb.STATUS))
        with pytest.raises(NotFound):
            await provider.query("0" * 32, Query(QueryVerb.STATUS))
