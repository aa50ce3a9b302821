"""A pack's text, checked while it is typed: what is wrong stands below it, and the line is marked.

Object names for tests and the tour: `pack-editor`, `pack-text`, `pack-problems`, `pack-save`, `pack-cancel`,
`pack-show-facts`, `pack-facts`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QModelIndex, QTimer, Signal
from PySide6.QtGui import QColor, QTextCursor, QTextFormat
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QPlainTextEdit, QPushButton, QTextEdit, QWidget

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.fleet.guard.shelf import PackProblem, pack_problems
from confvm_gui.policy.facts import FACTS
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.guardrails.compliance_tab import quiet_table
from confvm_gui.ui.models.fact_words import fact_meaning, fact_type_word
from confvm_gui.ui.models.text_rows_model import TextRowsModel
from confvm_gui.ui.theme import current_theme, monospace_font, theme_controller
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column

_CHECK: Final = "check pack"
_PAUSE_MS: Final = 250
_SHOWN: Final = 6
_FACTS_HEIGHT: Final = 190
_LINE: Final = re.compile(r"at line (\d+)")


class PackEditor(Card):
    """Emits `saved` with a text in which nothing is wrong, `cancelled` when it is to be put away."""

    saved = Signal(str)
    cancelled = Signal()

    def __init__(self, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pack-editor")
        self._tasks = tasks
        self._problems: Sequence[PackProblem] = ()
        self._checked = False
        self._title = heading("", self, 1.15)
        self.text = QPlainTextEdit(self)
        self.text.setObjectName("pack-text")
        self.text.setAccessibleName(self.tr("Text of the pack"))
        self.text.setFont(monospace_font())
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setTabChangesFocus(True)
        self.problems = Note("", Tone.BAD, self)
        self.problems.setObjectName("pack-problems")
        self.save = QPushButton(self.tr("&Save this version"), self)
        self.save.setObjectName("pack-save")
        self.save.setProperty("kind", "primary")
        self.save.clicked.connect(self._save)
        cancel = QPushButton(self.tr("Cancel"), self)
        cancel.setObjectName("pack-cancel")
        cancel.clicked.connect(self.cancelled)
        hint = ToneLabel(
            self.tr(
                "Expressions are CEL (Common Expression Language) over vm: vm.confidential, vm.region, vm.labels.env … "
                "A rule holds where its expression is true."
            ),
            Tone.MUTED,
            self,
        )
        self.show_facts = QPushButton(self.tr("What &rules can look at"), self)
        self.show_facts.setObjectName("pack-show-facts")
        self.show_facts.setCheckable(True)
        self.show_facts.toggled.connect(self._facts_wanted)
        self.facts = quiet_table("pack-facts", self.tr("What rules can look at"), self)
        self.facts.setFixedHeight(_FACTS_HEIGHT)
        self.facts.setToolTip(self.tr("Enter or a double click writes the name into the text"))
        self.facts.activated.connect(self._insert_fact)
        self.facts.hide()
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACING)
        buttons.addWidget(self.show_facts)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.save)
        inside = column(self, margin=14, spacing=SPACING)
        inside.addWidget(self._title)
        inside.addWidget(hint)
        inside.addWidget(self.text, 1)
        inside.addWidget(self.facts)
        inside.addWidget(self.problems)
        inside.addLayout(buttons)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._check)
        self.text.textChanged.connect(self._typed)
        theme_controller().changed.connect(self._mark)

    def edit(self, title: str, text: str, problems: Sequence[PackProblem] = ()) -> None:
        """Begin with `text`; `problems`: why it was not taken in as it is."""
        self._title.setText(title)
        self.text.setPlainText(text)
        self._pause.stop()
        if problems:
            self.refuse(problems)
        else:
            self._check()
        self.text.setFocus()

    def refuse(self, problems: Sequence[PackProblem]) -> None:
        """The text was not taken in: say why, until it is changed."""
        self._tasks.cancel(_CHECK)
        self._show(problems)
        if marks := self.text.extraSelections():
            self.text.setTextCursor(marks[0].cursor)
            self.text.centerCursor()

    def _facts_wanted(self, on: bool) -> None:
        if on and self.facts.model() is None:
            model = TextRowsModel(self)
            titles = (self.tr("Name"), self.tr("Type"), self.tr("What it says"))
            rows = [(name, fact_type_word(fact.type), fact_meaning(name)) for name, fact in FACTS.items()]
            model.show_rows(titles, rows)
            self.facts.setModel(model)
            self.facts.setColumnWidth(0, 210)
            self.facts.setColumnWidth(1, 120)
            self.facts.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.facts.setVisible(on)

    def _insert_fact(self, index: QModelIndex) -> None:
        self.text.insertPlainText(str(index.siblingAtColumn(0).data()))
        self.text.setFocus()

    def _typed(self) -> None:
        self._checked = False
        self.save.setEnabled(False)
        self._pause.start()

    def _check(self) -> None:
        text = self.text.toPlainText()
        work = in_daemon_thread("guardrails-pack", lambda _: pack_problems(text))
        self._tasks.start(_CHECK, work, on_done=self._show)

    def _show(self, problems: Sequence[PackProblem]) -> None:
        self._checked = True
        self._problems = problems
        lines = [f"{one.rule}: {one.message}" if one.rule else one.message for one in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            lines.append(self.tr("and {0} more").format(len(problems) - _SHOWN))
        if problems:
            self.problems.show_text("\n".join(lines), Tone.BAD)
        else:
            self.problems.show_text(self.tr("Every rule can be evaluated."), Tone.GOOD)
        self.save.setEnabled(not problems)
        self._mark()

    def _mark(self) -> None:
        """A coloured ground for each line that a problem is about."""
        found = []
        for problem in self._problems:
            line = self._line_of(problem)
            if line is None:
                continue
            mark = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.text.document().findBlockByNumber(line))
            cursor.clearSelection()
            mark.cursor = cursor
            mark.format.setBackground(QColor(current_theme().danger_soft))
            mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
            found.append(mark)
        self.text.setExtraSelections(found)

    def _line_of(self, problem: PackProblem) -> int | None:
        """Counted from 0: where a rule's expression stands, or where TOML ends to be TOML."""
        lines = self.text.toPlainText().split("\n")
        if problem.rule:
            begins = re.compile(rf"\s*id\s*=\s*[\"']{re.escape(problem.rule)}[\"']")
            rule = next((at for at, line in enumerate(lines) if begins.match(line)), None)
            if rule is None:
                return None
            rest = range(rule, len(lines))
            return next((at for at in rest if lines[at].lstrip().startswith("expression")), rule)
        told = _LINE.search(problem.message)
        return min(int(told[1]), len(lines)) - 1 if told else None

    def _save(self) -> None:
        if self._checked and not self._problems:
            self.saved.emit(self.text.toPlainText())
