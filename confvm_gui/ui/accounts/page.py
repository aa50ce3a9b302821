"""The part `Cloud accounts` of the page Hosts: a form, the list, and the account that is selected.

Object names for tests and the tour: `accounts-page`, those of `add_form`, `accounts-list`, `accounts-state`,
`accounts-result-kept`, `accounts-test-kept`, `accounts-switch-readonly`, `accounts-retry`, `accounts-remove`.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QWidget

from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.accounts import AccountEntry, AccountFacts, Accounts
from confvm_gui.fleet.inventory import ProviderStatus
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.accounts.add_form import AddAccountForm
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.rights import reason_against
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.choices import Badge, Choice, ChoiceModel, choice_view
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, scrolled


class AccountsPage(QWidget):
    """Emits `problem` with a sentence for what went wrong."""

    problem = Signal(str)

    def __init__(self, session: FleetSession, accounts: Accounts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("accounts-page")
        self._session = session
        self._accounts = accounts
        self._tasks = TaskKeeper("accounts", self.problem.emit)
        self._subscriptions = Subscriptions()
        self._wanted = ""
        body = QWidget(self)
        body.setObjectName("scrolled")
        rows = column(body, margin=UNIT * 2, spacing=SPACING + 4)
        rows.addWidget(heading(self.tr("Cloud accounts"), body, 1.5))
        rows.addWidget(
            ToneLabel(
                self.tr(
                    "Projects in clouds whose instances stand in the fleet, with those that were made elsewhere. Keys "
                    "of accounts are kept in the system keyring and nowhere else."
                ),
                Tone.MUTED,
                body,
            )
        )
        self.form = AddAccountForm(accounts, self._tasks, body)
        self.form.added.connect(self.show_account)
        self._denied = Note("", Tone.MUTED, body)
        rows.addWidget(self.form)
        rows.addWidget(self._denied)
        rows.addWidget(self._build_list(body), 1)
        scrolled(body, self)
        self._subscriptions.add(accounts.changes, lambda _: self.refresh())
        self._subscriptions.add(session.access.changes, lambda _: self.refresh())
        self._subscriptions.add(session.inventory.provider_changes, self._provider_changed)
        self.refresh()

    async def aclose(self) -> None:
        """Stop listening, and what runs."""
        self._subscriptions.clear()
        await self._tasks.aclose()

    def refresh(self) -> None:
        """Show the list as it is now."""
        denied = reason_against(self._session, Permission.MANAGE_HOSTS)
        self.form.setVisible(not denied)
        self._denied.show_text(denied)
        entries = self._accounts.entries()
        self._stack.setCurrentIndex(1 if entries else 0)
        self.model.set_choices([self._choice(entry) for entry in entries])
        if self._wanted not in {entry.name for entry in entries}:
            self._wanted = entries[0].name if entries else ""
        index = self.model.index_of(self._wanted)
        if index.isValid() and index != self.view.currentIndex():
            self.view.setCurrentIndex(index)
        self._show_detail()

    def show_account(self, name: str) -> None:
        """Select an account of the list."""
        self._wanted = name
        self.refresh()

    def _build_list(self, parent: QWidget) -> QWidget:
        self._stack = QStackedWidget(parent)
        self._stack.addWidget(
            EmptyState(
                "key",
                self.tr("No account yet"),
                self.tr("Name a project above. Test says which permissions are missing before you add it."),
            )
        )
        both = QWidget(self._stack)
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING * 2)
        self.model = ChoiceModel(self)
        self.view = choice_view(self.model, both)
        self.view.setObjectName("accounts-list")
        self.view.setAccessibleName(self.tr("Cloud accounts"))
        self.view.setMinimumSize(QSize(250, 180))
        self.view.selectionModel().currentChanged.connect(self._on_current)
        row.addWidget(self.view, 10)
        row.addWidget(self._build_detail(both), 16)
        self._stack.addWidget(both)
        return self._stack

    def _build_detail(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        inside = column(card, margin=14, spacing=SPACING)
        self._title = heading("", card, 1.15)
        self._title.setWordWrap(True)
        self._state = Note("", Tone.MUTED, card)
        self._state.setObjectName("accounts-state")
        self._login = ToneLabel("", Tone.MUTED, card)
        self._result = Note("", Tone.MUTED, card)
        self._result.setObjectName("accounts-result-kept")
        self._result.hide()
        for widget in (self._title, self._state, self._login, self._result):
            inside.addWidget(widget)
        inside.addStretch(1)
        self._retry = self._button(self.tr("&Connect now"), "retry", card)
        self._retry.clicked.connect(lambda: self._accounts.retry(self._wanted))
        self._test = self._button(self.tr("T&est"), "test-kept", card)
        self._test.clicked.connect(self._test_kept)
        self._switch = self._button("", "switch-readonly", card)
        self._switch.clicked.connect(self._switch_readonly)
        self._remove = self._button(self.tr("&Remove from the list"), "remove", card)
        self._remove.clicked.connect(
            lambda: self._tasks.start(f"remove {self._wanted}", self._accounts.remove(self._wanted))
        )
        buttons = QHBoxLayout()
        for button in (self._retry, self._test, self._switch):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._remove)
        inside.addLayout(buttons)
        return card

    @staticmethod
    def _button(text: str, name: str, parent: QWidget) -> QPushButton:
        button = QPushButton(text, parent)
        button.setObjectName(f"accounts-{name}")
        return button

    def _choice(self, entry: AccountEntry) -> Choice:
        status = self._accounts.status(entry.name)
        badges = [Badge(self.tr("reading only"), Tone.MUTED)] if entry.readonly else []
        subtitle = entry.scope
        if status is not None and status.connected:
            count = sum(instance.provider == entry.name for instance in self._session.inventory.all())
            subtitle = f"{entry.scope}  ·  " + self.tr("%n instance(s)", "", count)
            badges.append(Badge(self.tr("connected"), Tone.GOOD))
        elif status is not None and status.connecting:
            badges.append(Badge(self.tr("connecting"), Tone.MUTED))
        else:
            badges.append(Badge(self.tr("not connected"), Tone.BAD))
        return Choice(entry.name, entry.name, subtitle, tuple(badges))

    def _show_detail(self) -> None:
        if not self._wanted:
            return
        entry = self._accounts.get(self._wanted)
        status = self._accounts.status(entry.name)
        self._title.setText(status.title if status is not None else entry.scope)
        connected = status is not None and status.connected
        connecting = status is not None and status.connecting
        if connected:
            self._state.show_text(self.tr("Connected"), Tone.GOOD)
        elif connecting:
            self._state.show_text(self.tr("Connecting …"), Tone.MUTED)
        else:
            reason = status.message if status is not None else ""
            self._state.show_text(self.tr("Not connected: {0}").format(reason), Tone.BAD)
        known = next(kind for kind in self._accounts.kinds() if kind.kind == entry.kind)
        self._login.setText(known.key_title if entry.own_secret else known.chain_title)
        self._switch.setText(self.tr("Allow &changes") if entry.readonly else self.tr("Make reading &only"))
        self._retry.setVisible(not connected)
        self._retry.setEnabled(not connecting and not self._session.readonly)
        denied = reason_against(self._session, Permission.MANAGE_HOSTS)
        for button in (self._switch, self._remove):
            button.setEnabled(not denied)
            button.setToolTip(denied)
        self._remove.setToolTip(denied or self.tr("What runs there runs on, but is not shown any more"))

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        choice = self.model.choice(current)
        if choice is not None and choice.key != self._wanted:
            self._wanted = choice.key
            self._result.show_text("")
            self._show_detail()

    def _provider_changed(self, status: ProviderStatus) -> None:
        if any(entry.name == status.name for entry in self._accounts.entries()):
            self.refresh()

    def _test_kept(self) -> None:
        self._result.show_text(self.tr("Logging in …"), Tone.MUTED)
        work = self._accounts.test_kept(self._wanted)
        self._tasks.start("test kept", work, on_done=self._tested, on_error=self._test_failed)

    def _tested(self, facts: AccountFacts) -> None:
        if not facts.missing:
            self._result.show_text(self.tr("No permission is missing."), Tone.GOOD)
            return
        lines = [self.tr("{0}: {1}").format(fact.permission, fact.purpose) for fact in facts.missing]
        self._result.show_text("\n".join([self.tr("These permissions are missing:"), *lines]), Tone.WARNING)

    def _test_failed(self, message: str) -> None:
        self._result.show_text(message, Tone.BAD)

    def _switch_readonly(self) -> None:
        entry = self._accounts.get(self._wanted)
        self._tasks.start("switch", self._accounts.set_readonly(entry.name, not entry.readonly))
