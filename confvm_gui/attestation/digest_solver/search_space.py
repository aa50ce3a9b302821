"""What hosts are known to do differently, as dimensions to search along.

Each dimension lists its options, the expected one first and the others in the order in which they are met in the field
(issues of sev-snp-measure, AMDSEV and kata: host kernel first, then vCPUs, firmware and kernel hashes).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.cpu_identity import CPU_TYPES, CpuIdentity
from confvm_gui.sev.expected_digest import MAXIMUM_VCPUS, LaunchInputs, LaunchMode
from confvm_gui.sev.kernel_hashes import KernelHashes
from confvm_gui.sev.ovmf_image import OvmfImage
from confvm_gui.sev.snp_launch_digest import KVM_VMSA_GPA
from confvm_gui.sev.vmsa import SevFeatures, VmmType

GCE_VMSA_GPA_52_BITS: Final = 0xF_FFFF_FFFF_F000
"""Highest page of processors with 52 physical address bits (Genoa and later); Milan's, with 48, is KVM_VMSA_GPA."""

_T = TypeVar("_T")

_SNP: Final = SevFeatures.SNP_ACTIVE
_DEBUG_SWAP: Final = SevFeatures.DEBUG_SWAP
_SNP_FEATURES: Final[tuple[int, ...]] = (
    _SNP,
    _SNP | _DEBUG_SWAP,
    _SNP | SevFeatures.SECURE_TSC,
    _SNP | SevFeatures.SECURE_TSC | _DEBUG_SWAP,
    _SNP | SevFeatures.RESTRICTED_INJECTION,
    _SNP | SevFeatures.ALTERNATE_INJECTION,
    _SNP | SevFeatures.VTOM,
    _SNP | SevFeatures.REFLECT_VC,
    _SNP | SevFeatures.VMPL_SSS,
    _SNP | SevFeatures.IBS_VIRTUALIZATION,
    _SNP | SevFeatures.SMT_PROTECTION,
)
_ES_FEATURES: Final[tuple[int, ...]] = (0, _DEBUG_SWAP)


class FirmwareBuild(NamedTuple):
    """A firmware image with the name under which a person knows it."""

    name: str
    image: OvmfImage


class KernelVariant(NamedTuple):
    """Kernel hashes and the clause that tells how they differ from the expected."""

    hashes: KernelHashes | None
    clause: str


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The options of each dimension, the expected one first; none is empty."""

    modes: tuple[LaunchMode, ...]
    firmware: tuple[FirmwareBuild, ...]
    kernels: tuple[KernelVariant, ...]
    vmms: tuple[VmmType, ...]
    cpu_signatures: tuple[int, ...]
    fpu_resets: tuple[bool, ...]
    snp_features: tuple[int, ...]
    es_features: tuple[int, ...]
    vmsa_gpas: tuple[int, ...]
    vcpus: int
    """The expected number."""
    most_vcpus: int
    """All numbers from 1 to this are tried."""


def around(
    expected: LaunchInputs,
    firmware: Iterable[FirmwareBuild],
    *,
    es_features: int = 0,
    command_line: str | None = None,
    most_vcpus: int = 255,
    digest_size: int,
) -> SearchSpace:
    """The launches around `expected`.

    `firmware` are the builds to try, the expected one first. `command_line` is that of `expected.kernel`, where there
    is one, so that its variants can be hashed. `es_features` is the SEV_FEATURES expected under SEV-ES. InvalidInput
    ("mode") if a digest of `digest_size` bytes cannot be of such a launch, ("ovmf") without firmware, ("vcpus").
    """
    builds = _distinct(firmware)
    if not builds:
        raise InvalidInput("ovmf", "Give at least one firmware image to search with")
    if (expected.mode is LaunchMode.SEV_SNP) != (digest_size == 48):
        raise InvalidInput(
            "mode", f"A digest of {digest_size} bytes is none of mode {expected.mode.value}; snp has 48, the others 32"
        )
    if not 1 <= most_vcpus <= MAXIMUM_VCPUS or not 1 <= expected.vcpus <= MAXIMUM_VCPUS:
        raise InvalidInput("vcpus", f"Between 1 and {MAXIMUM_VCPUS} vCPUs can be searched")
    if expected.mode is LaunchMode.SEV_SNP:
        modes: tuple[LaunchMode, ...] = (LaunchMode.SEV_SNP,)
    else:
        modes = _first(expected.mode, (LaunchMode.SEV_ES, LaunchMode.SEV))
    signatures = (identity.signature for name, identity in CPU_TYPES.items() if name.count("-") < 2)
    return SearchSpace(
        modes=modes,
        firmware=builds,
        kernels=_kernels(expected.kernel, command_line),
        vmms=_first(expected.vmm, VmmType),
        cpu_signatures=_first(expected.cpu_signature, signatures),
        fpu_resets=_first(expected.fpu_reset, (True, False)),
        snp_features=_first(expected.guest_features, _SNP_FEATURES),
        es_features=_first(es_features, _ES_FEATURES),
        vmsa_gpas=_first(expected.vmsa_gpa, (KVM_VMSA_GPA, GCE_VMSA_GPA_52_BITS)),
        vcpus=expected.vcpus,
        most_vcpus=max(most_vcpus, 1),
    )


def cpu_name(signature: int) -> str:
    """QEMU's name of the vCPU type, or its CPUID signature where there is none."""
    for name, identity in CPU_TYPES.items():
        if identity.signature == signature:
            return name
    identity = CpuIdentity.from_signature(signature)
    return f"{signature:#x} (family {identity.family}, model {identity.model}, stepping {identity.stepping})"


def feature_names(value: int) -> str:
    """SEV_FEATURES for a person."""
    names = [feature.name or "" for feature in SevFeatures if value & feature]
    return f"{value:#x} ({' '.join(names) or 'none'})"


def _kernels(kernel: KernelHashes | None, command_line: str | None) -> tuple[KernelVariant, ...]:
    if kernel is None:
        return (KernelVariant(None, ""),)
    found = [
        KernelVariant(kernel, ""),
        KernelVariant(None, "the kernel was not measured (kernel-hashes=off, or booted from the disk)"),
    ]
    lines = [("", "the command line is empty")]
    if command_line is not None:
        lines += [
            (command_line + "\n", "the command line ends with a line feed"),
            (command_line + " ", "the command line ends with a blank"),
            (command_line.strip(), "the command line has no blanks around it"),
        ]
    no_initrd = hashlib.sha256().digest()
    for text, clause in lines:
        found.append(KernelVariant(KernelHashes.of_digests(kernel.kernel, kernel.initrd, text), clause))
    found.append(KernelVariant(kernel._replace(initrd=no_initrd), "there is no initrd"))
    found.append(
        KernelVariant(
            KernelHashes.of_digests(kernel.kernel, None, ""), "there is no initrd and the command line is empty"
        )
    )
    distinct: dict[KernelHashes | None, KernelVariant] = {}
    for variant in found:
        distinct.setdefault(variant.hashes, variant)
    return tuple(distinct.values())


def _distinct(firmware: Iterable[FirmwareBuild]) -> tuple[FirmwareBuild, ...]:
    """Each content once, under the name that came first."""
    found: dict[bytes, FirmwareBuild] = {}
    for build in firmware:
        found.setdefault(build.image.data, build)
    return tuple(found.values())


def _first(expected: _T, others: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys((expected, *others)))
