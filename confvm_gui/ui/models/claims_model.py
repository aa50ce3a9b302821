"""Claims as Qt's item model: grouped by what they speak of, filtered by text, without a proxy.

A row is either the heading of a group or a claim. Verdicts have about a hundred claims, an event log's thousands:
rows are tuples that exist already, so that a filter costs one pass over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from confvm_gui.domain.attestation import Claim
from confvm_gui.ui.models.attestation_words import claim_group, group_word, value_text
from confvm_gui.ui.models.column_titles import column_title
from confvm_gui.ui.text import translate
from confvm_gui.ui.theme import current_theme, interface_font, monospace_font

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class ClaimsModel(QAbstractTableModel):
    """Columns: claim, value, where it stands."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._grouped: list[tuple[str, list[tuple[Claim, str, str]]]] = []
        self._rows: list[str | tuple[Claim, str, str]] = []
        self._text = ""
        self._shown = 0
        self._total = 0
        self._value_font = monospace_font()
        self._heading_font = interface_font()
        self._heading_font.setWeight(QFont.Weight.DemiBold)

    def show_claims(self, claims: Sequence[Claim]) -> None:
        """Replace everything; the filter stays."""
        heads = {group for claim in claims if (group := claim_group(claim.name))}
        groups: dict[str, list[tuple[Claim, str, str]]] = {}
        for claim in claims:
            value = value_text(claim.value)
            # `policy` stands with `policy.debug`.
            group = claim.name if claim.name in heads else claim_group(claim.name)
            groups.setdefault(group, []).append((claim, value, f"{claim.name} {value} {claim.source}".lower()))
        self._grouped = sorted(groups.items(), key=lambda item: item[0] != "")
        self._total = len(claims)
        self._fill()

    def set_filter(self, text: str) -> None:
        """Show the claims that have all words of `text` in name, value or source."""
        if text != self._text:
            self._text = text
            self._fill()

    def _fill(self) -> None:
        words = self._text.lower().split()
        self.beginResetModel()
        self._rows = []
        self._shown = 0
        for group, claims in self._grouped:
            found = [row for row in claims if all(word in row[2] for word in words)] if words else claims
            if found:
                self._rows.append(group)
                self._rows.extend(found)
                self._shown += len(found)
        self.endResetModel()

    @property
    def total(self) -> int:
        """Claims, shown or not."""
        return self._total

    @property
    def shown(self) -> int:
        return self._shown

    def claim(self, row: int) -> Claim | None:
        """The claim of a row, None for the heading of a group."""
        if not 0 <= row < len(self._rows):
            return None
        entry = self._rows[row]
        return None if isinstance(entry, str) else entry[0]

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else 3

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren
        return flags if self.claim(index.row()) is None else flags | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        entry = self._rows[index.row()]
        column = index.column()
        if isinstance(entry, str):
            return self._heading(entry, column, role)
        claim, value, _ = entry
        if role == Qt.ItemDataRole.DisplayRole:
            return (claim.name, value or "–", claim.source)[column]
        if role == Qt.ItemDataRole.FontRole and column == 1:
            return self._value_font
        if role == Qt.ItemDataRole.ForegroundRole and column == 2:
            return current_theme().color("muted")
        if role == Qt.ItemDataRole.ToolTipRole:
            return (claim.name, value[:400], claim.source)[column]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{claim.name}: {value}" if column == 0 else None
        return None

    def _heading(self, group: str, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return group_word(group) if column == 0 else ""
        if role == Qt.ItemDataRole.FontRole:
            return self._heading_font
        if role == Qt.ItemDataRole.BackgroundRole:
            return current_theme().color("raised")
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        titles = (
            translate("ClaimsModel", "Claim"),
            translate("ClaimsModel", "Value"),
            translate("ClaimsModel", "Where it stands"),
        )
        return column_title(titles, section, orientation, role)
