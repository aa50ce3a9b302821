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


class EventOutcome(Enum):
    """How what was tried ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"
    """The one who asked has no right to it."""
    PENDING = "pending"
    """Accepted; another event tells the end."""


@dataclass(frozen=True, slots=True)
class Origin:
    """From where something was done, as the operating system tells it."""

    user: str
    """Its name of whoever runs the console; not taken from the environment where the system can be asked."""
    uid: int | None
    """POSIX user id; None on a system that has none."""
    host: str
    process: int
    terminal: str
    """`/dev/pts/3`; "" where there is none."""
    via: str
    """`window` or `cli`."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, before it is in the log. The actions are listed in `fleet.audit.actions`."""

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
    outcome: EventOutcome = EventOutcome.SUCCESS
    origin: Origin | None = None
    """None only in records of consoles that did not write it yet."""
    before: object = None
    """What was changed as it was, JSON-able and never a secret; None where nothing was or nothing is changed."""
    after: object = None
    """And as it is now."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An event in the log."""

    sequence: int
    """From 1, without gaps."""
    event: Event
    previous_hash: str
    """SHA-256 of the record before, hex; 64 zeros for the first."""
    hash: str
    form: int = 2
    """Of the canonical text that was hashed: 1 has no outcome, origin, before and after."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which records are wanted: those that satisfy all that is given."""

    since: float | None = None
    """Seconds since the epoch, inclusive."""
    until: float | None = None
    """Exclusive."""
    actor: str = ""
    action: str = ""
    """Of the action, its beginning: `memory.` or `memory.export`."""
    subject: str | None = None
    severities: frozenset[Severity] = frozenset()
    """Empty for all."""
    outcomes: frozenset[EventOutcome] = frozenset()
    """Empty for all."""
    text: str = ""
    """In message or action; upper and lower case are the same."""


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of the log."""

    sequence: int
    """0 of an empty log."""
    hash: str


CHECKPOINT_ACTION = "audit.checkpoint"
"""The action of records that hold a signature over the log before them."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signature over the log up to one record."""

    head: AuditHead
    at: float
    key: str
    """Ed25519 public key (RFC 8032), hex."""
    signature: str
    """Ed25519, hex, over `message`."""

    @property
    def message(self) -> bytes:
        """What is signed; made of nothing but printable ASCII, so that it can be made by hand."""
        return checkpoint_message(self.head, self.at)


def checkpoint_message(head: AuditHead, at: float) -> bytes:
    """`confvm-audit-checkpoint/1 SEQUENCE HASH AT`, AT with a fraction or an exponent."""
    return f"confvm-audit-checkpoint/1 {head.sequence} {head.hash} {float(at)!r}".encode()


@dataclass(frozen=True, slots=True)
class FoundCheckpoint:
    """A checkpoint as it stands in the log, its signature not looked at yet."""

    sequence: int
    """Of the record that holds it."""
    checkpoint: Checkpoint | None
    """None where the record does not hold one."""
    fits: bool
    """Whether the record that it names has the hash that it names."""


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
    checkpoints: tuple[FoundCheckpoint, ...] = ()
    """Those among the good records."""
    signed_to: int = 0
    """Sequence of the last record that a valid signature vouches for; 0 where no signature was verified."""
    key: str = ""
    """The Ed25519 public key that they were verified with, hex; "" where there was none."""
    notes: tuple[str, ...] = ()
    """What could not be looked at, in sentences for people."""
