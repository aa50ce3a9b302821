"""Saving a record's evidence bundle as one zip: the dialog and the task behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.ui.banner import Banner, BannerStack, Tone
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.panels.attestation.sources import AttestationSource

TASK = "export"


class BundleExport(QObject):
    """Asks where to, writes, and says in `banners` how it went."""

    def __init__(
        self, source: AttestationSource, tasks: TaskKeeper, banners: Callable[[], BannerStack], window: QWidget
    ) -> None:
        super().__init__(window)
        self._source = source
        self._tasks = tasks
        self._banners = banners
        self._window = window

    def ask(self, record: AttestationRecord, name: str) -> QFileDialog:
        """Open the dialog, with a name that tells instance, format and time."""
        when = datetime.fromtimestamp(record.at, UTC)
        suggested = f"{name}-{record.verdict.format.value}-{when:%Y%m%dT%H%M%SZ}.zip"
        dialog = QFileDialog(self._window, self.tr("Export the evidence bundle"), suggested, "Zip (*.zip)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setDefaultSuffix("zip")
        dialog.selectFile(suggested)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.write(record.id, Path(path)))
        dialog.open()
        return dialog

    def write(self, record_id: str, path: Path) -> None:
        """Write the bundle, in the background."""
        done = self.tr("The bundle was written to {file}; “confvm verify” takes it again, anywhere.")

        def failed(problem: str) -> None:
            self._banners().put("export", Banner(Tone.ERROR, problem))

        self._tasks.start(
            TASK,
            self._source.export(record_id, path),
            on_done=lambda _: self._banners().put("export", Banner(Tone.SUCCESS, done.format(file=path))),
            on_error=failed,
        )
