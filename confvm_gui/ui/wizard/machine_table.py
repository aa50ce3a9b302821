"""Machine types as a table: a model that filters and sorts by itself, what fits first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from confvm_gui.domain.catalogue import MachineType, Technology
from confvm_gui.ui.wizard.looks import looks

AnyIndex = QModelIndex | QPersistentModelIndex

NAME, SERIES, VCPUS, MEMORY, PLATFORM, TECHNOLOGIES, NOTE = range(7)


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A machine type and why it does not fit ("" when it does)."""

    machine_type: MachineType
    reason: str


def memory_text(mebibytes: int) -> str:
    """Memory as clouds write it: `16 GiB`, `1.5 GiB`, `512 MiB`."""
    if mebibytes < 1024:
        return f"{mebibytes} MiB"
    return f"{mebibytes / 1024:g} GiB"


def short_technology(technology: Technology) -> str:
    """A technology without its maker: `SEV-SNP`."""
    return technology.title.rpartition(" ")[2] if technology is not Technology.NITRO else "Nitro"


def technologies_text(technologies: frozenset[Technology]) -> str:
    return ", ".join(short_technology(technology) for technology in Technology if technology in technologies)


_KEYS: dict[int, Callable[[MachineRow], tuple[object, ...]]] = {
    NAME: lambda row: (row.machine_type.series, row.machine_type.name.rstrip("0123456789"), row.machine_type.vcpus),
    SERIES: lambda row: (row.machine_type.series, row.machine_type.vcpus),
    VCPUS: lambda row: (row.machine_type.vcpus, row.machine_type.memory_mib),
    MEMORY: lambda row: (row.machine_type.memory_mib, row.machine_type.vcpus),
    PLATFORM: lambda row: (row.machine_type.cpu_platforms, row.machine_type.vcpus),
    TECHNOLOGIES: lambda row: (technologies_text(row.machine_type.technologies), row.machine_type.vcpus),
    NOTE: lambda row: (row.reason,),
}


class MachineTable(QAbstractTableModel):
    """The rows that pass the filter. Sorting is within what fits and within what does not, which comes last."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[MachineRow] = []
        self._shown: list[MachineRow] = []
        self._words: list[str] = []
        self._series = ""
        self._column = -1
        self._order = Qt.SortOrder.AscendingOrder
        self._titles = (
            self.tr("Machine type"),
            self.tr("Series"),
            self.tr("vCPUs"),
            self.tr("Memory"),
            self.tr("CPU platform"),
            self.tr("Confidential with"),
            self.tr("Why it does not fit"),
        )

    def set_rows(self, rows: Sequence[MachineRow]) -> None:
        self._all = list(rows)
        self._refresh()

    def set_filter(self, text: str, series: str) -> None:
        """Show machine types with all words of `text`, of the series `series` ("" for all)."""
        self._words = text.lower().split()
        self._series = series
        self._refresh()

    def row(self, index: AnyIndex) -> MachineRow | None:
        if index.isValid() and 0 <= index.row() < len(self._shown):
            return self._shown[index.row()]
        return None

    def index_of(self, name: str) -> QModelIndex:
        """Index of the machine type `name`, invalid when it is not shown."""
        for number, row in enumerate(self._shown):
            if row.machine_type.name == name:
                return self.index(number, NAME)
        return QModelIndex()

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def columnCount(self, parent: AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._titles):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._titles[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(section)
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.row(index)
        if row is None:
            return None
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            text = self._text(row, column)
            return f"{text}. {row.reason}" if column == NAME and row.reason else text
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.reason or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(column)
        if role == Qt.ItemDataRole.ForegroundRole and row.reason:
            colours = looks()
            return colours.warning if column == NOTE else colours.muted
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._column, self._order = column, order
        self._refresh()

    @staticmethod
    def _alignment(column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if column in (VCPUS, MEMORY) else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter

    @staticmethod
    def _text(row: MachineRow, column: int) -> str:
        entry = row.machine_type
        match column:
            case 0:
                return entry.name
            case 1:
                return entry.series
            case 2:
                return str(entry.vcpus)
            case 3:
                return memory_text(entry.memory_mib)
            case 4:
                return " · ".join(entry.cpu_platforms)
            case 5:
                return technologies_text(entry.technologies) or "—"
            case _:
                return row.reason

    def _passes(self, row: MachineRow) -> bool:
        entry = row.machine_type
        if self._series and entry.series != self._series:
            return False
        text = " ".join((entry.name, *entry.cpu_platforms, technologies_text(entry.technologies))).lower()
        # Sizes are compared from their start: 4vcpu is not 64vcpu.
        sizes = (f"{entry.vcpus}vcpu", memory_text(entry.memory_mib).replace(" ", "").lower())
        return all(word in text or any(size.startswith(word) for size in sizes) for word in self._words)

    def _refresh(self) -> None:
        shown = [row for row in self._all if self._passes(row)]
        if self._column >= 0:
            shown.sort(key=_KEYS[self._column], reverse=self._order == Qt.SortOrder.DescendingOrder)
        shown.sort(key=lambda row: bool(row.reason))
        if shown == self._shown:
            return
        if [row.machine_type for row in shown] == [row.machine_type for row in self._shown]:
            self._shown = shown
            self.dataChanged.emit(self.index(0, 0), self.index(len(shown) - 1, len(self._titles) - 1))
            return
        places = {row.machine_type.name: number for number, row in enumerate(shown)}
        names = [row.machine_type.name for row in self._shown]
        if len(names) != len(places) or not places.keys() >= set(names):
            self.beginResetModel()
            self._shown = shown
            self.endResetModel()
            return
        # The same rows in another order: selections and the current row go with theirs.
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        self._shown = shown
        self.changePersistentIndexList(
            before, [self.index(places[names[index.row()]], index.column()) for index in before]
        )
        self.layoutChanged.emit()
