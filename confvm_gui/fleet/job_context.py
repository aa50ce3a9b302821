"""What a provider sees of the operation that it carries out: its steps, its cancellation, and the gate before keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from confvm_gui.domain.errors import BugError, EvidenceRefused, OperationCancelled
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import Instance, LaunchRequest
from confvm_gui.domain.operation import Operation

Launched = Callable[[str], Awaitable[LaunchRequest | None]]
"""What an instance (id) was made of; see OperationContext.launched."""

Approve = Callable[[str, str, GuestEvidence], Awaitable[None]]
"""Verifies the launch of an instance (id, name) before a key is released to it; raises EvidenceRefused."""


@dataclass(frozen=True, slots=True)
class Copy:
    """An instance that is to be cloned, and the name of the other one."""

    source: Instance
    name: str


Allow = Callable[[LaunchRequest | Copy], Awaitable[None]]
"""Raises PolicyDenied for an instance that the guardrails do not allow."""


async def allow_all(_wanted: LaunchRequest | Copy) -> None:
    """Allow of a console without guardrails."""


async def refuse_all(_instance_id: str, name: str, _launch: GuestEvidence) -> None:
    """Approve of a console without a verifier."""
    raise EvidenceRefused(f"Nothing here can verify the launch of {name}, so no key was released to it")


class JobContext:
    """What a provider sees of its operation (domain.ports.provider.OperationContext)."""

    def __init__(
        self,
        operation: Operation,
        report: Callable[[str, float, str], None],
        *,
        approve: Approve | None,
        launched: Launched,
        resumed: bool = False,
    ) -> None:
        self._operation = operation
        self._report = report
        self._approve = approve
        self._launched = launched
        self.resumed = resumed
        """Whether an earlier run may have begun it."""
        self.cancel_asked = asyncio.Event()

    @property
    def operation_id(self) -> str:
        return self._operation.id

    @property
    def instance_id(self) -> str:
        return self._operation.instance_id

    def step(self, name: str, progress: float, detail: str = "") -> None:
        if self.cancel_asked.is_set():
            raise OperationCancelled("Cancelled; what had been done was undone")
        self._report(name, progress, detail)

    async def launched(self) -> LaunchRequest | None:
        return await self._launched(self._operation.instance_id)

    async def approve(self, launch: GuestEvidence) -> None:
        if self._approve is None:
            raise BugError("Undoing an operation launches nothing, so there is nothing to approve; please report this")
        await self._approve(self._operation.instance_id, self._operation.instance_name, launch)
