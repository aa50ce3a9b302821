"""The steps that SGX and TDX quotes share (Intel SGX ECDSA quote library reference and TDX DCAP, appendix A; numbered
as in the quote verification library's order):

    1. PCK certificate → intermediate CA → Intel SGX Root CA, revocation, validity
    2. QE report signed by the PCK key
    3. QE report data = SHA-256(attestation key || QE authentication data) || zeros
    4. quote (header and body) signed by the attestation key
    5. TCB information: signed by Intel, current, for this FMSPC
    6. QE identity: signed by Intel, current, and the QE report fits it
    7. TCB level of the platform, of the TDX module and of the QE; their statuses merged
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.dcap.collateral import (
    EnclaveIdentity,
    SignedDocument,
    TcbInfo,
    parse_collateral,
)
from confvm_gui.attestation.dcap.enclave import EnclaveReport
from confvm_gui.attestation.dcap.pck import PckExtension, parse_pck
from confvm_gui.attestation.dcap.quote import ECDSA_P256, INTEL_QE_VENDOR, PCK_CHAIN, Quote, TeeType
from confvm_gui.attestation.dcap.tcb import (
    NEEDS_HARDENING,
    OUT_OF_DATE,
    REVOKED,
    UP_TO_DATE,
    TcbStatus,
    module_identity,
    platform_level,
    qe_level,
    svn_level,
)
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.pem import pem_certificates
from confvm_gui.attestation.roots import INTEL_ROOTS
from confvm_gui.attestation.x509.certificates import display_name, parse_certificate
from confvm_gui.attestation.x509.path import check_path, readable
from confvm_gui.attestation.x509.signature import load_public_key
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import Severity

TCB_SIGNER: Final = "Intel SGX TCB Signing"

_Document = TypeVar("_Document", bound=SignedDocument)


def quote_certificates(quote: Quote) -> tuple[bytes, ...]:
    """DER certificates that the quote brings, PCK certificate first; InvalidInput("evidence")."""
    if quote.certification_type != PCK_CHAIN:
        return ()
    return pem_certificates(quote.certification.rstrip(b"\0"), "evidence")


def verify_quote(
    inquiry: Inquiry, quote: Quote, tee_tcb_svn: bytes = b"", module: tuple[bytes, bytes] = (b"", b"")
) -> None:
    """Steps 1 to 7. For TDX: TEE_TCB_SVN and (MRSIGNERSEAM, SEAMATTRIBUTES) of the body."""
    what = f"{quote.tee.name} quote"
    inquiry.claim("quote_version", quote.version, f"{what} header")
    inquiry.claim("qe_vendor", quote.qe_vendor, f"{what} header")
    inquiry.claim("user_data", quote.user_data, f"{what} header")
    if quote.key_type != ECDSA_P256:
        inquiry.error(Code.SIGNATURE_ALGORITHM, what, expected="2 (ECDSA P-256)", actual=str(quote.key_type))
    if quote.qe_vendor != INTEL_QE_VENDOR:
        inquiry.error(
            Code.FIELD_INVALID, f"{what} QE vendor", expected=INTEL_QE_VENDOR.hex(), actual=quote.qe_vendor.hex()
        )
    pck = _step_1(inquiry, quote)
    qe_report = EnclaveReport.parse(quote.qe_report)
    inquiry.reserved(qe_report.reserved, "QE report")
    pck_key = load_public_key(parse_certificate(pck[0]).public_key_info) if pck else None
    if pck_key is not None:
        _signed(
            inquiry,
            "QE report",
            display_name(parse_certificate(pck[0])) if pck else "",
            pck_key,
            quote.qe_signature,
            quote.qe_report,
        )
    # 3.
    bound = hashlib.sha256(quote.attestation_key + quote.qe_auth).digest() + bytes(32)
    inquiry.equal(Code.BINDING_BROKEN, "QE report data", expected=bound, actual=qe_report.report_data)
    # 4.
    key = _attestation_key(quote.attestation_key)
    if key is None:
        inquiry.error(Code.SIGNATURE_INVALID, what, expected="a key on P-256")
    else:
        _signed(inquiry, what, "QE report", key, quote.signature, quote.signed)
    if pck is not None:
        _steps_5_to_7(inquiry, quote, pck[1], qe_report, tee_tcb_svn, module)


def _step_1(inquiry: Inquiry, quote: Quote) -> tuple[bytes, PckExtension] | None:
    certificates = readable(inquiry, quote_certificates(quote), f"{quote.tee.name} quote")
    pool = certificates + inquiry.endorsements.certificates
    leaf = next((raw for raw in pool if parse_pck(raw) is not None), None) if pool else None
    extension = parse_pck(leaf) if leaf is not None else None
    if leaf is None or extension is None:
        inquiry.error(
            Code.SIGNER_MISSING,
            f"{quote.tee.name} quote",
            expected="a PCK certificate",
            actual=f"certification data of type {quote.certification_type}",
        )
        return None
    check_path(inquiry, leaf, pool, INTEL_ROOTS)
    inquiry.claim("fmspc", extension.fmspc, "PCK certificate")
    inquiry.claim("pce_id", extension.pce_id, "PCK certificate")
    inquiry.claim("ppid", extension.ppid, "PCK certificate")
    inquiry.claim("cpu_svn", extension.cpu_svn, "PCK certificate")
    inquiry.claim("pce_svn", extension.pce_svn, "PCK certificate")
    return leaf, extension


def _steps_5_to_7(
    inquiry: Inquiry,
    quote: Quote,
    pck: PckExtension,
    qe_report: EnclaveReport,
    tee_tcb_svn: bytes,
    module: tuple[bytes, bytes],
) -> None:
    documents = _documents(inquiry)
    infos = [document for document in documents if isinstance(document, TcbInfo)]
    identities = [document for document in documents if isinstance(document, EnclaveIdentity)]
    kind = quote.tee.name
    # 5.
    fitting = [info for info in infos if info.id == kind and info.fmspc == pck.fmspc and info.pce_id == pck.pce_id]
    info = _current(inquiry, fitting, "TCB information")
    if infos and not fitting:
        inquiry.error(
            Code.COLLATERAL_MISMATCH,
            "TCB information",
            expected=f"{kind}, FMSPC {pck.fmspc.hex()}",
            actual=", ".join(f"{other.id}, FMSPC {other.fmspc.hex()}" for other in infos),
        )
    # 6.
    wanted = "QE" if quote.tee is TeeType.SGX else "TD_QE"
    fitting_identities = [item for item in identities if item.id == wanted]
    identity = _current(inquiry, fitting_identities, "QE identity")
    if identities and not fitting_identities:
        actual = ", ".join(item.id for item in identities)
        inquiry.error(Code.COLLATERAL_MISMATCH, "QE identity", expected=wanted, actual=actual)
    if info is None or identity is None:
        severity = Severity.ERROR if inquiry.reference.require_revocation else Severity.WARNING
        lacking = " and ".join(
            name for name, value in (("TCB information", info), ("QE identity", identity)) if value is None
        )
        inquiry.add(Code.COLLATERAL_MISSING, severity, f"{kind} quote", lacking, "")
    if identity is not None:
        _check_identity(inquiry, identity, qe_report)
    # 7.
    if info is None:
        return
    level = platform_level(info, pck, tee_tcb_svn)
    if level is None:
        inquiry.error(
            Code.TCB_NOT_FOUND,
            f"{kind} TCB level",
            expected=f"at least the oldest of {len(info.levels)} levels",
            actual=f"components {list(pck.component_svns)}, PCESVN {pck.pce_svn}"
            + (f", TEE_TCB_SVN {tee_tcb_svn.hex()}" if tee_tcb_svn else ""),
        )
        return
    status = TcbStatus(level.status, level.date, level.advisories)
    if tee_tcb_svn:
        status = _merge_module(inquiry, status, info, tee_tcb_svn, module)
    if identity is not None:
        enclave_level = qe_level(identity, qe_report.isv_svn)
        if enclave_level is None:
            inquiry.error(Code.TCB_NOT_FOUND, "QE identity", actual=f"ISVSVN {qe_report.isv_svn}")
        else:
            status = status.merged(enclave_level)
    _judge(inquiry, status)


def _documents(inquiry: Inquiry) -> list[TcbInfo | EnclaveIdentity]:
    found = []
    for raw in inquiry.endorsements.documents:
        try:
            found.append(parse_collateral(raw))
        except InvalidInput as problem:
            inquiry.error(Code.COLLATERAL_MALFORMED, "endorsements", actual=str(problem))
    return found


def _merge_module(
    inquiry: Inquiry, status: TcbStatus, info: TcbInfo, tee_tcb_svn: bytes, module: tuple[bytes, bytes]
) -> TcbStatus:
    identity = module_identity(info, tee_tcb_svn)
    if identity is None:
        inquiry.error(Code.MODULE_MISMATCH, "TDX module", expected=f"an identity TDX_{tee_tcb_svn[1]:02X}")
        return status
    mr_signer, attributes = module
    masked = bytes(a & m for a, m in zip(attributes, identity.attributes_mask, strict=True))
    inquiry.equal(Code.MODULE_MISMATCH, "MRSIGNERSEAM", expected=identity.mr_signer, actual=mr_signer)
    inquiry.equal(Code.MODULE_MISMATCH, "SEAMATTRIBUTES", expected=identity.attributes, actual=masked)
    if not tee_tcb_svn[1]:
        return status  # the module of TDX 1.0 has no levels of its own: its version is among the components
    level = svn_level(identity.levels, tee_tcb_svn[0])
    if level is None:
        inquiry.error(Code.TCB_NOT_FOUND, "TDX module", actual=f"{identity.id}, SVN {tee_tcb_svn[0]}")
        return status
    return status.merged(level)


def _judge(inquiry: Inquiry, status: TcbStatus) -> None:
    inquiry.claim("tcb_status", status.status, "TCB information")
    inquiry.claim("tcb_date", status.date, "TCB information")
    inquiry.claim("advisories", status.advisories, "TCB information")
    accepted = inquiry.reference.accepted_tcb_statuses
    if status.status == UP_TO_DATE or status.status in accepted:
        pass
    elif status.status == REVOKED:
        inquiry.error(Code.TCB_REVOKED, "TCB level", expected=UP_TO_DATE, actual=status.status)
    elif status.status in NEEDS_HARDENING and not accepted:
        inquiry.warning(Code.TCB_NEEDS_HARDENING, "TCB level", expected=UP_TO_DATE, actual=status.status)
    else:
        code = Code.TCB_NEEDS_HARDENING if status.status in NEEDS_HARDENING else Code.TCB_OUT_OF_DATE
        inquiry.error(
            code, "TCB level", expected=" or ".join((UP_TO_DATE, *accepted)), actual=status.status or OUT_OF_DATE
        )
    if status.advisories:
        inquiry.warning(Code.ADVISORIES, "TCB level", actual=", ".join(status.advisories))


def _check_identity(inquiry: Inquiry, identity: EnclaveIdentity, report: EnclaveReport) -> None:
    """6. MISCSELECT and ATTRIBUTES under their masks, MRSIGNER, ISVPRODID."""

    def masked(value: bytes, mask: bytes) -> bytes:
        return bytes(v & m for v, m in zip(value, mask, strict=True))

    # PCS writes MISCSELECT as a number; all published ones are zero under a full mask, which reads the same both ways.
    for name, expected, actual in (
        ("MISCSELECT", identity.misc_select, masked(report.misc_select[::-1], identity.misc_select_mask)),
        ("ATTRIBUTES", identity.attributes, masked(report.attributes, identity.attributes_mask)),
        ("MRSIGNER", identity.mr_signer, report.mr_signer),
        ("ISVPRODID", identity.isv_prod_id.to_bytes(2, "big"), report.isv_prod_id.to_bytes(2, "big")),
    ):
        inquiry.equal(Code.QE_IDENTITY_MISMATCH, f"QE report {name}", expected=expected, actual=actual)


def _current(inquiry: Inquiry, documents: list[_Document], what: str) -> _Document | None:
    """The document of the time asked for, else the newest one, verified; findings for what does not hold."""
    if not documents:
        return None
    current = [item for item in documents if item.issued <= inquiry.at <= item.next_update]
    chosen = max(current or documents, key=lambda item: (item.evaluation_number, item.issued))
    if not current:
        inquiry.error(
            Code.COLLATERAL_NOT_CURRENT,
            what,
            expected=f"a time from {chosen.issued:%Y-%m-%d %H:%M:%S} to {chosen.next_update:%Y-%m-%d %H:%M:%S} UTC",
            actual=f"{inquiry.at:%Y-%m-%d %H:%M:%S} UTC",
        )
    signers = [
        raw for raw in inquiry.endorsements.certificates if parse_certificate(raw).subject.common_name == TCB_SIGNER
    ]
    if not signers:
        inquiry.error(Code.SIGNER_MISSING, what, expected=f"the certificate of {TCB_SIGNER}")
        return chosen
    valid = [
        raw
        for raw in signers
        if _verifies(load_public_key(parse_certificate(raw).public_key_info), chosen.signature, chosen.signed)
    ]
    if not valid:
        inquiry.signed(what, TCB_SIGNER, False)
        inquiry.error(Code.SIGNATURE_INVALID, what, expected=f"a signature by {TCB_SIGNER}")
        return chosen
    check_path(inquiry, valid[0], inquiry.endorsements.certificates, INTEL_ROOTS)
    inquiry.signed(what, TCB_SIGNER, True)
    return chosen


def _signed(inquiry: Inquiry, what: str, signer: str, key: object, signature: bytes, data: bytes) -> None:
    holds = _verifies(key, signature, data)
    inquiry.signed(what, signer, holds)
    if not holds:
        inquiry.error(Code.SIGNATURE_INVALID, what, expected=f"a signature by {signer}")


@lru_cache(maxsize=64)
def _attestation_key(raw: bytes) -> ec.EllipticCurvePublicKey | None:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + raw)
    except ValueError:
        return None


def _verifies(key: object, signature: bytes, data: bytes) -> bool:
    """Whether r and s, 32 bytes each, big-endian, are the P-256 key's over SHA-256 of `data`."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return False
    if len(signature) != 64:
        raise InvalidInput("evidence", "An ECDSA P-256 signature has 64 bytes")
    try:
        encoded = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        key.verify(encoded, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
