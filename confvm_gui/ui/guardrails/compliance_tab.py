"""How the fleet stands: counts, history, from the side of rules, providers or labels, down to the single instance.

Object names for tests and the tour: `compliance-tab`, `compliance-count-violating` …, `compliance-fleet-violating` …,
`compliance-side`, `compliance-sides` (table), `compliance-instances` (table), `compliance-history`,
`compliance-report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.policy import Compliance, CompliancePoint, Mode
from confvm_gui.fleet.guard.service import Guardrails
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.guardrails.history_chart import HistoryChart
from confvm_gui.ui.icons import role_pixmap
from confvm_gui.ui.models.compliance_words import COMPLIANCE_MARKS, compliance_meaning
from confvm_gui.ui.models.findings_model import FindingRow, FindingsModel, rows_of_side
from confvm_gui.ui.models.standing_model import StandingModel
from confvm_gui.ui.text import compliance_word, count_text
from confvm_gui.ui.theme import theme_controller
from confvm_gui.ui.wizard.looks import SPACING, Card, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column

ROW_HEIGHT: Final = 28
_COUNT: Final = "standing"
_PAUSE_MS: Final = 200
"""After a change of compliance, before all is counted again."""
_NARROW: Final = 1120
"""Pixels of width below which what was observed is not shown beside what is wrong."""
_TILES: Final = (Compliance.VIOLATING, Compliance.WARNING, Compliance.COMPLIANT, Compliance.UNGUARDED)


class _Names(QStyledItemDelegate):
    """Names that are too long lose their middle: many begin alike."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


def quiet_table(name: str, title: str, parent: QWidget) -> QTableView:
    """A table to read: one row selected at a time, no grid, rows of one height."""
    table = QTableView(parent)
    table.setObjectName(name)
    table.setAccessibleName(title)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setItemDelegateForColumn(0, _Names(table))
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return table


