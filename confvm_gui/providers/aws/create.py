"""Making an instance: once, whatever breaks off, and nothing left over where it cannot be made.

The client token of the request is the operation's id, so that EC2 makes one instance however often it is asked; the
instance and its volume are tagged with it in the same request, and found by it afterwards.
Source: Amazon EC2 API Reference, RunInstances; "Ensuring idempotency in Amazon EC2 API requests".
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from confvm_gui.catalog import Catalog
from confvm_gui.catalog.fit import machine_type_region_unfit
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import (
    CapacityExceeded,
    ConfvmError,
    InvalidInput,
    NameTaken,
    NotFound,
    OperationCancelled,
    Transient,
)
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.domain.ports.provider import OperationContext
from confvm_gui.providers.aws import errors
from confvm_gui.providers.aws.connection import AwsConnection, Clients
from confvm_gui.providers.aws.instance_read import CLOUD, GONE, TAG_NAME
from confvm_gui.providers.aws.polling import Poller
from confvm_gui.providers.cloud.table import LABEL_ID, LABEL_IMAGE, LABEL_OPERATION, OWN_LABELS, Seen

KMS: Final = "awskms:"
_MOST_TAGS: Final = 50
_OWN: Final = len(OWN_LABELS) + 1
_LOOKS: Final = 20
_ALIVE: Final = ("pending", "running", "stopping", "stopped")


async def create(
    connection: AwsConnection,
    poller: Poller,
    request: LaunchRequest,
    operation: OperationContext,
    catalog: Catalog,
    gone: Callable[[str], None],
) -> Seen:
    """See `CloudProvider._make`. `gone` is told EC2's id of what was undone."""
    check(request)
    operation.step("look for it", 0.05, f"{request.name} in {request.region}")
    same = await _named(poller, request)
    if any(seen.operation_id != operation.operation_id for seen in same):
        raise NameTaken(
            "name",
            f"{connection.account} has an instance named {request.name} in {request.region} already; choose another "
            "name",
        )
    try:
        if not same:
            operation.step("look for the image", 0.1, request.image)
            image = await newest_image(connection, request, catalog)
            operation.step("ask Amazon EC2", 0.2, request.machine_type)
            number = await _run(connection, request, operation, image, catalog)
            same = await _described(connection, poller, request.region, number)
        operation.step("Amazon EC2 starts it", 0.7)
    except OperationCancelled:
        await remove(connection, poller, request, operation, gone)
        raise
    except Transient:
        raise  # the instance may be there: the next attempt goes on with it, or whoever gives up deletes it
    except ConfvmError:
        with suppress(Transient):
            await remove(connection, poller, request, operation, gone)
        raise
    made = next((seen for seen in same if seen.operation_id == operation.operation_id), None)
    if made is None:
        raise Transient("Amazon EC2 does not tell of the instance that it made yet; it is asked again")
    return made


async def remove(
    connection: AwsConnection,
    poller: Poller,
    request: LaunchRequest,
    operation: OperationContext,
    gone: Callable[[str], None],
) -> None:
    """Terminate what this operation has made, if anything."""
    for seen in await _named(poller, request):
        if seen.operation_id == operation.operation_id:
            await terminate(connection, request.region, seen.number)
            gone(seen.number)


async def terminate(connection: AwsConnection, region: str, number: str) -> None:
    """Terminate an instance; its boot volume goes with it. One that is gone is success."""
    with suppress(NotFound):
        await connection.call(lambda clients: clients.ec2(region).terminate_instances(InstanceIds=[number]))


async def newest_image(connection: AwsConnection, request: LaunchRequest, catalog: Catalog) -> str:
    """The AMI of the region that the catalogue's image stands for. Raises InvalidInput("image")."""
    image = catalog.image(CLOUD, request.image)

    def ask(clients: Clients) -> Sequence[Mapping[str, Any]]:
        answer = clients.ec2(request.region).describe_images(
            Owners=[image.project],
            Filters=[
                {"Name": "name", "Values": [image.family or image.name]},
                {"Name": "state", "Values": ["available"]},
                {"Name": "architecture", "Values": ["x86_64"]},
            ],
        )
        return list(answer["Images"])

    found = [each for each in await connection.call(ask) if _bootable(each, request)]
    if not found:
        firmware = " that boots by UEFI" if request.technology is Technology.SEV_SNP else ""
        raise InvalidInput("image", f"{request.region} has no image of {image.title}{firmware}; choose another")
    return str(max(found, key=lambda each: str(each.get("CreationDate", "")))["ImageId"])


def check(request: LaunchRequest) -> None:
    """Raise InvalidInput for what EC2 has no place for."""
    if request.cloud != CLOUD:
        raise InvalidInput("cloud", "An account of AWS takes machines and images of AWS only")
    if request.records is not None:
        raise InvalidInput(
            "records", "Records travel on the encrypted disk of the built-in guest; Amazon EC2 boots the image alone"
        )
    if request.seed is not None:
        raise InvalidInput("seed", "A cloud-init seed is a disk of libvirt hosts; leave it out for Amazon EC2")
    if len(request.labels) + _OWN > _MOST_TAGS:
        most = _MOST_TAGS - _OWN
        raise InvalidInput("labels", f"{len(request.labels)} labels were given; Amazon EC2 takes {most} beside ours")


