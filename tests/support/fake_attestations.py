"""Attestation without a fleet: records that a test makes, and what was asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from confvm_gui.domain.attestation import (
    Claim,
    ClaimValue,
    Endorsements,
    Evidence,
    EvidenceFormat,
    Finding,
    TrustLink,
    Verdict,
)
from confvm_gui.domain.attestation_record import (
    AttestationRecord,
    AttestationSummary,
    Baseline,
    BaselineOrigin,
    Drift,
    Occasion,
    TcbPoint,
)
from confvm_gui.domain.errors import ConfvmError, NotFound
from confvm_gui.domain.event import Severity
from confvm_gui.fleet.observable import Observable

GOOD = "a1f3930413247bb38cfc171579ea3c12d5fe4901f0c792f63fd75d98f1ef827c23500644e0e692e6be917f9050d3d38c"
BAD = "a1f3930413247bb38cfc171579ea3c12d5fe4901f0c792f63fd75d98f1ef827c23500644e0e692e6be9171180d2ae0ff"
CHIP = "c38427a30d4c7af9" * 8
MISMATCH = Finding("measurement-mismatch", Severity.ERROR, GOOD, BAD, "SNP report 0x090")
UNCHECKED = Finding("revocation-not-checked", Severity.WARNING, "revocation list of ARK-Genoa", "", "SEV-Genoa")
ROOT_EMULATED = Finding("root-emulated", Severity.INFO, "", "emulated ARK-Genoa", "VCEK chain")


def links(*, emulated: bool = True, broken: bool = False) -> tuple[TrustLink, ...]:
    """ARK → ASK → VCEK → report; `broken`: the report was not signed by that VCEK."""
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2051, 1, 1, tzinfo=UTC)
    return (
        TrustLink("ARK-Genoa", "ARK-Genoa", True, "69d063b4" * 8, begin, end, emulated),
        TrustLink("SEV-Genoa", "ARK-Genoa", True, "67d303bd" * 8, begin, end, emulated),
        TrustLink("SEV-VCEK", "SEV-Genoa", True, "34309875" * 8, begin, datetime(2033, 1, 1, tzinfo=UTC), emulated),
        TrustLink("SNP report", "SEV-VCEK", not broken, emulated=emulated),
    )


def claims(measurement: str = GOOD, extra: int = 0) -> tuple[Claim, ...]:
    """Those of a small report; `extra` more of an event log."""
    report = "SNP report"
    return (
        Claim("measurement", measurement, f"{report} 0x090"),
        Claim("chip_id", CHIP, f"{report} 0x1A0"),
        Claim("policy", "0x30000", f"{report} 0x008"),
        Claim("policy.debug", False, f"{report} 0x008"),
        Claim("policy.flags", ("SMT",), f"{report} 0x008"),
        Claim("reported_tcb", "boot_loader=3 tee=0 snp=8 microcode=115", f"{report} 0x180"),
        Claim("reported_tcb.snp", 8, f"{report} 0x180"),
        *(Claim(f"event.{at}", f"{at:064x}", "event log, PCR 8") for at in range(extra)),
    )


def make_record(
    instance_id: str,
    *,
    number: int = 1,
    findings: Sequence[Finding] = (UNCHECKED, ROOT_EMULATED),
    form: EvidenceFormat = EvidenceFormat.SNP_REPORT,
    age: float = 0.0,
    emulated: bool = True,
    differs: str = "",
    extra: int = 0,
    by: str = "host 1 (emulated Genoa)",
) -> AttestationRecord:
    """A record `age` seconds old; with an error among its findings it is not trusted."""
    bad = MISMATCH in findings
    broken = any(finding.code == "signature-invalid" for finding in findings)
    at = time.time() - age
    verdict = Verdict(
        form,
        claims(BAD if bad else GOOD, extra),
        tuple(findings),
        links(emulated=emulated, broken=broken),
        datetime.fromtimestamp(at, UTC),
    )
    return AttestationRecord(
        f"{number:032x}",
        instance_id,
        Occasion.REFRESH if instance_id else Occasion.FILE,
        at,
        verdict,
        Evidence(b"evidence", form),
        Endorsements(),
        b"n" * 32,
        by,
        differs,
    )


def summary(record: AttestationRecord) -> AttestationSummary:
    """A record as a line of the history."""
    found = record.verdict.findings
    return AttestationSummary(
        record.id,
        record.instance_id,
        record.occasion,
        record.at,
        record.verdict.format,
        record.verdict.trusted,
        record.verdict.emulated,
        sum(finding.severity is Severity.ERROR for finding in found),
        sum(finding.severity is Severity.WARNING for finding in found),
        str(record.verdict.claim("measurement") or ""),
        record.by,
    )


class FakeAttestations:
    """Answers with `next_record`, or raises `error`; keeps everything in `kept`, newest first."""

    def __init__(self, kept: Sequence[AttestationRecord] = ()) -> None:
        self.changes: Observable[AttestationRecord] = Observable()
        self.kept = list(kept)
        self.next_record: AttestationRecord | None = None
        self.error: ConfvmError | None = None
        self.offered: Sequence[EvidenceFormat] = (EvidenceFormat.SNP_REPORT, EvidenceFormat.TPM_QUOTE)
        self.why_not = ""
        self.asked: list[EvidenceFormat | None] = []
        self.verified: list[dict[str, object]] = []
        self.exported: list[tuple[str, Path]] = []
        self.base: Baseline | None = None
        self.drifted: Sequence[Drift] = ()
        self.timeline: Sequence[TcbPoint] = ()
        self.answer = asyncio.Event()
        """Cleared by a test that wants an answer to wait."""
        self.answer.set()

    def formats(self, instance_id: str) -> Sequence[EvidenceFormat]:
        return () if self.why_not else self.offered

    def reason(self, instance_id: str) -> str:
        return self.why_not

    async def refresh(self, instance_id: str, form: EvidenceFormat | None = None) -> AttestationRecord:
        self.asked.append(form)
        await self.answer.wait()
        return self._next(instance_id)

    def _next(self, instance_id: str) -> AttestationRecord:
        if self.error is not None:
            raise self.error
        record = self.next_record or make_record(instance_id, number=len(self.kept) + 1)
        self.kept.insert(0, record)
        self.changes.emit(record)
        return record

    async def history(self, instance_id: str, limit: int = 200) -> Sequence[AttestationSummary]:
        return [summary(record) for record in self.kept if record.instance_id == instance_id][:limit]

    async def record(self, record_id: str) -> AttestationRecord:
        for record in self.kept:
            if record.id == record_id:
                return record
        raise NotFound("There is no such record")

    async def baseline(self, instance_id: str, form: EvidenceFormat) -> Baseline | None:
        return self.base

    async def accept_baseline(self, record_id: str) -> Baseline:
        record = await self.record(record_id)
        values: dict[str, ClaimValue] = {"measurement": GOOD, "policy.debug": False}
        self.base = Baseline(record.instance_id, record.verdict.format, time.time(), BaselineOrigin.GIVEN, values)
        self.drifted = ()
        return self.base

    async def forget_baseline(self, instance_id: str, form: EvidenceFormat) -> None:
        self.base = None
        self.drifted = ()

    async def drift(self, record_id: str) -> Sequence[Drift]:
        return self.drifted

    async def verify_file(
        self,
        path: Path,
        *,
        endorsements: Sequence[Path] = (),
        reference: Path | None = None,
        report_data: str = "",
        at: datetime | None = None,
        fetch: bool = False,
        allow_debug: bool = False,
    ) -> AttestationRecord:
        self.verified.append(
            {
                "path": path,
                "endorsements": tuple(endorsements),
                "reference": reference,
                "report_data": report_data,
                "at": at,
                "fetch": fetch,
                "allow_debug": allow_debug,
            }
        )
        await self.answer.wait()
        self.next_record = replace(self.next_record or make_record("", number=len(self.kept) + 1), by=path.name)
        record, self.next_record = self._next(""), None
        return record

    async def export(self, record_id: str, path: Path) -> None:
        if self.error is not None:
            raise self.error
        self.exported.append((record_id, path))

    async def tcb_timeline(self, chip_id: str) -> Sequence[TcbPoint]:
        return self.timeline