class _Tile(Card):
    """One count, and the way to whom it counts."""

    wanted = Signal()

    def __init__(self, compliance: Compliance, parent: QWidget) -> None:
        super().__init__(parent)
        self._compliance = compliance
        self._mark = QLabel(self)
        self.count = heading("–", self, 1.7)
        self.count.setObjectName(f"compliance-count-{compliance.value}")
        word = ToneLabel(compliance_word(compliance.value), Tone.MUTED, self)
        word.setWordWrap(False)
        show = QPushButton(self.tr("In the fleet"), self)
        show.setObjectName(f"compliance-fleet-{compliance.value}")
        show.setProperty("kind", "link")
        show.setAccessibleName(self.tr("Show in the fleet: {0}").format(compliance_word(compliance.value)))
        show.clicked.connect(self.wanted)
        self.setToolTip(compliance_meaning(compliance))
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 8, 10, 8)
        grid.setHorizontalSpacing(SPACING)
        grid.setVerticalSpacing(0)
        grid.addWidget(self._mark, 0, 0)
        grid.addWidget(self.count, 0, 1)
        grid.addWidget(show, 0, 2, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(word, 1, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        theme_controller().changed.connect(self._draw)
        self._draw()

    def show_count(self, count: int) -> None:
        self.count.setText(count_text(count))

    def _draw(self) -> None:
        name, role = COMPLIANCE_MARKS[self._compliance.value]
        self._mark.setPixmap(role_pixmap(name, role, 20, self.devicePixelRatioF()))


class ComplianceTab(QWidget):
    """Asks by signals to open an instance, and for a part of the fleet as a filter text."""

    instance_wanted = Signal(str)
    fleet_wanted = Signal(str)
    report_wanted = Signal()
    packs_wanted = Signal()

    def __init__(self, guard: Guardrails, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("compliance-tab")
        self._guard = guard
        self._tasks = tasks
        self._points: Sequence[CompliancePoint] = ()
        self._chosen: dict[str, str] = {}
        """By kind of side, the row that was selected last."""
        self._settling = False
        self.sides = StandingModel(self)
        self.findings = FindingsModel(self)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_PAUSE_MS)
        self._again.timeout.connect(self.refresh)
        rows = column(self, spacing=SPACING + 4)
        rows.setContentsMargins(0, SPACING + 4, 0, 0)
        rows.addLayout(self._build_tiles())
        self._stack = QStackedWidget(self)
        nothing = EmptyState(
            "guardrails",
            self.tr("No pack of rules is on"),
            self.tr("Turn on a pack that came with the console, or one of your own: it judges every instance."),
            self.tr("Choose a pack"),
        )
        nothing.action.connect(self.packs_wanted)
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.setChildrenCollapsible(False)
        split.addWidget(self._build_sides())
        split.addWidget(self._build_instances())
        split.setStretchFactor(0, 5)
        split.setStretchFactor(1, 6)
        split.setSizes([500, 600])
        self._stack.addWidget(nothing)
        self._stack.addWidget(split)
        rows.addWidget(self._stack, 1)

    # Building

    def _build_tiles(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACING + 4)
        self.tiles: dict[Compliance, _Tile] = {}
        for compliance in _TILES:
            tile = _Tile(compliance, self)
            tile.wanted.connect(partial(self.fleet_wanted.emit, f"compliance:{compliance.value}"))
            self.tiles[compliance] = tile
            row.addWidget(tile, 1)
        return row

    def _build_sides(self) -> QWidget:
        card = Card(self)
        inside = column(card, margin=12, spacing=SPACING)
        self.side = QComboBox(card)
        self.side.setObjectName("compliance-side")
        self.side.setAccessibleName(self.tr("Seen by"))
        for kind, text in (
            ("rule", self.tr("By rule")),
            ("provider", self.tr("By provider")),
            ("label", self.tr("By group (label)")),
        ):
            self.side.addItem(text, kind)
        self.side.currentIndexChanged.connect(self._show_sides)
        self.report = QPushButton(self.tr("&Report …"), card)
        self.report.setObjectName("compliance-report")
        self.report.setToolTip(self.tr("The present standing for an auditor, as HTML or PDF, with evidence attached"))
        self.report.clicked.connect(self.report_wanted)
        top = QHBoxLayout()
        top.addWidget(self.side)
        top.addStretch(1)
        top.addWidget(self.report)
        inside.addLayout(top)
        self._history_title = ToneLabel("", Tone.MUTED, card)
        self._history_title.setWordWrap(False)
        self.history = HistoryChart(card)
        self.history.setObjectName("compliance-history")
        inside.addWidget(self._history_title)
        inside.addWidget(self.history)
        self.table = quiet_table("compliance-sides", self.tr("How the fleet stands"), card)
        self.table.setModel(self.sides)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.selectionModel().currentRowChanged.connect(self._side_chosen)
        inside.addWidget(self.table, 1)
        return card

    def _build_instances(self) -> QWidget:
        card = Card(self)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(12, 12, 12, 12)
        inside.setSpacing(SPACING)
        self._instances_title = heading("", card, 1.05)
        inside.addWidget(self._instances_title)
        self.instances = quiet_table("compliance-instances", self.tr("Instances"), card)
        self.instances.setModel(self.findings)
        for at, width in enumerate((140, 104, 300, 170)):
            self.instances.setColumnWidth(at, width)
        self.instances.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.instances.horizontalHeader().setMinimumSectionSize(60)
        self.instances.activated.connect(self._open)
        self.instances.doubleClicked.connect(self._open)
        inside.addWidget(self.instances, 1)
        self._hint = ToneLabel(self.tr("Enter or a double click opens the instance."), Tone.MUTED, card)
        inside.addWidget(self._hint)
        return card

    # Showing

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.instances.setColumnHidden(3, event.size().width() < _NARROW)  # its tool tip says it too

    def changed(self) -> None:
        """Something stands in another way: look again, in a moment."""
        if not self._again.isActive():
            self._again.start()

    def refresh(self) -> None:
        """Count again; while that is under way, once more after it."""
        if self._tasks.is_running(_COUNT):
            self._again.start()
        elif self.isVisible():
            self._tasks.start(_COUNT, self._guard.standing(), on_done=self._show_points)

    def _show_points(self, points: Sequence[CompliancePoint]) -> None:
        self._points = points
        on = any(one.mode is not Mode.OFF for one in self._guard.rules.assignments())
        self._stack.setCurrentIndex(1 if on else 0)
        fleet = next(point for point in points if point.kind == "fleet")
        counts = {
            Compliance.COMPLIANT: fleet.compliant,
            Compliance.WARNING: fleet.warning,
            Compliance.VIOLATING: fleet.violating,
            Compliance.UNGUARDED: fleet.unguarded,
        }
        for compliance, tile in self.tiles.items():
            tile.show_count(counts[compliance])
            tile.setVisible(on)  # nothing is judged and so nothing counted while no pack is on
        self._show_sides()

    def _show_sides(self) -> None:
        kind = str(self.side.currentData())
        wanted = self._chosen.get(kind, "")
        for at in (3, 4):  # of a rule, only those are counted that it does not hold for
            self.table.setColumnHidden(at, kind == "rule")
        self._settling = True  # what the table tells meanwhile is nobody's choice
        self.sides.show_points([point for point in self._points if point.kind == kind])
        row = self.sides.row_of(wanted) if wanted else None
        self.table.setCurrentIndex(QModelIndex() if row is None else self.sides.index(row, 0))
        self._settling = False
        self._show_side(wanted if row is not None else "")

    def _side_chosen(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if self._settling:
            return
        key = self.sides.point(current.row()).key if current.isValid() else ""
        self._chosen[str(self.side.currentData())] = key
        self._show_side(key)

    def _show_side(self, key: str) -> None:
        """The instances and the history of one side; "" for the whole fleet."""
        kind = str(self.side.currentData()) if key else "fleet"
        self._history_title.setText(self.tr("History of {0}").format(key) if key else self.tr("History of the fleet"))
        self.history.setAccessibleName(self._history_title.text())
        judged = self._guard.records()
        find = in_daemon_thread("guardrails-rows", lambda _: rows_of_side(judged, kind, key))
        self._tasks.start("rows", find, on_done=partial(self._show_rows, key))
        self._tasks.start("history", self._guard.history(kind, key), on_done=self.history.show_points)

    def _show_rows(self, key: str, rows: Sequence[FindingRow]) -> None:
        selected = self.instances.currentIndex()
        kept = self.findings.row(selected.row()).instance_id if selected.isValid() else ""
        self.findings.show_rows(rows)
        if kept and not self.instances.currentIndex().isValid():
            row = self.findings.row_of(kept)
            if row is not None:
                self.instances.setCurrentIndex(self.findings.index(row, 0))
        counted = count_text(len(rows))
        self._instances_title.setText(
            self.tr("{0}: {1} instances").format(key, counted) if key else self.tr("All {0} instances").format(counted)
        )

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.instance_wanted.emit(self.findings.row(index.row()).instance_id)
