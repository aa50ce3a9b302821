"""Endorsements out of files, sorted by content: whatever AMD's KDS, Intel's PCS, a host or a colleague gave.

certificates    PEM (any number) or DER; GHCB certificate tables (56421); certificates inside of PCS collateral
lists           DER or PEM
AMD's binary    ARK, ASK (55766, appendix B), CEK, OCA, PEK, PDH (appendix C), concatenated or not
Intel's JSON    TCB information and QE identity as PCS answers, or the collateral bundle that DCAP tools write
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from confvm_gui.attestation.byte_reader import require_size
from confvm_gui.attestation.dcap.collateral import is_collateral, is_whole, signed_document
from confvm_gui.attestation.json_object import JsonReader, parse_object
from confvm_gui.attestation.pem import is_pem, pem_blocks
from confvm_gui.attestation.sev.platform import looks_like_platform, parse_platform
from confvm_gui.attestation.x509.certificates import parse_certificate, parse_crl, well_framed
from confvm_gui.domain.attestation import Endorsements
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.ghcb_certificates import parse_certificate_table

MAX_FILE_SIZE: Final = 2 << 20
_FIELD: Final = "endorsements"
_CERTIFICATE_LABELS: Final = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})


def gather(files: Iterable[bytes]) -> Endorsements:
    """Endorsements of all files together, each once; InvalidInput("endorsements") or ("certificate")."""
    total = Endorsements()
    for data in files:
        total += sort_file(data)
    return Endorsements(
        tuple(dict.fromkeys(total.certificates)),
        tuple(dict.fromkeys(total.crls)),
        tuple(dict.fromkeys(total.amd_certificates)),
        tuple(dict.fromkeys(total.documents)),
    )


def sort_file(data: bytes) -> Endorsements:
    """Endorsements of one file; InvalidInput("endorsements") if it is of no known kind, or cut short."""
    require_size(data, MAX_FILE_SIZE, "An endorsement", _FIELD)
    if is_pem(data) and data.lstrip()[:1] != b"{":
        return _pem(data)
    if data.lstrip()[:1] == b"{":
        return _json(data)
    if data[:1] == b"\x30":
        return _der(data)
    if looks_like_platform(data):
        parse_platform(data)
        return Endorsements(amd_certificates=(data,))
    if _is_amd(data):
        return _amd(data)
    return _table(data)


def _der(data: bytes) -> Endorsements:
    """A certificate or a list: told by which of the two it can be read as.

    One that is whole but damaged inside is kept, as what it looks like: the verdict then tells what is wrong with it.
    """
    try:
        parse_certificate(data)
    except InvalidInput as problem:
        try:
            parse_crl(data)
        except InvalidInput:
            if not well_framed(data):
                raise InvalidInput(
                    _FIELD, f"The DER file is neither certificate nor revocation list: {problem}"
                ) from None
            return Endorsements(certificates=(data,))
        return Endorsements(crls=(data,))
    return Endorsements(certificates=(data,))


def _pem(data: bytes) -> Endorsements:
    certificates, crls = [], []
    for label, der in pem_blocks(data):
        if not well_framed(der):
            raise InvalidInput(_FIELD, f"A PEM block {label} is cut short, or followed by something")
        if label in _CERTIFICATE_LABELS:
            certificates.append(der)
        elif label == "X509 CRL":
            crls.append(der)
        else:
            raise InvalidInput(_FIELD, f"A PEM block {label} is neither certificate nor revocation list")
    return Endorsements(tuple(certificates), tuple(crls))


def _json(data: bytes) -> Endorsements:
    if is_collateral(data):
        if not is_whole(data):
            raise InvalidInput(_FIELD, "The document of Intel's PCS is cut short, or has no signature")
        return Endorsements(documents=(data,))
    reader = JsonReader(parse_object(data, "The collateral", _FIELD), "The collateral", _FIELD)
    documents = []
    for kind, inner, signature in (
        ("tcbInfo", "tcb_info", "tcb_info_signature"),
        ("enclaveIdentity", "qe_identity", "qe_identity_signature"),
    ):
        if reader.has(inner) and reader.has(signature):
            documents.append(signed_document(kind, reader.text(inner), reader.text(signature)))
    found = Endorsements(documents=tuple(documents))
    for name in ("pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain", "pck_certificate_chain"):
        if reader.value.get(name):
            found += _pem(reader.text(name).encode("utf-8", "replace"))
    for name in ("root_ca_crl", "pck_crl"):
        if reader.value.get(name):
            found += Endorsements(crls=(reader.binary(name),))
    if found == Endorsements():
        raise InvalidInput(_FIELD, "The JSON is no collateral in a known form")
    return found


def _is_amd(data: bytes) -> bool:
    usage = data[0x24:0x28]
    return data[:4] == b"\x01\0\0\0" and usage in (b"\0\0\0\0", b"\x13\0\0\0") and len(data) > 0x40


def _amd(data: bytes) -> Endorsements:
    position, found = 0, []
    while position < len(data):
        start = position
        _, position = AmdCertificate.parse_prefix(data, position)
        found.append(data[start:position])
        if len(found) > 16:
            raise InvalidInput(_FIELD, "The file has more than 16 AMD certificates")
    return Endorsements(amd_certificates=tuple(found))


def _table(data: bytes) -> Endorsements:
    """A GHCB certificate table; anything else fails to be one."""
    try:
        entries = parse_certificate_table(data)
    except InvalidInput:
        entries = ()
    if not entries:
        raise InvalidInput(
            _FIELD,
            f"These {len(data)} bytes are no endorsement in a known form: certificates or lists in PEM or DER, AMD's "
            "binary certificates, a GHCB certificate table, or Intel's collateral",
        )
    total = Endorsements()
    for entry in entries:
        content = entry.data
        if is_pem(content):
            total += _pem(content)
        elif content[:1] == b"\x30":
            total += _der(content)
    return total
