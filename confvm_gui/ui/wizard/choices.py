"""Choices of a catalogue as a list: a model, and how an entry is drawn.

One entry is a title, a line below it, badges on the right, and the reason why it does not fit, if it does not. What
fits comes first, what does not comes after it, dimmed, with its reason instead of the second line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from confvm_gui.ui.wizard.looks import Looks, Tone, blend, looks, scaled_font

AnyIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Badge:
    """A word on a coloured ground at the right of an entry."""

    text: str
    tone: Tone = Tone.MUTED


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry."""

    key: str
    title: str
    subtitle: str
    badges: tuple[Badge, ...] = ()
    reason: str = ""
    """Why it does not fit; "" when it does."""

    def matches(self, words: Sequence[str]) -> bool:
        """Whether every one of the lower-case `words` is somewhere in what is shown."""
        text = " ".join((self.key, self.title, self.subtitle, *(badge.text for badge in self.badges))).lower()
        return all(word in text for word in words)


class ChoiceModel(QAbstractListModel):
    """Choices, filtered by words, the fitting ones first in the order given."""

    ChoiceRole = Qt.ItemDataRole.UserRole + 1

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[Choice] = []
        self._shown: list[Choice] = []
        self._words: list[str] = []

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Show `choices`; entries that are the same in place are only refreshed, so that a view keeps its position."""
        self._all = sorted(choices, key=lambda choice: bool(choice.reason))
        self._refresh()

    def set_filter(self, text: str) -> None:
        self._words = text.lower().split()
        self._refresh()

    def choice(self, index: AnyIndex) -> Choice | None:
        if index.isValid() and 0 <= index.row() < len(self._shown):
            return self._shown[index.row()]
        return None

    def index_of(self, key: str) -> QModelIndex:
        """Index of the choice `key`, invalid when it is not shown."""
        for row, choice in enumerate(self._shown):
            if choice.key == key:
                return self.index(row, 0)
        return QModelIndex()

    def total(self) -> int:
        """How many choices there are, filtered out ones included."""
        return len(self._all)

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        choice = self.choice(index)
        if choice is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return choice.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return choice.reason or choice.subtitle
        if role == Qt.ItemDataRole.AccessibleTextRole:
            badges = ", ".join(badge.text for badge in choice.badges)
            return ". ".join(part for part in (choice.title, choice.subtitle, badges, choice.reason) if part)
        if role == self.ChoiceRole:
            return choice
        return None

    def _refresh(self) -> None:
        shown = [choice for choice in self._all if choice.matches(self._words)]
        if shown == self._shown:
            return
        if [choice.key for choice in shown] == [choice.key for choice in self._shown]:
            self._shown = shown
            self.dataChanged.emit(self.index(0, 0), self.index(len(shown) - 1, 0))
            return
        self.beginResetModel()
        self._shown = shown
        self.endResetModel()


class ChoiceDelegate(QStyledItemDelegate):
    """Draws a `Choice`."""

    PADDING = 7

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        height = option.fontMetrics.height()
        return QSize(120, height + round(height * 0.95) + 2 * self.PADDING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        choice = index.data(ChoiceModel.ChoiceRole)
        if not isinstance(choice, Choice):
            super().paint(painter, option, index)
            return
        colours = looks()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(option.rect).adjusted(3, 1.5, -3, -1.5)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(blend(colours.base, colours.accent, 0.22 if selected else 0.08))
            painter.drawRoundedRect(frame, 6, 6)
        if selected:
            painter.setBrush(colours.accent)
            painter.drawRoundedRect(QRectF(frame.left(), frame.top() + 6, 3, frame.height() - 12), 1.5, 1.5)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(colours.accent)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        self._draw_text(painter, frame, choice, option.font, colours)
        painter.restore()

    def _draw_text(self, painter: QPainter, frame: QRectF, choice: Choice, font: QFont, colours: Looks) -> None:
        area = frame.adjusted(12, self.PADDING - 2, -9, -self.PADDING + 2).toRect()
        title_font = scaled_font(font, 1.0, QFont.Weight.DemiBold)
        small_font = scaled_font(font, 0.92)
        painter.setFont(title_font)
        title_height = painter.fontMetrics().height()
        title_area = QRect(area.left(), area.top(), area.width(), title_height)
        right = self._draw_badges(painter, title_area, choice, small_font, colours)
        painter.setFont(title_font)
        painter.setPen(colours.text if not choice.reason else colours.muted)
        width = max(20, right - area.left() - 6)
        painter.drawText(
            QRect(area.left(), area.top(), width, title_height),
            Qt.AlignmentFlag.AlignVCenter,
            painter.fontMetrics().elidedText(choice.title, Qt.TextElideMode.ElideRight, width),
        )
        painter.setFont(small_font)
        below = QRect(area.left(), area.bottom() - painter.fontMetrics().height() + 1, area.width(), title_height)
        painter.setPen(colours.warning if choice.reason else colours.muted)
        painter.drawText(
            below,
            Qt.AlignmentFlag.AlignTop,
            painter.fontMetrics().elidedText(
                choice.reason or choice.subtitle, Qt.TextElideMode.ElideRight, below.width()
            ),
        )

    def _draw_badges(self, painter: QPainter, area: QRect, choice: Choice, font: QFont, colours: Looks) -> int:
        """Draw the badges from the right; the left edge of the leftmost."""
        room = min(painter.fontMetrics().horizontalAdvance(choice.title) + 6, area.width() * 3 // 5)
        painter.setFont(scaled_font(font, 0.92, QFont.Weight.DemiBold))
        metrics = painter.fontMetrics()
        right = area.right()
        for badge in reversed(choice.badges):
            width = metrics.horizontalAdvance(badge.text) + 9
            if right - width < area.left() + room:
                break
            box = QRectF(right - width, area.center().y() - metrics.height() / 2 - 1, width, metrics.height() + 2)
            ink: QColor = colours.tone(badge.tone)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(blend(colours.base, ink, 0.14))
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(ink)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, badge.text)
            right = round(box.left()) - 4
        return right


def choice_view(model: ChoiceModel, parent: QWidget) -> QListView:
    """A list view set up for `model`."""
    view = QListView(parent)
    view.setModel(model)
    view.setItemDelegate(ChoiceDelegate(view))
    view.setUniformItemSizes(True)
    view.setMouseTracking(True)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return view
