"""The page of one instance: who it is, and its panels as tabs, each made when it is first looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QTabWidget, QToolButton, QVBoxLayout, QWidget

from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.instance import Instance
from confvm_gui.fleet.inventory import InventoryChange
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.icons import bind_icon, icon
from confvm_gui.ui.load_ahead import load
from confvm_gui.ui.text import STATE_TONES, state_word, technology_word
from confvm_gui.ui.theme import UNIT, theme_controller
from confvm_gui.ui.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from confvm_gui.ui.panels.instance_panel import InstancePanel
    from confvm_gui.ui.panels.memory.panel import MemoryPanel

TABS = ("overview", "memory", "exposure", "console", "events", "metrics", "attestation")
"""Keys of the tabs, in their order."""
_NARROW = 800
"""Pixels of width below which tabs go without icons."""


class InstanceView(Protocol):
    """What the page asks of a panel."""

    def set_instance(self, instance_id: str | None) -> None: ...

    async def aclose(self) -> None: ...


class _Tab(QWidget):
    """A tab that is empty until its panel is there."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.panel: QWidget | None = None
        self.view: InstanceView | None = None
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(0, 0, 0, 0)

    def put(self, panel: QWidget, view: InstanceView) -> None:
        """Fill the tab; `view` is the panel again, as what the page asks of it."""
        while (item := self.rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.panel = panel
        self.view = view
        self.rows.addWidget(panel)


class InstancePage(QWidget):
    """Shows one instance. Only the tab in sight follows it; the others catch up when they are looked at."""

    problem = Signal(str)
    close_wanted = Signal()
    maximize_wanted = Signal(bool)
    tab_changed = Signal(str)

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("instance-page")
        self._session = session
        self._tasks = TaskKeeper("InstancePage", self.problem.emit)
        self._subscriptions = Subscriptions()
        self.instance_id = ""
        self._narrow = False
        self._place: int | None = None
        """GPA that the memory panel shows once it is made."""
        self.name = ElidedLabel()
        self.name.setObjectName("instance-name")
        self.name.setProperty("kind", "title")
        self.state = _pill("instance-state")
        self.technology = _pill("instance-technology")
        self.emulated = _pill("instance-emulated")
        self.emulated.setText(self.tr("Emulated"))
        self.emulated.setToolTip(self.tr("The hardware is emulated on this computer: a rehearsal, not a protection"))
        self.emulated.setProperty("tone", "warning")
        self.maximize = QToolButton()
        self.maximize.setObjectName("page-maximize")
        self.maximize.setCheckable(True)
        self.maximize.toggled.connect(self._maximize_toggled)
        close = QToolButton()
        close.setObjectName("page-close")
        close.setToolTip(self.tr("Close this page (Ctrl+W)"))
        close.setAccessibleName(self.tr("Close this page"))
        bind_icon(close, "close", "muted")
        close.clicked.connect(self.close_wanted)
        self._maximize_toggled(False)
        top = QWidget()
        head = QHBoxLayout(top)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(UNIT)
        head.addWidget(self.name, 1)
        for widget in (self.state, self.technology, self.emulated, self.maximize, close):
            head.addWidget(widget)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("instance-tabs")
        self.tabs.setAccessibleName(self.tr("Instance"))
        self.tabs.setDocumentMode(True)
        titles = {
            "overview": self.tr("Overview"),
            "memory": self.tr("Memory"),
            "exposure": self.tr("Exposure"),
            "console": self.tr("Console"),
            "events": self.tr("Events"),
            "metrics": self.tr("Metrics"),
            "attestation": self.tr("Attestation"),
        }
        self._tab_of = {key: _Tab(key) for key in TABS}
        for key, tab in self._tab_of.items():
            self.tabs.addTab(tab, titles[key])
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT * 2, UNIT * 2, 0)
        rows.setSpacing(UNIT // 2)
        rows.addWidget(top)
        rows.addWidget(self.tabs, 1)
        for part in (top, self.tabs.tabBar()):
            theme_controller().dress(part)
        self._put_icons()
        theme_controller().changed.connect(self._put_icons)
        self.tabs.currentChanged.connect(self._tab_shown)
        self._subscriptions.add(session.inventory.changes, self._changed)

    def _put_icons(self) -> None:
        for at, key in enumerate(TABS):
            self.tabs.setTabIcon(at, QIcon() if self._narrow else icon(key, "muted"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = event.size().width() < _NARROW
        if narrow is not self._narrow:
            self._narrow = narrow
            self._put_icons()

    def _maximize_toggled(self, on: bool) -> None:
        text = self.tr("Show the fleet beside it (Ctrl+M)") if on else self.tr("Use the whole window (Ctrl+M)")
        self.maximize.setToolTip(text)
        self.maximize.setAccessibleName(text)
        bind_icon(self.maximize, "restore" if on else "maximize", "muted")
        self.maximize_wanted.emit(on)

    # Which instance

    def set_instance(self, instance_id: str) -> None:
        """Show an instance; "" for none."""
        if instance_id == self.instance_id:
            return
        self.instance_id = instance_id
        try:
            self._show(self._session.inventory.get(instance_id))
        except NotFound:
            self.name.setText("")
        self._tab_shown(self.tabs.currentIndex())

    def _changed(self, change: InventoryChange) -> None:
        for instance in change.upserted:
            if instance.id == self.instance_id:
                self._show(instance)

    def _show(self, instance: Instance) -> None:
        self.name.setText(instance.name)
        _set_pill(self.state, state_word(instance.state), STATE_TONES.get(instance.state, ""))
        self.state.setToolTip(instance.state_reason)
        tone = "confidential" if instance.confidential else ""
        words = technology_word(instance.technology)
        _set_pill(self.technology, words if instance.confidential else self.tr("Not confidential"), tone)
        self.emulated.setVisible(instance.emulated)

    # Tabs

    @property
    def tab(self) -> str:
        """Key of the tab in sight."""
        return TABS[self.tabs.currentIndex()]

    def show_tab(self, key: str) -> None:
        """Bring a tab to the front."""
        self.tabs.setCurrentIndex(TABS.index(key))

    def show_record(self, record_id: str) -> None:
        """Show an attestation record; a panel that is only being made shows the newest by itself."""
        self.show_tab("attestation")
        panel = self._tab_of["attestation"].panel
        if panel is not None:
            from confvm_gui.ui.panels.attestation.panel import AttestationPanel

            if isinstance(panel, AttestationPanel):
                panel.choose(record_id)

    def panel(self, key: str) -> QWidget | None:
        """The panel of a tab, None as long as nobody has looked at it."""
        return self._tab_of[key].panel

    def _tab_shown(self, at: int) -> None:
        if at < 0 or not self.instance_id:
            return
        tab = self._tab_of[TABS[at]]
        if tab.panel is None:
            self._make(tab)
        self._follow(tab)
        memory = self._tab_of["memory"]
        if memory is not tab and memory.view is not None:
            memory.view.set_instance(None)
        self.tab_changed.emit(tab.key)

    def make_ahead(self, key: str) -> None:
        """Make a panel before anybody looks at it, while there is nothing else to do."""
        if self._tab_of[key].panel is None:
            self._make(self._tab_of[key])

    def _follow(self, tab: _Tab) -> None:
        if tab.view is not None:
            tab.view.set_instance(self.instance_id)

    def _make(self, tab: _Tab) -> None:
        makers: dict[str, Callable[[], InstancePanel]] = {
            "overview": self._make_overview,
            "console": self._make_console,
            "events": self._make_events,
            "metrics": self._make_metrics,
        }
        if tab.key in makers:
            panel = makers[tab.key]()
            panel.problem.connect(self.problem)
            theme_controller().dress(panel)
            tab.put(panel, panel)
        elif not self._tasks.is_running(f"{tab.key} panel"):
            waiting = EmptyState(tab.key, self.tr("Loading …"), "")
            theme_controller().dress(waiting)
            tab.rows.addWidget(waiting)
            late: dict[str, Callable[[], Awaitable[InstancePanel | MemoryPanel]]] = {
                "memory": self._make_memory,
                "exposure": self._make_exposure,
            }
            make = late.get(tab.key, self._make_attestation)
            self._tasks.start(f"{tab.key} panel", self._make_late(tab, make))

    def _make_overview(self) -> InstancePanel:
        from confvm_gui.ui.panels.overview.panel import OverviewPanel

        panel = OverviewPanel(self._session)
        panel.all_events_wanted.connect(lambda: self.show_tab("events"))
        panel.memory_wanted.connect(lambda: self.show_tab("memory"))
        return panel

    def _make_console(self) -> InstancePanel:
        from confvm_gui.ui.panels.console import ConsolePanel

        return ConsolePanel(self._session)

    def _make_events(self) -> InstancePanel:
        from confvm_gui.ui.panels.events import EventsPanel

        return EventsPanel(self._session)

    def _make_metrics(self) -> InstancePanel:
        from confvm_gui.ui.panels.metrics import MetricsPanel

        return MetricsPanel(self._session)

    async def _make_memory(self) -> InstancePanel | MemoryPanel:
        # numpy and all that paints bytes: loaded in a thread, so that the window does not stall.
        await load("confvm_gui.ui.panels.memory.panel")
        from confvm_gui.ui.panels.memory.panel import MemoryPanel

        return MemoryPanel(self._session, self)

    async def _make_exposure(self) -> InstancePanel | MemoryPanel:
        await load("confvm_gui.ui.panels.exposure.panel")
        from confvm_gui.ui.panels.exposure.panel import ExposurePanel

        panel = ExposurePanel(self._session, self)
        panel.problem.connect(self.problem)
        panel.place_wanted.connect(self._show_place)
        return panel

    def _show_place(self, gpa: int) -> None:
        """Show a byte in the memory panel; if nobody has looked at that yet, once it is made."""
        self._place = gpa
        self.show_tab("memory")
        self._go_to_place()

    def _go_to_place(self) -> None:
        from confvm_gui.ui.panels.memory.panel import MemoryPanel

        panel = self._tab_of["memory"].panel
        if self._place is not None and isinstance(panel, MemoryPanel):
            panel.go_to(self._place)
            self._place = None

    async def _make_attestation(self) -> InstancePanel | MemoryPanel:
        await load("confvm_gui.ui.panels.attestation.panel")
        from confvm_gui.ui.panels.attestation.panel import AttestationPanel

        panel = AttestationPanel(self._session, self._session.attestations, self)
        panel.problem.connect(self.problem)
        return panel

    async def _make_late(self, tab: _Tab, make: Callable[[], Awaitable[InstancePanel | MemoryPanel]]) -> None:
        # In several turns of the event loop: together they would take longer than a key press should wait.
        panel = await make()
        await asyncio.sleep(0)
        theme_controller().dress(panel)
        await asyncio.sleep(0)
        tab.put(panel, panel)
        await asyncio.sleep(0)
        if self.tab == tab.key and self.instance_id:
            panel.set_instance(self.instance_id)
            self.tab_changed.emit(tab.key)
            if tab.key == "memory":
                self._go_to_place()

    async def aclose(self) -> None:
        """End what the panels do and await it."""
        self._subscriptions.clear()
        await self._tasks.aclose()
        for tab in self._tab_of.values():
            if tab.view is not None:
                await tab.view.aclose()


def _pill(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setProperty("kind", "pill")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label


def _set_pill(label: QLabel, text: str, tone: str) -> None:
    label.setText(text)
    if label.property("tone") != tone:
        label.setProperty("tone", tone)
        label.style().unpolish(label)
        label.style().polish(label)