def run_arguments(request: LaunchRequest, image: str, tags: Mapping[str, str], token: str) -> dict[str, object]:
    """Of RunInstances, but for the boot volume."""
    told = [{"Key": key, "Value": value} for key, value in tags.items()]
    arguments: dict[str, object] = {
        "ImageId": image,
        "InstanceType": request.machine_type,
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": token,
        "Placement": {"AvailabilityZone": request.zone},
        "MetadataOptions": {"HttpTokens": "required"},
        "TagSpecifications": [{"ResourceType": kind, "Tags": told} for kind in ("instance", "volume")],
    }
    if request.technology is Technology.SEV_SNP:
        arguments["CpuOptions"] = {"AmdSevSnp": "enabled"}
    if request.technology is Technology.NITRO:
        arguments["EnclaveOptions"] = {"Enabled": True}
    return arguments


def boot_volume(request: LaunchRequest, image: Mapping[str, Any]) -> dict[str, object]:
    """The image's own boot volume, encrypted and gone with its instance. `image`: as EC2 describes it.

    Raises InvalidInput("disk_key") for a key of another region.
    """
    root = str(image.get("RootDeviceName", ""))
    disk: dict[str, object] = {"DeleteOnTermination": True, "Encrypted": True, "VolumeType": "gp3"}
    for mapping in image.get("BlockDeviceMappings", ()):
        if mapping.get("DeviceName") == root and "VolumeSize" in mapping.get("Ebs", {}):
            disk["VolumeSize"] = mapping["Ebs"]["VolumeSize"]
    if request.disk_key.startswith(KMS):
        region, _, key = request.disk_key.removeprefix(KMS).partition("/")
        if region != request.region:
            raise InvalidInput("disk_key", f"The key is in {region}, the instance in {request.region}: they must agree")
        disk["KmsKeyId"] = key
    return {"DeviceName": root, "Ebs": disk}


def zones_alike(catalog: Catalog, request: LaunchRequest) -> tuple[str, ...]:
    """Other zones of the region that offer the same, as the catalogue knows."""
    try:
        region = catalog.region(CLOUD, request.region)
        machine_type = catalog.machine_type(CLOUD, request.machine_type)
    except NotFound:
        return ()
    if machine_type_region_unfit(machine_type, region):
        return ()
    return tuple(zone for zone in region.technology_zones(request.technology) if zone != request.zone)


async def _run(
    connection: AwsConnection, request: LaunchRequest, operation: OperationContext, image: str, catalog: Catalog
) -> str:
    """EC2's id of the instance."""
    tags = {**request.labels, TAG_NAME: request.name, LABEL_ID: operation.instance_id}
    tags |= {LABEL_OPERATION: operation.operation_id, LABEL_IMAGE: request.image}
    arguments = run_arguments(request, image, tags, str(uuid.UUID(operation.operation_id)))

    def ask(clients: Clients) -> str:
        ec2 = clients.ec2(request.region)
        (described,) = ec2.describe_images(ImageIds=[image])["Images"]
        launch = {**arguments, "BlockDeviceMappings": [boot_volume(request, described)]}
        return str(ec2.run_instances(**launch)["Instances"][0]["InstanceId"])

    try:
        return await connection.call(ask)
    except CapacityExceeded as error:
        if errors.code_of(error.__cause__ or error) in errors.STOCKOUT:
            raise errors.of_stockout(error, request.zone, zones_alike(catalog, request)) from error
        raise


async def _described(connection: AwsConnection, poller: Poller, region: str, number: str) -> Sequence[Seen]:
    """The new instance. EC2 tells of it after a moment (its guide, "Eventual consistency"); () if it does not."""
    for _attempt in range(_LOOKS):
        found = await poller.described(region, Filters=[{"Name": "instance-id", "Values": [number]}])
        if found:
            return found
        await asyncio.sleep(connection.patience.operation)
    return ()


async def _named(poller: Poller, request: LaunchRequest) -> Sequence[Seen]:
    """Those of the request's name in its region that are there."""
    wanted = [
        {"Name": f"tag:{TAG_NAME}", "Values": [request.name]},
        {"Name": "instance-state-name", "Values": list(_ALIVE)},
    ]
    return [seen for seen in await poller.described(request.region, Filters=wanted) if seen.status != GONE]


def _bootable(image: Mapping[str, Any], request: LaunchRequest) -> bool:
    """SNP needs UEFI (Amazon EC2 User Guide, "AMD SEV-SNP", requirements)."""
    mode = str(image.get("BootMode", ""))
    return request.technology is not Technology.SEV_SNP or mode in ("uefi", "uefi-preferred", "")
