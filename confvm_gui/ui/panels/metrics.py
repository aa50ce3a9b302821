"""What an instance uses, as plots over time.

pyqtgraph is loaded at the first look, in a thread, and the plots are made one in each turn of the event loop: the
window stays responsive meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.ports.provider import Capability
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.load_ahead import load
from confvm_gui.ui.panels.instance_panel import InstancePanel
from confvm_gui.ui.text import byte_size, count_text
from confvm_gui.ui.theme import UNIT, current_theme, theme_controller

if TYPE_CHECKING:
    from pyqtgraph import PlotDataItem, PlotWidget

_FRAME = 0.05
"""Seconds between the plots that are drawn one after the other."""
_MOST_POINTS = 600
"""Points drawn per plot; more samples are thinned evenly."""
_TICKS = {
    60: (1, "s", (15, 30, 45)),
    300: (60, "min", (1, 2, 3, 4)),
    3600: (60, "min", (15, 30, 45)),
    24 * 3600: (3600, "h", (6, 12, 18)),
}
"""By span in seconds: what the marks of the time axis count, and which are drawn."""
_AXES: tuple[Literal["left", "bottom"], ...] = ("left", "bottom")
_RANGES = tuple(_TICKS)


@dataclass
class _Plot:
    widget: PlotWidget
    curve: PlotDataItem
    figure: QLabel
    value: Callable[[Sample], float]
    words: Callable[[Sample], str]


class MetricsPanel(InstancePanel):
    """CPU, memory touched, console output and queries answered."""

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("metrics-panel")
        self._samples: deque[Sample] = deque(maxlen=24 * 3600)
        self._plots: list[_Plot] = []
        self._to_draw: list[_Plot] = []
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(round(_FRAME * 1000))
        self._frame.timeout.connect(self._draw_next)
        self.range = QComboBox()
        self.range.setAccessibleName(self.tr("Time span"))
        for seconds, text in zip(
            _RANGES,
            (self.tr("Last minute"), self.tr("Last 5 minutes"), self.tr("Last hour"), self.tr("Last day")),
            strict=True,
        ):
            self.range.addItem(text, seconds)
        self.range.setCurrentIndex(1)
        self.range.currentIndexChanged.connect(self._read_history)
        top = QHBoxLayout()
        top.addStretch(1)
        top.addWidget(self.range)
        self._grid = QGridLayout()
        self._grid.setSpacing(UNIT + 4)
        plots = QWidget()
        inner = QVBoxLayout(plots)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(top)
        inner.addLayout(self._grid, 1)
        self._plots_page = plots
        self._empty = EmptyState("metrics", self.tr("Loading …"), "")
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(plots)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT + 4, 0, UNIT)
        rows.addWidget(self._stack)
        self.subscriptions.add(session.metrics.changes, self._samples_came)
        theme_controller().changed.connect(self._put_theme)

    def show_instance(self, instance: Instance | None) -> None:
        self.tasks.cancel("history")
        self._samples.clear()
        self._draw()
        if instance is not None and self.isVisible():
            self._begin()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._begin()

    def _begin(self) -> None:
        instance = self.instance()
        if instance is None:
            return
        reason = self.session.providers[instance.provider].reason_unsupported(Capability.METRICS)
        if reason:
            self._empty.set_texts(self.tr("No metrics"), reason)
            self._stack.setCurrentWidget(self._empty)
            return
        if not self._plots and not self.tasks.is_running("plots"):
            self.tasks.start("plots", self._make_plots(), on_done=lambda _: self._read_history())
        elif self._plots:
            self._read_history()

    # Plots

    async def _make_plots(self) -> None:
        await load("pyqtgraph")
        self._stack.setCurrentWidget(self._plots_page)
        for at, (title, value, words) in enumerate(
            (
                (self.tr("CPU"), _cpu, _cpu_words),
                (self.tr("Memory touched"), _memory, _memory_words),
                (self.tr("Console output"), _console, _console_words),
                (self.tr("Queries answered"), _queries, _queries_words),
            )
        ):
            plot = self._make_plot(title, value, words, at)
            self._dress(plot)
            self._plots.append(plot)
            await asyncio.sleep(_FRAME)  # each is painted before the next is made

    def _make_plot(
        self, title: str, value: Callable[[Sample], float], words: Callable[[Sample], str], at: int
    ) -> _Plot:
        from pyqtgraph import PlotWidget

        card = QFrame()
        card.setProperty("kind", "card")
        name = QLabel(title)
        name.setProperty("kind", "muted")
        figure = QLabel("–")
        figure.setProperty("kind", "heading")
        head = QHBoxLayout()
        head.addWidget(name, 1)
        head.addWidget(figure)
        widget = PlotWidget()
        widget.setAccessibleName(title)
        widget.setMenuEnabled(False)
        widget.setMouseEnabled(x=False, y=False)
        widget.hideButtons()
        widget.setMinimumHeight(80)
        widget.getPlotItem().showGrid(x=False, y=True, alpha=0.15)
        curve = widget.plot([], [])
        rows = QVBoxLayout(card)
        rows.setContentsMargins(UNIT * 2, UNIT + 4, UNIT * 2, UNIT + 4)
        rows.addLayout(head)
        rows.addWidget(widget, 1)
        self._grid.addWidget(card, at // 2, at % 2)
        return _Plot(widget, curve, figure, value, words)

    def _put_theme(self) -> None:
        for plot in self._plots:
            self._dress(plot)

    @staticmethod
    def _dress(plot: _Plot) -> None:
        from pyqtgraph import mkPen

        theme = current_theme()
        fill = theme.color("accent")
        fill.setAlpha(40)
        plot.widget.setBackground(theme.color("surface"))
        for side in _AXES:
            axis = plot.widget.getAxis(side)
            axis.setPen(mkPen(theme.color("border")))
            axis.setTextPen(mkPen(theme.color("muted")))
        plot.curve.setPen(mkPen(theme.color("accent"), width=2))
        plot.curve.setFillLevel(0)
        plot.curve.setBrush(fill)

    # Data

    def _read_history(self) -> None:
        if self._plots and self.instance_id:
            seconds = self._seconds()
            history = self.session.metrics.history(self.instance_id, seconds)
            self.tasks.start("history", history, on_done=self._put_history)

    def _seconds(self) -> int:
        chosen = self.range.currentData()
        return chosen if isinstance(chosen, int) else _RANGES[0]

    def _put_history(self, samples: Sequence[Sample]) -> None:
        newest = samples[-1].at if samples else 0.0
        later = [sample for sample in self._samples if sample.at > newest]
        self._samples.clear()
        self._samples.extend(sorted([*samples, *later], key=lambda sample: sample.at))
        self._draw()

    @staticmethod
    def _ticks(span: int) -> list[tuple[float, str]]:
        unit, name, steps = _TICKS[span]
        return [(-step * unit, f"−{step} {name}") for step in steps]

    def _samples_came(self, samples: Sequence[Sample]) -> None:
        for sample in samples:
            if sample.instance_id == self.instance_id:
                self._samples.append(sample)
                if self.isVisible() and self._plots:
                    self._draw()

    def _draw(self) -> None:
        """Put new data on all plots, one in each frame: all four in one frame take too long to paint."""
        self._to_draw = list(self._plots)
        self._draw_next()

    def _draw_next(self) -> None:
        if not self._to_draw:
            return
        plot = self._to_draw.pop(0)
        now = time.time()
        span = self._seconds()
        shown = [sample for sample in self._samples if sample.at >= now - span]
        drawn = shown[:: max(1, len(shown) // _MOST_POINTS)]
        values = [plot.value(sample) for sample in drawn]
        plot.curve.setData([sample.at - now for sample in drawn], values)
        plot.widget.setXRange(-span, 0, padding=0)
        plot.widget.getAxis("bottom").setTicks([self._ticks(span)])
        plot.widget.setYRange(0, max(max(values, default=0.0) * 1.15, 1.0), padding=0)
        plot.figure.setText(plot.words(drawn[-1]) if drawn else "–")
        if self._to_draw:
            self._frame.start()


def _cpu(sample: Sample) -> float:
    return sample.cpu * 100


def _cpu_words(sample: Sample) -> str:
    return f"{sample.cpu:.0%}"


def _memory(sample: Sample) -> float:
    return sample.memory_bytes / 1048576


def _memory_words(sample: Sample) -> str:
    return byte_size(sample.memory_bytes)


def _console(sample: Sample) -> float:
    return sample.console_bytes / 1024


def _console_words(sample: Sample) -> str:
    return byte_size(sample.console_bytes)


def _queries(sample: Sample) -> float:
    return float(sample.queries)


def _queries_words(sample: Sample) -> str:
    return count_text(sample.queries)
