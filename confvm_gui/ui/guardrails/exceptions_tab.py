"""Emergency exceptions: rules that are not enforced for a while, who granted that, why, and until when.

Object names for tests and the tour: `exceptions-tab`, `exception-rule`, `exception-subject`, `exception-time`,
`exception-reason`, `exception-grant`, `exception-message`, `exceptions`, `exception-end`.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QHeaderView, QLineEdit, QPushButton, QWidget

from confvm_gui.domain.errors import ConfvmError, NeedsApproval
from confvm_gui.domain.policy import Mode, RuleException
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.guard.rules import EXCEPTION
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.guardrails.compliance_tab import quiet_table
from confvm_gui.ui.models.exceptions_model import ExceptionsModel, runs
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label

_HOUR: Final = 3600.0
_TICK_MS: Final = 1000


class ExceptionsTab(QWidget):
    """A form for a further one, and all that were granted."""

    def __init__(self, session: FleetSession, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("exceptions-tab")
        self._session = session
        self._rules = session.guard.rules
        self._tasks = tasks
        self.model = ExceptionsModel(self)
        rows = column(self, spacing=SPACING + 4)
        rows.setContentsMargins(0, SPACING + 4, 0, 0)
        rows.addWidget(self._build_form())
        rows.addWidget(self._build_list(), 1)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._time_passed)

    # Building

    def _build_form(self) -> QWidget:
        card = Card(self)
        inside = column(card, margin=14, spacing=6)
        inside.addWidget(heading(self.tr("Do not enforce a rule for a while"), card, 1.05))
        self._explanation = ToneLabel("", Tone.MUTED, card)
        inside.addWidget(self._explanation)
        self.rule = QComboBox(card)
        self.rule.setObjectName("exception-rule")
        self.rule.setMinimumContentsLength(24)
        self.rule.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.subject = QLineEdit(card)
        self.subject.setObjectName("exception-subject")
        self.subject.setMaxLength(64)
        self.subject.setPlaceholderText(self.tr("all instances"))
        self.time = QComboBox(card)
        self.time.setObjectName("exception-time")
        for text, seconds in (
            (self.tr("1 hour"), _HOUR),
            (self.tr("4 hours"), 4 * _HOUR),
            (self.tr("1 day"), 24 * _HOUR),
            (self.tr("7 days"), 7 * 24 * _HOUR),
            (self.tr("30 days"), 30 * 24 * _HOUR),
        ):
            self.time.addItem(text, seconds)
        self.reason = QLineEdit(card)
        self.reason.setObjectName("exception-reason")
        self.reason.setMaxLength(500)
        self.reason.setPlaceholderText(self.tr("for whoever asks later"))
        self.reason.textChanged.connect(self._show_state)
        self.reason.returnPressed.connect(self._grant)
        self.grant = QPushButton(self.tr("&Grant"), card)
        self.grant.setObjectName("exception-grant")
        self.grant.setProperty("kind", "primary")
        self.grant.clicked.connect(self._grant)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING)
        grid.setVerticalSpacing(4)
        for at, (label, field, stretch) in enumerate(
            (
                (self.tr("R&ule"), self.rule, 4),
                (self.tr("Na&me of an instance"), self.subject, 3),
                (self.tr("&For"), self.time, 1),
                (self.tr("Rea&son"), self.reason, 5),
            )
        ):
            grid.addWidget(field_label(label, field, card), 0, at)
            grid.addWidget(field, 1, at)
            grid.setColumnStretch(at, stretch)
        grid.addWidget(self.grant, 1, 4)
        inside.addLayout(grid)
        self.message = Note("", Tone.MUTED, card)
        self.message.setObjectName("exception-message")
        self.message.hide()
        inside.addWidget(self.message)
        return card

    def _build_list(self) -> QWidget:
        card = Card(self)
        inside = column(card, margin=12, spacing=SPACING)
        self.table = quiet_table("exceptions", self.tr("Exceptions"), card)
        self.table.setModel(self.model)
        header = self.table.horizontalHeader()
        for at, width in enumerate((150, 230, 150, 240, 120, 150)):
            self.table.setColumnWidth(at, width)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_state())
        self.end = QPushButton(self.tr("&End it now"), card)
        self.end.setObjectName("exception-end")
        self.end.clicked.connect(self._revoke)
        below = QHBoxLayout()
        below.addStretch(1)
        below.addWidget(self.end)
        inside.addWidget(self.table, 1)
        inside.addLayout(below)
        return card

    # Showing

    def refresh(self) -> None:
        """Show what there is now."""
        if not self.isVisible():
            return
        shown = self.rule.currentText()
        on = {(one.pack, one.version) for one in self._rules.assignments() if one.mode is not Mode.OFF}
        names = [
            f"{pack.name}/{rule.id}"
            for pack in self._rules.packs()
            if (pack.name, pack.version) in on
            for rule in pack.rules
        ]
        if names != [self.rule.itemText(at) for at in range(self.rule.count())]:
            self.rule.clear()
            self.rule.addItems(names)
            self.rule.setCurrentIndex(max(0, self.rule.findText(shown)))
        text = self.tr("Granting one is recorded, shown in every report, and ends by itself.")
        if self._session.approvals.needed(EXCEPTION):
            text += " " + self.tr("Here it needs a second person.")
        if not names:
            text = self.tr("No pack is on, so there is nothing to except from.")
        self._explanation.setText(text)
        self.model.show_exceptions(self._rules.exceptions())
        if any(runs(one) for one in self._rules.exceptions()):
            self._tick.start()
        self._show_state()

    def _time_passed(self) -> None:
        if not self.isVisible() or not any(runs(one) for one in self._rules.exceptions()):
            self._tick.stop()
        self.model.tick()
        self._show_state()

    def _selected(self) -> RuleException | None:
        index = self.table.currentIndex()
        return self.model.exception(index.row()) if index.isValid() else None

    def _show_state(self) -> None:
        allowed = not self._session.readonly and self._session.access.permits(Permission.MANAGE_POLICY)
        self.grant.setEnabled(allowed and self.rule.count() > 0 and bool(self.reason.text().strip()))
        self.grant.setToolTip("" if self.reason.text().strip() else self.tr("Say why; an auditor will ask"))
        selected = self._selected()
        self.end.setEnabled(allowed and selected is not None and runs(selected))

    # Doing

    def _grant(self) -> None:
        if not self.grant.isEnabled():
            return
        self._tasks.start("grant", self._ask(), on_done=self._granted, on_error=self._refused)

    async def _ask(self) -> str:
        """What came of it, in words."""
        pack, _, rule = self.rule.currentText().partition("/")
        try:
            granted = await self._rules.grant(
                pack, rule, self.subject.text().strip(), self.reason.text(), float(self.time.currentData())
            )
        except NeedsApproval as waiting:
            return waiting.message
        return self.tr("{0}/{1} is not enforced any more.").format(granted.pack, granted.rule)

    def _granted(self, message: str) -> None:
        self.reason.clear()
        self.message.show_text(message, Tone.WARNING)
        self.refresh()

    def _refused(self, message: str) -> None:
        self.message.show_text(message, Tone.BAD)

    def _revoke(self) -> None:
        selected = self._selected()
        if selected is None:
            return
        try:
            self._rules.revoke(selected.id)
        except ConfvmError as error:
            self._refused(error.message)
            return
        self.message.show_text(self.tr("{0}/{1} is enforced again.").format(selected.pack, selected.rule), Tone.GOOD)
        self.refresh()
