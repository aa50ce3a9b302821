"""The page `Guardrails`: how the fleet stands, packs of rules, emergency exceptions.

Object names for tests and the tour: `guardrails-page`, `guardrails-tabs`, `guardrails-state`, `guardrails-message`, and
those of the tabs.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from confvm_gui.domain.policy import Mode
from confvm_gui.fleet.inventory import InventoryChange
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.guardrails.compliance_tab import ComplianceTab
from confvm_gui.ui.guardrails.exceptions_tab import ExceptionsTab
from confvm_gui.ui.guardrails.packs_tab import PacksTab
from confvm_gui.ui.guardrails.report_export import ReportExport
from confvm_gui.ui.made_later import MadeLater
from confvm_gui.ui.models.exceptions_model import runs
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.looks import SPACING, Note, Tone, heading


class GuardrailsPage(QWidget):
    """Emits `problem` with a sentence for what went wrong; asks for instances and parts of the fleet by signals."""

    problem = Signal(str)
    instance_wanted = Signal(str)
    fleet_wanted = Signal(str)
    """With a filter text."""

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("guardrails-page")
        self._session = session
        self._tasks = TaskKeeper("guardrails", self.problem.emit)
        self._subscriptions = Subscriptions()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT * 2, UNIT * 2, UNIT)
        rows.setSpacing(SPACING)
        top = QHBoxLayout()
        top.setSpacing(SPACING * 2)
        top.addWidget(heading(self.tr("Guardrails"), self, 1.5))
        self._state = Note("", Tone.MUTED, self)
        self._state.setObjectName("guardrails-state")
        top.addWidget(self._state, 1, Qt.AlignmentFlag.AlignVCenter)
        rows.addLayout(top)
        self.message = Note("", Tone.MUTED, self)
        self.message.setObjectName("guardrails-message")
        self.message.hide()
        rows.addWidget(self.message)
        self.compliance = ComplianceTab(session.guard, self._tasks, self)
        self._packs = MadeLater(lambda: PacksTab(session, self._tasks), self)
        self._exceptions = MadeLater(lambda: ExceptionsTab(session, self._tasks), self)
        self.report = ReportExport(session, self._tasks, self.message.show_text, self)
        self.tabs = QTabWidget(self)
        self.tabs.setObjectName("guardrails-tabs")
        self.tabs.setAccessibleName(self.tr("Guardrails"))
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.compliance, self.tr("Compliance"))
        self.tabs.addTab(self._packs, self.tr("Packs of rules"))
        self.tabs.addTab(self._exceptions, self.tr("Exceptions"))
        self.tabs.currentChanged.connect(lambda _: self.refresh())
        rows.addWidget(self.tabs, 1)
        self.compliance.instance_wanted.connect(self.instance_wanted)
        self.compliance.fleet_wanted.connect(self.fleet_wanted)
        self.compliance.packs_wanted.connect(self.show_packs)
        self.compliance.report_wanted.connect(self.report.ask)
        self._subscriptions.add(session.guard.changes, lambda _: self.compliance.changed())
        self._subscriptions.add(session.guard.rules.changes, lambda _: self.refresh())
        self._subscriptions.add(session.inventory.changes, self._inventory_changed)

    @property
    def packs(self) -> PacksTab:
        """The tab with the packs."""
        return self._packs.widget()

    @property
    def exceptions(self) -> ExceptionsTab:
        """The tab with the exceptions."""
        return self._exceptions.widget()

    def show_packs(self) -> None:
        """Bring the packs to the front."""
        self.tabs.setCurrentWidget(self._packs)

    def show_exceptions(self) -> None:
        """Bring the exceptions to the front."""
        self.tabs.setCurrentWidget(self._exceptions)

    async def aclose(self) -> None:
        """Stop listening, and what runs."""
        self._subscriptions.clear()
        await self._tasks.aclose()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.look()

    def look(self) -> None:
        """The page has come into sight: show what there is; what another console found is judged here first."""
        if self._session.readonly:
            self._tasks.start("judge", self._session.guard.judge_now(), on_done=lambda _: self.refresh())
        else:
            self.refresh()

    def refresh(self) -> None:
        """Show what there is now in the tab in sight."""
        if not self.isVisible():
            return
        self._show_state()
        for tab in (self.compliance, self._packs.made, self._exceptions.made):
            if tab is not None:
                tab.refresh()

    def _show_state(self) -> None:
        rules = self._session.guard.rules
        on = [one for one in rules.assignments() if one.mode is not Mode.OFF]
        excepted = sum(runs(one) for one in rules.exceptions())
        if not on:
            text = self.tr("Unguarded: no pack of rules is on, so nothing is judged and nothing is denied.")
            self._state.show_text(text, Tone.WARNING)
            return
        enforced = sum(one.mode is Mode.ENFORCE for one in on)
        parts = [self.tr("%n pack(s) enforced", "", enforced)]
        if warning := len(on) - enforced:
            parts.append(self.tr("%n only warn(s)", "", warning))
        if excepted:
            parts.append(self.tr("%n exception(s) running", "", excepted))
        self._state.show_text(" · ".join(parts), Tone.WARNING if excepted else Tone.GOOD)

    def _inventory_changed(self, change: InventoryChange) -> None:
        if change.removed:
            self.compliance.changed()
