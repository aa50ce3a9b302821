"""Jobs: what an earlier run accepted and did not finish."""

from __future__ import annotations

import asyncio

import pytest

from confvm_gui.domain.errors import (
    ConfvmError,
    InvalidInput,
)
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.domain.ports.provider import OperationContext
from tests.support.fake_provider import make_instance
from tests.support.fake_session import MemoryStore
from tests.support.jobs_rig import Troubled, interrupted, rig
from tests.support.logs import ExpectedLogs

Status = OperationStatus


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING])
@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (OperationKind.CREATE, None, InstanceState.RUNNING),
        (OperationKind.CREATE, InstanceState.STOPPED, InstanceState.STOPPED),
        (OperationKind.START, InstanceState.STOPPED, InstanceState.RUNNING),
        (OperationKind.STOP, InstanceState.STOPPED, InstanceState.STOPPED),
        (OperationKind.RESET, InstanceState.STOPPED, InstanceState.RUNNING),
        (OperationKind.DELETE, InstanceState.STOPPED, None),
        (OperationKind.DELETE, None, None),
    ],
)
async def test_what_was_interrupted_is_done_to_its_end(
    kind: OperationKind, before: InstanceState | None, after: InstanceState | None, status: Status
) -> None:
    instance = make_instance("a", state=before or InstanceState.STOPPED)
    store = MemoryStore([instance] if before else [])
    await store.operations.accept([interrupted(kind, instance, status)])
    async with rig(store=store, provider=Troubled([instance] if before else [])) as r:
        (taken_up,) = await r.jobs.take_up_unfinished()
        assert (await r.done(taken_up)).status is Status.SUCCEEDED
        states = [each.state for each in r.inventory.all()]
        assert states == ([after] if after else [])
        assert await store.operations.unfinished() == []
        assert "operation.resumed" in r.actions(Severity.WARNING)
        if kind is OperationKind.CREATE:
            assert len(r.provider.known) == 1


@pytest.mark.parametrize("kind", [OperationKind.PAUSE, OperationKind.RESUME])
async def test_a_pause_of_what_went_down_with_the_console_is_reported(kind: OperationKind) -> None:
    instance = make_instance("a", state=InstanceState.STOPPED)
    store = MemoryStore([instance])
    await store.operations.accept([interrupted(kind, instance)])
    async with rig(instance, store=store) as r:
        (taken_up,) = await r.jobs.take_up_unfinished()
        done = await r.done(taken_up)
        assert done.status is Status.FAILED
        assert "stopped" in done.error


@pytest.mark.parametrize("error", [InvalidInput("records", "There is no file"), RuntimeError("bug")])
async def test_a_creation_that_cannot_go_on_is_rolled_back(error: Exception, expected_logs: ExpectedLogs) -> None:
    if not isinstance(error, ConfvmError):
        expected_logs("met a bug")
    instance = make_instance("a", state=InstanceState.CREATING)
    store = MemoryStore([instance])
    await store.operations.accept([interrupted(OperationKind.CREATE, instance)])
    async with rig(store=store, provider=Troubled()) as r:
        r.provider.failures = [error]
        (taken_up,) = await r.jobs.take_up_unfinished()
        done = await r.done(taken_up)
        assert done.status is Status.ROLLED_BACK
        assert done.error
        assert r.inventory.all() == ()
        assert "operation.rolled-back" in r.actions(Severity.WARNING)


async def test_a_creation_taken_up_again_can_be_cancelled_before_it_begins_and_leaves_nothing() -> None:
    instance = make_instance("a", state=InstanceState.STOPPED)
    store = MemoryStore()
    await store.operations.accept([interrupted(OperationKind.CREATE, instance)])

    class HalfMade(Troubled):
        async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
            operation.step("go on", 0.5)
            raise AssertionError("it was cancelled")

    provider = HalfMade([instance])
    async with rig(store=store, provider=provider) as r:
        (taken_up,) = await r.jobs.take_up_unfinished()
        r.jobs.cancel(taken_up.id)
        assert (await r.done(taken_up)).status is Status.CANCELLED
        assert provider.known == {}


async def test_taken_up_in_the_order_of_acceptance() -> None:
    instance = make_instance("a", state=InstanceState.STOPPED)
    store = MemoryStore([instance])
    kinds = [OperationKind.START, OperationKind.STOP, OperationKind.RESET]
    await store.operations.accept([interrupted(kind, instance) for kind in kinds])
    async with rig(instance, store=store) as r:
        for operation in await r.jobs.take_up_unfinished():
            await r.done(operation)
        assert [call for call, _ in r.provider.calls] == ["running", "stopped", "running"]


async def test_what_belongs_to_a_provider_that_is_not_there_waits_and_is_reported() -> None:
    instance = make_instance("a", provider="elsewhere")
    store = MemoryStore()
    await store.operations.accept([interrupted(OperationKind.STOP, instance)])
    async with rig(store=store) as r:
        assert await r.jobs.take_up_unfinished() == []
        assert len(await store.operations.unfinished()) == 1
        assert "operation.waiting" in r.actions(Severity.WARNING)


async def test_what_runs_when_the_console_is_closed_is_taken_up_at_the_next_start() -> None:
    async with rig() as r:
        r.provider.hold.clear()
        running, waiting = await r.create("running"), await r.create("waiting")
        await r.provider.at_work.wait()
        r.jobs.cancel(running.id)
    assert [each.id for each in await r.store.operations.unfinished()] == [running.id, waiting.id]
    async with rig(store=r.store) as later:
        taken_up = await later.jobs.take_up_unfinished()
        assert {(await later.done(each)).status for each in taken_up} == {Status.SUCCEEDED}
        assert sorted(each.name for each in later.inventory.all()) == ["running", "waiting"]


async def test_an_operation_is_not_cancelled_by_who_stops_waiting_for_it() -> None:
    async with rig() as r:
        r.provider.hold.clear()
        operation = await r.create()
        waiting = asyncio.ensure_future(r.jobs.wait(operation.id))
        await r.provider.at_work.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        r.provider.hold.set()
        assert (await r.done(operation)).status is Status.SUCCEEDED
