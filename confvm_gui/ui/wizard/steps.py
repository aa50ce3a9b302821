"""The list of pages at the left, each with its state."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from confvm_gui.ui.wizard.draft import Step
from confvm_gui.ui.wizard.looks import blend, draw_sign, looks, scaled_font

AnyIndex = QModelIndex | QPersistentModelIndex


class StepState(Enum):
    CURRENT = "current"
    DONE = "done"
    ATTENTION = "needs attention"
    OPEN = "not visited yet"
    AHEAD = "not reachable yet"


class StepModel(QAbstractListModel):
    """One row a page. Only pages that can be gone to are enabled."""

    StateRole = Qt.ItemDataRole.UserRole + 1
    SummaryRole = Qt.ItemDataRole.UserRole + 2

    def __init__(self, titles: dict[Step, str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._titles = titles
        self._states = dict.fromkeys(Step, StepState.AHEAD)
        self._summaries = dict.fromkeys(Step, "")
        self._current = Step.WHERE
        self._words = {
            StepState.CURRENT: self.tr("current"),
            StepState.DONE: self.tr("done"),
            StepState.ATTENTION: self.tr("needs attention"),
            StepState.OPEN: self.tr("not visited yet"),
            StepState.AHEAD: self.tr("not reachable yet"),
        }

    def show_states(self, states: dict[Step, StepState], summaries: dict[Step, str], current: Step) -> None:
        if (states, summaries, current) != (self._states, self._summaries, self._current):
            self._states, self._summaries, self._current = states, summaries, current
            self.dataChanged.emit(self.index(0, 0), self.index(len(Step) - 1, 0))

    def state(self, step: Step) -> StepState:
        return self._states[step]

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(Step)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or not 0 <= index.row() < len(Step):
            return None
        step = Step(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return self._titles[step]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            current = f", {self._words[StepState.CURRENT]}" if step is self._current else ""
            return f"{self._titles[step]}, {self._words[self._states[step]]}{current}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._summaries[step] or None
        if role == self.StateRole:
            return StepState.CURRENT if step is self._current else self._states[step]
        if role == self.SummaryRole:
            return self._summaries[step]
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        step = Step(index.row())
        if step is not self._current and self._states[step] is StepState.AHEAD:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class StepDelegate(QStyledItemDelegate):
    """Number or sign, title, and what is chosen there."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(150, option.fontMetrics.height() * 2 + 18)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        state = index.data(StepModel.StateRole)
        summary = str(index.data(StepModel.SummaryRole) or "")
        colours = looks()
        current = state is StepState.CURRENT
        frame = QRectF(option.rect).adjusted(6, 2, -6, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(blend(colours.window, colours.accent, 0.18))
            painter.drawRoundedRect(frame, 8, 8)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(colours.accent)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        sign, ink, fill = str(index.row() + 1), colours.muted, blend(colours.window, colours.text, 0.10)
        if current:
            ink, fill = colours.on_accent, colours.accent
        elif state is StepState.DONE:
            sign, ink, fill = "✓", colours.good, blend(colours.window, colours.good, 0.20)
        elif state is StepState.ATTENTION:
            sign, ink, fill = "!", colours.bad, blend(colours.window, colours.bad, 0.20)
        painter.setFont(option.font)
        side = option.fontMetrics.height() + 8
        draw_sign(painter, QRectF(frame.left() + 8, frame.center().y() - side / 2, side, side), sign, ink, fill)
        text = frame.adjusted(side + 18, 4, -6, -4)
        weight = QFont.Weight.DemiBold if current else QFont.Weight.Medium
        painter.setFont(scaled_font(option.font, 1.0, weight))
        painter.setPen(colours.muted if state is StepState.AHEAD else colours.text)
        top = QRectF(text.left(), text.top(), text.width(), text.height() / 2 if summary else text.height())
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter, str(index.data()))
        if summary:
            painter.setFont(scaled_font(option.font, 0.88))
            painter.setPen(colours.muted)
            elided = painter.fontMetrics().elidedText(summary, Qt.TextElideMode.ElideRight, int(text.width()))
            below = QRectF(text.left(), text.center().y(), text.width(), text.height() / 2)
            painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, elided)
        painter.restore()


class StepList(QListView):
    """Click, or arrow keys and Enter, to go to a page."""

    wanted = Signal(int)

    def __init__(self, model: StepModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(StepDelegate(self))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setStyleSheet("QListView, QListView:focus { background: transparent; border: none; }")
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(lambda index: self.wanted.emit(index.row()))
        self.activated.connect(lambda index: self.wanted.emit(index.row()))
        self.setMinimumHeight(len(Step) * (self.fontMetrics().height() * 2 + 18) + 4)
