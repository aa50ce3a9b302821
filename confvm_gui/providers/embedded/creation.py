"""What a request becomes on disk: a definition, and the records on an encrypted disk."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.images import LIBRARY_PREFIX
from confvm_gui.domain.keys import using_keys_for
from confvm_gui.domain.shared_data import SHARED_DISK_MAGIC
from confvm_gui.engine.finish import finish
from confvm_gui.engine.guests.image import HEARTBEAT, RECORDS
from confvm_gui.providers.embedded.definitions import Definition, Definitions

if TYPE_CHECKING:
    from pathlib import Path

    from confvm_gui.catalog import Catalog
    from confvm_gui.domain.instance import LaunchRequest
    from confvm_gui.domain.ports.keystore import KeyStore
    from confvm_gui.domain.ports.provider import OperationContext

_LARGEST_SHARED_DISK: Final = 513 << 20
"""Bytes: eight data sets of 64 MiB and their table."""


def define(catalog: Catalog, request: LaunchRequest, operation: OperationContext) -> Definition:
    """What `request` asks for. Raises NotFound for a machine type that the catalogue has not."""
    machine_type = catalog.machine_type(request.cloud, request.machine_type)
    return Definition(
        id=operation.instance_id,
        name=request.name,
        created_by=operation.operation_id,
        created_at=time.time(),
        cloud=request.cloud,
        region=request.region,
        zone=request.zone,
        machine_type=request.machine_type,
        image=request.image,
        technology=request.technology.value,
        vcpus=machine_type.vcpus,
        memory_mib=machine_type.memory_mib,
        guest="" if request.image.startswith(LIBRARY_PREFIX) else HEARTBEAT if request.records is None else RECORDS,
        labels=dict(request.labels),
        host_maintenance=request.host_maintenance.value,
        secure_boot=request.secure_boot,
        vtpm=request.vtpm,
        integrity_monitoring=request.vtpm and request.integrity_monitoring,
        attest=request.attest,
    )


def is_shared_disk(path: Path) -> bool:
    """Whether `path` is a disk of data sets that several owners sealed. Blocks on the disk."""
    with suppress(OSError, ValueError), path.open("rb") as file:  # what cannot be read is told by whoever needs it
        return file.read(len(SHARED_DISK_MAGIC)) == SHARED_DISK_MAGIC
    return False


def _copy_shared_disk(definition: Definition, path: Path, definitions: Definitions) -> None:
    try:
        with path.open("rb") as file:
            image = file.read(_LARGEST_SHARED_DISK + 1)
    except OSError as error:
        raise InvalidInput("records", f"The disk {path} cannot be read: {error.strerror}") from None
    if len(image) > _LARGEST_SHARED_DISK:
        raise InvalidInput("records", f"A disk of shared data has at most {_LARGEST_SHARED_DISK >> 20} MiB")
    if definition.technology_kind is not Technology.SEV_SNP:
        raise InvalidInput(
            "technology",
            "Owners release their data to SEV-SNP guests only: a SEV or SEV-ES guest has no key of its own while it "
            "runs, to which they could seal it",
        )
    definitions.write_disk(definition.id, image)


async def write(
    definition: Definition,
    request: LaunchRequest,
    definitions: Definitions,
    key_store: KeyStore,
    operation: OperationContext,
) -> None:
    """Encrypt the records, if there are any, and define the instance.

    Raises InvalidInput, KeyUnavailable, StoreError.
    """
    records = request.records
    if records is not None and await asyncio.to_thread(is_shared_disk, records.path):
        operation.step("copy shared disk", 0.1, "sealed by its owners: no key of this console opens it")
        await finish(partial(_copy_shared_disk, definition, records.path, definitions))
    elif records is not None:
        from confvm_gui.engine.guests.records_disk import KEY_BYTES, DiskHeader, prepare_disk

        operation.step("encrypt disk", 0.1, f"AES-256-XTS, its key wrapped by {request.disk_key}")
        dek = os.urandom(KEY_BYTES)
        with using_keys_for(definition.id):
            await key_store.create(request.disk_key)
            header = DiskHeader(request.disk_key, await key_store.wrap(request.disk_key, dek))

        def write_disk() -> None:
            disk = prepare_disk(
                records.path,
                dek,
                header,
                index_column=records.index_column,
                label_column=records.label_column,
            )
            needed = disk.ram_needed
            if needed > definition.memory_mib << 20:
                raise InvalidInput(
                    "machine_type",
                    f"These records need {needed >> 20} MiB of RAM and {definition.machine_type} has "
                    f"{definition.memory_mib} MiB; choose a larger machine type",
                )
            definitions.write_disk(definition.id, disk.image)

        await finish(write_disk)
    operation.step("define instance", 0.3)
    await finish(partial(definitions.write, definition))
