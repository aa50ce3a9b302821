"""What the rules say of one instance: a card of its overview, which is not there while they say nothing."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.policy import Compliance, ComplianceRecord, Mode, Outcome, RuleFinding
from confvm_gui.fleet.guard.service import Guardrails
from confvm_gui.ui.models.compliance_words import compliance_meaning, outcome_word
from confvm_gui.ui.text import breakable, compliance_word
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.looks import Card, Note, Tone, ToneLabel, heading

_TONES = {
    Compliance.COMPLIANT: Tone.GOOD,
    Compliance.WARNING: Tone.WARNING,
    Compliance.VIOLATING: Tone.BAD,
    Compliance.UNGUARDED: Tone.MUTED,
}


def finding_tone(finding: RuleFinding) -> Tone:
    """An exception is told too: somebody has to end it."""
    if finding.outcome is Outcome.EXCEPTED:
        return Tone.MUTED
    return Tone.BAD if finding.mode is Mode.ENFORCE else Tone.WARNING


def finding_text(finding: RuleFinding) -> str:
    """`hygiene/secure-boot-on: Secure Boot is off …`."""
    excepted = f" ({outcome_word(finding.outcome)})" if finding.outcome is Outcome.EXCEPTED else ""
    return f"{finding.pack}/{finding.rule}{excepted}: {finding.message}"


class ComplianceCard(Card):
    """Shows the record of the instance that it is given, and again when `show_again` is called."""

    def __init__(self, guard: Guardrails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("instance-compliance")
        self._guard = guard
        self._instance_id = ""
        self._shown: ComplianceRecord | None = None
        self._notes: list[Note] = []
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT + 4, UNIT * 2, UNIT + 4)
        rows.setSpacing(6)
        rows.addWidget(heading(self.tr("Compliance"), self, 1.1))
        self.state = Note("", Tone.MUTED, self)
        self.state.setObjectName("instance-compliance-state")
        rows.addWidget(self.state)
        self._rules = ToneLabel("", Tone.MUTED, self)
        rows.addWidget(self._rules)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(5)
        rows.addLayout(self._rows)
        self.hide()

    def show_instance(self, instance: Instance | None) -> None:
        """Show what is known of it now."""
        self._instance_id = instance.id if instance is not None else ""
        self.show_again()

    def show_again(self) -> None:
        """The rules, or what they found, may be others."""
        record = self._guard.record(self._instance_id) if self._instance_id else None
        self.setVisible(record is not None)
        if record is None or (
            self._shown is not None
            and (record.subject, record.findings, record.compliance, record.rules)
            == (self._shown.subject, self._shown.findings, self._shown.compliance, self._shown.rules)
        ):
            return
        self._shown = record
        word = compliance_word(record.compliance.value)
        self.state.show_text(f"{word}: {compliance_meaning(record.compliance)}", _TONES[record.compliance])
        self._rules.setText(self.tr("%n rule(s) look at it", "", record.rules))
        self._rules.setVisible(record.rules > 0)
        for note in self._notes:
            self._rows.removeWidget(note)
            note.hide()
            note.deleteLater()
        self._notes = []
        for finding in record.findings:
            note = Note(breakable(finding_text(finding)), finding_tone(finding), self)
            note.setToolTip(f"{finding.actual}\n{finding.source}".strip())
            self._rows.addWidget(note)
            self._notes.append(note)
