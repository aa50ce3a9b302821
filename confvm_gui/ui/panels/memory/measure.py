"""How long one picture of a full-screen memory panel takes, against a painter that calls `drawText` per byte.

For `confvm bench`. The real panel is measured: reading both views, comparing with what was read before, composing and
painting. The reference paints the same bytes, in the same colours, and does nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QPointF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, MemoryRegion, PageKind, Viewer
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.memory.session_access import ObservedChange
from confvm_gui.ui.panels.memory.colours import Theme
from confvm_gui.ui.panels.memory.panel import MemoryPanel

WIDTH, HEIGHT = 1920, 1080
"""Device-independent pixels of the panel."""
_RAM = 64 << 20
"""Bytes."""
_CHANGES = 1.0 / 16
"""Share of the bytes in view that differ from one picture to the next: far more than a real guest changes."""


@dataclass(frozen=True, slots=True)
class RepaintFigures:
    """Milliseconds, medians."""

    panel: float
    """One picture of the whole panel, reading and comparing included."""
    draw_text: float
    """The reference: the same bytes painted with one `drawText` for each of their two forms."""
    rows: int
    """Rows of bytes in each of the two views."""
    bytes_per_row: int
    rounds: int

    @property
    def ratio(self) -> float:
        """Below 1: the panel is faster than the reference."""
        return self.panel / self.draw_text


async def measure_repaint(
    rounds: int = 100, source_of: Callable[[Viewer], MemorySource] | None = None
) -> RepaintFigures:
    """Paint `rounds` pictures of a panel of WIDTH x HEIGHT over RAM that changes in between, and of the reference.

    `source_of`: whose RAM; by default RAM in this process, encrypted for no one. Needs a QApplication; the loop may be
    any, nothing is left running.
    """
    session = _Session(source_of)
    panel = MemoryPanel(session, live=False)
    reference = _DrawTextPanel(panel)
    try:
        panel.resize(WIDTH, HEIGHT)
        panel.tabs.hide()  # as many rows as the screen has room for
        panel.show()
        QCoreApplication.processEvents()
        panel.set_instance(session.instance.id)
        panel.go_to(_RAM // 2)
        QCoreApplication.processEvents()
        await panel.refresh_now()
        QCoreApplication.processEvents()
        times: list[float] = []
        for _ in range(rounds):
            session.change(panel.position.top * panel.position.bytes_per_row)
            began = time.perf_counter()
            await panel.refresh_now()
            QCoreApplication.processEvents()
            times.append(time.perf_counter() - began)
        rows, per_row = panel.position.visible_rows, panel.position.bytes_per_row
        reference.show_window()
        slow: list[float] = []
        for _ in range(max(3, rounds // 5)):
            began = time.perf_counter()
            reference.repaint()
            slow.append(time.perf_counter() - began)
        return RepaintFigures(median(times) * 1e3, median(slow) * 1e3, rows, per_row, rounds)
    finally:
        reference.close()
        reference.deleteLater()
        await panel.aclose()
        panel.close()
        panel.deleteLater()


class _DrawTextPanel(QWidget):
    """The same views, painted as most hex viewers do it."""

    def __init__(self, panel: MemoryPanel) -> None:
        super().__init__()
        self._panel = panel
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_window(self) -> None:
        self.resize(WIDTH, HEIGHT)
        self.show()
        QCoreApplication.processEvents()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        position, theme = self._panel.position, self._panel.theme
        view = self._panel.panes[0].view
        painter.setFont(view.font_of_bytes)
        metrics = QFontMetricsF(view.font_of_bytes)
        painter.fillRect(self.rect(), QColor.fromRgb(theme.bytes.inks[0].paper))
        for column, pane in enumerate(self._panel.panes):
            data = pane.window_bytes()
            if data is not None:
                self._paint(painter, data.tobytes(), position.bytes_per_row, column * WIDTH / 2, metrics, theme)
        painter.end()

    def _paint(
        self, painter: QPainter, data: bytes, per_row: int, left: float, metrics: QFontMetricsF, theme: Theme
    ) -> None:
        width, height = metrics.horizontalAdvance("0"), metrics.height() + 2
        inks = [QColor.fromRgb(ink.text) for ink in theme.bytes.inks]
        for row in range(len(data) // per_row):
            baseline = row * height + metrics.ascent()
            painter.setPen(inks[1])
            painter.drawText(QPointF(left, baseline), f"{row * per_row:08x}")
            for index, byte in enumerate(data[row * per_row : (row + 1) * per_row]):
                painter.setPen(inks[3 + (byte & 1)])
                painter.drawText(QPointF(left + (10 + 3 * index) * width, baseline), f"{byte:02x}")
                character = chr(byte) if 0x20 <= byte < 0x7F else "·"
                painter.drawText(QPointF(left + (12 + 3 * per_row + index) * width, baseline), character)


class _Ram:
    """RAM in this process, the same for both viewers but for its kind."""

    granularity = PAGE_SIZE
    best_length = 1 << 20

    def __init__(self, viewer: Viewer, ram: NDArray[np.uint8]) -> None:
        self.viewer = viewer
        self._ram = ram
        self._kind = bytes([PageKind.PLAINTEXT if viewer is Viewer.GUEST else PageKind.CIPHERTEXT])

    def regions(self) -> Sequence[MemoryRegion]:
        return [MemoryRegion(0, self._ram.size)]

    async def read(self, gpa: int, length: int) -> MemoryChunk:
        return MemoryChunk(
            gpa, self._ram[gpa : gpa + length].tobytes(), self._kind * (length // PAGE_SIZE), self.viewer
        )


class _NoSettings:
    def get(self, key: str, default: object) -> object:
        return default

    def put(self, key: str, value: object) -> None: ...


class _Session:
    """The least of a session that a panel needs: one instance, no settings, no log."""

    def __init__(self, source_of: Callable[[Viewer], MemorySource] | None) -> None:
        self.instance = Instance(
            id="measured",
            name="measured",
            provider="measure",
            cloud="",
            region="",
            zone="",
            machine_type="",
            image="",
            technology=Technology.SEV,
            state=InstanceState.RUNNING,
            vcpus=1,
            memory_mib=_RAM >> 20,
            created_at=0.0,
            emulated=True,
        )
        self._source_of = source_of
        self._random = np.random.default_rng(7)
        self._ram: NDArray[np.uint8] = np.zeros(_RAM if source_of is None else 0, dtype=np.uint8)

    def change(self, offset: int) -> None:
        """Change some of the bytes around `offset`."""
        if self._ram.size:
            part = self._ram[offset : offset + 2 * PAGE_SIZE]
            places = self._random.integers(0, part.size, int(part.size * _CHANGES))
            part[places] = self._random.integers(0, 256, places.size, dtype=np.uint8)

    def memory(self, instance_id: str, viewer: Viewer) -> MemorySource:
        return _Ram(viewer, self._ram) if self._source_of is None else self._source_of(viewer)

    @property
    def inventory(self) -> _Session:
        return self

    @property
    def changes(self) -> _Session:
        return self

    @property
    def settings(self) -> _NoSettings:
        return _NoSettings()

    @property
    def events(self) -> _Session:
        return self

    def subscribe(self, callback: Callable[[ObservedChange], None], /) -> Callable[[], None]:
        return lambda: None

    def get(self, instance_id: str, /) -> Instance:
        return self.instance

    def record(
        self,
        action: str,
        message: str,
        *,
        subject: str = "",
        severity: Severity = Severity.INFO,
        actor: str | None = None,
        detail: object = None,
    ) -> None: ...
