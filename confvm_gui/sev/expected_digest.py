"""The launch digest that a guest must have: computed from what it is launched with, before it is launched.

    SEV       SHA-256( firmware || kernel hashes )
    SEV-ES    SHA-256( firmware || kernel hashes || VMSA of each vCPU )
    SEV-SNP   SnpLaunchDigest over the firmware's pages, the sections of its SEV metadata, the VMSA of each vCPU

Kernel hashes enter where a kernel is booted directly. Nearly all of the work is hashing the firmware, and that is the
same for every guest that boots it: FirmwareDigests keeps it.

    SEV and SEV-ES: QEMU target/i386/sev.c. SEV-SNP: the same, with the orders of EC2 and GCE as they publish them.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.kernel_hashes import KernelHashes
from confvm_gui.sev.ovmf_image import OvmfImage, SectionType
from confvm_gui.sev.snp_launch_digest import KVM_VMSA_GPA, PAGE_SIZE, SnpLaunchDigest
from confvm_gui.sev.vmsa import RESET_VECTOR, VmmType, Vmsa

if TYPE_CHECKING:
    from hashlib import _Hash

MAXIMUM_VCPUS: Final = 4096
"""What KVM takes at most."""


class LaunchMode(Enum):
    """How a guest is protected, as `sev-snp-measure` spells it."""

    SEV = "sev"
    SEV_ES = "seves"
    SEV_SNP = "snp"


class LaunchInputs(NamedTuple):
    """All that enters a launch digest. `_replace` makes the variants of a search."""

    mode: LaunchMode
    firmware: OvmfImage
    vcpus: int = 1
    """Counts under SEV-ES and SEV-SNP."""
    cpu_signature: int = 0
    """CPUID Fn0000_0001_EAX of the vCPU type; counts under QEMU."""
    vmm: VmmType = VmmType.QEMU
    guest_features: int = 1
    """SEV_FEATURES; counts under SEV-SNP."""
    kernel: KernelHashes | None = None
    """What is booted directly, or None where the guest boots from its disk."""
    fpu_reset: bool = True
    """False for KVM before Linux 6.10."""
    firmware_digest: bytes | None = None
    """SEV-SNP: digest after the firmware's pages (48 bytes), where not the whole image is at hand."""
    vmsa_gpa: int = KVM_VMSA_GPA
    """GPA of the VMSAs. GCE: the highest page of the processor's physical addresses."""


class FirmwareDigests:
    """Digests of the firmware images seen last, for one thread at a time; the caller keeps it and hands it in.

    Images are told apart by comparing their bytes: exact, and far cheaper than any digest of them.
    """

    def __init__(self, capacity: int = 16) -> None:
        """Remember the `capacity` images used last, and so hold them in memory."""
        self._capacity = capacity
        self._entries: OrderedDict[int, _FirmwareEntry] = OrderedDict()
        self._next = 0

    def snp_digest(self, firmware: OvmfImage) -> bytes:
        """SEV-SNP's digest after the pages of `firmware`, 48 bytes; InvalidInput("ovmf") if these are not whole."""
        entry = self._entry(firmware)
        if entry.snp is None:
            entry.snp = snp_firmware_digest(firmware)
        return entry.snp

    def sha256(self, firmware: OvmfImage) -> _Hash:
        """SHA-256 over `firmware`, open to go on from."""
        entry = self._entry(firmware)
        if entry.sha256 is None:
            entry.sha256 = hashlib.sha256(firmware.data)
        return entry.sha256.copy()

    def _entry(self, firmware: OvmfImage) -> _FirmwareEntry:
        data = firmware.data
        for key, entry in self._entries.items():
            if entry.data is data or entry.data == data:
                self._entries.move_to_end(key)
                return entry
        entry = _FirmwareEntry(data)
        self._entries[self._next] = entry
        self._next += 1
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
        return entry


class _FirmwareEntry:
    __slots__ = ("data", "sha256", "snp")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.sha256: _Hash | None = None
        self.snp: bytes | None = None


def snp_firmware_digest(firmware: OvmfImage) -> bytes:
    """SEV-SNP's digest after the pages of `firmware` alone, 48 bytes (`--mode snp:ovmf-hash`); InvalidInput("ovmf")."""
    if len(firmware.data) % PAGE_SIZE:
        raise InvalidInput(
            "ovmf", f"The firmware has {len(firmware.data)} bytes; SEV-SNP measures whole pages of {PAGE_SIZE}"
        )
    digest = SnpLaunchDigest()
    digest.add_normal(firmware.gpa, firmware.data)
    return digest.digest


