"""The memory panel: both views of one instance side by side, live, and the tools around them.

It reads only while it can be seen: what is in view at full rate while its window is active, a few times a second
otherwise, and nothing when hidden. All of RAM is swept slowly in the background for the heat maps.
"""

from __future__ import annotations

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

from confvm_gui.domain.errors import ConfvmError, Forbidden, NotFound, Unsupported, WrongState
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.ports.memory_source import MemorySource, SparseMemory
from confvm_gui.fleet.memory.address_space import AddressSpace
from confvm_gui.fleet.memory.bookmarks import Bookmarks
from confvm_gui.fleet.memory.plaintext import PlaintextUse, record_plaintext
from confvm_gui.fleet.memory.ranges import populated_runs
from confvm_gui.fleet.memory.session_access import MemorySession, ObservedChange
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.panels.memory import bookmarks, clipboard, export, search, snapshot
from confvm_gui.ui.panels.memory.colours import Theme, css, theme_for
from confvm_gui.ui.panels.memory.columns import PaneColumns
from confvm_gui.ui.panels.memory.legend import LegendTab
from confvm_gui.ui.panels.memory.live_reading import LiveReading
from confvm_gui.ui.panels.memory.maps import MapsTab
from confvm_gui.ui.panels.memory.toolbar import MemoryToolBar
from confvm_gui.ui.preferences import DEFAULT_MEMORY_REFRESH, HIGHEST_MEMORY_REFRESH, MEMORY_REFRESH
from confvm_gui.ui.widgets.hex_position import HexPosition

MESSAGE_SECONDS = 8.0
"""How long a message stays before the line tells again what the panel does."""


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
        self._opened_live = False
        self._places: dict[str, int] = {}
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
        self.reading = LiveReading(
            self.tasks,
            self.columns,
            focused_hz=self._focused_hz,
            is_active=lambda: self.window().isActiveWindow(),
            is_frozen=self.toolbar.freeze.isChecked,
            after_view=self._tell_rate,
            refresh_maps=self._refresh_maps,
        )
        self._lay_out()
        self._connect()
        self._unsubscribe = session.inventory.changes.subscribe(self._instances_changed)
        # The panel may be destroyed without having been closed; the session outlives it.
        self.destroyed.connect(self._unsubscribe)
        self.set_instance(None)

    def _focused_hz(self) -> int:
        value = self._session.settings.get(MEMORY_REFRESH, DEFAULT_MEMORY_REFRESH)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= HIGHEST_MEMORY_REFRESH:
            return value
        return DEFAULT_MEMORY_REFRESH

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
        position.scrolled.connect(self.reading.want)
        position.range_changed.connect(self.reading.want)
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
        self.search.started.connect(lambda viewers: self._record_use(PlaintextUse.SEARCH, viewers))
        self.snapshot.started.connect(lambda viewers: self._record_use(PlaintextUse.SNAPSHOT, viewers))
        self.bookmarks.jump.connect(self.go_to)
        self.maps.chosen.connect(self._show_offset)
        self.snapshot.jump.connect(self._show_offset)
        self.snapshot.changed.connect(self.reading.want)
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
        if self._instance is not None and not self.is_empty:
            self._places[self._instance.id] = self.position.cursor
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
        self._opened_live = instance.state.is_live
        reasons: dict[Viewer, str] = {}
        for pane in self.panes:
            try:
                pane.open(instance, self._session.memory(instance.id, pane.viewer))
            except (Unsupported, WrongState, NotFound, Forbidden) as error:
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
        self._show_offset(self._places.get(instance.id, self._first_place()))
        self.toolbar.goto.set_space(space)
        self.bookmarks.open(Bookmarks(self._session.settings, instance.id), self._digits())
        self._stack.setCurrentWidget(self._content)
        self._arrange()
        self._viewing_recorded = False
        self._start()

    def _first_place(self) -> int:
        """Offset to begin at: the largest range that was written, where the guest keeps its program and data."""
        source = next((source for viewer in Viewer if (source := self._source_of(viewer)) is not None), None)
        space = self._space()
        if source is None or space is None:
            return 0
        runs = populated_runs(source, space) if isinstance(source, SparseMemory) else ()
        return max(runs, key=lambda run: run.length).offset if runs else 0

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
                self._instance = instance
                if instance.state.is_live != self._opened_live:
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
        if self._live and self.isVisible() and self._viewers() and not self.reading.running:
            self._record_viewing()
            self.reading.start()

    def _stop(self) -> None:
        self.reading.stop()
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
        await self.reading.read_view()

    async def _refresh_maps(self) -> None:
        if self.tabs.currentWidget() is self.maps:
            await self.maps.refresh()
        if self.snapshot.taken:
            await self.snapshot.refresh()

    def _reading_failed(self, message: str) -> None:
        # As if it had not been live: the next news of a live instance opens its memory again.
        self._opened_live = False
        self._show_empty(self.tr("No memory to look at"), message)

    def _record_viewing(self) -> None:
        """Say in the audit log that a confidential guest's plaintext is being looked at, once for each viewing."""
        instance, guest = self._instance, self.columns.pane(Viewer.GUEST)
        if self._viewing_recorded or instance is None or not instance.confidential or guest.watch is None:
            return
        if guest not in self.columns.shown:
            return
        self._viewing_recorded = True
        record_plaintext(self._session.events, instance, PlaintextUse.VIEW, where=" in the memory panel")

    def _record_use(self, use: PlaintextUse, viewers: Sequence[Viewer]) -> None:
        if self._instance is not None:
            record_plaintext(self._session.events, self._instance, use, viewers)

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
        self.reading.want()

    def _cursor_moved(self) -> None:
        gpa = self._cursor_gpa()
        if gpa is not None:
            self.toolbar.goto.set_base(gpa)
        self.reading.want()

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
        if self.reading.running:
            self._record_viewing()
            self.reading.choose_sweeps()

    def _menu(self, viewer: Viewer, point: QPoint) -> None:
        self.clipboard.menu(viewer, self.search.search_for, self._new_bookmark).popup(point)

    # --- words ---

    def _say(self, words: str) -> None:
        self._said_at = time.monotonic()
        self.toolbar.say(words)

    def _complain(self, words: str) -> None:
        self._said_at = time.monotonic()
        self.toolbar.say(words, problem=True)

    def _tell_rate(self) -> None:
        """Say whether the bytes follow the guest; a message keeps its place for MESSAGE_SECONDS."""
        if time.monotonic() - self._said_at < MESSAGE_SECONDS:
            return
        if self.toolbar.freeze.isChecked():
            words = self.tr("Frozen: what is shown no longer follows the guest")
        elif self.window().isActiveWindow():
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
            self.reading.want()
