"""What is known of a project's instances, those of others too, and how it is kept up."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError
from confvm_gui.domain.instance import InstanceState, Trust
from tests.support.google_compute import FakeCompute
from tests.support.google_rig import everything, google_provider, google_request
from tests.support.operations import OperationRecord
from tests.support.patience import until


async def test_instances_of_others_are_shown_with_what_is_known(service: FakeCompute) -> None:
    service.put(
        "theirs",
        confidentialInstanceConfig={"confidentialInstanceType": "TDX"},
        shieldedInstanceConfig={"enableSecureBoot": True, "enableVtpm": True},
        labels={"team": "red"},
    )
    service.put("old", confidentialInstanceConfig={"enableConfidentialCompute": True})
    async with google_provider() as provider:
        found = {each.name: each for each in (await everything(provider)).values()}
        theirs = found["theirs"]
        assert (theirs.cloud, theirs.region, theirs.zone) == ("gce", "us-central1", "us-central1-a")
        assert (theirs.technology, theirs.trust) == (Technology.TDX, Trust.UNKNOWN)
        assert (theirs.vcpus, theirs.memory_mib, theirs.image) == (2, 8192, "debian-12")
        assert theirs.secure_boot
        assert theirs.vtpm
        assert dict(theirs.labels) == {"team": "red"}
        assert theirs.created_at > 1_700_000_000
        assert found["old"].technology is Technology.SEV


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("PROVISIONING", InstanceState.CREATING),
        ("STAGING", InstanceState.STARTING),
        ("RUNNING", InstanceState.RUNNING),
        ("STOPPING", InstanceState.STOPPING),
        ("PENDING_STOP", InstanceState.STOPPING),
        ("SUSPENDED", InstanceState.STOPPED),
        ("TERMINATED", InstanceState.STOPPED),
        ("REPAIRING", InstanceState.CRASHED),
    ],
)
async def test_each_status_is_a_state(service: FakeCompute, status: str, state: InstanceState) -> None:
    service.put("theirs", status=status)
    async with google_provider() as provider:
        (found,) = (await everything(provider)).values()
        assert found.state is state


async def test_a_suspended_instance_is_resumed(service: FakeCompute) -> None:
    service.put("theirs", status="SUSPENDED")
    async with google_provider() as provider:
        (found,) = (await everything(provider)).values()
        started = await provider.start(found.id, OperationRecord(found.id))
        assert started.state is InstanceState.RUNNING
        assert "compute.instances.resume" in service.methods


async def test_what_others_change_is_seen(service: FakeCompute) -> None:
    async with google_provider() as provider:
        number = service.put("theirs")
        await until(lambda: len(provider.table.all()) == 1)
        service.machines[number].resource["status"] = "TERMINATED"
        await until(lambda: provider.table.all()[0].instance.state is InstanceState.STOPPED)
        del service.machines[number]
        await until(lambda: not provider.table.all())


async def test_many_are_read_page_by_page_and_then_by_their_operations(service: FakeCompute) -> None:
    service.page = 50
    for number in range(120):
        service.put(f"vm-{number}")
    async with google_provider() as provider:
        assert len(await everything(provider)) == 120
        lists = service.methods.count("compute.instances.aggregatedList")
        assert lists == 3
        made = await provider.create(google_request("vm-new"), OperationRecord())
        await until(lambda: "compute.globalOperations.aggregatedList" in service.methods)
        other = next(number for number, each in service.machines.items() if each.resource["name"] == "vm-7")
        service.works["elsewhere"] = service._work("stop", "us-central1-a", other, lambda: None)
        service.machines[other].resource["status"] = "TERMINATED"
        await until(
            lambda: any(
                each.seen.number == other and each.instance.state is InstanceState.STOPPED
                for each in provider.table.all()
            )
        )
        assert made.id in await everything(provider)


async def test_a_zone_that_is_silent_keeps_what_was_known(service: FakeCompute) -> None:
    service.put("near")
    service.put("far", "europe-west4-a")
    async with google_provider() as provider:
        assert len(await everything(provider)) == 2
        service.silent_zones = {"europe-west4-a"}
        await until(lambda: provider.poller.silent == ("europe-west4-a",))
        reasons = {each.instance.name: each.instance.state_reason for each in provider.table.all()}
        assert reasons["near"] == ""
        assert "europe-west4-a does not answer" in reasons["far"]
        service.silent_zones = set()
        await until(lambda: all(not each.instance.state_reason for each in provider.table.all()))


async def test_a_copy_with_the_consoles_labels_has_an_id_of_its_own(service: FakeCompute) -> None:
    async with google_provider() as provider:
        made = await provider.create(google_request(), OperationRecord())
        labels: Any = service.machines[provider.table.all()[0].seen.number].resource["labels"]
        service.put("copy", labels=dict(labels))
        await until(lambda: len(provider.table.all()) == 2)
        names = {instance.id: instance.name for instance in (await everything(provider)).values()}
        assert names[made.id] == "probe"
        assert sorted(names.values()) == ["copy", "probe"]


async def test_watching_ends_with_the_reason_when_the_account_loses_its_rights(service: FakeCompute) -> None:
    async with google_provider() as provider:
        changes = provider.watch()
        service.failing = [(403, "forbidden")] * 50
        with pytest.raises(ConfvmError, match="may not do that"):
            async for _change in changes:
                pass
        service.failing.clear()
        await provider.connect()
        assert await everything(provider) == {}


async def test_the_memorys_place_says_why(service: FakeCompute) -> None:
    from confvm_gui.domain.ports.provider import Capability

    async with google_provider() as provider:
        for wanted in (Capability.MEMORY_HYPERVISOR, Capability.MEMORY_GUEST):
            assert "evidence" in provider.reason_unsupported(wanted)


async def test_the_serial_port_goes_on_where_it_was(service: FakeCompute) -> None:
    number = service.put("theirs")
    async with google_provider() as provider:
        (instance_id,) = await everything(provider)
        console = provider.console(instance_id)
        stream = console.stream()
        assert await anext(stream) == b"SeaBIOS\r\nboot\r\n"
        service.machines[number].serial += b"login: "
        assert await anext(stream) == b"login: "
        assert console.scrollback() == b"SeaBIOS\r\nboot\r\nlogin: "
        assert not console.writable
        assert isinstance(stream, AsyncGenerator)
        await stream.aclose()
