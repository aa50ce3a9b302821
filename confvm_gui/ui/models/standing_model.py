"""How the fleet stands from one side (by rule, provider or label) as Qt's item model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.policy import Compliance, CompliancePoint
from confvm_gui.ui.icons import icon
from confvm_gui.ui.models.column_titles import column_title
from confvm_gui.ui.models.compliance_words import COMPLIANCE_MARKS
from confvm_gui.ui.text import compliance_word, count_text, translate

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_KINDS = (Compliance.VIOLATING, Compliance.WARNING, Compliance.COMPLIANT, Compliance.UNGUARDED)


class StandingModel(QAbstractTableModel):
    """Columns: whose, violating, warning, compliant, unguarded. The worst first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._points: list[CompliancePoint] = []

    def show_points(self, points: Sequence[CompliancePoint]) -> None:
        """Take in how things stand; rows that stay keep their place."""
        ordered = sorted(points, key=lambda point: (-point.violating, -point.warning, point.key))
        if [point.key for point in ordered] == [point.key for point in self._points]:
            if ordered != self._points:
                self._points = ordered
                self.dataChanged.emit(self.index(0, 0), self.index(len(ordered) - 1, len(_KINDS)))
            return
        self.beginResetModel()
        self._points = ordered
        self.endResetModel()

    def point(self, row: int) -> CompliancePoint:
        return self._points[row]

    def row_of(self, key: str) -> int | None:
        return next((at for at, point in enumerate(self._points) if point.key == key), None)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._points)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else 1 + len(_KINDS)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._points):
            return None
        point, column = self._points[index.row()], index.column()
        counts = (point.violating, point.warning, point.compliant, point.unguarded)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            if column == 0:
                return point.key
            return count_text(counts[column - 1]) if counts[column - 1] else "–"
        if role == Qt.ItemDataRole.DecorationRole and column and counts[column - 1]:
            return icon(*COMPLIANCE_MARKS[_KINDS[column - 1].value])
        if role == Qt.ItemDataRole.AccessibleTextRole and column == 0:
            told = [
                f"{count_text(count)} {compliance_word(kind.value)}" for kind, count in zip(_KINDS, counts, strict=True)
            ]
            return ", ".join((point.key, *told))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        titles = (translate("StandingModel", "Of"), *(compliance_word(kind.value) for kind in _KINDS))
        return column_title(titles, section, orientation, role)
