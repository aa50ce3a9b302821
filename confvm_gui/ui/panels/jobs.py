"""Jobs: what is being done to instances, with progress, and how it ended."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.operation import Operation, OperationStatus
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.models.jobs_model import OPERATION_ROLE, PROGRESS_COLUMN, JobsModel
from confvm_gui.ui.rights import reason_against
from confvm_gui.ui.theme import UNIT, current_theme


class ProgressDelegate(QStyledItemDelegate):
    """A bar with its percentage; the colour follows the outcome, which the status column says in words."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        operation = index.data(OPERATION_ROLE)
        if not isinstance(operation, Operation):
            super().paint(painter, option, index)
            return
        theme = current_theme()
        color = theme.accent
        if operation.status is OperationStatus.SUCCEEDED:
            color = theme.success
        elif operation.status in (OperationStatus.FAILED, OperationStatus.ROLLED_BACK):
            color = theme.danger
        rect = QRectF(option.rect).adjusted(UNIT, 0, -UNIT, 0)
        words = option.fontMetrics.horizontalAdvance("100 %") + UNIT
        track = QRectF(rect.left(), rect.center().y() - 3, max(16.0, rect.width() - words), 6)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.border))
        painter.drawRoundedRect(track, 3, 3)
        filled = QRectF(track)
        filled.setWidth(track.width() * max(0.0, min(1.0, operation.progress)))
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(filled, 3, 3)
        painter.setPen(QColor(theme.text))
        painter.drawText(
            QRectF(rect.right() - words + UNIT, rect.top(), words - UNIT, rect.height()),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            f"{operation.progress:.0%}",
        )
        painter.restore()


class JobsPanel(QFrame):
    """All operations, newest first; those that run can be cancelled, those that failed tried again."""

    problem = Signal(str)
    closed = Signal()

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobs-panel")
        self.setProperty("kind", "drawer")
        self._session = session
        self._tasks = TaskKeeper("JobsPanel", self.problem.emit)
        self._subscriptions = Subscriptions()
        self.model = JobsModel(session.jobs.recent(), self)
        self.table = QTableView()
        self.table.setObjectName("jobs-table")
        self.table.setAccessibleName(self.tr("Jobs"))
        self.table.setModel(self.model)
        self.table.setItemDelegateForColumn(PROGRESS_COLUMN, ProgressDelegate(self.table))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.verticalHeader().setDefaultSectionSize(28)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        for column, width in enumerate((90, 190, 110, 170, 260, 150, 90)):
            self.table.setColumnWidth(column, width)
        header.setSectionResizeMode(4, QHeaderView.ResizeMode.Stretch)
        self.cancel = self._button("close", self.tr("Cancel"), self.cancel_selected)
        self.cancel.setObjectName("job-cancel")
        self.retry = self._button("retry", self.tr("Try again"), self.retry_selected)
        self.retry.setObjectName("job-retry")
        close = self._button("down", self.tr("Hide the jobs"), self.closed.emit)
        close.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        title = QLabel(self.tr("Jobs"))
        title.setProperty("kind", "heading")
        top = QHBoxLayout()
        top.addWidget(title, 1)
        for button in (self.cancel, self.retry, close):
            top.addWidget(button)
        empty = EmptyState("jobs", self.tr("No jobs yet"), self.tr("Whatever is done to instances appears here."))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(empty)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT, UNIT * 2, UNIT)
        rows.setSpacing(UNIT // 2)
        rows.addLayout(top)
        rows.addWidget(self._stack, 1)
        QShortcut(QKeySequence.StandardKey.Delete, self.table, self.cancel_selected).setContext(
            Qt.ShortcutContext.WidgetShortcut
        )
        self.table.selectionModel().selectionChanged.connect(self._offer)
        self._subscriptions.add(session.jobs.changes, self._changed)
        self._offer()
        self._stack.setCurrentIndex(0 if self.model.rowCount() else 1)

    def _button(self, icon: str, text: str, act: object) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bind_icon(button, icon)
        if callable(act):
            button.clicked.connect(act)
        return button

    def _changed(self, operation: Operation) -> None:
        self.model.put(operation)
        self._stack.setCurrentIndex(0)
        self._offer()

    def selected(self) -> list[Operation]:
        """Operations of the selected rows."""
        return [self.model.operation(index.row()) for index in self.table.selectionModel().selectedRows()]

    def _offer(self) -> None:
        chosen = self.selected()
        reason = reason_against(self._session, Permission.OPERATE)
        self.cancel.setEnabled(not reason and any(not operation.status.is_final for operation in chosen))
        self.retry.setEnabled(not reason and any(_can_retry(operation) for operation in chosen))
        for button in (self.cancel, self.retry):
            button.setToolTip(reason)

    def cancel_selected(self) -> None:
        """Ask those of the selected operations that still run to turn back."""
        for operation in self.selected():
            if not operation.status.is_final:
                self._session.jobs.cancel(operation.id)

    def retry_selected(self) -> None:
        """Accept those of the selected operations that did not succeed anew."""
        for operation in self.selected():
            if _can_retry(operation):
                self._tasks.start(f"retry {operation.id}", self._session.jobs.retry(operation.id))

    async def aclose(self) -> None:
        self._subscriptions.clear()
        await self._tasks.aclose()


def _can_retry(operation: Operation) -> bool:
    return operation.status in (OperationStatus.FAILED, OperationStatus.CANCELLED, OperationStatus.ROLLED_BACK)
