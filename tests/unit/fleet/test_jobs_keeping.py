"""Snapshots and copies as operations: accepted with their names, refused with a reason, undone when they fail."""

from __future__ import annotations

import pytest

from confvm_gui.domain.errors import InvalidInput, NameTaken, NotFound, ReadOnly, StoreFull, Unsupported, WrongState
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.domain.ports.provider import OperationContext
from confvm_gui.fleet.session import FleetSession
from tests.support.embedded_rig import launch_request
from tests.support.fake_provider import FakeProvider, make_instance
from tests.support.fake_session import fake_session
from tests.support.keeping_provider import KeepingProvider

GUEST = make_instance("guest")
OFF = make_instance("off", state=InstanceState.STOPPED)
SNAPSHOT, REVERT, DROP = OperationKind.SNAPSHOT, OperationKind.REVERT, OperationKind.DELETE_SNAPSHOT


async def outcome(session: FleetSession, kind: OperationKind, name: str = "first") -> OperationStatus:
    operation = await session.jobs.snapshot(kind, GUEST.id, name)
    assert (operation.kind, dict(operation.intent)) == (kind, {"snapshot": name})
    return (await session.jobs.wait(operation.id)).status


async def test_taken_returned_to_and_deleted() -> None:
    provider = KeepingProvider((GUEST, OFF))
    session = await fake_session((GUEST, OFF), provider=provider)
    done = OperationStatus.SUCCEEDED
    assert await outcome(session, SNAPSHOT) is done
    assert await outcome(session, SNAPSHOT) is OperationStatus.FAILED, "its name is taken"
    assert (await session.jobs.act(OperationKind.STOP, [GUEST.id]))[0].kind is OperationKind.STOP
    assert await outcome(session, REVERT) is done
    assert session.inventory.get(GUEST.id).state is InstanceState.RUNNING
    assert await outcome(session, DROP) is done
    assert await provider.snapshots(GUEST.id) == ()
    failed = next(one for one in session.jobs.recent() if one.status is OperationStatus.FAILED)
    again = await session.jobs.retry(failed.id)
    assert (await session.jobs.wait(again.id)).status is done
    await session.aclose()


async def test_what_cannot_be_kept_is_refused_with_the_reason() -> None:
    provider = KeepingProvider((GUEST, OFF))
    session = await fake_session((GUEST, OFF), provider=provider)
    jobs = session.jobs
    for kind, field in (
        (SNAPSHOT, "snapshot"),
        (REVERT, "snapshot"),
        (DROP, "snapshot"),
        (OperationKind.CLONE, "name"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await jobs.act(kind, [GUEST.id])
        assert refused.value.field == field
    with pytest.raises(InvalidInput):
        await jobs.snapshot(SNAPSHOT, GUEST.id, "")
    with pytest.raises(InvalidInput):
        await jobs.snapshot(OperationKind.STOP, GUEST.id, "first")
    with pytest.raises(NotFound):
        await jobs.snapshot(SNAPSHOT, "nobody", "first")
    with pytest.raises(WrongState, match="guest is running"):
        await jobs.clone(GUEST.id, "copy")
    with pytest.raises(NameTaken):
        await jobs.clone(OFF.id, "guest")
    with pytest.raises(InvalidInput):
        await jobs.clone(OFF.id, "Not a name")
    provider.unfit = "Its disk vda has the format raw"
    with pytest.raises(Unsupported, match="format raw"):
        await jobs.snapshot(SNAPSHOT, GUEST.id, "first")
    with pytest.raises(Unsupported, match="format raw"):
        await jobs.clone(OFF.id, "copy")
    assert jobs.recent() == ()
    await session.aclose()
    without = await fake_session((GUEST, OFF), provider=FakeProvider((GUEST, OFF)))
    with pytest.raises(Unsupported, match="The fake provider cannot do this"):
        await without.jobs.snapshot(SNAPSHOT, GUEST.id, "first")
    with pytest.raises(Unsupported, match="The fake provider cannot do this"):
        await without.jobs.clone(OFF.id, "copy")
    await without.aclose()
    readonly = await fake_session((OFF,), provider=KeepingProvider((OFF,)), readonly_reason="Another console")
    with pytest.raises(ReadOnly):
        await readonly.jobs.clone(OFF.id, "copy")
    await readonly.aclose()


async def test_a_copy_is_another_instance_and_leaves_nothing_when_it_fails() -> None:
    provider = KeepingProvider((OFF,))
    session = await fake_session((OFF,), provider=provider)
    provider.fail_next = StoreFull("The disk is full")
    failed = await session.jobs.clone(OFF.id, "copy")
    assert failed.instance_id != OFF.id
    assert (failed.instance_name, dict(failed.intent)) == ("copy", {"source": OFF.id})
    with pytest.raises(NameTaken):
        await session.jobs.clone(OFF.id, "copy")
    assert (await session.jobs.wait(failed.id)).status is OperationStatus.FAILED
    assert set(provider.known) == {OFF.id}
    made = await session.jobs.wait((await session.jobs.retry(failed.id)).id)
    assert made.status is OperationStatus.SUCCEEDED
    assert session.inventory.get(made.instance_id).name == "copy"
    await session.aclose()


class Remembering(FakeProvider):
    """Writes down what it is told that an instance was made of."""

    def __init__(self) -> None:
        super().__init__((OFF,))
        self.told: list[LaunchRequest | None] = []

    async def start(self, instance_id: str, operation: OperationContext) -> Instance:
        self.told.append(await operation.launched())
        return await super().start(instance_id, operation)


async def test_a_start_is_told_what_the_console_has_kept_of_the_instance() -> None:
    provider = Remembering()
    session = await fake_session((OFF,), provider=provider)
    made = await session.jobs.create(launch_request("mine"))
    await session.jobs.wait(made.id)
    for kind in (OperationKind.STOP, OperationKind.START):
        (operation,) = await session.jobs.act(kind, [made.instance_id])
        await session.jobs.wait(operation.id)
    (another,) = await session.jobs.act(OperationKind.START, [OFF.id])
    await session.jobs.wait(another.id)
    assert provider.told == [launch_request("mine"), None]
    await session.aclose()
