"""The page `Access`: requests that wait for a second person, roles, and who the present user is.

Object names for tests and the tour: `access-page`, `access-tabs`, and those of `approvals.view` and `roles_view`.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget, QWidget

from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.access.roles_view import RolesView
from confvm_gui.ui.approvals.view import ApprovalsView
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.made_later import MadeLater
from confvm_gui.ui.text import count_text
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.looks import SPACING, heading
from confvm_gui.ui.wizard.page import column


class AccessPage(QWidget):
    """Emits `problem` with a sentence for what went wrong, and `waiting_changed` with the number of open requests."""

    problem = Signal(str)
    waiting_changed = Signal(int)

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("access-page")
        self._tasks = TaskKeeper("access", self.problem.emit)
        self.approvals = ApprovalsView(session, self._tasks)
        self._roles = MadeLater(lambda: RolesView(session, self._tasks), self)
        self.tabs = QTabWidget(self)
        self.tabs.setObjectName("access-tabs")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.approvals, self.tr("Approvals"))
        self.tabs.addTab(self._roles, self.tr("Roles"))
        self.tabs.currentChanged.connect(self._tab_changed)
        rows = column(self, spacing=SPACING + 4)
        rows.setContentsMargins(UNIT * 2, UNIT * 2, UNIT * 2, UNIT)
        rows.addWidget(heading(self.tr("Access"), self, 1.5))
        rows.addWidget(self.tabs, 1)
        inside = self.approvals.layout()
        if inside is not None:
            inside.setContentsMargins(0, SPACING, 0, 0)
        self.approvals.waiting_changed.connect(self._count)
        self.approvals.refresh()

    def refresh(self) -> None:
        """Read the requests again, and show the roles as they are."""
        self.approvals.refresh()
        if self._roles.made is not None:
            self._roles.made.refresh()

    @property
    def roles(self) -> RolesView:
        """The tab with the roles."""
        return self._roles.widget()

    def show_roles(self) -> None:
        """Bring the roles to the front."""
        self.tabs.setCurrentWidget(self._roles)

    def show_requests(self) -> None:
        """Bring the requests to the front."""
        self.tabs.setCurrentWidget(self.approvals)

    async def aclose(self) -> None:
        """Stop listening, and what runs."""
        self.approvals.subscriptions.clear()
        if self._roles.made is not None:
            self._roles.made.subscriptions.clear()
        await self._tasks.aclose()

    def _tab_changed(self, _index: int) -> None:
        if self.tabs.currentWidget() is self._roles:
            self.roles.refresh()

    def _count(self, waiting: int) -> None:
        words = self.tr("Approvals")
        self.tabs.setTabText(0, f"{words} ({count_text(waiting)})" if waiting else words)
        self.waiting_changed.emit(waiting)
