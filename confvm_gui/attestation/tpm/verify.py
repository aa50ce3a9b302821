"""A TPM quote (TPM 2.0 library, part 3, section 18.4; TCG "TPM 2.0 Keys for Device Identity and Attestation").

    1. the message is a TPMS_ATTEST that a TPM made, of PCRs
    2. the attestation key (AK) signed it
    3. somebody who is trusted vouches for the AK: its certificate, a hardware report, or the reference values
    4. the PCR values hash to the quoted digest
    5. the event log replays to the PCR values

The nonce (extraData) is compared with the reference values by `appraise`.
"""

from __future__ import annotations

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.verify import check_tpm_log
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.roots import GOOGLE_ROOTS
from confvm_gui.attestation.tpm.keys import key_info, parse_key, parse_signature, verifies
from confvm_gui.attestation.tpm.material import Banks, QuoteMaterial, quote_material
from confvm_gui.attestation.tpm.structures import TpmPublic, TpmQuote
from confvm_gui.attestation.x509.certificates import key_fingerprint, parse_certificate
from confvm_gui.attestation.x509.path import check_path, readable
from confvm_gui.attestation.x509.signature import PublicKey, load_public_key
from confvm_gui.domain.attestation import Evidence, TrustLink

_SOURCE = "TPM quote"
_DIGITAL_SIGNATURE = 0x80
_DIGESTS = (HashAlgorithm.SHA256, HashAlgorithm.SHA384, HashAlgorithm.SHA512)


def verify_tpm(inquiry: Inquiry, evidence: Evidence) -> None:
    """Evaluate a quote with what comes beside it; InvalidInput("evidence")."""
    material = quote_material(evidence)
    quote = TpmQuote.parse(material.message)  # 1.
    claim_quote(inquiry, quote)
    certificates = readable(inquiry, material.ak_certificates, "AK certificate")
    key = attestation_key(inquiry, material.ak_public, certificates)
    if key is None:
        inquiry.error(Code.SIGNER_MISSING, _SOURCE, expected="the attestation key, or its certificate")
    else:
        check_signature(inquiry, material, key)
        vouch(inquiry, key, certificates)
    quoted = check_pcrs(inquiry, quote, material)
    if material.event_log:
        check_tpm_log(inquiry, material.event_log, quoted)
    else:
        inquiry.warning(Code.EVENT_LOG_MISSING, _SOURCE)


def claim_quote(inquiry: Inquiry, quote: TpmQuote) -> None:
    """Claims of the signed structure itself."""
    inquiry.claim("report_data", quote.extra_data, f"{_SOURCE} extraData")
    inquiry.claim("measurement", quote.pcr_digest, f"{_SOURCE} pcrDigest")
    inquiry.claim("tpm.firmware_version", f"{quote.firmware_version:016x}", f"{_SOURCE} firmwareVersion")
    inquiry.claim("tpm.reset_count", quote.reset_count, f"{_SOURCE} clockInfo")
    inquiry.claim("tpm.restart_count", quote.restart_count, f"{_SOURCE} clockInfo")
    inquiry.claim("tpm.clock", quote.clock, f"{_SOURCE} clockInfo")
    inquiry.claim("tpm.clock_safe", quote.safe, f"{_SOURCE} clockInfo")


def attestation_key(inquiry: Inquiry, ak_public: bytes, certificates: tuple[bytes, ...]) -> PublicKey | None:
    """The AK, which certificate and public area must agree on; None if neither is there. InvalidInput."""
    key: PublicKey | None = None
    public: TpmPublic | None = None
    if ak_public:
        key, public = parse_key(ak_public)
    if public is not None and not public.is_attestation_key:
        inquiry.error(
            Code.FIELD_INVALID,
            "AK attributes",
            expected="a restricted signing key that was made in its TPM",
            actual=f"{public.attributes:#010x}",
        )
    if certificates:
        certified = load_public_key(parse_certificate(certificates[0]).public_key_info)
        if key is not None and key_info(certified) != key_info(key):
            inquiry.error(
                Code.CERTIFICATE_MISMATCH,
                "AK certificate",
                expected=key_fingerprint(key_info(key)),
                actual=key_fingerprint(key_info(certified)),
            )
        key = key or certified
    if key is not None:
        inquiry.claim("ak.fingerprint", key_fingerprint(key_info(key)), "attestation key")
    return key


