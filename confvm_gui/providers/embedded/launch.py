"""One power-on of an embedded instance: the console is the guest's owner, the engine the host it does not trust.

SEV, SEV-ES   1. LAUNCH_START with the owner's session, LAUNCH_UPDATE_DATA over the guest's image, under SEV-ES
                 LAUNCH_UPDATE_VMSA, LAUNCH_MEASURE.
              2. The owner has the measurement verified against the digest that it computed itself (`owner`).
              3. Only then it seals the keys for this launch: LAUNCH_SECRET, LAUNCH_FINISH, and the vCPU runs.
SEV-SNP       1. The guest is launched and runs without any key. It asks the firmware for a report of itself, with a
                 public key of its own and the owner's nonce in it.
              2. The owner has the report verified.
              3. Only then it seals the keys to that public key, and the guest goes on.

In both, who verifies is the console above (`OperationContext.approve`). The disk's key is unwrapped only after that. A
plain instance has none of it: the host writes image and keys into memory that it reads as well.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import GuestFault, StoreCorrupt
from confvm_gui.domain.guest_evidence import NONCE_SIZE
from confvm_gui.domain.keys import using_keys_for
from confvm_gui.domain.records_encoding import SECTOR
from confvm_gui.domain.shared_data import SHARED_DISK_MAGIC
from confvm_gui.engine.guest_host.host import GuestHooks
from confvm_gui.engine.guests.boot_info import BootInfo
from confvm_gui.engine.guests.image import GuestImage
from confvm_gui.engine.guests.mailbox import MailboxKey
from confvm_gui.engine.guests.records_disk import HEADER_BYTES, DiskHeader
from confvm_gui.engine.guests.secret_table import MAILBOX_KEY_BYTES, guest_secret
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.providers.embedded.attestation_channel import AttestationChannel
from confvm_gui.providers.embedded.evidence import EvidenceDesk
from confvm_gui.providers.embedded.measured_boot import power_on_tpm
from confvm_gui.providers.embedded.owner import ExpectedLaunch, expected_launch
from confvm_gui.providers.embedded.placement import Placement
from confvm_gui.providers.embedded.queries import Mailbox
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_owner import GuestOwner

if TYPE_CHECKING:
    from confvm_gui.domain.ports.keystore import KeyStore
    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.engine.machine import Machine, MachineGuest
    from confvm_gui.engine.vtpm.virtual_tpm import VirtualTpm
    from confvm_gui.providers.embedded.definitions import Definition, Definitions

LARGEST_RAM: Final = 16 << 30
"""Bytes of RAM that an emulated guest gets at most, whatever its machine type has."""


@dataclass(slots=True)
class PoweredOn:
    """A guest that runs."""

    placement: Placement
    mailbox: Mailbox | None
    """None for a kernel of the image library, which answers no questions, and as long as owners of shared data have
    not released it to the guest for this console to ask."""
    hooks: GuestHooks
    disk_path: str
    expected: ExpectedLaunch | None
    """None for a plain guest."""
    channel: AttestationChannel | None
    """For an SNP guest."""
    tpm: VirtualTpm | None
    shared: bool = False
    """Works on data that several owners release to it."""

    @property
    def guest(self) -> MachineGuest:
        return self.placement.guest


@dataclass(slots=True)
class _Disk:
    """The instance's encrypted disk, its key not unwrapped yet."""

    path: str
    header: DiskHeader | None
    head: bytes
    sectors: int

    @property
    def shared(self) -> bool:
        """Sealed by several owners: only what they release to the guest opens it, and asks the guest."""
        return self.head.startswith(SHARED_DISK_MAGIC)


