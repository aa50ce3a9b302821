"""SEV and SEV-ES launches (55766, LAUNCH_MEASURE), and the report of the ATTESTATION command.

A launch measurement is JSON with libvirt's names (virDomainGetLaunchSecurityInfo), with or without `sev-`:

    {"sev-measurement": base64 of 48 bytes, "sev-api-major": 1, "sev-api-minor": 49, "sev-build-id": 6, "sev-policy": 3}

    1. the measurement is HMAC-SHA-256 with the owner's TIK, over firmware version, policy, launch digest and nonce
    2. the policy does not allow debugging (NODBG), reserved bits are zero
    3. the platform's certificates, if they are there

The digest itself is not in a measurement: it is found among the expected ones.
"""

from __future__ import annotations

import hmac
from typing import Final

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.json_object import JsonReader, parse_object
from confvm_gui.attestation.sev.platform import check_platform, endorsed_platform
from confvm_gui.domain.attestation import Evidence
from confvm_gui.domain.event import Severity
from confvm_gui.sev.attestation_report import AttestationReport
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.key_usage import Usage
from confvm_gui.sev.measurement import DIGEST_SIZE, FirmwareVersion, LaunchMeasurement, launch_measure

_LAUNCH: Final = "SEV launch measurement"
_REPORT: Final = "SEV attestation report"


def looks_like_launch(value: dict[str, object]) -> bool:
    """Whether a JSON object is a launch measurement."""
    return any(f"{prefix}measurement" in value and f"{prefix}policy" in value for prefix in ("sev-", ""))


def verify_launch(inquiry: Inquiry, evidence: Evidence) -> None:
    """Evaluate a launch measurement; InvalidInput("evidence"), ("measurement") or ("policy")."""
    reader = JsonReader(parse_object(evidence.data, f"The {_LAUNCH}"), f"The {_LAUNCH}")
    prefix = "sev-" if reader.has("sev-measurement") else ""
    measurement = LaunchMeasurement.parse(reader.binary(f"{prefix}measurement"))
    build = "build-id" if reader.has(f"{prefix}build-id") else "build"
    version = FirmwareVersion(
        reader.number(f"{prefix}api-major", 256),
        reader.number(f"{prefix}api-minor", 256),
        reader.number(f"{prefix}{build}", 256),
    )
    policy = GuestPolicy.from_int(reader.number(f"{prefix}policy", 1 << 32))
    inquiry.claim("launch_measure", measurement.measure, _LAUNCH)
    inquiry.claim("nonce", measurement.mnonce, _LAUNCH)
    inquiry.claim("firmware", str(version), _LAUNCH)
    _policy(inquiry, policy, _LAUNCH)
    digest = _digest(inquiry, measurement, version, policy)  # 1.
    if digest is not None:
        inquiry.claim("measurement", digest, _LAUNCH)
    _platform(inquiry, _LAUNCH)


def _digest(
    inquiry: Inquiry, measurement: LaunchMeasurement, version: FirmwareVersion, policy: GuestPolicy
) -> bytes | None:
    key, accepted = inquiry.reference.launch_key, inquiry.reference.measurements
    if key is None:
        inquiry.error(Code.LAUNCH_KEY_MISSING, _LAUNCH, expected="the TIK of the session")
        return None
    digests = [digest for digest in accepted if len(digest) == DIGEST_SIZE]
    for digest in digests:
        expected = launch_measure(key, version=version, policy=policy, digest=digest, mnonce=measurement.mnonce)
        if hmac.compare_digest(expected.measure, measurement.measure):
            inquiry.signed(_LAUNCH, "platform (TIK)", True)
            return digest
    inquiry.signed(_LAUNCH, "platform (TIK)", False)
    inquiry.error(
        Code.MEASUREMENT_MISMATCH,
        _LAUNCH,
        expected=" or ".join(digest.hex() for digest in digests) or "an expected digest of 32 bytes",
        actual=f"measurement {measurement.measure.hex()}, which none of them gives",
    )
    return None


def verify_report(inquiry: Inquiry, evidence: Evidence) -> None:
    """Evaluate the ATTESTATION command's report, signed by the PEK; InvalidInput("report") or ("policy")."""
    report = AttestationReport.parse(evidence.data)
    inquiry.claim("measurement", report.launch_digest, f"{_REPORT} 0x10")
    inquiry.claim("report_data", report.mnonce, f"{_REPORT} 0x00")
    _policy(inquiry, report.policy, f"{_REPORT} 0x30")
    pek = endorsed_platform(inquiry)[0].get(Usage.PEK)
    if pek is None:
        inquiry.error(Code.SIGNER_MISSING, _REPORT, expected="the PEK certificate")
        return
    holds = report.is_signed_by(pek)
    inquiry.signed(_REPORT, "PEK", holds)
    if not holds:
        inquiry.error(Code.SIGNATURE_INVALID, _REPORT, expected="a signature by the PEK")
    _platform(inquiry, _REPORT)


def _platform(inquiry: Inquiry, source: str) -> None:
    """3."""
    platform, _ = endorsed_platform(inquiry)
    if platform:
        check_platform(inquiry, platform)
    else:
        inquiry.warning(Code.PART_NOT_VERIFIED, source, expected="the platform's certificates (PDH, PEK, OCA, CEK)")


def _policy(inquiry: Inquiry, policy: GuestPolicy, source: str) -> None:
    """2. Reserved bits are InvalidInput: a policy that has them is none."""
    inquiry.claim("policy", f"{policy.to_int():#x}", source)
    inquiry.claim("policy.debug", not policy.nodbg, source)
    inquiry.claim("policy.es", policy.es, source)
    inquiry.claim("policy.flags", policy.names(), source)
    if not policy.nodbg:
        severity = Severity.WARNING if inquiry.reference.allow_debug else Severity.ERROR
        inquiry.add(Code.DEBUG_ALLOWED, severity, source, "NODBG", str(policy))