def check_signature(inquiry: Inquiry, material: QuoteMaterial, key: PublicKey, signer: str = "attestation key") -> bool:
    """2. InvalidInput("evidence") if the signature is malformed."""
    if not material.signature:
        inquiry.error(Code.SIGNATURE_INVALID, _SOURCE, expected="a signature", actual="none")
        return False
    holds = verifies(key, parse_signature(material.signature, key), material.message)
    inquiry.signed(_SOURCE, signer, holds)
    if not holds:
        inquiry.error(Code.SIGNATURE_INVALID, _SOURCE, expected=f"a signature by the {signer}")
    return holds


def vouch(inquiry: Inquiry, key: PublicKey, certificates: tuple[bytes, ...]) -> None:
    """3. By certificate or by the reference values."""
    fingerprint = key_fingerprint(key_info(key))
    if fingerprint in inquiry.reference.trusted_keys:
        inquiry.link(TrustLink("attestation key", "reference values", True, fingerprint))
        return
    if not certificates:
        if inquiry.reference.host_runs_tpm:
            inquiry.warning(Code.KEY_ON_ITS_WORD, "attestation key", actual=fingerprint)
            inquiry.link(TrustLink("attestation key", "", False, fingerprint))
            return
        inquiry.error(
            Code.KEY_NOT_VOUCHED, "attestation key", expected="a certificate, or a trusted key", actual=fingerprint
        )
        return
    certificate = parse_certificate(certificates[0])
    if certificate.key_usage is not None and not certificate.key_usage & _DIGITAL_SIGNATURE:
        inquiry.error(Code.CERTIFICATE_CONSTRAINTS, "AK certificate", expected="digitalSignature")
    path = check_path(inquiry, certificates[0], certificates[1:] + inquiry.endorsements.certificates, GOOGLE_ROOTS)
    inquiry.link(
        TrustLink("attestation key", certificate.subject.common_name or "AK certificate", path.root is not None)
    )


def check_pcrs(inquiry: Inquiry, quote: TpmQuote, material: QuoteMaterial) -> Banks:
    """4. The values that were quoted, by bank; only those are claimed, and only if they hash to the digest."""
    if not material.banks:
        inquiry.warning(Code.PCRS_MISSING, _SOURCE)
        return {}
    # The digest uses the hash of the signing scheme; its length tells which, where the signature is a bare one.
    algorithm = next((item for item in _DIGESTS if item.size == len(quote.pcr_digest)), HashAlgorithm.SHA256)
    quoted: dict[HashAlgorithm, dict[int, bytes]] = {}
    content = b""
    for bank, pcrs in quote.selections:
        values = material.banks.get(bank, {})
        missing = [pcr for pcr in pcrs if pcr not in values]
        if missing:
            inquiry.error(
                Code.PCR_DIGEST_MISMATCH, f"{_SOURCE} {bank.label}", expected=f"PCR {missing[0]}", actual="not given"
            )
            return {}
        chosen = {pcr: values[pcr] for pcr in pcrs}
        quoted.setdefault(bank, {}).update(chosen)
        content += b"".join(chosen.values())
    actual = algorithm.digest(content)
    if actual != quote.pcr_digest:
        inquiry.error(Code.PCR_DIGEST_MISMATCH, _SOURCE, expected=quote.pcr_digest.hex(), actual=actual.hex())
        return {}
    for bank, bank_values in quoted.items():
        for pcr, value in bank_values.items():
            inquiry.claim(f"pcr.{bank.label}.{pcr}", value, f"{_SOURCE}, PCR {pcr}")
    return quoted
