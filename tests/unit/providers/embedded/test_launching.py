"""Launches on the embedded host: who gets to know which key, what a failed launch leaves, what a host has room for."""

from __future__ import annotations

import json
import logging
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import (
    CapacityExceeded,
    EvidenceRefused,
    InvalidInput,
    KeyUnavailable,
    OperationCancelled,
    StoreCorrupt,
)
from confvm_gui.domain.instance import InstanceState, RecordsSpec, Trust
from confvm_gui.domain.memory import Viewer
from confvm_gui.engine.guests.memory_map import SECRET_GPA
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.providers.embedded.provider import EmbeddedProvider
from confvm_gui.sev.secret_table import DISK_KEY_GUID, parse_secret_table
from tests.support.embedded_rig import (
    SECRET_FIELD,
    Hosts,
    SpyKeyStore,
    embedded,
    files_with,
    launch_request,
    listed,
    ram,
    ready,
    write_records,
)
from tests.support.operations import OperationRecord

SEV, PLAIN = Technology.SEV, Technology.NONE


async def keys_of(provider: EmbeddedProvider, instance_id: str) -> tuple[bytes, bytes]:
    """Disk key and mailbox key, from the guest's own view of its secret page."""
    page = (await provider.memory(instance_id, Viewer.GUEST).read(SECRET_GPA, 4096)).data
    entries = {entry.guid: entry.data for entry in parse_secret_table(page)}
    return entries.pop(DISK_KEY_GUID), next(iter(entries.values()))


class Watched(Machine):
    """Remembers what a guest's memory held, in both views, when it was powered off."""

    last_memory = b""

    async def release(self, guest: MachineGuest) -> None:
        if guest.memory.length:
            self.last_memory = b"".join(
                read(guest.memory, page * 4096, 4096).tobytes()
                for page in self.controller.used_pages(guest.memory).tolist()
                for read in (self.controller.guest_read, self.controller.hypervisor_read)
            )
        await super().release(guest)


class Hijacked(Watched):
    """A host that changes one bit of the guest's image before it is measured."""

    async def launch(self, plan: LaunchPlan) -> MachineGuest:
        return await super().launch(replace(plan, image=plan.image[:-1] + bytes([plan.image[-1] ^ 1])))


def nothing_left(provider_dir: Path) -> bool:
    folder = provider_dir / "instances"
    return not folder.exists() or not any(folder.iterdir())


# Keys ----------------------------------------------------------------------------------------------------------------


