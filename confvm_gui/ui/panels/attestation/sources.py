"""What the attestation views ask of the fleet: `fleet.attest` and the endorsement store provide it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import AttestationRecord, AttestationSummary, Baseline, Drift, TcbPoint


class Changes(Protocol):
    """Every record that comes into being."""

    def subscribe(self, callback: Callable[[AttestationRecord], None]) -> Callable[[], None]: ...


class AttestationSource(Protocol):
    """Attests instances, verifies files, and keeps the records of both."""

    @property
    def changes(self) -> Changes: ...

    def formats(self, instance_id: str) -> Sequence[EvidenceFormat]:
        """What can be asked for now."""

    def reason(self, instance_id: str) -> str:
        """Why nothing can be asked for, one sentence, or ""."""

    async def refresh(self, instance_id: str, form: EvidenceFormat | None = None) -> AttestationRecord:
        """Ask with a fresh nonce, and verify. Untrusted is a record, not an error."""

    async def history(self, instance_id: str, limit: int = 200) -> Sequence[AttestationSummary]:
        """Newest first; "" for files."""

    async def record(self, record_id: str) -> AttestationRecord:
        """Raises NotFound, StoreCorrupt."""

    async def baseline(self, instance_id: str, form: EvidenceFormat) -> Baseline | None: ...

    async def accept_baseline(self, record_id: str) -> Baseline: ...

    async def forget_baseline(self, instance_id: str, form: EvidenceFormat) -> None: ...

    async def drift(self, record_id: str) -> Sequence[Drift]:
        """Against the baseline of the record's format; () without one."""

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
        """Verify an evidence file or a bundle. InvalidInput with the field."""

    async def export(self, record_id: str, path: Path) -> None:
        """Write the evidence bundle. StoreError, InvalidInput("path")."""

    async def tcb_timeline(self, chip_id: str) -> Sequence[TcbPoint]:
        """Oldest first."""
