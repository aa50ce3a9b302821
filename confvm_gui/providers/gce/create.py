"""Making an instance: once, whatever breaks off, and nothing left over where it cannot be made.

The body is the one that the console exports as REST, with labels that say what made it. Its request id is the
operation's id, so the service makes one instance however often it is asked within its memory of an hour; what it made
before that is found by its name and its label.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from confvm_gui.catalog import Catalog
from confvm_gui.catalog.fit import machine_type_region_unfit
from confvm_gui.domain.errors import ConfvmError, InvalidInput, NameTaken, NotFound, OperationCancelled, Transient
from confvm_gui.domain.instance import LABEL_VALUE, LaunchRequest
from confvm_gui.domain.ports.provider import OperationContext
from confvm_gui.providers.cloud.table import LABEL_ID, LABEL_IMAGE, LABEL_OPERATION, OWN_LABELS
from confvm_gui.providers.gce.connection import Clients, GceConnection
from confvm_gui.providers.gce.instance_read import CLOUD
from confvm_gui.providers.gce.operations import request_id, to_the_end
from confvm_gui.providers.gce.sdk import sdk

Body = Callable[[LaunchRequest], Mapping[str, object]]
"""The resource `Instance` of a request, in the API's JSON."""
_MOST_LABELS: Final = 64
_BEING_MADE: Final = ("PENDING", "PROVISIONING", "STAGING")
_ASKED, _MADE = 0.15, 0.9
"""Of the whole: when the service has been asked, and when it says that it is done."""


async def create(
    connection: GceConnection,
    request: LaunchRequest,
    operation: OperationContext,
    body: Body,
    catalog: Catalog,
    gone: Callable[[str], None],
) -> Any:
    """The `Instance` that runs, as the service tells of it. Nothing of it remains if this raises, but for Transient and
    cancellation of the task: then the same operation is to be called again, or its instance deleted. `gone` is told the
    service's id of what was undone.
    """
    check(request)
    operation.step("look for it", 0.05, f"{request.name} in {request.zone}")
    found = await find_named(connection, request.zone, request.name)
    if found is not None and found.labels.get(LABEL_OPERATION) != operation.operation_id:
        raise NameTaken(
            "name",
            f"{connection.project} has an instance named {request.name} in {request.zone} already; choose another name",
        )
    try:
        operation.step("ask Google Cloud", 0.1, request.machine_type)
        if found is None:
            await _insert(connection, request, operation, body, catalog)
            found = await find_named(connection, request.zone, request.name)
        made = await _made(connection, request, operation, found)
    except OperationCancelled:
        await remove(connection, request, operation, gone)
        raise
    except Transient:
        raise  # the instance may be there: the next attempt goes on with it, or whoever gives up deletes it
    except ConfvmError:
        # The service takes back what it began; a disk or an instance that it forgot would cost money.
        with suppress(Transient):
            await remove(connection, request, operation, gone)
        raise
    return made


async def remove(
    connection: GceConnection, request: LaunchRequest, operation: OperationContext, gone: Callable[[str], None]
) -> None:
    """Delete what this operation has made, if anything."""
    found = await find_named(connection, request.zone, request.name)
    if found is not None and found.labels.get(LABEL_OPERATION) == operation.operation_id:
        await delete(connection, request.zone, str(found.id), request_id(operation.operation_id, "undo"))
        gone(str(found.id))


async def delete(connection: GceConnection, zone: str, number: str, unique: str) -> None:
    """Delete an instance with its boot disk. One that is gone is success."""

    def ask(clients: Clients) -> Any:
        message = clients.types.DeleteInstanceRequest(
            project=connection.project, zone=zone, instance=number, request_id=unique
        )
        return clients.instances.delete_unary(request=message, timeout=connection.patience.answer, retry=None)

    with suppress(NotFound):
        await to_the_end(connection, zone, ask)


async def find_named(connection: GceConnection, zone: str, name: str) -> Any | None:
    """The instance of this name, or number, in the zone, or None."""
    try:
        return await connection.call(
            lambda clients: clients.instances.get(
                project=connection.project,
                zone=zone,
                instance=name,
                timeout=connection.patience.answer,
                retry=None,
            )
        )
    except NotFound:
        return None


def check(request: LaunchRequest) -> None:
    """Raise InvalidInput for what Compute Engine has no place for."""
    if request.cloud != CLOUD:
        raise InvalidInput("cloud", "A project of Google Cloud takes machines and images of Google Cloud only")
    if request.records is not None:
        raise InvalidInput(
            "records", "Records travel on the encrypted disk of the built-in guest; Google Cloud boots the image alone"
        )
    if request.seed is not None:
        raise InvalidInput("seed", "A cloud-init seed is a disk of libvirt hosts; leave it out for Google Cloud")
    if len(request.labels) + len(OWN_LABELS) > _MOST_LABELS:
        most = _MOST_LABELS - len(OWN_LABELS)
        raise InvalidInput("labels", f"{len(request.labels)} labels were given; Google Cloud takes {most} beside ours")


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


async def _made(connection: GceConnection, request: LaunchRequest, operation: OperationContext, found: Any) -> Any:
    """The instance once it is no longer being made, as after an earlier call that broke off."""
    while found is not None and str(found.status) in _BEING_MADE:
        operation.step("Google Cloud starts it", _MADE, str(found.status).lower())
        await asyncio.sleep(connection.patience.operation)
        found = await find_named(connection, request.zone, request.name)
    if found is None or found.labels.get(LABEL_OPERATION) != operation.operation_id:
        raise Transient("Google Cloud does not have the instance that it made; it is asked again")
    return found


async def _insert(
    connection: GceConnection, request: LaunchRequest, operation: OperationContext, body: Body, catalog: Catalog
) -> None:
    resource = dict(body(request))
    resource["labels"] = dict(request.labels) | own_labels(request, operation)

    def ask(clients: Clients) -> Any:
        instance = clients.types.Instance()
        sdk("google.protobuf.json_format").ParseDict(resource, clients.types.Instance.pb(instance))
        message = clients.types.InsertInstanceRequest(
            project=connection.project,
            zone=request.zone,
            instance_resource=instance,
            request_id=request_id(operation.operation_id),
        )
        return clients.instances.insert_unary(request=message, timeout=connection.patience.answer, retry=None)

    def report(percent: int) -> None:
        done = _ASKED + (_MADE - _ASKED) * min(max(percent, 0), 100) / 100
        operation.step("Google Cloud makes it", done, f"{percent} %")

    await to_the_end(connection, request.zone, ask, report=report, elsewhere=zones_alike(catalog, request))


def own_labels(request: LaunchRequest, operation: OperationContext) -> dict[str, str]:
    """What says which console operation made it."""
    own = {LABEL_ID: operation.instance_id, LABEL_OPERATION: operation.operation_id}
    if LABEL_VALUE.fullmatch(request.image):
        own[LABEL_IMAGE] = request.image
    return own
