"""The fleet: filter, groups, bulk bar, table, and what to do when there is nothing to show."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.operation import OperationKind
from confvm_gui.fleet.attest.freshness import max_age
from confvm_gui.fleet.settings import Settings
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.filter_field import FilterField
from confvm_gui.ui.fleet_view import DEFAULT_WIDTHS, FleetView
from confvm_gui.ui.group_bar import GROUPABLE, GroupBar, group_title
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.models.fleet_filter import FleetFilter
from confvm_gui.ui.models.fleet_model import COLUMNS as ALL_COLUMNS
from confvm_gui.ui.models.fleet_model import FleetModel
from confvm_gui.ui.models.freshness import REFRESH_MS
from confvm_gui.ui.preferences import (
    COLUMNS,
    GROUP_BY,
    SAVED_SEARCHES,
    SORT,
    list_setting,
    text_setting,
)
from confvm_gui.ui.text import column_title, count_text
from confvm_gui.ui.theme import UNIT

_BULK_ROW = 2
_SAVE_DELAY = 400
"""Milliseconds between the last change of the columns and their being saved."""


class FleetPage(QWidget):
    """Owns the model's view; what is to be done with instances is left to the shell by signals."""

    new_wanted = Signal()
    bulk_wanted = Signal(object)
    """An OperationKind, to be done to the marked instances."""
    menu_wanted = Signal(QPoint)

    def __init__(self, model: FleetModel, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self._settings = settings
        self.filter = FilterField(model.table)
        self.view = FleetView(model)
        self.groups = GroupBar(model)
        self.bulk: QFrame | None = None
        self.count = QLabel()
        self.count.setProperty("kind", "muted")
        self.count.setObjectName("fleet-count")
        self._empty: EmptyState | None = None
        self._no_match: EmptyState | None = None
        self._stack = QStackedWidget()
        self._stack.addWidget(self.view)
        rows = self._rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT * 2, UNIT * 2, UNIT)
        rows.setSpacing(UNIT)
        rows.addLayout(self._make_top())
        rows.addWidget(self.groups)
        rows.addWidget(self._stack, 1)
        rows.addWidget(self.count)
        self._save_timer = QTimer(self)
        self._save_timer.setSingleShot(True)
        self._save_timer.setInterval(_SAVE_DELAY)
        self._save_timer.timeout.connect(self._save_layout)
        self._age_timer = QTimer(self)
        self._age_timer.setInterval(REFRESH_MS)
        self._age_timer.timeout.connect(self.view.viewport().update)
        model.max_age = max_age(settings)
        self._restore_layout()
        self.filter.filter_changed.connect(self._filter_changed)
        self.filter.leave.connect(self._to_table)
        self.groups.term_chosen.connect(self.filter.toggle_term)
        self.view.layout_changed.connect(self._save_timer.start)
        self.view.menu_wanted.connect(self.menu_wanted)
        header = self.view.horizontalHeader()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(lambda at: self._columns_menu().popup(header.mapToGlobal(at)))
        model.counts_changed.connect(self._counts_changed)
        model.marks_changed.connect(self._marks_changed)
        model.rearranged.connect(self._counts_changed)
        self._counts_changed()
        self._marks_changed()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._age_timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._age_timer.stop()
        if self._save_timer.isActive():  # the window may be closing, and soon there is nowhere to keep it
            self._save_timer.stop()
            self._save_layout()

    # Making

    def _make_top(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(UNIT // 2)
        row.addWidget(self.filter, 1)
        for name, icon, text, menu in (
            ("saved-searches", "star", self.tr("Saved searches"), self._searches_menu),
            ("group-by", "group", self.tr("Group counts"), self._groups_menu),
            ("columns", "columns", self.tr("Columns"), self._columns_menu),
        ):
            button = QToolButton()
            button.setObjectName(name)
            button.setToolTip(text)
            button.setAccessibleName(text)
            bind_icon(button, icon, "muted")
            button.clicked.connect(
                lambda _=False, make=menu, under=button: make().popup(under.mapToGlobal(QPoint(0, under.height() + 2)))
            )
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _make_bulk_bar(self) -> QFrame:
        bar = QFrame()
        bar.setProperty("kind", "bulk")
        bar.setObjectName("bulk-bar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(UNIT + 4, 6, UNIT, 6)
        row.setSpacing(UNIT // 2)
        self._bulk_text = QLabel()
        row.addWidget(self._bulk_text, 1)
        for kind, icon, text in (
            (OperationKind.START, "start", self.tr("Start")),
            (OperationKind.STOP, "stop", self.tr("Stop")),
            (OperationKind.DELETE, "delete", self.tr("Delete")),
        ):
            button = QToolButton()
            button.setObjectName(f"bulk-{kind.value}")
            button.setText(text)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            bind_icon(button, icon, "danger" if kind is OperationKind.DELETE else "text")
            button.clicked.connect(lambda _=False, chosen=kind: self.bulk_wanted.emit(chosen))
            row.addWidget(button)
        clear = QToolButton()
        clear.setToolTip(self.tr("Clear the marks (Esc)"))
        clear.setAccessibleName(self.tr("Clear the marks"))
        bind_icon(clear, "close", "muted")
        clear.clicked.connect(self.model.clear_marks)
        row.addWidget(clear)
        bar.hide()
        return bar

    # Menus

    def _searches_menu(self) -> QMenu:
        menu = self._fresh_menu()
        text = " ".join(self.filter.text.split())
        saved = self.saved_searches()
        keep = menu.addAction(self.tr("Save this search"), partial(self._save_searches, [*saved, text]))
        keep.setEnabled(bool(text) and text not in saved)
        if text in saved:
            others = [one for one in saved if one != text]
            menu.addAction(self.tr("Forget this search"), partial(self._save_searches, others))
        menu.addSeparator()
        for one in saved:
            menu.addAction(one, partial(self.filter.set_text, one))
        if not saved:
            menu.addAction(self.tr("No saved searches yet")).setEnabled(False)
        return menu

    def saved_searches(self) -> list[str]:
        return [one for one in list_setting(self._settings, SAVED_SEARCHES) if isinstance(one, str)]

    def _save_searches(self, searches: list[str]) -> None:
        self._settings.put(SAVED_SEARCHES, searches[-50:])

    def _groups_menu(self) -> QMenu:
        menu = self._fresh_menu()
        for group in ("", *GROUPABLE, *(f"label:{key}" for key in self.model.table.label_keys()[:40])):
            text = group_title(group) if group else self.tr("No groups")
            if group.startswith("label:"):
                text = self.tr("Label: {key}").format(key=text)
            entry = menu.addAction(text, partial(self._choose_group, group))
            entry.setCheckable(True)
            entry.setChecked(group == self.groups.group)
        return menu

    def _choose_group(self, group: str) -> None:
        self._settings.put(GROUP_BY, group)
        self.groups.set_group(group)

    def _columns_menu(self) -> QMenu:
        menu = self._fresh_menu()
        shown = {column for column, _ in self.view.columns()}
        for column in ALL_COLUMNS:
            entry = menu.addAction(column_title(column))
            entry.setCheckable(True)
            entry.setChecked(column in shown)
            entry.setEnabled(column is not FleetColumn.NAME)
            entry.toggled.connect(lambda on, chosen=column: self.view.show_column(chosen, on))
        return menu

    def _fresh_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    # Keeping the layout

    def _restore_layout(self) -> None:
        columns: list[tuple[FleetColumn, int]] = []
        known = {column.value: column for column in ALL_COLUMNS}
        for entry in list_setting(self._settings, COLUMNS):
            if isinstance(entry, list | tuple) and len(entry) == 2 and entry[0] in known:
                column = known[entry[0]]
                width = entry[1] if isinstance(entry[1], int) else DEFAULT_WIDTHS[column]
                if column not in {one for one, _ in columns}:
                    columns.append((column, width))
        if columns:
            self.view.set_columns(columns)
            # Widths that nobody has touched go on fitting the window.
            self.view.adaptive = all(
                width == DEFAULT_WIDTHS[column] for column, width in columns if column is not FleetColumn.NAME
            )
        sort = list_setting(self._settings, SORT)
        if len(sort) == 2 and sort[0] in known:
            order = Qt.SortOrder.DescendingOrder if sort[1] == "descending" else Qt.SortOrder.AscendingOrder
            self.view.sortByColumn(ALL_COLUMNS.index(known[str(sort[0])]), order)
        group = text_setting(self._settings, GROUP_BY, "")
        if group in GROUPABLE or group.startswith("label:"):
            self.groups.set_group(group)

    def _save_layout(self) -> None:
        self._settings.put(
            COLUMNS,
            [
                [column.value, DEFAULT_WIDTHS[column] if self.view.adaptive else width]
                for column, width in self.view.columns()
            ],
        )
        direction = "descending" if self.model.descending else "ascending"
        self._settings.put(SORT, [self.model.sort_column.value, direction])

    # Changes

    def _filter_changed(self, chosen: FleetFilter) -> None:
        self.model.set_filter(chosen)

    def _to_table(self) -> None:
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        if not self.view.currentIndex().isValid() and self.model.rowCount():
            self.view.selectRow(0)

    def _counts_changed(self) -> None:
        total, shown = self.model.total, self.model.rowCount()
        if self.model.filter.terms:
            self.count.setText(
                self.tr("{shown} of %n instance(s)", "", total)
                .replace(str(total), count_text(total))
                .format(shown=count_text(shown))
            )
        else:
            self.count.setText(self.tr("%n instance(s)", "", total).replace(str(total), count_text(total)))
        page: QWidget = self.view
        if not total:
            page = self._nothing_yet()
        elif not shown and self.model.filter.terms:
            page = self._nothing_found()
        if self._stack.currentWidget() is not page:
            focused = self.view.hasFocus()
            self._stack.setCurrentWidget(page)
            if focused and page is not self.view:
                self.filter.setFocus(Qt.FocusReason.OtherFocusReason)
        self.groups.refresh()

    def _nothing_yet(self) -> EmptyState:
        if self._empty is None:
            self._empty = EmptyState(
                "fleet",
                self.tr("No instances yet"),
                self.tr("Launch a confidential VM and watch its memory stay encrypted."),
                self.tr("New instance (Ctrl+N)"),
            )
            self._empty.action.connect(self.new_wanted)
            self._stack.addWidget(self._empty)
        return self._empty

    def _nothing_found(self) -> EmptyState:
        if self._no_match is None:
            self._no_match = EmptyState(
                "search", self.tr("No instance matches this filter"), "", self.tr("Clear the filter (Esc)")
            )
            self._no_match.action.connect(lambda: self.filter.set_text(""))
            self._stack.addWidget(self._no_match)
        return self._no_match

    def _marks_changed(self) -> None:
        count = self.model.marked_count
        if self.bulk is None:
            if not count:
                return
            self.bulk = self._make_bulk_bar()
            self._rows.insertWidget(_BULK_ROW, self.bulk)
        self.bulk.setVisible(count > 0)
        if count:
            hidden = self.model.marked_hidden()
            text = self.tr("%n marked", "", count)
            if hidden:
                text += " " + self.tr("(%n hidden by the filter)", "", hidden)
            self._bulk_text.setText(text)
