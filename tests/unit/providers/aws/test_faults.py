"""What a cloud does to a launch, and that no duplicate and no orphan comes of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import (
    CapacityExceeded,
    ConfvmError,
    Forbidden,
    InvalidInput,
    KeyUnavailable,
    NameTaken,
    ReadOnly,
    Transient,
    WrongState,
)
from confvm_gui.providers.aws import errors
from confvm_gui.providers.aws.connection import AwsConnection
from confvm_gui.providers.aws.credentials import profile_session
from confvm_gui.providers.aws.provider import AwsProvider
from tests.support.amazon_ec2 import REGION, FakeEc2
from tests.support.amazon_rig import amazon_provider, amazon_request
from tests.support.google_rig import HURRY, everything
from tests.support.operations import OperationRecord
from tests.support.tls_site import environment


async def test_what_is_sent_is_a_confidential_instance(service: FakeEc2) -> None:
    async with amazon_provider() as provider:
        operation = OperationRecord()
        made = await provider.create(amazon_request(), operation)
        (sent,) = service.launches
        assert sent["CpuOptions.AmdSevSnp"] == "enabled"
        assert sent["Placement.AvailabilityZone"] == f"{REGION}a"
        assert sent["BlockDeviceMapping.1.Ebs.Encrypted"] == "true"
        assert sent["BlockDeviceMapping.1.Ebs.DeleteOnTermination"] == "true"
        assert sent["MetadataOptions.HttpTokens"] == "required"
        assert sent["ClientToken"].replace("-", "") == operation.operation_id
        assert made.technology is Technology.SEV_SNP
        assert dict(made.labels) == {"env": "test"}
        assert made.image == "al2023-ami-kernel-6.1-x86_64"
        image = service.moto_image(sent["ImageId"])
        assert image.startswith("al2023-ami-2023.")
        assert image.endswith("-kernel-6.1-x86_64")


async def test_an_enclave_is_asked_for_by_its_option(service: FakeEc2) -> None:
    async with amazon_provider() as provider:
        made = await provider.create(amazon_request(technology=Technology.NITRO), OperationRecord())
        assert service.launches[0]["EnclaveOptions.Enabled"] == "true"
        assert "CpuOptions.AmdSevSnp" not in service.launches[0]
        assert made.technology is Technology.NITRO


async def test_the_disks_key_is_sent_and_must_be_of_the_region(service: FakeEc2) -> None:
    async with amazon_provider() as provider:
        with pytest.raises(InvalidInput, match="must agree"):
            await provider.create(amazon_request(disk_key="awskms:eu-west-1/alias/disks"), OperationRecord())
        assert service.alive() == []
        await provider.create(amazon_request(disk_key=f"awskms:{REGION}/alias/disks"), OperationRecord())
        assert service.launches[-1]["BlockDeviceMapping.1.Ebs.KmsKeyId"] == "alias/disks"


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (500, "InsufficientInstanceCapacity", CapacityExceeded, f"try {REGION}b, {REGION}c"),
        (400, "VcpuLimitExceeded", CapacityExceeded, "Service Quotas"),
        (403, "UnauthorizedOperation", Forbidden, "may not do that"),
        (401, "AuthFailure", Forbidden, "log in anew"),
        (400, "VPCIdNotSpecified", InvalidInput, "create-default-vpc"),
        (400, "Unsupported", InvalidInput, "does not offer"),
        (400, "InvalidParameterValue", InvalidInput, "refuses"),
    ],
)
async def test_a_refusal_is_told_and_leaves_nothing(
    service: FakeEc2, status: int, code: str, kind: type[ConfvmError], words: str
) -> None:
    async with amazon_provider() as provider:
        service.failing, service.fail_only = [(status, code)], "RunInstances"
        with pytest.raises(kind, match=words):
            await provider.create(amazon_request(), OperationRecord())
        assert service.alive() == []
        assert await everything(provider) == {}


@pytest.mark.parametrize(
    ("status", "code"), [(503, "RequestLimitExceeded"), (500, "InternalError"), (503, "Unavailable")]
)
async def test_what_passes_is_tried_again_and_makes_one(service: FakeEc2, status: int, code: str) -> None:
    async with amazon_provider() as provider:
        service.failing, service.fail_only = [(status, code)] * 2, "RunInstances"
        made = await provider.create(amazon_request(), OperationRecord())
        assert len(service.launches) == 3
        assert len(service.alive()) == 1
        assert set(await everything(provider)) == {made.id}


async def test_an_answer_that_is_lost_makes_one(service: FakeEc2) -> None:
    async with amazon_provider() as provider:
        service.drop_after = ["RunInstances"]
        made = await provider.create(amazon_request(), OperationRecord())
        assert len(service.alive()) == 1
        assert set(await everything(provider)) == {made.id}


async def test_an_operation_that_broke_off_is_gone_on_with(service: FakeEc2) -> None:
    operation = OperationRecord()
    async with amazon_provider() as provider:
        service.failing, service.fail_only = [(500, "InternalError")] * 9, "RunInstances"
        with pytest.raises(Transient):
            await provider.create(amazon_request(), operation)
    service.failing = []
    async with amazon_provider() as provider:
        again = OperationRecord(operation.instance_id, operation_id=operation.operation_id)
        made = await provider.create(amazon_request(), again)
        assert made.id == operation.instance_id
        assert len(service.alive()) == 1


async def test_a_slow_service_is_given_up_and_delays_nobody(service: FakeEc2) -> None:
    service.slow = 1.2
    with pytest.raises(Transient, match="does not answer"):
        async with amazon_provider(patience=HURRY):
            raise AssertionError("it was connected")
    service.slow = 0


async def test_what_an_operation_made_is_found_and_deleted_after_a_crash(service: FakeEc2) -> None:
    operation = OperationRecord()
    async with amazon_provider() as provider:
        await provider.create(amazon_request(), operation)
    async with amazon_provider() as provider:
        provider.table.remove(operation.instance_id)
        await provider.delete(operation.instance_id, OperationRecord(operation.instance_id))
        assert service.alive() == []


async def test_a_name_that_others_have_is_taken(service: FakeEc2) -> None:
    service.put("probe")
    async with amazon_provider() as provider:
        with pytest.raises(NameTaken, match="choose another name"):
            await provider.create(amazon_request(), OperationRecord())
        assert len(service.alive()) == 1


async def test_for_reading_only(service: FakeEc2) -> None:
    number = service.put("theirs")
    async with amazon_provider(readonly=True) as provider:
        (found,) = (await everything(provider)).values()
        for attempt in (
            provider.create(amazon_request(), OperationRecord()),
            provider.stop(found.id, OperationRecord(found.id)),
            provider.delete(found.id, OperationRecord(found.id)),
        ):
            with pytest.raises(ReadOnly):
                await attempt
        assert service.alive() == [number]


async def test_labels_are_replaced_and_ours_stay(service: FakeEc2) -> None:
    async with amazon_provider() as provider:
        made = await provider.create(amazon_request(), OperationRecord())
        changed = await provider.set_labels(made.id, {"team": "blue"}, OperationRecord(made.id))
        assert dict(changed.labels) == {"team": "blue"}
        assert (changed.id, changed.name) == (made.id, "probe")


async def test_a_region_that_does_not_answer_is_said_and_the_others_go_on(service: FakeEc2) -> None:
    service.put("theirs", "eu-west-1")
    number = service.put("ours")
    async with amazon_provider() as provider:
        table = {each.name: each for each in (await everything(provider)).values()}
        assert set(table) == {"theirs", "ours"}
        service.fail_region = "eu-west-1"
        _stop(number)
        await provider.look()
        table = {each.name: each for each in (await everything(provider)).values()}
        assert "eu-west-1" in table["theirs"].state_reason
        assert "seen last" in table["theirs"].state_reason
        assert table["ours"].state.value == "stopped"
        service.fail_region = ""
        await provider.look()
        table = {each.name: each for each in (await everything(provider)).values()}
        assert table["theirs"].state_reason == ""


def _stop(number: str) -> None:
    from moto.ec2.models import ec2_backends

    ec2_backends["123456789012"][REGION].stop_instances([number])


async def test_a_profile_that_is_not_there_is_told(service: FakeEc2) -> None:
    provider = AwsProvider("aws-x", "nobody", lambda: profile_session("nobody"), load_catalog(), patience=HURRY)
    with pytest.raises(KeyUnavailable, match="aws configure"):
        await provider.connect()
    await provider.aclose()
    assert service.asked == []


async def test_an_endpoint_without_tls_is_refused() -> None:
    with environment({"AWS_ENDPOINT_URL": "http://localhost:1"}):
        connection = AwsConnection("default", lambda: None, patience=HURRY)
        with pytest.raises(InvalidInput, match="https"):
            await connection.call(lambda clients: clients.ec2(REGION))
        await connection.aclose()


@pytest.mark.parametrize("code", ["IncorrectInstanceState", "IncorrectState"])
def test_a_state_that_does_not_fit_is_told(code: str) -> None:
    assert isinstance(errors.of_code(code, "stopping"), WrongState)


async def test_many_calls_at_once_share_their_clients(service: FakeEc2) -> None:
    async with amazon_provider() as provider:

        def ask(clients: Any) -> int:
            return id(clients.ec2("eu-central-1"))

        assert len(set(await asyncio.gather(*(provider.connection.call(ask) for _ in range(12))))) == 1
