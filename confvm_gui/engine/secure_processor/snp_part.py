"""What SEV-SNP reports of an emulated part: processor, product name, TCB and firmware versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confvm_gui.sev.cpu_identity import CpuIdentity
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.snp_report_flags import PlatformInfo
from confvm_gui.sev.tcb_version import TcbVersion

DEFAULT_PLATFORM: Final = PlatformInfo(0x25)
"""SMT, ECC, ALIAS_CHECK_COMPLETE."""


@dataclass(frozen=True, slots=True)
class SnpPart:
    """The SNP side of a ProcessorModel, at power-on. `committed` may be behind: a provisional firmware update."""

    line: ProductLine
    product_name: str
    """As a VCEK certificate has it: `Milan-B1`."""
    cpu: CpuIdentity
    current_tcb: TcbVersion
    committed_tcb: TcbVersion
    committed_version: FirmwareVersion
    platform_info: PlatformInfo = DEFAULT_PLATFORM
    report_version: int = 3
