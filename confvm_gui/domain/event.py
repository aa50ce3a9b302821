"""Events: what happened, in the order of one hash-chained log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class Severity(Enum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, before it is in the log."""

    at: float
    """Seconds since the epoch, UTC."""
    actor: str
    """Who: the operating system's user, or `console`, or `guest:NAME`."""
    action: str
    """Dotted: `instance.create`, `operation.failed`, `memory.view-plaintext`, `guest.crashed` …"""
    subject: str
    """Instance id, or ""."""
    message: str
    """One sentence for a person."""
    severity: Severity = Severity.INFO
    detail: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """JSON-able. Never a secret."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An event in the log."""

    sequence: int
    """From 1, without gaps."""
    event: Event
    previous_hash: str
    """SHA-256 of the record before, hex; 64 zeros for the first."""
    hash: str


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What a verification of the whole log found."""

    intact: bool
    records: int
    first_bad: int | None
    """Sequence of the first record that does not hold."""
    reason: str
    head: str
    """Hash of the last good record."""
