"""Jobs: steps and outcomes, order, cancelling, trying again."""

from __future__ import annotations

import asyncio

import pytest

from confvm_gui.domain.errors import (
    CapacityExceeded,
    NotFound,
    Transient,
    WorkerLost,
    WrongState,
)
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.domain.ports.provider import OperationContext
from confvm_gui.fleet.jobs import ATTEMPTS
from confvm_gui.fleet.launch.request_file import request_to_mapping
from tests.support.embedded_rig import launch_request
from tests.support.fake_provider import make_instance
from tests.support.jobs_rig import Troubled, rig
from tests.support.logs import ExpectedLogs
from tests.support.patience import until

Status = OperationStatus


# Outcomes -------------------------------------------------------------------------------------------------------------


async def test_the_intent_is_on_disk_before_anything_is_done() -> None:
    async with rig() as r:
        r.provider.hold.clear()
        operation = await r.create()
        assert r.store.operations.kept[operation.id].status is Status.PENDING
        assert r.provider.calls == []
        assert r.store.operations.kept[operation.id].intent == request_to_mapping(launch_request())
        r.provider.hold.set()
        assert (await r.done(operation)).status is Status.SUCCEEDED


async def test_steps_and_progress_are_told_and_kept() -> None:
    async with rig() as r:
        done = await r.done(await r.create())
        assert done.status is Status.SUCCEEDED
        assert [(step.name, step.detail) for step in done.steps] == [("one", ""), ("two", "almost there")]
        assert done.progress == 1.0
        assert done.attempts == 1
        assert done.ended_at is not None
        assert done.ended_at >= done.accepted_at
        assert r.seen[0].status is Status.PENDING
        progress = [each.progress for each in r.seen]
        assert progress == sorted(progress)
        assert {0.0, 0.2, 0.9, 1.0} == set(progress)
        assert r.store.operations.kept[done.id] == done
        assert r.inventory.find("probe").state is InstanceState.RUNNING
        assert "operation.create" in r.actions()
        assert "operation.succeeded" in r.actions()


async def test_jobs_are_listed_while_they_run_and_after() -> None:
    async with rig() as r:
        r.provider.hold.clear()
        first, second = await r.create("first"), await r.create("second")
        assert [each.id for each in r.jobs.active()] == [first.id, second.id]
        assert [each.id for each in r.jobs.recent()] == [second.id, first.id]
        r.provider.hold.set()
        await r.done(first)
        await r.done(second)
        assert r.jobs.active() == ()
        assert [each.id for each in r.jobs.recent()] == [second.id, first.id]
        with pytest.raises(NotFound):
            r.jobs.get("unknown")
    async with rig(store=r.store) as later:
        assert [each.id for each in later.jobs.recent()] == [second.id, first.id]


async def test_a_thousand_at_once_each_have_an_outcome() -> None:
    async with rig(*(make_instance(f"vm-{at}", state=InstanceState.STOPPED) for at in range(1000))) as r:
        operations = await r.jobs.act(OperationKind.START, [each.id for each in r.inventory.all()])
        outcomes = await asyncio.gather(*(r.done(each) for each in operations))
        assert {each.status for each in outcomes} == {Status.SUCCEEDED}
        assert len(r.jobs.recent()) == 500


async def test_a_failed_creation_leaves_nothing_and_says_why() -> None:
    async with rig() as r:
        r.provider.failures = [CapacityExceeded("No room")]
        done = await r.done(await r.create())
        assert (done.status, done.error) == (Status.FAILED, "No room")
        assert r.provider.known == {}
        assert r.inventory.all() == ()
        assert "operation.failed" in r.actions(Severity.WARNING)


async def test_what_a_provider_left_of_a_failed_creation_is_removed() -> None:
    class Careless(Troubled):
        async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
            await super().create(request, operation)
            raise CapacityExceeded("No room")

    async with rig(provider=Careless()) as r:
        done = await r.done(await r.create())
        assert done.status is Status.FAILED
        assert r.provider.known == {}
        with pytest.raises(NotFound):
            r.inventory.find("probe")


