"""Writing RAM to a file: the selection, the page at the cursor, or all that was ever touched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from confvm_gui.domain.memory import PAGE_SIZE, Viewer
from confvm_gui.fleet.memory.dump import Dumped, dump_range, dump_touched
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.panels.memory import wording
from confvm_gui.ui.panels.memory.pane import MemoryPane
from confvm_gui.ui.widgets.hex_position import HexPosition

TASK = "export"


class Exporter(QObject):
    """The Export menu, its file dialog and the task behind it."""

    said = Signal(str)
    """Progress or outcome, one line."""
    failed = Signal(str)
    """Why it could not be written, one sentence."""
    exported = Signal(object, str)
    """Viewer and what was written, for the audit log."""

    def __init__(self, panes: Sequence[MemoryPane], position: HexPosition, tasks: TaskKeeper, parent: QWidget) -> None:
        super().__init__(parent)
        self._panes = {pane.viewer: pane for pane in panes}
        self._position = position
        self._tasks = tasks
        self._window = parent
        self.menu = QMenu(parent)
        self.menu.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Make the menu for what can be exported now."""
        self.menu.clear()
        for viewer, pane in self._panes.items():
            if pane.watch is None:
                continue
            self.menu.addSection(wording.headline(viewer))
            low, high = self._position.selection
            if self._position.has_selection:
                words = self.tr("Selection ({size}) …").format(size=wording.size(high - low))
                self._add(words, viewer, "selection")
            self._add(self.tr("Page at the cursor …"), viewer, "page")
            self._add(self.tr("All touched RAM …"), viewer, "touched")
        if self._tasks.is_running(TASK):
            self.menu.addSeparator()
            self.menu.addAction(self.tr("Cancel the running export")).triggered.connect(self.cancel)

    def _add(self, words: str, viewer: Viewer, what: str) -> None:
        self.menu.addAction(words).triggered.connect(lambda: self.ask(viewer, what))

    def cancel(self) -> None:
        self._tasks.cancel(TASK)
        self.said.emit(self.tr("Export cancelled; no file was written"))

    def ask(self, viewer: Viewer, what: str) -> None:
        """Ask for a file, then write `what` (`selection`, `page`, `touched`) of `viewer` to it."""
        pane = self._panes[viewer]
        if pane.instance is None:
            return
        suggested = f"{pane.instance.name}-{viewer.value}-{what}.raw"
        dialog = QFileDialog(self._window, self.tr("Export memory"), suggested)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.selectFile(suggested)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.write(viewer, what, Path(path)))
        dialog.open()

    def write(self, viewer: Viewer, what: str, path: Path) -> None:
        """Write `what` of `viewer` to `path`, in the background."""
        self._tasks.start(TASK, self._write(viewer, what, path), on_error=self.failed.emit)

    async def _write(self, viewer: Viewer, what: str, path: Path) -> None:
        pane = self._panes[viewer]
        if pane.watch is None:
            return
        source, space = pane.watch.source, pane.watch.space
        last = -1

        def report(done: int, total: int) -> None:
            nonlocal last
            percent = done * 100 // max(1, total)
            if percent != last:
                last = percent
                self.said.emit(self.tr("Exporting to {file}: {percent} %").format(file=path.name, percent=percent))

        done: Dumped
        if what == "touched":
            done = await dump_touched(source, path, on_progress=report)
            words = self.tr("all touched RAM")
        else:
            low, high = self._position.selection
            if what == "page":
                low = self._position.cursor // PAGE_SIZE * PAGE_SIZE
                high = low + PAGE_SIZE
            gpa = space.gpa(low)
            done = await dump_range(source, gpa, high - low, path, on_progress=report)
            words = f"{wording.address(gpa, space.digits)}, {wording.size(high - low)}"
        self.said.emit(
            self.tr("{size} written to {file}").format(size=wording.size(done.bytes_written), file=done.path.name)
        )
        self.exported.emit(viewer, words)
