"""Whether a report may be answered with something secret: what broker and sharing ask of it alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, Finding, Verdict
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import Severity
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.ports.endorsement_source import EndorsementCache
from confvm_gui.domain.release import Conditions
from confvm_gui.fleet.attest.judgement import judge_guest
from confvm_gui.sev.snp_report import SNP_REPORT_SIZE, SnpReport


@dataclass(frozen=True, slots=True)
class Release:
    """What became of a guest's asking."""

    sealed: bytes = field(repr=False)
    """For the guest that asked; b"" if it was refused."""
    reason: str
    """Why it was refused, in one sentence; "" if it was not."""
    findings: tuple[Finding, ...] = ()
    """Of its report, errors and others; () where it was not looked at."""

    @property
    def given(self) -> bool:
        return bool(self.sealed)


class Refused(Exception):
    """Within this room only: ends an examination."""

    def __init__(self, reason: str, verdict: Verdict | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.verdict = verdict

    def release(self) -> Release:
        return Release(b"", self.reason, self.verdict.findings if self.verdict is not None else ())


def parse_report(evidence: Evidence) -> SnpReport:
    """Raises Refused for what is no guest's report."""
    if evidence.format not in (None, EvidenceFormat.SNP_REPORT) or len(evidence.data) != SNP_REPORT_SIZE:
        raise Refused("The evidence is no SEV-SNP report of a guest")
    try:
        return SnpReport.parse(evidence.data)
    except InvalidInput as error:
        raise Refused(error.message) from None


async def require_trusted(
    evidence: Evidence,
    endorsements: Endorsements,
    conditions: Conditions,
    report_data: bytes,
    cache: EndorsementCache | None,
) -> Verdict:
    """Raises Refused unless the report meets the conditions and carries `report_data` (64 bytes)."""
    form = replace(evidence, format=EvidenceFormat.SNP_REPORT)
    try:
        judgement = await judge_guest(GuestEvidence(form, endorsements, conditions.reference(report_data)), cache)
    except InvalidInput as error:
        raise Refused(error.message) from None
    verdict = judgement.verdict
    if not verdict.trusted:
        raise Refused(f"The report does not meet the conditions: {', '.join(error_codes(verdict))}", verdict)
    return verdict


def error_codes(verdict: Verdict) -> list[str]:
    """What speaks against it."""
    return sorted({each.code for each in verdict.findings if each.severity is Severity.ERROR})


def told_of(verdict: Verdict | None) -> dict[str, object]:
    """Of the guest, for the log."""
    claims = verdict.claim_values() if verdict is not None else {}
    named = {name: claims.get(name, "") for name in ("measurement", "chip_id", "report_id")}
    return {**named, "findings": error_codes(verdict) if verdict is not None else []}
