"""Roles: whose they are, given and taken away by administrators; and what needs two people.

Object names for tests and the tour: `access-you`, `access-who`, `roles-table`, `roles-kind`, `roles-name`,
`roles-role`, `roles-give`, `roles-take`, `roles-problem`, `roles-reason`, `needs-KIND`, `needs-hours`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QTableView,
    QWidget,
)

from confvm_gui.domain.roles import Permission, Role
from confvm_gui.fleet.roles.assignments import APPROVABLE, Assignments
from confvm_gui.fleet.roles.changes import change_roles
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.access.words import role_meaning, role_word
from confvm_gui.ui.access.you_card import YouCard
from confvm_gui.ui.approvals.words import kind_word
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.models.text_rows_model import TextRowsModel
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label, scrolled

_MOST_HOURS = 24 * 30
_ROW = 28


class RolesView(QWidget):
    """Everybody sees who may what; what changes it is there for administrators only, for the rest a reason."""

    def __init__(self, session: FleetSession, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._access = session.access
        self._tasks = tasks
        self._rows: list[tuple[str, Role, bool]] = []
        self._turn = asyncio.Lock()
        self._asked = 0
        self.subscriptions = Subscriptions()
        body = QWidget(self)
        body.setObjectName("scrolled")
        rows = column(body, margin=0, spacing=SPACING + 4)
        rows.setContentsMargins(0, SPACING, SPACING, SPACING)
        self.you = YouCard(self._access, body)
        self.reason = Note("", Tone.MUTED, body)
        self.reason.setObjectName("roles-reason")
        rows.addWidget(self.you)
        rows.addWidget(self.reason)
        rows.addWidget(self._build_roles(body))
        rows.addWidget(self._build_needs(body))
        rows.addStretch(1)
        scrolled(body, self)
        self.subscriptions.add(self._access.changes, lambda _: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Show the roles as they hold in this session."""
        assignments = self._access.assignments
        self.you.refresh()
        self._show_rows(assignments)
        denied = self._session.readonly_reason or self._access.reason_denied(Permission.MANAGE_ROLES)
        self.reason.show_text(denied, Tone.MUTED)
        self._editor.setVisible(not denied)
        self.take.setVisible(not denied)
        self._origin.setVisible(not assignments.by_file)
        for kind, box in self.needs.items():
            box.blockSignals(True)
            box.setChecked(kind in assignments.needed)
            box.blockSignals(False)
            box.setEnabled(not denied)
            box.setToolTip(denied)
        self.hours.blockSignals(True)
        self.hours.setValue(round(assignments.hours))
        self.hours.blockSignals(False)
        self.hours.setEnabled(not denied)
        self._offer()

    # Building

    def _build_roles(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        inside = column(card, margin=14, spacing=SPACING)
        inside.addWidget(heading(self.tr("Who has which role"), card, 1.05))
        words = self.tr(
            "Users and groups of the operating system. Whoever has none is a viewer. Roles guard within the console: "
            "the files of the data directory are guarded by their permissions."
        )
        inside.addWidget(ToneLabel(words, Tone.MUTED, card))
        words = self.tr("Nobody has been given a role yet: the owner of the data directory is its administrator.")
        self._origin = Note(words, Tone.MUTED, card)
        inside.addWidget(self._origin)
        self.model = TextRowsModel(self)
        self.table = QTableView(card)
        self.table.setObjectName("roles-table")
        self.table.setAccessibleName(self.tr("Roles"))
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.verticalHeader().setDefaultSectionSize(_ROW)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._offer())
        inside.addWidget(self.table)
        inside.addWidget(self._build_editor(card))
        self.problem = FieldError(card)
        self.problem.setObjectName("roles-problem")
        inside.addWidget(self.problem)
        return card

    def _build_editor(self, parent: QWidget) -> QWidget:
        self._editor = QWidget(parent)
        self.kind = QComboBox(self._editor)
        self.kind.setObjectName("roles-kind")
        self.kind.setAccessibleName(self.tr("User or group"))
        self.kind.addItem(self.tr("User"), False)
        self.kind.addItem(self.tr("Group"), True)
        self.name = QLineEdit(self._editor)
        self.name.setObjectName("roles-name")
        self.name.setMaxLength(256)
        self.name.setPlaceholderText(self.tr("name in the operating system"))
        self.role = QComboBox(self._editor)
        self.role.setObjectName("roles-role")
        self.role.setAccessibleName(self.tr("Role"))
        for role in Role:
            self.role.addItem(role_word(role), role.value)
            self.role.setItemData(self.role.count() - 1, role_meaning(role), Qt.ItemDataRole.ToolTipRole)
        self.give = QPushButton(self.tr("&Give the role"), self._editor)
        self.give.setObjectName("roles-give")
        self.give.setProperty("kind", "primary")
        self.take = QPushButton(self.tr("&Take it away"), self._editor)
        self.take.setObjectName("roles-take")
        self.take.setToolTip(self.tr("Takes the selected role away from its user or group"))
        row = QHBoxLayout(self._editor)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.addWidget(self.kind)
        row.addWidget(self.name, 1)
        row.addWidget(self.role)
        row.addWidget(self.give)
        row.addSpacing(SPACING * 2)
        row.addWidget(self.take)
        self.name.setAccessibleName(self.tr("Name"))
        self.name.textChanged.connect(self._typed)
        self.name.returnPressed.connect(self.give.click)
        self.give.clicked.connect(self._give)
        self.take.clicked.connect(self._take)
        return self._editor

    def _build_needs(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        inside = column(card, margin=14, spacing=SPACING)
        inside.addWidget(heading(self.tr("What needs two people"), card, 1.05))
        words = self.tr(
            "One asks, another one with the right to it approves, and only then it is done. Nobody approves what they "
            "asked for."
        )
        inside.addWidget(ToneLabel(words, Tone.MUTED, card))
        self.needs: dict[str, QCheckBox] = {}
        for kind in APPROVABLE:
            box = self.needs[kind] = QCheckBox(kind_word(kind), card)
            box.setObjectName(f"needs-{kind}")
            box.toggled.connect(lambda _on, chosen=kind: self._need(chosen))
            inside.addWidget(box)
        self.hours = QSpinBox(card)
        self.hours.setObjectName("needs-hours")
        self.hours.setRange(1, _MOST_HOURS)
        self.hours.setSuffix(self.tr(" hours"))
        self.hours.setMaximumWidth(140)
        # The style sheet's padding does not reach the editor inside a spin box.
        self.hours.lineEdit().setTextMargins(UNIT - 1, 0, 0, 0)
        self.hours.setKeyboardTracking(False)
        self.hours.valueChanged.connect(self._expire)
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addWidget(field_label(self.tr("A request &expires after"), self.hours, card))
        row.addWidget(self.hours)
        row.addStretch(1)
        inside.addLayout(row)
        return card

    # Showing

    def _show_rows(self, assignments: Assignments) -> None:
        chosen = self._chosen()
        self._rows = [
            (name, role, group)
            for group, table in ((False, assignments.users), (True, assignments.groups))
            for name, roles in sorted(table.items())
            for role in sorted(roles, key=lambda role: role.value)
        ]
        user, group_word = self.tr("User"), self.tr("Group")
        shown = [(group_word if group else user, name, role_word(role)) for name, role, group in self._rows]
        self.model.show_rows((self.tr("Kind"), self.tr("Name"), self.tr("Role")), shown)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.setColumnWidth(0, 90)
        self.table.setColumnWidth(2, 150)
        visible = min(max(len(shown), 2), 8)
        self.table.setFixedHeight(visible * _ROW + header.sizeHint().height() + 6)
        if chosen in self._rows:
            self.table.selectRow(self._rows.index(chosen))

    def _chosen(self) -> tuple[str, Role, bool] | None:
        row = self.table.currentIndex().row()
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def _offer(self) -> None:
        self.give.setEnabled(bool(self.name.text().strip()))
        self.take.setEnabled(self._chosen() is not None)

    def _typed(self) -> None:
        self.problem.show_problem("")
        self._offer()

    # Doing

    def _give(self) -> None:
        name, role, group = self.name.text().strip(), Role(self.role.currentData()), bool(self.kind.currentData())
        who = f"the group {name}" if group else name
        self._change(
            lambda now: now.with_role(name, role, group=group),
            f"{who} has the role {role.value} from now on",
            self.name.clear,
        )

    def _take(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            name, role, group = chosen
            who = f"the group {name}" if group else name
            said = f"{who} has the role {role.value} no longer"
            self._change(lambda now: now.without_role(name, role, group=group), said)

    def _need(self, kind: str) -> None:
        on = self.needs[kind].isChecked()
        said = f"{kind} needs {'a second person' if on else 'nobody else any more'}"
        self._change(lambda now: replace(now, needed=now.needed | {kind} if on else now.needed - {kind}), said)

    def _expire(self, hours: int) -> None:
        self._change(lambda now: replace(now, hours=float(hours)), f"A request expires after {hours} hours")

    def _change(
        self, change: Callable[[Assignments], Assignments], said: str, then: Callable[[], None] = lambda: None
    ) -> None:
        """Keep what `change` makes of the roles; what is refused is said here, and everything shown as it is."""
        self.problem.show_problem("")
        self._asked += 1
        work = self._apply(change, said)
        self._tasks.start(f"change roles {self._asked}", work, on_done=lambda _: then(), on_error=self._refused)

    async def _apply(self, change: Callable[[Assignments], Assignments], said: str) -> None:
        """One after the other: each is made of what the one before has left."""
        session = self._session
        async with self._turn:
            changed = replace(change(self._access.assignments), by_file=True)
            await change_roles(self._access, session.events, session.data_dir, changed, said)

    def _refused(self, problem: str) -> None:
        self.refresh()
        self.problem.show_problem(problem)
