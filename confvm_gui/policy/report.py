"""A compliance report for an auditor: one HTML page that needs nothing else, with everything escaped.

Without script, pictures or addresses to load, so that it can be kept, mailed and printed. Its tables are of the kind
that Qt's rich text prints as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.policy import (
    Assignment,
    Compliance,
    CompliancePoint,
    ComplianceRecord,
    Outcome,
    Pack,
    RuleException,
    RuleFinding,
)

_STYLE: Final = """
body { font-family: sans-serif; font-size: 10pt; color: #1b1b1b; background: #ffffff; margin: 2em; }
h1 { font-size: 17pt; } h2 { font-size: 13pt; margin-top: 1.5em; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #9a9a9a; padding: 3px 6px; text-align: left; vertical-align: top; }
th { background: #ececec; } .violating, .broken { color: #a30000; font-weight: bold; }
.warning, .excepted { color: #7a4a00; font-weight: bold; } .compliant { color: #00601a; }
code { font-family: monospace; font-size: 8pt; }
"""

_SIDES: Final = (("provider", "By provider"), ("rule", "By rule"), ("label", "By label"))


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """One instance in a report."""

    instance: Instance
    record: ComplianceRecord
    evidence: tuple[str, ...] = ()
    """`snp-report 12ab…`: format and SHA-256 of the evidence that its facts stand on."""


@dataclass(frozen=True, slots=True)
class ReportContent:
    """What a report says. Times are seconds since the epoch."""

    at: float
    made_by: str
    where: str
    """Whose fleet: the data directory."""
    entries: Sequence[ReportEntry]
    points: Sequence[CompliancePoint]
    packs: Sequence[Pack]
    assignments: Sequence[Assignment]
    exceptions: Sequence[RuleException]


def report_html(content: ReportContent) -> str:
    """The whole page."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Compliance report</title>',
        f"<style>{_STYLE}</style></head><body>",
        "<h1>Compliance report</h1>",
        f"<p>Made {_time(content.at)} by {escape(content.made_by)} over {escape(content.where)}.</p>",
        *_summary(content),
        *_rules_in_force(content),
        *_exceptions(content),
        *_findings(content),
        *_evidence(content),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _summary(content: ReportContent) -> list[str]:
    lines = ["<h2>Summary</h2>"]
    if not content.assignments:
        lines.append("<p>No pack of rules is on: nothing was judged, and nothing is denied.</p>")
    fleet = [point for point in content.points if point.kind == "fleet"]
    header = ("", "Compliant", "Warning", "Violating", "Unguarded")
    lines += _table(header, [_counts("All instances", point) for point in fleet])
    for kind, title in _SIDES:
        points = [point for point in content.points if point.kind == kind]
        if points:
            lines.append(f"<h2>{title}</h2>")
            lines += _table(header, [_counts(point.key, point) for point in points])
    return lines


def _rules_in_force(content: ReportContent) -> list[str]:
    lines = ["<h2>Rules in force</h2>"]
    packs = {(pack.name, pack.version): pack for pack in content.packs}
    for each in content.assignments:
        labels = ", ".join(f"{key}={value}" for key, value in each.labels.items()) or "all labels"
        where = f"{labels}; {each.provider or 'all providers'}"
        lines.append(f"<p><b>{escape(each.pack)} {each.version}</b>: {escape(each.mode.value)} ({escape(where)})</p>")
        pack = packs.get((each.pack, each.version))
        if pack is not None:
            rows = [(rule.id, rule.title, rule.expression, rule.source or pack.source) for rule in pack.rules]
            lines += _table(("Rule", "What it asks", "Expression", "Source"), [_cells(row, code=(2,)) for row in rows])
    return lines


def _exceptions(content: ReportContent) -> list[str]:
    if not content.exceptions:
        return []
    rows = [
        _cells((f"{one.pack}/{one.rule}", one.subject or "all instances", one.reason, one.granted_by))
        + f"<td>{_time(one.until)}{'' if one.until > content.at else ' (ended)'}</td>"
        for one in content.exceptions
    ]
    return ["<h2>Exceptions</h2>", *_table(("Rule", "Instance", "Reason", "Granted by", "Until"), rows)]


def _findings(content: ReportContent) -> list[str]:
    rows = [
        _finding(entry, finding)
        for entry in sorted(content.entries, key=lambda entry: (_ORDER[entry.record.compliance], entry.instance.name))
        for finding in entry.record.findings
    ]
    if not rows:
        return ["<h2>Findings</h2>", "<p>There are none.</p>"]
    header = ("Instance", "Provider", "Rule", "Outcome", "What is wrong and what would pass", "Observed")
    return ["<h2>Findings</h2>", *_table(header, rows)]


_ORDER: Final = {
    Compliance.VIOLATING: 0,
    Compliance.WARNING: 1,
    Compliance.COMPLIANT: 2,
    Compliance.UNGUARDED: 3,
}


def _finding(entry: ReportEntry, finding: RuleFinding) -> str:
    if finding.outcome is Outcome.FAILS:
        kind = "violating" if entry.record.compliance is Compliance.VIOLATING else "warning"
    else:
        kind = finding.outcome.value
    words = f"{finding.outcome.value} ({finding.mode.value})"
    return (
        _cells((entry.instance.name, entry.instance.provider, f"{finding.pack}/{finding.rule}"))
        + f'<td class="{kind}">{escape(words)}</td>'
        + _cells((finding.message, finding.actual), code=(1,))
    )


def _evidence(content: ReportContent) -> list[str]:
    rows = [
        _cells((entry.instance.name, entry.instance.id, digest), code=(1, 2))
        for entry in content.entries
        for digest in entry.evidence
    ]
    if not rows:
        return ["<h2>Evidence</h2>", "<p>No evidence of these instances is kept.</p>"]
    return [
        "<h2>Evidence</h2>",
        "<p>SHA-256 of the latest evidence of each format, as the data directory keeps it.</p>",
        *_table(("Instance", "Id", "Evidence"), rows),
    ]


def _counts(title: str, point: CompliancePoint) -> str:
    return _cells((title, *map(str, (point.compliant, point.warning, point.violating, point.unguarded))))


def _cells(texts: Iterable[str], code: Sequence[int] = ()) -> str:
    return "".join(
        f"<td><code>{escape(text)}</code></td>" if at in code else f"<td>{escape(text)}</td>"
        for at, text in enumerate(texts)
    )


def _table(header: Sequence[str], rows: Sequence[str]) -> list[str]:
    heads = "".join(f"<th>{escape(head)}</th>" for head in header)
    return [f"<table><tr>{heads}</tr>", *(f"<tr>{row}</tr>" for row in rows), "</table>"]


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
