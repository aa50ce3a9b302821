"""A small world map of dots with a cloud's regions on it.

The land is sampled into a grid of dots at the size shown, so it stays crisp at any zoom. Points are picked with the
mouse or the arrow keys; the wheel, + and - zoom, dragging pans, 0 shows the whole world again. Longitude and
latitude go to the plane by Miller's cylindrical projection, which leaves room for the crowded middle latitudes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from confvm_gui.ui.wizard.land import LAND, WATER
from confvm_gui.ui.wizard.looks import Looks, blend, looks, scaled_font

WEST = -170.0
NORTH = 76.0
SOUTH = -56.0
DOT_PITCH = 5.0
"""Device-independent pixels between the dots of the land."""
PICK_RADIUS = 14.0
"""How far from a point a click still picks it."""
MAX_ZOOM = 6.0


@dataclass(frozen=True, slots=True)
class MapPoint:
    """A region on the map."""

    key: str
    title: str
    latitude: float
    longitude: float
    fits: bool
    note: str = ""
    """Shown with the title while the pointer is over it."""


def miller(latitude: float) -> float:
    """Height in Miller's cylindrical projection, in radians of longitude."""
    return 1.25 * math.log(math.tan(math.pi / 4 + 0.4 * math.radians(latitude)))


def unmiller(height: float) -> float:
    """Latitude in degrees of a height in the projection."""
    return math.degrees(2.5 * (math.atan(math.exp(0.8 * height)) - math.pi / 4))


_TOP = miller(NORTH)
_BOTTOM = miller(SOUTH)
_ASPECT = 2 * math.pi / (_TOP - _BOTTOM)


def world_position(latitude: float, longitude: float) -> QPointF:
    """Where a place is on the whole map, as shares of its width and height (0.0 to 1.0, from the north-west)."""
    x = ((longitude - WEST) % 360.0) / 360.0
    clamped = min(max(latitude, -80.0), 84.0)
    return QPointF(x, (_TOP - miller(clamped)) / (_TOP - _BOTTOM))


