"""What the audit log is told of operations: accepted, ended, and how the instance stood before and after."""

from __future__ import annotations

from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.operation import Operation, OperationStatus
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.inventory import Inventory
from confvm_gui.fleet.job_kinds import told_intent


class JobLog:
    """Told by the jobs, in the order in which things happen."""

    def __init__(self, events: EventFeed, inventory: Inventory) -> None:
        self._events = events
        self._inventory = inventory
        self._before: dict[str, object] = {}
        """By operation, how its instance stood when it was accepted."""

    def accepted(self, operation: Operation) -> None:
        before = self._before[operation.id] = self._standing(operation)
        self._events.record(
            f"operation.{operation.kind.value.replace(' ', '-')}",
            f"{operation.kind.value} of {operation.instance_name} was accepted",
            subject=operation.instance_id,
            detail={"operation": operation.id, **told_intent(operation)},
            outcome=EventOutcome.PENDING,
            before=before,
        )

    def interrupted(self, operation: Operation, *, resumed: bool) -> None:
        """An earlier run did not finish it; it is `resumed`, or waits for a provider that is not configured."""
        said = f"{operation.kind.value} of {operation.instance_name} was interrupted and"
        if resumed:
            self._before[operation.id] = self._standing(operation)
            action, said = "operation.resumed", f"{said} is taken up again"
        else:
            action = "operation.waiting"
            said += f" waits for its provider, {operation.provider}, which is not configured"
        self._tell(operation, action, said, EventOutcome.PENDING, Severity.WARNING)

    def cancel_asked(self, operation: Operation) -> None:
        said = f"{operation.kind.value} of {operation.instance_name} was asked to turn back"
        detail: dict[str, object] = {"operation": operation.id}
        self._events.record(
            "operation.cancel-asked",
            said,
            subject=operation.instance_id,
            detail=detail,
            outcome=EventOutcome.PENDING,
            before=operation.status.value,
        )

    def undo_failed(self, operation: Operation, reason: str) -> None:
        said = f"What was left of {operation.instance_name} could not be removed: {reason}"
        self._tell(operation, "operation.undo-failed", said, EventOutcome.FAILURE, Severity.ERROR)

    def ended(self, operation: Operation) -> None:
        done = operation.status is OperationStatus.SUCCEEDED
        said = f"{operation.kind.value} of {operation.instance_name}: {operation.status.value}"
        self._tell(
            operation,
            f"operation.{operation.status.value.replace(' ', '-')}",
            f"{said}. {operation.error}" if operation.error else said,
            EventOutcome.SUCCESS if done else EventOutcome.FAILURE,
            Severity.INFO if done else Severity.WARNING,
            before=self._before.pop(operation.id, None),
            after=self._standing(operation),
        )

    def _tell(
        self,
        about: Operation,
        action: str,
        said: str,
        outcome: EventOutcome,
        severity: Severity,
        *,
        before: object = None,
        after: object = None,
    ) -> None:
        self._events.record(
            action,
            said,
            subject=about.instance_id,
            severity=severity,
            actor="console",
            detail={"operation": about.id},
            outcome=outcome,
            before=before,
            after=after,
        )

    def _standing(self, operation: Operation) -> dict[str, object] | None:
        """None of an instance that is not there."""
        try:
            instance = self._inventory.get(operation.instance_id)
        except NotFound:
            return None
        return {
            "state": instance.state.value,
            "host": instance.host,
            "machine_type": instance.machine_type,
            "image": instance.image,
            "technology": instance.technology.value,
            "labels": dict(instance.labels),
        }
