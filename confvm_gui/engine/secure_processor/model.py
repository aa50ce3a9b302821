"""Which part is emulated: the figures by which generations of EPYC differ for SEV."""

from __future__ import annotations

from dataclasses import dataclass

from confvm_gui.sev.measurement import FirmwareVersion


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
)
"""EPYC 7003. Firmware 1.55.22 is the one of AMD-SB-3015."""

GENOA = ProcessorModel(
    name="Genoa",
    asid_count=1006,
    min_sev_asid=1,
    c_bit=51,
    physical_address_reduction=6,
    version=FirmwareVersion(1, 55, 38),
)
"""EPYC 9004. Firmware 1.55.38 is the one of AMD-SB-3015."""
