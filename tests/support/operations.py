"""An operation as a provider sees it, for tests that call providers without jobs."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from confvm_gui.attestation.verify import evaluate
from confvm_gui.domain.attestation import Verdict
from confvm_gui.domain.errors import EvidenceRefused, OperationCancelled
from confvm_gui.domain.event import Severity
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import LaunchRequest


class OperationRecord:
    """domain.ports.provider.OperationContext that remembers its steps and can be cancelled at one of them."""

    def __init__(
        self,
        instance_id: str = "",
        *,
        operation_id: str = "",
        cancel_at: int | None = None,
        on_step: Callable[[str], None] | None = None,
        approve: Callable[[GuestEvidence], Awaitable[None]] | None = None,
        launched: LaunchRequest | None = None,
    ) -> None:
        """`cancel_at`: number of the step, from 0, at which the user turns out to have cancelled.

        `approve`: who is asked before keys are released; by default the verifier, as in the console.
        """
        self.instance_id = instance_id or uuid.uuid4().hex
        self.operation_id = operation_id or uuid.uuid4().hex
        self.steps: list[tuple[str, float, str]] = []
        self._cancel_at = cancel_at
        self._on_step = on_step
        self._approve = approve or require_trusted
        self._launched = launched
        self.launches: list[GuestEvidence] = []
        """What keys were asked for."""
        self.verdicts: list[Verdict] = []
        """What the verifier said of each, when they were asked for."""

    def step(self, name: str, progress: float, detail: str = "") -> None:
        if self._cancel_at is not None and len(self.steps) >= self._cancel_at:
            raise OperationCancelled("Cancelled; what had been done was undone")
        self.steps.append((name, progress, detail))
        if self._on_step is not None:
            self._on_step(name)

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.steps]

    async def launched(self) -> LaunchRequest | None:
        return self._launched

    async def approve(self, launch: GuestEvidence) -> None:
        self.launches.append(launch)
        self.verdicts.append(verdict_of(launch))
        await self._approve(launch)


async def require_trusted(launch: GuestEvidence) -> None:
    """Raise EvidenceRefused unless the verifier trusts it, with the emulated root that its reference names."""
    verdict = verdict_of(launch)
    if not verdict.trusted:
        codes = ", ".join(finding.code for finding in verdict.findings if finding.severity is Severity.ERROR)
        raise EvidenceRefused(f"The launch is not trusted: {codes}")


def verdict_of(launch: GuestEvidence) -> Verdict:
    """What the verifier says of it now."""
    return evaluate(launch.evidence, launch.endorsements, launch.reference, datetime.now(UTC))
