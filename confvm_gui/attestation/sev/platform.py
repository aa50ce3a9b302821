"""The certificates of a SEV platform (55766, chapter 2 and appendices B and C):

1. ARK, which is pinned, signs itself      ARK → ASK → CEK → PEK → PDH
2. ASK by the ARK                                       OCA → PEK
3. CEK by the ASK
4. PEK by the CEK and by the OCA
5. OCA by itself
6. PDH by the PEK
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.roots import AMD_ROOTS
from confvm_gui.domain.attestation import Evidence, TrustedRoot, TrustLink
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE, SevCertificate

_MAX_CERTIFICATES: Final = 16
_ISSUERS: Final = {
    Usage.PDH: frozenset({Usage.PEK}),
    Usage.PEK: frozenset({Usage.OCA, Usage.CEK}),
    Usage.OCA: frozenset({Usage.OCA}),
    Usage.CEK: frozenset({Usage.ASK}),
}


def parse_platform(data: bytes) -> dict[Usage, SevCertificate]:
    """The certificates that are concatenated in `data`, by usage; InvalidInput("certificate")."""
    if not data or len(data) % SEV_CERTIFICATE_SIZE or len(data) > _MAX_CERTIFICATES * SEV_CERTIFICATE_SIZE:
        raise InvalidInput(
            "certificate", f"SEV certificates have {SEV_CERTIFICATE_SIZE} bytes each; {len(data)} were given"
        )
    found: dict[Usage, SevCertificate] = {}
    for at in range(0, len(data), SEV_CERTIFICATE_SIZE):
        certificate = SevCertificate.parse(data[at : at + SEV_CERTIFICATE_SIZE])
        if certificate.usage in found and found[certificate.usage] != certificate:
            raise InvalidInput("certificate", f"There are two different {certificate.usage.name} certificates")
        found[certificate.usage] = certificate
    return found


def looks_like_platform(data: bytes) -> bool:
    """Whether whole SEV certificates stand here."""
    if not data or len(data) % SEV_CERTIFICATE_SIZE or data[:4] != b"\x01\0\0\0":
        return False
    return int.from_bytes(data[8:12], "little") in (Usage.OCA, Usage.PEK, Usage.PDH, Usage.CEK)


def verify_platform(inquiry: Inquiry, evidence: Evidence) -> None:
    """Evaluate a platform's certificates; InvalidInput("certificate")."""
    check_platform(inquiry, parse_platform(evidence.data))


def endorsed_platform(inquiry: Inquiry) -> tuple[dict[Usage, SevCertificate], list[AmdCertificate]]:
    """SEV certificates and ARKs and ASKs among the endorsements; InvalidInput("certificate")."""
    platform: dict[Usage, SevCertificate] = {}
    roots: list[AmdCertificate] = []
    for raw in inquiry.endorsements.amd_certificates[:_MAX_CERTIFICATES]:
        if looks_like_platform(raw):
            platform.update(parse_platform(raw))
        else:
            position = 0
            while position < len(raw) and len(roots) < _MAX_CERTIFICATES:
                certificate, position = AmdCertificate.parse_prefix(raw, position)
                roots.append(certificate)
    return platform, roots


def check_platform(inquiry: Inquiry, platform: dict[Usage, SevCertificate]) -> None:
    """Steps 1 to 6, with what lacks taken from the endorsements."""
    endorsed, roots = endorsed_platform(inquiry)
    certificates = endorsed | platform
    for usage, certificate in certificates.items():
        name = usage.name.lower()
        digest = hashlib.sha256(certificate.public_key_field).hexdigest()
        inquiry.claim(f"{name}.fingerprint", digest, f"{usage.name} certificate")
        inquiry.claim(f"{name}.api", f"{certificate.api_major}.{certificate.api_minor}", f"{usage.name} certificate")
        _check_slots(inquiry, certificate)
    cek = certificates.get(Usage.CEK)
    if cek is None:
        inquiry.error(Code.SIGNER_MISSING, "PEK certificate", expected="the CEK certificate")
    else:
        _check_cek(inquiry, cek, roots)
    for subject, issuer in (
        (Usage.PEK, Usage.CEK),  # 4.
        (Usage.PEK, Usage.OCA),
        (Usage.OCA, Usage.OCA),  # 5.
        (Usage.PDH, Usage.PEK),  # 6.
    ):
        _check_signature(inquiry, certificates, subject, issuer)


