"""The firmware versions (TCB) that a chip reported over time: a lane of steps for each component, and a table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QAccessible, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from confvm_gui.domain.attestation_record import TcbPoint
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.models.text_rows_model import TextRowsModel
from confvm_gui.ui.panels.attestation.claims_view import make_table
from confvm_gui.ui.text import moment, translate
from confvm_gui.ui.theme import UNIT, current_theme, interface_font, theme_controller
from confvm_gui.ui.widgets.accessible_role import register_role

_LANE = 34
"""Pixels of height for a component."""
_NAMES = 104
"""Pixels for the names of components."""
_MOST_DRAWN = 200
"""Points; older ones are in the table."""


def components(points: Sequence[TcbPoint]) -> list[str]:
    """All components that any point has, in the order of the first."""
    return list(dict.fromkeys(name for point in points for name in point.reported))


class TcbSteps(QWidget):
    """One lane per component: its version as a line of steps, each version written where it begins."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tcb-steps")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._points: Sequence[TcbPoint] = ()
        self._components: list[str] = []
        theme_controller().changed.connect(self.update)

    def show_points(self, points: Sequence[TcbPoint]) -> None:
        """Oldest first."""
        self._points = points[-_MOST_DRAWN:]
        self._components = components(self._points)
        self.setFixedHeight(max(1, len(self._components)) * _LANE + 8)
        texts = [f"{name} {' → '.join(str(value) for _, value in self._changes(name))}" for name in self._components]
        self.setAccessibleName(translate("TcbSteps", "Reported TCB over time: {steps}").format(steps="; ".join(texts)))
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(220, self.height())

    def _changes(self, name: str) -> list[tuple[int, int]]:
        """Number of the point at which each version begins, and the version."""
        found: list[tuple[int, int]] = []
        for at, point in enumerate(self._points):
            value = point.reported.get(name)
            if value is not None and (not found or found[-1][1] != value):
                found.append((at, value))
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(interface_font())
        metrics = QFontMetrics(interface_font())
        span = max(1, len(self._points))
        room = self.width() - _NAMES - 12
        for row, name in enumerate(self._components):
            top = row * _LANE + 4
            painter.setPen(theme.color("muted"))
            label = QRect(0, top, _NAMES - 8, _LANE)
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, label.width())
            painter.drawText(label, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
            painter.setPen(QPen(theme.color("border"), 1))
            painter.drawLine(0, top + _LANE, self.width(), top + _LANE)
            changes = self._changes(name)
            values = [value for _, value in changes]
            low, high = min(values), max(values)
            line: list[QPointF] = []
            labels: list[tuple[float, float, str, str]] = []
            for at, (begin, value) in enumerate(changes):
                end = changes[at + 1][0] if at + 1 < len(changes) else span
                share = (value - low) / (high - low) if high > low else 0.5
                y = top + _LANE - 6 - share * (_LANE - 20) if high > low else top + _LANE - 10.0
                left, right = _NAMES + room * begin / span, _NAMES + room * end / span
                line += [QPointF(left, y), QPointF(right, y)]
                fell = at > 0 and value < changes[at - 1][1]
                labels.append((left, y, str(value), "danger" if fell else "text"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawPolyline(QPolygonF(line))
            for left, y, text, role in labels:
                painter.setPen(theme.color(role))
                painter.drawText(QPointF(left + 3, y - 3), text)
        painter.end()


class TcbView(QWidget):
    """The chip's timeline; changes only, oldest at the left of the picture and newest at the top of the table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = TextRowsModel(self)
        self.chip = QLabel()
        self.chip.setObjectName("tcb-chip")
        self.chip.setProperty("kind", "muted")
        self.chip.setWordWrap(True)
        self.chip.setMinimumWidth(80)
        self.chip.setTextFormat(Qt.TextFormat.PlainText)
        self.chip.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.steps = TcbSteps()
        self.table = make_table("tcb-table", self.tr("TCB over time"))
        self.table.setModel(self.model)
        self.table.horizontalHeader().setDefaultSectionSize(104)
        self.table.horizontalHeader().setStretchLastSection(True)
        filled = QWidget()
        column = QVBoxLayout(filled)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.chip)
        column.addWidget(self.steps)
        column.addWidget(self.table, 1)
        self.empty = EmptyState(
            "metrics",
            self.tr("No TCB is known"),
            self.tr("SEV-SNP reports carry the firmware versions of their chip; each change is kept here."),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(filled)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT, 0, UNIT)
        rows.addWidget(self._stack)

    def show_points(self, chip_id: str, points: Sequence[TcbPoint], *, emulated: bool) -> None:
        """Oldest first."""
        self._stack.setCurrentIndex(1 if points else 0)
        if not points:
            self.model.show_rows((), ())
            return
        text = self.tr("Chip {chip}").format(chip=" ".join(chip_id[at : at + 16] for at in range(0, len(chip_id), 16)))
        if emulated:
            text += " · " + self.tr("Emulated: not a chip of AMD's")
        self.chip.setText(text)
        self.steps.show_points(points)
        names = components(points)
        rows: list[tuple[str, ...]] = []
        for at in range(len(points) - 1, -1, -1):
            point, before = points[at], points[at - 1] if at else None
            cells = [moment(point.at)]
            for name in names:
                value, earlier = point.reported.get(name), before.reported.get(name) if before else None
                text = "–" if value is None else str(value)
                if value is not None and earlier is not None and value != earlier:
                    text = f"{earlier} → {value}"
                cells.append(text)
            cells.append(self._provisional(point))
            rows.append(tuple(cells))
        self.model.show_rows((self.tr("Since"), *names, self.tr("Firmware")), rows)
        self.table.setColumnWidth(0, 150)

    def _provisional(self, point: TcbPoint) -> str:
        if not point.committed or not point.current:
            return "–"
        if dict(point.committed) == dict(point.current):
            return self.tr("committed")
        return self.tr("provisional: the host can go back")


register_role(TcbSteps, QAccessible.Role.Chart)
