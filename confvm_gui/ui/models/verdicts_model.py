"""Earlier verdicts as Qt's item model, newest first: an instance's history, or that of files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.attestation_record import AttestationSummary
from confvm_gui.ui.icons import icon
from confvm_gui.ui.models.attestation_words import format_word, occasion_word
from confvm_gui.ui.models.counted_words import counted
from confvm_gui.ui.text import moment, translate

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


def verdict_word(trusted: bool, emulated: bool) -> str:
    """`Trusted`, `Not trusted`, with `(emulated)` where its root is."""
    if emulated:
        return translate("Verdict", "Trusted (emulated)") if trusted else translate("Verdict", "Not trusted (emulated)")
    return translate("Verdict", "Trusted") if trusted else translate("Verdict", "Not trusted")


def verdict_mark(trusted: bool) -> tuple[str, str]:
    """Icon and colour role."""
    return ("shield", "success") if trusted else ("error", "danger")


class VerdictsModel(QAbstractTableModel):
    """Columns: verdict, when, evidence, errors and warnings, occasion, who gave it. `files` shows files first."""

    def __init__(self, parent: QObject | None = None, *, files: bool = False) -> None:
        super().__init__(parent)
        self._files = files
        self._summaries: list[AttestationSummary] = []

    def show_history(self, summaries: Sequence[AttestationSummary]) -> None:
        """Take in a history, newest first. What is there already stays where it is."""
        known = {summary.id: at for at, summary in enumerate(self._summaries)}
        new = 0
        while new < len(summaries) and summaries[new].id not in known:
            new += 1
        if list(summaries[new:]) != self._summaries[: len(summaries) - new] or not self._summaries:
            self.beginResetModel()
            self._summaries = list(summaries)
            self.endResetModel()
            return
        surplus = len(self._summaries) - (len(summaries) - new)
        if surplus > 0:
            end = len(self._summaries)
            self.beginRemoveRows(QModelIndex(), end - surplus, end - 1)
            del self._summaries[end - surplus :]
            self.endRemoveRows()
        if new:
            self.beginInsertRows(QModelIndex(), 0, new - 1)
            self._summaries[:0] = summaries[:new]
            self.endInsertRows()

    def summary(self, row: int) -> AttestationSummary:
        return self._summaries[row]

    def row_of(self, record_id: str) -> int | None:
        return next((at for at, summary in enumerate(self._summaries) if summary.id == record_id), None)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._summaries)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else 6

    def _titles(self) -> tuple[str, ...]:
        return (
            translate("VerdictsModel", "Verdict"),
            translate("VerdictsModel", "When"),
            translate("VerdictsModel", "Evidence"),
            translate("VerdictsModel", "Findings"),
            translate("VerdictsModel", "Why"),
            translate("VerdictsModel", "File") if self._files else translate("VerdictsModel", "Given by"),
        )

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._summaries):
            return None
        summary = self._summaries[index.row()]
        column = index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._texts(summary)[column]
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return icon(*verdict_mark(summary.trusted))
        if role == Qt.ItemDataRole.AccessibleTextRole and column == 0:
            return ", ".join(text for text in self._texts(summary) if text)
        return None

    @staticmethod
    def _texts(summary: AttestationSummary) -> tuple[str, ...]:
        return (
            verdict_word(summary.trusted, summary.emulated),
            moment(summary.at),
            format_word(summary.format),
            counted().problems(summary.errors, summary.warnings) or "–",
            occasion_word(summary.occasion),
            summary.by,
        )

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        titles = self._titles()
        return titles[section] if role == Qt.ItemDataRole.DisplayRole and 0 <= section < len(titles) else None
