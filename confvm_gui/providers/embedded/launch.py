"""One power-on of an embedded instance: the console is the guest's owner, the engine the host it does not trust.

1. The disk's key is unwrapped by its KeyStore; a mailbox key is drawn for this power-on.
2. LAUNCH_START with the owner's session, LAUNCH_UPDATE_DATA over the guest's image, LAUNCH_MEASURE.
3. The owner computes what the measurement must be, and only if it is that, seals the keys for this launch.
4. LAUNCH_SECRET, LAUNCH_FINISH, and the vCPU runs.

A plain instance has none of that: the host writes image and keys into memory that it reads as well.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import StoreCorrupt
from confvm_gui.domain.ports.keystore import KeyStore
from confvm_gui.domain.ports.provider import OperationContext
from confvm_gui.engine.guest_host.host import GuestHooks
from confvm_gui.engine.guests.boot_info import BootInfo
from confvm_gui.engine.guests.image import GuestImage
from confvm_gui.engine.guests.mailbox import MailboxKey
from confvm_gui.engine.guests.records_disk import HEADER_BYTES, SECTOR, DiskHeader
from confvm_gui.engine.guests.secret_table import MAILBOX_KEY_BYTES, guest_secret
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.providers.embedded.definitions import Definition, Definitions
from confvm_gui.providers.embedded.queries import Mailbox
from confvm_gui.sev.guest_owner import GuestOwner

POLICY: Final = 0b011
"""NODBG and NOKS: no debugging, no sharing of the key. What libvirt's documentation recommends for SEV."""
LARGEST_RAM: Final = 16 << 30
"""Bytes of RAM that an emulated guest gets at most, whatever its machine type has."""


@dataclass(slots=True)
class PoweredOn:
    """A guest that runs."""

    guest: MachineGuest
    mailbox: Mailbox


async def power_on(
    machine: Machine,
    definition: Definition,
    definitions: Definitions,
    key_store: KeyStore,
    hooks: GuestHooks,
    operation: OperationContext,
) -> PoweredOn:
    """Launch the instance's guest. Nothing is left allocated when this raises.

    Raises FirmwareError, MeasurementMismatch, KeyUnavailable, StoreCorrupt, CapacityExceeded, WorkerLost, and
    OperationCancelled from the operation's steps.
    """
    image = await asyncio.to_thread(GuestImage.load, definition.guest)
    ram_bytes = min(definition.memory_mib << 20, LARGEST_RAM)
    disk = definitions.disk(definition.id)
    disk_key, sectors = await _unlock(disk, key_store)
    mailbox_key = os.urandom(MAILBOX_KEY_BYTES)
    secret = guest_secret(disk_key=disk_key, mailbox_key=mailbox_key)
    boot_info = BootInfo(ram_bytes, sectors, f"name={definition.name}").encode()
    if definition.confidential:
        guest = await _launch_confidential(machine, image, ram_bytes, boot_info, secret, operation)
    else:
        operation.step("load guest", 0.5, "memory is not encrypted: the host writes and reads all of it")
        guest = await machine.load_plain(image.data, ram_bytes, boot_info, secret)
    try:
        await machine.run(guest, hooks, str(disk) if sectors else "")
    except BaseException:
        await machine.release(guest)
        raise
    return PoweredOn(guest, Mailbox(machine, guest, MailboxKey(mailbox_key)))


async def _launch_confidential(
    machine: Machine,
    image: GuestImage,
    ram_bytes: int,
    boot_info: bytes,
    secret: bytes,
    operation: OperationContext,
) -> MachineGuest:
    operation.step("LAUNCH_START", 0.4, f"policy {POLICY:#x}, session for the platform's PDH")
    owner = await asyncio.to_thread(GuestOwner.for_platform, machine.pdh, POLICY)
    try:
        guest = await machine.launch(
            image.data, ram_bytes, boot_info, policy=POLICY, dh_cert=owner.dh_cert, session=owner.session
        )
        try:
            operation.step("LAUNCH_MEASURE", 0.6, f"{len(image.data) // 4096} pages of the {image.name} guest measured")
            version = machine.model.version
            owner.check_measurement(
                guest.measurement,
                api_major=version.api_major,
                api_minor=version.api_minor,
                build=version.build,
                launch_digest=hashlib.sha256(image.data).digest(),
            )
            operation.step("LAUNCH_SECRET", 0.8, "the measurement is the expected one: keys released to this launch")
            header, payload = owner.secret_packet(secret, guest.measurement)
            await machine.inject_secret(guest, header, payload)
            operation.step("LAUNCH_FINISH", 0.9)
        except BaseException:
            await machine.release(guest)
            raise
    finally:
        owner.forget()
    return guest


async def _unlock(disk: Path, key_store: KeyStore) -> tuple[bytes | None, int]:
    """The disk's key and its size in sectors; none where the instance has no disk."""
    if not await asyncio.to_thread(disk.exists):
        return None, 0

    def read_header() -> tuple[DiskHeader, int]:
        try:
            with disk.open("rb") as file:
                return DiskHeader.decode(file.read(HEADER_BYTES)), disk.stat().st_size // SECTOR
        except OSError as error:
            raise StoreCorrupt(f"The disk {disk} cannot be read: {error.strerror}") from error

    header, sectors = await asyncio.to_thread(read_header)
    return await key_store.unwrap(header.key_ref, header.wrapped_dek), sectors
