"""How a fleet stands: counts of all instances, and from the side of each provider, label and rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.policy import Compliance, CompliancePoint, ComplianceRecord, Mode, Outcome

MOST_LABELS: Final = 50
"""Label values that are counted, the most common: a label can be different on each instance."""

_Side = tuple[str, str]


def standing(judged: Iterable[tuple[Instance, ComplianceRecord]], at: float) -> list[CompliancePoint]:
    """Points of one moment. Of a rule only those are counted that it does not hold for."""
    counts: dict[_Side, Counter[Compliance]] = {("fleet", ""): Counter()}
    labels: dict[_Side, Counter[Compliance]] = {}
    for instance, record in judged:
        compliance = record.compliance
        counts["fleet", ""][compliance] += 1
        counts.setdefault(("provider", instance.provider), Counter())[compliance] += 1
        for key, value in instance.labels.items():
            labels.setdefault(("label", f"{key}={value}"), Counter())[compliance] += 1
        for finding in record.findings:
            if finding.outcome is not Outcome.EXCEPTED:
                severity = Compliance.VIOLATING if finding.mode is Mode.ENFORCE else Compliance.WARNING
                counts.setdefault(("rule", f"{finding.pack}/{finding.rule}"), Counter())[severity] += 1
    common = sorted(labels.items(), key=lambda item: (-item[1].total(), item[0]))[:MOST_LABELS]
    return [_point(at, kind, key, count) for (kind, key), count in [*counts.items(), *common]]


def _point(at: float, kind: str, key: str, count: Counter[Compliance]) -> CompliancePoint:
    return CompliancePoint(
        at,
        kind,
        key,
        count[Compliance.COMPLIANT],
        count[Compliance.WARNING],
        count[Compliance.VIOLATING],
        count[Compliance.UNGUARDED],
    )
