"""Instances with what rules found of them as Qt's item model: a line for each finding, the gravest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.policy import Compliance, ComplianceRecord, Mode, Outcome, RuleFinding
from confvm_gui.ui.icons import icon
from confvm_gui.ui.models.column_titles import column_title
from confvm_gui.ui.models.compliance_words import COMPLIANCE_MARKS, outcome_word
from confvm_gui.ui.text import compliance_word, translate

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_ORDER: Final = {
    Compliance.VIOLATING: 0,
    Compliance.WARNING: 1,
    Compliance.COMPLIANT: 2,
    Compliance.UNGUARDED: 3,
}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One line."""

    instance_id: str
    name: str
    standing: Compliance
    """What the finding makes of the instance, or how it stands where it has none."""
    finding: RuleFinding | None = None


def standing_of(finding: RuleFinding) -> Compliance:
    """What one finding makes of an instance."""
    if finding.outcome is Outcome.EXCEPTED:
        return Compliance.COMPLIANT
    return Compliance.VIOLATING if finding.mode is Mode.ENFORCE else Compliance.WARNING


def rows_of_side(
    judged: Iterable[tuple[Instance, ComplianceRecord]], kind: str, key: str, only: Compliance | None = None
) -> list[FindingRow]:
    """The lines of one side: of a rule those that it does not hold for, else a line for every instance's worst finding.

    `kind` and `key` as in CompliancePoint; `only`: how they stand. Made for a thread: no Qt in it.
    """
    rows = []
    for instance, record in judged:
        if kind == "rule":
            found = [one for one in record.findings if f"{one.pack}/{one.rule}" == key]
            rows += [FindingRow(instance.id, instance.name, standing_of(one), one) for one in found]
            continue
        if (kind == "provider" and instance.provider != key) or (
            kind == "label" and key not in (f"{name}={value}" for name, value in instance.labels.items())
        ):
            continue
        worst = min(record.findings, key=lambda one: _ORDER[standing_of(one)], default=None)
        rows.append(FindingRow(instance.id, instance.name, record.compliance, worst))
    if only is not None:
        rows = [row for row in rows if row.standing is only]
    rows.sort(key=lambda row: (_ORDER[row.standing], row.name))
    return rows


class FindingsModel(QAbstractTableModel):
    """Columns: instance, how it stands, what is wrong and what would pass, what was observed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: Sequence[FindingRow] = ()

    def show_rows(self, rows: Sequence[FindingRow]) -> None:
        """Take in what there is now. Where the same lines stand in the same places, only those that differ are told."""
        before = self._rows
        if len(before) == len(rows) and all(
            one.instance_id == other.instance_id for one, other in zip(before, rows, strict=True)
        ):
            changed = [at for at, (one, other) in enumerate(zip(before, rows, strict=True)) if one != other]
            self._rows = rows
            if changed:
                self.dataChanged.emit(self.index(changed[0], 0), self.index(changed[-1], self.columnCount() - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def row(self, at: int) -> FindingRow:
        return self._rows[at]

    def row_of(self, instance_id: str) -> int | None:
        return next((at for at, row in enumerate(self._rows) if row.instance_id == instance_id), None)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else 4

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], index.column()
        finding = row.finding
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                row.name,
                self._standing_word(row),
                finding.message if finding else "",
                finding.actual if finding else "",
            )[column]
        if role == Qt.ItemDataRole.ToolTipRole and finding is not None:
            source = f"\n{finding.source}" if finding.source else ""
            return f"{finding.pack}/{finding.rule}: {finding.message}\n{finding.actual}{source}"
        if role == Qt.ItemDataRole.DecorationRole and column == 1:
            return icon(*COMPLIANCE_MARKS[row.standing.value])
        if role == Qt.ItemDataRole.AccessibleTextRole and column == 0:
            told = f": {finding.message}" if finding is not None else ""
            return f"{row.name}, {self._standing_word(row)}{told}"
        return None

    @staticmethod
    def _standing_word(row: FindingRow) -> str:
        if row.finding is not None and row.finding.outcome in (Outcome.EXCEPTED, Outcome.BROKEN):
            return outcome_word(row.finding.outcome)
        return compliance_word(row.standing.value)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        titles = (
            translate("FindingsModel", "Instance"),
            translate("FindingsModel", "Stands"),
            translate("FindingsModel", "What is wrong and what would pass"),
            translate("FindingsModel", "Observed"),
        )
        return column_title(titles, section, orientation, role)
