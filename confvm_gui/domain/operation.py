"""Operations: everything that changes an instance, from the intent on disk to its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class OperationKind(Enum):
    CREATE = "create"
    START = "start"
    STOP = "stop"
    RESET = "reset"
    PAUSE = "pause"
    RESUME = "resume"
    MIGRATE = "migrate"
    SNAPSHOT = "snapshot"
    REVERT = "revert"
    """To a snapshot."""
    DELETE_SNAPSHOT = "delete snapshot"
    CLONE = "clone"
    """Its `instance_id` and `instance_name` are the copy's."""
    DELETE = "delete"


class OperationStatus(Enum):
    PENDING = "pending"
    """Accepted and on disk, not begun."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Ended with an error; what had been done was undone where that was possible."""
    CANCELLED = "cancelled"
    ROLLED_BACK = "rolled back"
    """Found unfinished after a crash and undone."""

    @property
    def is_final(self) -> bool:
        return self not in (OperationStatus.PENDING, OperationStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class OperationStep:
    """One step that an operation has reached."""

    name: str
    """In the words of whoever does it: `encrypt disk`, `LAUNCH_START` …"""
    at: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One accepted operation."""

    id: str
    kind: OperationKind
    provider: str
    instance_id: str
    instance_name: str
    status: OperationStatus
    accepted_at: float
    intent: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """JSON-able: all that is needed to do it again after a crash. Never a secret."""
    steps: tuple[OperationStep, ...] = ()
    progress: float = 0.0
    """0.0 to 1.0."""
    attempts: int = 0
    ended_at: float | None = None
    error: str = ""
    """One sentence, for FAILED and ROLLED_BACK."""
