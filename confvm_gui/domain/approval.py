"""Requests that a second person has to approve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class ApprovalStatus(Enum):
    WAITING = "waiting"
    APPROVED = "approved"
    """And not carried out yet."""
    REJECTED = "rejected"
    EXPIRED = "expired"
    DONE = "done"
    FAILED = "failed"
    """It was approved and could not be carried out."""

    @property
    def is_final(self) -> bool:
        return self not in (ApprovalStatus.WAITING, ApprovalStatus.APPROVED)


@dataclass(frozen=True, slots=True)
class Approval:
    """One request and what became of it."""

    id: str
    """32 hex digits."""
    kind: str
    """`instance.delete`, `key.destroy`, `policy.exception`."""
    subject: str
    """Instance id, key reference … that it is about."""
    title: str
    """What is asked, in words for people."""
    intent: Mapping[str, object]
    """What is carried out, JSON-able and never a secret."""
    asked_by: str
    asked_at: float
    """Seconds since the epoch, UTC."""
    expires_at: float
    status: ApprovalStatus = ApprovalStatus.WAITING
    decided_by: str = ""
    decided_at: float | None = None
    note: str = ""
    """Of who decided, or why it failed."""
