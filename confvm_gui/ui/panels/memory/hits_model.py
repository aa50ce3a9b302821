"""The places that a search found, as a table."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QCoreApplication, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.memory import Viewer
from confvm_gui.fleet.memory.search import Hit
from confvm_gui.ui.panels.memory import wording

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()


class HitsModel(QAbstractTableModel):
    """One row for each place: address, who sees it there, what its page is, how it is written, what is around it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[Viewer, Hit]] = []
        self._digits = 8

    def set_digits(self, digits: int) -> None:
        """Hexadecimal digits of an address."""
        self._digits = digits

    def clear(self) -> None:
        self.beginResetModel()
        self._rows = []
        self.endResetModel()

    def add(self, viewer: Viewer, hits: tuple[Hit, ...]) -> None:
        """Append the hits of one viewer."""
        if not hits:
            return
        first = len(self._rows)
        self.beginInsertRows(QModelIndex(), first, first + len(hits) - 1)
        self._rows += [(viewer, hit) for hit in hits]
        self.endInsertRows()

    def hit(self, row: int) -> tuple[Viewer, Hit]:
        return self._rows[row]

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else 5

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        titles = (self.tr("Address"), self.tr("Seen by"), self.tr("Page"), self.tr("As"), self.tr("Around it"))
        return titles[section] if 0 <= section < len(titles) else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        viewer, hit = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                wording.address(hit.gpa, self._digits),
                wording.short_name(viewer),
                wording.kind_label(hit.kind),
                encoding_label(hit.pattern.encoding),
                preview(hit),
            )[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{wording.address(hit.gpa, self._digits)} {wording.short_name(viewer)}"
        return None


def encoding_label(encoding: str) -> str:
    return QCoreApplication.translate("memory", "bytes") if encoding == "bytes" else encoding


def preview(hit: Hit) -> str:
    """What stands around a hit, as text; what cannot be printed as a dot."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in hit.before + hit.pattern.data[:64] + hit.after)
