"""VMSA: the registers with which a vCPU of a SEV-ES or SEV-SNP guest starts (24593, volume 2, table B-4).

The page is encrypted and measured at launch, so every bit that a hypervisor sets differently changes the digest. What
is known to differ, and is to be chosen here:

    the VMM           QEMU/KVM, EC2's and GCE's hypervisors give some segments, G_PAT, RDX and the FPU other values
    the host kernel   KVM before Linux 6.10 left MXCSR and FCW zero (`fpu_reset=False`)
    SEV_FEATURES      1 for SNP; 0x21 where KVM turned DebugSwap on by default (Linux 6.6 and 6.7); 0 under SEV-ES
    the vCPU's type   RDX holds the CPUID signature under QEMU
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from enum import Enum, IntFlag
from types import MappingProxyType
from typing import Final, NamedTuple

from confvm_gui.sev.errors import InvalidInput, require_length

VMSA_SIZE: Final = 4096
MEANINGFUL_SIZE: Final = 0x670
"""Bytes that table B-4 gives a meaning; the rest of the page is zero."""
RESET_VECTOR: Final = 0xFFFF_FFF0
"""EIP of the first vCPU."""


class VmmType(Enum):
    """Whose hypervisor starts the guest, as `sev-snp-measure` spells it."""

    QEMU = "QEMU"
    EC2 = "ec2"
    GCE = "gce"


class SevFeatures(IntFlag):
    """SEV_FEATURES: what a guest has turned on for itself (24593, volume 2, table B-4, offset 0x3B0)."""

    SNP_ACTIVE = 1 << 0
    VTOM = 1 << 1
    REFLECT_VC = 1 << 2
    RESTRICTED_INJECTION = 1 << 3
    ALTERNATE_INJECTION = 1 << 4
    DEBUG_SWAP = 1 << 5
    PREVENT_HOST_IBS = 1 << 6
    BTB_ISOLATION = 1 << 7
    VMPL_SSS = 1 << 8
    SECURE_TSC = 1 << 9
    VMGEXIT_PARAMETER = 1 << 10
    IBS_VIRTUALIZATION = 1 << 12
    VMSA_REG_PROT = 1 << 14
    SMT_PROTECTION = 1 << 15


class Segment(NamedTuple):
    """A segment register as the VMCB holds it."""

    selector: int
    attrib: int
    limit: int
    base: int


_SEGMENT: Final = struct.Struct("<HHIQ")

SEGMENTS: Mapping[str, int] = MappingProxyType(
    {
        name: index * _SEGMENT.size
        for index, name in enumerate(("es", "cs", "ss", "ds", "fs", "gs", "gdtr", "ldtr", "idtr", "tr"))
    }
)
"""Offset of each segment register."""


def _run(offset: int, size: int, *names: str) -> dict[str, tuple[int, int]]:
    """Fields of one size that follow each other."""
    return {name: (offset + index * size, size) for index, name in enumerate(names)}


REGISTERS: Mapping[str, tuple[int, int]] = MappingProxyType(
    _run(0x0A0, 8, "vmpl0_ssp", "vmpl1_ssp", "vmpl2_ssp", "vmpl3_ssp", "u_cet")
    | _run(0x0CA, 1, "vmpl", "cpl")
    | _run(0x0D0, 8, "efer")
    | _run(0x140, 8, "xss", "cr4", "cr3", "cr0", "dr7", "dr6", "rflags", "rip", "dr0", "dr1", "dr2", "dr3")
    | _run(0x1A0, 8, "dr0_addr_mask", "dr1_addr_mask", "dr2_addr_mask", "dr3_addr_mask")
    | _run(0x1D8, 8, "rsp", "s_cet", "ssp", "isst_addr", "rax", "star", "lstar", "cstar", "sfmask")
    | _run(0x220, 8, "kernel_gs_base", "sysenter_cs", "sysenter_esp", "sysenter_eip", "cr2")
    | _run(0x268, 8, "g_pat", "dbgctrl", "br_from", "br_to", "last_excp_from", "last_excp_to")
    | _run(0x2E8, 4, "pkru", "tsc_aux")
    | _run(0x308, 8, "rcx", "rdx", "rbx")
    | _run(0x328, 8, "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
    | _run(0x390, 8, "guest_exit_info_1", "guest_exit_info_2", "guest_exit_int_info", "guest_nrip", "sev_features")
    | _run(0x3B8, 8, "vintr_ctrl", "guest_exit_code", "virtual_tom", "tlb_id", "pcpu_id", "event_inj", "xcr0")
    | _run(0x400, 8, "x87_dp")
    | _run(0x408, 4, "mxcsr")
    | _run(0x40C, 2, "x87_ftw", "x87_fsw", "x87_fcw", "x87_fop", "x87_ds", "x87_cs")
    | _run(0x418, 8, "x87_rip")
)
"""Offset and size in bytes of each register but the segments and the FPU's data."""


