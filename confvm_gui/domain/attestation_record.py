"""What the console keeps of attestation: verdicts with what they stand on, baselines, and what changed over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from confvm_gui.domain.attestation import ClaimValue, Endorsements, Evidence, EvidenceFormat, Verdict


class Occasion(StrEnum):
    """Why evidence was looked at."""

    LAUNCH = "launch"
    """Before a secret was released to a launch."""
    REFRESH = "refresh"
    """Somebody asked, with a fresh nonce."""
    INTEGRITY = "integrity"
    """Integrity monitoring, after a start."""
    FILE = "file"
    """A file that was given; not of an instance."""


@dataclass(frozen=True, slots=True)
class AttestationRecord:
    """One verdict with everything that it stands on. No secret is in it."""

    id: str
    """32 hex digits."""
    instance_id: str
    """"" for a file."""
    occasion: Occasion
    at: float
    """Seconds since the epoch, UTC."""
    verdict: Verdict
    evidence: Evidence
    endorsements: Endorsements
    nonce: bytes = b""
    by: str = ""
    """Who gave the evidence: `host 1 (emulated Genoa)`, or the file's name."""
    differs: str = ""
    """On a mismatch, which input of the launch differs, where it could be told."""


@dataclass(frozen=True, slots=True)
class AttestationSummary:
    """One line of an instance's history."""

    id: str
    instance_id: str
    occasion: Occasion
    at: float
    format: EvidenceFormat
    trusted: bool
    emulated: bool
    errors: int
    warnings: int
    measurement: str
    """The `measurement` claim in hex, or ""."""
    by: str = ""


@dataclass(frozen=True, slots=True)
class TcbPoint:
    """The TCB that a chip reported at one moment."""

    chip_id: str
    """Hex."""
    at: float
    reported: Mapping[str, int]
    """Component → version: `boot_loader`, `tee`, `snp`, `microcode`, `fmc`."""
    committed: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    current: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    instance_id: str = ""


class BaselineOrigin(StrEnum):
    """Where a baseline comes from."""

    LEARNED = "learned"
    """Taken from the first boot."""
    GIVEN = "given"
    """Accepted or given by the administrator."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What an instance's evidence of one format said when it was accepted as good."""

    instance_id: str
    format: EvidenceFormat
    at: float
    origin: BaselineOrigin
    values: Mapping[str, ClaimValue]
    """Claim name → value, of the claims that must not change."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One claim that is not what the baseline says."""

    claim: str
    component: str
    """What it stands for, for a person: `PCR 4: boot loader and kernel`, `launch measurement` …"""
    expected: str
    actual: str
    """"" where it is absent."""
