"""Counts by group under the filter: one chip for each value, a click filters by it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.models.fleet_filter import format_term
from confvm_gui.ui.models.fleet_model import FleetModel
from confvm_gui.ui.text import column_title, count_text
from confvm_gui.ui.theme import UNIT

GROUPABLE = {
    "state": FleetColumn.STATE,
    "tech": FleetColumn.TECHNOLOGY,
    "region": FleetColumn.REGION,
    "image": FleetColumn.IMAGE,
    "provider": FleetColumn.PROVIDER,
}
_CHIPS = 6
"""Groups with a chip of their own; the rest are in a menu."""


def group_title(group: str) -> str:
    """`env` for the label `label:env`, else the column's title."""
    return group.removeprefix("label:") if group.startswith("label:") else column_title(GROUPABLE[group])


def group_of_labels(key: str, text: str) -> str:
    """The value of the label `key` in a labels text, "" where there is none."""
    for pair in text.split(", "):
        name, _, value = pair.partition("=")
        if name == key:
            return value
    return ""


class GroupBar(QWidget):
    """Shows counts of the shown instances by `group`: "" (hidden), `label:KEY` or a key of GROUPABLE."""

    term_chosen = Signal(str)

    def __init__(self, model: FleetModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.group = ""
        self._shown: list[tuple[str, int]] | None = None
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(UNIT // 2)
        self.hide()

    def set_group(self, group: str) -> None:
        self.group = group
        self._shown = None
        self.setVisible(bool(group))
        self.refresh()

    def refresh(self) -> None:
        """Count again; chips are rebuilt only when a count changed."""
        if not self.group:
            return
        if self.group.startswith("label:"):
            key = self.group.removeprefix("label:")
            counts = self._model.table.group_counts(
                self._model.mask, lambda text: group_of_labels(key, text), FleetColumn.LABELS
            )
        else:
            counts = self._model.table.group_counts(self._model.mask, lambda text: text, GROUPABLE[self.group])
        if counts != self._shown:
            self._shown = counts
            self._build(counts)

    def _build(self, counts: list[tuple[str, int]]) -> None:
        while (item := self._row.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        title = QLabel(group_title(self.group))
        title.setProperty("kind", "muted")
        self._row.addWidget(title)
        for value, count in counts[:_CHIPS]:
            chip = QPushButton(f"{value or self.tr('none')}  {count_text(count)}")
            chip.setProperty("kind", "chip")
            chip.setEnabled(bool(value))
            chip.setToolTip(self.tr("Show only these"))
            chip.clicked.connect(lambda _=False, chosen=value: self.term_chosen.emit(self._term(chosen)))
            self._row.addWidget(chip)
        if len(counts) > _CHIPS:
            more = QPushButton(self.tr("%n more", "", len(counts) - _CHIPS))
            more.setProperty("kind", "chip")
            menu = QMenu(more)
            for value, count in counts[_CHIPS : _CHIPS + 60]:
                entry = menu.addAction(f"{value or self.tr('none')}  {count_text(count)}")
                entry.setEnabled(bool(value))
                entry.triggered.connect(lambda _=False, chosen=value: self.term_chosen.emit(self._term(chosen)))
            more.setMenu(menu)
            self._row.addWidget(more)
        self._row.addStretch(1)

    def _term(self, value: str) -> str:
        if self.group.startswith("label:"):
            return format_term("label", f"{self.group.removeprefix('label:')}={value}")
        return format_term(self.group, value)
