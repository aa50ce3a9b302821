"""The cache of endorsements as Qt's item model: what is there, what is not published, and who asked to wait."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.attestation import EndorsementKind
from confvm_gui.domain.ports.endorsement_source import CacheEntry, EntryState
from confvm_gui.ui.icons import icon
from confvm_gui.ui.models.column_titles import column_title
from confvm_gui.ui.text import byte_size, moment, translate

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_MARKS = {
    EntryState.FRESH: ("ok", "success"),
    EntryState.STALE: ("retry", "warning"),
    EntryState.NOT_PUBLISHED: ("unknown", "muted"),
    EntryState.WAITING: ("pause", "warning"),
}


@cache
def entry_state_word(state: EntryState) -> str:
    return {
        EntryState.FRESH: translate("EntryState", "Fresh"),
        EntryState.STALE: translate("EntryState", "Stale"),
        EntryState.NOT_PUBLISHED: translate("EntryState", "Not published"),
        EntryState.WAITING: translate("EntryState", "Waiting"),
    }[state]


@cache
def kind_word(kind: EndorsementKind) -> str:
    return {
        EndorsementKind.VCEK: translate("EndorsementKind", "VCEK certificate"),
        EndorsementKind.VLEK: translate("EndorsementKind", "VLEK certificate"),
        EndorsementKind.CERTIFICATE_CHAIN: translate("EndorsementKind", "Certificate chain"),
        EndorsementKind.CRL: translate("EndorsementKind", "Revocation list"),
        EndorsementKind.TCB_INFO: translate("EndorsementKind", "TCB information"),
        EndorsementKind.QE_IDENTITY: translate("EndorsementKind", "Quoting enclave identity"),
    }[kind]


def until_text(entry: CacheEntry, now: float | None = None) -> str:
    """`asked again at …`, `waiting until …`: what happens to an entry next, and when."""
    if entry.expires_at is None:
        return translate("EndorsementsModel", "kept")
    when = moment(entry.expires_at)
    passed = entry.expires_at <= (time.time() if now is None else now)
    if entry.state is EntryState.WAITING:
        return translate("EndorsementsModel", "waiting until {moment}").format(moment=when)
    if passed:
        return translate("EndorsementsModel", "since {moment}").format(moment=when)
    return translate("EndorsementsModel", "until {moment}").format(moment=when)


class EndorsementsModel(QAbstractTableModel):
    """Columns: state, kind, until when, size, address."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[CacheEntry] = []

    def show_entries(self, entries: Sequence[CacheEntry]) -> None:
        """Take in what there is now; rows that stay keep their place."""
        if [entry.url for entry in entries] == [entry.url for entry in self._entries]:
            self._entries = list(entries)
            if self._entries:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self._entries) - 1, 4))
            return
        self.beginResetModel()
        self._entries = list(entries)
        self.endResetModel()

    def entry(self, row: int) -> CacheEntry:
        return self._entries[row]

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else 5

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._entries):
            return None
        entry = self._entries[index.row()]
        column = index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return (
                entry_state_word(entry.state),
                kind_word(entry.kind),
                until_text(entry),
                byte_size(entry.size) if entry.size else "–",
                entry.url,
            )[column]
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return icon(*_MARKS[entry.state])
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        titles = (
            translate("EndorsementsModel", "State"),
            translate("EndorsementsModel", "What"),
            translate("EndorsementsModel", "Until"),
            translate("EndorsementsModel", "Size"),
            translate("EndorsementsModel", "Address"),
        )
        return column_title(titles, section, orientation, role)
