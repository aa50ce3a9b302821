"""`policy`: 10,000 instances against 50 rules, against the same rules written by hand in Python.

Measured: facts of every instance made anew and all rules evaluated to records with findings, as the console does in a
thread when packs are switched on; nothing is remembered from the round before. Reference: the same 50 conditions as
Python functions over the instances' own attributes, counting those that do not hold. The detail tells how long one
changed instance takes, everything else being known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from confvm_gui.app.bench.figure import Figure, Judged, Target, duration, in_turns, medians, seconds_of
from confvm_gui.app.bench.fleet_rows import made_up_fleet
from confvm_gui.catalog import load_catalog
from confvm_gui.domain.errors import BugError
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.domain.policy import Assignment, ComplianceRecord, Mode, Outcome, Pack, Rule
from confvm_gui.policy.evaluate import ReadyPack, RuleBook, Switched
from confvm_gui.policy.facts import NOTHING_KNOWN, instance_facts

INSTANCES: Final = 10_000
ROUNDS: Final = 5
TARGET: Final = Target(Judged.RATIO, 12.0, at_least=False)
_NOW: Final = 1_700_000_000.0
_TODAY: Final = "2023-11-14"

_Condition = tuple[str, Callable[[Instance], bool]]


def _conditions() -> list[_Condition]:
    """50: each as CEL and as Python."""
    found: list[_Condition] = [
        ("vm.confidential", lambda one: one.confidential),
        ("vm.secure_boot || !vm.confidential", lambda one: one.secure_boot or not one.confidential),
        ("vm.vtpm == vm.integrity_monitoring", lambda one: one.vtpm == one.integrity_monitoring),
        ("vm.trust != 'untrusted'", lambda one: one.trust is not Trust.UNTRUSTED),
        ("vm.state == 'running' || vm.vcpus <= 8", lambda one: one.state is InstanceState.RUNNING or one.vcpus <= 8),
        ("has(vm.labels.env) && vm.labels.env != 'test'", lambda one: one.labels.get("env", "test") != "test"),
        ("vm.labels.exists(key, key.startsWith('en'))", lambda one: any(key.startswith("en") for key in one.labels)),
        ("vm.name.matches('^[a-z]+-[0-9]+$')", lambda one: one.name.partition("-")[2].isdigit()),
    ]
    for gib in range(8, 50, 2):

        def small(one: Instance, most: int = gib * 1024) -> bool:
            return one.memory_mib <= most or one.region.startswith("europe-")

        found.append((f"vm.memory_mib <= {gib * 1024} || vm.region.startsWith('europe-')", small))
    for vcpus in range(1, 22):

        def technology(one: Instance, most: int = vcpus) -> bool:
            return one.vcpus <= most or one.technology.value in ("sev", "sev-snp", "tdx")

        found.append((f"vm.vcpus <= {vcpus} || vm.technology in ['sev', 'sev-snp', 'tdx']", technology))
    return found


def measure(instances: int = INSTANCES, rounds: int = ROUNDS) -> Figure:
    """`instances`: of a made-up fleet."""
    fleet = made_up_fleet(instances)
    catalog = load_catalog()
    conditions = _conditions()
    rules = tuple(Rule(f"rule-{n}", "Made up", text, "name") for n, (text, _) in enumerate(conditions))
    pack = Pack("bench", 1, "Made up", "", rules)

    def book() -> RuleBook:
        return RuleBook([Switched(Assignment("bench", 1, Mode.ENFORCE), ReadyPack(pack))])

    def judged(by: RuleBook, some: Sequence[Instance]) -> list[ComplianceRecord]:
        return [
            by.check_instance(one.id, instance_facts(catalog, one, NOTHING_KNOWN, _NOW, _TODAY), _NOW) for one in some
        ]

    by_hand = [condition for _, condition in conditions]

    def counted() -> int:
        return sum(not holds(one) for one in fleet for holds in by_hand)

    failing = [finding for record in judged(book(), fleet) for finding in record.findings]
    if len(failing) != counted() or any(finding.outcome is not Outcome.FAILS for finding in failing):
        raise BugError("The rules and the same rules by hand do not agree: nothing was measured")
    found = in_turns(rounds, lambda: _seconds(book(), judged, fleet), lambda: seconds_of(counted))
    known = book()
    judged(known, fleet)
    one = medians([[seconds_of(lambda: judged(known, fleet[:1]))] for _ in range(100)])[0]
    return duration(
        "policy",
        f"{instances:,} instances judged by {len(rules)} rules, from facts to findings, nothing known before",
        "the same rules as Python functions over the same instances, only counted",
        found,
        target=TARGET,
        detail={"ms for one changed instance": one * 1e3},
    )


def _seconds(
    book: RuleBook, judged: Callable[[RuleBook, Sequence[Instance]], object], fleet: Sequence[Instance]
) -> float:
    began = time.perf_counter()
    judged(book, fleet)
    return time.perf_counter() - began
