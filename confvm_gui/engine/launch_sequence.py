"""The orders in which a hypervisor calls the firmware to make a guest and to be rid of it, as KVM and QEMU do.

    SEV, SEV-ES   LAUNCH_START, ACTIVATE, LAUNCH_UPDATE_DATA over the image, LAUNCH_UPDATE_VMSA (SEV-ES),
                  LAUNCH_MEASURE; then the owner may send a secret (LAUNCH_SECRET), and LAUNCH_FINISH
    SEV-SNP       RMPUPDATE and SNP_GCTX_CREATE, SNP_LAUNCH_START, SNP_ACTIVATE, for each part of the guest RMPUPDATE
                  and SNP_LAUNCH_UPDATE, SNP_LAUNCH_FINISH

An SNP guest is measured in the order image, secret page, firmware's secrets, CPUID, VMSA.

`take_down` finds out itself how far a guest has come: it undoes a launch that failed anywhere as well as a guest that
ran.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import BugError, InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guests.initial_vmsa import initial_vmsa
from confvm_gui.engine.guests.memory_map import BOOT_INFO_GPA, IMAGE_GPA, SECRET_GPA, SNP_CPUID_GPA, SNP_SECRETS_GPA
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.secure_processor.rmp_entry import RmpResult
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.snp_launch_digest import KVM_VMSA_GPA, PageType

if TYPE_CHECKING:
    from confvm_gui.engine.machine import MachineGuest
    from confvm_gui.engine.secure_processor.model import ProcessorModel

_CPUID_HEAD: Final = struct.Struct("<IIQ")
_CPUID_ENTRY: Final = struct.Struct("<IIQQIIIIQ")
_SEV_FEATURES_LEAF: Final = 0x8000_001F
_SNP_BITS: Final = 1 << 1 | 1 << 3 | 1 << 4
"""EAX of that leaf: SEV, SEV-ES, SEV-SNP."""


def load_clear(guest: MachineGuest, image: bytes, boot_info: bytes) -> None:
    """Write image and boot information as the host can before anything is encrypted."""
    memory = guest.memory
    if len(image) % PAGE_SIZE or IMAGE_GPA + len(image) > memory.length:
        raise BugError("The image is not made of whole pages or does not fit the guest's memory")
    controller = guest.machine.controller
    controller.hypervisor_write(memory, BOOT_INFO_GPA, boot_info)
    controller.hypervisor_write(memory, IMAGE_GPA, image)


def launch_sev(guest: MachineGuest, plan: LaunchPlan) -> None:
    """A reserved guest becomes a measured SEV or SEV-ES guest. Raises FirmwareError, InvalidInput("policy")."""
    es = plan.mode is LaunchMode.SEV_ES
    if GuestPolicy.from_int(plan.policy).es is not es:
        raise InvalidInput("policy", f"The policy {plan.policy:#x} {'does not ask' if es else 'asks'} for SEV-ES (ES)")
    machine, memory = guest.machine, guest.memory
    processor = machine.processor
    load_clear(guest, plan.image, plan.boot_info)
    if es:
        machine.controller.hypervisor_write(memory, guest.ram_bytes, _vmsa(machine.model, snp=False))
    guest.handle = processor.launch_start(plan.policy, plan.dh_cert or None, plan.session or None)
    processor.activate(guest.handle, memory.asid)
    processor.launch_update_data(guest.handle, memory.spa + IMAGE_GPA, len(plan.image))
    if es:
        processor.launch_update_vmsa(guest.handle, guest.vmsa_spa, PAGE_SIZE)
    guest.measurement = processor.launch_measure(guest.handle)


def launch_snp(guest: MachineGuest, plan: LaunchPlan) -> None:
    """A reserved guest becomes a running SEV-SNP guest. Raises FirmwareError."""
    machine, memory = guest.machine, guest.memory
    controller, processor = machine.controller, machine.processor
    load_clear(guest, plan.image, plan.boot_info)
    controller.hypervisor_write(memory, SNP_CPUID_GPA, _cpuid_page(machine.model))
    controller.hypervisor_write(memory, guest.ram_bytes, _vmsa(machine.model, snp=True))
    context = guest.ram_bytes + PAGE_SIZE
    _require(controller.rmpupdate(memory, context, assigned=True, asid=0, gpa=0, immutable=True))
    processor.snp_gctx_create(memory.spa + context)
    guest.gctx = memory.spa + context
    processor.snp_launch_start(guest.gctx, plan.policy)
    processor.snp_activate(guest.gctx, memory.asid)
    parts = (
        (IMAGE_GPA, IMAGE_GPA, len(plan.image), PageType.NORMAL),
        (SECRET_GPA, SECRET_GPA, PAGE_SIZE, PageType.ZERO),
        (SNP_SECRETS_GPA, SNP_SECRETS_GPA, PAGE_SIZE, PageType.SECRETS),
        (SNP_CPUID_GPA, SNP_CPUID_GPA, PAGE_SIZE, PageType.CPUID),
        (guest.ram_bytes, KVM_VMSA_GPA, PAGE_SIZE, PageType.VMSA),
    )
    for offset, gpa, length, kind in parts:
        pages = length // PAGE_SIZE
        _require(controller.rmpupdate(memory, offset, count=pages, assigned=True, gpa=gpa, immutable=True))
        processor.snp_launch_update(guest.gctx, memory.spa + offset, kind, count=pages)
    processor.snp_launch_finish(
        guest.gctx,
        id_block=plan.id_block,
        id_auth=plan.id_auth,
        author_key_enabled=plan.author_key_enabled,
        host_data=plan.host_data,
    )


def take_down(guest: MachineGuest) -> None:
    """Destroy the guest's keys and give its memory back, however far it has come. No vCPU runs it any more."""
    controller, processor = guest.machine.controller, guest.machine.processor
    # First of all out of everybody's reach: what its caches hold needs not be encrypted only to be thrown away.
    controller.retire(guest.memory)
    if guest.handle:
        if processor.guest_status(guest.handle).asid:
            processor.deactivate(guest.handle)
        processor.decommission(guest.handle)
        guest.handle = 0
    if guest.gctx:
        processor.snp_decommission(guest.gctx)
        guest.gctx = 0
    if guest.mode is LaunchMode.SEV_SNP:
        for spa in processor.rmp.immutable_pages(guest.memory.spa, guest.memory.span):
            processor.snp_page_reclaim(spa)
        _require(controller.reclaim(guest.memory))
    controller.remove_range(guest.memory)


def _require(result: RmpResult) -> None:
    if result is not RmpResult.SUCCESS:
        raise BugError(f"RMPUPDATE of the host's own pages ended with {result.name}")


def _vmsa(model: ProcessorModel, *, snp: bool) -> bytes:
    return initial_vmsa(cpu_signature=0 if model.snp is None else model.snp.cpu.signature, snp=snp)


def _cpuid_page(model: ProcessorModel) -> bytes:
    """The CPUID table of 56860 with the two leaves in which the part differs for a guest."""
    signature = 0 if model.snp is None else model.snp.cpu.signature
    features = model.c_bit | model.physical_address_reduction << 6
    leaves = (
        (1, signature, 0, 0, 0),
        (_SEV_FEATURES_LEAF, _SNP_BITS, features, model.asid_count, model.min_sev_asid),
    )
    entries = b"".join(_CPUID_ENTRY.pack(leaf, 0, 0, 0, *registers, 0) for leaf, *registers in leaves)
    return (_CPUID_HEAD.pack(len(leaves), 0, 0) + entries).ljust(PAGE_SIZE, b"\x00")
