"""The audit log as Qt's item model: newest first, loaded page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.event import AuditRecord, Severity
from confvm_gui.ui.icons import icon
from confvm_gui.ui.text import moment, translate

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
SEVERITY_MARKS = {
    Severity.INFO: ("info", "muted"),
    Severity.WARNING: ("warning", "warning"),
    Severity.ERROR: ("error", "danger"),
}


def severity_word(severity: Severity) -> str:
    return {
        Severity.INFO: translate("Severity", "Info"),
        Severity.WARNING: translate("Severity", "Warning"),
        Severity.ERROR: translate("Severity", "Error"),
    }[severity]


class EventsModel(QAbstractTableModel):
    """Columns: time, severity, message, action, actor, sequence number."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records: list[AuditRecord] = []
        self._more = False

    @property
    def oldest(self) -> int | None:
        """Sequence of the last row."""
        return self._records[-1].sequence if self._records else None

    def record(self, row: int) -> AuditRecord:
        return self._records[row]

    def clear(self) -> None:
        self.beginResetModel()
        self._records = []
        self._more = False
        self.endResetModel()

    def put_newest(self, records: Sequence[AuditRecord], page: int) -> None:
        """Take in what is newest now; what is there already stays. `page` is how many were asked for."""
        newest = self._records[0].sequence if self._records else 0
        fresh = [record for record in records if record.sequence > newest]
        if self._records and len(fresh) == len(records) and len(records) >= page:
            # More came than one page holds: what is between is not known, so begin anew.
            self.clear()
        if not self._records:
            self._more = len(records) >= page
        if fresh:
            self.beginInsertRows(QModelIndex(), 0, len(fresh) - 1)
            self._records[:0] = fresh
            self.endInsertRows()

    def put_older(self, records: Sequence[AuditRecord], page: int) -> None:
        """Append a page of records older than `oldest`."""
        self._more = len(records) >= page
        oldest = self.oldest
        fresh = [record for record in records if oldest is None or record.sequence < oldest]
        if fresh:
            self.beginInsertRows(QModelIndex(), len(self._records), len(self._records) + len(fresh) - 1)
            self._records.extend(fresh)
            self.endInsertRows()

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._records)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else 6

    @property
    def has_more(self) -> bool:
        """Whether there may be records older than the last row."""
        return self._more

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        record = self._records[index.row()]
        event = record.event
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                moment(event.at),
                severity_word(event.severity),
                event.message,
                event.action,
                event.actor,
                str(record.sequence),
            )[column]
        if role == Qt.ItemDataRole.DecorationRole and column == 1:
            return icon(*SEVERITY_MARKS[event.severity])
        if role == Qt.ItemDataRole.ToolTipRole:
            return event.message if column == 2 else record.hash if column == 5 else None
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation is Qt.Orientation.Horizontal:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        titles = (
            translate("EventsModel", "Time"),
            translate("EventsModel", "Severity"),
            translate("EventsModel", "What happened"),
            translate("EventsModel", "Action"),
            translate("EventsModel", "Who"),
            translate("EventsModel", "No."),
        )
        return titles[section] if 0 <= section < len(titles) else None
