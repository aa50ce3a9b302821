"""The memory panel: both views of one instance side by side, live, and the tools around them.

It reads only while it can be seen: what is in view at full rate while its window is active, a few times a second
otherwise, and nothing when hidden. All of RAM is swept slowly in the background for the heat maps.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QLabel,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.errors import ConfvmError, NotFound, Unsupported, WrongState
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.memory.address_space import AddressSpace
from confvm_gui.fleet.memory.bookmarks import Bookmarks
from confvm_gui.fleet.memory.session_access import MemorySession, ObservedChange
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.panels.memory import bookmarks, clipboard, export, search, snapshot
from confvm_gui.ui.panels.memory.colours import Theme, css, theme_for
from confvm_gui.ui.panels.memory.columns import PaneColumns
from confvm_gui.ui.panels.memory.legend import LegendTab
from confvm_gui.ui.panels.memory.maps import MapsTab
from confvm_gui.ui.panels.memory.pane import MemoryPane
from confvm_gui.ui.panels.memory.toolbar import MemoryToolBar
from confvm_gui.ui.widgets.hex_position import HexPosition

FOCUSED_INTERVAL, BACKGROUND_INTERVAL = 1 / 15, 1 / 4
"""Seconds between two reads of what is in view."""
MAPS_INTERVAL = 0.5
"""Seconds between two looks at what the sweep has found."""
MESSAGE_SECONDS = 8.0
"""How long a message stays before the line tells again what the panel does."""
VIEW_TASK, MAPS_TASK = "view", "maps"


def _sweep_task(pane: MemoryPane) -> str:
    return f"sweep {pane.viewer.value}"


class Themed(Protocol):
    def set_theme(self, theme: Theme) -> None: ...


class MemoryPanel(QWidget):
    """Give it an instance with `set_instance`; call `aclose` before the event loop ends."""

    def __init__(self, session: MemorySession, parent: QWidget | None = None, *, live: bool = True) -> None:
        """`live` False: reads only when `refresh_now` is called."""
        super().__init__(parent)
        self.setObjectName("memory-panel")
        self._session = session
        self._live = live
        self._theme = theme_for(self.palette())
        self._instance: Instance | None = None
        self._viewing_recorded = False
        self._wake = asyncio.Event()
        self._said_at = -MESSAGE_SECONDS
        self.tasks = TaskKeeper("memory panel", self._reading_failed)
        self.position = HexPosition(self)
        self.columns = PaneColumns(self.position, self._theme, self)
        self.panes = self.columns.panes
        self.toolbar = MemoryToolBar(self._theme, self)
        self.maps = MapsTab(self.panes, self.position, self._theme, self)
        self.search = search.SearchTab(self.tasks, self._source_of, self._theme, self)
        self.bookmarks = bookmarks.BookmarksTab(self._cursor_gpa, self._theme, self)
        self.snapshot = snapshot.SnapshotTab(self.panes, self.position, self.tasks, self._theme, self)
        self.legend = LegendTab(self._theme, self)
        self.exporter = export.Exporter(self.panes, self.position, self.tasks, self)
        self.clipboard = clipboard.ByteClipboard(self.panes, self.position, self.tasks, self)
        self._lay_out()
        self._connect()
        self._unsubscribe = session.inventory.changes.subscribe(self._instances_changed)
        # The panel may be destroyed without having been closed; the session outlives it.
        self.destroyed.connect(self._unsubscribe)
        self.set_instance(None)

    def _lay_out(self) -> None:
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.maps, self.tr("Maps of RAM"))
        self.tabs.addTab(self.search, self.tr("Search"))
        self.tabs.addTab(self.bookmarks, self.tr("Bookmarks"))
        self.tabs.addTab(self.snapshot, self.tr("Snapshot"))
        self.tabs.addTab(self.legend, self.tr("Legend"))
        self.tabs.setCornerWidget(self.maps.choices)
        self.tabs.setMinimumHeight(130)
        self.splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.splitter.addWidget(self.columns)
        self.splitter.addWidget(self.tabs)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setSizes([10_000, 178])
        self.splitter.setChildrenCollapsible(False)
        content = QWidget(self)
        column_layout = QVBoxLayout(content)
        column_layout.setContentsMargins(0, 0, 0, 0)
        column_layout.setSpacing(0)
        column_layout.addWidget(self.toolbar)
        column_layout.addWidget(self.splitter, 1)
        self._empty = QLabel(self)
        self._empty.setObjectName("memory-empty")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._empty.setTextFormat(Qt.TextFormat.RichText)
        self._empty.setMargin(24)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self._content = content

    def _connect(self) -> None:
        position, toolbar = self.position, self.toolbar
        position.scrolled.connect(self._wake_up)
        position.range_changed.connect(self._wake_up)
        position.cursor_moved.connect(self._cursor_moved)
        self.columns.arranged.connect(self._arranged)
        self.toolbar.wire(self)
        toolbar.goto.chosen.connect(self.go_to)
        toolbar.goto.left.connect(self.focus_bytes)
        toolbar.search.triggered.connect(self.focus_search)
        toolbar.freeze.toggled.connect(self.set_frozen)
        toolbar.take_snapshot.triggered.connect(self._take_snapshot)
        toolbar.bookmark.triggered.connect(self._new_bookmark)
        toolbar.export.setMenu(self.exporter.menu)
        toolbar.view_changed.connect(self._arrange)
        toolbar.goto_wanted.connect(lambda: toolbar.goto.setFocus(Qt.FocusReason.ShortcutFocusReason))
        self.search.jump.connect(self._show_hit)
        self.search.hits_changed.connect(lambda viewer, hits: self.columns.pane(viewer).set_hits(hits))
        self.search.left.connect(self.focus_bytes)
        self.bookmarks.jump.connect(self.go_to)
        self.maps.chosen.connect(self._show_offset)
        self.snapshot.jump.connect(self._show_offset)
        self.snapshot.changed.connect(self._wake_up)
        self.exporter.said.connect(self._say)
        self.exporter.failed.connect(self._complain)
        self.clipboard.failed.connect(self._complain)
        self.exporter.exported.connect(self._record_export)
        self.clipboard.said.connect(self._say)
        self.tabs.currentChanged.connect(lambda index: self.maps.choices.setVisible(index == 0))
        for pane in self.panes:
            pane.copy_requested.connect(self.clipboard.copy_hex)
            pane.menu_requested.connect(self._menu)

    # --- what it shows ---

    @property
    def instance_id(self) -> str | None:
        return None if self._instance is None else self._instance.id

    @property
    def theme(self) -> Theme:
        return self._theme

    @property
    def is_empty(self) -> bool:
        """Whether the empty state is shown."""
        return self._stack.currentWidget() is self._empty

    @property
    def empty_reason(self) -> str:
        """Text of the empty state."""
        return self._empty.text()

    def set_instance(self, instance_id: str | None) -> None:
        """Look at another instance's RAM, or at none."""
        self._stop()
        self._instance = None
        self.snapshot.forget()
        self.toolbar.freeze.setChecked(False)
        if instance_id is None:
            self._show_empty(self.tr("No instance chosen"), self.tr("Choose an instance to look into its memory."))
            return
        try:
            self._instance = self._session.inventory.get(instance_id)
        except NotFound as error:
            self._show_empty(self.tr("No memory to look at"), error.message)
            return
        self.bookmarks.open(Bookmarks(self._session.settings, instance_id))
        self._open()

    def _open(self) -> None:
        """Ask for both views of the instance and begin to read what there is."""
        instance = self._instance
        if instance is None:
            return
        reasons: dict[Viewer, str] = {}
        for pane in self.panes:
            try:
                pane.open(instance, self._session.memory(instance.id, pane.viewer))
            except (Unsupported, WrongState, NotFound) as error:
                reasons[pane.viewer] = error.message
                pane.close(instance, error.message)
        self.legend.set_instance(instance)
        viewers = self._viewers()
        self.search.set_viewers(viewers, self._digits())
        if not viewers:
            self._show_empty(self.tr("No memory to look at"), next(iter(reasons.values())))
            return
        space = self._space()
        self.position.set_length(0 if space is None else space.length)
        self.toolbar.goto.set_space(space)
        self.bookmarks.open(Bookmarks(self._session.settings, instance.id), self._digits())
        self._stack.setCurrentWidget(self._content)
        self._arrange()
        self._viewing_recorded = False
        self._start()

    def _show_empty(self, title: str, reason: str) -> None:
        self._stop()
        for pane in self.panes:
            pane.close()
        self.search.set_viewers([])
        self.toolbar.goto.set_space(None)
        quiet = css(self._theme.quiet)
        self._empty.setText(f'<p style="font-size:large"><b>{title}</b></p><p style="color:{quiet}">{reason}</p>')
        self._empty.setAccessibleName(f"{title}. {reason}")
        self._stack.setCurrentWidget(self._empty)

    def _instances_changed(self, change: ObservedChange) -> None:
        here = self._instance
        if here is None:
            return
        if here.id in change.removed:
            self.set_instance(None)
            return
        for instance in change.upserted:
            if instance.id == here.id:
                before, self._instance = here, instance
                opened = bool(self._viewers())
                if instance.state.is_live != before.state.is_live or instance.state.is_live != opened:
                    self._reopen()

    def _reopen(self) -> None:
        """The instance was started or stopped: other RAM, or none."""
        self._stop()
        self.snapshot.forget()
        self.toolbar.freeze.setChecked(False)
        self._open()

    # --- reading ---

    def _start(self) -> None:
        """Read, if the panel is seen and there is something to read."""
        if not self._live or not self.isVisible() or not self._viewers() or self.tasks.is_running(VIEW_TASK):
            return
        self._record_viewing()
        self._wake = asyncio.Event()
        self.tasks.start(VIEW_TASK, self._follow_view())
        self.tasks.start(MAPS_TASK, self._follow_maps())
        for pane in self.panes:
            if pane.sweep is not None and pane in self.columns.shown:
                self.tasks.start(_sweep_task(pane), pane.sweep.run())

    def _stop(self) -> None:
        for name in (VIEW_TASK, MAPS_TASK, *map(_sweep_task, self.panes)):
            self.tasks.cancel(name)
        for name in (search.TASK, snapshot.TASK, export.TASK, clipboard.TASK):
            self.tasks.cancel(name)
        self.snapshot.interrupted()

    async def aclose(self) -> None:
        """Stop reading for good and wait until every task has ended. Safe to call twice."""
        self._live = False
        self._unsubscribe()
        await self.tasks.aclose()

    async def refresh_now(self) -> None:
        """Read and show what is in view once. Raises what the sources raise."""
        for pane in self.panes:
            if pane.watch is not None and pane in self.columns.shown:
                await pane.refresh()

    async def _follow_view(self) -> None:
        while True:
            self._wake.clear()
            await self.refresh_now()
            active = self.window().isActiveWindow()
            self._tell_rate(active)
            frozen = self.toolbar.freeze.isChecked()
            interval = None if frozen else FOCUSED_INTERVAL if active else BACKGROUND_INTERVAL
            try:
                async with asyncio.timeout(interval):
                    await self._wake.wait()
            except TimeoutError:
                continue
            # Keys that repeat and drags wake it many times within one picture.
            await asyncio.sleep(1 / 60)

    async def _follow_maps(self) -> None:
        while True:
            current = self.tabs.currentWidget()
            if current is self.maps:
                await self.maps.refresh()
            if self.snapshot.taken:
                await self.snapshot.refresh()
            await asyncio.sleep(MAPS_INTERVAL)

    def _reading_failed(self, message: str) -> None:
        self._show_empty(self.tr("No memory to look at"), message)

    def _record_viewing(self) -> None:
        """Say in the audit log that a confidential guest's plaintext is being looked at, once for each viewing."""
        instance, guest = self._instance, self.columns.pane(Viewer.GUEST)
        if self._viewing_recorded or instance is None or not instance.confidential or guest.watch is None:
            return
        if guest not in self.columns.shown:
            return
        self._viewing_recorded = True
        self._session.events.record(
            "memory.view-plaintext",
            f"The guest's view of {instance.name}, its memory in plaintext, was opened in the memory panel",
            subject=instance.id,
        )

    def _record_export(self, viewer: Viewer, what: str) -> None:
        if self._instance is not None:
            self._session.events.record(
                "memory.export",
                f"Memory of {self._instance.name} as the {viewer.value} sees it was written to a file: {what}",
                subject=self._instance.id,
                detail={"viewer": viewer.value},
            )

    # --- moving ---

    def go_to(self, gpa: int) -> None:
        """Put the cursor on `gpa` and bring it into view; a GPA outside RAM is told, not gone to."""
        space = self._space()
        if space is None:
            return
        try:
            offset = space.offset(gpa)
        except ConfvmError as error:
            self._complain(error.message)
            return
        self._show_offset(offset)
        self.focus_bytes()

    def focus_bytes(self) -> None:
        self.columns.first_view.setFocus(Qt.FocusReason.OtherFocusReason)

    def focus_search(self) -> None:
        self.tabs.setCurrentWidget(self.search)
        self.search.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.field.selectAll()

    def _new_bookmark(self) -> None:
        self.tabs.setCurrentWidget(self.bookmarks)
        self.bookmarks.name.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _take_snapshot(self) -> None:
        self.tabs.setCurrentWidget(self.snapshot)
        self.snapshot.start()

    def _show_offset(self, offset: int) -> None:
        self.position.select(offset, offset)

    def _show_hit(self, viewer: Viewer, gpa: int, length: int) -> None:
        space = self.columns.pane(viewer).space
        if space is not None:
            offset = space.offset(gpa)
            # The mark of a found place shows its length; a selection would cover its colour.
            self.position.select(offset, offset)

    def set_frozen(self, frozen: bool) -> None:
        """Keep the bytes that are shown, or follow memory again."""
        for pane in self.panes:
            if pane.watch is not None:
                pane.watch.frozen = frozen
        self._said_at = -MESSAGE_SECONDS  # that it is frozen is more important than any earlier message
        self.toolbar.freeze.setChecked(frozen)
        self._wake.set()

    def _wake_up(self) -> None:
        """Let the next read come at once."""
        self._wake.set()

    def _cursor_moved(self) -> None:
        gpa = self._cursor_gpa()
        if gpa is not None:
            self.toolbar.goto.set_base(gpa)
        self._wake.set()

    def _cursor_gpa(self) -> int | None:
        space = self._space()
        return None if space is None or not space.length else space.gpa(self.position.cursor)

    # --- arrangement ---

    def _viewers(self) -> Sequence[Viewer]:
        return [pane.viewer for pane in self.panes if pane.watch is not None]

    def _space(self) -> AddressSpace | None:
        return next((pane.space for pane in self.panes if pane.space is not None), None)

    def _digits(self) -> int:
        space = self._space()
        return 8 if space is None else space.digits

    def _source_of(self, viewer: Viewer) -> MemorySource | None:
        watch = self.columns.pane(viewer).watch
        return None if watch is None else watch.source

    def _arrange(self) -> None:
        self.columns.arrange(self.toolbar.viewers, self.toolbar.bytes_per_row, self._digits())

    def _arranged(self) -> None:
        readable = [pane.viewer for pane in self.columns.shown if pane.watch is not None]
        self.maps.show_viewers(readable)
        self.snapshot.show_viewers(readable)
        self._restart_sweeps()

    def _restart_sweeps(self) -> None:
        if not self.tasks.is_running(VIEW_TASK):
            return
        self._record_viewing()
        for pane in self.panes:
            name = _sweep_task(pane)
            if pane not in self.columns.shown or pane.sweep is None:
                self.tasks.cancel(name)
            elif not self.tasks.is_running(name):
                self.tasks.start(name, pane.sweep.run())

    def _menu(self, viewer: Viewer, point: QPoint) -> None:
        self.clipboard.menu(viewer, self.search.search_for, self._new_bookmark).popup(point)

    # --- words ---

    def _say(self, words: str) -> None:
        self._said_at = time.monotonic()
        self.toolbar.say(words)

    def _complain(self, words: str) -> None:
        self._said_at = time.monotonic()
        self.toolbar.say(words, problem=True)

    def _tell_rate(self, active: bool) -> None:
        """Say whether the bytes follow the guest; a message keeps its place for MESSAGE_SECONDS."""
        if time.monotonic() - self._said_at < MESSAGE_SECONDS:
            return
        if self.toolbar.freeze.isChecked():
            words = self.tr("Frozen: what is shown no longer follows the guest")
        elif active:
            words = self.tr("Live")
        else:
            words = self.tr("Live, slower while the window is in the background")
        self.toolbar.say(words)

    # --- Qt's events ---

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Widths are known only when the layout has been applied, and a loop runs only when events are handled.
        QTimer.singleShot(0, self, self._shown)

    def _shown(self) -> None:
        if self.isVisible() and self._viewers():
            self._arrange()
            self._start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._viewing_recorded = False
        self._stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._viewers():
            self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "legend"):
            theme = theme_for(self.palette())
            if theme is not self._theme:
                self._theme = theme
                tabs = (self.maps, self.search, self.bookmarks, self.snapshot, self.legend)
                themed: tuple[Themed, ...] = (*self.panes, *tabs, self.toolbar)
                for each in themed:
                    each.set_theme(theme)
        elif event.type() == QEvent.Type.ActivationChange:
            self._wake.set()
