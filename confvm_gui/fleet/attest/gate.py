"""Why a launch is refused, in a sentence that a person understands."""

from __future__ import annotations

from confvm_gui.attestation.codes import SENTENCES, Code
from confvm_gui.domain.attestation import Finding, Verdict
from confvm_gui.domain.errors import EvidenceRefused
from confvm_gui.domain.event import Severity
from confvm_gui.fleet.attest.judgement import Judgement

_SHOWN = 16
"""Hex digits of a measurement in a sentence; both are whole in the error's fields."""


def refusal(name: str, judgement: Judgement, record_id: str) -> EvidenceRefused:
    """The error for a launch of `name` that is not trusted."""
    return EvidenceRefused(
        _sentence(name, judgement),
        record_id=record_id,
        expected=judgement.expected,
        actual=judgement.actual,
        differs=judgement.differs,
    )


def first_problem(verdict: Verdict) -> str:
    """The first finding that speaks against it, as a clause; "" if none does."""
    errors = _errors(verdict)
    if not errors:
        return ""
    more = len(errors) - 1
    rest = f", and {more} more problem{'s' if more > 1 else ''}" if more else ""
    return f"{errors[0].source}: {_lowered(_meaning(errors[0]))}{rest}"


def _sentence(name: str, judgement: Judgement) -> str:
    # Any other error says more than the measurement does: a forged report can show any digest.
    others = [finding for finding in _errors(judgement.verdict) if finding.code != Code.MEASUREMENT_MISMATCH]
    if judgement.expected and not others:
        what = judgement.differs or (
            f"its measurement is {_shortened(judgement.actual)}, expected was {_shortened(judgement.expected)}"
        )
        return f"What was launched as {name} is not what was expected, and no key was released to it: {what}"
    problem = first_problem(judgement.verdict)
    return f"What {name} says of its launch is not trusted, and no key was released to it: {problem}"


def _errors(verdict: Verdict) -> list[Finding]:
    return [finding for finding in verdict.findings if finding.severity is Severity.ERROR]


def _meaning(finding: Finding) -> str:
    try:
        return SENTENCES[Code(finding.code)]
    except ValueError:
        return finding.code


def _lowered(sentence: str) -> str:
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def _shortened(hex_digits: str) -> str:
    return hex_digits if len(hex_digits) <= _SHOWN else f"{hex_digits[:_SHOWN]}…"
