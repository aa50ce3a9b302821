"""Evidence files can be dropped anywhere on the window: a hint over all of it says so while they are held there."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFont,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from confvm_gui.ui.icons import role_pixmap
from confvm_gui.ui.theme import current_theme, interface_font

_MOST_FILES = 64


def dropped_files(data: QMimeData) -> list[Path]:
    """The local files of a drag; what is elsewhere is not fetched."""
    urls = data.urls() if data.hasUrls() else []
    return [Path(url.toLocalFile()) for url in urls[:_MOST_FILES] if url.isLocalFile()]


class DropHint(QWidget):
    """Covers the window while files are held over it, so that no field below takes them for text."""

    dropped = Signal(list)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("drop-hint")
        self.setAcceptDrops(True)
        self.setAccessibleName(self._words())
        self.held = False
        """Whether the drag is over the hint itself."""
        self.hide()

    def _words(self) -> str:
        return self.tr("Drop evidence to verify it")

    def cover(self) -> None:
        """Show it over everything."""
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event.mimeData()):
            self.held = True
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.held = False
        self.hide()

    def hide_unless_held(self) -> None:
        """The drag has left the window: to the hint, or for good."""
        if not self.held:
            self.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        files = dropped_files(event.mimeData())
        self.held = False
        self.hide()
        if files:
            event.acceptProposedAction()
            self.dropped.emit(files)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = theme.color("window")
        ground.setAlphaF(0.88)
        painter.fillRect(self.rect(), ground)
        frame = QRectF(self.rect()).adjusted(18, 18, -18, -18)
        painter.setPen(QPen(theme.color("accent"), 3, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame, 16, 16)
        middle = self.rect().center()
        picture = role_pixmap("evidence", "accent", 64, self.devicePixelRatioF())
        painter.drawPixmap(middle.x() - 32, middle.y() - 84, picture)
        large = QFont(interface_font())
        large.setPointSizeF(large.pointSizeF() * 1.6)
        large.setWeight(QFont.Weight.DemiBold)
        painter.setFont(large)
        painter.setPen(theme.color("text"))
        line = QFontMetrics(large).height()
        room = self.rect().adjusted(32, middle.y() - 8, -32, 0)
        top = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(room, top, self._words())
        painter.setFont(interface_font())
        painter.setPen(theme.color("muted"))
        more = self.tr("A report, quote, event log or bundle; certificates and a reference file may come along.")
        painter.drawText(room.adjusted(0, line + 10, 0, 0), top, more)
        painter.end()


class EvidenceDrop(QObject):
    """Makes a window take files: shows the hint when a drag enters, and emits what was dropped."""

    dropped = Signal(list)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.hint: DropHint | None = None
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self._window:
            return False
        if isinstance(event, QDragEnterEvent) and event.type() == QEvent.Type.DragEnter:
            if not dropped_files(event.mimeData()):
                return False
            if self.hint is None:
                self.hint = DropHint(self._window)
                self.hint.dropped.connect(self.dropped)
            self.hint.cover()
            event.acceptProposedAction()
            return True
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            # Dropped before the hint was below the pointer.
            if self.hint is not None:
                self.hint.dropEvent(event)
            return True
        if event.type() == QEvent.Type.DragLeave and self.hint is not None:
            # Qt says that the window is left before it says that the hint is entered.
            QTimer.singleShot(0, self.hint, self.hint.hide_unless_held)
        if event.type() == QEvent.Type.Resize and self.hint is not None and self.hint.isVisible():
            self.hint.cover()
        return False
