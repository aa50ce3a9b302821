"""Emergency exceptions as Qt's item model: those that run first, then those that have ended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.policy import RuleException
from confvm_gui.ui.icons import icon
from confvm_gui.ui.models.column_titles import column_title
from confvm_gui.ui.text import duration, moment, translate

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


def runs(exception: RuleException) -> bool:
    """Whether it has not ended yet."""
    return exception.until > time.time()


class ExceptionsModel(QAbstractTableModel):
    """Columns: how long still, rule, instance, reason, who granted it, until when."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._exceptions: list[RuleException] = []

    def show_exceptions(self, exceptions: Sequence[RuleException]) -> None:
        """Take in what there is now; rows that stay keep their place."""
        ordered = sorted(exceptions, key=lambda one: (not runs(one), -one.until))
        if [one.id for one in ordered] == [one.id for one in self._exceptions]:
            self._exceptions = ordered
            self.tick()
            return
        self.beginResetModel()
        self._exceptions = ordered
        self.endResetModel()

    def tick(self) -> None:
        """Time has passed: the remaining times are others."""
        if self._exceptions:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._exceptions) - 1, 5))

    def exception(self, row: int) -> RuleException:
        return self._exceptions[row]

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._exceptions)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else 6

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._exceptions):
            return None
        one = self._exceptions[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            left = one.until - time.time()
            return (
                translate("ExceptionsModel", "{time} left").format(time=duration(left))
                if left > 0
                else translate("ExceptionsModel", "Ended"),
                f"{one.pack}/{one.rule}",
                one.subject or translate("ExceptionsModel", "all instances"),
                one.reason,
                one.granted_by,
                moment(one.until),
            )[index.column()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return icon("warning", "warning") if runs(one) else icon("ok", "muted")
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        titles = (
            translate("ExceptionsModel", "State"),
            translate("ExceptionsModel", "Rule"),
            translate("ExceptionsModel", "Instance"),
            translate("ExceptionsModel", "Reason"),
            translate("ExceptionsModel", "Granted by"),
            translate("ExceptionsModel", "Until"),
        )
        return column_title(titles, section, orientation, role)
