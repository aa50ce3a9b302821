"""What a PCK certificate says of its platform (Intel SGX PCK certificate profile, section 1.4).

1.2.840.113741.1.13.1 SEQUENCE OF SEQUENCE { id, value }: .1 PPID, .2 TCB { .1 to .16 component SVNs, .17 PCESVN,
.18 CPUSVN }, .3 PCE-ID, .4 FMSPC, .5 SGX type, .6 platform instance, .7 configuration
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from confvm_gui.attestation.x509.certificates import parse_certificate
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.der import DerReader, Tag

_EXTENSION: Final = "1.2.840.113741.1.13.1"
_WHAT: Final = "The PCK certificate's SGX extension"


@dataclass(frozen=True, slots=True)
class PckExtension:
    """TCB and identity of the platform whose key this is."""

    ppid: bytes
    component_svns: tuple[int, ...]
    """16 security version numbers."""
    pce_svn: int
    cpu_svn: bytes
    pce_id: bytes
    fmspc: bytes
    """Family, model, stepping, platform, custom SKU: the key to Intel's TCB information."""
    sgx_type: int


@lru_cache(maxsize=64)
def parse_pck(encoded: bytes) -> PckExtension | None:
    """The extension of a DER certificate, or None if it is no PCK certificate; InvalidInput("certificate")."""
    extension = parse_certificate(encoded).extensions.get(_EXTENSION)
    if extension is None:
        return None
    outer = DerReader(extension.value, "certificate", _WHAT)
    octets: dict[str, bytes] = {}
    numbers: dict[str, int] = {}
    _read(outer.enter(), octets, numbers)
    outer.finish()
    prefix = f"{_EXTENSION}.2."
    try:
        found = PckExtension(
            ppid=octets[f"{_EXTENSION}.1"],
            component_svns=tuple(numbers[prefix + str(index)] for index in range(1, 17)),
            pce_svn=numbers[prefix + "17"],
            cpu_svn=octets[prefix + "18"],
            pce_id=octets[f"{_EXTENSION}.3"],
            fmspc=octets[f"{_EXTENSION}.4"],
            sgx_type=numbers[f"{_EXTENSION}.5"],
        )
    except KeyError as missing:
        raise InvalidInput("certificate", f"{_WHAT} lacks {missing.args[0]}") from None
    sizes = (len(found.cpu_svn), len(found.pce_id), len(found.fmspc))
    if sizes != (16, 2, 6) or not all(0 <= svn <= 0xFF for svn in found.component_svns):
        raise InvalidInput("certificate", f"{_WHAT} has values of impossible sizes")
    return found


def _read(pairs: DerReader, octets: dict[str, bytes], numbers: dict[str, int], depth: int = 0) -> None:
    """Collect `SEQUENCE { id, value }` by id, down into the TCB and the configuration."""
    while pairs.more:
        pair = pairs.enter()
        oid = pair.oid()
        tag = pair.peek()
        if tag in (Tag.INTEGER, Tag.ENUMERATED):
            numbers[oid] = pair.integer(Tag(tag))
        elif tag == Tag.SEQUENCE and depth == 0:
            _read(pair.enter(), octets, numbers, 1)
        else:
            octets[oid] = pair.content(pair.next(Tag.OCTET_STRING, Tag.BOOLEAN))
        pair.finish()
