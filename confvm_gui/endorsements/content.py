"""What publishers give, read before it is kept: VCEKs, chains, revocation lists, Intel's signed JSON.

Only the form is looked at, and that a VCEK is the one that was asked for. Whether a signature holds is the verdict's
business, each time: a cache makes nothing true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from confvm_gui.domain.attestation import EndorsementKind, Endorsements
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.strict_json import parse_strictly
from confvm_gui.sev.kds import AMD_KDS, vcek_url
from confvm_gui.sev.x509_certificate import X509Certificate, parse_certificates
from confvm_gui.sev.x509_crl import X509Crl

LARGEST: Final[Mapping[EndorsementKind, int]] = MappingProxyType(
    {
        EndorsementKind.VCEK: 16 << 10,
        EndorsementKind.VLEK: 16 << 10,
        EndorsementKind.CERTIFICATE_CHAIN: 64 << 10,
        EndorsementKind.CRL: 64 << 10,
        EndorsementKind.TCB_INFO: 128 << 10,
        EndorsementKind.QE_IDENTITY: 128 << 10,
    }
)
"""Bytes that are read of an answer."""
LARGEST_CHAIN: Final = 32 << 10
"""Bytes of an issuer chain in a header, as it comes."""
_DOCUMENTS: Final = MappingProxyType(
    {EndorsementKind.TCB_INFO: "tcbInfo", EndorsementKind.QE_IDENTITY: "enclaveIdentity"}
)
_HEX: Final = re.compile(r"[0-9a-fA-F]{2,1024}")


@dataclass(frozen=True, slots=True)
class Content:
    """An endorsement, read."""

    endorsements: Endorsements
    issued_at: float = 0.0
    """Seconds since the epoch; 0 where nothing says (certificates)."""
    next_update: float | None = None
    """When the publisher promises a newer one, in seconds since the epoch."""


def parse_content(kind: EndorsementKind, url: str, body: bytes, chain: str = "") -> Content:
    """Read an answer. `chain`: the header with the issuers' certificates, percent-encoded PEM, or "".

    InvalidInput("endorsements"), also for a VCEK of another chip or TCB than `url` asks for.
    """
    if len(body) > LARGEST[kind]:
        raise _malformed(kind, f"it has {len(body)} bytes")
    try:
        issuers = parse_chain_header(chain) if chain else ()
        match kind:
            case EndorsementKind.VCEK | EndorsementKind.VLEK:
                found = Content(_vek(kind, url, body))
            case EndorsementKind.CERTIFICATE_CHAIN:
                certificates = tuple(item.encoded for item in parse_certificates(body))
                found = Content(Endorsements(certificates=certificates))
            case EndorsementKind.CRL:
                found = _crl(body)
            case EndorsementKind.TCB_INFO | EndorsementKind.QE_IDENTITY:
                found = _document(kind, body)
    except InvalidInput as problem:
        raise _malformed(kind, problem.message) from None
    return Content(found.endorsements + Endorsements(certificates=issuers), found.issued_at, found.next_update)


def parse_chain_header(text: str) -> tuple[bytes, ...]:
    """Certificates of a header of Intel's PCS: PEM, percent-encoded; InvalidInput("endorsements")."""
    if len(text) > LARGEST_CHAIN or not text.isascii():
        raise InvalidInput("endorsements", "The issuers' certificates in the header are too long, or no text")
    try:
        return tuple(item.encoded for item in parse_certificates(unquote_to_bytes(text)))
    except InvalidInput as problem:
        raise InvalidInput("endorsements", problem.message) from None


def _vek(kind: EndorsementKind, url: str, body: bytes) -> Endorsements:
    certificate = X509Certificate(body)
    vek = certificate.amd
    if vek is None or vek.is_vlek != (kind is EndorsementKind.VLEK):
        raise InvalidInput("certificate", f"it is no {kind.name}")
    if kind is EndorsementKind.VCEK:
        line = vek.product
        if line is None or vek.hwid is None or vcek_url(line, vek.hwid, vek.tcb, AMD_KDS) != url:
            raise InvalidInput("certificate", "it is of another chip or TCB than was asked for")
    return Endorsements(certificates=(certificate.encoded,))


def _crl(body: bytes) -> Content:
    crl = X509Crl(body)
    until = crl.next_update.timestamp() if crl.next_update is not None else None
    return Content(Endorsements(crls=(crl.encoded,)), crl.this_update.timestamp(), until)


def _document(kind: EndorsementKind, body: bytes) -> Content:
    """The document is kept as it came: its signature is over its very bytes."""
    value = parse_json(body)
    inner = value.get(_DOCUMENTS[kind])
    signature = value.get("signature")
    if not isinstance(inner, dict) or not isinstance(signature, str) or not _HEX.fullmatch(signature):
        raise InvalidInput("endorsements", f"it is no signed {_DOCUMENTS[kind]}")
    return Content(Endorsements(documents=(body,)), _time(inner, "issueDate"), _time(inner, "nextUpdate"))


def parse_json(data: bytes) -> dict[str, Any]:
    """The object that `data` is, without names that stand twice; InvalidInput("endorsements")."""
    return parse_strictly(data, lambda problem: InvalidInput("endorsements", f"it {problem}"))


def _time(value: Mapping[str, Any], name: str) -> float:
    text = value.get(name)
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
        if at is None or at.tzinfo is None:
            raise ValueError
        return at.timestamp()
    except (ValueError, OverflowError):
        raise InvalidInput("endorsements", f"its {name} is no time") from None


def _malformed(kind: EndorsementKind, problem: str) -> InvalidInput:
    what = {
        EndorsementKind.VCEK: "VCEK certificate",
        EndorsementKind.VLEK: "VLEK certificate",
        EndorsementKind.CERTIFICATE_CHAIN: "certificate chain",
        EndorsementKind.CRL: "revocation list",
        EndorsementKind.TCB_INFO: "TCB information",
        EndorsementKind.QE_IDENTITY: "QE identity",
    }[kind]
    return InvalidInput("endorsements", f"The {what} that was given cannot be used: {problem}")
