"""Machine: the series and type, with what does not fit and why."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.catalog.fit import forced_platform, host_maintenance
from confvm_gui.domain.catalogue import MachineType, Technology
from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.instance import HostMaintenance
from confvm_gui.ui.wizard.draft import Draft, Step
from confvm_gui.ui.wizard.looks import Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.machine_table import (
    MEMORY,
    NAME,
    NOTE,
    PLATFORM,
    SERIES,
    TECHNOLOGIES,
    VCPUS,
    AnyIndex,
    MachineRow,
    MachineTable,
    memory_text,
)
from confvm_gui.ui.wizard.page import Debounce, WizardPage, column, search_field

WIDE = 860
"""Pixels from which the table has room for the column of platforms, which the card below tells too."""


class RowDelegate(QStyledItemDelegate):
    """No frame around the current cell: the selected row is what counts."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        super().initStyleOption(option, index)
        option.state &= ~QStyle.StateFlag.State_HasFocus


class MachinePage(WizardPage):
    step = Step.MACHINE

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(draft, parent)
        self._quiet = False
        self._shown_for: tuple[object, ...] = ()
        layout = column(self)
        bar = QHBoxLayout()
        self._search = search_field("wizard.machineSearch", self.tr("Search: type, platform, 8vcpu, 32gib"), self)
        self._series = QComboBox(self)
        self._series.setObjectName("wizard.series")
        self._series.setAccessibleName(self.tr("Series"))
        self._series.setMinimumContentsLength(12)
        self._series.activated.connect(lambda _row: self._filter())
        Debounce(self._search).timer.timeout.connect(self._filter)
        self._count = ToneLabel("", Tone.MUTED, self)
        self._count.setWordWrap(False)
        bar.addWidget(self._search, 1)
        bar.addWidget(self._series)
        bar.addWidget(self._count)
        layout.addLayout(bar)
        self._model = MachineTable(self)
        self._view = self._build_view()
        layout.addWidget(self._view, 1)
        layout.addWidget(self._build_detail())

    def title(self) -> str:
        return self.tr("Machine")

    def subtitle(self) -> str:
        return self.tr("Choose the series and size: vCPUs, memory, and the processor that it runs on.")

    def first_field(self) -> QWidget:
        return self._view

    def _build_view(self) -> QTableView:
        view = QTableView(self)
        view.setObjectName("wizard.machineType")
        view.setAccessibleName(self.tr("Machine types"))
        view.setModel(self._model)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setTabKeyNavigation(False)
        view.setShowGrid(False)
        view.setAlternatingRowColors(True)
        view.setWordWrap(False)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setStyleSheet("QTableView::item { padding: 0 8px; }")
        view.setItemDelegate(RowDelegate(view))
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(view.fontMetrics().height() + 11)
        header = view.horizontalHeader()
        header.setHighlightSections(False)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        width = view.fontMetrics().averageCharWidth()
        for section, characters in (
            (NAME, 20),
            (SERIES, 10),
            (VCPUS, 9),
            (MEMORY, 11),
            (PLATFORM, 25),
            (TECHNOLOGIES, 18),
        ):
            header.resizeSection(section, width * characters)
        header.setSectionResizeMode(NOTE, QHeaderView.ResizeMode.Stretch)
        view.setSortingEnabled(True)
        view.selectionModel().currentRowChanged.connect(self._on_current)
        return view

    def _build_detail(self) -> Card:
        card = Card(self)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(12, 10, 12, 10)
        inside.setSpacing(5)
        self._detail_title = heading("", card, 1.08)
        self._detail = ToneLabel("", Tone.MUTED, card)
        self._detail.setObjectName("wizard.machineDetail")
        self._error = Note("", Tone.BAD, card)
        self._error.setObjectName("wizard.machineError")
        self._error.hide()
        inside.addWidget(self._detail_title)
        inside.addWidget(self._detail)
        inside.addWidget(self._error)
        return card

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._view.setColumnHidden(PLATFORM, self.width() < WIDE)

    def refresh(self) -> None:
        draft = self.draft
        request = draft.request
        shown_for = (request.cloud, request.provider, request.technology, request.region)
        if shown_for != self._shown_for:
            new_cloud = not self._shown_for or self._shown_for[0] != request.cloud
            self._shown_for = shown_for
            self._fill(new_cloud)
        self._mark_current()
        try:
            entry = draft.catalog.machine_type(request.cloud, request.machine_type)
        except NotFound as error:
            self._detail_title.setText(request.machine_type)
            self._detail.setText("")
            self._error.show_text(str(error), Tone.BAD)
            return
        self._detail_title.setText(
            self.tr("{0} · {1} vCPUs, {2}").format(entry.name, entry.vcpus, memory_text(entry.memory_mib))
        )
        self._detail.setText(self._detail_text(entry))
        problem = draft.field_problem("machine_type")
        reason = draft.machine_reason(entry)
        if problem:
            self._error.show_text(problem, Tone.BAD)
        elif reason:
            self._error.show_text(self.tr("Plain only. {0}").format(reason), Tone.WARNING)
        else:
            self._error.show_text("")

    def _fill(self, new_cloud: bool) -> None:
        draft = self.draft
        entries = draft.catalog.machine_types(draft.request.cloud)
        self._quiet = True
        if new_cloud:
            self._series.clear()
            self._series.addItem(self.tr("All series"), "")
            for series in dict.fromkeys(entry.series for entry in entries):
                self._series.addItem(series, series)
            self._model.set_filter(self._search.text(), "")
        self._view.setColumnHidden(NOTE, not any(draft.machine_reason(entry) for entry in entries))
        self._model.set_rows([MachineRow(entry, draft.machine_reason(entry)) for entry in entries])
        self._quiet = False

    def _mark_current(self) -> None:
        self._count.setText(self.tr("{0} types").format(self._model.rowCount()))
        index = self._model.index_of(self.draft.request.machine_type)
        if not index.isValid():
            return
        if index.row() != self._view.currentIndex().row():
            self._quiet = True
            self._view.setCurrentIndex(index)
            self._quiet = False
        self._view.scrollTo(index)

    def _detail_text(self, entry: MachineType) -> str:
        request = self.draft.request
        parts = (
            [self.tr("Runs on {0}").format(self.tr(" or ").join(entry.cpu_platforms))] if entry.cpu_platforms else []
        )
        if request.cloud == "gce":
            for technology in Technology:
                if technology not in entry.technologies:
                    continue
                platform = forced_platform(entry, technology)
                migrates = host_maintenance(entry, technology) is HostMaintenance.MIGRATE
                how = self.tr("migrates live") if migrates else self.tr("stops for host maintenance")
                parts.append(f"{technology.title}: {platform + ', ' if platform else ''}{how}")
        elif entry.technologies:
            parts.append(", ".join(item.title for item in Technology if item in entry.technologies))
        return "   ·   ".join(parts)

    def _filter(self) -> None:
        self._quiet = True
        self._model.set_filter(self._search.text(), str(self._series.currentData() or ""))
        self._quiet = False
        self._mark_current()

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        row = self._model.row(current)
        if row is not None and not self._quiet:
            self.draft.choose_machine_type(row.machine_type.name)
