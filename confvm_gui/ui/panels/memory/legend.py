"""What the colours mean and who sees what, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QWidget

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import PageKind, Viewer
from confvm_gui.fleet.memory.page_statistics import LOOKS_RANDOM
from confvm_gui.ui.panels.memory import wording
from confvm_gui.ui.panels.memory.colours import GLOW_STEPS, ByteClass, Theme, css


class LegendTab(QScrollArea):
    """A page of text with samples of every colour."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._instance: Instance | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setAccessibleName(self.tr("Legend"))
        inside = QWidget(self)
        self._colours, self._views = QLabel(inside), QLabel(inside)
        layout = QHBoxLayout(inside)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(20)
        for label in (self._colours, self._views):
            label.setTextFormat(Qt.TextFormat.RichText)
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            layout.addWidget(label, 1)
        self.setWidget(inside)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._tell()

    def set_instance(self, instance: Instance | None) -> None:
        self._instance = instance
        self._tell()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tell()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        # A page of rich text is laid out anew at every change of style, seen or not: 90 ms of each change of theme.
        for label in (self._colours, self._views):
            label.clear()

    def _tell(self) -> None:
        if not self.isVisible():
            return
        theme = self._theme
        rows = [
            (self._sample(theme.kind_colour(kind), None, "4e 61"), wording.kind_label(kind), wording.kind_meaning(kind))
            for kind in PageKind
        ]
        rows += [
            (
                "".join(
                    f'<span style="background-color:{css(theme.bytes.inks[ByteClass.GLOW + step].paper)}">&nbsp;&nbsp;'
                    "</span>"
                    for step in range(GLOW_STEPS)
                ),
                self.tr("Changed"),
                self.tr("The byte has just changed; the glow fades within a second and a half."),
            ),
            (
                self._ink(ByteClass.DIFFERS),
                self.tr("Differs"),
                self.tr("Not what it was when the snapshot was taken."),
            ),
            (self._ink(ByteClass.FOUND), self.tr("Found"), self.tr("A place that the last search found.")),
        ]
        rows += [
            (
                self._ramp(theme.entropy.stops),
                self.tr("Entropy"),
                self.tr("On the map of entropy: from one value only to evenly spread."),
            ),
            (
                self._ramp(theme.change.stops),
                self.tr("Change"),
                self.tr("On the map of changes: from at rest to changed since the last look."),
            ),
        ]
        cells = "".join(
            f'<tr><td style="padding:1px 10px 1px 0"><tt>{sample}</tt></td>'
            f'<td style="padding:1px 10px 1px 0"><b>{label}</b></td>'
            f'<td style="padding:1px 0 1px 0">{meaning}</td></tr>'
            for sample, label, meaning in rows
        )
        entropy = self.tr(
            "Entropy counts how evenly byte values are spread: 0 bits per byte is one value only, text has 4 to 5, "
            "random bytes in a page of 4 KiB about 7.95. From {limit} on a page looks encrypted, but compressed data "
            "look the same: what a page is comes from the machine, never from this measure."
        ).format(limit=wording.decimal(LOOKS_RANDOM, 1))
        change = self.tr(
            "Ciphertext shows where the guest writes: the same plaintext at the same address always gives the same "
            "ciphertext, so unchanged cells are unchanged data. That is a known weakness of memory encryption, and "
            "the map of changes shows it."
        )
        views = ""
        if self._instance is not None:
            views = "".join(
                f"<p><b>{wording.headline(viewer)}.</b> {wording.note(viewer, self._instance)}</p>" for viewer in Viewer
            )
        self._colours.setText(f"<table>{cells}</table>")
        self._views.setText(f"{views}<p>{entropy}</p><p>{change}</p>")

    def _ramp(self, stops: Sequence[int]) -> str:
        return "".join(f'<span style="background-color:{css(stop)}">&nbsp;&nbsp;</span>' for stop in stops)

    def _ink(self, byte_class: ByteClass) -> str:
        ink = self._theme.ink(byte_class)
        return self._sample(ink.text, ink.paper, "4e 61")

    def _sample(self, text: int, paper: int | None, what: str) -> str:
        paper = self._theme.bytes.inks[0].paper if paper is None else paper
        return f'<span style="color:{css(text)};background-color:{css(paper)}">&nbsp;{what}&nbsp;</span>'
