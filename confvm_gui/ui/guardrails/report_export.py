"""Saving the compliance report: the dialog, and the task that writes HTML or prints PDF."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.fleet.session import FleetSession
from confvm_gui.fleet.whole_file import write_whole
from confvm_gui.policy.report import report_html, report_sections
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.guardrails.pdf_writer import printed_pdf
from confvm_gui.ui.wizard.looks import Tone

TASK = "report"


class ReportExport(QObject):
    """Asks where to, writes, and tells how it went by `tell`."""

    def __init__(
        self, session: FleetSession, tasks: TaskKeeper, tell: Callable[[str, Tone], None], window: QWidget
    ) -> None:
        super().__init__(window)
        self._session = session
        self._tasks = tasks
        self._tell = tell
        self._window = window

    def ask(self) -> QFileDialog:
        """Open the dialog, with a name that tells the time."""
        suggested = f"compliance-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.pdf"
        dialog = QFileDialog(self._window, self.tr("Save the compliance report"))
        dialog.setObjectName("report-dialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setNameFilters([self.tr("PDF (*.pdf)"), self.tr("HTML (*.html)")])
        dialog.setDefaultSuffix("pdf")
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix("html" if "html" in chosen else "pdf"))
        dialog.selectFile(suggested)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.write(Path(path)))
        dialog.open()
        return dialog

    def write(self, path: Path) -> None:
        """Write the report, in the background; `.html` as HTML, all else as PDF."""
        self._tell(self.tr("The report is being made …"), Tone.MUTED)
        self._tasks.start(
            TASK,
            self._write(path),
            on_done=lambda told: self._tell(told, Tone.GOOD),
            on_error=lambda problem: self._tell(problem, Tone.BAD),
        )

    async def _write(self, path: Path) -> str:
        """What was written, in words. Raises StoreError, InvalidInput("path")."""
        content = await self._session.guard.report(str(self._session.data_dir))
        if path.suffix.lower() in (".html", ".htm"):
            parts: Iterable[bytes] = (part.encode() for part in report_html(content))
            told = self.tr("The report was written to {0}").format(path)
        else:
            page, pages = await printed_pdf(
                lambda: report_sections(content), content.attachments, self.tr("Compliance report")
            )
            parts = [page]
            told = self.tr("The report was written to {0}, %n page(s)", "", pages).format(path)
        digest = await in_daemon_thread("guardrails-report", lambda _: write_whole(path, parts))
        self._session.guard.note_report(path.name, digest, len(content.entries))
        return self.tr("{0}. Its SHA-256 stands in the events.").format(told)
