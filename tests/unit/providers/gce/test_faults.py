"""What a cloud does to a launch, and that no duplicate and no orphan comes of it."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.errors import (
    CapacityExceeded,
    ConfvmError,
    Forbidden,
    InvalidInput,
    NameTaken,
    ReadOnly,
    Transient,
    WrongState,
)
from confvm_gui.domain.instance import InstanceState
from confvm_gui.providers.cloud.connection import Held
from confvm_gui.providers.gce.connection import compute_host
from tests.support.google_compute import FakeCompute, google_compute
from tests.support.google_rig import HURRY, everything, google_provider, google_request
from tests.support.operations import OperationRecord
from tests.support.tls_site import TlsSite, environment

UNDISTURBED = replace(HURRY, inventory=3600)
"""No look at the inventory takes a failure that is meant for something else."""


async def test_what_is_sent_is_what_the_checkbox_forces(service: FakeCompute) -> None:
    async with google_provider(patience=UNDISTURBED) as provider:
        operation = OperationRecord()
        await provider.create(google_request(secure_boot=True), operation)
        (body,) = service.inserts
        assert body["confidentialInstanceConfig"] == {"confidentialInstanceType": "SEV"}
        assert body["shieldedInstanceConfig"] == {
            "enableSecureBoot": True,
            "enableVtpm": True,
            "enableIntegrityMonitoring": True,
        }
        assert body["minCpuPlatform"] == "AMD Milan"
        assert body["networkInterfaces"][0]["nicType"] == "GVNIC"
        assert body["scheduling"]["onHostMaintenance"] == "MIGRATE"
        assert body["labels"]["confvm-operation"] == operation.operation_id
        assert list(service.by_request) == [str(uuid.UUID(operation.operation_id))]


async def test_the_disks_key_of_cloud_kms_is_sent(service: FakeCompute) -> None:
    key = "projects/a-project/locations/us/keyRings/r/cryptoKeys/disks"
    async with google_provider(patience=UNDISTURBED) as provider:
        await provider.create(google_request(disk_key=f"gcpkms:{key}"), OperationRecord())
        assert service.inserts[0]["disks"][0]["diskEncryptionKey"] == {"kmsKeyName": key}


async def test_a_stockout_names_the_zones_with_room_and_leaves_nothing(service: FakeCompute) -> None:
    service.stockouts = {"us-central1-a": "us-central1-b,us-central1-f"}
    async with google_provider(patience=UNDISTURBED) as provider:
        with pytest.raises(CapacityExceeded, match=r"free in us-central1-a now; .* us-central1-b, us-central1-f"):
            await provider.create(google_request(), OperationRecord())
        assert service.names() == []
        assert await everything(provider) == {}


async def test_a_stockout_without_names_offers_the_catalogues_zones(service: FakeCompute) -> None:
    service.stockouts = {"us-central1-a": ""}
    async with google_provider(patience=UNDISTURBED) as provider:
        with pytest.raises(CapacityExceeded, match=r"try us-central1-b, us-central1-c.* offer the same"):
            await provider.create(google_request(), OperationRecord())


async def test_a_quota_is_told_in_words(service: FakeCompute) -> None:
    service.quota = True
    async with google_provider(patience=UNDISTURBED) as provider:
        with pytest.raises(CapacityExceeded, match=r"quota does not suffice: .*N2D_CPUS.*8\.0"):
            await provider.create(google_request(), OperationRecord())
        assert service.names() == []


@pytest.mark.parametrize(
    ("status", "reason", "expected", "words"),
    [
        (403, "forbidden", Forbidden, "may not do that"),
        (412, "conditionNotMet", Forbidden, "policy of the organisation"),
        (400, "invalid", InvalidInput, "refuses the request"),
    ],
)
async def test_a_refusal_is_told_in_words(
    service: FakeCompute, status: int, reason: str, expected: type[ConfvmError], words: str
) -> None:
    async with google_provider(patience=UNDISTURBED) as provider:
        made = await provider.create(google_request(), OperationRecord())
        service.failing = [(status, reason)]
        with pytest.raises(expected, match=words):
            await provider.stop(made.id, OperationRecord(made.id))
        assert service.names() == ["probe"]


@pytest.mark.parametrize("failure", [(429, "rateLimitExceeded"), (403, "rateLimitExceeded"), (503, "backendError")])
async def test_what_passes_is_tried_again(service: FakeCompute, failure: tuple[int, str]) -> None:
    async with google_provider(patience=UNDISTURBED) as provider:
        service.failing = [failure, failure]
        made = await provider.create(google_request(), OperationRecord())
        assert made.state is InstanceState.RUNNING
        assert service.names() == ["probe"]


async def test_what_does_not_pass_is_transient_and_the_next_attempt_goes_on(service: FakeCompute) -> None:
    async with google_provider(patience=UNDISTURBED) as provider:
        operation = OperationRecord()
        service.failing = [(500, "backendError")] * 20
        with pytest.raises(Transient):
            await provider.create(google_request(), operation)
        service.failing.clear()
        made = await provider.create(
            google_request(), OperationRecord(operation.instance_id, operation_id=operation.operation_id)
        )
        assert made.id == operation.instance_id
        assert service.names() == ["probe"]


@pytest.mark.parametrize("how", ["breaking", "slow"])
async def test_an_answer_that_is_lost_after_the_insert_makes_no_duplicate(service: FakeCompute, how: str) -> None:
    getattr(service, how).append("compute.instances.insert")
    async with google_provider(patience=UNDISTURBED) as provider:
        made = await provider.create(google_request(), OperationRecord())
        assert service.methods.count("compute.instances.insert") == 2
        assert len(service.inserts) == 1
        assert service.names() == ["probe"]
        assert list(await everything(provider)) == [made.id]


async def test_a_console_that_ended_after_the_insert_goes_on_with_the_same_instance(service: FakeCompute) -> None:
    operation = OperationRecord()
    async with google_provider(patience=UNDISTURBED) as provider:
        reached = asyncio.Event()
        broken = OperationRecord(
            operation.instance_id, operation_id=operation.operation_id, on_step=lambda name: _if_made(name, reached)
        )
        creation = asyncio.ensure_future(provider.create(google_request(), broken))
        await reached.wait()
        creation.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creation
    async with google_provider(patience=UNDISTURBED) as provider:
        made = await provider.create(google_request(), operation)
        assert made.id == operation.instance_id
        assert made.state is InstanceState.RUNNING
        assert len(service.inserts) == 1
        assert service.names() == ["probe"]


def _if_made(name: str, reached: asyncio.Event) -> None:
    if name == "Google Cloud makes it":
        reached.set()


async def test_an_operation_that_fails_half_way_leaves_no_orphan(service: FakeCompute) -> None:
    service.half_way = True
    async with google_provider(patience=UNDISTURBED) as provider:
        with pytest.raises(WrongState, match="INTERNAL_ERROR"):
            await provider.create(google_request(), OperationRecord())
        assert service.names() == []
        assert await everything(provider) == {}


async def test_what_the_console_lost_sight_of_is_deleted_by_its_label(service: FakeCompute) -> None:
    async with google_provider(patience=UNDISTURBED) as provider:
        made = await provider.create(google_request(), OperationRecord())
    async with google_provider(patience=UNDISTURBED) as provider:
        for entry in provider.table.all():
            del provider.table._entries[entry.instance.id]
        await provider.delete(made.id, OperationRecord(made.id))
        assert service.names() == []


async def test_anothers_instance_of_the_name_is_left_alone(service: FakeCompute) -> None:
    service.put("probe")
    async with google_provider(patience=UNDISTURBED) as provider:
        with pytest.raises(NameTaken):
            await provider.create(google_request(), OperationRecord())
        assert service.names() == ["probe"]
        assert service.inserts == []


async def test_an_account_for_reading_changes_nothing(service: FakeCompute) -> None:
    service.put("theirs")
    async with google_provider(readonly=True) as provider:
        (instance_id,) = await everything(provider)
        with pytest.raises(ReadOnly):
            await provider.create(google_request(), OperationRecord())
        for act in (provider.start, provider.stop, provider.reset, provider.delete):
            with pytest.raises(ReadOnly):
                await act(instance_id, OperationRecord(instance_id))
        assert not [method for method in service.methods if not method.endswith(("List", "get", "getEffectivePolicy"))]


async def test_labels_are_replaced_and_the_consoles_own_stay(service: FakeCompute) -> None:
    async with google_provider(patience=UNDISTURBED) as provider:
        made = await provider.create(google_request(), OperationRecord())
        changed = await provider.set_labels(made.id, {"team": "blue"}, OperationRecord(made.id))
        assert dict(changed.labels) == {"team": "blue"}
        assert changed.id == made.id


async def test_a_server_of_another_authority_is_sent_nothing(
    google: tuple[TlsSite, FakeCompute], tmp_path: Path
) -> None:
    site, fake = google
    folder = tmp_path / "other"
    folder.mkdir()
    with (
        google_compute(folder) as (other, _),
        environment({"CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": f"{site.base}/compute/v1/"}),
    ):
        assert other.ca_file != site.ca_file
        with pytest.raises(Transient, match="certificate"):
            async with google_provider(patience=UNDISTURBED):
                raise AssertionError("it was connected")
    assert fake.methods == []


def test_an_override_without_tls_is_refused() -> None:
    with (
        environment({"CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": "http://localhost/compute/v1/"}),
        pytest.raises(InvalidInput),
    ):
        compute_host()
    assert compute_host() == "compute.googleapis.com"


def test_what_is_closed_during_a_call_hangs_up_when_the_call_has_ended() -> None:
    hung_up: list[str] = []
    held = Held("clients", hung_up.append)

    def during(_clients: str) -> int:
        held.close()
        return len(hung_up)

    assert held.use(during) == 0
    assert hung_up == ["clients"]
