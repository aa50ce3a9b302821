"""The fleet as Qt's item model: a filtered, sorted view of a FleetTable, without a proxy.

Rows come and go at the end and are rearranged by `layoutChanged`, so that persistent indexes (the current row) stay on
their instances. Marks (the check boxes) belong to instances and survive filtering; they are kept here because a
QItemSelectionModel with thousands of separate ranges takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress, islice
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal

from confvm_gui.domain.instance import Instance
from confvm_gui.fleet.attest.freshness import DEFAULT_MAX_AGE
from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.models.fleet_filter import FleetFilter
from confvm_gui.ui.models.fleet_table import FleetTable
from confvm_gui.ui.models.freshness import trust_cell, trust_tool_tip
from confvm_gui.ui.text import cell_text, column_title, translate

COLUMNS = tuple(FleetColumn)
LOAD_CHUNK = 500
"""Rows taken in at once, about 10 ms of work; more are taken in over several turns of the event loop."""
_LOAD_PAUSE_MS = 4
"""Between two chunks, for whatever else waits."""
SORT_ROLE = Qt.ItemDataRole.UserRole
INSTANCE_ROLE = Qt.ItemDataRole.UserRole + 1

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_OTHERS = bytes([1]) + bytes(255)
"""Turns a mask round."""


class FleetModel(QAbstractTableModel):
    """Rows are the instances that pass the filter, in the sort order; columns are all of FleetColumn."""

    about_to_rearrange = Signal()
    rearranged = Signal()
    """Around every change of which rows are shown where: a view keeps its place with them."""
    marks_changed = Signal()
    counts_changed = Signal()
    """The number of instances or of shown ones changed."""
    loaded = Signal()
    """All of what `load` was given is in the table."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table = FleetTable()
        self.max_age = DEFAULT_MAX_AGE
        """Seconds after which evidence is stale."""
        self._filter = FleetFilter()
        self._mask = b""
        self._shown_mask = b""
        self._sort_column = FleetColumn.NAME
        self._descending = False
        self._visible: list[int] = []
        self._marked: set[int] = set()
        self._waiting: list[Instance] = []

    # What is shown

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._visible)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        if index.isValid() and index.column() == 0:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags if index.isValid() else Qt.ItemFlag.NoItemFlags

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = index.row()
        if not index.isValid() or not 0 <= row < len(self._visible):
            return None
        slot = self._visible[row]
        instance = self.table.get(slot)
        if instance is None:
            return None  # just removed, its row follows
        column = COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cell(instance, column)
        if role == Qt.ItemDataRole.CheckStateRole and column is FleetColumn.NAME:
            return Qt.CheckState.Checked if slot in self._marked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tool_tip(instance, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._accessible_text(instance, column)
        if role == INSTANCE_ROLE:
            return instance
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid() or index.column() != 0:
            return False
        self.mark([index.row()], Qt.CheckState(value) is Qt.CheckState.Checked)
        return True

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and 0 <= section < len(COLUMNS):
            if role == Qt.ItemDataRole.DisplayRole:
                return column_title(COLUMNS[section])
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def cell(self, instance: Instance, column: FleetColumn) -> str:
        """What a cell says, in words; trust with its age."""
        return trust_cell(instance, self.max_age) if column is FleetColumn.TRUST else cell_text(instance, column)

    def _tool_tip(self, instance: Instance, column: FleetColumn) -> str:
        if column is FleetColumn.STATE and instance.state_reason:
            return instance.state_reason
        if column is FleetColumn.TRUST:
            return trust_tool_tip(instance, self.max_age)
        if column is FleetColumn.IMAGE and instance.runs:
            return translate("FleetModel", "The built-in {runs} guest runs in place of {image}").format(
                runs=instance.runs, image=instance.image
            )
        return cell_text(instance, column)

    def _accessible_text(self, instance: Instance, column: FleetColumn) -> str:
        text = self.cell(instance, column)
        if column is FleetColumn.NAME:
            kind = (
                translate("FleetModel", "confidential") if instance.confidential else translate("FleetModel", "plain")
            )
            return f"{text}, {kind}"
        return f"{column_title(column)}: {text}"

    # Access for the view and the shell

    @property
    def total(self) -> int:
        """Instances, shown or not."""
        return len(self.table) + len(self._waiting)

    @property
    def sort_column(self) -> FleetColumn:
        return self._sort_column

    @property
    def descending(self) -> bool:
        return self._descending

    @property
    def filter(self) -> FleetFilter:
        return self._filter

    @property
    def mask(self) -> bytes:
        """Which slots of `table` are shown."""
        return self._mask

    def instance_at(self, row: int) -> Instance:
        return self.table.instance(self._visible[row])

    def row_of(self, instance_id: str) -> int | None:
        """The row in which an instance is shown, or None."""
        slot = self.table.find(instance_id)
        if slot is None or slot >= len(self._mask) or not self._mask[slot]:
            return None
        try:
            return self._visible.index(slot)
        except ValueError:
            return None

    # Marks

    def is_marked(self, row: int) -> bool:
        return self._visible[row] in self._marked

    def marked(self, most: int | None = None) -> list[Instance]:
        """Marked instances, those that the filter hides included, by name; `most`: any so many of them."""
        instances = [self.table.instance(slot) for slot in islice(self._marked, most)]
        return sorted(instances, key=lambda instance: instance.name)

    @property
    def marked_count(self) -> int:
        return len(self._marked)

    def marked_hidden(self) -> int:
        """How many marked instances the filter hides."""
        return sum(1 for slot in self._marked if not self._mask[slot]) if self._marked else 0

    def mark(self, rows: Iterable[int], on: bool) -> None:
        """Mark or unmark shown rows."""
        slots = [self._visible[row] for row in rows if 0 <= row < len(self._visible)]
        if on:
            self._marked.update(slots)
        else:
            self._marked.difference_update(slots)
        self._emit_marks()

    def mark_all_shown(self, on: bool) -> None:
        if on:
            self._marked.update(self._visible)
        else:
            self._marked.difference_update(self._visible)
        self._emit_marks()

    def clear_marks(self) -> None:
        if self._marked:
            self._marked.clear()
            self._emit_marks()

    def all_shown_marked(self) -> bool:
        return (
            bool(self._visible) and len(self._marked) >= len(self._visible) and self._marked.issuperset(self._visible)
        )

    def _emit_marks(self) -> None:
        if self._visible:
            self.dataChanged.emit(
                self.index(0, 0), self.index(len(self._visible) - 1, 0), [Qt.ItemDataRole.CheckStateRole]
            )
        self.marks_changed.emit()

    # Changes

    def load(self, instances: Sequence[Instance]) -> None:
        """Take in a fleet: a first chunk now, so that a small one is there with the window, the rest in turns."""
        self._waiting.extend(instances)
        self._load_chunk()

    def _load_chunk(self) -> None:
        chunk, self._waiting = self._waiting[:LOAD_CHUNK], self._waiting[LOAD_CHUNK:]
        self.apply(chunk, ())
        if self._waiting:
            QTimer.singleShot(_LOAD_PAUSE_MS, self, self._load_chunk)
        else:
            self.loaded.emit()

    def apply(self, upserted: Sequence[Instance], removed: Sequence[str]) -> None:
        """Take in what changed; a long list is taken in over several turns of the event loop."""
        if self._waiting and removed:
            gone = set(removed)
            self._waiting = [instance for instance in self._waiting if instance.id not in gone]
        if len(upserted) > LOAD_CHUNK:
            self._waiting.extend(upserted[LOAD_CHUNK:])
            upserted = upserted[:LOAD_CHUNK]
            QTimer.singleShot(_LOAD_PAUSE_MS, self, self._load_chunk)
        before = len(self.table)
        removed_slots = self.table.remove(removed)
        lost_marks = bool(self._marked & removed_slots)
        self._marked -= removed_slots
        if removed_slots:
            # Their slots may be given to new rows at once, which must not inherit a place on screen.
            self._rearrange(())
        touched = self.table.upsert(upserted)
        if touched:
            self._rearrange(touched)
        if lost_marks:
            self.marks_changed.emit()
        if len(self.table) != before:
            self.counts_changed.emit()

    def set_filter(self, chosen: FleetFilter) -> None:
        self._filter = chosen
        self._rearrange(())
        self.counts_changed.emit()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if 0 <= column < len(COLUMNS):
            self._sort_column = COLUMNS[column]
            self._descending = order is Qt.SortOrder.DescendingOrder
            self._rearrange(())

    def _arranged(self) -> list[int]:
        mask = self._filter.mask(self.table)
        self._mask = mask
        order = self.table.order(self._sort_column)
        shown = list(order) if not self._filter.terms else list(compress(order, map(mask.__getitem__, order)))
        if self._descending:
            shown.reverse()
        return shown

    def _rearrange(self, touched: Iterable[int]) -> None:
        shown = self._arranged()
        if shown == self._visible:
            self._emit_changed(touched)
            return
        self.about_to_rearrange.emit()
        before = int.from_bytes(self._shown_mask, "little")
        now = int.from_bytes(self._mask, "little")
        self._shown_mask = self._mask
        if before & ~now:
            mask = self._mask.ljust(self.table.slots, b"\0")
            staying = bytes(map(mask.__getitem__, self._visible))
            kept = list(compress(self._visible, staying))
            leaving = list(compress(self._visible, staying.translate(_OTHERS)))
            self._permute(kept + leaving)
            self._remove_last(len(leaving))
        if now & ~before:
            fresh = list(compress(range(self.table.slots), (now & ~before).to_bytes(self.table.slots, "little")))
            self.beginInsertRows(QModelIndex(), len(self._visible), len(self._visible) + len(fresh) - 1)
            self._visible = self._visible + fresh
            self.endInsertRows()
        self._permute(shown)
        self._emit_changed(touched)
        self.rearranged.emit()

    def _remove_last(self, count: int) -> None:
        end = len(self._visible)
        self.beginRemoveRows(QModelIndex(), end - count, end - 1)
        self._visible = self._visible[: end - count]
        self.endRemoveRows()

    def _permute(self, order: list[int]) -> None:
        if order == self._visible:
            return
        self.layoutAboutToBeChanged.emit()
        old = self._visible
        held = self.persistentIndexList()
        self._visible = order
        if held:
            moved_to: list[QModelIndex] = []
            rows: dict[int, int] = {}  # the cells of one row are held together: it is looked for once
            for index in held:
                before = index.row()
                if before not in rows:
                    try:
                        rows[before] = order.index(old[before]) if 0 <= before < len(old) else -1
                    except ValueError:
                        rows[before] = -1
                row = rows[before]
                moved_to.append(self.index(row, index.column()) if row >= 0 else QModelIndex())
            self.changePersistentIndexList(held, moved_to)
        self.layoutChanged.emit()

    def _emit_changed(self, touched: Iterable[int]) -> None:
        slots = set(touched)
        if not slots:
            return
        if len(slots) <= 4:
            rows = [row for row in (self._row_of_slot(slot) for slot in slots) if row is not None]
        else:
            rows = [0, len(self._visible) - 1] if self._visible else []
        if rows:
            self.dataChanged.emit(self.index(min(rows), 0), self.index(max(rows), len(COLUMNS) - 1))

    def _row_of_slot(self, slot: int) -> int | None:
        if slot >= len(self._mask) or not self._mask[slot]:
            return None
        try:
            return self._visible.index(slot)
        except ValueError:
            return None
