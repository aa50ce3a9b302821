"""From evidence to a verdict, with endorsements fetched where that is wanted.

Everything that computes runs on threads: a verdict may take 100 ms. The verifiers are imported there as well, when
the first evidence comes: the window starts without them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from confvm_gui.domain.attestation import (
    EndorsementNeed,
    Endorsements,
    Evidence,
    EvidenceFormat,
    ReferenceValues,
    Verdict,
)
from confvm_gui.domain.errors import InvalidInput, Transient
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.ports.endorsement_source import EndorsementCache

_ROUNDS: Final = 3
"""Of asking what is needed: only with a certificate at hand is it known which revocation list it needs."""
_FETCH_SECONDS: Final = 20.0
"""How long a launch or a refresh waits for publishers. Without them the verdict says what lacks."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what it stands on, and what can be told of a measurement that is not the expected one."""

    verdict: Verdict
    evidence: Evidence
    """With its format."""
    endorsements: Endorsements
    expected: str = ""
    """Accepted measurements in hex, where the measurement is none of them."""
    actual: str = ""
    """The measurement, in hex. For a SEV launch: the digest where it is known, else the measurement's MAC."""
    differs: str = ""
    """Which input differs, where a candidate has the actual measurement."""


async def judge_guest(guest: GuestEvidence, source: EndorsementCache | None) -> Judgement:
    """Verify what a provider gave, as of now.

    Raises InvalidInput where the host gave what is malformed.
    """
    endorsements = guest.endorsements
    # An emulator's chip is known to no publisher, and is none of theirs.
    if source is not None and not any(root.emulated for root in guest.reference.trusted_roots):
        endorsements = await _completed_if_possible(guest.evidence, endorsements, source)
    return await asyncio.to_thread(_judge, guest, endorsements, datetime.now(UTC))


async def judge(evidence: Evidence, endorsements: Endorsements, reference: ReferenceValues, at: datetime) -> Judgement:
    """Verify evidence as of `at`. Raises InvalidInput."""
    return await asyncio.to_thread(_judge, GuestEvidence(evidence, endorsements, reference), endorsements, at)


async def completed(evidence: Evidence, endorsements: Endorsements, source: EndorsementCache) -> Endorsements:
    """`endorsements` with all that can be had of what still lacks. Raises Transient, InvalidInput."""
    return endorsements + await lacking(evidence, endorsements, source.fetch)


async def with_cached(evidence: Evidence, endorsements: Endorsements, source: EndorsementCache) -> Endorsements:
    """`endorsements` with what was fetched at some time. Nobody is asked. Raises InvalidInput."""
    return endorsements + await lacking(evidence, endorsements, source.cached)


async def lacking(
    evidence: Evidence,
    given: Endorsements,
    ask: Callable[[Sequence[EndorsementNeed]], Awaitable[Endorsements]],
) -> Endorsements:
    """What `evidence` needs beside `given`, as far as `ask` gives it. Raises InvalidInput and what `ask` raises."""
    found = Endorsements()
    asked: set[EndorsementNeed] = set()
    for _ in range(_ROUNDS):
        wanted = [need for need in await asyncio.to_thread(_needs, evidence, given + found) if need not in asked]
        if not wanted:
            break
        asked.update(wanted)
        found += await ask(wanted)
    return found


async def _completed_if_possible(
    evidence: Evidence, endorsements: Endorsements, source: EndorsementCache
) -> Endorsements:
    try:
        async with asyncio.timeout(_FETCH_SECONDS):
            return await completed(evidence, endorsements, source)
    except (Transient, TimeoutError):
        return await with_cached(evidence, endorsements, source)
    except InvalidInput:
        return endorsements  # what is malformed is told by the verdict


def _needs(evidence: Evidence, endorsements: Endorsements) -> Sequence[EndorsementNeed]:
    from confvm_gui.attestation.needs import needs

    return needs(evidence, endorsements)


def _judge(guest: GuestEvidence, endorsements: Endorsements, at: datetime) -> Judgement:
    from confvm_gui.attestation.verify import evaluate

    verdict = evaluate(guest.evidence, endorsements, guest.reference, at)
    found = Judgement(verdict, replace(guest.evidence, format=verdict.format), endorsements)
    accepted = [digest.hex() for digest in guest.reference.measurements]
    measurement = _measurement(verdict)
    if not accepted or measurement in accepted:
        return found
    if not measurement and verdict.format is EvidenceFormat.SEV_LAUNCH:
        measurement = _launch_digest(guest, endorsements, at)
    candidate = next((each for each in guest.candidates if each.digest.hex() == measurement), None)
    return replace(
        found,
        expected=" or ".join(accepted),
        actual=measurement or str(verdict.claim("launch_measure") or ""),
        differs=candidate.differs if candidate is not None else "",
    )


def _launch_digest(guest: GuestEvidence, endorsements: Endorsements, at: datetime) -> str:
    """Of a SEV launch only a MAC over the digest is known: which of the candidates gives it, if one does."""
    from confvm_gui.attestation.verify import evaluate

    digests = tuple(candidate.digest for candidate in guest.candidates)
    if not digests:
        return ""
    reference = replace(guest.reference, measurements=digests)
    return _measurement(evaluate(guest.evidence, endorsements, reference, at))


def _measurement(verdict: Verdict) -> str:
    value = verdict.claim("measurement")
    return value if isinstance(value, str) else ""
