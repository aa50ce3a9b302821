"""Turns a pack on for the fleet or a part of it, after a test has said what it would find there.

Object names for tests and the tour: `switch-mode`, `switch-labels`, `switch-provider`, `switch-test`, `switch-result`,
`switch-on`, `switch-problem`.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.policy import Assignment, Mode, Pack
from confvm_gui.fleet.guard.service import Guardrails, PackTest
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.models.compliance_words import mode_word
from confvm_gui.ui.text import count_text
from confvm_gui.ui.wizard.label_text import parse_labels
from confvm_gui.ui.wizard.looks import SPACING, FieldError, Note, Tone, heading
from confvm_gui.ui.wizard.page import column, field_label

_TEST = "test pack"
_MOST_GROUPS = 5


class SwitchForm(QWidget):
    """Emits `wanted` with an Assignment, `tested` with a PackTest; a change of the part asks for another test."""

    wanted = Signal(object)
    tested = Signal(object)

    def __init__(self, guard: Guardrails, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._guard = guard
        self._tasks = tasks
        self._pack: Pack | None = None
        self._allowed = True
        self._tested = False
        self.mode = QComboBox(self)
        self.mode.setObjectName("switch-mode")
        for mode in (Mode.ENFORCE, Mode.WARN):
            self.mode.addItem(mode_word(mode), mode)
        self.mode.setToolTip(self.tr("Enforce denies launches; warn only tells"))
        self.labels = QLineEdit(self)
        self.labels.setObjectName("switch-labels")
        self.labels.setPlaceholderText(self.tr("all, or env=prod, team=risk"))
        self.labels.textChanged.connect(self._part_changed)
        self.provider = QComboBox(self)
        self.provider.setObjectName("switch-provider")
        self.provider.setMinimumContentsLength(12)
        self.provider.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.provider.currentIndexChanged.connect(self._part_changed)
        self.test = QPushButton(self.tr("&Test on the fleet"), self)
        self.test.setObjectName("switch-test")
        self.test.setToolTip(self.tr("Counts what the pack would find now; nothing is turned on"))
        self.test.clicked.connect(self._run_test)
        self.turn_on = QPushButton(self.tr("Turn &on"), self)
        self.turn_on.setObjectName("switch-on")
        self.turn_on.setProperty("kind", "primary")
        self.turn_on.clicked.connect(self._turn_on)
        self.problem = FieldError(self)
        self.problem.setObjectName("switch-problem")
        self.result = Note("", Tone.MUTED, self)
        self.result.setObjectName("switch-result")
        self.result.hide()
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING)
        grid.setVerticalSpacing(4)
        for at, (label, field) in enumerate(
            (
                (self.tr("&Mode"), self.mode),
                (self.tr("Only instances with the &labels"), self.labels),
                (self.tr("Only of the &provider"), self.provider),
            )
        ):
            grid.addWidget(field_label(label, field, self), 0, at)
            grid.addWidget(field, 1, at)
        grid.setColumnStretch(1, 3)
        grid.setColumnStretch(2, 2)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACING)
        buttons.addWidget(self.test)
        buttons.addWidget(self.turn_on)
        buttons.addStretch(1)
        rows = column(self, spacing=6)
        rows.addWidget(heading(self.tr("Turn it on"), self, 1.05))
        rows.addLayout(grid)
        rows.addWidget(self.problem)
        rows.addLayout(buttons)
        rows.addWidget(self.result)

    def show_pack(self, pack: Pack | None, providers: Sequence[tuple[str, str]], *, allowed: bool) -> None:
        """`providers`: name and title of each; `allowed`: whether anything may be changed."""
        if pack != self._pack:
            self._pack = pack
            self._forget_test()
        self._allowed = allowed
        shown = [(self.tr("any provider"), ""), *((title, name) for name, title in providers)]
        if shown != [(self.provider.itemText(at), self.provider.itemData(at)) for at in range(self.provider.count())]:
            chosen = self.provider.currentData()
            self.provider.blockSignals(True)
            self.provider.clear()
            for title, name in shown:
                self.provider.addItem(title, name)
            self.provider.setCurrentIndex(max(0, self.provider.findData(chosen)))
            self.provider.blockSignals(False)
        self._show_state()

    def _assignment(self) -> Assignment | None:
        """What the fields say; None, and the reason below them, where that is nothing."""
        if self._pack is None:
            return None
        try:
            labels = parse_labels(self.labels.text())
        except InvalidInput as error:
            self.problem.show_problem(error.message)
            return None
        self.problem.show_problem("")
        mode = self.mode.currentData()
        assert isinstance(mode, Mode)
        return Assignment(self._pack.name, self._pack.version, mode, labels, str(self.provider.currentData() or ""))

    def _part_changed(self) -> None:
        self._assignment()
        self._forget_test()
        self._show_state()

    def _forget_test(self) -> None:
        self._tested = False
        self._tasks.cancel(_TEST)
        self.result.show_text("")

    def _show_state(self) -> None:
        busy = self._tasks.is_running(_TEST)
        fine = self._pack is not None and not self.problem.text()
        self.test.setEnabled(fine and not busy)
        self.turn_on.setEnabled(fine and self._allowed and self._tested)
        self.turn_on.setToolTip("" if self._tested else self.tr("Test it first: then you know what it would deny"))

    def _run_test(self) -> None:
        wanted = self._assignment()
        if wanted is None or self._pack is None:
            return
        self.result.show_text(self.tr("Testing …"), Tone.MUTED)
        work = self._guard.test(self._pack, labels=wanted.labels, provider=wanted.provider)
        self._tasks.start(_TEST, work, on_done=self._show_test, on_error=self._test_failed)
        self._show_state()

    def _show_test(self, found: PackTest) -> None:
        self._tested = True
        failing = found.instances - found.compliant
        if found.faults:
            text = self.tr("{0} of its rules cannot be evaluated: they would deny every launch").format(
                count_text(len(found.faults))
            )
            tone = Tone.BAD
        elif not found.instances:
            text, tone = self.tr("There is no instance in this part of the fleet yet"), Tone.MUTED
        elif failing:
            text = self.tr("{0} of {1} instances would not comply; below, by rule").format(
                count_text(failing), count_text(found.instances)
            )
            tone = Tone.WARNING
        else:
            text = self.tr("All {0} instances would comply").format(count_text(found.instances))
            tone = Tone.GOOD
        groups = self._groups(found) if failing else ""
        self.result.show_text(f"{text}\n{groups}" if groups else text, tone)
        self.tested.emit(found)
        self._show_state()

    def _groups(self, found: PackTest) -> str:
        """`embedded: 3 of 9, env=prod: 3 of 4`: the providers and groups that it hits hardest."""
        hit = [point for point in found.points if point.kind in ("provider", "label") and point.violating]
        hit.sort(key=lambda point: -point.violating)
        return ", ".join(
            self.tr("{0}: {1} of {2}").format(
                point.key, count_text(point.violating), count_text(point.violating + point.compliant)
            )
            for point in hit[:_MOST_GROUPS]
        )

    def _test_failed(self, message: str) -> None:
        self.result.show_text(message, Tone.BAD)
        self._show_state()

    def _turn_on(self) -> None:
        wanted = self._assignment()
        if wanted is not None:
            self.wanted.emit(wanted)
