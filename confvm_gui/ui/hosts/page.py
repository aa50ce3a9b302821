"""The page `Hosts`: a form for a further one, the list, and the one that is selected.

Object names for tests and the tour: `hosts-page`, `hosts-uri`, `hosts-test`, `hosts-add`, `hosts-problem`,
`hosts-result`, `hosts-list`, `hosts-detail`, `hosts-state`, `hosts-retry`, `hosts-remove`, `hosts-missing`.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.hosts import HostEntry, HostFacts, Hosts
from confvm_gui.fleet.inventory import ProviderStatus
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.hosts.add_form import AddHostForm
from confvm_gui.ui.hosts.detail import HostDetail
from confvm_gui.ui.rights import reason_against
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.choices import Badge, Choice, ChoiceModel, choice_view
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, scrolled


class HostsPage(QWidget):
    """Emits `problem` with a sentence for what went wrong."""

    problem = Signal(str)

    def __init__(self, session: FleetSession, hosts: Hosts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hosts-page")
        self._session = session
        self._hosts = hosts
        self._tasks = TaskKeeper("hosts", self.problem.emit)
        self._subscriptions = Subscriptions()
        self._wanted = ""
        body = QWidget(self)
        body.setObjectName("scrolled")
        rows = column(body, margin=UNIT * 2, spacing=SPACING + 4)
        rows.addWidget(heading(self.tr("Hosts"), body, 1.5))
        rows.addWidget(
            ToneLabel(
                self.tr(
                    "Linux hosts with libvirt and QEMU, this computer or others, that run virtual machines. "
                    "Their machines stand in the fleet as soon as they are connected."
                ),
                Tone.MUTED,
                body,
            )
        )
        rows.addWidget(self._build_missing(body))
        self.form = AddHostForm(hosts, self._tasks, body)
        self.form.added.connect(self.show_host)
        self._denied = Note("", Tone.MUTED, body)
        self._denied.setObjectName("hosts-denied")
        rows.addWidget(self.form)
        rows.addWidget(self._denied)
        rows.addWidget(self._build_list(body), 1)
        scrolled(body, self)
        self._subscriptions.add(hosts.changes, lambda _: self.refresh())
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
        self._missing.setVisible(bool(self._hosts.missing))
        self._missing_text.setText(self._hosts.missing)
        entries = self._hosts.entries()
        self._stack.setCurrentIndex(1 if entries else 0)
        self.model.set_choices([self._choice(entry) for entry in entries])
        if self._wanted not in {entry.name for entry in entries}:
            self._wanted = entries[0].name if entries else ""
        index = self.model.index_of(self._wanted)
        if index.isValid() and index != self.view.currentIndex():
            self.view.setCurrentIndex(index)
        self._show_detail()

    def show_host(self, name: str) -> None:
        """Select a host of the list."""
        self._wanted = name
        self.refresh()

    # Building

    def _build_missing(self, parent: QWidget) -> QWidget:
        self._missing = Card(parent, Tone.WARNING)
        self._missing.setObjectName("hosts-missing")
        inside = column(self._missing, margin=14, spacing=6)
        inside.addWidget(heading(self.tr("Hosts cannot be connected yet"), self._missing, 1.05))
        self._missing_text = ToneLabel("", Tone.PLAIN, self._missing)
        self._missing_text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        inside.addWidget(self._missing_text)
        self._missing.hide()
        return self._missing

    def _build_list(self, parent: QWidget) -> QWidget:
        self._stack = QStackedWidget(parent)
        self._stack.addWidget(
            EmptyState(
                "hosts",
                self.tr("No host yet"),
                self.tr("Type an address above. Test says what the host can do before you add it."),
            )
        )
        both = QWidget(self._stack)
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING * 2)
        self.model = ChoiceModel(self)
        self.view = choice_view(self.model, both)
        self.view.setObjectName("hosts-list")
        self.view.setAccessibleName(self.tr("Hosts"))
        self.view.setMinimumSize(QSize(250, 180))
        self.view.selectionModel().currentChanged.connect(self._on_current)
        self.detail = HostDetail(both)
        self.detail.retry_wanted.connect(self._retry)
        self.detail.remove_wanted.connect(self._remove)
        row.addWidget(self.view, 10)
        row.addWidget(self.detail, 16)
        self._stack.addWidget(both)
        return self._stack

    # Showing

    def _choice(self, entry: HostEntry) -> Choice:
        status = self._hosts.status(entry.name)
        if status is not None and status.connected:
            count = sum(instance.provider == entry.name for instance in self._session.inventory.all())
            badge = Badge(self.tr("connected"), Tone.GOOD)
            subtitle = self.tr("%n machine(s)", "", count)
        elif status is not None and status.connecting:
            badge = Badge(self.tr("connecting"), Tone.MUTED)
            subtitle = ""
        else:
            badge = Badge(self.tr("not connected"), Tone.BAD)
            subtitle = status.message if status is not None else ""
        return Choice(entry.name, entry.uri, subtitle, (badge,))

    def _show_detail(self) -> None:
        if self._wanted:
            entry = self._hosts.get(self._wanted)
            status, facts = self._hosts.status(entry.name), self._hosts.facts(entry.name)
            self.detail.show_host(entry, status, facts)
            if facts is None and status is not None and status.connected and not self._tasks.is_running("learn"):
                learnt = partial(self._learnt, entry)
                self._tasks.start("learn", self._hosts.learn(entry.name), on_done=learnt, on_error=lambda _: None)
            denied = reason_against(self._session, Permission.MANAGE_HOSTS)
            self.detail.remove.setEnabled(not denied)
            self.detail.remove.setToolTip(denied or self.tr("The host's machines run on, but are not shown any more"))
            if self._session.readonly:
                self.detail.retry.setEnabled(False)

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        choice = self.model.choice(current)
        if choice is not None and choice.key != self._wanted:
            self._wanted = choice.key
            self._show_detail()

    def _provider_changed(self, status: ProviderStatus) -> None:
        if any(entry.name == status.name for entry in self._hosts.entries()):
            self.refresh()

    def _learnt(self, entry: HostEntry, facts: HostFacts | None) -> None:
        if facts is not None and entry.name == self._wanted:
            self.detail.show_host(entry, self._hosts.status(entry.name), facts)
        elif entry.name != self._wanted:
            self._show_detail()

    # Doing

    def _retry(self, name: str) -> None:
        self._hosts.retry(name)

    def _remove(self, name: str) -> None:
        self._tasks.start(f"remove {name}", self._hosts.remove(name))
