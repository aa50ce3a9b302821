"""One pack: what it is, where it is on, what its rules ask.

Object names for tests and the tour: `pack-detail`, `pack-title`, `pack-about`, `pack-copy`, `pack-edit`, `pack-sign`,
`pack-export`, `pack-remove`, `pack-assignments`, `pack-mode-0` …, `pack-off-0` …, `pack-rules`, `pack-rule`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QHeaderView, QLabel, QPushButton, QVBoxLayout, QWidget

from confvm_gui.domain.policy import Assignment, Mode, Pack, Rule
from confvm_gui.fleet.guard.service import Guardrails, PackTest
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.guardrails.compliance_tab import quiet_table
from confvm_gui.ui.guardrails.switch_form import SwitchForm
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.models.compliance_words import mode_word, part_text, signature_word
from confvm_gui.ui.models.rules_model import RulesModel
from confvm_gui.ui.text import breakable
from confvm_gui.ui.theme import monospace_font
from confvm_gui.ui.wizard.field_names import field_title, setting_text
from confvm_gui.ui.wizard.looks import SPACING, Card, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column

_FEWEST_ROWS: Final = 220
"""Pixels of height that the rules get at least."""


class PackDetail(Card):
    """Shows what it is given; asks by signals. `act_wanted` says `copy`, `edit`, `sign`, `export` or `remove`."""

    act_wanted = Signal(str)
    assignments_wanted = Signal(object)
    """The Assignments of this pack, all of them, as they shall be."""

    def __init__(self, guard: Guardrails, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pack-detail")
        self._pack: Pack | None = None
        self._assignments: tuple[Assignment, ...] = ()
        self._rows: list[QWidget] = []
        self.rules = RulesModel(self)
        self._title = heading("", self, 1.15)
        self._title.setObjectName("pack-title")
        self._title.setWordWrap(True)
        self._about = ToneLabel("", Tone.MUTED, self)
        self._about.setObjectName("pack-about")
        self._description = ToneLabel("", Tone.PLAIN, self)
        inside = column(self, margin=14, spacing=SPACING)
        inside.addWidget(self._title)
        inside.addWidget(self._about)
        inside.addWidget(self._description)
        inside.addLayout(self._build_buttons())
        self._on_title = heading(self.tr("Where it is on"), self, 1.05)
        inside.addWidget(self._on_title)
        self._on = QVBoxLayout()
        self._on.setSpacing(4)
        inside.addLayout(self._on)
        self.form = SwitchForm(guard, tasks, self)
        self.form.wanted.connect(self._turn_on)
        self.form.tested.connect(self._show_test)
        inside.addWidget(self.form)
        inside.addWidget(heading(self.tr("Rules"), self, 1.05))
        self.table = quiet_table("pack-rules", self.tr("Rules"), self)
        self.table.setModel(self.rules)
        self.table.setMinimumHeight(_FEWEST_ROWS)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.selectionModel().currentRowChanged.connect(self._show_rule)
        inside.addWidget(self.table, 1)
        inside.addWidget(self._build_rule())

    def _build_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        self.buttons: dict[str, QPushButton] = {}
        for key, text, icon, tip in (
            ("copy", self.tr("&Copy …"), "copy", self.tr("A copy under another name, which can be changed")),
            ("edit", self.tr("&Edit …"), "", self.tr("Change it as its next version")),
            ("sign", self.tr("&Sign"), "key", self.tr("Sign it with this data directory's key (Ed25519)")),
            ("export", self.tr("E&xport …"), "save", self.tr("Write it to a file that another console can import")),
            ("remove", self.tr("Remo&ve"), "delete", self.tr("Remove this version; it must be off")),
        ):
            button = QPushButton(text, self)
            button.setObjectName(f"pack-{key}")
            button.setToolTip(tip)
            if icon:
                bind_icon(button, icon)
            button.clicked.connect(partial(self._act, key))
            self.buttons[key] = button
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _build_rule(self) -> QWidget:
        self._rule_box = QWidget(self)
        self._rule_box.setObjectName("pack-rule")
        inside = column(self._rule_box, spacing=4)
        self._rule_id = heading("", self._rule_box)
        self._expression = QLabel(self._rule_box)
        self._expression.setFont(monospace_font())
        self._expression.setWordWrap(True)
        self._expression.setTextFormat(Qt.TextFormat.PlainText)
        self._expression.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._expression.setAccessibleName(self.tr("Expression"))
        self._message = ToneLabel("", Tone.PLAIN, self._rule_box)
        self._fix = ToneLabel("", Tone.PLAIN, self._rule_box)
        self._source = ToneLabel("", Tone.MUTED, self._rule_box)
        for label in (self._rule_id, self._expression, self._message, self._fix, self._source):
            inside.addWidget(label)
        self._rule_box.hide()
        return self._rule_box

    # Showing

    @property
    def pack(self) -> Pack | None:
        """The one that is shown."""
        return self._pack

    def show_pack(
        self,
        pack: Pack,
        assignments: Sequence[Assignment],
        signature: str,
        providers: Sequence[tuple[str, str]],
        *,
        allowed: bool,
    ) -> None:
        """`assignments`: of this pack and version; `signature`: as Rules.signature_of says."""
        self._pack, self._assignments = pack, tuple(assignments)
        self._title.setText(breakable(pack.title))
        parts = [self.tr("{0}, version {1}").format(pack.name, pack.version), signature_word(signature)]
        if pack.source:
            parts.append(self.tr("after {0}").format(pack.source))
        self._about.setText(breakable(" · ".join(parts)))
        self._about.set_tone(Tone.BAD if signature == "bad" else Tone.MUTED)
        self._description.setText(breakable(pack.description))
        self._description.setVisible(bool(pack.description))
        own = allowed and not pack.shipped
        self.buttons["copy"].setEnabled(allowed)
        for key in ("edit", "sign", "remove"):
            self.buttons[key].setVisible(not pack.shipped)
            self.buttons[key].setEnabled(own)
        self.buttons["sign"].setEnabled(own and signature != "signed")
        self.buttons["remove"].setEnabled(own and not assignments)
        self._show_assignments(allowed)
        self.form.show_pack(pack, providers, allowed=allowed)
        self.rules.show_pack(pack)
        if not self.table.currentIndex().isValid() and self.rules.rowCount():
            self.table.setCurrentIndex(self.rules.index(0, 0))

    def _show_assignments(self, allowed: bool) -> None:
        for row in self._rows:
            self._on.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = [self._assignment_row(at, one, allowed) for at, one in enumerate(self._assignments)]
        if not self._rows:
            self._rows = [ToneLabel(self.tr("Nowhere: it denies and tells nothing."), Tone.MUTED, self)]
        for row in self._rows:
            self._on.addWidget(row)
            row.show()

    def _assignment_row(self, at: int, assignment: Assignment, allowed: bool) -> QWidget:
        row = QWidget(self)
        row.setObjectName(f"pack-assignment-{at}")
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(SPACING)
        mode = QComboBox(row)
        mode.setObjectName(f"pack-mode-{at}")
        for each in Mode:
            mode.addItem(mode_word(each), each)
        mode.setCurrentIndex(mode.findData(assignment.mode))
        part = part_text(assignment)
        mode.setAccessibleName(self.tr("Mode for {0}").format(part))
        mode.setEnabled(allowed)
        mode.activated.connect(lambda _index, box=mode, which=at: self._change_mode(which, box.currentData()))
        label = QLabel(breakable(part), row)
        label.setWordWrap(True)
        off = QPushButton(self.tr("Take off"), row)
        off.setObjectName(f"pack-off-{at}")
        off.setAccessibleName(self.tr("Take off from {0}").format(part))
        off.setProperty("kind", "link")
        off.setEnabled(allowed)
        off.clicked.connect(partial(self._take_off, at))
        line.addWidget(mode)
        line.addWidget(label, 1)
        line.addWidget(off)
        return row

    def _show_test(self, found: PackTest) -> None:
        counts = {rule: len(ids) for rule, ids in found.by_rule.items()}
        self.rules.show_counts(counts, dict(found.faults))

    def _show_rule(self, current: QModelIndex, _previous: QModelIndex) -> None:
        self._rule_box.setVisible(current.isValid())
        if not current.isValid() or self._pack is None:
            return
        rule = self.rules.rule(current.row())
        self._rule_id.setText(f"{self._pack.name}/{rule.id}")
        self._expression.setText(breakable(rule.expression))
        self._message.setText(rule.message)
        self._message.setVisible(bool(rule.message))
        fix = self._fix_words(rule)
        self._fix.setText(fix)
        self._fix.setVisible(bool(fix))
        self._source.setText(rule.source or self._pack.source)
        self._source.setVisible(bool(self._source.text()))

    def _fix_words(self, rule: Rule) -> str:
        if rule.fix is None:
            return ""
        title = field_title(rule.fix.field)
        if not rule.fix.choices:
            return self.tr("What would pass: another {0}, which a person has to give").format(title)
        shown = [setting_text(rule.fix.field, choice) for choice in rule.fix.choices[:8]]
        more = " …" if len(rule.fix.choices) > len(shown) else ""
        return self.tr("What would pass: {0} {1}").format(title, ", ".join(shown) + more)

    # Asking

    def _act(self, key: str, _checked: bool = False) -> None:
        self.act_wanted.emit(key)

    def _turn_on(self, wanted: Assignment) -> None:
        part = (dict(wanted.labels), wanted.provider)
        others = [one for one in self._assignments if (dict(one.labels), one.provider) != part]
        self.assignments_wanted.emit([*others, wanted])

    def _change_mode(self, at: int, mode: Mode) -> None:
        changed = list(self._assignments)
        old = changed[at]
        changed[at] = Assignment(old.pack, old.version, mode, old.labels, old.provider)
        self.assignments_wanted.emit(changed)

    def _take_off(self, at: int, _checked: bool = False) -> None:
        self.assignments_wanted.emit([one for number, one in enumerate(self._assignments) if number != at])
