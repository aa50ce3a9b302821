"""What can be done about the chosen image of a host's library: download it, stop that, or add one of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QPushButton, QWidget

from confvm_gui.domain.catalogue import Image
from confvm_gui.domain.images import LIBRARY_PREFIX, ImageState, LibraryImage
from confvm_gui.domain.ports.image_library import ImageLibrary
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.wizard.looks import SPACING, Note, Tone
from confvm_gui.ui.wizard.page import column

_TASK = "image library"
_STEPS = 1000


class LibraryBar(QWidget):
    """Emits `added` with the key of an image that has come into the library."""

    added = Signal(str)

    def __init__(self, library: ImageLibrary, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._tasks = tasks
        self._image: Image | None = None
        self._problem = ""
        self.state = Note("", Tone.MUTED, self)
        self.state.setObjectName("wizard.imageState")
        self.progress = QProgressBar(self)
        self.progress.setObjectName("wizard.imageProgress")
        self.progress.setAccessibleName(self.tr("Download"))
        self.progress.setRange(0, _STEPS)
        self.download = self._button(self.tr("&Download"), "wizard.download", self._download)
        self.stop = self._button(self.tr("&Stop"), "wizard.stopDownload", self._stop)
        self.add_disk = self._button(self.tr("Add a &disk image …"), "wizard.addDisk", self._choose_disk)
        self.add_kernel = self._button(self.tr("Add a &kernel …"), "wizard.addKernel", self._choose_kernel)
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        for button in (self.download, self.stop):
            row.addWidget(button)
        row.addWidget(self.progress, 1)
        row.addStretch(0)
        for button in (self.add_disk, self.add_kernel):
            row.addWidget(button)
        rows = column(self, spacing=6)
        rows.addWidget(self.state)
        rows.addLayout(row)

    def show_kernels_only(self, known: LibraryImage | None) -> None:
        """Offer kernels and nothing else; `known`: the chosen one, None while an image of the catalogue is chosen."""
        if known is not None:
            self.show_image(None, known)
        else:
            self._image = None
            self.state.show_text(self._problem, Tone.BAD)
            for widget in (self.progress, self.stop, self.download):
                widget.hide()
        self.add_disk.hide()

    def show_image(self, image: Image | None, known: LibraryImage | None) -> None:
        """`image`: of the catalogue, None for one of the library's own; `known`: what the library has of it."""
        if image != self._image:
            self._problem = ""
        self._image = image
        self.add_disk.show()
        state = known.state if known is not None else None
        loading = state is ImageState.DOWNLOADING
        self.progress.setVisible(loading)
        self.stop.setVisible(loading)
        self.download.setVisible(image is not None and not loading and state is not ImageState.READY)
        self.download.setText(self.tr("&Resume") if state is ImageState.PARTIAL else self.tr("&Download"))
        if loading and known is not None:
            self.progress.setValue(round(_STEPS * known.received / known.total) if known.total else 0)
        problem = self._problem or (known.problem if known is not None else "")
        if state is ImageState.READY and known is not None:
            verified = self.tr("Verified: {0}").format(known.verified) if known.verified else self.tr("Not verified")
            self.state.show_text(self.tr("In the library. {0}").format(verified), Tone.GOOD)
        elif loading:
            self.state.show_text(self.tr("Downloading …"), Tone.MUTED)
        elif problem:
            self.state.show_text(problem, Tone.BAD)
        else:
            self.state.show_text(self.tr("Not in the library yet: download it first."), Tone.WARNING)

    def _button(self, text: str, name: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked=False: act())
        return button

    def _download(self) -> None:
        image = self._image
        if image is not None and image.download is not None:
            self._problem = ""
            work = self._library.download(image.download, image.name, image.title)
            self._tasks.start(_TASK, work, on_done=self._done, on_error=self._failed)

    def _stop(self) -> None:
        if self._image is not None:
            self._tasks.start("stop download", self._library.cancel(self._image.name), on_error=self._failed)

    def _done(self, image: LibraryImage) -> None:
        self.added.emit(image.id)

    def _failed(self, message: str) -> None:
        self._problem = message
        self.state.show_text(message, Tone.BAD)

    def _choose_disk(self) -> None:
        names = [self.tr("Disk images (*.qcow2 *.img *.raw)"), self.tr("All files (*)")]
        self._open_dialog(self.tr("Choose a disk image"), "wizard.diskDialog", names, self.take_disk)

    def _choose_kernel(self) -> None:
        title = self.tr("Choose a kernel, and its initrd with it")
        self._open_dialog(title, "wizard.kernelDialog", [self.tr("All files (*)")], self.take_kernel)

    def take_disk(self, files: list[str]) -> None:
        """Copy the first of `files` into the library."""
        path = Path(files[0])
        work = self._library.add_disk(path, self._free_id(path), path.name)
        self._tasks.start(_TASK, work, on_done=self._own, on_error=self._failed)

    def take_kernel(self, files: list[str]) -> None:
        """Copy a kernel, and an initrd where one of `files` is named so, into the library."""
        paths = [Path(file) for file in files]
        initrd = next((path for path in paths if "init" in path.name), None)
        kernel = next((path for path in paths if path != initrd), None)
        if kernel is None:
            self._failed(self.tr("Choose the kernel as well: an initrd alone boots nothing"))
            return
        work = self._library.add_kernel(
            kernel, initrd, self._free_id(kernel), command_line="console=ttyS0", title=kernel.name
        )
        self._tasks.start(_TASK, work, on_done=self._own, on_error=self._failed)

    def _free_id(self, path: Path) -> str:
        """Legal in the library and not taken: letters, digits, hyphens and dots."""
        wanted = re.sub(r"[^a-z0-9.]+", "-", path.name.lower()).strip("-.")[:50] or "image"
        taken = {image.id for image in self._library.images()}
        return next(
            found for number in count(1) if (found := f"{wanted}-{number}" if number > 1 else wanted) not in taken
        )

    def _own(self, image: LibraryImage) -> None:
        self.added.emit(LIBRARY_PREFIX + image.id)

    def _open_dialog(self, title: str, name: str, filters: list[str], take: Callable[[list[str]], None]) -> None:
        from PySide6.QtCore import Qt

        dialog = QFileDialog(self, title)
        dialog.setObjectName(name)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters(filters)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(take)
        dialog.open()
