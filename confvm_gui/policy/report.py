"""A compliance report for an auditor: one HTML page that needs nothing else, with everything escaped.

Without script, pictures or addresses to load, so that it can be kept, mailed and printed; evidence is within it as
files to take out. Its tables are of the kind that Qt's rich text prints as well.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
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
    Mode,
    Outcome,
    Pack,
    RuleException,
    RuleFinding,
)

STYLE: Final = """
body { font-family: sans-serif; font-size: 10pt; color: #1b1b1b; background: #ffffff; margin: 2em; }
h1 { font-size: 17pt; } h2 { font-size: 13pt; margin-top: 1.5em; }
table { border-collapse: collapse; } p { margin: 4px 0 8px 0; }
th, td { border: 1px solid #9a9a9a; padding: 3px 6px; text-align: left; vertical-align: top; }
th { background: #ececec; } .violating, .broken { color: #a30000; font-weight: bold; }
.warning, .excepted { color: #7a4a00; font-weight: bold; } .compliant { color: #00601a; }
code { font-family: monospace; font-size: 8pt; }
"""

"""Of a report. Qt's rich text understands it as well."""

_SIDES: Final = (("provider", "By provider"), ("rule", "By rule"), ("label", "By label"))


@dataclass(frozen=True, slots=True)
class Attachment:
    """Evidence of an instance, with what it was verified with, as `confvm verify` takes it."""

    file: str
    """A name that no other attachment of the report has."""
    format: str
    at: float
    """When it was verified, seconds since the epoch."""
    verdict: str
    digest: str
    """SHA-256 of the evidence, in hex."""
    bundle: bytes
    """A zip; empty where it was left out for its size."""


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """One instance in a report."""

    instance: Instance
    record: ComplianceRecord
    evidence: tuple[Attachment, ...] = ()
    """The latest of each format."""


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
    left_out: int = 0
    """Attachments of which only the digest is told: there were too many."""

    @property
    def attachments(self) -> Sequence[Attachment]:
        """Those that are there as files."""
        return [each for entry in self.entries for each in entry.evidence if each.bundle]


@dataclass(frozen=True, slots=True)
class _Cell:
    """What stands in one place of a table."""

    text: str
    kind: str = ""
    """Class in the style sheet, or `code`."""
    link: str = ""
    """HTML in place of the text."""

    def html(self, width: int) -> str:
        inside = self.link or escape(self.text)
        if self.kind == "code":
            return f'<td width="{width}%"><code>{inside}</code></td>'
        marked = f' class="{self.kind}"' if self.kind else ""
        return f'<td width="{width}%"{marked}>{inside}</td>'


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A heading, what stands below it, and perhaps a table. All of it HTML with everything escaped."""

    intro: str
    header: str = ""
    """A row of the table, "" where there is none."""
    rows: Sequence[str] = ()


def report_html(content: ReportContent) -> Iterator[str]:
    """The whole page, evidence within it, piece by piece: it can be large."""
    yield "<!DOCTYPE html>\n"
    yield '<html lang="en"><head><meta charset="utf-8"><title>Compliance report</title>\n'
    yield f"<style>{STYLE}</style></head><body>\n"
    for section in report_sections(content, embed=True):
        yield f"{section.intro}\n"
        if section.header:
            yield f"{_TABLE}\n{section.header}\n"
            for row in section.rows:
                yield f"{row}\n"
            yield "</table>\n"
    yield "</body></html>\n"


_TABLE: Final = '<table width="100%">'


def report_table(header: str, rows: Iterable[str]) -> str:
    """Rows of a section as a table; columns are as wide in each part of it."""
    return "\n".join([_TABLE, *([header] if header else []), *rows, "</table>"])


def report_sections(content: ReportContent, *, embed: bool = False) -> list[ReportSection]:
    """All that it says, in order. `embed`: evidence lies in its section itself; otherwise it is named there."""
    return [
        _head(content),
        *_summary(content),
        *_rules_in_force(content),
        *_exceptions(content),
        _findings(content),
        _instances(content),
        _evidence(content, embed),
    ]


def _head(content: ReportContent) -> ReportSection:
    made = f"Made {_time(content.at)} by {escape(content.made_by)} over {escape(content.where)}."
    return ReportSection(f"<h1>Compliance report</h1>\n<p>{made}</p>")


def _section(
    title: str,
    lines: Sequence[str] = (),
    columns: Sequence[tuple[str, int]] = (),
    rows: Iterable[Sequence[_Cell]] = (),
) -> ReportSection:
    """`columns`: title and width in percent of each."""
    widths = [width for _, width in columns]
    header = "".join(f'<th width="{width}%">{escape(name)}</th>' for name, width in columns)
    return ReportSection(
        "\n".join([f"<h2>{title}</h2>", *lines]),
        f"<tr>{header}</tr>" if header else "",
        ["<tr>" + "".join(cell.html(width) for cell, width in zip(row, widths, strict=True)) + "</tr>" for row in rows],
    )


_COUNTED: Final = (("", 48), ("Compliant", 13), ("Warning", 13), ("Violating", 13), ("Unguarded", 13))


def _counts(title: str, point: CompliancePoint) -> list[_Cell]:
    counts = (point.compliant, point.warning, point.violating, point.unguarded)
    return [_Cell(title), *(_Cell(str(count)) for count in counts)]


def _summary(content: ReportContent) -> list[ReportSection]:
    nothing = "<p>No pack of rules is on: nothing was judged, and nothing is denied.</p>"
    fleet = [_counts("All instances", point) for point in content.points if point.kind == "fleet"]
    found = [_section("Summary", () if content.assignments else (nothing,), _COUNTED, fleet)]
    for kind, title in _SIDES:
        rows = [_counts(point.key, point) for point in content.points if point.kind == kind]
        if rows:
            found.append(_section(title, (), _COUNTED, rows))
    return found


def _rules_in_force(content: ReportContent) -> list[ReportSection]:
    packs = {(pack.name, pack.version): pack for pack in content.packs}
    found = [] if content.assignments else [_section("Rules in force", ("<p>There are none.</p>",))]
    columns = (("Rule", 16), ("What it asks", 24), ("Expression", 32), ("Source", 28))
    for each in content.assignments:
        labels = ", ".join(f"{key}={value}" for key, value in each.labels.items()) or "all labels"
        where = f"{labels}; {each.provider or 'all providers'}"
        told = f"<p><b>{escape(each.pack)} {each.version}</b>: {escape(each.mode.value)} ({escape(where)})</p>"
        pack = packs.get((each.pack, each.version))
        if pack is None:
            found.append(_section("Rules in force", (told, "<p>This pack is not there any more.</p>")))
            continue
        rows = [
            (_Cell(rule.id), _Cell(rule.title), _Cell(rule.expression, "code"), _Cell(rule.source or pack.source))
            for rule in pack.rules
        ]
        found.append(_section("Rules in force", (told,), columns, rows))
    return found


def _exceptions(content: ReportContent) -> list[ReportSection]:
    if not content.exceptions:
        return []
    rows = [
        (
            _Cell(f"{one.pack}/{one.rule}"),
            _Cell(one.subject or "all instances"),
            _Cell(one.reason),
            _Cell(one.granted_by),
            _Cell(_time(one.until) + ("" if one.until > content.at else " (ended)")),
        )
        for one in content.exceptions
    ]
    columns = (("Rule", 24), ("Instance", 18), ("Reason", 28), ("Granted by", 14), ("Until", 16))
    return [_section("Exceptions", (), columns, rows)]


_ORDER: Final = {
    Compliance.VIOLATING: 0,
    Compliance.WARNING: 1,
    Compliance.COMPLIANT: 2,
    Compliance.UNGUARDED: 3,
}


def _in_order(content: ReportContent) -> list[ReportEntry]:
    """The gravest first."""
    return sorted(content.entries, key=lambda entry: (_ORDER[entry.record.compliance], entry.instance.name))


def _findings(content: ReportContent) -> ReportSection:
    if not any(entry.record.findings for entry in content.entries):
        return _section("Findings", ("<p>There are none.</p>",))
    rows = (_finding(entry, finding) for entry in _in_order(content) for finding in entry.record.findings)
    columns = (
        ("Instance", 14),
        ("Provider", 10),
        ("Rule", 18),
        ("Outcome", 12),
        ("What is wrong and what would pass", 26),
        ("Observed", 20),
    )
    return _section("Findings", (), columns, rows)


def _finding(entry: ReportEntry, finding: RuleFinding) -> Sequence[_Cell]:
    kind = finding.outcome.value
    if finding.outcome is Outcome.FAILS:
        kind = "violating" if finding.mode is Mode.ENFORCE else "warning"
    return (
        _Cell(entry.instance.name),
        _Cell(entry.instance.provider),
        _Cell(f"{finding.pack}/{finding.rule}"),
        _Cell(f"{finding.outcome.value} ({finding.mode.value})", kind),
        _Cell(finding.message),
        _Cell(finding.actual, "code"),
    )


def _instances(content: ReportContent) -> ReportSection:
    if not content.entries:
        return _section("Instances", ("<p>None was judged.</p>",))
    rows = (
        (
            _Cell(each.instance.name),
            _Cell(each.instance.id, "code"),
            _Cell(each.instance.provider),
            _Cell(each.instance.technology.value),
            _Cell(each.record.compliance.value, each.record.compliance.value),
            _Cell(str(each.record.rules)),
            _Cell(_time(each.record.at)),
        )
        for each in _in_order(content)
    )
    columns = (
        ("Instance", 20),
        ("Id", 24),
        ("Provider", 14),
        ("Technology", 10),
        ("Stands", 10),
        ("Rules", 6),
        ("Judged", 16),
    )
    return _section("Instances", (), columns, rows)


def _evidence(content: ReportContent, embed: bool) -> ReportSection:
    if not any(entry.evidence for entry in content.entries):
        return _section("Evidence", ("<p>No evidence of these instances is kept.</p>",))
    rows = (
        (
            _Cell(entry.instance.name),
            _Cell(each.format),
            _Cell(_time(each.at)),
            _Cell(each.verdict),
            _Cell(each.digest, "code"),
            _file(each, embed),
        )
        for entry in content.entries
        for each in entry.evidence
    )
    lines = [
        "<p>The latest evidence of each format, with the certificates that it was verified with, is attached. "
        "<code>confvm verify FILE</code> verifies each file again, on any computer and without a network.</p>",
    ]
    if content.left_out:
        lines.append(
            f"<p>Of {content.left_out} more only the digest is told: together they are too large to attach.</p>"
        )
    columns = (
        ("Instance", 14),
        ("Format", 10),
        ("Verified", 14),
        ("Verdict", 12),
        ("SHA-256 of the evidence", 28),
        ("File", 22),
    )
    return _section("Evidence", lines, columns, rows)


def _file(attachment: Attachment, embed: bool) -> _Cell:
    if not attachment.bundle:
        return _Cell("not attached")
    name = escape(attachment.file)
    data = f"data:application/zip;base64,{b64encode(attachment.bundle).decode()}"
    link = f'<a download="{name}" href="{data}">{name}</a>' if embed else ""
    return _Cell(attachment.file, link=link)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
