"""Addresses of AMD's key distribution service, KDS (57230, chapter 4). Nothing is fetched here.

KDS answers 404 for a chip that it does not know, and so for a masked CHIP_ID and for a chip asked for under another
product line; and 429 to whoever asks too often.
"""

from __future__ import annotations

from enum import Enum
from typing import Final
from urllib.parse import urlencode

from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.tcb_version import TcbVersion

AMD_KDS: Final = "https://kdsintf.amd.com"

_PARAMETERS: Final = {
    "fmc": "fmcSPL",
    "boot_loader": "blSPL",
    "tee": "teeSPL",
    "snp": "snpSPL",
    "microcode": "ucodeSPL",
}


class VekKind(Enum):
    """Whose key signs reports."""

    VCEK = "vcek"
    """The chip's."""
    VLEK = "vlek"
    """The cloud's. Its certificate is given to the cloud only, which hands it to guests; chain and list are public."""


def vcek_url(product: ProductLine, chip_id: bytes, tcb: TcbVersion, base: str = AMD_KDS) -> str:
    """Where the certificate of a chip (CHIP_ID of a report, or HWID) at the TCB that it reports is.

    InvalidInput("report") if the chip is masked, if CHIP_ID is too short, or if the TCB is of another product line.
    """
    size = product.chip_id_size
    if len(chip_id) < size:
        raise InvalidInput("report", f"A chip of product line {product.value} is named by {size} bytes of CHIP_ID")
    if not any(chip_id):
        raise InvalidInput("report", "The platform masks its CHIP_ID, so its chip's certificate cannot be asked for")
    if any(chip_id[size:]):
        raise InvalidInput("report", f"CHIP_ID is not one of product line {product.value}, which uses {size} bytes")
    if tcb.layout is not product.tcb_layout:
        raise InvalidInput("report", f"The TCB is not one of product line {product.value}")
    query = urlencode({_PARAMETERS[name]: f"{value:02}" for name, value in tcb.components()})
    return f"{base}/vcek/v1/{product.value}/{chip_id[:size].hex()}?{query}"


def chain_url(product: ProductLine, kind: VekKind = VekKind.VCEK, base: str = AMD_KDS) -> str:
    """Where ASK (or ASVK) and ARK are, in PEM and in this order."""
    return f"{base}/{kind.value}/v1/{product.value}/cert_chain"


def crl_url(product: ProductLine, kind: VekKind = VekKind.VCEK, base: str = AMD_KDS) -> str:
    """Where the ARK's revocation list is, in DER."""
    return f"{base}/{kind.value}/v1/{product.value}/crl"
