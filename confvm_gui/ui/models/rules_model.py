"""The rules of one pack as Qt's item model, with how many instances each would find once that is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.policy import Pack, Rule
from confvm_gui.ui.icons import icon
from confvm_gui.ui.models.column_titles import column_title
from confvm_gui.ui.models.compliance_words import applies_word
from confvm_gui.ui.text import count_text, translate

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class RulesModel(QAbstractTableModel):
    """Columns: what a rule asks, its id, what it looks at, how many instances it does not hold for."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rules: tuple[Rule, ...] = ()
        self._counts: Mapping[str, int] = {}
        self._faults: Mapping[str, str] = {}

    def show_pack(self, pack: Pack | None) -> None:
        """Show other rules; what was counted is forgotten."""
        rules = pack.rules if pack is not None else ()
        if rules == self._rules:
            return
        self.beginResetModel()
        self._rules, self._counts, self._faults = rules, {}, {}
        self.endResetModel()

    def show_counts(self, counts: Mapping[str, int], faults: Mapping[str, str]) -> None:
        """By rule id: how many instances it does not hold for; why it cannot be evaluated at all."""
        self._counts, self._faults = counts, faults
        if self._rules:
            self.dataChanged.emit(self.index(0, 3), self.index(len(self._rules) - 1, 3))

    def rule(self, row: int) -> Rule:
        return self._rules[row]

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rules)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else 4

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rules):
            return None
        rule, column = self._rules[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return (rule.title, rule.id, applies_word(rule.applies), self._count_text(rule))[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._faults.get(rule.id) or rule.expression
        if role == Qt.ItemDataRole.DecorationRole and column == 3:
            if rule.id in self._faults:
                return icon("error", "danger")
            return icon("warning", "warning") if self._counts.get(rule.id) else None
        return None

    def _count_text(self, rule: Rule) -> str:
        if rule.id in self._faults:
            return translate("RulesModel", "broken")
        return count_text(self._counts[rule.id]) if rule.id in self._counts else "–"

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        titles = (
            translate("RulesModel", "What it asks"),
            translate("RulesModel", "Rule"),
            translate("RulesModel", "Looks at"),
            translate("RulesModel", "Would not hold"),
        )
        return column_title(titles, section, orientation, role)