def _check_slots(inquiry: Inquiry, certificate: SevCertificate) -> None:
    """Nobody signs what stands in the signature slots: so each is one that belongs there, or is empty."""
    name = f"{certificate.usage.name} certificate"
    filled = [slot.usage for slot in certificate.signatures if slot.usage is not Usage.INVALID]
    allowed = _ISSUERS.get(certificate.usage, frozenset())
    if not set(filled) <= allowed or len(set(filled)) != len(filled):
        inquiry.error(
            Code.FIELD_INVALID,
            f"{name} signatures",
            expected=" and ".join(sorted(usage.name for usage in allowed)),
            actual=" and ".join(usage.name for usage in filled),
        )
    for slot in certificate.signatures:
        if slot.usage is Usage.INVALID and (slot.algorithm is not Algorithm.INVALID or any(slot.raw)):
            inquiry.error(Code.RESERVED_NOT_ZERO, f"{name}, empty signature", expected="zeros")


def _check_signature(
    inquiry: Inquiry, certificates: dict[Usage, SevCertificate], subject: Usage, issuer: Usage
) -> None:
    signed, signer = certificates.get(subject), certificates.get(issuer)
    name = f"{subject.name} certificate"
    if signed is None or signer is None:
        missing = subject if signed is None else issuer
        inquiry.error(Code.SIGNER_MISSING, name, expected=f"the {missing.name} certificate")
        return
    holds = signed.is_signed_by(signer)
    inquiry.link(TrustLink(subject.name, issuer.name, holds))
    if not holds:
        inquiry.error(Code.CERTIFICATE_SIGNATURE, name, expected=f"a signature by the {issuer.name}")


def _check_cek(inquiry: Inquiry, cek: SevCertificate, roots: list[AmdCertificate]) -> None:
    """1. to 3. With certificates of several generations, that of this CEK is found by its signature."""
    asks = [item for item in roots if item.usage is Usage.ASK]
    arks = [item for item in roots if item.usage is Usage.ARK]
    if not asks or not arks:
        inquiry.error(Code.ISSUER_MISSING, "CEK certificate", expected="ASK and ARK in AMD's binary format")
        return
    ask = next((item for item in asks if cek.is_signed_by(item)), None)
    inquiry.link(TrustLink("CEK", "ASK", ask is not None))
    if ask is None:
        inquiry.error(Code.CERTIFICATE_SIGNATURE, "CEK certificate", expected="a signature by the ASK")
        return
    ark = next((item for item in arks if ask.is_signed_by(item)), None)
    if ark is None or not ask.names_issuer(ark):
        inquiry.link(TrustLink("ASK", "ARK", False))
        inquiry.error(Code.CERTIFICATE_SIGNATURE, "ASK certificate", expected="a signature by the ARK")
        return
    _check_ark(inquiry, ark)
    inquiry.warning(
        Code.REVOCATION_NOT_CHECKED, "ASK certificate", expected="AMD's list for SEV, which there is none of"
    )


def _check_ark(inquiry: Inquiry, ark: AmdCertificate) -> None:
    """1."""
    fingerprint = ark_fingerprint(ark)
    roots: tuple[TrustedRoot, ...] = AMD_ROOTS + inquiry.reference.trusted_roots
    root = next((item for item in roots if item.spki_sha256 == fingerprint), None)
    self_signed = ark.is_signed_by(ark) and ark.names_issuer(ark)
    name = root.name if root is not None else "ARK"
    emulated = root is not None and root.emulated
    inquiry.link(TrustLink("ARK", "ARK", root is not None and self_signed, fingerprint, emulated=emulated))
    inquiry.link(TrustLink("ASK", "ARK", True, emulated=emulated))
    if not self_signed:
        inquiry.error(Code.CERTIFICATE_SIGNATURE, "ARK certificate", expected="a signature by itself")
    if root is None:
        inquiry.error(
            Code.ROOT_NOT_TRUSTED,
            "ARK certificate",
            expected="a pinned root",
            actual=f"SHA-256 of its key {fingerprint}",
        )
        return
    inquiry.claim("root", name, "ARK certificate")
    inquiry.claim("product", name.rpartition("-")[2], "ARK certificate")
    if root.emulated:
        inquiry.warning(Code.ROOT_EMULATED, "ARK certificate", actual=name)


def ark_fingerprint(ark: AmdCertificate) -> str:
    """SHA-256 of the ARK's SubjectPublicKeyInfo, hex; InvalidInput("certificate") if it has no usable key."""
    info = ark.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).hexdigest()
