"""An embedded instance that boots a kernel of the image library in QEMU: its owner's side, and what runs of it.

The owner computes the launch digest from the library's files, laid out as the boot protocol asks
(`engine.qemu.linux_boot`), and has the host's measurement verified against it before the vCPU is released. What the
files were is fixed when the instance is made: files that were replaced later are not launched. A kernel has no mailbox
and takes no launch secret, so there is none; what the approval releases is the vCPU.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import EvidenceRefused, InvalidInput, StoreError, Unsupported, WorkerLost
from confvm_gui.domain.guest_evidence import DigestCandidate
from confvm_gui.domain.images import LIBRARY_PREFIX, ImageKind
from confvm_gui.engine.guest_host.host import GuestHooks
from confvm_gui.engine.guest_host.protocol import GuestUsage
from confvm_gui.engine.qemu.launch import QemuGuest, QemuPlan, launch, reset_vmsa
from confvm_gui.engine.qemu.linux_boot import LARGEST_RAM, BootPart, boot_parts
from confvm_gui.providers.embedded.launch import PoweredOn
from confvm_gui.providers.embedded.owner import ExpectedLaunch, guest_policy, launch_mode
from confvm_gui.providers.embedded.placement import Placement
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_owner import GuestOwner

if TYPE_CHECKING:
    from confvm_gui.domain.instance import LaunchRequest
    from confvm_gui.domain.ports.image_library import ImageLibrary
    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.engine.machine import Machine
    from confvm_gui.providers.embedded.definitions import Definition
    from confvm_gui.providers.embedded.site import Site

_LARGEST_FILE: Final = 1 << 30
"""Bytes of a kernel or initrd that are read at all."""
_COMMAND_LINE: Final = "console=ttyS0 reboot=t panic=-1"
"""Of a kernel for which the library has none: its console is the serial port, and it ends where it would restart."""


@dataclass(slots=True)
class QemuPlacement(Placement):
    """A guest whose vCPU is a QEMU process."""

    qemu: QemuGuest = field(kw_only=True)
    forget: Callable[[], None] = field(kw_only=True)
    """Called once it is powered off."""

    @property
    def live(self) -> bool:
        process = self.qemu.process
        return process is not None and process.alive and bool(self.guest.memory.length)

    async def pause(self) -> None:
        if self.qemu.process is not None:
            await self.qemu.process.pause()

    async def resume(self) -> None:
        if self.qemu.process is not None:
            await self.qemu.process.resume()

    def type_into_console(self, data: bytes) -> bool:
        return self.qemu.process is not None and self.qemu.process.type(data)

    def refresh(self) -> None:
        self.qemu.ram.refresh()

    def write(self, gpa: int, data: bytes) -> None:
        # In memory that the guest has not used yet, what is written is ciphertext to it as well.
        self.qemu.ram.claim(gpa, len(data))
        self.machine.controller.hypervisor_write(self.guest.memory, gpa, data)

    def code_changed(self) -> None:
        """QEMU translates it anew when it next leaves its cache of translations; there is no command to make it."""

    def usage(self) -> GuestUsage | None:
        return self.qemu.process.usage() if self.qemu.process is not None else None

    async def release(self) -> None:
        await self.qemu.release()
        self.forget()


@dataclass(frozen=True, slots=True)
class _BootFiles:
    """What the image library has for one image."""

    kernel: bytes = field(repr=False)
    initrd: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        hashes = hashlib.sha256(self.kernel).digest() + hashlib.sha256(self.initrd).digest()
        return hashlib.sha256(hashes).hexdigest()


async def with_kernel(definition: Definition, request: LaunchRequest, library: ImageLibrary) -> Definition:
    """The definition of an instance that boots `request.image`, a kernel of the library.

    Raises InvalidInput, NotFound, WrongState (it is not ready), StoreError, Unsupported for SEV-SNP.
    """
    _check(request)
    image_id = request.image.removeprefix(LIBRARY_PREFIX)
    found = next((image for image in library.images() if image.id == image_id), None)
    if found is not None and found.kind is not ImageKind.KERNEL:
        raise InvalidInput("image", f"{found.title or found.id} is a disk; the embedded engine boots kernels only")
    files = await _read(library, image_id)
    command_line = (found.command_line if found is not None else "") or _COMMAND_LINE
    made = replace(
        definition,
        command_line=command_line,
        boot_files=files.digest,
        vtpm=False,
        integrity_monitoring=False,
    )
    await asyncio.to_thread(_parts, made, files)  # what cannot be booted is refused before it is defined
    return made


async def power_on_kernel(
    site: Site, definition: Definition, library: ImageLibrary, hooks: GuestHooks, operation: OperationContext
) -> PoweredOn:
    """Launch, have it approved, release the vCPU. Nothing is left when this raises.

    Raises EvidenceRefused, MeasurementMismatch, FirmwareError, CapacityExceeded, Unsupported, WorkerLost, GuestFault,
    NotFound, StoreError, and OperationCancelled from the operation's steps.
    """
    machine = site.host_for(definition.technology_kind)
    files = await _read(library, definition.image.removeprefix(LIBRARY_PREFIX))
    if files.digest != definition.boot_files:
        raise EvidenceRefused(
            "The kernel or the initrd in the image library is another than when this instance was made; "
            "put the old files back or make a new instance",
            expected=definition.boot_files,
            actual=files.digest,
            differs="kernel or initrd in the image library",
        )
    parts = await asyncio.to_thread(_parts, definition, files)
    ram_bytes = _ram_bytes(definition)
    if not definition.confidential:
        operation.step("load guest", 0.4, "memory is not encrypted: the host writes and reads all of it")
        return await _release_vcpu(
            site, await launch(machine, QemuPlan(None, parts, ram_bytes)), None, hooks, operation
        )
    signature = site.desk.cpu_signature(machine)
    expected = await asyncio.to_thread(_expected, definition, parts, signature)
    operation.step("LAUNCH_START", 0.4, f"policy {expected.policy:#x}, session for the platform's PDH")
    owner = await asyncio.to_thread(GuestOwner.for_platform, machine.pdh, expected.policy)
    try:
        plan = QemuPlan(expected.mode, parts, ram_bytes, expected.policy, owner.dh_cert, owner.session)
        qemu = await launch(machine, plan)
        site.qemu_guests.add(qemu)
        try:
            measured = ", ".join(part.name for part in parts)
            operation.step("LAUNCH_MEASURE", 0.6, f"measured in this order: {measured}")
            await _approve(site, machine, qemu, owner, expected, definition, operation)
            operation.step("LAUNCH_FINISH", 0.8)
            qemu.finish_launch()
        except BaseException:  # whatever ends the launch, the guest's key, ASID and memory are given back
            site.qemu_guests.discard(qemu)
            await qemu.release()
            raise
    finally:
        owner.forget()
    return await _release_vcpu(site, qemu, expected, hooks, operation)


async def _approve(
    site: Site,
    machine: Machine,
    qemu: QemuGuest,
    owner: GuestOwner,
    expected: ExpectedLaunch,
    definition: Definition,
    operation: OperationContext,
) -> None:
    version = machine.model.version
    api = {"api_major": version.api_major, "api_minor": version.api_minor, "build": version.build}
    if not definition.attest:
        owner.accept_unseen(qemu.guest.measurement, **api)
        return
    await operation.approve(await site.desk.launch_evidence(machine, qemu.guest, owner, expected))
    owner.check_measurement(qemu.guest.measurement, launch_digest=expected.digest, **api)


async def _release_vcpu(
    site: Site, qemu: QemuGuest, expected: ExpectedLaunch | None, hooks: GuestHooks, operation: OperationContext
) -> PoweredOn:
    site.qemu_guests.add(qemu)

    def forget() -> None:
        site.qemu_guests.discard(qemu)

    try:
        await qemu.start(hooks)
        operation.step("release vCPU", 0.9, f"QEMU with one vCPU and {qemu.ram.length >> 20} MiB of RAM, no vTPM")
        placement = QemuPlacement(qemu.guest.machine, qemu.guest, qemu=qemu, forget=forget)
        await placement.resume()
        if not placement.live:
            raise WorkerLost("QEMU ended as soon as its vCPU was released")
    except BaseException:  # as above
        await qemu.release()
        forget()
        raise
    return PoweredOn(placement, None, hooks, "", expected, None, None)


def _check(request: LaunchRequest) -> None:
    if request.technology is Technology.SEV_SNP:
        raise InvalidInput(
            "technology",
            "An SEV-SNP launch is vouched for by a report that the guest itself asks for, and a kernel of the image "
            "library has no agent for that; choose SEV or SEV-ES",
        )
    if request.records is not None:
        raise InvalidInput("records", "Records are for the built-in guest; a kernel of the image library has no disk")
    if request.secure_boot:
        raise InvalidInput(
            "secure_boot",
            "The kernel is entered directly, without a firmware that could check signatures (Secure Boot)",
        )


def _ram_bytes(definition: Definition) -> int:
    return min(definition.memory_mib << 20, LARGEST_RAM)


def _parts(definition: Definition, files: _BootFiles) -> tuple[BootPart, ...]:
    return boot_parts(files.kernel, files.initrd, definition.command_line, _ram_bytes(definition))


def _expected(definition: Definition, parts: Sequence[BootPart], signature: int) -> ExpectedLaunch:
    """The digest that these files and registers have, and those of launches that lack or change one of them."""
    mode = launch_mode(definition.technology_kind)
    registers = reset_vmsa(signature) if mode is LaunchMode.SEV_ES else b""

    def digest(chosen: Sequence[BootPart], vmsa: bytes = registers) -> bytes:
        found = hashlib.sha256()
        for part in chosen:
            found.update(part.data)
        found.update(vmsa)
        return found.digest()

    candidates = [
        DigestCandidate(digest([other for other in parts if other is not part]), f"the {part.name} was not measured")
        for part in parts
    ]
    if registers:
        candidates.append(DigestCandidate(digest(parts, b""), "the vCPU's registers were not measured"))
    policy = guest_policy(definition.technology_kind, definition.maintenance)
    return ExpectedLaunch(mode, policy, digest(parts), tuple(candidates))


async def _read(library: ImageLibrary, image_id: str) -> _BootFiles:
    files = await library.files(image_id)
    if files.kernel is None:
        raise InvalidInput("image", f"{LIBRARY_PREFIX}{image_id} is no kernel; the embedded engine boots kernels only")
    kernel, initrd = files.kernel, files.initrd
    return await asyncio.to_thread(lambda: _BootFiles(_content(kernel), _content(initrd) if initrd else b""))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > _LARGEST_FILE:
        raise Unsupported(f"{path} is larger than {_LARGEST_FILE >> 20} MiB, more than a guest in QEMU can load")
    return data
