"""Prints a compliance report as PDF, evidence attached to it, in a thread.

Qt lays text out while it holds the interpreter, and a table as a whole: so it is given few rows at a time, and the
window goes on in between. A thread of Qt's and not of Python's, because a text document starts timers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, Qt, QThread
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument

from confvm_gui.domain.daemon_thread import Delivery
from confvm_gui.policy.report import STYLE, Attachment, ReportSection, report_table

_DOTS: Final = 192
"""For each inch: finer than what anybody sees, coarse enough for whole numbers of pixels in the style sheet."""
_MARGIN: Final = 14.0
"""Millimetres."""
_ROWS: Final = 6
"""Of a table at a time: some milliseconds."""
MOST_ROWS: Final = 2000
"""Of one table; more are only counted. The gravest come first."""
_BETWEEN: Final = 26.0
"""Pixels between sections."""


class _Sheet:
    """Pages that fill from the top."""

    def __init__(self, writer: QPdfWriter, footer: str) -> None:
        self.pages = 1
        self._writer = writer
        self._footer = footer
        self._painter = QPainter(writer)
        self._line = self._painter.fontMetrics().height()
        self._room = writer.height() - 2.0 * self._line
        self._at = 0.0
        self._draw_footer()

    def document(self, html: str) -> QTextDocument:
        """Laid out for a page's width."""
        document = QTextDocument()
        document.documentLayout().setPaintDevice(self._writer)
        document.setDocumentMargin(0)
        document.setDefaultStyleSheet(STYLE)
        document.setTextWidth(self._writer.width())
        document.setHtml(html)
        return document

    def fits(self, document: QTextDocument) -> bool:
        """Whether it still fits on this page, or would on no page better."""
        return self._at == 0.0 or self._at + document.size().height() <= self._room

    def put(self, document: QTextDocument, *, closer: float = 0.0) -> None:
        """Draw it below the last one, `closer` by some pixels; what is longer than a page goes on on the next."""
        height, done = document.size().height(), 0.0
        self._at = max(0.0, self._at - closer)
        while True:
            part = min(height - done, self._room - self._at)
            self._painter.save()
            self._painter.translate(0, self._at - done)
            document.drawContents(self._painter, QRectF(0, done, self._writer.width(), part))
            self._painter.restore()
            done += part
            self._at += part
            if done >= height:
                break
            self.turn()

    def skip(self, pixels: float) -> None:
        """Leave some room, but for the top of a page."""
        if self._at:
            self._at += pixels

    def turn(self) -> None:
        """Begin a new page."""
        self._writer.newPage()
        self.pages += 1
        self._at = 0.0
        self._draw_footer()

    def end(self) -> None:
        self._painter.end()

    def _draw_footer(self) -> None:
        below = QRectF(0, self._writer.height() - self._line, self._writer.width(), self._line)
        self._painter.drawText(below, Qt.AlignmentFlag.AlignLeft, self._footer)
        self._painter.drawText(below, Qt.AlignmentFlag.AlignRight, str(self.pages))


class _PdfThread(QThread):
    """Prints sections until it is asked to stop."""

    def __init__(
        self, sections: Callable[[], Sequence[ReportSection]], attachments: Sequence[Attachment], footer: str
    ) -> None:
        super().__init__()
        self._sections = sections
        self._attachments = attachments
        self._footer = footer
        self.printed: Delivery[tuple[bytes, int]] = Delivery()

    def run(self) -> None:
        self.printed.carry_out(self._print)

    def _print(self) -> tuple[bytes, int]:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        writer = QPdfWriter(buffer)
        writer.setResolution(_DOTS)
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
        writer.setPageOrientation(QPageLayout.Orientation.Landscape)
        writer.setPageMargins(QMarginsF(_MARGIN, _MARGIN, _MARGIN, _MARGIN), QPageLayout.Unit.Millimeter)
        writer.setTitle(self._footer)
        for each in self._attachments:
            writer.addFileAttachment(each.file, each.bundle, "application/zip")
        sheet = _Sheet(writer, self._footer)
        for section in self._sections():
            self._print_section(sheet, section)
        sheet.end()
        buffer.close()
        return bytes(buffer.data().data()), sheet.pages

    def _print_section(self, sheet: _Sheet, section: ReportSection) -> None:
        shown = section.rows[:MOST_ROWS]
        groups = [shown[at : at + _ROWS] for at in range(0, len(shown), _ROWS)] or [[]]
        for number, rows in enumerate(groups):
            if self.isInterruptionRequested():
                return
            if number == 0:
                table = report_table(section.header, rows) if section.header else ""
                document = sheet.document(section.intro + table)
                sheet.skip(_BETWEEN)
                if not sheet.fits(document):
                    sheet.turn()
                sheet.put(document)
                continue
            document = sheet.document(report_table("", rows))
            if sheet.fits(document):
                sheet.put(document, closer=1.0)
            else:
                sheet.turn()
                sheet.put(sheet.document(report_table(section.header, rows)))
        if left := len(section.rows) - len(shown):
            told = f"<p>And {left} more, which only the report as HTML lists.</p>"
            sheet.put(sheet.document(told))


async def printed_pdf(
    sections: Callable[[], Sequence[ReportSection]], attachments: Sequence[Attachment], footer: str
) -> tuple[bytes, int]:
    """The PDF of these sections and how many pages it has. `sections` is called in the thread.

    Cancelled, it ends within some milliseconds.
    """
    thread = _PdfThread(sections, attachments, footer)
    thread.start(QThread.Priority.LowPriority)
    try:
        return await thread.printed.future
    finally:
        thread.requestInterruption()
        thread.wait()