class RegionMap(QWidget):
    """The map. `picked` tells the key of the point that a person chose."""

    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: list[MapPoint] = []
        self._places: list[QPointF] = []
        self._selected = ""
        self._hovered = ""
        self._zoom = 1.0
        self._centre = QPointF(0.5, 0.5)
        self._grip: QPointF | None = None
        self._dragged = False
        self._ground: QPixmap | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(240, 130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # What it shows

    def set_points(self, points: Sequence[MapPoint]) -> None:
        self._points = list(points)
        self._places = [world_position(point.latitude, point.longitude) for point in points]
        self._describe()
        self.update()

    def select(self, key: str) -> None:
        """Mark the point `key` and bring it into view; "" marks none. Does not emit `picked`."""
        if key != self._selected:
            self._selected = key
            self._reveal(key)
            self._describe()
            self.update()

    def selected(self) -> str:
        return self._selected

    def zoom(self) -> float:
        return self._zoom

    def set_zoom(self, zoom: float, around: QPointF | None = None) -> None:
        """Show `1 / zoom` of the world, keeping the widget position `around` where it is."""
        zoom = min(max(zoom, 1.0), MAX_ZOOM)
        anchor = around if around is not None else QPointF(self.rect().center())
        before = self._to_world(anchor)
        self._zoom = zoom
        after = self._to_world(anchor)
        self._move_centre(self._centre + before - after)

    def position_of(self, key: str) -> QPoint:
        """Where the point `key` is drawn, in widget coordinates. Raises KeyError."""
        for point, place in zip(self._points, self._places, strict=True):
            if point.key == key:
                return self._to_widget(place).toPoint()
        raise KeyError(key)

    def sizeHint(self) -> QSize:
        return QSize(560, round(560 / _ASPECT))

    # Geometry

    def _frame(self) -> QRectF:
        """Where the whole world lies, in widget coordinates."""
        width = min(float(self.width()), self.height() * _ASPECT) * self._zoom
        height = width / _ASPECT
        left = self.width() / 2 - self._centre.x() * width
        top = self.height() / 2 - self._centre.y() * height
        return QRectF(left, top, width, height)

    def _to_widget(self, place: QPointF) -> QPointF:
        frame = self._frame()
        return QPointF(frame.x() + place.x() * frame.width(), frame.y() + place.y() * frame.height())

    def _to_world(self, position: QPointF) -> QPointF:
        frame = self._frame()
        return QPointF((position.x() - frame.x()) / frame.width(), (position.y() - frame.y()) / frame.height())

    def _move_centre(self, centre: QPointF) -> None:
        frame = self._frame()
        half_x = min(0.5, self.width() / frame.width() / 2)
        half_y = min(0.5, self.height() / frame.height() / 2)
        self._centre = QPointF(
            min(max(centre.x(), half_x), 1 - half_x),
            min(max(centre.y(), half_y), 1 - half_y),
        )
        self._ground = None
        self.update()

    def _reveal(self, key: str) -> None:
        for point, place in zip(self._points, self._places, strict=True):
            if point.key == key and not self.rect().adjusted(16, 16, -16, -16).contains(
                self._to_widget(place).toPoint()
            ):
                self._move_centre(place)

    def _nearest(self, position: QPointF) -> str:
        best, best_distance = "", PICK_RADIUS
        for point, place in zip(self._points, self._places, strict=True):
            offset = self._to_widget(place) - position
            distance = math.hypot(offset.x(), offset.y())
            if distance < best_distance:
                best, best_distance = point.key, distance
        return best

    def _neighbour(self, dx: int, dy: int) -> str:
        """The closest point in a direction from the selected one; sideways distance counts double."""
        here = next(
            (place for point, place in zip(self._points, self._places, strict=True) if point.key == self._selected),
            QPointF(0.5, 0.5),
        )
        best, best_cost = "", math.inf
        for point, place in zip(self._points, self._places, strict=True):
            if point.key == self._selected:
                continue
            offset = QPointF((place.x() - here.x()) * _ASPECT, place.y() - here.y())
            along = offset.x() * dx + offset.y() * dy
            aside = abs(offset.x() * dy) + abs(offset.y() * dx)
            if along > 1e-9 and along >= aside * 0.5 and along + 2 * aside < best_cost:
                best, best_cost = point.key, along + 2 * aside
        return best

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = looks()
        if self._ground is None:
            self._ground = self._draw_ground(colours)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top: list[tuple[MapPoint, QPointF]] = []
        for point, place in zip(self._points, self._places, strict=True):
            if point.key in (self._selected, self._hovered):
                top.append((point, self._to_widget(place)))
            else:
                self._draw_point(painter, point, self._to_widget(place), colours)
        top.sort(key=lambda item: item[0].key == self._selected)
        for point, position in top:
            self._draw_point(painter, point, position, colours)
        for point, position in top[-1:]:
            self._draw_caption(painter, point, position, colours)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colours.accent, 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        painter.end()

    def _draw_ground(self, colours: Looks) -> QPixmap:
        ratio = self.devicePixelRatioF()
        ground = QPixmap(self.size() * ratio)
        ground.setDevicePixelRatio(ratio)
        ground.fill(Qt.GlobalColor.transparent)
        painter = QPainter(ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(colours.border)
        painter.setBrush(blend(colours.base, colours.accent, 0.05 if colours.dark else 0.03))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        pen = QPen(blend(colours.base, colours.text, 0.30 if colours.dark else 0.24), DOT_PITCH * 0.58)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPoints(QPolygonF(self.land_dots()))
        painter.end()
        return ground

    def land_dots(self) -> list[QPointF]:
        """Centres of the dots that lie on land: the outlines are filled into an image with one pixel a dot."""
        columns = max(1, int(self.width() / DOT_PITCH))
        rows = max(1, int(self.height() / DOT_PITCH))
        frame = self._frame()
        image = QImage(columns, rows, QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        painter.setPen(Qt.PenStyle.NoPen)
        for outlines, shade in ((LAND, 255), (WATER, 0)):
            painter.setBrush(QBrush(QColor(shade, shade, shade)))
            for outline in outlines:
                painter.drawPolygon(
                    QPolygonF(
                        [
                            QPointF(
                                (frame.x() + (longitude - WEST) / 360.0 * frame.width()) / DOT_PITCH,
                                (frame.y() + world_position(latitude, longitude).y() * frame.height()) / DOT_PITCH,
                            )
                            for longitude, latitude in outline
                        ]
                    )
                )
        painter.end()
        stride = image.bytesPerLine()
        pixels = bytes(image.constBits())
        margin = 2  # dots, so that none touches the rounded frame
        inset_x = (self.width() - columns * DOT_PITCH) / 2
        inset_y = (self.height() - rows * DOT_PITCH) / 2
        return [
            QPointF(inset_x + (column + 0.5) * DOT_PITCH, inset_y + (row + 0.5) * DOT_PITCH)
            for row in range(margin, rows - margin)
            for column in range(margin, columns - margin)
            if pixels[row * stride + column] > 127
        ]

    def _draw_point(self, painter: QPainter, point: MapPoint, position: QPointF, colours: Looks) -> None:
        selected = point.key == self._selected
        radius = 6.0 if selected else 5.5 if point.key == self._hovered else 4.0
        if selected:
            halo = QColor(colours.accent)
            halo.setAlpha(70)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(halo)
            painter.drawEllipse(position, 12.0, 12.0)
        if point.fits:
            painter.setPen(QPen(colours.base, 1.5))
            painter.setBrush(colours.accent)
        else:
            painter.setPen(QPen(colours.muted, 1.5))
            painter.setBrush(colours.base)
        painter.drawEllipse(position, radius, radius)

    def _draw_caption(self, painter: QPainter, point: MapPoint, position: QPointF, colours: Looks) -> None:
        painter.setFont(scaled_font(self.font(), 0.92, QFont.Weight.DemiBold))
        size = painter.fontMetrics().size(0, point.key)
        box = QRectF(0, 0, size.width() + 14, size.height() + 6)
        box.moveCenter(QPointF(position.x(), position.y() - 22))
        if box.top() < 4:
            box.moveTop(position.y() + 14)
        box.moveLeft(min(max(box.left(), 4.0), self.width() - box.width() - 4))
        painter.setPen(colours.border)
        painter.setBrush(colours.raised if colours.dark else colours.base)
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(colours.text)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, point.key)

    # Input

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position()
            self._dragged = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None and event.buttons() & Qt.MouseButton.LeftButton:
            offset = event.position() - self._grip
            if self._dragged or offset.manhattanLength() > 5:
                self._dragged = True
                self._grip = event.position()
                frame = self._frame()
                self._move_centre(self._centre - QPointF(offset.x() / frame.width(), offset.y() / frame.height()))
            return
        hovered = self._nearest(event.position())
        if hovered != self._hovered:
            self._hovered = hovered
            self.setCursor(Qt.CursorShape.PointingHandCursor if hovered else Qt.CursorShape.ArrowCursor)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._grip is None:
            return
        self._grip = None
        if not self._dragged:
            self._pick(self._nearest(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = ""
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120.0
        if steps:
            self.set_zoom(self._zoom * 1.25**steps, event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        directions = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        key = Qt.Key(event.key())
        if key in directions:
            self._pick(self._neighbour(*directions[key]))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom_on_selection(self._zoom * 1.5)
        elif key == Qt.Key.Key_Minus:
            self._zoom_on_selection(self._zoom / 1.5)
        elif key == Qt.Key.Key_0:
            self.set_zoom(1.0)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            key = self._nearest(QPointF(event.pos()))
            point = next((point for point in self._points if point.key == key), None)
            if point is None:
                QToolTip.hideText()
            else:
                text = f"{point.key}\n{point.title}" + (f"\n{point.note}" if point.note else "")
                QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Much more height than the whole world has at this width would only be sea.
        self.setMaximumHeight(max(self.minimumHeight(), round(1.3 * self.width() / _ASPECT)))
        self._move_centre(self._centre)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._ground = None
            self.update()

    def _zoom_on_selection(self, zoom: float) -> None:
        around = QPointF(self.position_of(self._selected)) if self._selected else None
        self.set_zoom(zoom, around)

    def _pick(self, key: str) -> None:
        if key:
            self.select(key)
            self.picked.emit(key)

    def _describe(self) -> None:
        point = next((point for point in self._points if point.key == self._selected), None)
        self.setAccessibleName(self.tr("World map of regions"))
        self.setAccessibleDescription(
            self.tr("Selected: {0}, {1}").format(point.key, point.title)
            if point is not None
            else self.tr("{0} regions; the arrow keys move between them").format(len(self._points))
        )