async def test_a_bug_of_a_provider_ends_the_job_with_a_report(expected_logs: ExpectedLogs) -> None:
    expected_logs("met a bug")
    async with rig() as r:
        r.provider.failures = [RuntimeError("oops, secret")]
        done = await r.done(await r.create())
        assert done.status is Status.FAILED
        assert "internal error" in done.error
        assert "oops" not in done.error
        assert (await r.done(await r.create())).status is Status.SUCCEEDED


async def test_what_cannot_be_undone_is_reported() -> None:
    async with rig() as r:
        r.provider.failures = [CapacityExceeded("No room"), WrongState("It hangs")]
        done = await r.done(await r.create())
        assert done.status is Status.FAILED
        assert "operation.undo-failed" in r.actions(Severity.ERROR)


# Order ----------------------------------------------------------------------------------------------------------------


async def test_jobs_of_one_instance_run_in_the_order_of_acceptance() -> None:
    async with rig(make_instance("a"), make_instance("b")) as r:
        r.provider.hold.clear()
        a, b = r.inventory.find("a").id, r.inventory.find("b").id
        accepted = [
            *(await r.jobs.act(OperationKind.PAUSE, [a])),
            *(await r.jobs.act(OperationKind.STOP, [a, b])),
            *(await r.jobs.act(OperationKind.DELETE, [a])),
        ]
        await r.provider.at_work.wait()
        r.provider.hold.set()
        for operation in accepted:
            assert (await r.done(operation)).status is Status.SUCCEEDED
        assert [call for call in r.provider.calls if call[1] == "a"] == [
            ("paused", "a"),
            ("stopped", "a"),
            ("delete", "a"),
        ]
        assert ("stopped", "b") in r.provider.calls


async def test_one_instance_at_a_time_others_beside() -> None:
    async with rig(make_instance("a"), make_instance("b")) as r:
        r.provider.hold.clear()
        a, b = r.inventory.find("a").id, r.inventory.find("b").id
        first, second = await r.jobs.act(OperationKind.STOP, [a, b])
        third = (await r.jobs.act(OperationKind.DELETE, [a]))[0]
        await until(lambda: len(r.provider.calls) == 2)
        assert r.jobs.get(third.id).status is Status.PENDING
        assert {r.jobs.get(each.id).status for each in (first, second)} == {Status.RUNNING}
        r.provider.hold.set()
        await r.done(third)


# Cancelling -----------------------------------------------------------------------------------------------------------


async def test_cancelled_at_once() -> None:
    async with rig() as r:
        operation = await r.create()
        r.jobs.cancel(operation.id)
        done = await r.done(operation)
        assert (done.status, done.error) == (Status.CANCELLED, "Cancelled before it began")
        assert r.store.operations.kept[operation.id].status is Status.CANCELLED
        await asyncio.sleep(0)
        assert r.provider.calls == []
        assert (await r.done(await r.create())).status is Status.SUCCEEDED, "the name is free again"


async def test_cancelled_while_it_waits_for_its_turn() -> None:
    async with rig(make_instance("a")) as r:
        r.provider.hold.clear()
        (stop,) = await r.jobs.act(OperationKind.STOP, [r.inventory.find("a").id])
        (delete,) = await r.jobs.act(OperationKind.DELETE, [r.inventory.find("a").id])
        await r.provider.at_work.wait()
        r.jobs.cancel(delete.id)
        assert (await r.done(delete)).status is Status.CANCELLED
        r.provider.hold.set()
        assert (await r.done(stop)).status is Status.SUCCEEDED
        assert r.provider.calls == [("stopped", "a")]


