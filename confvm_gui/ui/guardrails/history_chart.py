"""How many instances stood how over time: areas stacked on one another, the gravest at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QAccessible, QColor, QHelpEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from confvm_gui.domain.policy import Compliance, CompliancePoint
from confvm_gui.ui.text import compliance_word, count_text, moment
from confvm_gui.ui.theme import current_theme
from confvm_gui.ui.widgets.accessible_role import register_role
from confvm_gui.ui.wizard.looks import blend

_LAYERS: Final = (
    (Compliance.VIOLATING, "danger"),
    (Compliance.WARNING, "warning"),
    (Compliance.COMPLIANT, "success"),
    (Compliance.UNGUARDED, "control_border"),
)
_HEIGHT: Final = 92
_STRENGTH: Final = 0.62
"""Of the colours: a fleet that stands badly need not shout."""


def counts_of(point: CompliancePoint) -> tuple[int, int, int, int]:
    """In the order of the layers, from the bottom."""
    return (point.violating, point.warning, point.compliant, point.unguarded)


def words_of(point: CompliancePoint) -> str:
    """`3 Violating, 9 Compliant`."""
    told = [
        f"{count_text(count)} {compliance_word(kind.value)}"
        for (kind, _), count in zip(_LAYERS, counts_of(point), strict=True)
        if count
    ]
    return ", ".join(told) or count_text(0)


class HistoryChart(QWidget):
    """Points of one side, oldest first. What is between two of them is drawn as it was at the earlier."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: tuple[CompliancePoint, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_points(self, points: Sequence[CompliancePoint]) -> None:
        """Draw these."""
        self._points = tuple(points)
        said = words_of(self._points[-1]) if self._points else self.tr("nothing yet")
        self.setAccessibleDescription(said)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        words = self.fontMetrics().height() + 2
        room = QRectF(self.rect()).adjusted(0, 2, -1, -words)
        painter.setPen(QPen(QColor(theme.border)))
        painter.drawLine(room.bottomLeft(), room.bottomRight())
        painter.setPen(QColor(theme.muted))
        if not self._points:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("No history yet"))
            painter.end()
            return
        below = QRectF(room.left(), room.bottom(), room.width(), words)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, moment(self._points[0].at))
        painter.drawText(below, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, self.tr("now"))
        tallest = max(sum(counts_of(point)) for point in self._points) or 1
        bottoms = [0] * len(self._points)
        painter.setPen(Qt.PenStyle.NoPen)
        for layer, (_, role) in enumerate(_LAYERS):
            tops = [bottom + counts_of(point)[layer] for bottom, point in zip(bottoms, self._points, strict=True)]
            if tops != bottoms:
                painter.setBrush(blend(theme.color("surface"), theme.color(role), _STRENGTH))
                painter.drawPolygon(self._area(room, bottoms, tops, tallest))
            bottoms = tops
        painter.end()

    def _area(self, room: QRectF, bottoms: Sequence[int], tops: Sequence[int], tallest: int) -> QPolygonF:
        upper: list[QPointF] = []
        lower: list[QPointF] = []
        for at, (bottom, top) in enumerate(zip(bottoms, tops, strict=True)):
            left, right = self._x(room, at), self._x(room, at + 1)
            for points, value in ((upper, top), (lower, bottom)):
                height = room.bottom() - room.height() * value / tallest
                points += [QPointF(left, height), QPointF(right, height)]
        return QPolygonF([*upper, *reversed(lower)])

    def _x(self, room: QRectF, at: int) -> float:
        """Where the stretch of point `at` begins; a single moment fills all."""
        return room.left() + room.width() * at / len(self._points)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._points:
            at = min(len(self._points) - 1, max(0, int(event.pos().x() / max(1, self.width()) * len(self._points))))
            point = self._points[at]
            QToolTip.showText(event.globalPos(), f"{moment(point.at)}: {words_of(point)}", self)
            return True
        return super().event(event)


register_role(HistoryChart, QAccessible.Role.Chart)
