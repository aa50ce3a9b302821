"""A verdict as JSON text of the `evidence` table, and claims as JSON of the `baselines` table.

    {"format", "at", "claims": [[name, value, source]], "findings": [[code, severity, expected, actual, source]],
     "links": [[name, issuer, verified, fingerprint, not before, not after, emulated]]}

Times are ISO 8601 or null. A claim's tuple of texts is an array; there is no other array among its values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from confvm_gui.domain.attestation import Claim, ClaimValue, EvidenceFormat, Finding, TrustLink, Verdict
from confvm_gui.domain.event import Severity
from confvm_gui.store.encoding import canonical_json

MAX_TEXT = 16 << 20
"""Characters of a verdict. One of a large event log has some thousand claims, in less than a million."""


def verdict_to_text(verdict: Verdict) -> str:
    """JSON; InvalidInput("verdict") for text that is no valid Unicode."""
    return canonical_json(
        {
            "format": verdict.format.value,
            "at": _time_text(verdict.at),
            "claims": [[claim.name, claim.value, claim.source] for claim in verdict.claims],
            "findings": [
                [finding.code, finding.severity.value, finding.expected, finding.actual, finding.source]
                for finding in verdict.findings
            ],
            "links": [
                [
                    link.name,
                    link.issuer,
                    link.verified,
                    link.fingerprint,
                    _time_text(link.not_before),
                    _time_text(link.not_after),
                    link.emulated,
                ]
                for link in verdict.links
            ],
        },
        "verdict",
    )


def verdict_from_text(text: str) -> Verdict:
    """ValueError or TypeError for anything that `verdict_to_text` does not write."""
    value = _object(text)
    return Verdict(
        format=EvidenceFormat(_text(value["format"])),
        claims=tuple(
            Claim(_text(name), claim_value(held), _text(source)) for name, held, source in _rows(value, "claims")
        ),
        findings=tuple(
            Finding(_text(code), Severity(severity), _text(expected), _text(actual), _text(source))
            for code, severity, expected, actual, source in _rows(value, "findings")
        ),
        links=tuple(
            TrustLink(
                _text(name),
                _text(issuer),
                _flag(verified),
                _text(fingerprint),
                _time(not_before),
                _time(not_after),
                _flag(emulated),
            )
            for name, issuer, verified, fingerprint, not_before, not_after, emulated in _rows(value, "links")
        ),
        at=_time(value["at"]),
    )


def claims_to_text(claims: Mapping[str, ClaimValue]) -> str:
    """JSON object; InvalidInput("baseline")."""
    return canonical_json(dict(claims), "baseline")


def claims_from_text(text: str) -> Mapping[str, ClaimValue]:
    """ValueError or TypeError."""
    return MappingProxyType({name: claim_value(value) for name, value in _object(text).items()})


def claim_value(value: object) -> ClaimValue:
    """A claim's value out of JSON; TypeError."""
    if isinstance(value, str | int):
        return value
    if isinstance(value, list):
        return tuple(_text(item) for item in value)
    raise TypeError("no value of a claim")


def _object(text: str) -> dict[str, object]:
    if len(text) > MAX_TEXT:
        raise ValueError("too long")
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _rows(value: dict[str, object], name: str) -> list[list[object]]:
    rows = value.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise TypeError(f"{name} is no list of lists")
    return rows


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _time_text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _time(value: object) -> datetime | None:
    return None if value is None else datetime.fromisoformat(_text(value))
