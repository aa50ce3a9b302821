"""An AWS Nitro attestation document (AWS Nitro Enclaves user guide, "Attestation document validation"):

1. CBOR and COSE_Sign1 are well-formed, mandatory fields are there and of their sizes (`document`)
2. the certificate goes by `cabundle` to AWS's root, valid at the time asked for; AWS publishes no revocation lists
3. ES384: the document is signed by the certificate's key
4. PCR 0 is not zeros: such an enclave was started with a debug console
5. the document was not made after the time asked for
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.nitro.document import ES384, NitroDocument
from confvm_gui.attestation.roots import AWS_ROOTS
from confvm_gui.attestation.x509.certificates import display_name, parse_certificate
from confvm_gui.attestation.x509.path import check_path, readable
from confvm_gui.attestation.x509.signature import load_public_key
from confvm_gui.domain.attestation import Evidence
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import Severity

_SOURCE: Final = "Nitro document"
_CLOCK_SKEW: Final = timedelta(minutes=5)


def verify_nitro(inquiry: Inquiry, evidence: Evidence) -> None:
    """Evaluate a document; InvalidInput("evidence")."""
    document = NitroDocument.parse(evidence.data)  # 1.
    made = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=document.timestamp)
    _claim(inquiry, document, made)
    # 2.
    pool = readable(inquiry, document.bundle, f"{_SOURCE} cabundle") + inquiry.endorsements.certificates
    public_key_info, signer = b"", "certificate"
    if readable(inquiry, (document.certificate,), f"{_SOURCE} certificate"):
        check_path(inquiry, document.certificate, pool, AWS_ROOTS, revocable=0)
        certificate = parse_certificate(document.certificate)
        public_key_info, signer = certificate.public_key_info, display_name(certificate)
    # 3.
    if document.algorithm != ES384:
        inquiry.error(Code.SIGNATURE_ALGORITHM, _SOURCE, expected="-35 (ES384)", actual=str(document.algorithm))
    holds = document.algorithm == ES384 and _verifies(public_key_info, document)
    inquiry.signed(_SOURCE, signer, holds)
    if not holds:
        inquiry.error(Code.SIGNATURE_INVALID, _SOURCE, expected=f"a signature by {signer}")
    # 4.
    if not document.nitro_tpm and not any(document.pcrs.get(0, b"")):
        severity = Severity.WARNING if inquiry.reference.allow_debug else Severity.ERROR
        inquiry.add(Code.DEBUG_ALLOWED, severity, f"{_SOURCE} PCR 0", "the digest of an enclave image", "zeros")
    # 5.
    if made - _CLOCK_SKEW > inquiry.at:
        inquiry.error(
            Code.TIMESTAMP,
            f"{_SOURCE} timestamp",
            expected=f"a time up to {inquiry.at:%Y-%m-%d %H:%M:%S} UTC",
            actual=f"{made:%Y-%m-%d %H:%M:%S} UTC",
        )


def _claim(inquiry: Inquiry, document: NitroDocument, made: datetime) -> None:
    inquiry.claim("module_id", document.module_id, _SOURCE)
    inquiry.claim("timestamp", f"{made:%Y-%m-%dT%H:%M:%SZ}", _SOURCE)
    inquiry.claim("nitro_tpm", document.nitro_tpm, _SOURCE)
    inquiry.claim("report_data", document.nonce or b"", f"{_SOURCE} nonce")
    if document.user_data is not None:
        inquiry.claim("user_data", document.user_data, f"{_SOURCE} user_data")
    if document.public_key is not None:
        inquiry.claim("public_key", document.public_key, f"{_SOURCE} public_key")
    for index, value in sorted(document.pcrs.items()):
        inquiry.claim(f"pcr.sha384.{index}", value, f"{_SOURCE} PCR {index}")
    measured = 4 if document.nitro_tpm else 0
    if measured in document.pcrs:
        inquiry.claim("measurement", document.pcrs[measured], f"{_SOURCE} PCR {measured}")


def _verifies(public_key_info: bytes, document: NitroDocument) -> bool:
    try:
        key = load_public_key(public_key_info)
    except InvalidInput:
        return False
    signature = document.signature
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        return False
    if len(signature) != 96:
        return False
    encoded = encode_dss_signature(int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big"))
    try:
        key.verify(encoded, document.signed, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        return False
    return True
