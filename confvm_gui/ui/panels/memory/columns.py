"""The panes side by side and the one scroll bar that moves them together."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from confvm_gui.domain.memory import Viewer
from confvm_gui.ui.panels.memory.colours import Theme
from confvm_gui.ui.panels.memory.pane import MemoryPane
from confvm_gui.ui.widgets.hex_position import HexPosition
from confvm_gui.ui.widgets.hex_view import HexView
from confvm_gui.ui.widgets.long_scroll_bar import LongScrollBar

_ROW_OF_BYTES = 2
_GAP = 8
"""Device-independent pixels between columns."""


class PaneColumns(QWidget):
    """One grid for both panes, so that their rows of bytes stay level whatever stands above and below them."""

    arranged = Signal()
    """Other columns, or rows of another width, are shown."""

    def __init__(self, position: HexPosition, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._position = position
        self.panes = tuple(MemoryPane(viewer, position, theme, self) for viewer in Viewer)
        self.shown: Sequence[MemoryPane] = self.panes
        """Panes that are to be seen."""
        self.scroll_bar = LongScrollBar(self)
        self.scroll_bar.setAccessibleName(self.tr("Position in RAM"))
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(6, 2, 0, 2)
        self._grid.setHorizontalSpacing(_GAP)
        self._grid.setVerticalSpacing(2)
        for column, pane in enumerate(self.panes):
            for row, widget in enumerate(pane.widgets):
                self._grid.addWidget(widget, row, column)
            pane.view.rows_fit.connect(lambda _rows: self.fit_rows())
            pane.view.zoomed.connect(self._zoom)
        self._grid.addWidget(self.scroll_bar, _ROW_OF_BYTES, len(self.panes))
        self._grid.setRowStretch(_ROW_OF_BYTES, 1)
        self.scroll_bar.moved.connect(position.scroll_to)
        position.scrolled.connect(self._scrolled)
        position.range_changed.connect(self._scrolled)
        self._wanted = (tuple(Viewer), 0, 8)

    def pane(self, viewer: Viewer) -> MemoryPane:
        return next(pane for pane in self.panes if pane.viewer is viewer)

    @property
    def first_view(self) -> HexView:
        """The leftmost view that shows bytes."""
        return next((pane.view for pane in self.shown if pane.watch is not None), self.panes[0].view)

    def arrange(self, viewers: Sequence[Viewer], bytes_per_row: int, digits: int) -> None:
        """Show the columns of `viewers` with addresses of `digits` and `bytes_per_row`; 0: as many as fit."""
        self._wanted = (tuple(viewers), bytes_per_row, digits)
        self.shown = [pane for pane in self.panes if pane.viewer in viewers]
        for pane in self.panes:
            for widget in pane.widgets:
                widget.setVisible(pane in self.shown)
        count, widths = self._choose_row(bytes_per_row, digits)
        view = self.panes[0].view
        for column, pane in enumerate(self.panes):
            stretch = 0
            if pane in self.shown:
                own = widths[list(self.shown).index(pane)]
                pane.view.set_address_digits(own)
                stretch = view.width_for(count, own)
            self._grid.setColumnStretch(column, stretch)
        self._position.set_bytes_per_row(count)
        self.fit_rows()
        self.arranged.emit()

    def _choose_row(self, wanted: int, digits: int) -> tuple[int, list[int]]:
        """Bytes per row, and address digits of each column: only the first has addresses where room is short."""
        columns, view = len(self.shown), self.panes[0].view
        room = self.width() - self.scroll_bar.sizeHint().width() - _GAP * (columns + 1)
        for count in (wanted,) if wanted else (32, 16, 8):
            for others in (digits, 0):
                widths = [digits] + [others] * (columns - 1)
                if sum(view.width_for(count, each) for each in widths) <= room:
                    return count, widths
        return wanted or 8, [digits] + [0] * (columns - 1)

    def fit_rows(self) -> None:
        """Tell the position how many rows fit in every column."""
        rows = [pane.view.fitting_rows() for pane in self.shown if pane.watch is not None]
        if rows:
            self._position.set_visible_rows(min(rows))
        self._scrolled()

    def _scrolled(self) -> None:
        position = self._position
        self.scroll_bar.set_rows(position.last_top, position.visible_rows, position.top)

    def _zoom(self, points: float) -> None:
        for pane in self.panes:
            pane.view.set_font_size(points)
        self.arrange(*self._wanted)
