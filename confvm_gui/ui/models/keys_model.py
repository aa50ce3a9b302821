"""Keys over all stores as Qt's item model."""

from __future__ import annotations

from collections import Counter
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.keys import KeyInfo
from confvm_gui.fleet.keys import KeyListing
from confvm_gui.ui.icons import icon
from confvm_gui.ui.models.column_titles import column_title
from confvm_gui.ui.models.key_words import KEY_MARKS, key_name, key_state_word, scheme_of, state_text, store_word
from confvm_gui.ui.text import translate

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
COLUMNS = 8


class KeysModel(QAbstractTableModel):
    """Columns: key, store, state, protection, hardware, algorithm, versions, what it holds."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keys: tuple[KeyInfo, ...] = ()
        self._held: Counter[str] = Counter()

    def show_listing(self, listing: KeyListing) -> None:
        """Take in what there is now; rows that stay keep their place."""
        held = Counter(use.key_ref for use in listing.uses)
        same = [info.ref for info in listing.keys] == [info.ref for info in self._keys]
        if same:
            self._keys, self._held = listing.keys, held
            if self._keys:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self._keys) - 1, COLUMNS - 1))
            return
        self.beginResetModel()
        self._keys, self._held = listing.keys, held
        self.endResetModel()

    def info(self, row: int) -> KeyInfo:
        return self._keys[row]

    def row_of(self, key_ref: str) -> int | None:
        return next((at for at, info in enumerate(self._keys) if info.ref == key_ref), None)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._keys)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else COLUMNS

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._keys):
            return None
        info, column = self._keys[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._texts(info)[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return {0: info.ref, 2: state_text(info)}.get(column) or self._texts(info)[column]
        if role == Qt.ItemDataRole.DecorationRole and column == 2:
            return icon(*KEY_MARKS[info.state])
        if role == Qt.ItemDataRole.AccessibleTextRole and column == 0:
            return ", ".join((info.ref, state_text(info), *self._texts(info)[3:]))
        return None

    def _texts(self, info: KeyInfo) -> tuple[str, ...]:
        held = self._held[info.ref]
        return (
            key_name(info.ref),
            store_word(scheme_of(info.ref)),
            key_state_word(info.state),
            info.protection,
            translate("KeysModel", "Yes") if info.hardware else translate("KeysModel", "No"),
            info.algorithm,
            str(info.versions) if info.versions else "–",
            str(held) if held else "–",
        )

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        titles = (
            translate("KeysModel", "Key"),
            translate("KeysModel", "Store"),
            translate("KeysModel", "State"),
            translate("KeysModel", "Protection"),
            translate("KeysModel", "Hardware"),
            translate("KeysModel", "Algorithm"),
            translate("KeysModel", "Versions"),
            translate("KeysModel", "Holds"),
        )
        return column_title(titles, section, orientation, role)
