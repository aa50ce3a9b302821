"""The program's icon in the sizes and formats that desktops ask for, drawn from its one SVG by Qt."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SIZES: Final = (16, 22, 24, 32, 48, 64, 96, 128, 256, 512)
"""Those of the hicolor theme, in pixels."""
_ICO_SIZE: Final = 256  # what the format can hold
_ICNS_SIZE: Final = 512


def write_hicolor(svg: Path, name: str, theme: Path) -> None:
    """Fill `theme` (…/share/icons/hicolor) with PNGs of all sizes and the SVG itself, called `name`."""
    for size in SIZES:
        folder = theme / f"{size}x{size}" / "apps"
        folder.mkdir(parents=True, exist_ok=True)
        _save(_drawn(svg, size), folder / f"{name}.png")
    folder = theme / "scalable" / "apps"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_bytes(svg.read_bytes())


def write_ico(svg: Path, target: Path) -> None:
    """For Windows."""
    _save(_drawn(svg, _ICO_SIZE), target)


def write_icns(svg: Path, target: Path) -> None:
    """For macOS."""
    _save(_drawn(svg, _ICNS_SIZE), target)


def _drawn(svg: Path, size: int) -> QImage:
    if QGuiApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        vars(_drawn)["application"] = QGuiApplication(["icons"])  # lives as long as this process
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(str(svg)).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return image


def _save(image: QImage, target: Path) -> None:
    if not image.save(str(target)):
        raise OSError(f"{target} could not be written: this Qt does not write {target.suffix} files")
