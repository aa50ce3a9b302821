"""A running instance moves to the other emulated host and goes on with its records."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, OperationCancelled, Unsupported, WrongState
from confvm_gui.domain.instance import HostMaintenance, Instance, InstanceState
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.providers.embedded.provider import EmbeddedProvider
from tests.support.embedded_rig import (
    SECRET_FIELD,
    Hosts,
    embedded,
    launch_request,
    listed,
    ram,
    ready,
    write_records,
)
from tests.support.operations import OperationRecord

MOVABLE = [Technology.NONE, Technology.SEV, Technology.SEV_ES]
QUESTION = Query(QueryVerb.FIND, "id", "V-7", "")


async def running(provider: EmbeddedProvider, tmp_path: Path, technology: Technology, name: str = "probe") -> Instance:
    request = launch_request(name, technology=technology, records=write_records(tmp_path))
    made = await provider.create(replace(request, host_maintenance=HostMaintenance.MIGRATE), OperationRecord())
    await ready(provider, made.id)
    return made


@pytest.mark.parametrize("technology", MOVABLE)
async def test_records_are_there_on_the_other_host(data_dir: Path, tmp_path: Path, technology: Technology) -> None:
    hosts = Hosts()
    async with embedded(data_dir, make_site=hosts) as provider:
        made = await running(provider, tmp_path, technology)
        source = provider.memory(made.id, Viewer.HYPERVISOR)
        before = await provider.query(made.id, QUESTION)
        operation = OperationRecord(made.id)
        moved = await provider.migrate(made.id, "host-2", operation)
        assert (moved.state, moved.host) == (InstanceState.RUNNING, "host-2")
        after = await provider.query(made.id, QUESTION)
        assert (after.rows, after.count) == (before.rows, before.count)
        assert after.count == 1
        seen = await ram(provider, made.id, Viewer.HYPERVISOR)
        assert (SECRET_FIELD.encode() in seen) is (technology is Technology.NONE)
        assert SECRET_FIELD.encode() in await ram(provider, made.id, Viewer.GUEST)
        assert (await source.read(0x100000, 4096)).data, "who looked at its memory goes on looking"
        assert hosts.site.hosts[0].asids_left == hosts.site.hosts[0].model.asid_count - 8
        back = await provider.migrate(made.id, "host-1", OperationRecord(made.id))
        assert back.host == "host-1"
        assert (await provider.query(made.id, QUESTION)).rows == before.rows
        await provider.delete(made.id, OperationRecord(made.id))
        assert hosts.in_use == (0, 0)


async def test_a_host_attests_to_its_own_launches_only(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await running(provider, tmp_path, Technology.SEV)
        assert EvidenceFormat.SEV_REPORT in provider.evidence_formats(made.id)
        await provider.migrate(made.id, "host-2", OperationRecord(made.id))
        assert EvidenceFormat.SEV_REPORT not in provider.evidence_formats(made.id)
        with pytest.raises(Unsupported):
            await provider.evidence(made.id, EvidenceFormat.SEV_REPORT, bytes(32))


@pytest.mark.parametrize(
    ("technology", "reason"), [(Technology.SEV, "NOSEND"), (Technology.SEV_SNP, "migration agent")]
)
async def test_what_may_not_be_sent_stays_and_says_why(data_dir: Path, technology: Technology, reason: str) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(technology=technology), OperationRecord())
        assert reason in provider.migration_unfit(made.id)
        with pytest.raises(Unsupported, match=reason):
            await provider.migrate(made.id, "host-2", OperationRecord(made.id))
        assert (await listed(provider))[made.id].host == "host-1"


async def test_a_wrong_host_is_refused(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await running(provider, tmp_path, Technology.SEV)
        assert [host.name for host in provider.hosts()] == ["host-1", "host-2"]
        with pytest.raises(InvalidInput, match="moon"):
            await provider.migrate(made.id, "moon", OperationRecord(made.id))
        with pytest.raises(WrongState, match="already"):
            await provider.migrate(made.id, "host-1", OperationRecord(made.id))
        await provider.stop(made.id, OperationRecord(made.id))
        with pytest.raises(WrongState):
            await provider.migrate(made.id, "host-2", OperationRecord(made.id))


async def test_a_cancelled_migration_leaves_the_guest_where_it_was(data_dir: Path, tmp_path: Path) -> None:
    hosts = Hosts()
    async with embedded(data_dir, make_site=hosts) as provider:
        made = await running(provider, tmp_path, Technology.SEV)
        used = hosts.in_use
        with pytest.raises(OperationCancelled):
            await provider.migrate(made.id, "host-2", OperationRecord(made.id, cancel_at=0))
        assert hosts.in_use == used
        assert (await listed(provider))[made.id].host == "host-1"
        assert (await provider.query(made.id, QUESTION)).count == 1