async def test_cancelled_in_a_step() -> None:
    async with rig() as r:
        r.provider.hold.clear()
        operation = await r.create()
        await r.provider.at_work.wait()
        r.jobs.cancel(operation.id)
        assert r.jobs.get(operation.id).status is Status.RUNNING, "its provider turns back when it can"
        r.provider.hold.set()
        done = await r.done(operation)
        assert (done.status, done.error) == (Status.CANCELLED, "Cancelled; what had been done was undone")
        assert r.provider.known == {}
        assert r.inventory.all() == ()


async def test_cancelled_too_late() -> None:
    class NoReturn(Troubled):
        async def _begin(self, operation: OperationContext) -> None:
            self.at_work.set()
            await self.hold.wait()

    async with rig(provider=NoReturn()) as r:
        r.provider.hold.clear()
        operation = await r.create()
        await r.provider.at_work.wait()
        r.jobs.cancel(operation.id)
        r.provider.hold.set()
        assert (await r.done(operation)).status is Status.SUCCEEDED
        r.jobs.cancel(operation.id)
        assert r.jobs.get(operation.id).status is Status.SUCCEEDED
        with pytest.raises(NotFound):
            r.jobs.cancel("unknown")


async def test_cancelled_while_it_waits_to_try_again() -> None:
    async with rig(retry_pause=3600.0) as r:
        r.provider.failures = [Transient("Busy")]
        operation = await r.create()
        await until(lambda: any(step.name == "waiting to try again" for step in r.jobs.get(operation.id).steps))
        r.jobs.cancel(operation.id)
        assert (await r.done(operation)).status is Status.CANCELLED
        assert r.provider.known == {}


# Trying again ---------------------------------------------------------------------------------------------------------


async def test_what_may_work_later_is_tried_again() -> None:
    async with rig() as r:
        r.provider.failures = [Transient("Busy"), WorkerLost("The worker died")]
        done = await r.done(await r.create())
        assert done.status is Status.SUCCEEDED
        assert done.attempts == 3
        waits = [step.detail for step in done.steps if step.name == "waiting to try again"]
        assert waits == ["Busy", "The worker died"]
        assert len(r.provider.known) == 1


async def test_trying_again_ends() -> None:
    async with rig() as r:
        r.provider.failures = [Transient(f"Busy {at}") for at in range(ATTEMPTS)]
        done = await r.done(await r.create())
        assert (done.status, done.error, done.attempts) == (Status.FAILED, f"Busy {ATTEMPTS - 1}", ATTEMPTS)
        assert [call for call in r.provider.calls if call[0] == "create"] == [("create", "probe")] * ATTEMPTS


async def test_the_pauses_grow() -> None:
    async with rig(retry_pause=0.004) as r:
        r.provider.failures = [Transient("Busy")] * (ATTEMPTS - 1)
        done = await r.done(await r.create())
        waits = [step.at for step in done.steps if step.name == "waiting to try again"]
        begins = [step.at for step in done.steps if step.name == "one"][1:]
        pauses = [begin - wait for wait, begin in zip(waits, begins, strict=True)]
        for number, pause in enumerate(pauses):
            assert pause >= 0.004 * 2**number * 0.99


async def test_other_errors_are_not_tried_again() -> None:
    async with rig() as r:
        r.provider.failures = [CapacityExceeded("No room")]
        assert (await r.done(await r.create())).attempts == 1


async def test_the_user_tries_again() -> None:
    async with rig() as r:
        r.provider.failures = [CapacityExceeded("No room")]
        failed = await r.done(await r.create())
        again = await r.jobs.retry(failed.id)
        assert again.id != failed.id
        assert again.instance_id != failed.instance_id
        done = await r.done(again)
        assert done.status is Status.SUCCEEDED
        with pytest.raises(WrongState):
            await r.jobs.retry(done.id)
        stop = (await r.jobs.act(OperationKind.STOP, [done.instance_id]))[0]
        r.jobs.cancel(stop.id)
        assert (await r.done(stop)).status is Status.CANCELLED
        assert (await r.done(await r.jobs.retry(stop.id))).status is Status.SUCCEEDED
