"""Jobs: what is refused, with nothing written and nothing begun."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import (
    InvalidInput,
    NameTaken,
    NotFound,
    ReadOnly,
    StoreFull,
    WrongState,
)
from confvm_gui.domain.instance import InstanceState, LaunchRequest, RecordsSpec
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus
from confvm_gui.fleet.job_kinds import TOLD_MORE, allowed
from tests.support.embedded_rig import launch_request
from tests.support.fake_provider import make_instance
from tests.support.fake_session import MemoryOperations, MemoryStore
from tests.support.jobs_rig import rig

Status = OperationStatus


@pytest.mark.parametrize(
    ("wrong", "field_name"),
    [
        (replace(launch_request(), name=""), "name"),
        (replace(launch_request(), name="Upper"), "name"),
        (replace(launch_request(), name="a" * 64), "name"),
        (replace(launch_request(), name="ends-"), "name"),
        (replace(launch_request(), provider="elsewhere"), "provider"),
        (replace(launch_request(), image="no-such-image"), "image"),
        (replace(launch_request(), region="no-such-region"), "region"),
        (replace(launch_request(), machine_type="no-such-type"), "machine_type"),
        (replace(launch_request(), machine_type="c3-standard-4"), "machine_type"),
        (replace(launch_request(), technology=Technology.SEV_SNP), "technology"),
        (replace(launch_request(), technology=Technology.TDX), "technology"),
        (replace(launch_request(), labels={"Bad Key": "x"}), "labels"),
    ],
)
async def test_a_request_that_is_wrong_is_refused_with_its_field(wrong: LaunchRequest, field_name: str) -> None:
    async with rig() as r:
        with pytest.raises(InvalidInput) as refused:
            await r.jobs.create(wrong)
        assert refused.value.field == field_name
        assert "\n" not in refused.value.message
        assert r.store.operations.kept == {}
        assert r.jobs.recent() == ()


async def test_a_name_is_taken_by_an_instance_and_by_a_creation_under_way() -> None:
    async with rig(make_instance("there")) as r:
        with pytest.raises(NameTaken):
            await r.create("there")
        r.provider.hold.clear()
        under_way = await r.create("coming")
        with pytest.raises(NameTaken):
            await r.create("coming")
        r.provider.hold.set()
        await r.done(under_way)


async def test_two_creations_of_one_name_at_the_same_moment() -> None:
    async with rig() as r:
        outcomes = await asyncio.gather(r.create(), r.create(), return_exceptions=True)
        assert [type(each) for each in outcomes] == [Operation, NameTaken]
        assert isinstance(outcomes[0], Operation)
        await r.done(outcomes[0])


@pytest.mark.parametrize("kind", sorted(set(OperationKind) - {OperationKind.CREATE, *TOLD_MORE}, key=str))
@pytest.mark.parametrize("state", list(InstanceState))
async def test_only_what_its_state_allows(kind: OperationKind, state: InstanceState) -> None:
    async with rig(make_instance("a", state=state)) as r:
        instance_id = r.inventory.find("a").id
        if allowed(kind, state):
            for operation in await r.jobs.act(kind, [instance_id]):
                assert (await r.done(operation)).status in (Status.SUCCEEDED, Status.FAILED)
        else:
            with pytest.raises(WrongState, match=f"a is {state.value}"):
                await r.jobs.act(kind, [instance_id])
            assert r.store.operations.kept == {}


async def test_of_many_none_is_accepted_if_one_cannot() -> None:
    async with rig(make_instance("a"), make_instance("b", state=InstanceState.STOPPED)) as r:
        both = [r.inventory.find("a").id, r.inventory.find("b").id]
        with pytest.raises(WrongState, match="b is stopped"):
            await r.jobs.act(OperationKind.STOP, both)
        with pytest.raises(NotFound):
            await r.jobs.act(OperationKind.DELETE, [*both, "unknown"])
        assert r.store.operations.kept == {}
        twice = await r.jobs.act(OperationKind.DELETE, [both[0], both[0]])
        assert len(twice) == 1
        await r.done(twice[0])


class FullOperations(MemoryOperations):
    async def accept(self, operations: Sequence[Operation]) -> None:
        raise StoreFull("No space is left on the disk")


async def test_a_full_disk_accepts_nothing() -> None:
    class Full(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            self.operations = FullOperations()

    async with rig(store=Full()) as r:
        with pytest.raises(StoreFull):
            await r.create()
        assert r.jobs.recent() == ()
        assert r.provider.calls == []


async def test_a_session_that_only_reads_accepts_nothing() -> None:
    instance = make_instance("a")
    async with rig(instance, store=MemoryStore([instance], readonly_reason="Another console writes")) as r:
        with pytest.raises(ReadOnly, match="Another console writes"):
            await r.create()
        with pytest.raises(ReadOnly):
            await r.jobs.act(OperationKind.STOP, [instance.id])
        assert await r.jobs.take_up_unfinished() == ()


async def test_records_are_kept_by_their_full_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with rig() as r:
        request = replace(launch_request(), records=RecordsSpec(Path("records.csv")))
        operation = await r.jobs.create(request)
        assert r.store.operations.kept[operation.id].intent["records"] == {"path": str(tmp_path / "records.csv")}
        await r.done(operation)
