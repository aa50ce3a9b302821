"""What verdicts say of an instance's trust, laid over what its provider says, until the power-on ends.

Each format's latest verdict counts, and the worst of them decides: a quote that is not trusted is not outweighed by a
report that is. Only formats that speak for the confidential hardware raise trust; a vTPM of the host can but lower it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from confvm_gui.domain.attestation import EvidenceFormat, Verdict
from confvm_gui.domain.attestation_record import AttestationRecord, Occasion
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.fleet.attest.baseline import unsigned

TITLES: Final = MappingProxyType(
    {
        EvidenceFormat.SNP_REPORT: "SNP report",
        EvidenceFormat.SEV_LAUNCH: "SEV launch measurement",
        EvidenceFormat.SEV_REPORT: "SEV attestation report",
        EvidenceFormat.SEV_PLATFORM: "SEV platform certificates",
        EvidenceFormat.TDX_QUOTE: "TDX quote",
        EvidenceFormat.SGX_QUOTE: "SGX quote",
        EvidenceFormat.TPM_QUOTE: "TPM quote",
        EvidenceFormat.GCE_VTPM: "Compute Engine vTPM attestation",
        EvidenceFormat.GCE_INTEGRITY: "Compute Engine integrity log",
        EvidenceFormat.AZURE_VTPM: "Azure vTPM attestation",
        EvidenceFormat.AZURE_HCL: "Azure HCL report",
        EvidenceFormat.NITRO: "Nitro attestation document",
        EvidenceFormat.TCG_EVENT_LOG: "TCG event log",
        EvidenceFormat.CC_EVENT_LOG: "confidential computing event log",
        EvidenceFormat.CANONICAL_EVENT_LOG: "canonical event log",
    }
)
"""Formats in the words of the field."""

_SPEAKS_FOR_HARDWARE: Final = frozenset(
    {
        EvidenceFormat.SNP_REPORT,
        EvidenceFormat.SEV_LAUNCH,
        EvidenceFormat.SEV_REPORT,
        EvidenceFormat.TDX_QUOTE,
        EvidenceFormat.SGX_QUOTE,
        EvidenceFormat.GCE_VTPM,
        EvidenceFormat.AZURE_VTPM,
        EvidenceFormat.AZURE_HCL,
        EvidenceFormat.NITRO,
    }
)
_RANK: Final = MappingProxyType({Trust.UNTRUSTED: 0, Trust.TRUSTED: 1, Trust.MEASURED: 2})


@dataclass(frozen=True, slots=True)
class TrustMark:
    """What the latest verdict of one format makes of an instance."""

    trust: Trust | None
    """None: it says nothing of the hardware."""
    by: str
    at: float
    launch: bool
    """Made before the instance ran, so it is of the power-on that is coming."""


def mark_of(record: AttestationRecord) -> TrustMark:
    """The mark that a record leaves."""
    verdict = record.verdict
    by = TITLES[verdict.format] + (", emulated root" if verdict.emulated else "")
    trust: Trust | None = None
    if unsigned(verdict):
        trust = None  # nobody signs it: it speaks neither for the instance nor against it
    elif not verdict.trusted:
        trust = Trust.UNTRUSTED
    elif verdict.format in _SPEAKS_FOR_HARDWARE:
        trust = Trust.TRUSTED if _ends_in_root(verdict) else Trust.MEASURED
    return TrustMark(trust, by, record.at, record.occasion is Occasion.LAUNCH)


def _ends_in_root(verdict: Verdict) -> bool:
    """Whether a pinned root vouches; a SEV launch alone has the owner's own key to vouch for it."""
    return any(link.verified and link.issuer == link.name and link.fingerprint for link in verdict.links)


class TrustOverlay:
    """The marks of all instances."""

    def __init__(self) -> None:
        self._marks: dict[str, dict[EvidenceFormat, TrustMark]] = {}
        self._power_ons: dict[str, int] = {}

    def power_on(self, instance_id: str) -> int:
        """Tells one power-on of an instance from the next."""
        return self._power_ons.get(instance_id, 0)

    def note(self, record: AttestationRecord) -> None:
        """A verdict on an instance came."""
        self._marks.setdefault(record.instance_id, {})[record.verdict.format] = mark_of(record)

    def follow(self, before: Instance | None, now: Instance) -> None:
        """The instance was observed: marks end with the power-on that they are of."""
        if before is not None and before.state.is_live and not now.state.is_live:
            self._power_ons[now.id] = self.power_on(now.id) + 1
        marks = self._marks.get(now.id)
        if marks is None:
            return
        if now.state is InstanceState.RUNNING:
            kept = {form: replace(mark, launch=False) for form, mark in marks.items()}
        elif not now.state.is_live:
            kept = {form: mark for form, mark in marks.items() if mark.launch}
        else:
            return
        self._keep(now.id, kept)

    def restarted(self, instance_id: str, since: float) -> None:
        """A power-on that began at `since` (seconds since the epoch) has succeeded: what is older is of another."""
        kept = {form: mark for form, mark in self._marks.get(instance_id, {}).items() if mark.at >= since}
        self._keep(instance_id, kept)

    def power_on_begins(self, instance_id: str) -> None:
        """What was said of a launch that never ran does not hold for the next."""
        self._keep(instance_id, {form: m for form, m in self._marks.get(instance_id, {}).items() if not m.launch})

    def forget(self, instance_id: str) -> None:
        """The instance is gone."""
        self._marks.pop(instance_id, None)
        self._power_ons.pop(instance_id, None)

    def laid_over(self, said: Instance) -> Instance:
        """What the provider said, with what verdicts say while it runs."""
        marks = self._marks.get(said.id)
        if not marks or not said.state.is_live:
            return said
        found = replace(said, attested_at=max(mark.at for mark in marks.values()))
        telling = [mark for mark in marks.values() if mark.trust is not None]
        if not said.confidential:  # nothing makes it confidential, but its vTPM may turn out not to be trusted
            telling = [mark for mark in telling if mark.trust is Trust.UNTRUSTED]
        if not telling:
            return found
        worst = min(telling, key=lambda mark: (_RANK.get(mark.trust or Trust.UNKNOWN, 3), -mark.at))
        return replace(found, trust=worst.trust or Trust.UNKNOWN, trust_at=worst.at, trust_by=worst.by)

    def _keep(self, instance_id: str, marks: dict[EvidenceFormat, TrustMark]) -> None:
        if marks:
            self._marks[instance_id] = marks
        else:
            self._marks.pop(instance_id, None)
