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

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGraphicsItem,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.ports.provider import Capability
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.load_ahead import load
from confvm_gui.ui.panels.instance_panel import InstancePanel
from confvm_gui.ui.text import byte_size, count_text
from confvm_gui.ui.theme import UNIT, current_theme, theme_controller
from confvm_gui.ui.widgets.elided_label import ElidedLabel

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
_NARROW = 240
"""Pixels under which the words of all marks do not fit."""
_AXES: tuple[Literal["left", "bottom"], ...] = ("left", "bottom")
_RANGES = tuple(_TICKS)


_Values = Callable[[Sequence[Sample]], list[float]]


@dataclass
class _Plot:
    title: str
    card: QFrame
    widget: PlotWidget
    curves: tuple[PlotDataItem, ...]
    figure: QLabel
    values: tuple[_Values, ...]
    words: Callable[[Sequence[Sample]], str]
    measured: Callable[[Sample], int]
    """0 in all samples where the provider has no such figure."""
    cell: int = -1
    """Where in the grid it stands, -1 while it does not."""


class MetricsPanel(InstancePanel):
    """CPU, memory, disk, network, console output and queries, as far as the provider measures them."""

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
        self.absent = ElidedLabel()
        self.absent.setObjectName("metrics-absent")
        self.absent.setProperty("kind", "muted")
        top.addWidget(self.absent, 1)
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
        read, written = self.tr("read"), self.tr("written")
        received, sent = self.tr("received"), self.tr("sent")

        def everywhere(_sample: Sample) -> int:
            return 1

        def two(first: str, one: _Values, second: str, other: _Values) -> Callable[[Sequence[Sample]], str]:
            def words(samples: Sequence[Sample]) -> str:
                return f"{first} {_rate_words(one(samples))} · {second} {_rate_words(other(samples))}"

            return words

        made: list[_Plot] = []
        for title, values, words, measured in (
            (self.tr("CPU"), (_cpu,), lambda samples: f"{samples[-1].cpu:.0%}", everywhere),
            (self.tr("Memory touched"), (_memory,), lambda samples: byte_size(samples[-1].memory_bytes), everywhere),
            (
                self.tr("Disk"),
                (_disk_read, _disk_written),
                two(read, _disk_read, written, _disk_written),
                lambda sample: sample.disk_read_bytes | sample.disk_write_bytes,
            ),
            (
                self.tr("Network"),
                (_received, _sent),
                two(received, _received, sent, _sent),
                lambda sample: sample.net_rx_bytes | sample.net_tx_bytes,
            ),
            (
                self.tr("Console output"),
                (_console,),
                lambda samples: byte_size(samples[-1].console_bytes),
                lambda sample: sample.console_bytes,
            ),
            (
                self.tr("Queries answered"),
                (_queries,),
                lambda samples: count_text(samples[-1].queries),
                lambda sample: sample.queries,
            ),
        ):
            plot = self._make_plot(title, values, words, measured)
            self._dress(plot)
            made.append(plot)
            await asyncio.sleep(0)
        # All at once, once the first figures say which are shown: another plot in the grid gives those before it
        # another size, and all of them would be painted anew for each.
        self._plots = made

    def _make_plot(
        self,
        title: str,
        values: tuple[_Values, ...],
        words: Callable[[Sequence[Sample]], str],
        measured: Callable[[Sample], int],
    ) -> _Plot:
        from pyqtgraph import PlotWidget

        card = QFrame()
        card.setProperty("kind", "card")
        # One figure is always shown whole; of two, what does not fit is in the tooltip.
        name = ElidedLabel(title) if len(values) == 1 else QLabel(title)
        name.setProperty("kind", "muted")
        figure = QLabel("–") if len(values) == 1 else ElidedLabel("–")
        figure.setProperty("kind", "heading")
        figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        head = QHBoxLayout()
        head.addWidget(name, int(len(values) == 1))
        head.addWidget(figure, int(len(values) > 1))
        widget = PlotWidget()
        widget.setAccessibleName(title)
        widget.setMenuEnabled(False)
        widget.setMouseEnabled(x=False, y=False)
        widget.hideButtons()
        widget.setMinimumHeight(80)
        widget.getPlotItem().showGrid(x=False, y=True, alpha=0.15)
        for side in _AXES:
            # Most of a plot's time is the text of its axes, which seldom changes.
            widget.getAxis(side).setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        curves = tuple(widget.plot([], []) for _ in values)
        rows = QVBoxLayout(card)
        rows.setContentsMargins(UNIT * 2, UNIT + 4, UNIT * 2, UNIT + 4)
        rows.addLayout(head)
        rows.addWidget(widget, 1)
        # Its place is kept until it is first drawn: the others would be painted anew for another size.
        policy = card.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        card.setSizePolicy(policy)
        card.hide()
        return _Plot(title, card, widget, curves, figure, values, words, measured)

    def _arrange(self) -> None:
        """Give the plots that have anything to show a place, and name the others."""
        absent: list[str] = []
        cell = 0
        for plot in self._plots:
            if any(plot.measured(sample) for sample in self._samples) or plot.measured is self._plots[0].measured:
                if plot.cell != cell:
                    plot.cell = cell
                    self._grid.addWidget(plot.card, cell // 2, cell % 2)
                cell += 1
            else:
                absent.append(plot.title)
                plot.cell = -1
                self._grid.removeWidget(plot.card)
                plot.card.hide()
        text = self.tr("Not shown, because nothing was measured in this time: {names}")
        self.absent.setText(text.format(names=", ".join(absent)) if absent else "")

    def _put_theme(self) -> None:
        for plot in self._plots:
            self._dress(plot)

    @staticmethod
    def _dress(plot: _Plot) -> None:
        from pyqtgraph import mkPen

        theme = current_theme()
        plot.widget.setBackground(theme.color("surface"))
        for side in _AXES:
            axis = plot.widget.getAxis(side)
            axis.setPen(mkPen(theme.color("border")))
            axis.setTextPen(mkPen(theme.color("muted")))
        for curve, role, dashed in zip(plot.curves, ("accent", "warning"), (False, True), strict=False):
            # Told apart by more than their colour: the second is dashed and has no fill.
            curve.setPen(mkPen(theme.color(role), width=2, style=Qt.PenStyle.DashLine if dashed else None))
            if not dashed:
                fill = theme.color(role)
                fill.setAlpha(40)
                curve.setFillLevel(0)
                curve.setBrush(fill)

    # Data

    def _read_history(self) -> None:
        if self._plots and self.instance_id:
            self._stack.setCurrentWidget(self._plots_page)
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
        self._arrange()
        self._to_draw = [plot for plot in self._plots if plot.cell >= 0]
        self._draw_next()

    def _draw_next(self) -> None:
        if not self._to_draw:
            return
        plot = self._to_draw.pop(0)
        plot.card.show()
        now = time.time()
        span = self._seconds()
        shown = [sample for sample in self._samples if sample.at >= now - span]
        drawn = shown[:: max(1, len(shown) // _MOST_POINTS)]
        highest = 0.0
        times = [sample.at - now for sample in drawn]
        for curve, of in zip(plot.curves, plot.values, strict=True):
            values = of(drawn)
            curve.setData(times, values)
            highest = max(highest, *values) if values else highest
        plot.widget.setXRange(-span, 0, padding=0)
        ticks = self._ticks(span)
        plot.widget.getAxis("bottom").setTicks([ticks if plot.widget.width() > _NARROW else ticks[1::2]])
        plot.widget.setYRange(0, max(highest * 1.15, 1.0), padding=0)
        plot.figure.setText(plot.words(shown[-2:]) if shown else "–")
        if self._to_draw:
            self._frame.start()


def _cpu(samples: Sequence[Sample]) -> list[float]:
    return [sample.cpu * 100 for sample in samples]


def _memory(samples: Sequence[Sample]) -> list[float]:
    return [sample.memory_bytes / 1048576 for sample in samples]


def _console(samples: Sequence[Sample]) -> list[float]:
    return [sample.console_bytes / 1024 for sample in samples]


def _queries(samples: Sequence[Sample]) -> list[float]:
    return [float(sample.queries) for sample in samples]


def _disk_read(samples: Sequence[Sample]) -> list[float]:
    return _rates(samples, [sample.disk_read_bytes for sample in samples])


def _disk_written(samples: Sequence[Sample]) -> list[float]:
    return _rates(samples, [sample.disk_write_bytes for sample in samples])


def _received(samples: Sequence[Sample]) -> list[float]:
    return _rates(samples, [sample.net_rx_bytes for sample in samples])


def _sent(samples: Sequence[Sample]) -> list[float]:
    return _rates(samples, [sample.net_tx_bytes for sample in samples])


def _rates(samples: Sequence[Sample], counts: Sequence[int]) -> list[float]:
    """KiB per second since the sample before; a counter that went back was started again."""
    rates = [0.0] if samples else []
    for before, after, low, high in zip(samples, samples[1:], counts, counts[1:], strict=False):
        seconds = after.at - before.at
        rates.append(max(0, high - low) / 1024 / seconds if seconds > 0 else 0.0)
    return rates


def _rate_words(rates: Sequence[float]) -> str:
    """The last of the rates."""
    return f"{byte_size(rates[-1] * 1024)}/s"
