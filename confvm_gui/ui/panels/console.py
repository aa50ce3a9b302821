"""The serial console of an instance, in a terminal."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.errors import ConfvmError, Forbidden, StoreError, Unsupported
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.ports.console import Console
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.panels.instance_panel import InstancePanel
from confvm_gui.ui.panels.terminal_text import keys_hint, size_hint
from confvm_gui.ui.text import count_text
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.widgets.elided_label import ElidedLabel
from confvm_gui.ui.widgets.terminal_surface import HIGH_WATER
from confvm_gui.ui.widgets.terminal_view import TerminalView

_FIRST_RETRY, _LONGEST_RETRY = 1.0, 30.0
"""Seconds between attempts to get a lost console back; each waits twice as long."""
_TOLD_SECONDS = 4.0
"""That a message stands before the size of the terminal takes its place again."""
_MOST_TYPED = 2 << 20
"""Bytes that wait to be written; a guest that reads nothing gets no more."""
_WRITTEN_AT_ONCE = 4096


class ConsolePanel(InstancePanel):
    """A terminal on the serial port, with follow, search, copy and save."""

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("console-panel")
        self._console: Console | None = None
        self._streaming = ""
        self._typed = bytearray()
        self._drained = asyncio.Event()
        self._told_until = 0.0
        self.output = TerminalView()
        self.output.setObjectName("console-output")
        self.output.setAccessibleName(self.tr("Serial console"))
        self.output.typed.connect(self._send)
        self.output.refused.connect(self._refuse)
        self.output.drained.connect(self._drained.set)
        self.output.changed.connect(self._changed)
        self.status = QLabel()
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.status.setProperty("kind", "muted")
        self.state = QLabel()
        self.state.setObjectName("console-state")
        self.state.setProperty("kind", "chip")
        self.hint = ElidedLabel()
        self.hint.setProperty("kind", "muted")
        foot = QHBoxLayout()
        foot.setSpacing(UNIT * 2)
        foot.addWidget(self.status, 1)
        foot.addWidget(self.hint, 2)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT + 4, 0, UNIT)
        rows.setSpacing(UNIT)
        rows.addLayout(self._make_bar())
        rows.addWidget(self.output, 1)
        rows.addLayout(foot)
        self.output.find_wanted.connect(self.search.setFocus)
        self._show_state("")

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
        self._button(row, "copy", self.tr("Copy all"), self.copy_all)
        self._button(row, "save", self.tr("Save as …"), self.save_as)
        row.addWidget(self.state)
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
        self.tasks.cancel("input")
        self._streaming = ""
        self._typed.clear()
        self._console = None
        self.output.reset()
        self._show_state("")
        self.status.clear()
        self._told_until = 0.0
        if instance is not None and self.isVisible():
            self._begin()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._begin()

    def _begin(self) -> None:
        if not self.instance_id or self._streaming == self.instance_id:
            return
        self._streaming = self.instance_id
        self.tasks.start("stream", self._stay(self.instance_id), on_done=lambda _: self._ended(), on_error=self._broke)

    async def _stay(self, instance_id: str) -> None:
        """Read the console until the instance is deleted; get it back when it is lost."""
        pause = _FIRST_RETRY
        while True:
            try:
                self._console = self.session.console(instance_id)
                self._show_state("")
                self.output.reset()
                self._write_on()
                await self._read(self._console)
                return
            except (Unsupported, Forbidden):
                raise  # there is none, and none will come
            except ConfvmError as error:
                if self.output.received:
                    pause = _FIRST_RETRY  # it had worked
                self._console = None
                self._show_state(self.tr("Reconnecting …"))
                self._tell(error.message)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_RETRY)

    async def _read(self, console: Console) -> None:
        old = len(console.scrollback())
        stream = console.stream()
        try:
            async for data in stream:
                # What the guest asked its terminal before we looked was for another terminal.
                self.output.feed(data, live=old <= 0)
                old -= len(data)
                while self.output.waiting > HIGH_WATER:
                    self._drained.clear()
                    await self._drained.wait()
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    def _ended(self) -> None:
        self._console = None
        self._show_state(self.tr("Ended"))

    def _broke(self, problem: str) -> None:
        self._streaming = ""
        self._console = None
        self._show_state("")
        self._tell(problem)

    # What it says

    def _show_state(self, state: str) -> None:
        """`state` in a word; "" while the console is there, or none is wanted."""
        writable = self._console is not None and self._console.writable and not self.session.readonly
        if not state and self._console is not None and not writable:
            state = self.tr("Read only")
        self.state.setText(state)
        self.state.setVisible(bool(state))
        self.output.set_writable(writable)
        self.hint.setText(keys_hint(writable=writable))
        self.output.setAccessibleDescription(f"{state} {keys_hint(writable=writable)}".strip())

    def _tell(self, text: str) -> None:
        self._told_until = time.monotonic() + _TOLD_SECONDS
        self.status.setText(text)

    def _changed(self) -> None:
        self.follow.setChecked(self.output.following)
        if self._console is not None and time.monotonic() > self._told_until:
            terminal = self.output.terminal
            lines = len(terminal.scrollback)
            kept = self.tr("%n line(s) scrolled back", "", lines).replace(str(lines), count_text(lines))
            self.status.setText(f"{terminal.columns} × {terminal.lines} · {kept}")
            self.status.setToolTip(size_hint(self.output))

    def _refuse(self) -> None:
        reason = self.session.readonly_reason if self.session.readonly else ""
        self._tell(reason or self.tr("This console is read only: the machine takes no input"))

    # Input

    def _send(self, data: bytes) -> None:
        if len(self._typed) + len(data) > _MOST_TYPED:
            self._tell(self.tr("The guest reads no input: what was typed last was dropped"))
            return
        self._typed += data
        self._write_on()

    def _write_on(self) -> None:
        """Write what waits, unless that is being done, or the console is away: then once it is back."""
        if self._typed and self._console is not None and not self.tasks.is_running("input"):
            # A key may come when the last piece has been written and its task has not been seen to end.
            self.tasks.start("input", self._write(), on_done=lambda _: self._write_on(), on_error=self._not_written)

    async def _write(self) -> None:
        while self._typed and self._console is not None:
            piece = bytes(self._typed[:_WRITTEN_AT_ONCE])
            del self._typed[: len(piece)]
            await self._console.write(piece)

    def _not_written(self, problem: str) -> None:
        self._typed.clear()
        self._tell(problem)

    # Buttons

    def _follow_changed(self) -> None:
        if self.follow.isChecked():
            self.output.scroll_to_end()
        else:
            self.output.hold()

    def copy_all(self) -> None:
        """Put all lines on the clipboard."""
        QApplication.clipboard().setText(self.output.all_text())

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
        text = self.output.all_text()
        saved = self.tr("Saved to {path}").format(path=path)
        self.tasks.start("save", _save(path, text), on_done=lambda _: self._tell(saved))

    def find_next(self) -> None:
        self._find(backward=False)

    def find_previous(self) -> None:
        self._find(backward=True)

    def _find(self, *, backward: bool) -> None:
        wanted = self.search.text()
        if not wanted:
            return
        again = self.output.find_text(wanted, backward=backward)
        if again is None:
            self._tell(self.tr("“{text}” is not in the output").format(text=wanted))
        elif again:
            self._tell(self.tr("Search began again from the other end"))


async def _save(path: Path, text: str) -> None:
    try:
        await asyncio.to_thread(path.write_text, text, encoding="utf-8")
    except OSError as error:
        problem = QCoreApplication.translate("ConsolePanel", "{path} could not be written: {reason}")
        raise StoreError(problem.format(path=path, reason=error.strerror or error)) from error
