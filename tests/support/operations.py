"""An operation as a provider sees it, for tests that call providers without jobs."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from confvm_gui.domain.errors import OperationCancelled


class OperationRecord:
    """domain.ports.provider.OperationContext that remembers its steps and can be cancelled at one of them."""

    def __init__(
        self,
        instance_id: str = "",
        *,
        operation_id: str = "",
        cancel_at: int | None = None,
        on_step: Callable[[str], None] | None = None,
    ) -> None:
        """`cancel_at`: number of the step, from 0, at which the user turns out to have cancelled."""
        self.instance_id = instance_id or uuid.uuid4().hex
        self.operation_id = operation_id or uuid.uuid4().hex
        self.steps: list[tuple[str, float, str]] = []
        self._cancel_at = cancel_at
        self._on_step = on_step

    def step(self, name: str, progress: float, detail: str = "") -> None:
        if self._cancel_at is not None and len(self.steps) >= self._cancel_at:
            raise OperationCancelled("Cancelled; what had been done was undone")
        self.steps.append((name, progress, detail))
        if self._on_step is not None:
            self._on_step(name)

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.steps]
