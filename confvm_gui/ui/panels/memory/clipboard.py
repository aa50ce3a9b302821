"""Copying the selection as hexadecimal or as text, and the context menu of the bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE, Viewer
from confvm_gui.fleet.memory.needle import LONGEST
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.panels.memory import wording
from confvm_gui.ui.panels.memory.pane import MemoryPane
from confvm_gui.ui.widgets.hex_position import HexPosition

TASK = "clipboard"
MOST_BYTES = 1 << 20
"""What a clipboard can be asked to take; more is a case for a file."""


class ByteClipboard(QObject):
    """Reads the selection, which may reach far beyond the view, and puts it on the clipboard."""

    said = Signal(str)
    failed = Signal(str)
    """Why it could not be copied, one sentence."""

    def __init__(self, panes: Sequence[MemoryPane], position: HexPosition, tasks: TaskKeeper, parent: QWidget) -> None:
        super().__init__(parent)
        self._panes = {pane.viewer: pane for pane in panes}
        self._position = position
        self._tasks = tasks
        self._parent = parent

    def copy_hex(self, viewer: Viewer) -> None:
        """Copy the selection as `de ad be ef`."""
        self._tasks.start(TASK, self._copy(viewer, lambda data: data.hex(" ")), on_error=self.failed.emit)

    def copy_text(self, viewer: Viewer) -> None:
        """Copy the selection as text; what is no valid UTF-8 is replaced."""
        self._tasks.start(
            TASK, self._copy(viewer, lambda data: data.decode("utf-8", "replace")), on_error=self.failed.emit
        )

    def menu(self, viewer: Viewer, search_for: Callable[[bytes], None], bookmark: Callable[[], None]) -> QMenu:
        """A context menu for `viewer`'s bytes; it deletes itself when it closes."""
        menu = QMenu(self._parent)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction(self.tr("Copy as hex")).triggered.connect(lambda: self.copy_hex(viewer))
        menu.addAction(self.tr("Copy as text")).triggered.connect(lambda: self.copy_text(viewer))
        menu.addAction(self.tr("Copy address")).triggered.connect(lambda: self._copy_address(viewer))
        menu.addSeparator()
        search = menu.addAction(self.tr("Search for the selection"))
        search.triggered.connect(
            lambda: self._tasks.start(TASK, self._search(viewer, search_for), on_error=self.failed.emit)
        )
        low, high = self._position.selection
        search.setEnabled(high - low <= LONGEST)
        menu.addAction(self.tr("Bookmark this address …")).triggered.connect(bookmark)
        return menu

    def _copy_address(self, viewer: Viewer) -> None:
        space = self._panes[viewer].space
        if space is not None:
            self._put(wording.address(space.gpa(self._position.cursor), 1))

    async def _copy(self, viewer: Viewer, form: Callable[[bytes], str]) -> None:
        data = await self.selected(viewer)
        self._put(form(data))
        self.said.emit(self.tr("{size} copied").format(size=wording.size(len(data))))

    async def _search(self, viewer: Viewer, search_for: Callable[[bytes], None]) -> None:
        search_for(await self.selected(viewer))

    def _put(self, text: str) -> None:
        clipboard = QGuiApplication.clipboard()
        clipboard.setText(text)

    async def selected(self, viewer: Viewer) -> bytes:
        """The selected bytes as `viewer` sees them: as shown where they are in view, else as they are now.

        Raises InvalidInput("selection") for more than MOST_BYTES.
        """
        watch = self._panes[viewer].watch
        low, high = self._position.selection
        if watch is None:
            return b""
        if high - low > MOST_BYTES:
            raise InvalidInput("selection", f"At most {wording.size(MOST_BYTES)} can be copied; export it to a file")
        data = bytearray()
        for part in watch.space.parts(low, high - low):
            shown = watch.page(part.offset)
            if shown is not None and part.offset // PAGE_SIZE == (part.offset + part.length - 1) // PAGE_SIZE:
                start = part.offset % PAGE_SIZE
                data += shown.data[start : start + part.length].tobytes()
                continue
            whole = watch.space.aligned(part, watch.source.granularity)
            chunk = await watch.source.read(whole.gpa, whole.length)
            start = part.gpa - whole.gpa
            data += chunk.data[start : start + part.length]
        return bytes(data)
