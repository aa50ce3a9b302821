"""What a scan found, one row for each term in each view."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.exposure import ExposureResult, Readability, TermExposure, TermForm
from confvm_gui.domain.memory import Viewer
from confvm_gui.ui.icons import icon
from confvm_gui.ui.panels.memory import wording

Index = QModelIndex | QPersistentModelIndex
Texts = Mapping[tuple[TermForm, str], str]
"""What was typed, by form and SHA-256."""
_NONE = QModelIndex()
_MARKS = {
    Readability.READABLE: ("warning", "danger"),
    Readability.NOT_FOUND: ("ok", "success"),
    Readability.BY_CHANCE: ("info", "muted"),
}
"""Icon and its colour; of the hypervisor's view only: what the guest reads of itself is neither good nor bad."""
_READABLE_COLUMN = 2
_FIRST_PLACES = 12


class ResultsModel(QAbstractTableModel):
    """Texts are shown as they were typed as long as the window knows them; else by their label."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[TermExposure, ...] = ()
        self._texts: Texts = {}

    def show_result(self, result: ExposureResult | None, texts: Texts) -> None:
        """`texts`: what to show of a term instead of its label."""
        self.beginResetModel()
        self._rows = () if result is None else result.exposures
        self._texts = dict(texts)
        self.endResetModel()

    def exposure(self, row: int) -> TermExposure:
        return self._rows[row]

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else 6

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        titles = (
            self.tr("What"),
            self.tr("Seen by"),
            self.tr("Readable"),
            self.tr("Places"),
            self.tr("First at"),
            self.tr("Page"),
        )
        return titles[section] if 0 <= section < len(titles) else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            first = row.places[0] if row.places else None
            return (
                self._texts.get((row.term.form, row.term.sha256), row.term.label),
                wording.short_name(row.viewer),
                self._readable(row.readability),
                wording.number(row.count),
                "" if first is None else wording.address(first.gpa, 8),
                "" if first is None else wording.kind_label(first.kind),
            )[index.column()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == _READABLE_COLUMN:
            return icon(*_MARKS[row.readability]) if row.viewer is Viewer.HYPERVISOR else None
        if role == Qt.ItemDataRole.ToolTipRole and row.places:
            more = " …" if row.count > _FIRST_PLACES else ""
            return ", ".join(wording.address(place.gpa, 8) for place in row.places[:_FIRST_PLACES]) + more
        return None

    def _readable(self, readability: Readability) -> str:
        if readability is Readability.READABLE:
            return self.tr("Yes, readable")
        if readability is Readability.NOT_FOUND:
            return self.tr("Not found")
        return self.tr("By chance only")
