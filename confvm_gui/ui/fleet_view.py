"""The fleet table on screen: one current row, any number of marked rows, its place kept while the fleet changes.

The current row is the instance whose page is shown. Marks (check boxes, Ctrl and Shift clicks, Space) are what bulk
actions work on. Both stay with their instances through updates, sorting and filtering.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from confvm_gui.ui.fleet_delegate import CHECK_ZONE, ROW_HEIGHT, FleetDelegate, draw_check_box
from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.models.fleet_model import COLUMNS, FleetModel
from confvm_gui.ui.theme import current_theme, theme_controller

DEFAULT_WIDTHS = {
    FleetColumn.NAME: 190,
    FleetColumn.STATE: 108,
    FleetColumn.TECHNOLOGY: 122,
    FleetColumn.TRUST: 204,
    FleetColumn.LOAD: 100,
    FleetColumn.PROVIDER: 160,
    FleetColumn.REGION: 118,
    FleetColumn.ZONE: 132,
    FleetColumn.MACHINE_TYPE: 126,
    FleetColumn.IMAGE: 126,
    FleetColumn.VCPUS: 72,
    FleetColumn.MEMORY: 88,
    FleetColumn.LABELS: 200,
    FleetColumn.COMPLIANCE: 110,
    FleetColumn.CLOUD: 80,
    FleetColumn.CREATED: 150,
}
DEFAULT_COLUMNS = (
    FleetColumn.NAME,
    FleetColumn.STATE,
    FleetColumn.TECHNOLOGY,
    FleetColumn.TRUST,
    FleetColumn.COMPLIANCE,
    FleetColumn.LOAD,
    FleetColumn.REGION,
    FleetColumn.MACHINE_TYPE,
    FleetColumn.IMAGE,
    FleetColumn.PROVIDER,
)


_NARROWEST_NAME = 130
_WIDEST_NAME = 340


class FleetHeader(QHeaderView):
    """Column titles, with a check box for all shown rows over the names."""

    def __init__(self, model: FleetModel, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._fleet = model
        self._pressed_on_box = False
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setFirstSectionMovable(False)  # the check boxes stay at the left
        self.setHighlightSections(False)
        self.setSortIndicatorShown(True)
        self.setMinimumSectionSize(48)
        self.setStretchLastSection(True)
        self.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        model.marks_changed.connect(self.viewport().update)
        model.counts_changed.connect(self.viewport().update)

    def _on_box(self, at: QPoint) -> bool:
        section = self.logicalIndexAt(at)
        return section == 0 and at.x() - self.sectionViewportPosition(0) < CHECK_ZONE

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed_on_box = self._on_box(event.position().toPoint())
        if self._pressed_on_box:
            self._fleet.mark_all_shown(not self._fleet.all_shown_marked())
            event.accept()
            return
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed_on_box:
            self._pressed_on_box = False
            event.accept()
            return
        super().mouseReleaseEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        checked = self._fleet.all_shown_marked()
        left = self.sectionViewportPosition(0) + 11
        box = QRect(left, self.viewport().height() // 2 - 8, 15, 15)
        painter = QPainter(self.viewport())
        draw_check_box(painter, current_theme(), box, checked, partly=not checked and self._fleet.marked_count > 0)
        painter.end()


class FleetView(QTableView):
    """See the module docstring. `current_changed` and `opened` carry an instance id."""

    current_changed = Signal(str)
    """The current row is another instance; "" when it left the fleet."""
    opened = Signal(str)
    """Clicked, or Enter was pressed: show its page."""
    menu_wanted = Signal(QPoint)
    """A context menu for what is marked or current, at a global position."""
    layout_changed = Signal()
    """The user changed columns: which, in what order, how wide, or sorted otherwise."""

    def __init__(self, model: FleetModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fleet = model
        self._current_id = ""
        self._anchor_row = -1
        self._place: tuple[str, int] | None = None
        self._rearranging = False
        self.adaptive = True
        """Whether the names get the width that nothing else needs, and a narrow table leaves out its last columns:
        until the user sets widths."""
        self._left_out: set[FleetColumn] = set()
        self._fitting = False
        self._delegate = FleetDelegate(model)
        self.setObjectName("fleet-table")
        self.setAccessibleName(self.tr("Instances"))
        self.setHorizontalHeader(FleetHeader(model, self))
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        rows = self.verticalHeader()
        rows.setVisible(False)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self.set_columns([(column, DEFAULT_WIDTHS[column]) for column in DEFAULT_COLUMNS])
        header.sectionMoved.connect(self.layout_changed)
        header.sectionResized.connect(self._resized_by_hand)
        header.sortIndicatorChanged.connect(self.layout_changed)
        model.about_to_rearrange.connect(self._keep_place)
        model.rearranged.connect(self._restore_place)
        self.selectionModel().currentRowChanged.connect(self._row_changed)
        theme_controller().changed.connect(self.viewport().update)

    # Columns

    def columns(self) -> list[tuple[FleetColumn, int]]:
        """Chosen columns in the order on screen, with their widths in pixels; those left out for now included."""
        header = self.horizontalHeader()
        chosen: list[tuple[FleetColumn, int]] = []
        for place in range(header.count()):
            at = header.logicalIndex(place)
            if COLUMNS[at] in self._left_out:
                chosen.append((COLUMNS[at], DEFAULT_WIDTHS[COLUMNS[at]]))
            elif not self.isColumnHidden(at):
                chosen.append((COLUMNS[at], self.columnWidth(at)))
        return chosen

    def set_columns(self, columns: list[tuple[FleetColumn, int]]) -> None:
        """Show these columns in this order; the name is always there."""
        header = self.horizontalHeader()
        header.blockSignals(True)
        self._left_out.clear()
        shown = [column for column, _ in columns]
        if FleetColumn.NAME not in shown:
            columns = [(FleetColumn.NAME, DEFAULT_WIDTHS[FleetColumn.NAME]), *columns]
            shown.insert(0, FleetColumn.NAME)
        for at, column in enumerate(COLUMNS):
            self.setColumnHidden(at, column not in shown)
        for place, (column, width) in enumerate(columns):
            at = COLUMNS.index(column)
            header.moveSection(header.visualIndex(at), place)
            self.setColumnWidth(at, max(48, min(900, width)))
        header.blockSignals(False)
        header.viewport().update()
        self.updateGeometries()
        self.viewport().update()

    def _resized_by_hand(self, section: int, before: int, now: int) -> None:
        if self._fitting:
            return
        # The last column changes by itself with the window.
        header = self.horizontalHeader()
        last = max((header.visualIndex(at), at) for at in range(header.count()) if not self.isColumnHidden(at))[1]
        if now and before and section != last and self.adaptive:
            self.adaptive = False
            self._show_left_out()
        self.layout_changed.emit()

    def show_column(self, column: FleetColumn, on: bool) -> None:
        if column is FleetColumn.NAME and not on:
            return
        self._left_out.discard(column)
        self._fitting = True
        self.setColumnHidden(COLUMNS.index(column), not on)
        if on and self.columnWidth(COLUMNS.index(column)) < 48:
            self.setColumnWidth(COLUMNS.index(column), DEFAULT_WIDTHS[column])
        self._fitting = False
        if self.adaptive:
            self._fit(self.viewport().width())
        self.layout_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.adaptive:
            self._fit(event.size().width())

    def _fit(self, width: int) -> None:
        """Leave out columns from the last on until the names have room, and give them what is left."""
        chosen = [column for column, _ in self.columns()]
        others = [column for column in chosen if column is not FleetColumn.NAME]
        least = DEFAULT_WIDTHS[FleetColumn.NAME]
        needed = sum(DEFAULT_WIDTHS[column] for column in others)
        kept = len(others)
        while kept > 1 and width - needed < least:
            kept -= 1
            needed -= DEFAULT_WIDTHS[others[kept]]
        self._fitting = True
        self._left_out = set(others[kept:])
        for place, column in enumerate(others):
            at = COLUMNS.index(column)
            self.setColumnHidden(at, place >= kept)
            if place < kept:
                self.setColumnWidth(at, DEFAULT_WIDTHS[column])
        self.setColumnWidth(0, max(_NARROWEST_NAME, min(_WIDEST_NAME, width - needed)))
        self._fitting = False

    def _show_left_out(self) -> None:
        self._fitting = True
        for column in self._left_out:
            self.setColumnHidden(COLUMNS.index(column), False)
            self.setColumnWidth(COLUMNS.index(column), DEFAULT_WIDTHS[column])
        self._left_out.clear()
        self._fitting = False

    # Current row

    @property
    def current_id(self) -> str:
        """The instance that is current, shown or hidden by the filter; "" for none."""
        return self._current_id

    def set_current(self, instance_id: str) -> None:
        """Make an instance current and bring its row into sight."""
        row = self._fleet.row_of(instance_id) if instance_id else None
        if row is not None:
            self.selectRow(row)
            self.scrollTo(self._fleet.index(row, 0))
            return
        self._put_current(None)
        self._note_current(instance_id)

    def _row_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if self._rearranging or not current.isValid():
            return
        self._delegate.current_row = current.row()
        self.viewport().update()
        self._note_current(self._fleet.instance_at(current.row()).id)

    def _note_current(self, instance_id: str) -> None:
        if instance_id != self._current_id:
            self._current_id = instance_id
            self.current_changed.emit(instance_id)

    def _put_current(self, row: int | None) -> None:
        index = self._fleet.index(row, 0) if row is not None else QModelIndex()
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self._rearranging = True
        self._delegate.current_row = -1 if row is None else row
        self.setAutoScroll(False)
        if row is None:
            self.selectionModel().clear()
        elif self.currentIndex().row() != row or not self.selectionModel().isRowSelected(row):
            column = max(0, self.currentIndex().column())
            self.selectionModel().setCurrentIndex(index.siblingAtColumn(column), flags)
        self.setAutoScroll(True)
        self._rearranging = False

    # Keeping the place

    def _keep_place(self) -> None:
        self._rearranging = True
        bar = self.verticalScrollBar()
        top = self.rowAt(0)
        if bar.value() > bar.minimum() and 0 <= top < self._fleet.rowCount():
            self._place = (self._fleet.instance_at(top).id, self.rowViewportPosition(top))
        else:
            self._place = None

    def _restore_place(self) -> None:
        self._rearranging = False
        self._anchor_row = -1
        self._put_current(self._fleet.row_of(self._current_id) if self._current_id else None)
        if self._place is None:
            return
        row = self._fleet.row_of(self._place[0])
        if row is not None:
            self.updateGeometries()
            self.verticalScrollBar().setValue(row * ROW_HEIGHT - self._place[1])

    # Mouse and keyboard

    def focusInEvent(self, event: QFocusEvent) -> None:
        # Qt makes the first row current when the focus comes; here nothing is current until somebody chooses it.
        self._rearranging = True
        super().focusInEvent(event)
        if not self._current_id:
            self.selectionModel().clearCurrentIndex()
        self._rearranging = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if event.button() is not Qt.MouseButton.LeftButton or not index.isValid():
            super().mousePressEvent(event)
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        row = index.row()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._mark_range(row)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier or self._on_check_box(event, index):
            self._fleet.mark([row], not self._fleet.is_marked(row))
            self._anchor_row = row
        else:
            self._anchor_row = row
            self.selectRow(row)
            self.opened.emit(self._fleet.instance_at(row).id)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.rowAt(round(event.position().y())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)
        super().leaveEvent(event)

    def _hover(self, row: int) -> None:
        if row != self._delegate.hovered_row:
            self._delegate.hovered_row = row
            self.viewport().update()

    def _on_check_box(self, event: QMouseEvent, index: QModelIndex) -> bool:
        return index.column() == 0 and event.position().x() - self.columnViewportPosition(0) < CHECK_ZONE

    def _mark_range(self, row: int) -> None:
        anchor = self._anchor_row if self._anchor_row >= 0 else max(0, self.currentIndex().row())
        low, high = sorted((anchor, row))
        self._fleet.mark(range(low, high + 1), True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().row()
        key = event.key()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if key == Qt.Key.Key_Space and row >= 0:
            self._fleet.mark([row], not self._fleet.is_marked(row))
            self._anchor_row = row
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row >= 0:
            self.opened.emit(self._fleet.instance_at(row).id)
        elif key == Qt.Key.Key_A and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._fleet.mark_all_shown(True)
        elif key == Qt.Key.Key_Escape and self._fleet.marked_count:
            self._fleet.clear_marks()
        elif shift and key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and row >= 0:
            target = max(0, min(self._fleet.rowCount() - 1, row + (1 if key == Qt.Key.Key_Down else -1)))
            if self._anchor_row < 0:
                self._anchor_row = row
            self._mark_range(target)
            anchor = self._anchor_row
            self.selectRow(target)
            self._anchor_row = anchor
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.indexAt(event.pos())
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            place = self.visualRect(self.currentIndex()).bottomLeft()
            self.menu_wanted.emit(self.viewport().mapToGlobal(place))
            return
        if index.isValid():
            self.selectRow(index.row())
            self.menu_wanted.emit(event.globalPos())
