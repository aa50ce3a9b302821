"""Secrets that are bound: to what, how often they were given, their history and their end.

Object names for tests and the tour: `release-view`, `release-new`, `release-list`, `release-detail`, `release-revoke`,
`release-sure`, `release-said`, `release-denied`, and those of `form`.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QPushButton, QStackedWidget, QWidget

from confvm_gui.domain.event import AuditRecord
from confvm_gui.domain.release import BoundSecret
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.release.broker import SecretBroker
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.release.form import BindForm
from confvm_gui.ui.rights import reason_against
from confvm_gui.ui.text import breakable, moment
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.choices import Badge, Choice, ChoiceModel, choice_view
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, scrolled

_LIST, _REVOKE, _HISTORY = "secrets", "revoke secret", "history of a secret"
_LINES = 8
"""Of the history."""


class SecretsView(QWidget):
    """Emits `problem` with a sentence for what went wrong."""

    problem = Signal(str)

    def __init__(self, session: FleetSession, broker: SecretBroker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("release-view")
        self._session = session
        self._broker = broker
        self._tasks = TaskKeeper("secrets", self.problem.emit)
        self._subscriptions = Subscriptions()
        self._known: dict[str, BoundSecret] = {}
        self._shown = ""
        body = QWidget(self)
        body.setObjectName("scrolled")
        rows = column(body, margin=UNIT * 2, spacing=SPACING + 4)
        head = QHBoxLayout()
        head.addWidget(heading(self.tr("Secrets for guests"), body, 1.5))
        head.addStretch(1)
        self.new = QPushButton(self.tr("&Bind a secret …"), body)
        self.new.setObjectName("release-new")
        bind_icon(self.new, "add")
        head.addWidget(self.new)
        rows.addLayout(head)
        about = self.tr(
            "A secret is kept wrapped by a key, and is given only to a guest whose fresh report shows what it is bound "
            "to. It is sealed to that guest: whoever carries it learns nothing."
        )
        rows.addWidget(ToneLabel(about, Tone.MUTED, body))
        self._denied = Note("", Tone.MUTED, body)
        self._denied.setObjectName("release-denied")
        rows.addWidget(self._denied)
        self.form = BindForm(session, broker, self._tasks, body)
        self.form.hide()
        self.form.bound.connect(self._bound)
        self.form.cancelled.connect(self.form.hide)
        self.new.clicked.connect(self.form.begin)
        rows.addWidget(self.form)
        self._stack = QStackedWidget(body)
        text = self.tr("A guest asks for one with `confvm release challenge` and `confvm release give`.")
        self._stack.addWidget(EmptyState("key", self.tr("No secret is bound"), text))
        self._stack.addWidget(self._build_both())
        rows.addWidget(self._stack, 1)
        scrolled(body, self)
        self._subscriptions.add(broker.changes, lambda _: self.refresh())
        self._subscriptions.add(session.access.changes, lambda _: self._show_rights())
        self._show_rights()

    def refresh(self) -> None:
        """Read what is bound again."""
        self._tasks.start(_LIST, self._broker.listing(), on_done=self._show)

    async def aclose(self) -> None:
        """Stop listening, and what runs."""
        self._subscriptions.clear()
        await self._tasks.aclose()

    # Building

    def _build_both(self) -> QWidget:
        both = QWidget(self)
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING * 2)
        self.model = ChoiceModel(self)
        self.list = choice_view(self.model, both)
        self.list.setObjectName("release-list")
        self.list.setAccessibleName(self.tr("Secrets"))
        self.list.setMinimumSize(QSize(260, 160))
        self.list.selectionModel().currentChanged.connect(self._on_current)
        row.addWidget(self.list, 10)
        row.addWidget(self._build_detail(both), 14, Qt.AlignmentFlag.AlignTop)
        return both

    def _build_detail(self, parent: QWidget) -> QWidget:
        self.detail = Card(parent)
        self.detail.setObjectName("release-detail")
        self._title = heading("", self.detail, 1.15)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(SPACING * 2)
        self._facts.setVerticalSpacing(4)
        self._facts.setColumnStretch(1, 1)
        self._values: list[tuple[ToneLabel, ToneLabel]] = []
        self.sure = QCheckBox(self.tr("Nobody is given it &again; its name stays taken"), self.detail)
        self.sure.setObjectName("release-sure")
        self.sure.toggled.connect(lambda _: self._show_rights())
        self.revoke = QPushButton(self.tr("&Revoke"), self.detail)
        self.revoke.setObjectName("release-revoke")
        self.revoke.clicked.connect(self._revoke)
        self.said = Note("", Tone.BAD, self.detail)
        self.said.setObjectName("release-said")
        self.said.hide()
        self._history = ToneLabel("", Tone.MUTED, self.detail)
        self._history.setObjectName("release-history")
        buttons = QHBoxLayout()
        buttons.addWidget(self.sure)
        buttons.addStretch(1)
        buttons.addWidget(self.revoke)
        inside = column(self.detail, margin=14, spacing=SPACING)
        inside.addWidget(self._title)
        inside.addLayout(self._facts)
        inside.addLayout(buttons)
        inside.addWidget(self.said)
        inside.addWidget(self._history)
        return self.detail

    # Showing

    def _show(self, found: Sequence[BoundSecret]) -> None:
        self._known = {one.name: one for one in found}
        self._stack.setCurrentIndex(1 if found else 0)
        self.model.set_choices([self._choice(one) for one in found])
        if self._shown not in self._known:
            self._shown = found[0].name if found else ""
        index = self.model.index_of(self._shown)
        if index.isValid() and index != self.list.currentIndex():
            self.list.setCurrentIndex(index)
        self._show_detail()

    def _choice(self, bound: BoundSecret) -> Choice:
        badge = (
            Badge(self.tr("Bound"), Tone.GOOD) if bound.revoked_at is None else Badge(self.tr("Revoked"), Tone.MUTED)
        )
        return Choice(bound.name, bound.name, self._given(bound), (badge,))

    def _given(self, bound: BoundSecret) -> str:
        return self.tr("given %n time(s)", "", bound.given) if bound.given else self.tr("never given")

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        choice = self.model.choice(current)
        if choice is not None and choice.key != self._shown:
            self._shown = choice.key
            self.sure.setChecked(False)
            self.said.show_text("")
            self._show_detail()

    def _show_detail(self) -> None:
        bound = self._known.get(self._shown)
        if bound is None:
            return
        self._title.setText(breakable(bound.name))
        facts = self._told(bound)
        while len(self._values) < len(facts):
            pair = ToneLabel("", Tone.MUTED, self.detail), ToneLabel("", Tone.PLAIN, self.detail)
            pair[0].setWordWrap(False)
            pair[1].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            for at, label in enumerate(pair):
                self._facts.addWidget(label, len(self._values), at, Qt.AlignmentFlag.AlignTop)
            self._values.append(pair)
        for number, pair in enumerate(self._values):
            for at, label in enumerate(pair):
                label.setVisible(number < len(facts))
                label.setText(facts[number][at] if number < len(facts) else "")
        self._show_rights()
        if not reason_against(self._session, Permission.READ_AUDIT):
            read = self._session.events.read(limit=_LINES, text=f"The secret {bound.name} ")
            self._tasks.start(_HISTORY, read, on_done=self._show_history)

    def _told(self, bound: BoundSecret) -> list[tuple[str, str]]:
        facts = [(self.tr("Key"), breakable(bound.key_ref))]
        conditions = bound.conditions
        if conditions is not None:
            digests = "\n".join(breakable(each.hex()) for each in conditions.measurements)
            facts.append((self.tr("Launch digest"), digests))
            facts.append((self.tr("Policy"), ", ".join(conditions.policies) or self.tr("any without debugging")))
            floors = ", ".join(f"{name} {least}" for name, least in sorted(conditions.minimum.items()))
            facts.append((self.tr("At least"), floors or self.tr("no floor")))
            facts.append((self.tr("Signed below"), ", ".join(["AMD", *(root.name for root in conditions.roots)])))
            names = {each.id: each.name for each in self._session.inventory.all()}
            whom = names.get(conditions.instance, conditions.instance)
            facts.append((self.tr("Instance"), whom or self.tr("any that shows this")))
        facts.append((self.tr("Bound"), moment(bound.made_at)))
        facts.append((self.tr("Given"), self._given(bound)))
        if bound.revoked_at is not None:
            facts.append((self.tr("Revoked"), moment(bound.revoked_at)))
        return facts

    def _show_history(self, records: Sequence[AuditRecord]) -> None:
        self._history.setText("\n".join(f"{moment(one.event.at)}  {one.event.message}" for one in records))

    def _show_rights(self) -> None:
        denied = reason_against(self._session, Permission.MANAGE_KEYS)
        self._denied.show_text(denied)
        self.new.setEnabled(not denied)
        self.new.setToolTip(denied)
        if denied:
            self.form.hide()
        bound = self._known.get(self._shown)
        open_ended = bound is not None and bound.revoked_at is None
        for widget in (self.sure, self.revoke):
            widget.setVisible(open_ended)
        self.sure.setEnabled(not denied)
        self.revoke.setEnabled(not denied and self.sure.isChecked() and not self._tasks.is_running(_REVOKE))

    # Doing

    def _bound(self, name: str) -> None:
        self.form.hide()
        self._shown = name
        self.refresh()

    def _revoke(self) -> None:
        self._tasks.start(_REVOKE, self._broker.revoke(self._shown), on_done=self._revoked, on_error=self._refused)
        self._show_rights()

    def _revoked(self, _: None) -> None:
        self.sure.setChecked(False)
        self.refresh()

    def _refused(self, message: str) -> None:
        self.said.show_text(message)
        self._show_rights()
