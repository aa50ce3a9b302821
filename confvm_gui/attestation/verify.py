"""The verifier: evidence, endorsements, reference values and a time go in, a verdict comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Final

from confvm_gui.attestation.appraise import appraise
from confvm_gui.attestation.azure.verify import verify_azure
from confvm_gui.attestation.eventlog.verify import verify_canonical_alone, verify_log_alone
from confvm_gui.attestation.gce.integrity_log import verify_integrity_log
from confvm_gui.attestation.gce.verify import verify_gce
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.nitro.verify import verify_nitro
from confvm_gui.attestation.recognise import recognise
from confvm_gui.attestation.sev.launch import verify_launch, verify_report
from confvm_gui.attestation.sev.platform import verify_platform
from confvm_gui.attestation.sgx.verify import verify_sgx
from confvm_gui.attestation.snp.verify import verify_snp
from confvm_gui.attestation.tdx.verify import verify_tdx
from confvm_gui.attestation.tpm.verify import verify_tpm
from confvm_gui.attestation.x509.path import MAX_CERTIFICATES, readable, readable_lists
from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, ReferenceValues, Verdict
from confvm_gui.domain.errors import InvalidInput

_MAX_ENDORSEMENTS: Final = 128 * 1024
"""Bytes of each kind."""
_VERIFIERS: Final[MappingProxyType[EvidenceFormat, Callable[[Inquiry, Evidence], object]]] = MappingProxyType(
    {
        EvidenceFormat.SNP_REPORT: verify_snp,
        EvidenceFormat.SEV_LAUNCH: verify_launch,
        EvidenceFormat.SEV_REPORT: verify_report,
        EvidenceFormat.SEV_PLATFORM: verify_platform,
        EvidenceFormat.TDX_QUOTE: verify_tdx,
        EvidenceFormat.SGX_QUOTE: verify_sgx,
        EvidenceFormat.TPM_QUOTE: verify_tpm,
        EvidenceFormat.GCE_VTPM: verify_gce,
        EvidenceFormat.GCE_INTEGRITY: verify_integrity_log,
        EvidenceFormat.AZURE_VTPM: verify_azure,
        EvidenceFormat.AZURE_HCL: verify_azure,
        EvidenceFormat.NITRO: verify_nitro,
        EvidenceFormat.TCG_EVENT_LOG: partial(verify_log_alone, confidential=False),
        EvidenceFormat.CC_EVENT_LOG: partial(verify_log_alone, confidential=True),
        EvidenceFormat.CANONICAL_EVENT_LOG: verify_canonical_alone,
    }
)


def evaluate(
    evidence: Evidence, endorsements: Endorsements, reference_values: ReferenceValues, at: datetime
) -> Verdict:
    """Verify the evidence as of `at` (aware of its time zone), and appraise what it claims.

    Untrusted is a verdict, and damaged endorsements are findings. InvalidInput: the evidence is malformed, or there
    are more endorsements than one chain can have.
    """
    kind = evidence.format or recognise(evidence.data)
    _require_modest(endorsements)
    inquiry = Inquiry(kind, endorsements, reference_values, at)
    _drop_damaged(inquiry)
    _VERIFIERS[kind](inquiry, evidence)
    appraise(inquiry)
    return inquiry.verdict()


def _require_modest(endorsements: Endorsements) -> None:
    """More than one chain can have is not read: a verdict takes no longer than 100 ms, whatever is given."""
    for what, given in (
        ("certificates", endorsements.certificates),
        ("revocation lists", endorsements.crls),
        ("AMD certificates", endorsements.amd_certificates),
        ("documents of Intel's", endorsements.documents),
    ):
        total = sum(map(len, given))
        if len(given) > MAX_CERTIFICATES or total > _MAX_ENDORSEMENTS:
            raise InvalidInput(
                "endorsements",
                f"{len(given)} {what} of {total} bytes were given; give those of this evidence only, at most "
                f"{MAX_CERTIFICATES} of {_MAX_ENDORSEMENTS} bytes",
            )


def _drop_damaged(inquiry: Inquiry) -> None:
    """Endorsements that cannot be read are findings, not errors: the evidence may be well without them."""
    given = inquiry.endorsements
    certificates = readable(inquiry, given.certificates, "endorsements")
    crls = readable_lists(inquiry, given.crls)
    if len(certificates) != len(given.certificates) or len(crls) != len(given.crls):
        inquiry.endorsements = replace(given, certificates=certificates, crls=crls)


class AttestationVerifier:
    """`evaluate` as the Verifier port."""

    def evaluate(
        self, evidence: Evidence, endorsements: Endorsements, reference_values: ReferenceValues, at: datetime
    ) -> Verdict:
        return evaluate(evidence, endorsements, reference_values, at)
