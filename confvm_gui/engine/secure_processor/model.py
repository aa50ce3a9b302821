"""Which part is emulated: the figures by which generations of EPYC differ for SEV."""

from __future__ import annotations

from dataclasses import dataclass, replace

from confvm_gui.engine.secure_processor.snp_part import SnpPart
from confvm_gui.sev.cpu_identity import CpuIdentity
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.tcb_version import TcbVersion

_MILAN_TCB = TcbVersion(boot_loader=4, tee=0, snp=0x18, microcode=0xDB)
_GENOA_TCB = TcbVersion(boot_loader=10, tee=0, snp=0x17, microcode=0x54)


@dataclass(frozen=True, slots=True)
class ProcessorModel:
    """What CPUID Fn8000_001F and PLATFORM_STATUS say of a part."""

    name: str
    asid_count: int
    """ECX: encrypted guests at a time; ASIDs are 1 to this."""
    min_sev_asid: int
    """EDX: the least ASID of a guest without SEV-ES; those below are for SEV-ES guests. Set in the BIOS: 1 leaves
    none to SEV-ES."""
    c_bit: int
    """EBX[5:0]: bit of a page table entry that marks a private page."""
    physical_address_reduction: int
    """EBX[11:6]: bits by which the physical address space shrinks when encryption is on."""
    version: FirmwareVersion
    snp: SnpPart | None = None
    """None: a part without SEV-SNP."""

    def with_es_asids(self, count: int) -> ProcessorModel:
        """This part on a host whose BIOS sets `count` ASIDs apart for SEV-ES and SEV-SNP guests.

        InvalidInput("asids") if it has not that many.
        """
        if not 0 <= count <= self.asid_count:
            raise InvalidInput("asids", f"{self.name} has {self.asid_count} ASIDs; {count} cannot be set apart")
        return replace(self, min_sev_asid=count + 1)

    def serves(self, asid: int, *, es: bool) -> bool:
        """Whether a guest with or without SEV-ES may be activated on `asid`."""
        if es:
            return 0 < asid < self.min_sev_asid
        return max(self.min_sev_asid, 1) <= asid <= self.asid_count


MILAN = ProcessorModel(
    name="Milan",
    asid_count=509,
    min_sev_asid=1,
    c_bit=51,
    physical_address_reduction=5,
    version=FirmwareVersion(1, 55, 22),
    snp=SnpPart(
        ProductLine.MILAN, "Milan-B1", CpuIdentity(0x19, 0x01, 1), _MILAN_TCB, _MILAN_TCB, FirmwareVersion(1, 55, 22)
    ),
)
"""EPYC 7003. Firmware 1.55.22 is the one of AMD-SB-3015."""

GENOA = ProcessorModel(
    name="Genoa",
    asid_count=1006,
    min_sev_asid=1,
    c_bit=51,
    physical_address_reduction=6,
    version=FirmwareVersion(1, 55, 38),
    snp=SnpPart(
        ProductLine.GENOA, "Genoa", CpuIdentity(0x19, 0x11, 1), _GENOA_TCB, _GENOA_TCB, FirmwareVersion(1, 55, 38)
    ),
)
"""EPYC 9004. Firmware 1.55.38 is the one of AMD-SB-3015."""