class Vmsa:
    """A VMSA page. Immutable; two are equal if all of their bytes are."""

    __slots__ = ("page",)

    def __init__(self, page: bytes) -> None:
        """Take VMSA_SIZE bytes as they are; InvalidInput("vmsa") for another length."""
        require_length(page, VMSA_SIZE, "vmsa", "A VMSA")
        self.page = bytes(page)

    @classmethod
    def of(cls, segments: Mapping[str, Segment], registers: Mapping[str, int]) -> Vmsa:
        """A page with these and zeros elsewhere; InvalidInput("vmsa") for an unknown name or a value too wide."""
        return cls(bytes(VMSA_SIZE)).replaced(segments, registers)

    @classmethod
    def at_reset(
        cls,
        eip: int = RESET_VECTOR,
        *,
        vmm: VmmType = VmmType.QEMU,
        cpu_signature: int = 0,
        sev_features: int = SevFeatures.SNP_ACTIVE,
        fpu_reset: bool = True,
    ) -> Vmsa:
        """The state in which `vmm` starts a vCPU at `eip` (32 bits).

        `cpu_signature` is that of CPUID Fn0000_0001_EAX and counts under QEMU only. `fpu_reset` False is KVM before
        Linux 6.10; EC2 and GCE never set MXCSR and FCW.
        """
        ec2 = vmm is VmmType.EC2
        data = Segment(0, 0x93, 0xFFFF, 0)
        table = Segment(0, 0, 0xFFFF, 0)
        segments = {
            "es": data,
            "cs": Segment(0xF000, 0x9A if ec2 and eip == RESET_VECTOR else 0x9B, 0xFFFF, eip & 0xFFFF0000),
            "ss": Segment(0, 0x92 if ec2 else 0x93, 0xFFFF, 0),
            "ds": data,
            "fs": data,
            "gs": data,
            "gdtr": table,
            "ldtr": Segment(0, 0x82, 0xFFFF, 0),
            "idtr": table,
            "tr": Segment(0, 0x83 if ec2 else 0x8B, 0xFFFF, 0),
        }
        registers = {
            "efer": 0x1000,  # KVM sets SVME
            "cr4": 0x40,  # KVM sets MCE
            "cr0": 0x10,
            "dr7": 0x400,
            "dr6": 0xFFFF0FF0,
            "rflags": 0x2,
            "rip": eip & 0xFFFF,
            "g_pat": 0x00070106 if vmm is VmmType.GCE else 0x0007040600070406,
            "rdx": cpu_signature if vmm is VmmType.QEMU else 0x600,
            "sev_features": int(sev_features),
            "xcr0": 0x1,
        }
        if vmm is VmmType.QEMU and fpu_reset:
            registers |= {"mxcsr": 0x1F80, "x87_fcw": 0x37F}
        return cls.of(segments, registers)

    def register(self, name: str) -> int:
        """A register by its name in REGISTERS; InvalidInput("vmsa") for any other."""
        offset, size = _place(name)
        return int.from_bytes(self.page[offset : offset + size], "little")

    def segment(self, name: str) -> Segment:
        """A segment register by its name in SEGMENTS; InvalidInput("vmsa") for any other."""
        return Segment(*_SEGMENT.unpack_from(self.page, _segment_offset(name)))

    def replaced(
        self, segments: Mapping[str, Segment] | None = None, registers: Mapping[str, int] | None = None
    ) -> Vmsa:
        """This state with some registers changed; InvalidInput("vmsa") for an unknown name or a value too wide."""
        page = bytearray(self.page)
        for name, segment in (segments or {}).items():
            try:
                _SEGMENT.pack_into(page, _segment_offset(name), *segment)
            except struct.error:
                raise InvalidInput("vmsa", f"{segment} does not fit into {name} of a VMSA") from None
        for name, value in (registers or {}).items():
            offset, size = _place(name)
            if not 0 <= value < 1 << 8 * size:
                raise InvalidInput("vmsa", f"{value:#x} does not fit into the {8 * size} bits of {name} of a VMSA")
            page[offset : offset + size] = value.to_bytes(size, "little")
        return Vmsa(bytes(page))

    def differences(self, other: Vmsa) -> tuple[tuple[str, str, str], ...]:
        """Name, value here and value in `other` of all that differs, for a person; `other bytes` have no name."""
        if self.page == other.page:
            return ()
        found = [(name, str(self.segment(name)), str(other.segment(name))) for name in SEGMENTS]
        found += [(name, hex(self.register(name)), hex(other.register(name))) for name in REGISTERS]
        found.append(("other bytes", self._unnamed().hex(), other._unnamed().hex()))
        return tuple(entry for entry in found if entry[1] != entry[2])

    def _unnamed(self) -> bytes:
        rest = bytearray(self.page)
        for offset, size in _named():
            rest[offset : offset + size] = bytes(size)
        return bytes(rest).rstrip(b"\x00")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vmsa) and self.page == other.page

    def __hash__(self) -> int:
        return hash(self.page)

    def __repr__(self) -> str:
        return f"<Vmsa, RIP {self.register('rip'):#x}, SEV_FEATURES {self.register('sev_features'):#x}>"


def _place(name: str) -> tuple[int, int]:
    place = REGISTERS.get(name)
    if place is None:
        raise InvalidInput("vmsa", f"A VMSA has no register {name[:40]!r}")
    return place


def _segment_offset(name: str) -> int:
    offset = SEGMENTS.get(name)
    if offset is None:
        raise InvalidInput("vmsa", f"A VMSA has no segment register {name[:40]!r}")
    return offset


def _named() -> Iterator[tuple[int, int]]:
    yield from ((offset, _SEGMENT.size) for offset in SEGMENTS.values())
    yield from REGISTERS.values()
