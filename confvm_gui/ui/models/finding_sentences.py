"""The sentences of `attestation.codes` where they can be translated: a layer without Qt cannot mark them itself."""

from __future__ import annotations

from functools import cache

from confvm_gui.attestation.codes import SENTENCES, Code
from confvm_gui.ui.text import translate


def finding_sentence(code: str) -> str:
    """What a finding means, one sentence without what was expected and found; a code that is not known is itself."""
    translated = _sentences().get(code)
    if translated is not None:
        return translated
    try:
        return SENTENCES[Code(code)]
    except ValueError:
        return code


def translated_codes() -> frozenset[str]:
    """Codes whose sentence can be translated: all of them, which a test sees to."""
    return frozenset(str(code) for code in _sentences())


@cache
def _sentences() -> dict[str, str]:
    return {
        Code.SIGNATURE_INVALID: translate(
            "Finding",
            "The signature does not hold: the bytes were changed, or another key signed them",
        ),
        Code.SIGNATURE_ALGORITHM: translate(
            "Finding",
            "The signature uses an algorithm that this evidence must not use",
        ),
        Code.SIGNER_MISSING: translate(
            "Finding",
            "The certificate of the key that signed is not there; fetch it or give it as an endorsement",
        ),
        Code.KEY_NOT_VOUCHED: translate("Finding", "Nobody who is trusted vouches for the attestation key"),
        Code.KEY_ON_ITS_WORD: translate(
            "Finding",
            "The host runs this TPM and nobody vouches for its key: it speaks for what the guest booted, and not "
            "against the host",
        ),
        Code.CLOUD_CHECK_FAILED: translate(
            "Finding", "The cloud itself says that its check of this launch or boot failed"
        ),
        Code.NOT_SIGNED: translate("Finding", "Nobody signed this: what it says can be looked at, but proves nothing"),
        Code.BINDING_BROKEN: translate("Finding", "Two parts of the evidence that must belong together do not"),
        Code.ISSUER_MISSING: translate(
            "Finding",
            "The certificate's issuer is not there; fetch it or give it as an endorsement",
        ),
        Code.CERTIFICATE_SIGNATURE: translate("Finding", "The certificate was not signed by the issuer that it names"),
        Code.CERTIFICATE_CONSTRAINTS: translate(
            "Finding",
            "The certificate is used for something that it was not issued for",
        ),
        Code.CERTIFICATE_EXPIRED: translate("Finding", "The certificate had expired at the time asked for"),
        Code.CERTIFICATE_NOT_YET_VALID: translate("Finding", "The certificate was not valid yet at the time asked for"),
        Code.CERTIFICATE_REVOKED: translate("Finding", "The issuer has revoked the certificate"),
        Code.CERTIFICATE_REVOKED_LATER: translate(
            "Finding",
            "The issuer has revoked the certificate since the time asked for",
        ),
        Code.CERTIFICATE_MISMATCH: translate("Finding", "The certificate is not of the kind that this evidence needs"),
        Code.CERTIFICATE_MALFORMED: translate("Finding", "The certificate is damaged, and was not used"),
        Code.ROOT_NOT_TRUSTED: translate("Finding", "The chain ends in a root that is not trusted"),
        Code.ROOT_EMULATED: translate("Finding", "The root is an emulator's: this proves nothing about hardware"),
        Code.REVOCATION_NOT_CHECKED: translate(
            "Finding",
            "Whether the certificate was revoked is not known: its issuer's list is not there",
        ),
        Code.REVOCATION_LIST_INVALID: translate(
            "Finding",
            "The revocation list is damaged, was not signed by the issuer, or cannot be used",
        ),
        Code.REVOCATION_LIST_NOT_CURRENT: translate("Finding", "The revocation list is not of the time asked for"),
        Code.CHIP_ID_MISMATCH: translate("Finding", "The certificate belongs to another chip"),
        Code.CHIP_ID_MASKED: translate(
            "Finding",
            "The chip id is masked, so the certificate cannot be compared with it",
        ),
        Code.PRODUCT_MISMATCH: translate("Finding", "The certificate belongs to another product"),
        Code.TCB_MISMATCH: translate(
            "Finding",
            "The certificate belongs to another firmware version (TCB) than the one that is reported",
        ),
        Code.TCB_ORDER: translate("Finding", "The firmware versions contradict one another"),
        Code.FIRMWARE_PROVISIONAL: translate(
            "Finding",
            "The firmware is not committed: its host can still go back to an older one",
        ),
        Code.RESERVED_NOT_ZERO: translate("Finding", "Bytes that must be zero are not"),
        Code.FIELD_INVALID: translate("Finding", "A field has a value that its specification does not allow"),
        Code.VERSION_UNKNOWN: translate("Finding", "This version of the format is newer than what is understood here"),
        Code.DEBUG_ALLOWED: translate(
            "Finding",
            "The host may read and change this guest's memory: debugging is allowed",
        ),
        Code.MIGRATION_AGENT: translate(
            "Finding",
            "The guest may be moved by a migration agent, which then is trusted as well",
        ),
        Code.VMPL: translate(
            "Finding",
            "The report was asked for by software at another privilege level than expected",
        ),
        Code.TIMESTAMP: translate("Finding", "The evidence was made at another time than the one asked for"),
        Code.REPORT_DATA_MISMATCH: translate(
            "Finding",
            "The evidence does not carry the expected nonce: it may be old, or made for another",
        ),
        Code.REPORT_DATA_NOT_EXPECTED: translate(
            "Finding",
            "No nonce is expected, so this evidence may have been made at any time",
        ),
        Code.MEASUREMENT_MISMATCH: translate("Finding", "What was launched is not what was expected"),
        Code.MEASUREMENT_NOT_EXPECTED: translate(
            "Finding",
            "No measurement is expected, so what was launched was not compared with anything",
        ),
        Code.CLAIM_MISMATCH: translate("Finding", "A claim has another value than the expected one"),
        Code.CLAIM_FORBIDDEN: translate("Finding", "A claim has a value that the administrator forbids"),
        Code.CLAIM_BELOW_MINIMUM: translate("Finding", "A version is below the floor"),
        Code.CLAIM_MISSING: translate("Finding", "The evidence does not make a claim that is expected"),
        Code.LAUNCH_KEY_MISSING: translate(
            "Finding",
            "The transport integrity key (TIK) is needed to verify a launch measurement",
        ),
        Code.COLLATERAL_MISSING: translate(
            "Finding",
            "Intel's TCB information is not there; fetch it or give it as an endorsement",
        ),
        Code.COLLATERAL_MALFORMED: translate("Finding", "A document of Intel's is damaged, and was not used"),
        Code.COLLATERAL_NOT_CURRENT: translate("Finding", "Intel's TCB information is not of the time asked for"),
        Code.COLLATERAL_MISMATCH: translate(
            "Finding",
            "Intel's TCB information is for another processor or technology",
        ),
        Code.QE_IDENTITY_MISMATCH: translate("Finding", "The quoting enclave is not the one that Intel published"),
        Code.MODULE_MISMATCH: translate("Finding", "The TDX module is not one that Intel published"),
        Code.TCB_NOT_FOUND: translate(
            "Finding",
            "No published TCB level matches this platform: it is older than all of them",
        ),
        Code.TCB_REVOKED: translate("Finding", "Intel has revoked this platform's TCB level"),
        Code.TCB_OUT_OF_DATE: translate("Finding", "The platform's TCB level is out of date"),
        Code.TCB_NEEDS_HARDENING: translate(
            "Finding",
            "The platform's TCB level is accepted only with hardening of configuration or software",
        ),
        Code.ADVISORIES: translate("Finding", "Security advisories apply to this platform"),
        Code.PCR_DIGEST_MISMATCH: translate("Finding", "The PCR values are not those that were quoted"),
        Code.PCRS_MISSING: translate(
            "Finding",
            "The PCR values that were quoted are not there, so nothing is known of what was booted",
        ),
        Code.EVENT_LOG_MISMATCH: translate(
            "Finding",
            "Replaying the event log does not give the register's value: events were changed or lack",
        ),
        Code.EVENT_LOG_MISSING: translate("Finding", "Without an event log it is not known what was booted"),
        Code.EVENT_LOG_REPAIRED: translate(
            "Finding",
            "The event log lacks events that firmware is known to leave out; they were added",
        ),
        Code.EVENT_INVALID: translate("Finding", "An event contradicts its digest or its place in the log"),
        Code.SECURE_BOOT_UNKNOWN: translate("Finding", "Whether Secure Boot was on cannot be told from the event log"),
        Code.SECURE_BOOT_OFF: translate("Finding", "Secure Boot was off"),
        Code.INSTANCE_INFO_MISMATCH: translate("Finding", "The evidence names another instance than its certificate"),
        Code.PART_NOT_VERIFIED: translate("Finding", "A part of the evidence was not verified"),
    }
