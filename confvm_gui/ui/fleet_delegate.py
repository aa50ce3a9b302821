"""Draws the cells of the fleet table: marks with icon, colour and word, load as a bar, text elided.

One delegate for all columns that takes everything from the model in plain Python: asking the model role by role
through Qt costs ten times as much per cell.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.ui.icons import pixmap
from confvm_gui.ui.models.compliance_words import COMPLIANCE_MARKS
from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.models.fleet_model import COLUMNS, FleetModel
from confvm_gui.ui.models.freshness import is_stale
from confvm_gui.ui.text import STATE_MARKS, TRUST_MARKS, cell_text
from confvm_gui.ui.theme import Theme, current_theme

ROW_HEIGHT = 34
CHECK_ZONE = 34
"""Pixels at the left of the name column in which a click sets the mark."""
_ICON = 16
_PADDING = 8


def draw_check_box(painter: QPainter, theme: Theme, box: QRect, checked: bool, partly: bool = False) -> None:
    """A check box as the style sheet would draw it, at any place."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    frame = QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5)
    if checked or partly:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent))
        painter.drawRoundedRect(frame, 4, 4)
        painter.setPen(QPen(QColor(theme.on_accent), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        left, top, side = frame.left(), frame.top(), frame.width()
        if partly:
            painter.drawLine(
                round(left + side * 0.28),
                round(top + side * 0.5),
                round(left + side * 0.72),
                round(top + side * 0.5),
            )
        else:
            painter.drawPolyline(
                [
                    QPointF(left + side * 0.24, top + side * 0.52),
                    QPointF(left + side * 0.43, top + side * 0.70),
                    QPointF(left + side * 0.77, top + side * 0.32),
                ]
            )
    else:
        painter.setPen(QPen(QColor(theme.control_border), 1))
        painter.setBrush(QColor(theme.surface))
        painter.drawRoundedRect(frame, 4, 4)
    painter.restore()


class FleetDelegate(QStyledItemDelegate):
    """Paints cells of a FleetModel."""

    def __init__(self, model: FleetModel) -> None:
        super().__init__(model)
        self._model = model
        self.hovered_row = -1
        self.current_row = -1

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        instance = self._model.instance_at(index.row())
        column = COLUMNS[index.column()]
        width = option.fontMetrics.horizontalAdvance(self._model.cell(instance, column)) + 2 * _PADDING
        if column is FleetColumn.NAME:
            width += CHECK_ZONE + 2 * (_ICON + 6)
        elif column in (FleetColumn.STATE, FleetColumn.TRUST, FleetColumn.TECHNOLOGY, FleetColumn.COMPLIANCE):
            width += _ICON + 6
        return QSize(width, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row = index.row()
        if row >= self._model.rowCount():
            return
        theme = current_theme()
        instance = self._model.instance_at(row)
        column = COLUMNS[index.column()]
        rect = option.rect
        current = row == self.current_row
        marked = self._model.is_marked(row)
        ground = (
            theme.accent_soft
            if current
            else theme.marked
            if marked
            else theme.raised
            if row == self.hovered_row
            else ""
        )
        if ground:
            painter.fillRect(rect, QColor(ground))
        painter.setPen(QColor(theme.border))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        inner = rect.adjusted(_PADDING, 0, -_PADDING, 0)
        muted = instance.state is InstanceState.STOPPED
        match column:
            case FleetColumn.NAME:
                self._paint_name(painter, option, theme, rect, instance, marked, current)
            case FleetColumn.STATE:
                name, role = STATE_MARKS[instance.state]
                self._paint_marked_text(painter, option, theme, inner, name, role, cell_text(instance, column), role)
            case FleetColumn.TRUST:
                name, role = TRUST_MARKS[instance.trust]
                text_role = "muted" if instance.trust in (Trust.NOT_APPLICABLE, Trust.UNKNOWN) else "text"
                if instance.emulated and instance.trust is Trust.TRUSTED:
                    role = "warning"
                if is_stale(instance, self._model.max_age):
                    role = text_role = "warning"
                text = self._model.cell(instance, column)
                self._paint_marked_text(painter, option, theme, inner, name, role, text, text_role)
            case FleetColumn.TECHNOLOGY:
                role = "muted" if instance.technology is Technology.NONE else "text"
                self._paint_text(painter, option, theme, inner, cell_text(instance, column), role)
            case FleetColumn.COMPLIANCE if instance.compliance in COMPLIANCE_MARKS:
                name, role = COMPLIANCE_MARKS[instance.compliance]
                self._paint_marked_text(painter, option, theme, inner, name, role, cell_text(instance, column), "text")
            case FleetColumn.LOAD:
                self._paint_load(painter, option, theme, inner, instance)
            case _:
                self._paint_text(
                    painter, option, theme, inner, cell_text(instance, column), "muted" if muted else "text"
                )

    def _paint_name(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        theme: Theme,
        rect: QRect,
        instance: Instance,
        marked: bool,
        current: bool,
    ) -> None:
        if current:
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), QColor(theme.accent))
        middle = rect.center().y()
        draw_check_box(painter, theme, QRect(rect.left() + 11, middle - 7, 15, 15), marked)
        ratio = painter.device().devicePixelRatioF()
        left = rect.left() + CHECK_ZONE
        shield = ("shield", theme.confidential) if instance.confidential else ("shield-off", theme.muted)
        painter.drawPixmap(left, middle - _ICON // 2, pixmap(*shield, _ICON, ratio))
        text_rect = QRect(left + _ICON + 6, rect.top(), rect.right() - left - _ICON - 6 - _PADDING, rect.height())
        if instance.emulated:
            text_rect.setRight(text_rect.right() - _ICON - 4)
        shown = option.fontMetrics.elidedText(instance.name, Qt.TextElideMode.ElideMiddle, text_rect.width())
        painter.setPen(QColor(theme.text))
        painter.drawText(text_rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        if instance.emulated:
            after = text_rect.left() + option.fontMetrics.horizontalAdvance(shown) + 6
            painter.drawPixmap(after, middle - 7, pixmap("emulated", theme.muted, 14, ratio))

    @staticmethod
    def _paint_marked_text(
        painter: QPainter,
        option: QStyleOptionViewItem,
        theme: Theme,
        rect: QRect,
        icon: str,
        icon_role: str,
        text: str,
        text_role: str,
    ) -> None:
        if icon:
            ratio = painter.device().devicePixelRatioF()
            drawn = pixmap(icon, getattr(theme, icon_role), 14, ratio)
            painter.drawPixmap(rect.left(), rect.center().y() - 7, drawn)
            rect = rect.adjusted(14 + 6, 0, 0, 0)
        FleetDelegate._paint_text(painter, option, theme, rect, text, text_role)

    @staticmethod
    def _paint_text(
        painter: QPainter, option: QStyleOptionViewItem, theme: Theme, rect: QRect, text: str, role: str
    ) -> None:
        painter.setPen(QColor(getattr(theme, role)))
        shown = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)

    @staticmethod
    def _paint_load(
        painter: QPainter, option: QStyleOptionViewItem, theme: Theme, rect: QRect, instance: Instance
    ) -> None:
        text = cell_text(instance, FleetColumn.LOAD)
        if not instance.state.is_live:
            FleetDelegate._paint_text(painter, option, theme, rect, text, "muted")
            return
        share = max(0.0, min(1.0, instance.load / max(1, instance.vcpus)))
        words = option.fontMetrics.horizontalAdvance("100 %") + 6
        track = QRectF(rect.left(), rect.center().y() - 2.5, max(12, rect.width() - words), 6)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.border))
        painter.drawRoundedRect(track, 3, 3)
        if share > 0:
            filled = QRectF(track)
            filled.setWidth(max(4.0, track.width() * share))
            painter.setBrush(QColor(theme.warning if share > 0.85 else theme.accent))
            painter.drawRoundedRect(filled, 3, 3)
        painter.restore()
        beside = QRect(rect.right() - words + 6, rect.top(), words - 6, rect.height())
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        painter.drawText(beside, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
