"""Packs that are switched on, over the facts of one request or instance: what does not hold, and what follows.

What a rule answers depends on the facts that it reads and on nothing else, and thousands of instances share a few
values of them: answers are kept by those values. A rule that cannot be read or evaluated counts as not held: guardrails
fail closed. The finding says that the fault is the rule's, and all other rules go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.policy import (
    Applies,
    Assignment,
    Compliance,
    ComplianceRecord,
    Mode,
    Outcome,
    Pack,
    Rule,
    RuleException,
    RuleFinding,
)
from confvm_gui.policy.expression import RuleExpression, RuleFault, compile_expression
from confvm_gui.policy.facts import Facts, FactValue

MOST_KEPT: Final = 4096
"""Answers kept of one rule; beyond it the oldest are forgotten together."""

NO_PACK: Final = "pack"
"""Rule id of the finding that a whole pack cannot be used."""


class ReadyRule:
    """A rule with its expression, or with the reason why it has none. Its answers are findings without a mode."""

    def __init__(self, pack: str, rule: Rule) -> None:
        self.rule = rule
        self.fault = ""
        self._pack = pack
        self._expression: RuleExpression | None = None
        self._answers: dict[object, RuleFinding | None] = {}
        try:
            self._expression = compile_expression(rule.expression)
        except InvalidInput as error:
            self.fault = error.message
            self._broken = self._finding(Outcome.BROKEN, error.message)

    def find(self, facts: Facts) -> RuleFinding | None:
        """None where it holds."""
        if self._expression is None:
            return self._broken
        key = self._expression.key(facts)
        try:
            return self._answers[key]
        except KeyError:
            pass
        if len(self._answers) >= MOST_KEPT:
            self._answers.clear()
        answer = self._answers[key] = self._answer(self._expression, facts)
        return answer

    def _answer(self, expression: RuleExpression, facts: Facts) -> RuleFinding | None:
        actual = ", ".join(f"{name} = {_shown(facts[name])}" for name in expression.facts)
        try:
            if expression.holds(facts):
                return None
        except RuleFault as fault:
            return self._finding(Outcome.BROKEN, f"The rule could not be evaluated: {fault}", actual)
        return self._finding(Outcome.FAILS, self.rule.message or self.rule.title, actual)

    def _finding(self, outcome: Outcome, message: str, actual: str = "") -> RuleFinding:
        rule = self.rule
        fix = rule.fix if outcome is Outcome.FAILS else None
        return RuleFinding(
            self._pack, rule.id, Mode.ENFORCE, outcome, rule.field, message, actual[:400], fix, rule.source
        )


class ReadyPack:
    """A pack whose rules are compiled."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.rules = tuple(ReadyRule(pack.name, rule) for rule in pack.rules)
        self.of_requests = tuple(ready for ready in self.rules if ready.rule.applies is not Applies.INSTANCE)
        self.of_instances = tuple(ready for ready in self.rules if ready.rule.applies is not Applies.REQUEST)

    @property
    def faults(self) -> Sequence[tuple[str, str]]:
        """Rules that cannot be evaluated, and why."""
        return [(ready.rule.id, ready.fault) for ready in self.rules if ready.fault]


@dataclass(frozen=True, slots=True)
class Switched:
    """A pack that is on for a part of the fleet, or what keeps it from being evaluated."""

    assignment: Assignment
    ready: ReadyPack | None
    problem: str = ""

    def concerns(self, labels: Mapping[str, str], provider: str) -> bool:
        assignment = self.assignment
        if assignment.provider and assignment.provider != provider:
            return False
        return all(labels.get(key) == value for key, value in assignment.labels.items())


class RuleBook:
    """All that is switched on. Never changes; safe to use from several threads."""

    def __init__(self, switched: Iterable[Switched], exceptions: Iterable[RuleException] = ()) -> None:
        self._switched = tuple(each for each in switched if each.assignment.mode is not Mode.OFF)
        self._exceptions: dict[tuple[str, str], list[RuleException]] = {}
        for exception in exceptions:
            self._exceptions.setdefault((exception.pack, exception.rule), []).append(exception)

    @property
    def empty(self) -> bool:
        """Whether nothing is on, and so nothing denied."""
        return not self._switched

    def check_request(self, facts: Facts, at: float) -> ComplianceRecord:
        """`at`: seconds since the epoch."""
        return self._record("", facts, at, lambda ready: ready.of_requests)

    def check_instance(self, instance_id: str, facts: Facts, at: float) -> ComplianceRecord:
        """`at`: seconds since the epoch."""
        return self._record(instance_id, facts, at, lambda ready: ready.of_instances)

    def _record(
        self, subject: str, facts: Facts, at: float, rules_of: Callable[[ReadyPack], tuple[ReadyRule, ...]]
    ) -> ComplianceRecord:
        labels = facts["vm.labels"]
        assert isinstance(labels, tuple)
        by_key, provider = dict(labels), str(facts["vm.provider"])
        found: list[RuleFinding] = []
        rules, concerned = 0, False
        for each in self._switched:
            if not each.concerns(by_key, provider):
                continue
            concerned = True
            if each.ready is None:
                found.append(_unusable(each))
                continue
            mode = each.assignment.mode
            ready_rules = rules_of(each.ready)
            rules += len(ready_rules)
            for ready in ready_rules:
                finding = ready.find(facts)
                if finding is not None:
                    found.append(self._judged(finding, mode, str(facts["vm.name"]), at))
        compliance = _compliance(found) if concerned else Compliance.UNGUARDED
        return ComplianceRecord(subject, at, compliance, tuple(found), rules)

    def _judged(self, finding: RuleFinding, mode: Mode, name: str, at: float) -> RuleFinding:
        granted = self._exceptions.get((finding.pack, finding.rule))
        if granted is not None and any(one.subject in ("", name) and at < one.until for one in granted):
            return replace(finding, mode=mode, outcome=Outcome.EXCEPTED)
        return finding if mode is finding.mode else replace(finding, mode=mode)


def _compliance(findings: Sequence[RuleFinding]) -> Compliance:
    counted = {finding.mode for finding in findings if finding.outcome is not Outcome.EXCEPTED}
    if Mode.ENFORCE in counted:
        return Compliance.VIOLATING
    return Compliance.WARNING if Mode.WARN in counted else Compliance.COMPLIANT


def _unusable(each: Switched) -> RuleFinding:
    assignment = each.assignment
    return RuleFinding(assignment.pack, NO_PACK, assignment.mode, Outcome.BROKEN, "", each.problem)


def _shown(value: FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "{" + ", ".join(f"{key}={text}" for key, text in value) + "}"
    return str(value) or '""'
