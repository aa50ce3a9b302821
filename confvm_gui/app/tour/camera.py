"""Pictures of the window, numbered, written beside the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from confvm_gui.domain.errors import StoreError

_VEIL = QColor(0, 0, 0, 90)
"""Over the window while a dialog stands before it, so that a picture shows what is in front."""


class Camera:
    """Takes pictures of one window into one folder."""

    def __init__(self, folder: Path, window: QWidget) -> None:
        self._folder = folder
        self._window = window
        self.pictures: list[str] = []

    async def take(self, title: str, dialog: QWidget | None = None) -> None:
        """Write `NN-title.png`, of the window or of `dialog` standing before it. Raises StoreError."""
        image = self._window.grab().toImage()
        if dialog is not None:
            # Two paints, with events between them: one of both would hold up the event loop longer.
            await asyncio.sleep(0)
            image = self._with_dialog(image, dialog)
        name = f"{len(self.pictures) + 1:02}-{title}.png"
        self.pictures.append(name)
        path = self._folder / name
        if not await asyncio.to_thread(_save, image, path):
            raise StoreError(f"The picture {path} cannot be written")

    def _with_dialog(self, image: QImage, dialog: QWidget) -> QImage:
        front = dialog.grab().toImage()
        ratio = image.devicePixelRatio()
        place = QPoint(
            round((image.width() / ratio - dialog.width()) / 2), round((image.height() / ratio - dialog.height()) / 2)
        )
        painter = QPainter(image)
        painter.fillRect(0, 0, image.width(), image.height(), _VEIL)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawImage(place, front)
        painter.end()
        return image


def _save(image: QImage, path: Path) -> bool:
    # The fastest of zlib's compressions: most of a picture's time otherwise.
    return image.save(str(path), quality=60)
