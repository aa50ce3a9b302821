"""Keep RAM as it is now; see later what has changed since."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QDateTime, QLocale, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from confvm_gui.domain.memory import PAGE_SIZE, Viewer
from confvm_gui.fleet.memory.cell_map import CellMap
from confvm_gui.fleet.memory.snapshot import Snapshot, take_snapshot
from confvm_gui.fleet.memory.sweep import PageSweep
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.panels.memory import wording
from confvm_gui.ui.panels.memory.colours import Theme, show_kind
from confvm_gui.ui.panels.memory.pane import MemoryPane
from confvm_gui.ui.widgets.heat_map import LOWEST, HeatMap, Levels, join_max
from confvm_gui.ui.widgets.hex_position import HexPosition

TASK = "snapshot"


class SnapshotTab(QWidget):
    """Take, drop, and walk through the pages that changed; a map for each viewer."""

    jump = Signal(object)
    """Offset (bytes, int) of a changed page."""
    changed = Signal()
    """There is a snapshot, or no longer."""
    started = Signal(object)
    """Viewers whose RAM is being kept, for the audit log."""

    def __init__(
        self,
        panes: Sequence[MemoryPane],
        position: HexPosition,
        tasks: TaskKeeper,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._panes = {pane.viewer: pane for pane in panes}
        self._position = position
        self._tasks = tasks
        self._snapshots: dict[Viewer, Snapshot] = {}
        self._steps: dict[Viewer, int] = {}
        self._pages: dict[Viewer, NDArray[np.intp]] = {}
        self._cells: dict[Viewer, CellMap] = {}
        self.take = QPushButton(self.tr("Take snapshot"), self)
        self.take.setObjectName("memory-snapshot-take")
        self.drop = QPushButton(self.tr("Drop"), self)
        self.previous = QPushButton(self.tr("◂ Previous change"), self)
        self.next = QPushButton(self.tr("Next change ▸"), self)
        self.message = QLabel(self)
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.message.setContentsMargins(8, 0, 0, 0)
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(6)
        self.progress.setRange(0, 1000)
        self.progress.hide()
        self._maps = {viewer: HeatMap(theme.change, join_max, self) for viewer in self._panes}
        self._counts = {viewer: QLabel(self) for viewer in self._panes}
        bar = QHBoxLayout()
        for button in (self.take, self.drop, self.previous, self.next):
            bar.addWidget(button)
        bar.addWidget(self.message, 1)
        layout = QGridLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setVerticalSpacing(3)
        layout.addLayout(bar, 0, 0, 1, len(self._panes))
        layout.addWidget(self.progress, 1, 0, 1, len(self._panes))
        for column, viewer in enumerate(self._panes):
            layout.addWidget(self._counts[viewer], 2, column)
            layout.addWidget(self._maps[viewer], 3, column)
            layout.setColumnStretch(column, 1)
            self._maps[viewer].setAccessibleName(
                self.tr("Pages changed since the snapshot, {viewer}").format(viewer=wording.short_name(viewer))
            )
            self._maps[viewer].chosen.connect(lambda cell, viewer=viewer: self._choose(viewer, cell))
        layout.setRowStretch(3, 1)
        self.take.clicked.connect(self.start)
        self.drop.clicked.connect(self.forget)
        self.previous.clicked.connect(lambda: self._step(-1))
        self.next.clicked.connect(lambda: self._step(1))
        self.set_theme(theme)
        self.forget()

    @property
    def taken(self) -> bool:
        return bool(self._snapshots)

    def changed_pages(self, viewer: Viewer) -> int:
        """Pages known to have changed since the snapshot."""
        return int(self._pages[viewer].size) if viewer in self._pages else 0

    def set_theme(self, theme: Theme) -> None:
        for heat_map in self._maps.values():
            heat_map.set_ramp(theme.change)
        for label in (self.message, *self._counts.values()):
            show_kind(label, "muted")

    def show_viewers(self, viewers: Sequence[Viewer]) -> None:
        for viewer in self._panes:
            self._maps[viewer].setVisible(viewer in viewers)
            self._counts[viewer].setVisible(viewer in viewers)

    def start(self) -> None:
        """Take a snapshot of every view that there is; the one before is dropped."""
        self.forget()
        self.progress.setValue(0)
        self.progress.show()
        self.take.setEnabled(False)
        self.started.emit([viewer for viewer, pane in self._panes.items() if pane.watch is not None])
        self._tasks.start(TASK, self._take(), on_error=self._failed)

    def forget(self) -> None:
        """Drop the snapshot, or stop taking it."""
        self._tasks.cancel(TASK)
        self._snapshots, self._steps, self._pages = {}, {}, {}
        for viewer, pane in self._panes.items():
            pane.set_snapshot(None)
            self._maps[viewer].set_levels(np.zeros(0, dtype=np.uint8))
            self._counts[viewer].setText("")
        self.message.setText(
            self.tr("Keeps RAM as it is now, in this program's memory only, and marks what changes afterwards.")
        )
        self._show_state()
        self.changed.emit()

    def _failed(self, message: str) -> None:
        self.forget()
        self.message.setText(message)

    def interrupted(self) -> None:
        """The task was cancelled from outside; a snapshot that was complete stays."""
        self._show_state()

    async def _take(self) -> None:
        sources = [pane.watch.source for pane in self._panes.values() if pane.watch is not None]
        taken: dict[Viewer, Snapshot] = {}
        for index, source in enumerate(sources):

            def report(done: int, total: int, index: int = index) -> None:
                self.progress.setValue(int((index + done / max(1, total)) / len(sources) * 1000))

            taken[source.viewer] = await take_snapshot(source, on_progress=report)
        self._snapshots = taken
        pages = 0
        for viewer, snapshot in taken.items():
            self._panes[viewer].set_snapshot(snapshot)
            pages = max(pages, snapshot.pages)
        at = QLocale().toString(QDateTime.currentDateTime().time(), QLocale.FormatType.LongFormat)
        words = self.tr("Taken at {at}: {size}.").format(at=at, size=wording.pages_size(pages))
        if any(snapshot.pages_with_content < snapshot.pages for snapshot in taken.values()):
            words += " " + self.tr("Of some pages only a checksum is kept: they are marked as a whole.")
        self.message.setText(words)
        self._show_state()
        self.changed.emit()

    async def refresh(self) -> None:
        """Show what the sweep has found since the last time."""
        for viewer, snapshot in self._snapshots.items():
            sweep = self._panes[viewer].sweep
            if sweep is None or self._steps.get(viewer) == sweep.steps:
                continue
            self._steps[viewer] = sweep.steps
            pages, cells, levels = await asyncio.to_thread(_compare, sweep, snapshot)
            if self._snapshots.get(viewer) is not snapshot:
                return
            self._pages[viewer] = pages
            self._cells[viewer] = cells
            self._maps[viewer].set_levels(levels)
            one, many = self.tr("{viewer}: 1 page changed since"), self.tr("{viewer}: {count} pages changed since")
            words = (one if pages.size == 1 else many).format(
                viewer=wording.short_name(viewer), count=wording.number(int(pages.size))
            )
            self._counts[viewer].setText(words)
        self._mark()
        self._show_state()

    def _mark(self) -> None:
        position = self._position
        page = position.top * position.bytes_per_row // PAGE_SIZE
        for viewer, cells in self._cells.items():
            cell = cells.cell_of(page)
            self._maps[viewer].set_mark(*((-1, -1) if cell is None else (cell, cell)))

    def _show_state(self) -> None:
        running = self._tasks.is_running(TASK) and not self._snapshots
        self.progress.setVisible(running)
        self.take.setEnabled(not running)
        self.drop.setEnabled(running or bool(self._snapshots))
        self.drop.setText(self.tr("Cancel") if running else self.tr("Drop"))
        any_changed = any(pages.size for pages in self._pages.values())
        self.previous.setEnabled(any_changed)
        self.next.setEnabled(any_changed)

    def _choose(self, viewer: Viewer, cell: int) -> None:
        pages = self._cells[viewer].pages_of(cell, cell)
        if pages.size:
            changed = set(pages.tolist()) & set(self._pages[viewer].tolist())
            self.jump.emit((min(changed) if changed else int(pages[0])) * PAGE_SIZE)

    def _step(self, direction: int) -> None:
        """To the next changed page of either viewer, around the end."""
        # Not np.unique, which imports numpy.ma at its first use: 60 ms in the middle of a click.
        pages = np.array(sorted({page for found in self._pages.values() for page in found.tolist()}), dtype=np.int64)
        if not pages.size:
            return
        here = self._position.cursor // PAGE_SIZE
        if direction > 0:
            index = int(np.searchsorted(pages, here, side="right")) % pages.size
        else:
            index = (int(np.searchsorted(pages, here, side="left")) - 1) % pages.size
        self.jump.emit(int(pages[index]) * PAGE_SIZE)


def _compare(sweep: PageSweep, snapshot: Snapshot) -> tuple[NDArray[np.intp], CellMap, Levels]:
    """The changed pages, and a map of them; for a thread, since it takes milliseconds for each GiB."""
    changed = sweep.changed_since(snapshot.digests)
    cells = sweep.cell_map(used_only=True)
    levels: Levels = np.full(sweep.space.pages, LOWEST, dtype=np.uint8)
    levels[changed] = 255
    return changed, cells, join_max(cells.covered(levels), cells.per_cell)