def expected_launch_digest(inputs: LaunchInputs, known: FirmwareDigests | None = None) -> bytes:
    """The digest of a launch: 32 bytes for SEV and SEV-ES, 48 for SEV-SNP.

    `known` remembers the firmware's part. InvalidInput("ovmf", "vcpus" or "snp-ovmf-hash") where the launch would not
    be possible: a firmware that does not say where vCPUs start, or that does not measure a kernel that is given.
    """
    digests = known or FirmwareDigests(1)
    if inputs.mode is LaunchMode.SEV_SNP:
        return _snp_digest(inputs, digests)
    if inputs.firmware_digest is not None:
        raise InvalidInput("snp-ovmf-hash", "A hash of the firmware can stand for it under SEV-SNP only")
    digest = digests.sha256(inputs.firmware)
    if inputs.kernel is not None:
        if inputs.firmware.hash_table_area is None:
            raise InvalidInput(
                "ovmf",
                "The firmware does not measure kernel, initrd and command line; launch without a kernel, or with a "
                "build that does (AmdSev)",
            )
        digest.update(inputs.kernel.table())
    if inputs.mode is LaunchMode.SEV_ES:
        first, others = _vmsas(inputs)
        digest.update(first.page)
        for _ in range(inputs.vcpus - 1):
            digest.update(others.page)
    return digest.digest()


def launch_vmsas(inputs: LaunchInputs) -> tuple[Vmsa, ...]:
    """The VMSA of each vCPU, in the order of measuring; none under SEV. InvalidInput as for the digest."""
    if inputs.mode is LaunchMode.SEV:
        return ()
    first, others = _vmsas(inputs)
    return (first, *(others for _ in range(inputs.vcpus - 1)))


def _vmsas(inputs: LaunchInputs) -> tuple[Vmsa, Vmsa]:
    """The VMSA of the first vCPU and of each other."""
    if not 1 <= inputs.vcpus <= MAXIMUM_VCPUS:
        raise InvalidInput("vcpus", f"A guest has 1 to {MAXIMUM_VCPUS} vCPUs, not {inputs.vcpus}")
    if not 0 <= inputs.guest_features < 1 << 64:
        raise InvalidInput("guest-features", f"Guest features have 64 bits; {inputs.guest_features:#x} does not fit")
    if not 0 <= inputs.cpu_signature < 1 << 32:
        raise InvalidInput("vcpu-sig", f"A vCPU signature has 32 bits; {inputs.cpu_signature:#x} does not fit")
    eip = inputs.firmware.reset_eip
    if eip is None or (not eip and inputs.vcpus > 1):
        raise InvalidInput("ovmf", "The firmware does not say where vCPUs start (SEV-ES reset block); it has no SEV-ES")
    features = inputs.guest_features if inputs.mode is LaunchMode.SEV_SNP else 0
    first, others = (
        Vmsa.at_reset(
            start,
            vmm=inputs.vmm,
            cpu_signature=inputs.cpu_signature,
            sev_features=features,
            fpu_reset=inputs.fpu_reset,
        )
        for start in (RESET_VECTOR, eip)
    )
    return first, others


def _snp_digest(inputs: LaunchInputs, digests: FirmwareDigests) -> bytes:
    firmware = inputs.firmware
    table = firmware.hash_table_area
    if inputs.kernel is not None and (table is None or not firmware.has_section(SectionType.SNP_KERNEL_HASHES)):
        raise InvalidInput(
            "ovmf",
            "The firmware's metadata have no SNP_KERNEL_HASHES section, so it does not measure kernel, initrd and "
            "command line; launch without a kernel, or with a build that does (AmdSev)",
        )
    if inputs.firmware_digest is None:
        digest = SnpLaunchDigest(digests.snp_digest(firmware))
    elif len(inputs.firmware_digest) == 48:
        digest = SnpLaunchDigest(inputs.firmware_digest)
    else:
        raise InvalidInput("snp-ovmf-hash", f"The firmware's hash has 48 bytes, not {len(inputs.firmware_digest)}")
    first, others = _vmsas(inputs)
    late = []
    for section in firmware.sections:
        if section.type is SectionType.SNP_SECRETS:
            digest.add_secrets(section.gpa)
        elif section.type is SectionType.CPUID:
            if inputs.vmm is VmmType.EC2:
                late.append(section.gpa)  # EC2 adds them after all other sections
            else:
                digest.add_cpuid(section.gpa)
        elif section.type is SectionType.SNP_SEC_MEM and inputs.vmm is VmmType.GCE:
            digest.add_unmeasured(section.gpa, section.size)
        elif section.type is SectionType.SNP_KERNEL_HASHES and inputs.kernel is not None and table is not None:
            digest.add_normal(section.gpa, inputs.kernel.page(table.gpa))
        else:
            digest.add_zero(section.gpa, section.size)
    for gpa in late:
        digest.add_cpuid(gpa)
    digest.add_vmsa(first.page, inputs.vmsa_gpa)
    digest.add_vmsa(others.page, inputs.vmsa_gpa, count=inputs.vcpus - 1)
    return digest.digest
