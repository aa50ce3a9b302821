"""Heat maps of all RAM and the histogram of a page, one column for each viewer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QWidget

from confvm_gui.domain.memory import PAGE_SIZE, Viewer
from confvm_gui.fleet.memory.cell_map import CellMap
from confvm_gui.fleet.memory.page_statistics import LOWEST_LEVEL, NEVER_USED, Levels, level_entropy
from confvm_gui.fleet.memory.sweep import PageSweep
from confvm_gui.ui.panels.memory import wording
from confvm_gui.ui.panels.memory.colours import Theme, show_kind
from confvm_gui.ui.panels.memory.pane import MemoryPane, kinds_html
from confvm_gui.ui.widgets.byte_histogram import ByteHistogram
from confvm_gui.ui.widgets.elided_label import ElidedLabel
from confvm_gui.ui.widgets.heat_map import HeatMap, join_max, join_mean
from confvm_gui.ui.widgets.hex_position import HexPosition

PAGE, VIEW = "page", "view"
USED, ALL = "used", "all"


class ViewerMaps(QWidget):
    """Entropy map, change map and histogram of one viewer."""

    chosen = Signal(object)
    """Offset (bytes, int) that the user chose on a map."""

    def __init__(self, pane: MemoryPane, position: HexPosition, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pane = pane
        self._position = position
        self._theme = theme
        self._cells = CellMap(())
        self._steps = -1
        self.histogram_of = PAGE
        self.scope = USED
        self.entropy = HeatMap(theme.entropy, join_mean, self)
        self.change = HeatMap(theme.change, join_max, self)
        self.histogram = ByteHistogram(theme.histogram, self)
        self.totals = QLabel(self)
        self.totals.setTextFormat(Qt.TextFormat.RichText)
        self.totals.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        name = wording.headline(pane.viewer)
        self._captions = [ElidedLabel(parent=self) for _ in range(3)]
        widgets = (self.entropy, self.change, self.histogram)
        titles = (self.tr("Entropy of each page"), self.tr("Change of each page"), self.tr("Byte values"))
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(2)
        layout.addWidget(self.totals, 0, 0, 1, 3)
        for column, (widget, caption, title) in enumerate(zip(widgets, self._captions, titles, strict=True)):
            caption.setText(title)
            widget.setAccessibleName(f"{name}: {title}")
            layout.addWidget(caption, 1, column)
            layout.addWidget(widget, 2, column)
            layout.setColumnStretch(column, 1)
        layout.setRowStretch(2, 1)
        self.entropy.set_describe(self._describe_entropy)
        self.change.set_describe(self._describe_change)
        for heat_map in (self.entropy, self.change):
            heat_map.chosen.connect(self._choose)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.entropy.set_ramp(theme.entropy)
        self.change.set_ramp(theme.change)
        self.histogram.set_colours(theme.histogram)
        for label in (self.totals, *self._captions):
            show_kind(label, "muted")
        self.forget_steps()

    async def refresh(self) -> None:
        """Show what the sweep has found since the last time."""
        sweep = self._pane.sweep
        self.refresh_marks()
        self.refresh_histogram()
        if sweep is None or sweep.steps == self._steps:
            return
        self._steps = sweep.steps
        cells, entropy, change = await asyncio.to_thread(self._join, sweep, self.scope)
        if sweep is not self._pane.sweep:
            return
        self._cells = cells
        self.entropy.set_levels(entropy)
        self.change.set_levels(change)
        self.refresh_marks()
        counts = sweep.page_counts()
        self.totals.setText(kinds_html(tuple(counts), self._theme, counts))

    @staticmethod
    def _join(sweep: PageSweep, scope: str) -> tuple[CellMap, Levels, Levels]:
        """What both maps show. Takes milliseconds for each GiB, so not on the thread of the window."""
        cells = sweep.cell_map(used_only=scope == USED)
        entropy, heat = sweep.entropy, sweep.heat
        if scope == ALL:
            entropy, heat = sweep.mark_unused(entropy), sweep.mark_unused(heat)
        entropy, heat = cells.covered(entropy), cells.covered(heat)
        return cells, join_mean(entropy, cells.per_cell), join_max(heat, cells.per_cell)

    def forget_steps(self) -> None:
        """Show everything anew at the next refresh."""
        self._steps = -1

    def refresh_marks(self) -> None:
        position = self._position
        first = self._cells.cell_of(position.top * position.bytes_per_row // PAGE_SIZE)
        last = self._cells.cell_of((position.top + position.visible_rows) * position.bytes_per_row // PAGE_SIZE)
        ends = [cell for cell in (first, last) if cell is not None]
        for heat_map in (self.entropy, self.change):
            heat_map.set_mark(*((min(ends), max(ends)) if ends else (-1, -1)))

    def _choose(self, cell: int) -> None:
        pages = self._cells.pages_of(cell, cell)
        if pages.size:
            self.chosen.emit(int(pages[0]) * PAGE_SIZE)

    def refresh_histogram(self) -> None:
        page, view = self._pane.cursor_page(), self._pane.window_bytes()
        data = view if self.histogram_of == VIEW else None if page is None else page.data
        if data is not None:
            self.histogram.set_counts(np.bincount(data, minlength=256))
        title = self.tr("Byte values in view") if self.histogram_of == VIEW else self.tr("Byte values at the cursor")
        if self._captions[2].text() != title:
            self._captions[2].setText(title)

    def _range(self, pages: NDArray[np.intp]) -> str:
        space = self._pane.space
        if space is None or not pages.size:
            return ""
        start, end = space.gpa(int(pages[0]) * PAGE_SIZE), space.gpa((int(pages[-1]) + 1) * PAGE_SIZE - 1)
        return f"{wording.address(start, space.digits)} – {wording.address(end, space.digits)}"

    def _describe_entropy(self, first: int, last: int) -> str:
        sweep = self._pane.sweep
        if sweep is None:
            return ""
        pages = self._cells.pages_of(first, last)
        levels = sweep.entropy[pages]
        measured = levels[levels >= LOWEST_LEVEL]
        if measured.size:
            mean = wording.decimal(level_entropy(round(float(measured.mean()))), 1)
            words = self.tr("{bits} bits per byte on average over {count} used pages").format(
                bits=mean, count=wording.number(int(measured.size))
            )
        elif (levels == NEVER_USED).any() or sweep.passes:
            words = self.tr("never used")
        else:
            words = self.tr("not measured yet")
        return f"{self._range(pages)}\n{words}"

    def _describe_change(self, first: int, last: int) -> str:
        sweep = self._pane.sweep
        if sweep is None:
            return ""
        pages = self._cells.pages_of(first, last)
        hot = int((sweep.heat[pages] == 255).sum())
        words = self.tr("{count} pages changed between the last two looks").format(count=wording.number(hot))
        return f"{self._range(pages)}\n{words}"


class MapsTab(QWidget):
    """The maps of both viewers side by side, under their views."""

    chosen = Signal(object)
    """Offset (bytes, int)."""

    def __init__(
        self, panes: Sequence[MemoryPane], position: HexPosition, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._columns = {pane.viewer: ViewerMaps(pane, position, theme, self) for pane in panes}
        self.choices = QWidget(self)
        """Two choices, for the panel to place beside the tabs."""
        self._scope = QComboBox(self.choices)
        self._scope.setAccessibleName(self.tr("Which RAM the maps cover"))
        self._scope.setToolTip(self.tr("Which RAM the maps cover"))
        self._scope.addItem(self.tr("RAM in use"), USED)
        self._scope.addItem(self.tr("All RAM"), ALL)
        self._scope.currentIndexChanged.connect(self._choose_scope)
        self._kind = QComboBox(self.choices)
        beside = QHBoxLayout(self.choices)
        beside.setContentsMargins(0, 0, 4, 1)
        beside.addWidget(self._scope)
        beside.addWidget(self._kind)
        self._kind.setAccessibleName(self.tr("Which bytes the histogram counts"))
        self._kind.setToolTip(self.tr("Which bytes the histogram counts"))
        self._kind.addItem(self.tr("Page at the cursor"), PAGE)
        self._kind.addItem(self.tr("Bytes in view"), VIEW)
        self._kind.currentIndexChanged.connect(self._choose_histogram)
        row = QHBoxLayout()
        row.setSpacing(14)
        for column in self._columns.values():
            column.chosen.connect(self.chosen)
            row.addWidget(column, 1)
        layout = QGridLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.addLayout(row, 0, 0)

    def column(self, viewer: Viewer) -> ViewerMaps:
        return self._columns[viewer]

    def set_theme(self, theme: Theme) -> None:
        for column in self._columns.values():
            column.set_theme(theme)

    def show_viewers(self, viewers: Sequence[Viewer]) -> None:
        for viewer, column in self._columns.items():
            column.setVisible(viewer in viewers)

    async def refresh(self) -> None:
        for column in self._columns.values():
            if column.isVisible():
                await column.refresh()

    def _choose_scope(self) -> None:
        for column in self._columns.values():
            column.scope = str(self._scope.currentData())
            column.forget_steps()

    def _choose_histogram(self) -> None:
        for column in self._columns.values():
            column.histogram_of = str(self._kind.currentData())
            column.refresh_histogram()
