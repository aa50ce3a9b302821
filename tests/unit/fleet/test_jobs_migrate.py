"""Migration as an operation: accepted with its host, refused with a reason, moot after a crash."""

from __future__ import annotations

from dataclasses import replace

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound, ReadOnly, Unsupported, WrongState
from confvm_gui.domain.instance import InstanceState, Trust
from confvm_gui.domain.operation import OperationKind, OperationStatus
from tests.support.fake_provider import FakeProvider, make_instance
from tests.support.fake_session import fake_session
from tests.support.jobs_rig import Rig, interrupted, rig
from tests.support.vouching_provider import OTHER_DIGEST, VouchingProvider
from tests.unit.fleet.test_attestations import session_of, vouching

GUEST = make_instance("guest", host="host-1", vtpm=True)
SNP = make_instance("snp", host="host-1", technology=Technology.SEV_SNP)
STOPPED = make_instance("stopped", state=InstanceState.STOPPED)


async def test_it_moves_and_keeps_its_trust() -> None:
    async with session_of(GUEST) as session:
        await session.attestations.refresh(GUEST.id)
        operation = await session.jobs.migrate(GUEST.id, "host-2")
        assert (operation.kind, dict(operation.intent)) == (OperationKind.MIGRATE, {"host": "host-2"})
        assert (await session.jobs.wait(operation.id)).status is OperationStatus.SUCCEEDED
        moved = session.inventory.get(GUEST.id)
        assert (moved.host, moved.trust) == ("host-2", Trust.TRUSTED)


async def test_what_cannot_move_is_refused_with_the_reason() -> None:
    async with session_of(GUEST, SNP, STOPPED) as session:
        jobs = session.jobs
        with pytest.raises(Unsupported, match="migration agent"):
            await jobs.migrate(SNP.id, "host-2")
        with pytest.raises(WrongState, match="stopped is stopped"):
            await jobs.migrate(STOPPED.id, "host-2")
        with pytest.raises(NotFound):
            await jobs.migrate("nobody", "host-2")
        for host in ("host-1", "host-3", ""):
            with pytest.raises(InvalidInput) as refused:
                await jobs.migrate(GUEST.id, host)
            assert refused.value.field == "host"
        with pytest.raises(InvalidInput):
            await jobs.act(OperationKind.MIGRATE, [GUEST.id])
        assert jobs.recent() == ()
    async with session_of(GUEST, provider=FakeProvider((GUEST,))) as session:
        with pytest.raises(Unsupported, match="The fake provider cannot do this"):
            await session.jobs.migrate(GUEST.id, "host-2")
    session = await fake_session((GUEST,), provider=VouchingProvider((GUEST,)), readonly_reason="Another console")
    with pytest.raises(ReadOnly):
        await session.jobs.migrate(GUEST.id, "host-2")
    await session.aclose()


async def test_one_that_failed_runs_on_and_is_tried_again_to_the_same_host() -> None:
    async with session_of(GUEST) as session:
        vouching(session).digest = OTHER_DIGEST  # its policy does not let it leave
        failed = await session.jobs.wait((await session.jobs.migrate(GUEST.id, "host-2")).id)
        assert failed.status is OperationStatus.FAILED
        assert session.inventory.get(GUEST.id).state is InstanceState.RUNNING
        vouching(session).digest = VouchingProvider().digest
        again = await session.jobs.retry(failed.id)
        assert dict(again.intent) == {"host": "host-2"}
        assert (await session.jobs.wait(again.id)).status is OperationStatus.SUCCEEDED


async def taken_up(found: Rig) -> OperationStatus:
    (operation,) = await found.jobs.take_up_unfinished()
    return (await found.done(operation)).status


async def test_one_that_a_crash_interrupted_is_rolled_back_for_good() -> None:
    left = replace(interrupted(OperationKind.MIGRATE, GUEST), intent={"host": "host-2"})
    async with rig(replace(GUEST, state=InstanceState.STOPPED)) as found:
        await found.store.operations.accept([left])
        assert await taken_up(found) is OperationStatus.ROLLED_BACK
        assert await found.jobs.take_up_unfinished() == []
        assert GUEST.id in found.provider.known
