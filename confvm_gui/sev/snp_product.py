"""AMD's product lines, as far as SEV-SNP tells them apart (57230, chapter 3; 56860, TCB_VERSION).

A table, so that a new line is a row: which CPUID models belong to it, what KDS calls it, how its TCB_VERSION is laid
out, how many bytes of CHIP_ID its parts use, and how wide its physical addresses are.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from confvm_gui.sev.cpu_identity import CpuIdentity


class TcbLayout(Enum):
    """How the 8 bytes of a TCB_VERSION are laid out."""

    MILAN = "milan"
    """Milan and Genoa: BOOT_LOADER, TEE, 4 reserved bytes, SNP, MICROCODE."""
    TURIN = "turin"
    """Turin and later: FMC, BOOT_LOADER, TEE, SNP, 3 reserved bytes, MICROCODE."""


class ProductLine(Enum):
    """A product line, by the name that KDS and certificates give it."""

    MILAN = "Milan"
    GENOA = "Genoa"
    """With Bergamo and Siena, which have no line of their own."""
    TURIN = "Turin"
    VENICE = "Venice"

    @property
    def tcb_layout(self) -> TcbLayout:
        return _FACTS[self].layout

    @property
    def chip_id_size(self) -> int:
        """Bytes of CHIP_ID, counted from its first, that identify a chip; the rest are zero."""
        return _FACTS[self].chip_id_size

    @property
    def physical_address_bits(self) -> int:
        """Width of a physical address: on GCE the VMSA's GPA is the highest page."""
        return _FACTS[self].physical_address_bits

    @classmethod
    def of_cpu(cls, cpu: CpuIdentity) -> ProductLine | None:
        """The line of a processor, or None if no line that is known has this family and model."""
        for family, first, last, line in _MODELS:
            if cpu.family == family and first <= cpu.model <= last:
                return line
        return None

    @classmethod
    def of_name(cls, name: str) -> ProductLine | None:
        """The line that a certificate's productName means: `Milan-B0`, `Genoa`, `Turin`; None if unknown."""
        word = name.partition("-")[0].strip().lower()
        return _NAMES.get(word)


class _Facts(NamedTuple):
    layout: TcbLayout
    chip_id_size: int
    physical_address_bits: int


_FACTS: Mapping[ProductLine, _Facts] = MappingProxyType(
    {
        ProductLine.MILAN: _Facts(TcbLayout.MILAN, 64, 48),
        ProductLine.GENOA: _Facts(TcbLayout.MILAN, 64, 52),
        ProductLine.TURIN: _Facts(TcbLayout.TURIN, 8, 52),
        ProductLine.VENICE: _Facts(TcbLayout.TURIN, 8, 52),
    }
)

_MODELS: Final = (
    (0x19, 0x00, 0x0F, ProductLine.MILAN),
    (0x19, 0x10, 0x1F, ProductLine.GENOA),
    (0x19, 0xA0, 0xAF, ProductLine.GENOA),
    (0x1A, 0x00, 0x11, ProductLine.TURIN),
    (0x1A, 0x50, 0x57, ProductLine.VENICE),
    (0x1A, 0x90, 0xAF, ProductLine.VENICE),
    (0x1A, 0xC0, 0xC7, ProductLine.VENICE),
)

_NAMES: Mapping[str, ProductLine] = MappingProxyType(
    {line.value.lower(): line for line in ProductLine} | {"bergamo": ProductLine.GENOA, "siena": ProductLine.GENOA}
)