@dataclass(slots=True)
class _Launch:
    """What one power-on works with."""

    machine: Machine
    desk: EvidenceDesk
    definition: Definition
    image: GuestImage
    disk: _Disk
    ram_bytes: int
    boot_info: bytes
    mailbox_key: bytes
    key_store: KeyStore
    operation: OperationContext

    async def secret(self) -> bytes:
        """The table with the keys. The disk's is unwrapped here, and not before."""
        header = self.disk.header
        disk_key = None
        if header is not None:
            with using_keys_for(self.definition.id):
                disk_key = await self.key_store.unwrap(header.key_ref, header.wrapped_dek)
        return guest_secret(disk_key=disk_key, mailbox_key=None if self.disk.shared else self.mailbox_key)


async def power_on(
    machine: Machine,
    desk: EvidenceDesk,
    definition: Definition,
    definitions: Definitions,
    key_store: KeyStore,
    hooks: GuestHooks,
    operation: OperationContext,
    power_ons: int = 0,
) -> PoweredOn:
    """Launch the instance's guest, which was powered on `power_ons` times. Nothing is left when this raises.

    Raises FirmwareError, EvidenceRefused, MeasurementMismatch, KeyUnavailable, StoreCorrupt, CapacityExceeded,
    GuestFault, WorkerLost, and OperationCancelled from the operation's steps.
    """
    image = await asyncio.to_thread(GuestImage.load, definition.guest)
    ram_bytes = min(definition.memory_mib << 20, LARGEST_RAM)
    disk = await asyncio.to_thread(_find_disk, definitions.disk(definition.id))
    command_line = f"name={definition.name}"
    launch = _Launch(
        machine=machine,
        desk=desk,
        definition=definition,
        image=image,
        disk=disk,
        ram_bytes=ram_bytes,
        boot_info=BootInfo(ram_bytes, disk.sectors, command_line).encode(),
        mailbox_key=os.urandom(MAILBOX_KEY_BYTES),
        key_store=key_store,
        operation=operation,
    )
    tpm = None
    if definition.vtpm:
        tpm = await asyncio.to_thread(
            power_on_tpm, desk.tpm_authority, definition, image, command_line, disk.head, power_ons
        )
    if not definition.confidential:
        operation.step("load guest", 0.5, "memory is not encrypted: the host writes and reads all of it")
        guest = await machine.load_plain(image.data, ram_bytes, launch.boot_info, await launch.secret())
        return await _run(launch, guest, hooks, None, tpm)
    expected = await asyncio.to_thread(
        expected_launch,
        definition.technology_kind,
        definition.maintenance,
        definition.guest,
        desk.cpu_signature(machine),
    )
    if expected.mode is LaunchMode.SEV_SNP:
        return await _launch_snp(launch, expected, hooks, tpm)
    return await _run(launch, await _launch_sev(launch, expected), hooks, expected, tpm)


async def _launch_sev(launch: _Launch, expected: ExpectedLaunch) -> MachineGuest:
    """LAUNCH_START to LAUNCH_SECRET of a SEV or SEV-ES guest."""
    machine, operation = launch.machine, launch.operation
    operation.step("LAUNCH_START", 0.4, f"policy {expected.policy:#x}, session for the platform's PDH")
    owner = await asyncio.to_thread(GuestOwner.for_platform, machine.pdh, expected.policy)
    try:
        guest = await machine.launch(
            LaunchPlan(
                mode=expected.mode,
                image=launch.image.data,
                ram_bytes=launch.ram_bytes,
                boot_info=launch.boot_info,
                policy=expected.policy,
                dh_cert=owner.dh_cert,
                session=owner.session,
            )
        )
        try:
            pages = len(launch.image.data) // 4096
            operation.step("LAUNCH_MEASURE", 0.6, f"{pages} pages of the {launch.image.name} guest measured")
            version = machine.model.version
            api = {"api_major": version.api_major, "api_minor": version.api_minor, "build": version.build}
            if launch.definition.attest:
                await operation.approve(await launch.desk.launch_evidence(machine, guest, owner, expected))
                owner.check_measurement(guest.measurement, launch_digest=expected.digest, **api)
                told = "the measurement is the expected one: keys released to this launch"
            else:
                owner.accept_unseen(guest.measurement, **api)
                told = "not attested, as asked: keys released to whatever was launched"
            operation.step("LAUNCH_SECRET", 0.8, told)
            header, payload = owner.secret_packet(await launch.secret(), guest.measurement)
            await machine.inject_secret(guest, header, payload)
            operation.step("LAUNCH_FINISH", 0.9)
        except BaseException:  # whatever ends the launch, the guest's key, ASID and memory are given back
            await machine.release(guest)
            raise
    finally:
        owner.forget()
    return guest