async def test_the_steps_of_a_confidential_launch_are_the_firmwares_commands(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        operation = OperationRecord()
        made = await provider.create(launch_request(records=write_records(tmp_path)), operation)
        assert operation.names == [
            "encrypt disk",
            "define instance",
            "LAUNCH_START",
            "LAUNCH_MEASURE",
            "LAUNCH_SECRET",
            "LAUNCH_FINISH",
        ]
        assert made.trust is Trust.MEASURED
        assert "emulated" in made.trust_by
        assert made.emulated
        assert made.runs == "records"


async def test_a_plain_launch_says_that_the_host_reads_everything(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        operation = OperationRecord()
        made = await provider.create(launch_request(technology=PLAIN), operation)
        assert "load guest" in operation.names
        assert not [name for name in operation.names if name.startswith("LAUNCH")]
        assert made.runs == "heartbeat"
        assert made.trust is Trust.NOT_APPLICABLE


@pytest.mark.parametrize("technology", [SEV, PLAIN])
async def test_only_the_hypervisor_of_a_plain_instance_reads_records_and_keys(
    data_dir: Path, tmp_path: Path, technology: Technology
) -> None:
    key_store = SpyKeyStore()
    async with embedded(data_dir, key_store=key_store) as provider:
        request = launch_request(technology=technology, records=write_records(tmp_path))
        made = await provider.create(request, OperationRecord())
        await ready(provider, made.id)
        disk_key, mailbox_key = await keys_of(provider, made.id)
        assert key_store.deks == [disk_key]
        guest, host = await ram(provider, made.id, Viewer.GUEST), await ram(provider, made.id, Viewer.HYPERVISOR)
        for secret in (SECRET_FIELD.encode(), disk_key, mailbox_key):
            assert secret in guest
            assert (secret in host) is (technology is PLAIN)


async def test_no_key_is_in_a_file_a_log_or_a_repr(
    data_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key_store = SpyKeyStore()
    async with embedded(data_dir, key_store=key_store) as provider:
        operation = OperationRecord()
        made = await provider.create(launch_request(records=write_records(tmp_path)), operation)
        await ready(provider, made.id)
        secrets = await keys_of(provider, made.id)
        provider_memory = provider.memory(made.id, Viewer.GUEST)
        texts = [caplog.text, repr(operation.steps), repr(made), repr(provider.__dict__), repr(provider_memory)]
        with pytest.raises(Exception, match=r".") as refused:
            pickle.dumps(provider)
        texts.append(str(refused.value))
        await provider.reset(made.id, OperationRecord(made.id))
        again = await keys_of(provider, made.id)
        assert again[0] == secrets[0]
        assert again[1] != secrets[1], "the mailbox's key is as old as the power-on"
    forms = [form for key in {*secrets, *again} for form in (key, key.hex().encode(), repr(key).encode())]
    assert not files_with(data_dir, *forms, SECRET_FIELD.encode())
    for text in texts:
        assert not [form for form in forms if form in text.encode()]
        assert SECRET_FIELD not in text


async def test_the_definition_on_disk_is_readable_and_has_no_secret(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
        folder = data_dir / "instances" / made.id
        assert sorted(path.name for path in folder.iterdir()) == ["definition.json", "disk.img"]
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
        definition = json.loads((folder / "definition.json").read_text())
        assert (definition["id"], definition["name"], definition["technology"]) == (made.id, "probe", "sev")


# Launches that must not be -------------------------------------------------------------------------------------------


async def test_a_host_that_changed_the_image_gets_no_secret(data_dir: Path, tmp_path: Path) -> None:
    key_store, hosts = SpyKeyStore(), Hosts(Hijacked)
    async with embedded(data_dir, key_store=key_store, make_site=hosts) as provider:
        operation = OperationRecord()
        with pytest.raises(EvidenceRefused):
            await provider.create(launch_request(records=write_records(tmp_path)), operation)
        assert "LAUNCH_SECRET" not in operation.names
        assert await listed(provider) == {}
        assert isinstance(hosts.last, Hijacked)
        (dek,) = key_store.deks
        assert len(hosts.last.last_memory) > 4096
        assert dek not in hosts.last.last_memory
        assert dek[:16] not in hosts.last.last_memory
        assert hosts.in_use == (0, 0)
    assert nothing_left(data_dir)


async def test_an_instance_whose_host_was_hijacked_later_stays_stopped_with_its_disk(
    data_dir: Path, tmp_path: Path
) -> None:
    key_store = SpyKeyStore()
    async with embedded(data_dir, key_store=key_store) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
    hosts = Hosts(Hijacked)
    async with embedded(data_dir, key_store=key_store, make_site=hosts) as provider:
        with pytest.raises(EvidenceRefused):
            await provider.start(made.id, OperationRecord(made.id))
        assert (await listed(provider))[made.id].state is InstanceState.STOPPED
        assert (await listed(provider))[made.id].trust is Trust.UNKNOWN
        assert isinstance(hosts.last, Hijacked)
        assert key_store.deks[0] not in hosts.last.last_memory
        assert hosts.in_use == (0, 0)
    async with embedded(data_dir, key_store=key_store) as provider:
        assert (await provider.start(made.id, OperationRecord(made.id))).state is InstanceState.RUNNING


async def test_a_key_that_is_gone_starts_nothing(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
    hosts = Hosts()
    async with embedded(data_dir, key_store=SpyKeyStore(), make_site=hosts) as provider:
        with pytest.raises(KeyUnavailable):
            await provider.start(made.id, OperationRecord(made.id))
        assert (await listed(provider))[made.id].state is InstanceState.STOPPED
        assert hosts.in_use == (0, 0)


async def test_a_damaged_disk_is_told(data_dir: Path, tmp_path: Path) -> None:
    key_store = SpyKeyStore()
    async with embedded(data_dir, key_store=key_store) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
        await provider.stop(made.id, OperationRecord(made.id))
        disk = data_dir / "instances" / made.id / "disk.img"
        disk.write_bytes(b"not a disk")
        with pytest.raises(StoreCorrupt, match="disk"):
            await provider.start(made.id, OperationRecord(made.id))
        assert (await listed(provider))[made.id].state is InstanceState.STOPPED


async def test_records_that_are_wrong_leave_nothing(data_dir: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    hosts = Hosts()
    async with embedded(data_dir, make_site=hosts) as provider:
        for content in (b"", b"\0\1\2", b"a,b\n1\n"):
            bad.write_bytes(content)
            with pytest.raises(InvalidInput) as refused:
                await provider.create(launch_request(records=bad), OperationRecord())
            assert refused.value.field == "records"
        unknown = replace(launch_request(), records=RecordsSpec(write_records(tmp_path), index_column="no such"))
        with pytest.raises(InvalidInput, match="no such"):
            await provider.create(unknown, OperationRecord())
        assert await listed(provider) == {}
        assert hosts.in_use == (0, 0)
    assert nothing_left(data_dir)


# Room ----------------------------------------------------------------------------------------------------------------


async def test_asids_run_out_and_come_back(data_dir: Path) -> None:
    hosts = Hosts(asids=1)
    async with embedded(data_dir, make_site=hosts) as provider:
        first, _ = [await provider.create(launch_request(f"vm-{at}"), OperationRecord()) for at in range(2)]
        used = hosts.in_use
        for _ in range(3):
            with pytest.raises(CapacityExceeded, match="ASID"):
                await provider.create(launch_request("more"), OperationRecord())
        assert hosts.in_use == used
        assert len(await listed(provider)) == 2
        plain = await provider.create(launch_request("plain", technology=PLAIN), OperationRecord())
        assert plain.state is InstanceState.RUNNING, "a plain instance needs none"
        await provider.stop(first.id, OperationRecord(first.id))
        assert (await provider.create(launch_request("more"), OperationRecord())).state is InstanceState.RUNNING
        with pytest.raises(CapacityExceeded):
            await provider.start(first.id, OperationRecord(first.id))
        assert (await listed(provider))[first.id].state is InstanceState.STOPPED


@pytest.mark.parametrize("technology", [SEV, PLAIN])
async def test_memory_runs_out_and_comes_back(data_dir: Path, technology: Technology) -> None:
    hosts = Hosts(guests=1)
    async with embedded(data_dir, make_site=hosts) as provider:
        first = await provider.create(launch_request("first", technology=technology), OperationRecord())
        used = hosts.in_use
        for _ in range(10):
            with pytest.raises(CapacityExceeded, match="memory"):
                await provider.create(launch_request("more", technology=technology), OperationRecord())
        assert hosts.in_use == used
        await provider.delete(first.id, OperationRecord(first.id))
        assert hosts.in_use == (0, 0)
        await provider.create(launch_request("more", technology=technology), OperationRecord())


async def test_cancelled_at_any_step_a_launch_gives_everything_back(data_dir: Path, tmp_path: Path) -> None:
    hosts, records = Hosts(), write_records(tmp_path)
    async with embedded(data_dir, make_site=hosts) as provider:
        for number in range(6):
            with pytest.raises(OperationCancelled):
                await provider.create(launch_request(records=records), OperationRecord(cancel_at=number))
            assert hosts.in_use == (0, 0)
            assert nothing_left(data_dir)


async def test_a_launch_that_fails_when_its_vcpu_should_run_gives_everything_back(data_dir: Path) -> None:
    class NoCpu(Machine):
        async def run(self, guest: MachineGuest, hooks: object, disk_path: str = "") -> None:
            raise CapacityExceeded("no vCPU is left")

    for technology in (SEV, PLAIN):
        hosts = Hosts(NoCpu)
        async with embedded(data_dir, make_site=hosts) as provider:
            with pytest.raises(CapacityExceeded, match="vCPU"):
                await provider.create(launch_request(technology=technology), OperationRecord())
            assert hosts.in_use == (0, 0)
