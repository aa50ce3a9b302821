"""What each finding means, for people. The codes are stable: scripts and reference files rely on them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from confvm_gui.domain.attestation import Finding


class Code(StrEnum):
    """Finding.code."""

    # Signatures and who made them
    SIGNATURE_INVALID = "signature-invalid"
    SIGNATURE_ALGORITHM = "signature-algorithm"
    SIGNER_MISSING = "signer-missing"
    KEY_NOT_VOUCHED = "key-not-vouched"
    KEY_ON_ITS_WORD = "key-on-its-word"
    NOT_SIGNED = "not-signed"
    CLOUD_CHECK_FAILED = "cloud-check-failed"
    BINDING_BROKEN = "binding-broken"

    # Certificates
    ISSUER_MISSING = "issuer-missing"
    CERTIFICATE_SIGNATURE = "certificate-signature"
    CERTIFICATE_CONSTRAINTS = "certificate-constraints"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_YET_VALID = "certificate-not-yet-valid"
    CERTIFICATE_REVOKED = "certificate-revoked"
    CERTIFICATE_REVOKED_LATER = "certificate-revoked-later"
    CERTIFICATE_MISMATCH = "certificate-mismatch"
    CERTIFICATE_MALFORMED = "certificate-malformed"
    ROOT_NOT_TRUSTED = "root-not-trusted"
    ROOT_EMULATED = "root-emulated"
    REVOCATION_NOT_CHECKED = "revocation-not-checked"
    REVOCATION_LIST_INVALID = "revocation-list-invalid"
    REVOCATION_LIST_NOT_CURRENT = "revocation-list-not-current"

    # Fields of the evidence
    CHIP_ID_MISMATCH = "chip-id-mismatch"
    CHIP_ID_MASKED = "chip-id-masked"
    PRODUCT_MISMATCH = "product-mismatch"
    TCB_MISMATCH = "tcb-mismatch"
    TCB_ORDER = "tcb-order"
    FIRMWARE_PROVISIONAL = "firmware-provisional"
    RESERVED_NOT_ZERO = "reserved-not-zero"
    FIELD_INVALID = "field-invalid"
    VERSION_UNKNOWN = "version-unknown"
    DEBUG_ALLOWED = "debug-allowed"
    MIGRATION_AGENT = "migration-agent"
    VMPL = "vmpl"
    TIMESTAMP = "timestamp"

    # Reference values
    REPORT_DATA_MISMATCH = "report-data-mismatch"
    REPORT_DATA_NOT_EXPECTED = "report-data-not-expected"
    MEASUREMENT_MISMATCH = "measurement-mismatch"
    MEASUREMENT_NOT_EXPECTED = "measurement-not-expected"
    CLAIM_MISMATCH = "claim-mismatch"
    CLAIM_FORBIDDEN = "claim-forbidden"
    CLAIM_BELOW_MINIMUM = "claim-below-minimum"
    CLAIM_MISSING = "claim-missing"
    LAUNCH_KEY_MISSING = "launch-key-missing"

    # Intel
    COLLATERAL_MISSING = "collateral-missing"
    COLLATERAL_MALFORMED = "collateral-malformed"
    COLLATERAL_NOT_CURRENT = "collateral-not-current"
    COLLATERAL_MISMATCH = "collateral-mismatch"
    QE_IDENTITY_MISMATCH = "qe-identity-mismatch"
    MODULE_MISMATCH = "module-mismatch"
    TCB_NOT_FOUND = "tcb-not-found"
    TCB_REVOKED = "tcb-revoked"
    TCB_OUT_OF_DATE = "tcb-out-of-date"
    TCB_NEEDS_HARDENING = "tcb-needs-hardening"
    ADVISORIES = "advisories"

    # TPM and event logs
    PCR_DIGEST_MISMATCH = "pcr-digest-mismatch"
    PCRS_MISSING = "pcrs-missing"
    EVENT_LOG_MISMATCH = "event-log-mismatch"
    EVENT_LOG_MISSING = "event-log-missing"
    EVENT_LOG_REPAIRED = "event-log-repaired"
    EVENT_INVALID = "event-invalid"
    SECURE_BOOT_UNKNOWN = "secure-boot-unknown"
    SECURE_BOOT_OFF = "secure-boot-off"
    INSTANCE_INFO_MISMATCH = "instance-info-mismatch"
    PART_NOT_VERIFIED = "part-not-verified"


SENTENCES: Final[dict[Code, str]] = {
    Code.SIGNATURE_INVALID: "The signature does not hold: the bytes were changed, or another key signed them",
    Code.SIGNATURE_ALGORITHM: "The signature uses an algorithm that this evidence must not use",
    Code.SIGNER_MISSING: "The certificate of the key that signed is not there; fetch it or give it as an endorsement",
    Code.KEY_NOT_VOUCHED: "Nobody who is trusted vouches for the attestation key",
    Code.KEY_ON_ITS_WORD: "The host runs this TPM and nobody vouches for its key: it speaks for what the guest booted, "
    "and not against the host",
    Code.CLOUD_CHECK_FAILED: "The cloud itself says that its check of this launch or boot failed",
    Code.NOT_SIGNED: "Nobody signed this: what it says can be looked at, but proves nothing",
    Code.BINDING_BROKEN: "Two parts of the evidence that must belong together do not",
    Code.ISSUER_MISSING: "The certificate's issuer is not there; fetch it or give it as an endorsement",
    Code.CERTIFICATE_SIGNATURE: "The certificate was not signed by the issuer that it names",
    Code.CERTIFICATE_CONSTRAINTS: "The certificate is used for something that it was not issued for",
    Code.CERTIFICATE_EXPIRED: "The certificate had expired at the time asked for",
    Code.CERTIFICATE_NOT_YET_VALID: "The certificate was not valid yet at the time asked for",
    Code.CERTIFICATE_REVOKED: "The issuer has revoked the certificate",
    Code.CERTIFICATE_REVOKED_LATER: "The issuer has revoked the certificate since the time asked for",
    Code.CERTIFICATE_MISMATCH: "The certificate is not of the kind that this evidence needs",
    Code.CERTIFICATE_MALFORMED: "The certificate is damaged, and was not used",
    Code.ROOT_NOT_TRUSTED: "The chain ends in a root that is not trusted",
    Code.ROOT_EMULATED: "The root is an emulator's: this proves nothing about hardware",
    Code.REVOCATION_NOT_CHECKED: "Whether the certificate was revoked is not known: its issuer's list is not there",
    Code.REVOCATION_LIST_INVALID: "The revocation list is damaged, was not signed by the issuer, or cannot be used",
    Code.REVOCATION_LIST_NOT_CURRENT: "The revocation list is not of the time asked for",
    Code.CHIP_ID_MISMATCH: "The certificate belongs to another chip",
    Code.CHIP_ID_MASKED: "The chip id is masked, so the certificate cannot be compared with it",
    Code.PRODUCT_MISMATCH: "The certificate belongs to another product",
    Code.TCB_MISMATCH: "The certificate belongs to another firmware version (TCB) than the one that is reported",
    Code.TCB_ORDER: "The firmware versions contradict one another",
    Code.FIRMWARE_PROVISIONAL: "The firmware is not committed: its host can still go back to an older one",
    Code.RESERVED_NOT_ZERO: "Bytes that must be zero are not",
    Code.FIELD_INVALID: "A field has a value that its specification does not allow",
    Code.VERSION_UNKNOWN: "This version of the format is newer than what is understood here",
    Code.DEBUG_ALLOWED: "The host may read and change this guest's memory: debugging is allowed",
    Code.MIGRATION_AGENT: "The guest may be moved by a migration agent, which then is trusted as well",
    Code.VMPL: "The report was asked for by software at another privilege level than expected",
    Code.TIMESTAMP: "The evidence was made at another time than the one asked for",
    Code.REPORT_DATA_MISMATCH: "The evidence does not carry the expected nonce: it may be old, or made for another",
    Code.REPORT_DATA_NOT_EXPECTED: "No nonce is expected, so this evidence may have been made at any time",
    Code.MEASUREMENT_MISMATCH: "What was launched is not what was expected",
    Code.MEASUREMENT_NOT_EXPECTED: "No measurement is expected, so what was launched was not compared with anything",
    Code.CLAIM_MISMATCH: "A claim has another value than the expected one",
    Code.CLAIM_FORBIDDEN: "A claim has a value that the administrator forbids",
    Code.CLAIM_BELOW_MINIMUM: "A version is below the floor",
    Code.CLAIM_MISSING: "The evidence does not make a claim that is expected",
    Code.LAUNCH_KEY_MISSING: "The transport integrity key (TIK) is needed to verify a launch measurement",
    Code.COLLATERAL_MISSING: "Intel's TCB information is not there; fetch it or give it as an endorsement",
    Code.COLLATERAL_MALFORMED: "A document of Intel's is damaged, and was not used",
    Code.COLLATERAL_NOT_CURRENT: "Intel's TCB information is not of the time asked for",
    Code.COLLATERAL_MISMATCH: "Intel's TCB information is for another processor or technology",
    Code.QE_IDENTITY_MISMATCH: "The quoting enclave is not the one that Intel published",
    Code.MODULE_MISMATCH: "The TDX module is not one that Intel published",
    Code.TCB_NOT_FOUND: "No published TCB level matches this platform: it is older than all of them",
    Code.TCB_REVOKED: "Intel has revoked this platform's TCB level",
    Code.TCB_OUT_OF_DATE: "The platform's TCB level is out of date",
    Code.TCB_NEEDS_HARDENING: "The platform's TCB level is accepted only with hardening of configuration or software",
    Code.ADVISORIES: "Security advisories apply to this platform",
    Code.PCR_DIGEST_MISMATCH: "The PCR values are not those that were quoted",
    Code.PCRS_MISSING: "The PCR values that were quoted are not there, so nothing is known of what was booted",
    Code.EVENT_LOG_MISMATCH: "Replaying the event log does not give the register's value: events were changed or lack",
    Code.EVENT_LOG_MISSING: "Without an event log it is not known what was booted",
    Code.EVENT_LOG_REPAIRED: "The event log lacks events that firmware is known to leave out; they were added",
    Code.EVENT_INVALID: "An event contradicts its digest or its place in the log",
    Code.SECURE_BOOT_UNKNOWN: "Whether Secure Boot was on cannot be told from the event log",
    Code.SECURE_BOOT_OFF: "Secure Boot was off",
    Code.INSTANCE_INFO_MISMATCH: "The evidence names another instance than its certificate",
    Code.PART_NOT_VERIFIED: "A part of the evidence was not verified",
}


def explain(finding: Finding) -> str:
    """One sentence for a person, with what was expected and found."""
    try:
        sentence = SENTENCES[Code(finding.code)]
    except ValueError:
        sentence = finding.code
    details = [f"expected {finding.expected}"] if finding.expected else []
    details += [f"found {finding.actual}"] if finding.actual else []
    return f"{finding.source}: {sentence}" + (f" ({', '.join(details)})" if details else "")
