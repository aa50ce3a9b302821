"""AMD's extensions in a VCEK or VLEK certificate: which chip, or which cloud, and which TCB (57230, chapter 3).

    1.3.6.1.4.1.3704.1 .1 structVersion INTEGER | .2 productName IA5String | .3.n security version INTEGER
                       .4 HWID | .5 CSP_ID IA5String

with n: 1 boot loader, 2 TEE, 3 SNP, 4 to 7 reserved, 8 microcode, 9 FMC (Turin on). HWID is 64 bytes up to Genoa and 8
from Turin on, and stands there either bare, without DER, or in an OCTET STRING. A VCEK has a HWID, a VLEK has a CSP_ID.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from confvm_gui.sev.der import DerReader, Tag, encode, encode_integer
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.tcb_version import TcbVersion

ARC: Final = "1.3.6.1.4.1.3704.1."

_STRUCT_VERSION: Final = ARC + "1"
_PRODUCT_NAME: Final = ARC + "2"
_SPL: Final = ARC + "3."
_HWID: Final = ARC + "4"
_CSP_ID: Final = ARC + "5"

_COMPONENTS: Final = {"boot_loader": 1, "tee": 2, "snp": 3, "microcode": 8}
_FMC: Final = 9
_RESERVED: Final = (4, 5, 6, 7)
_HWID_SIZES: Final = (64, 8)
_LONGEST_TEXT: Final = 128
_WHAT: Final = "A VCEK or VLEK extension of the certificate"


@dataclass(frozen=True, slots=True)
class VekExtensions:
    """What AMD certifies of the platform."""

    product_name: str
    """As `Milan-B0` or `Turin`."""
    tcb: TcbVersion
    """The TCB that the key was derived from."""
    hwid: bytes | None = None
    """The chip, 64 or 8 bytes; None in a VLEK."""
    csp_id: str | None = None
    """The cloud, in a VLEK; None in a VCEK."""
    struct_version: int = 0
    reserved_spls: tuple[tuple[int, int], ...] = ()
    """Number and value of the reserved security versions that are there; all values must be zero."""

    @property
    def product(self) -> ProductLine | None:
        """The product line that the name means, or None if it is unknown."""
        return ProductLine.of_name(self.product_name)

    @property
    def is_vlek(self) -> bool:
        """Whether this certifies a cloud's key and not a chip's."""
        return self.csp_id is not None and self.hwid is None

    @classmethod
    def decode(cls, values: Mapping[str, bytes]) -> VekExtensions:
        """Read AMD's extensions of a certificate, content by OID.

        InvalidInput("certificate") if one is damaged or missing. Others of the arc are passed over.
        """
        spls = {
            number: _small(values[oid])
            for number in (*_COMPONENTS.values(), *_RESERVED, _FMC)
            if (oid := f"{_SPL}{number}") in values
        }
        missing = [name for name, number in _COMPONENTS.items() if number not in spls]
        if missing or _PRODUCT_NAME not in values:
            what = ", ".join(missing) or "product name"
            raise InvalidInput("certificate", f"The certificate has some of AMD's extensions, but lacks {what}")
        tcb = TcbVersion(fmc=spls.get(_FMC), **{name: spls[number] for name, number in _COMPONENTS.items()})
        return cls(
            product_name=_text(values[_PRODUCT_NAME]),
            tcb=tcb,
            hwid=_hwid(values[_HWID]) if _HWID in values else None,
            csp_id=_text(values[_CSP_ID]) if _CSP_ID in values else None,
            struct_version=_small(values.get(_STRUCT_VERSION, b"\x02\x01\x00")),
            reserved_spls=tuple((number, spls[number]) for number in _RESERVED if number in spls),
        )

    def encode(self) -> Mapping[str, bytes]:
        """Content of each extension by OID, for whoever makes a certificate. HWID is bare, as KDS has it.

        InvalidInput("certificate") if a text is not in ASCII.
        """
        values = {
            _STRUCT_VERSION: encode_integer(self.struct_version),
            _PRODUCT_NAME: _encoded(self.product_name),
        }
        for name, number in _COMPONENTS.items():
            values[f"{_SPL}{number}"] = encode_integer(dict(self.tcb.components())[name])
        for number, value in self.reserved_spls:
            values[f"{_SPL}{number}"] = encode_integer(value)
        if self.tcb.fmc is not None:
            values[f"{_SPL}{_FMC}"] = encode_integer(self.tcb.fmc)
        if self.hwid is not None:
            values[_HWID] = self.hwid
        if self.csp_id is not None:
            values[_CSP_ID] = _encoded(self.csp_id)
        return values


def _small(value: bytes) -> int:
    reader = DerReader(value, "certificate", _WHAT)
    number = reader.integer()
    reader.finish()
    if not 0 <= number <= 0xFF:
        raise InvalidInput("certificate", f"{_WHAT} holds {number}; versions are 0 to 255")
    return number


def _text(value: bytes) -> str:
    reader = DerReader(value, "certificate", _WHAT)
    text = reader.text()
    reader.finish()
    if len(text) > _LONGEST_TEXT or not (text.isascii() and text.isprintable()):
        raise InvalidInput("certificate", f"{_WHAT} holds a text that is none")
    return text


def _encoded(text: str) -> bytes:
    if not text.isascii():
        raise InvalidInput("certificate", f"{text[:60]!r} does not fit into a certificate: its texts are in ASCII")
    return encode(Tag.IA5_STRING, text.encode())


def _hwid(value: bytes) -> bytes:
    for size in _HWID_SIZES:
        if len(value) == size:
            return value
        if len(value) == size + 2 and value[:2] == bytes((Tag.OCTET_STRING, size)):
            return value[2:]
    raise InvalidInput("certificate", f"The certificate's HWID takes {len(value)} bytes; a chip's has 64 or 8")