async def _launch_snp(
    launch: _Launch, expected: ExpectedLaunch, hooks: GuestHooks, tpm: VirtualTpm | None
) -> PoweredOn:
    """SNP_LAUNCH_START to FINISH, then the guest's report, then its keys."""
    machine, operation = launch.machine, launch.operation
    operation.step("SNP_LAUNCH_START", 0.3, f"policy {expected.policy:#x}")
    guest = await machine.launch(
        LaunchPlan(
            mode=expected.mode,
            image=launch.image.data,
            ram_bytes=launch.ram_bytes,
            boot_info=launch.boot_info,
            policy=expected.policy,
        )
    )
    try:
        placement = Placement(machine, guest)
        channel = AttestationChannel(placement)
        nonce = os.urandom(NONCE_SIZE)
        await channel.put_first_request(nonce)
        operation.step("SNP_GUEST_REQUEST", 0.5, "the guest runs without keys and asks the firmware for its report")
        powered = await _run(launch, guest, _watched(hooks, channel), expected, tpm, placement, channel)
        answer = await channel.first_answer()
        if launch.definition.attest:
            await operation.approve(await launch.desk.snp_evidence(machine, answer, nonce, expected))
            told = "the report is trusted: keys sealed to the guest's public key"
        else:
            told = "not attested, as asked: keys sealed to the public key of whatever answered"
        operation.step("release keys", 0.9, told)
        await channel.release(await launch.secret(), answer, nonce)
    except BaseException:  # whatever ends the launch, the guest's key, ASID and memory are given back
        await machine.release(guest)
        raise
    return powered


async def _run(
    launch: _Launch,
    guest: MachineGuest,
    hooks: GuestHooks,
    expected: ExpectedLaunch | None,
    tpm: VirtualTpm | None,
    placement: Placement | None = None,
    channel: AttestationChannel | None = None,
) -> PoweredOn:
    """Give the guest its vCPU."""
    machine, disk_path = launch.machine, launch.disk.path
    placement = placement or Placement(machine, guest)
    try:
        await machine.run(guest, hooks, disk_path)
    except BaseException:  # as above
        await machine.release(guest)
        raise
    mailbox = None if launch.disk.shared else Mailbox(placement, MailboxKey(launch.mailbox_key))
    return PoweredOn(placement, mailbox, hooks, disk_path, expected, channel, tpm, launch.disk.shared)


def _watched(hooks: GuestHooks, channel: AttestationChannel) -> GuestHooks:
    """`hooks`, with the channel told of answers and of the guest's end."""

    def exited(crashed: bool, reason: str) -> None:
        channel.ended(reason)
        hooks.exited(crashed, reason)

    return GuestHooks(console=hooks.console, exited=exited, usage=hooks.usage, answered=channel.answered)


def _find_disk(path: Path) -> _Disk:
    if not path.exists():
        return _Disk("", None, b"", 0)
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
            sectors = path.stat().st_size // SECTOR
    except OSError as error:
        raise StoreCorrupt(f"The disk {path} cannot be read: {error.strerror}") from error
    header = None if head.startswith(SHARED_DISK_MAGIC) else DiskHeader.decode(head)
    if not sectors:
        raise GuestFault(f"The disk {path} is empty")
    return _Disk(str(path), header, head, sectors)
