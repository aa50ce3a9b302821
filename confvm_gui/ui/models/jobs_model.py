"""Operations as Qt's item model: newest first, each with its status, step and progress."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.operation import Operation, OperationStatus
from confvm_gui.ui.icons import icon
from confvm_gui.ui.text import duration, moment, operation_word, status_word, translate

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
PROGRESS_COLUMN = 3
OPERATION_ROLE = Qt.ItemDataRole.UserRole
KEPT = 500
STATUS_MARKS = {
    OperationStatus.PENDING: ("busy", "muted"),
    OperationStatus.RUNNING: ("jobs", "accent"),
    OperationStatus.SUCCEEDED: ("ok", "success"),
    OperationStatus.FAILED: ("error", "danger"),
    OperationStatus.CANCELLED: ("close", "muted"),
    OperationStatus.ROLLED_BACK: ("retry", "warning"),
}


def outcome(operation: Operation) -> str:
    """The error, or the last step in its own words."""
    if operation.error:
        return operation.error
    if operation.status is OperationStatus.SUCCEEDED or not operation.steps:
        return ""
    step = operation.steps[-1]
    return f"{step.name}: {step.detail}" if step.detail else step.name


class JobsModel(QAbstractTableModel):
    """Columns: what, instance, status, progress, step or error, began, took."""

    def __init__(self, operations: Sequence[Operation], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._operations = list(operations)[:KEPT]
        self._rows = {operation.id: row for row, operation in enumerate(self._operations)}

    def operation(self, row: int) -> Operation:
        return self._operations[row]

    def put(self, operation: Operation) -> None:
        """A new operation comes to the top, a known one is updated in place."""
        row = self._rows.get(operation.id)
        if row is not None:
            self._operations[row] = operation
            self.dataChanged.emit(self.index(row, 0), self.index(row, self.columnCount() - 1))
            return
        self.beginInsertRows(QModelIndex(), 0, 0)
        self._operations.insert(0, operation)
        self._rows = {each.id: at for at, each in enumerate(self._operations)}
        self.endInsertRows()
        if len(self._operations) > KEPT and self._operations[-1].status.is_final:
            self.beginRemoveRows(QModelIndex(), len(self._operations) - 1, len(self._operations) - 1)
            del self._rows[self._operations.pop().id]
            self.endRemoveRows()

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._operations)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else 7

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        operation = self._operations[index.row()]
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(operation, column)
        if role == Qt.ItemDataRole.DecorationRole and column == 2:
            return icon(*STATUS_MARKS[operation.status])
        if role == Qt.ItemDataRole.ToolTipRole:
            if column == 4:
                return outcome(operation) or None
            return "\n".join(f"{moment(step.at)}  {step.name}" for step in operation.steps) or None
        if role == OPERATION_ROLE:
            return operation
        return None

    @staticmethod
    def _text(operation: Operation, column: int) -> str:
        match column:
            case 0:
                return operation_word(operation.kind)
            case 1:
                return operation.instance_name
            case 2:
                return status_word(operation.status)
            case 3:
                return f"{operation.progress:.0%}"
            case 4:
                return outcome(operation)
            case 5:
                return moment(operation.accepted_at)
            case _:
                return duration(max(0.0, (operation.ended_at or time.time()) - operation.accepted_at))

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation is Qt.Orientation.Horizontal:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        titles = (
            translate("JobsModel", "Job"),
            translate("JobsModel", "Instance"),
            translate("JobsModel", "Status"),
            translate("JobsModel", "Progress"),
            translate("JobsModel", "Step"),
            translate("JobsModel", "Accepted"),
            translate("JobsModel", "Took"),
        )
        return titles[section] if 0 <= section < len(titles) else None
