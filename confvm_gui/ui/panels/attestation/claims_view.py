"""All claims of a verdict: a filter, the table, and the value of the current one in full."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.attestation import Claim
from confvm_gui.ui.models.attestation_words import value_text
from confvm_gui.ui.models.claims_model import ClaimsModel
from confvm_gui.ui.text import breakable, count_text
from confvm_gui.ui.theme import UNIT, monospace_font

_LONGEST_SHOWN = 2000
"""Characters of a value below the table; all of it can be copied."""


class ClaimsView(QWidget):
    """Filterable, copyable, grouped."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trusted = True
        self._emulated = False
        self.model = ClaimsModel(self)
        self.filter = QLineEdit()
        self.filter.setObjectName("claims-filter")
        self.filter.setPlaceholderText(self.tr("Filter claims, such as tcb or policy debug"))
        self.filter.setAccessibleName(self.tr("Filter claims"))
        self.filter.setClearButtonEnabled(True)
        self.count = QLabel()
        self.count.setProperty("kind", "muted")
        self.caution = QLabel()
        self.caution.setObjectName("claims-caution")
        self.caution.setWordWrap(True)
        self.caution.setMinimumWidth(80)
        self.table = make_table("claims-table", self.tr("Claims"))
        self.table.setModel(self.model)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setColumnWidth(0, 230)
        self.table.setColumnWidth(2, 170)
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._show_menu)
        self.detail = QLabel()
        self.detail.setObjectName("claim-detail")
        self.detail.setFont(monospace_font())
        self.detail.setWordWrap(True)
        self.detail.setMinimumWidth(80)
        self.detail.setTextFormat(Qt.TextFormat.PlainText)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        top = QHBoxLayout()
        top.setSpacing(UNIT)
        top.addWidget(self.filter, 1)
        top.addWidget(self.count)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT, 0, UNIT)
        rows.setSpacing(UNIT)
        rows.addLayout(top)
        rows.addWidget(self.caution)
        rows.addWidget(self.table, 1)
        rows.addWidget(self.detail)
        copy = QAction(self.tr("Copy"), self.table)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy_rows)
        self.table.addAction(copy)
        self.filter.textChanged.connect(self._filter_changed)
        self.table.selectionModel().currentRowChanged.connect(self._show_detail)

    def show_claims(self, claims: Sequence[Claim], *, trusted: bool, emulated: bool) -> None:
        self._trusted = trusted
        self._emulated = emulated
        self.model.show_claims(claims)
        self._show_counts()
        self.detail.setText("")
        texts = [] if trusted else [self.tr("The verdict is not trusted: what stands here is only what was said.")]
        texts += [self.tr("Emulated: made by software, not by a chip.")] if emulated else []
        self.caution.setText(" ".join(texts))
        self.caution.setVisible(bool(texts))
        self.caution.setProperty("kind", "error" if not trusted else "muted")
        self.caution.style().unpolish(self.caution)
        self.caution.style().polish(self.caution)

    def _filter_changed(self, text: str) -> None:
        self.model.set_filter(text)
        self._show_counts()
        self.detail.setText("")

    def _show_counts(self) -> None:
        if self.model.shown == self.model.total:
            text = self.tr("%n claim(s)", "", self.model.total)
        else:
            text = self.tr("{shown} of {total}").format(
                shown=count_text(self.model.shown), total=count_text(self.model.total)
            )
        self.count.setText(text)

    def _show_detail(self, current: QModelIndex) -> None:
        claim = self.model.claim(current.row())
        if claim is None:
            self.detail.setText("")
            return
        value = value_text(claim.value)
        cut = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]} …"
        self.detail.setText(f"{claim.name} = {breakable(cut)}")
        self.detail.setAccessibleName(f"{claim.name} = {cut}")

    # The clipboard

    def selected(self) -> list[Claim]:
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [claim for row in rows if (claim := self.model.claim(row)) is not None]

    def copy_rows(self) -> None:
        """Copy the selected claims as `name = value`, a line each."""
        lines = [f"{claim.name} = {value_text(claim.value)}" for claim in self.selected()]
        QGuiApplication.clipboard().setText("\n".join(lines))

    def copy_values(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(value_text(claim.value) for claim in self.selected()))

    def _show_menu(self, at: QPoint) -> None:
        if not self.selected():
            return
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction(self.tr("Copy the value")).triggered.connect(self.copy_values)
        menu.addAction(self.tr("Copy name and value")).triggered.connect(self.copy_rows)
        menu.popup(self.table.viewport().mapToGlobal(at))


def make_table(name: str, accessible_name: str) -> QTableView:
    """A table as all of the attestation views have it: rows of one height, no grid, elided text."""
    table = QTableView()
    table.setObjectName(name)
    table.setAccessibleName(accessible_name)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.verticalHeader().setDefaultSectionSize(28)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    return table
