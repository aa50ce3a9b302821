"""What the guardrails say, on the review page: denials with rule, field and change, warnings, or that nothing guards.

Object names for tests and the tour: `wizard.guard`, `wizard.guardState`, `wizard.guardFixes`, `wizard.applyFix`,
`wizard.guardKeys`, `wizard.guardChange.FIELD`.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from confvm_gui.domain.policy import Compliance, ComplianceRecord, Mode, Outcome, RuleFinding
from confvm_gui.fleet.guard.fixes import FixOutcome
from confvm_gui.ui.text import breakable
from confvm_gui.ui.wizard.field_names import field_title
from confvm_gui.ui.wizard.forced_list import ForcedList
from confvm_gui.ui.wizard.guarding import Guarding
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, heading
from confvm_gui.ui.wizard.page import column
from confvm_gui.ui.wizard.request_steps import step_of


class GuardCard(Card):
    """Redraws itself when more is known."""

    step_wanted = Signal(int)
    """A person wants to change the field of this step's page."""

    def __init__(self, guarding: Guarding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("wizard.guard")
        self._guarding = guarding
        self._rows: list[QWidget] = []
        inside = column(self, margin=14, spacing=SPACING)
        self._apply = QPushButton(self.tr("&Apply the changes below"), self)
        self._apply.setObjectName("wizard.applyFix")
        self._apply.setAutoDefault(False)
        self._apply.clicked.connect(guarding.apply)
        self._find_keys = QPushButton(self.tr("&Look for one of my keys"), self)
        self._find_keys.setObjectName("wizard.guardKeys")
        self._find_keys.setToolTip(self.tr("In the key stores of the page Keys; a token may ask for its PIN"))
        self._find_keys.setAutoDefault(False)
        self._find_keys.clicked.connect(guarding.find_keys)
        top = QHBoxLayout()
        top.setSpacing(SPACING)
        top.addWidget(heading(self.tr("Guardrails"), self, 1.05))
        top.addStretch(1)
        top.addWidget(self._find_keys)
        top.addWidget(self._apply)
        inside.addLayout(top)
        self._state = Note("", Tone.MUTED, self)
        self._state.setObjectName("wizard.guardState")
        inside.addWidget(self._state)
        self._findings = QVBoxLayout()
        self._findings.setSpacing(5)
        inside.addLayout(self._findings)
        self._fix_box = QWidget(self)
        fix_rows = column(self._fix_box, spacing=SPACING)
        self._fix_title = heading("", self._fix_box)
        self._fixes = ForcedList(self._fix_box)
        self._fixes.setObjectName("wizard.guardFixes")
        fix_rows.addWidget(self._fix_title)
        fix_rows.addWidget(self._fixes)
        inside.addWidget(self._fix_box)
        guarding.changed.connect(self.refresh)
        self.setVisible(guarding.asks)

    def refresh(self) -> None:
        """Show what is known now."""
        record, fixed = self._guarding.record, self._guarding.fixed
        if record is None:
            problem = self._guarding.problem
            self._state.show_text(problem or self.tr("Asking …"), Tone.BAD if problem else Tone.MUTED)
            self.set_tone(Tone.BAD if problem else Tone.PLAIN)
        else:
            self._show_state(record)
        findings = record.findings if record is not None else ()
        self._show_findings(findings)
        changes = self._guarding.forced_settings()
        self._fix_box.setVisible(bool(changes))
        self._apply.setVisible(bool(changes))
        self._find_keys.setVisible(self._guarding.wants_key)
        self._fixes.show_settings(changes)
        if fixed is not None and record is not None:
            self._fix_title.setText(self._fix_words(record, fixed))

    def _show_state(self, record: ComplianceRecord) -> None:
        match record.compliance:
            case Compliance.UNGUARDED:
                text = self.tr("Unguarded: no pack of rules that is on looks at it, so nothing is denied.")
                tone = Tone.WARNING
            case Compliance.VIOLATING:
                text, tone = self.tr("Denied: it is not created like this."), Tone.BAD
            case Compliance.WARNING:
                text, tone = self.tr("Allowed, with warnings."), Tone.WARNING
            case Compliance.COMPLIANT:
                text, tone = self.tr("Allowed: %n rule(s) hold", "", record.rules), Tone.GOOD
        self._state.show_text(text, tone)
        self.set_tone(tone if tone is not Tone.GOOD else Tone.PLAIN)

    def _fix_words(self, record: ComplianceRecord, fixed: FixOutcome) -> str:
        if fixed.record.denied:
            return self.tr("Nearer; the rest is for a person to decide")
        if record.denied:
            return self.tr("The nearest request that passes")
        return self.tr("With fewer warnings") if fixed.record.findings else self.tr("Without warnings")

    def _show_findings(self, findings: Sequence[RuleFinding]) -> None:
        for row in self._rows:
            self._findings.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = [self._row(finding) for finding in findings]
        for row in self._rows:
            self._findings.addWidget(row)

    def _row(self, finding: RuleFinding) -> QWidget:
        row = QWidget(self)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(SPACING)
        tone = Tone.BAD if finding.mode is Mode.ENFORCE else Tone.WARNING
        excepted = ""
        if finding.outcome is Outcome.EXCEPTED:
            tone, excepted = Tone.MUTED, self.tr(" (excepted)")
        title = field_title(finding.field) if finding.field else ""
        text = f"{finding.pack}/{finding.rule}{excepted} · {title}: {finding.message}"
        note = Note(breakable(text), tone, row)
        note.setToolTip(finding.source)
        line.addWidget(note, 1)
        if finding.field:
            change = QPushButton(self.tr("Change"), row)
            change.setObjectName(f"wizard.guardChange.{finding.field}")
            change.setProperty("kind", "link")
            change.setAutoDefault(False)
            change.setAccessibleName(self.tr("Change {0}").format(title))
            step = step_of(finding.field.partition(".")[0])
            change.clicked.connect(lambda _checked=False, wanted=step: self.step_wanted.emit(int(wanted)))
            line.addWidget(change, 0, Qt.AlignmentFlag.AlignTop)
        return row
