"""The serial console of an instance: what its guest prints, as it prints it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent, QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.errors import ConfvmError, StoreError
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.ports.console import Console
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.panels.instance_panel import InstancePanel
from confvm_gui.ui.panels.terminal_text import TerminalText
from confvm_gui.ui.text import count_text
from confvm_gui.ui.theme import UNIT, monospace_font

MOST_LINES = 20_000
"""Lines kept on screen."""
_FLUSH_MS = 50
_FLUSH_CHARACTERS = 16_384
"""Put on screen in one go: about 5 ms."""
_MOST_WAITING = 2_000_000
"""Characters kept while the display is paused; older ones are dropped, the scroll-back still has them."""


class ConsolePanel(InstancePanel):
    """Serial output with follow, pause, search, copy and save; input where the machine reads any."""

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("console-panel")
        self._console: Console | None = None
        self._text = TerminalText()
        self._waiting = ""
        self._streaming = ""
        self.output = QPlainTextEdit()
        self.output.setObjectName("console-output")
        self.output.setAccessibleName(self.tr("Serial output"))
        self.output.setReadOnly(True)
        self.output.setUndoRedoEnabled(False)
        self.output.setMaximumBlockCount(MOST_LINES)
        self.output.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.output.setFont(monospace_font())
        self.output.setPlaceholderText(self.tr("What the guest prints on its serial port appears here."))
        self.output.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._flush_timer = QTimer(self)
        self._flush_timer.setSingleShot(True)
        self._flush_timer.setInterval(_FLUSH_MS)
        self._flush_timer.timeout.connect(self._flush)
        self.status = QLabel()
        self.status.setProperty("kind", "muted")
        self.input = QLineEdit()
        self.input.setPlaceholderText(self.tr("Type a line for the guest and press Enter"))
        self.input.setAccessibleName(self.tr("Serial input"))
        self.input.returnPressed.connect(self._send)
        self.input.hide()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT + 4, 0, UNIT)
        rows.setSpacing(UNIT)
        rows.addLayout(self._make_bar())
        rows.addWidget(self.output, 1)
        rows.addWidget(self.input)
        rows.addWidget(self.status)

    def _make_bar(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(UNIT // 2)
        self.search = QLineEdit()
        self.search.setObjectName("console-search")
        self.search.setPlaceholderText(self.tr("Search the output"))
        self.search.setAccessibleName(self.tr("Search the output"))
        self.search.setClearButtonEnabled(True)
        self.search.returnPressed.connect(self.find_next)
        backward = QShortcut(QKeySequence("Shift+Return"), self.search, self.find_previous)
        backward.setContext(Qt.ShortcutContext.WidgetShortcut)
        row.addWidget(self.search, 1)
        self._button(row, "up", self.tr("Find previous (Shift+Enter)"), self.find_previous)
        self._button(row, "down", self.tr("Find next (Enter)"), self.find_next)
        self.follow = self._button(row, "arrow", self.tr("Follow"), self._follow_changed, checkable=True, words=True)
        self.follow.setChecked(True)
        self.pause = self._button(row, "pause", self.tr("Pause"), self._pause_changed, checkable=True, words=True)
        self._button(row, "copy", self.tr("Copy all"), self.copy_all)
        self._button(row, "save", self.tr("Save as …"), self.save_as)
        QShortcut(QKeySequence.StandardKey.Find, self, self.search.setFocus).setContext(
            Qt.ShortcutContext.WidgetWithChildrenShortcut
        )
        return row

    def _button(
        self, row: QHBoxLayout, icon: str, text: str, act: object, *, checkable: bool = False, words: bool = False
    ) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setCheckable(checkable)
        if words:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bind_icon(button, icon)
        if callable(act):
            button.clicked.connect(act)
        row.addWidget(button)
        return button

    # The stream

    def show_instance(self, instance: Instance | None) -> None:
        self.tasks.cancel("stream")
        self._streaming = ""
        self._text = TerminalText()
        self._waiting = ""
        self.output.clear()
        self.input.hide()
        if instance is not None and self.isVisible():
            self._begin()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._begin()
        self._plan_flush()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._flush_timer.stop()

    def _begin(self) -> None:
        if not self.instance_id or self._streaming == self.instance_id:
            return
        try:
            self._console = self.session.console(self.instance_id)
        except ConfvmError as error:
            self._console = None
            self.status.setText(error.message)
            return
        self._streaming = self.instance_id
        self.input.setVisible(self._console.writable and not self.session.readonly)
        self._show_status()
        self.tasks.start("stream", self._read(self._console), on_done=lambda _: self._ended(), on_error=self._broke)

    async def _read(self, console: Console) -> None:
        stream = console.stream()
        try:
            async for data in stream:
                self._take(data)
                if len(self._waiting) > _FLUSH_CHARACTERS:
                    await asyncio.sleep(0)  # a guest that floods its console must not hold the loop
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    def _take(self, data: bytes) -> None:
        self._waiting = (self._waiting + self._text.feed(data))[-_MOST_WAITING:]
        self._plan_flush()

    def _plan_flush(self) -> None:
        if self._waiting and self.isVisible() and not self.pause.isChecked() and not self._flush_timer.isActive():
            self._flush_timer.start()

    def _flush(self) -> None:
        piece, self._waiting = self._waiting[:_FLUSH_CHARACTERS], self._waiting[_FLUSH_CHARACTERS:]
        if piece:
            bar = self.output.verticalScrollBar()
            place = bar.value()
            end = QTextCursor(self.output.document())
            end.movePosition(QTextCursor.MoveOperation.End)
            end.insertText(piece)
            bar.setValue(bar.maximum() if self.follow.isChecked() else place)
            self._show_status()
        self._plan_flush()

    def _ended(self) -> None:
        self._streaming = ""

    def _broke(self, problem: str) -> None:
        self._streaming = ""
        self.status.setText(problem)

    def _show_status(self) -> None:
        lines = self.output.blockCount() - 1
        text = self.tr("%n line(s)", "", lines).replace(str(lines), count_text(lines))
        if self.pause.isChecked() and self._waiting:
            held = self._waiting.count("\n")
            text += " · " + self.tr("paused, %n new line(s) held back", "", held)
        self.status.setText(text)

    # Buttons

    def _follow_changed(self) -> None:
        if self.follow.isChecked():
            bar = self.output.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _pause_changed(self) -> None:
        self._plan_flush()
        self._show_status()

    def copy_all(self) -> None:
        """Put all lines on the clipboard."""
        QApplication.clipboard().setText(self.output.toPlainText())

    def save_as(self) -> None:
        """Ask for a file, without blocking, and write all lines into it."""
        instance = self.instance()
        dialog = QFileDialog(self, self.tr("Save the serial output"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.selectFile(f"{instance.name if instance else 'console'}-console.txt")
        dialog.fileSelected.connect(lambda name: self.save_to(Path(name)))
        dialog.open()

    def save_to(self, path: Path) -> None:
        """Write all lines into `path`; problems go to the status area."""
        text = self.output.toPlainText()
        saved = self.tr("Saved to {path}").format(path=path)
        self.tasks.start("save", _write(path, text), on_done=lambda _: self.status.setText(saved))

    def find_next(self) -> None:
        self._find(backward=False)

    def find_previous(self) -> None:
        self._find(backward=True)

    def _find(self, *, backward: bool) -> None:
        wanted = self.search.text()
        if not wanted:
            return
        self.follow.setChecked(False)
        flags = QTextDocument.FindFlag.FindBackward if backward else QTextDocument.FindFlag(0)
        if self.output.find(wanted, flags):
            self._show_status()
            return
        place = self.output.textCursor()
        edge = QTextCursor.MoveOperation.End if backward else QTextCursor.MoveOperation.Start
        self.output.moveCursor(edge)
        if self.output.find(wanted, flags):
            self.status.setText(self.tr("Search began again from the other end"))
        else:
            self.output.setTextCursor(place)
            self.status.setText(self.tr("“{text}” is not in the output").format(text=wanted))

    def _send(self) -> None:
        if self._console is not None:
            line = self.input.text()
            self.input.clear()
            self.tasks.start("input", self._console.write(line.encode() + b"\n"))


async def _write(path: Path, text: str) -> None:
    try:
        await asyncio.to_thread(path.write_text, text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror or error}") from error
