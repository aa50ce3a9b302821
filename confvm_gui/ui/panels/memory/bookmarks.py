"""Named addresses of this instance."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.fleet.memory.bookmarks import Bookmark, Bookmarks
from confvm_gui.ui.panels.memory import wording
from confvm_gui.ui.panels.memory.colours import Theme, show_kind
from confvm_gui.ui.widgets.elided_label import ElidedLabel

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()


class BookmarksModel(QAbstractTableModel):
    """Name and address, by ascending address."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Bookmark] = []
        self.digits = 8

    def set_bookmarks(self, bookmarks: list[Bookmark]) -> None:
        self.beginResetModel()
        self._rows = bookmarks
        self.endResetModel()

    def bookmark(self, row: int) -> Bookmark:
        return self._rows[row]

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else 2

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        titles = (self.tr("Address"), self.tr("Name"))
        return titles[section] if 0 <= section < len(titles) else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows) or role != Qt.ItemDataRole.DisplayRole:
            return None
        bookmark = self._rows[index.row()]
        return (wording.address(bookmark.gpa, self.digits), bookmark.name)[index.column()]


class BookmarksTab(QWidget):
    """Add one for the cursor's address, go to one, remove one."""

    jump = Signal(object)
    """GPA (int)."""

    def __init__(self, cursor_gpa: Callable[[], int | None], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cursor_gpa = cursor_gpa
        self._bookmarks: Bookmarks | None = None
        self._theme = theme
        self.model = BookmarksModel(self)
        self.name = QLineEdit(self)
        self.name.setObjectName("memory-bookmark-name")
        self.name.setAccessibleName(self.tr("Name of the bookmark"))
        self.name.setPlaceholderText(self.tr("Name for the address under the cursor"))
        self.add = QPushButton(self.tr("Add bookmark"), self)
        self.remove = QPushButton(self.tr("Remove"), self)
        self.message = ElidedLabel(parent=self)
        self.table = QTableView(self)
        self.table.setAccessibleName(self.tr("Bookmarks"))
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.table.setColumnWidth(0, self.table.fontMetrics().horizontalAdvance("0") * 20)
        self._empty = QLabel(
            self.tr("No bookmarks yet. Put the cursor on a byte, type a name and press Enter (Ctrl+D)."), self
        )
        self._empty.setWordWrap(True)
        bar = QHBoxLayout()
        bar.addWidget(self.name, 1)
        bar.addWidget(self.add)
        bar.addWidget(self.remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(bar)
        layout.addWidget(self.message)
        layout.addWidget(self._empty)
        layout.addWidget(self.table, 1)
        self.add.clicked.connect(self._add)
        self.name.returnPressed.connect(self._add)
        self.name.textChanged.connect(lambda: self.message.setText(""))
        self.remove.clicked.connect(self._remove)
        self.table.clicked.connect(lambda index: self.jump.emit(self.model.bookmark(index.row()).gpa))
        self.table.activated.connect(lambda index: self.jump.emit(self.model.bookmark(index.row()).gpa))
        self.set_theme(theme)
        self._show()

    def open(self, bookmarks: Bookmarks | None, digits: int = 8) -> None:
        self._bookmarks = bookmarks
        self.model.digits = digits
        self._show()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        show_kind(self.message, "error")
        show_kind(self._empty, "muted")

    def _show(self) -> None:
        bookmarks = [] if self._bookmarks is None else list(self._bookmarks.all())
        self.model.set_bookmarks(bookmarks)
        self._empty.setVisible(not bookmarks)
        self.table.setVisible(bool(bookmarks))
        self.remove.setEnabled(bool(bookmarks))

    def _add(self) -> None:
        gpa = self._cursor_gpa()
        if self._bookmarks is None or gpa is None:
            return
        try:
            self._bookmarks.add(self.name.text(), gpa)
        except InvalidInput as error:
            self.message.setText(error.message)
            self.name.setFocus()
            return
        self.name.clear()
        self._show()

    def _remove(self) -> None:
        row = self.table.currentIndex().row()
        if self._bookmarks is not None and row >= 0:
            self._bookmarks.remove(self.model.bookmark(row).name)
            self._show()
        else:
            self.message.setText(self.tr("Select the bookmark to remove"))
