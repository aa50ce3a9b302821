"""Words and marks for guardrails: how an instance stands, what a pack does, what a rule found."""

from __future__ import annotations

from functools import cache

from confvm_gui.domain.policy import Applies, Assignment, Compliance, Mode, Outcome
from confvm_gui.ui.text import translate

COMPLIANCE_MARKS = {
    Compliance.COMPLIANT.value: ("ok", "success"),
    Compliance.WARNING.value: ("warning", "warning"),
    Compliance.VIOLATING.value: ("error", "danger"),
    Compliance.UNGUARDED.value: ("shield-off", "muted"),
}
"""Icon and colour role by `Instance.compliance`: a shape of its own for each."""


@cache
def compliance_meaning(compliance: Compliance) -> str:
    """One sentence for a tool tip."""
    return {
        Compliance.COMPLIANT: translate("Compliance", "Every rule that looks at it holds"),
        Compliance.WARNING: translate("Compliance", "A rule that only warns does not hold"),
        Compliance.VIOLATING: translate("Compliance", "A rule that is enforced does not hold"),
        Compliance.UNGUARDED: translate("Compliance", "No pack of rules that is on looks at it"),
    }[compliance]


@cache
def mode_word(mode: Mode) -> str:
    return {
        Mode.ENFORCE: translate("PackMode", "Enforce"),
        Mode.WARN: translate("PackMode", "Warn"),
        Mode.OFF: translate("PackMode", "Off"),
    }[mode]


@cache
def outcome_word(outcome: Outcome) -> str:
    return {
        Outcome.PASSES: translate("RuleOutcome", "Holds"),
        Outcome.FAILS: translate("RuleOutcome", "Does not hold"),
        Outcome.BROKEN: translate("RuleOutcome", "Rule is broken"),
        Outcome.EXCEPTED: translate("RuleOutcome", "Excepted"),
    }[outcome]


@cache
def applies_word(applies: Applies) -> str:
    return {
        Applies.REQUEST: translate("RuleApplies", "Launches"),
        Applies.INSTANCE: translate("RuleApplies", "Instances"),
        Applies.BOTH: translate("RuleApplies", "Both"),
    }[applies]


@cache
def signature_word(state: str) -> str:
    """Of what `Rules.signature_of` answers."""
    return {
        "shipped": translate("PackSignature", "came with the console"),
        "unsigned": translate("PackSignature", "not signed"),
        "signed": translate("PackSignature", "signed here"),
        "bad": translate("PackSignature", "signature does not hold"),
        "unknown": translate("PackSignature", "signed, and no key here to compare with"),
    }[state]


def part_text(assignment: Assignment) -> str:
    """For which part of the fleet a pack is on: `env=prod, embedded`, or the whole fleet."""
    parts = [f"{key}={assignment.labels[key]}" for key in sorted(assignment.labels)]
    if assignment.provider:
        parts.append(assignment.provider)
    return ", ".join(parts) or translate("PackMode", "the whole fleet")
