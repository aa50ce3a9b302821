"""One viewer's column of the memory panel: headline, bytes, inspector, and the reads that feed them."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStackedWidget, QWidget

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import PAGE_SIZE, PageKind, Viewer
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.memory.address_space import AddressSpace
from confvm_gui.fleet.memory.page_statistics import page_entropies
from confvm_gui.fleet.memory.search import Hit
from confvm_gui.fleet.memory.snapshot import Snapshot
from confvm_gui.fleet.memory.sweep import PageSweep
from confvm_gui.fleet.memory.watch import MemoryWatch, WatchedPage, Window
from confvm_gui.ui.panels.memory import wording
from confvm_gui.ui.panels.memory.colours import (
    CLASS_OF_KIND,
    GLOW_SECONDS,
    GLOW_STEPS,
    ByteClass,
    Theme,
    css,
    show_kind,
)
from confvm_gui.ui.widgets.elided_label import ElidedLabel
from confvm_gui.ui.widgets.hex_image import HexRows
from confvm_gui.ui.widgets.hex_position import HexPosition
from confvm_gui.ui.widgets.hex_view import HexView

_CLASSES = np.zeros(256, dtype=np.uint8)
for _kind, _class in CLASS_OF_KIND.items():
    _CLASSES[_kind] = _class


class MemoryPane(QObject):
    """The widgets of one column, for the panel to place in its grid so that both columns stay level."""

    refreshed = Signal()
    """New bytes are shown."""
    copy_requested = Signal(object)
    """Viewer whose selection the user wants to copy."""
    menu_requested = Signal(object, QPoint)
    """Viewer and global point of a context menu."""

    def __init__(self, viewer: Viewer, position: HexPosition, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.watch: MemoryWatch | None = None
        self.sweep: PageSweep | None = None
        self.instance: Instance | None = None
        self._position = position
        self._theme = theme
        self._window: Window | None = None
        self._hits: list[tuple[int, Hit]] = []
        self._visible_kinds: tuple[PageKind, ...] = ()

        self.heading = QWidget(parent)
        row = QHBoxLayout(self.heading)
        row.setContentsMargins(0, 0, 0, 0)
        self._headline = ElidedLabel(wording.headline(viewer), self.heading)
        bold = QFont(self._headline.font())
        bold.setBold(True)
        bold.setPointSizeF(bold.pointSizeF() * 1.15)
        self._headline.setFont(bold)
        self._headline.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._badges = QLabel(self.heading)
        self._badges.setTextFormat(Qt.TextFormat.RichText)
        self._badges.setObjectName(f"memory-{viewer.value}-kinds")
        row.addWidget(self._headline, 1)
        row.addWidget(self._badges)
        self.note = QLabel(parent)
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

        self.view = HexView(position, theme.bytes, parent)
        self.view.setObjectName(f"memory-{viewer.value}-bytes")
        self.view.setAccessibleName(wording.headline(viewer))
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(
            lambda point: self.menu_requested.emit(self.viewer, self.view.mapToGlobal(point))
        )
        self.view.copy_requested.connect(lambda: self.copy_requested.emit(self.viewer))
        self._absent = QLabel(parent)
        self._absent.setWordWrap(True)
        self._absent.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._absent.setTextFormat(Qt.TextFormat.PlainText)
        self.body = QStackedWidget(parent)
        self.body.addWidget(self.view)
        self.body.addWidget(self._absent)

        self.inspector = QWidget(parent)
        self._where = ElidedLabel("", self.inspector)
        self._values = ElidedLabel("", self.inspector)
        for label in (self._where, self._values):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._where.setObjectName(f"memory-{viewer.value}-where")
        self._values.setObjectName(f"memory-{viewer.value}-values")
        self.set_theme(theme)
        position.cursor_moved.connect(self.show_cursor)

    @property
    def widgets(self) -> tuple[QWidget, ...]:
        """From top to bottom: heading, note, bytes, the two lines of the inspector."""
        return self.heading, self.note, self.body, *self.labels

    @property
    def labels(self) -> tuple[ElidedLabel, ElidedLabel]:
        """The two lines of the inspector: where the cursor is, and the values there."""
        return self._where, self._values

    # --- what it looks at ---

    def open(self, instance: Instance, source: MemorySource) -> None:
        """Look at `source` from now on."""
        self.instance = instance
        self.watch = MemoryWatch(source)
        self.sweep = PageSweep(source)
        self._window, self._hits = None, []
        self.note.setText(wording.note(self.viewer, instance))
        self.body.setCurrentWidget(self.view)
        for label in self.labels:
            label.show()
        self._badges.show()

    def close(self, instance: Instance | None = None, reason: str = "") -> None:
        """Look at nothing, and say why."""
        self.instance, self.watch, self.sweep = None, None, None
        self._window, self._hits = None, []
        self.view.clear()
        self.note.setText(wording.note(self.viewer, instance) if instance is not None and not reason else "")
        self._absent.setText(reason)
        self.body.setCurrentWidget(self._absent)
        for label in self.labels:
            label.setText("")
        self._badges.setText("")

    @property
    def space(self) -> AddressSpace | None:
        return None if self.watch is None else self.watch.space

    def set_snapshot(self, snapshot: Snapshot | None) -> None:
        if self.watch is not None:
            self.watch.snapshot = snapshot

    def set_hits(self, hits: tuple[Hit, ...]) -> None:
        """Mark these places wherever they are in view and still hold what was found."""
        space = self.space
        self._hits = [] if space is None else sorted(((space.offset(hit.gpa), hit) for hit in hits), key=lambda h: h[0])
        if self._window is not None:
            self._show(self._window)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.view.set_palette_of_bytes(theme.bytes)
        for label in (self.note, self._absent, *self.labels):
            show_kind(label, "muted")
        self._visible_kinds = ()
        if self._window is not None:
            self._show(self._window)

    # --- reading ---

    async def refresh(self) -> None:
        """Read what is in view, and the cursor's page, and show it. Raises what the source raises."""
        watch, position = self.watch, self._position
        if watch is None:
            return
        per_row = position.bytes_per_row
        window = await watch.refresh(position.top * per_row, (position.visible_rows + 1) * per_row, (position.cursor,))
        if watch is not self.watch:
            return
        if (position.top * per_row, position.bytes_per_row) != (window.offset, per_row):
            return  # scrolled or rewrapped meanwhile: the next read is already due
        self._window = window
        self._show(window)
        self.show_cursor()
        self.refreshed.emit()

    def _show(self, window: Window) -> None:
        per_row = self._position.bytes_per_row
        space = self.space
        if space is None or window.data.size == 0 or window.data.size % per_row:
            return
        rows = window.data.size // per_row
        offsets = window.offset + np.arange(rows, dtype=np.uint64) * np.uint64(per_row)
        addresses = offsets.copy()
        rules: list[int] = []
        for part in space.parts(window.offset, window.data.size):
            inside = (offsets >= part.offset) & (offsets < part.offset + part.length)
            # Unsigned arithmetic wraps, so adding works for a base below as well as above.
            addresses[inside] += np.uint64((part.gpa - part.offset) % 2**64)
        page_starts = np.flatnonzero(addresses % np.uint64(PAGE_SIZE) == 0)
        rules.extend(int(row) for row in page_starts if row > 0)
        shape = (rows, per_row)
        unreadable = window.kinds == PageKind.UNREADABLE
        self.view.set_rows(
            HexRows(
                addresses,
                window.data.reshape(shape),
                self._classes(window).reshape(shape),
                unreadable.reshape(shape) if unreadable.any() else None,
                tuple(rules),
            )
        )
        self._show_kinds(window)

    def _classes(self, window: Window) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """The colour class of each byte; what is listed later covers what is listed earlier."""
        classes = _CLASSES[window.kinds]
        dim = (window.data == 0) & ((classes == ByteClass.PLAINTEXT) | (classes == ByteClass.SHARED))
        classes[dim] = ByteClass.ZERO
        glowing = window.ages < GLOW_SECONDS
        if glowing.any():
            steps = (window.ages[glowing] / GLOW_SECONDS * GLOW_STEPS).astype(np.uint8)
            classes[glowing] = ByteClass.GLOW + np.minimum(steps, GLOW_STEPS - 1)
        if window.differs is not None:
            # Above the glow: where a guest writes all the time, the difference would never be seen otherwise.
            classes[window.differs] = ByteClass.DIFFERS
        end = window.offset + window.data.size
        index = bisect_left(self._hits, window.offset - 2048, key=lambda entry: entry[0])
        while index < len(self._hits) and self._hits[index][0] < end:
            offset, hit = self._hits[index]
            index += 1
            first, last = offset - window.offset, offset - window.offset + len(hit.pattern.data)
            seen = window.data[max(0, first) : max(0, last)].tobytes()
            if seen and seen == hit.pattern.data[max(0, -first) : max(0, -first) + len(seen)]:
                classes[max(0, first) : last] = ByteClass.FOUND
        return classes

    def _show_kinds(self, window: Window) -> None:
        # Not np.unique, which imports numpy.ma at its first use: 60 ms in the middle of a look.
        kinds = tuple(PageKind(kind) for kind in np.flatnonzero(np.bincount(window.kinds)).tolist())
        if kinds == self._visible_kinds:
            return
        self._visible_kinds = kinds
        self._badges.setText(kinds_html(kinds, self._theme))
        self._badges.setToolTip(
            "\n".join(f"{wording.kind_label(kind)}: {wording.kind_meaning(kind)}" for kind in kinds)
        )

    # --- the cursor ---

    def cursor_page(self) -> WatchedPage | None:
        """The page under the cursor, if it was read."""
        return None if self.watch is None else self.watch.page(self._position.cursor)

    def window_bytes(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None:
        """The bytes in view."""
        return None if self._window is None else self._window.data

    def show_cursor(self) -> None:
        """Tell what is under the cursor."""
        page, space, position = self.cursor_page(), self.space, self._position
        if page is None or space is None:
            return
        gpa = space.gpa(position.cursor)
        words = [wording.address(gpa, space.digits), wording.kind_label(page.kind)]
        if page.kind is PageKind.UNREADABLE:
            self._set(words, [])
            return
        entropy = float(page_entropies(page.data)[0])
        words.append(self.tr("page: {entropy} bits per byte").format(entropy=wording.decimal(entropy, 2)))
        if position.has_selection:
            low, high = position.selection
            words.append(self.tr("{size} selected").format(size=wording.size(high - low)))
        start = position.cursor % PAGE_SIZE
        at = page.data[start : start + 8].tobytes()
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in at)
        values = [f"“{text}”", f"u8 {at[0]}"]
        values += [f"u{8 * width} {int.from_bytes(at[:width], 'little')}" for width in (2, 4, 8) if len(at) >= width]
        self._set(words, values)

    def _set(self, words: list[str], values: list[str]) -> None:
        for label, parts in zip(self.labels, (words, values), strict=True):
            text = "   ".join(parts)
            if label.text() != text:
                label.setText(text)
        if self.view.hasFocus():
            self.view.setAccessibleDescription(f"{self._where.text()} {self._values.text()}")


def kinds_html(kinds: tuple[PageKind, ...], theme: Theme, counts: dict[PageKind, int] | None = None) -> str:
    """The labels of `kinds` behind their colours, with how much RAM has each where `counts` (pages) tells it."""
    parts = []
    for kind in kinds:
        amount = "" if counts is None else f" {wording.pages_size(counts[kind])}"
        label = wording.kind_label(kind).replace(" ", "&nbsp;")
        square = f'<span style="color:{css(theme.kind_colour(kind))}">■</span>'
        parts.append(f"{square}&nbsp;<b>{label}</b>{amount.replace(' ', '&nbsp;')}")
    return " &nbsp; ".join(parts)
