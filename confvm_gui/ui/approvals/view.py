"""What waits for a second person, and what became of what did.

Object names for tests and the tour: `approvals-list`, `approvals-detail`, `approvals-note`, `approvals-problem`,
`approvals-approve`, `approvals-refuse`, `approvals-said`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from PySide6.QtCore import QModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QStackedWidget, QWidget

from confvm_gui.domain.approval import Approval, ApprovalStatus
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.approvals.words import intent_rows, kind_word, left_text, status_word
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.text import breakable, moment
from confvm_gui.ui.wizard.choices import Badge, Choice, ChoiceModel, choice_view
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label

_LOOK_MS: Final = 2000
"""Between two looks while it is on screen: time runs out, and another console may have decided."""
_TONES: Final[Mapping[ApprovalStatus, Tone]] = MappingProxyType(
    {
        ApprovalStatus.WAITING: Tone.WARNING,
        ApprovalStatus.APPROVED: Tone.GOOD,
        ApprovalStatus.DONE: Tone.GOOD,
        ApprovalStatus.REJECTED: Tone.MUTED,
        ApprovalStatus.EXPIRED: Tone.MUTED,
        ApprovalStatus.FAILED: Tone.BAD,
    }
)


class ApprovalsView(QWidget):
    """Emits `waiting_changed` with the number of requests that nobody has decided."""

    waiting_changed = Signal(int)

    def __init__(self, session: FleetSession, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._approvals = session.approvals
        self._tasks = tasks
        self.subscriptions = Subscriptions()
        self._known: dict[str, Approval] = {}
        self._shown = ""
        self._empty = EmptyState(
            "ok",
            self.tr("Nothing waits for a second person"),
            self.tr("What needs two people is chosen below Roles. Requests stand here until somebody else decides."),
        )
        both = QWidget(self)
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING * 2)
        self.model = ChoiceModel(self)
        self.list = choice_view(self.model, both)
        self.list.setObjectName("approvals-list")
        self.list.setAccessibleName(self.tr("Requests"))
        self.list.setMinimumSize(QSize(260, 160))
        self.list.selectionModel().currentChanged.connect(self._on_current)
        row.addWidget(self.list, 11)
        row.addWidget(self._build_detail(both), 14, Qt.AlignmentFlag.AlignTop)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(both)
        rows = column(self)
        rows.addWidget(self._stack, 1)
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self.refresh)
        self.subscriptions.add(self._approvals.changes, lambda _: self.refresh())
        self.subscriptions.add(session.access.changes, lambda _: self._show_detail())

    def refresh(self) -> None:
        """Read the requests again."""
        self._tasks.start("approvals", self._approvals.recent(), on_done=self._show)

    def show_request(self, approval_id: str) -> None:
        """Select a request of the list."""
        self._shown = approval_id
        self._select()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look.start()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._look.stop()

    # Building

    def _build_detail(self, parent: QWidget) -> QWidget:
        self.detail = Card(parent)
        self.detail.setObjectName("approvals-detail")
        inside = column(self.detail, margin=14, spacing=SPACING)
        self._title = heading("", self.detail, 1.15)
        self._title.setWordWrap(True)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(SPACING * 2)
        self._facts.setVerticalSpacing(4)
        self._facts.setColumnStretch(1, 1)
        self.note = QLineEdit(self.detail)
        self.note.setObjectName("approvals-note")
        self.note.setMaxLength(1000)
        self._note_label = field_label(self.tr("&Reason"), self.note, self.detail)
        self.problem = FieldError(self.detail)
        self.problem.setObjectName("approvals-problem")
        self.approve = QPushButton(self.tr("&Approve and carry out"), self.detail)
        self.approve.setObjectName("approvals-approve")
        self.approve.setProperty("kind", "primary")
        self.refuse = QPushButton(self.tr("Re&fuse"), self.detail)
        self.refuse.setObjectName("approvals-refuse")
        self.said = Note("", Tone.MUTED, self.detail)
        self.said.setObjectName("approvals-said")
        self.said.hide()
        buttons = QHBoxLayout()
        buttons.addWidget(self.approve)
        buttons.addWidget(self.refuse)
        buttons.addStretch(1)
        inside.addWidget(self._title)
        inside.addLayout(self._facts)
        for widget in (self._note_label, self.note, self.problem):
            inside.addWidget(widget)
        inside.addLayout(buttons)
        inside.addWidget(self.said)
        self.approve.clicked.connect(lambda: self._decide(approve=True))
        self.refuse.clicked.connect(lambda: self._decide(approve=False))
        self.note.textChanged.connect(lambda _: self.problem.show_problem(""))
        return self.detail

    # Showing

    def _show(self, found: Sequence[Approval]) -> None:
        ordered = sorted(found, key=lambda each: each.status is not ApprovalStatus.WAITING)  # stable: newest first
        self._known = {each.id: each for each in ordered}
        waiting = sum(each.status is ApprovalStatus.WAITING for each in ordered)
        self.waiting_changed.emit(waiting)
        self._stack.setCurrentIndex(1 if ordered else 0)
        self.model.set_choices([self._choice(each) for each in ordered])
        if self._shown not in self._known:
            self._shown = ordered[0].id if ordered else ""
        self._select()

    def _select(self) -> None:
        index = self.model.index_of(self._shown)
        if index.isValid() and index != self.list.currentIndex():
            self.list.setCurrentIndex(index)
        self._show_detail()

    def _choice(self, approval: Approval) -> Choice:
        asked = self.tr("asked by {user}, {at}").format(user=approval.asked_by, at=moment(approval.asked_at))
        badge = Badge(status_word(approval.status), _TONES[approval.status])
        return Choice(approval.id, approval.title, asked, (badge,))

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        choice = self.model.choice(current)
        if choice is not None and choice.key != self._shown:
            self._shown = choice.key
            self.note.clear()
            self.said.show_text("")
            self._show_detail()

    def _show_detail(self) -> None:
        approval = self._known.get(self._shown)
        if approval is None:
            return
        self._title.setText(breakable(approval.title))
        self._show_facts(approval)
        waiting = approval.status is ApprovalStatus.WAITING
        for widget in (self._note_label, self.note, self.approve, self.refuse):
            widget.setVisible(waiting)
        own = approval.asked_by == self._session.access.user
        self.refuse.setText(self.tr("Take &back") if own else self.tr("Re&fuse"))
        busy = self._tasks.is_running("decide")
        reasons = []
        for button, approve in ((self.approve, True), (self.refuse, False)):
            reason = self._approvals.reason_undecidable(approval, approve=approve)
            button.setEnabled(not reason and not busy)
            button.setToolTip(reason)
            reasons.append(reason)
        self.note.setEnabled(not all(reasons))
        if waiting and reasons[0]:
            self.said.show_text(reasons[0], Tone.MUTED)

    def _show_facts(self, approval: Approval) -> None:
        while (item := self._facts.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        facts = [
            (self.tr("What"), kind_word(approval.kind)),
            (self.tr("About"), self._subject(approval)),
            *intent_rows(approval),
            (self.tr("Asked by"), f"{approval.asked_by}, {moment(approval.asked_at)}"),
        ]
        if approval.status is ApprovalStatus.WAITING:
            facts.append((self.tr("Expires"), left_text(approval.expires_at - time.time())))
        else:
            facts.append((self.tr("State"), status_word(approval.status)))
        if approval.decided_by:
            at = "" if approval.decided_at is None else f", {moment(approval.decided_at)}"
            facts.append((self.tr("Decided by"), f"{approval.decided_by}{at}"))
        if approval.note:
            facts.append((self.tr("Reason"), approval.note))
        for row, (name, value) in enumerate(facts):
            label = ToneLabel(name, Tone.MUTED, self.detail)
            label.setWordWrap(False)
            self._facts.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            text = ToneLabel(breakable(value), Tone.PLAIN, self.detail)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._facts.addWidget(text, row, 1)

    def _subject(self, approval: Approval) -> str:
        names = {instance.id: instance.name for instance in self._session.inventory.all()}
        return names.get(approval.subject, approval.subject)

    # Deciding

    def _decide(self, *, approve: bool) -> None:
        approval = self._known[self._shown]
        note = self.note.text().strip()
        if not approve and not note and approval.asked_by != self._session.access.user:
            self.problem.show_problem(self.tr("Say why: whoever asked for it will read it"))
            self.note.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        work = self._approvals.decide_from_anywhere(approval.id, approve=approve, note=note)
        self._tasks.start("decide", work, on_done=self._decided, on_error=self._not_decided)
        self._show_detail()

    def _decided(self, approval: Approval) -> None:
        self.note.clear()
        if approval.status is ApprovalStatus.WAITING:
            words = self.tr("Your decision is left for the console that has the data directory open.")
        elif approval.status is ApprovalStatus.FAILED:
            self._not_decided(self.tr("Approved, but not carried out: {reason}").format(reason=approval.note))
            return
        elif approval.status is ApprovalStatus.APPROVED:
            words = self.tr("Approved; it is carried out as soon as what does it is connected.")
        elif approval.status is ApprovalStatus.DONE:
            words = self.tr("Approved and carried out.")
        else:
            words = self.tr("Refused; nothing was done.")
        self.said.show_text(words, Tone.GOOD)
        self.refresh()

    def _not_decided(self, problem: str) -> None:
        self.said.show_text(problem, Tone.BAD)
        self.refresh()
