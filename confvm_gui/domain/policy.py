"""Guardrails: rules over what is asked for and over what runs, and what they found.

A rule is an expression in CEL (Common Expression Language, cel.dev specification) over one flat `vm` object, made by
`policy` from a LaunchRequest or from an Instance with its evidence; true means that the rule holds. A rule set that is
empty denies nothing, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class Mode(Enum):
    """What a finding of an enabled pack does."""

    ENFORCE = "enforce"
    """A launch is denied; a running instance is reported."""
    WARN = "warn"
    OFF = "off"


class Applies(Enum):
    """What a rule looks at."""

    REQUEST = "request"
    INSTANCE = "instance"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Fix:
    """The nearest change of a request that satisfies a rule."""

    field: str
    """A field of LaunchRequest, or `labels.KEY`."""
    choices: tuple[str, ...]
    """Values that pass, the nearest first, as request files spell them. Where several rules narrow one field, what
    is applied is the first value that satisfies all. Empty: the administrator has to type one (a label's value)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence that must be true of an instance."""

    id: str
    """`confidential-required`: lower-case words with hyphens, unique in its pack."""
    title: str
    """What it asks, in one line for people."""
    expression: str
    """CEL, of type bool."""
    field: str
    """The field of the request that it is about, where the wizard shows a finding."""
    applies: Applies = Applies.BOTH
    message: str = ""
    """Why a request is denied and what would pass; "" for the title."""
    fix: Fix | None = None
    source: str = ""
    """Where the rule comes from: document, section."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A named, versioned set of rules."""

    name: str
    version: int
    title: str
    description: str
    rules: tuple[Rule, ...]
    source: str = ""
    shipped: bool = False
    """It came with the console and cannot be changed, only copied."""
    signature: bytes = b""
    """Ed25519 by the data directory's signing key over the pack's canonical text; empty where it is not signed."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A pack that is switched on for a part of the fleet."""

    pack: str
    version: int
    mode: Mode
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Only instances with all of these labels; empty for all."""
    provider: str = ""
    """Only instances of this provider; "" for all."""


@dataclass(frozen=True, slots=True)
class RuleException:
    """An emergency exception: one rule is not enforced for a while. Granting one is an audited event."""

    id: str
    pack: str
    rule: str
    subject: str
    """Instance name, or "" for all."""
    reason: str
    granted_by: str
    until: float
    """Seconds since the epoch, UTC."""


class Outcome(Enum):
    PASSES = "passes"
    FAILS = "fails"
    BROKEN = "broken"
    """The rule could not be evaluated (wrong type, too costly, unknown name): it counts as failed in ENFORCE, since
    guardrails fail closed, and is shown as a fault of the rule, not of the instance."""
    EXCEPTED = "excepted"


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """What one rule of one enabled pack says of one request or instance. Passing rules leave none."""

    pack: str
    rule: str
    mode: Mode
    outcome: Outcome
    field: str
    message: str
    """One sentence: what is wrong and what would pass."""
    actual: str = ""
    fix: Fix | None = None
    source: str = ""


class Compliance(Enum):
    """Of one instance. The values are what `Instance.compliance` holds and the fleet table filters by."""

    COMPLIANT = "compliant"
    WARNING = "warning"
    VIOLATING = "violating"
    UNGUARDED = "unguarded"
    """No enabled pack applies to it."""


@dataclass(frozen=True, slots=True)
class ComplianceRecord:
    """All findings of one instance at one moment."""

    subject: str
    """Instance id; "" for a request."""
    at: float
    compliance: Compliance
    findings: tuple[RuleFinding, ...]
    rules: int
    """How many were evaluated."""

    @property
    def denied(self) -> bool:
        """Whether a launch is refused."""
        return self.compliance is Compliance.VIOLATING


@dataclass(frozen=True, slots=True)
class CompliancePoint:
    """How many instances stood how at one moment, seen from one side."""

    at: float
    kind: str
    """`fleet`, `provider`, `rule` or `label`."""
    key: str
    """"" for the fleet; the provider's name; `PACK/RULE`; `KEY=VALUE`."""
    compliant: int
    warning: int
    violating: int
    unguarded: int
