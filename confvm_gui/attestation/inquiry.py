"""What one evaluation has gathered so far: claims, findings and links. Verifiers add to it and never stop early."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from confvm_gui.attestation.codes import Code
from confvm_gui.domain.attestation import (
    Claim,
    ClaimValue,
    Endorsements,
    EvidenceFormat,
    Finding,
    ReferenceValues,
    TrustLink,
    Verdict,
)
from confvm_gui.domain.errors import BugError
from confvm_gui.domain.event import Severity


@dataclass(slots=True)
class Inquiry:
    """One evaluation under way."""

    format: EvidenceFormat
    endorsements: Endorsements
    reference: ReferenceValues
    at: datetime
    claims: dict[str, Claim] = field(default_factory=dict)
    found: dict[Finding, None] = field(default_factory=dict)
    """Findings in order; a dictionary, so that a thousandth is as fast to add as the first."""
    links: dict[TrustLink, None] = field(default_factory=dict)
    prefix: str = ""
    """Put before claim names while a nested piece of evidence is looked at."""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise BugError("Evidence is evaluated at a time that knows its time zone")
        self.at = self.at.astimezone(UTC)

    def claim(self, name: str, value: ClaimValue | bytes, source: str) -> None:
        """Record a claim; bytes become hex. A name that was claimed before keeps its first value."""
        if self.prefix:
            name = self.prefix + name
        if name not in self.claims:
            self.claims[name] = Claim(name, value.hex() if isinstance(value, bytes) else value, source)

    def claim_all(self, rows: Iterable[tuple[str, ClaimValue | bytes, str]]) -> None:
        """`claim` for many at once: name, value, source."""
        claims, prefix = self.claims, self.prefix
        for plain, value, source in rows:
            name = prefix + plain
            if name not in claims:
                claims[name] = Claim(name, value.hex() if isinstance(value, bytes) else value, source)

    def claim_kept(self, claims: Iterable[Claim]) -> None:
        """`claim` for claims that are the same in many pieces of evidence, and so were made before."""
        if self.prefix:
            self.claim_all(claims)
            return
        for claim in claims:
            self.claims.setdefault(claim[0], claim)

    def error(self, code: Code, source: str, *, expected: str = "", actual: str = "") -> None:
        self.add(code, Severity.ERROR, source, expected, actual)

    def warning(self, code: Code, source: str, *, expected: str = "", actual: str = "") -> None:
        self.add(code, Severity.WARNING, source, expected, actual)

    def info(self, code: Code, source: str, *, expected: str = "", actual: str = "") -> None:
        self.add(code, Severity.INFO, source, expected, actual)

    def add(self, code: Code, severity: Severity, source: str, expected: str, actual: str) -> None:
        """Record a finding once."""
        self.found[Finding(str(code), severity, expected, actual, source)] = None

    @property
    def findings(self) -> list[Finding]:
        """What was found so far."""
        return list(self.found)

    def equal(self, code: Code, source: str, *, expected: bytes, actual: bytes) -> bool:
        """Record an error unless the two are equal."""
        if expected == actual:
            return True
        self.error(code, source, expected=expected.hex(), actual=actual.hex())
        return False

    def reserved(self, content: bytes, source: str) -> None:
        """Record an error unless `content` is zeros."""
        if any(content):
            self.error(Code.RESERVED_NOT_ZERO, source, expected="zeros", actual=shortened(content.hex()))

    def link(self, link: TrustLink) -> None:
        """Record who vouches for whom, once."""
        self.links[link] = None

    def signed(self, name: str, signer: str, verified: bool) -> None:
        """Record that evidence `name` carries `signer`'s signature, and whether it holds."""
        self.link(TrustLink(name, signer, verified))

    def verdict(self) -> Verdict:
        """The end of it."""
        return Verdict(
            format=self.format,
            claims=tuple(self.claims.values()),
            findings=tuple(self.found),
            links=tuple(self.links),
            at=self.at,
        )


def shortened(text: str, limit: int = 160) -> str:
    """Text that fits into a line."""
    return text if len(text) <= limit else f"{text[:limit]}…"
