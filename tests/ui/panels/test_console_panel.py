"""The console panel in the window, over a console that the test holds in its hands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from confvm_gui.domain.errors import ConfvmError, Transient, Unsupported, WrongState
from confvm_gui.ui.panels import console as console_module
from confvm_gui.ui.panels.console import ConsolePanel
from tests.support.fake_provider import make_instance
from tests.support.runners import Run
from tests.support.shell_driver import Opened, open_shell, until

_ONE = make_instance("risk-model")


class OpenConsole:
    """A console that takes input, and that can be cut."""

    writable = True

    def __init__(self) -> None:
        self.held = b""
        self.written = b""
        self.refuses: ConfvmError | None = None
        self._readers: list[asyncio.Queue[bytes | ConfvmError]] = []

    def scrollback(self) -> bytes:
        return self.held

    def say(self, data: bytes) -> None:
        self.held += data
        for reader in self._readers:
            reader.put_nowait(data)

    def cut(self) -> None:
        for reader in self._readers:
            reader.put_nowait(Transient("The connection to the host was lost"))

    async def stream(self) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes | ConfvmError] = asyncio.Queue()
        self._readers.append(queue)
        try:
            yield self.held
            while True:
                item = await queue.get()
                if isinstance(item, ConfvmError):
                    raise item
                yield item
        finally:
            self._readers.remove(queue)

    async def write(self, data: bytes) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.written += data


def _open(opened: Opened, monkeypatch: pytest.MonkeyPatch | None = None) -> tuple[ConsolePanel, OpenConsole]:
    serial = OpenConsole()
    if monkeypatch is not None:
        monkeypatch.setattr(opened.provider, "console", lambda _id: serial)
    opened.window.open_instance(_ONE.id, "console")
    panel = opened.window.instance_page.panel("console")
    assert isinstance(panel, ConsolePanel)
    return panel, serial


def test_output_is_followed_searched_and_saved(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            serial = opened.provider.console(_ONE.id)
            serial.say(b"\x1b[32mbooting\x1b[0m\r\n")
            panel, _ = _open(opened)
            await until(lambda: "booting" in panel.output.all_text())
            serial.say(b"indexed 64 rows\r\n")
            await until(lambda: "indexed 64 rows" in panel.output.screen_text())
            QTest.keyClicks(panel.search, "INDEXED")
            QTest.keyClick(panel.search, Qt.Key.Key_Return)
            assert panel.output.selection.text() == "indexed"
            panel.find_next()
            assert "again from the other end" in panel.status.text()
            panel.search.setText("never there")
            panel.find_previous()
            assert "is not in the output" in panel.status.text()
            panel.copy_all()
            assert QApplication.clipboard().text() == "booting\nindexed 64 rows\n"
            panel.save_to(tmp_path / "out.txt")
            await until(lambda: "Saved" in panel.status.text())
            assert (tmp_path / "out.txt").read_text() == "booting\nindexed 64 rows\n"
            panel.save_to(tmp_path / "no" / "such" / "folder.txt")
            await until(lambda: opened.window.banners.banner("error") is not None)

    qasync_run(scenario())


def test_a_view_that_was_scrolled_back_stays_where_it_is(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            serial = opened.provider.console(_ONE.id)
            panel, _ = _open(opened)
            serial.say(b"".join(b"line %d\r\n" % at for at in range(500)))
            await until(lambda: "line 499" in panel.output.screen_text())
            panel.output.scroll_lines(-100)
            await until(lambda: not panel.follow.isChecked())
            seen = panel.output.screen_text()
            serial.say(b"".join(b"more %d\r\n" % at for at in range(50)))
            await until(lambda: "more 49" in panel.output.all_text())
            assert panel.output.screen_text() == seen
            panel.follow.click()
            assert "more 49" in panel.output.screen_text()

    qasync_run(scenario())


def test_a_flood_keeps_the_scroll_back_within_bounds(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            serial = opened.provider.console(_ONE.id)
            panel, _ = _open(opened)
            serial.say(b"".join(b"%d\r\n" % at for at in range(30_000)))
            await until(lambda: panel.output.screen_text().rstrip().endswith("29999"), seconds=30)
            assert len(panel.output.terminal.scrollback) <= 10_000

    qasync_run(scenario())


def test_another_instance_has_another_console(qasync_run: Run) -> None:
    async def scenario() -> None:
        other = make_instance("other")
        async with open_shell([_ONE, other]) as opened:
            opened.provider.console(_ONE.id).say(b"mine\r\n")
            opened.provider.console(other.id).say(b"yours\r\n")
            panel, _ = _open(opened)
            await until(lambda: "mine" in panel.output.all_text())
            opened.window.open_instance(other.id)
            await until(lambda: panel.output.all_text() == "yours\n")

    qasync_run(scenario())


def test_a_console_that_takes_no_input_says_so(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            panel, _ = _open(opened)
            await until(lambda: panel.state.text() == "Read only")
            assert panel.state.isVisible()
            QTest.keyClicks(panel.output, "ls")
            assert "takes no input" in panel.status.text()
            assert opened.provider.console(_ONE.id).written == b""

    qasync_run(scenario())


def test_what_is_typed_and_pasted_reaches_the_guest(qasync_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            panel, serial = _open(opened, monkeypatch)
            await until(lambda: panel.output.writable)
            assert panel.state.isHidden()
            assert "Ctrl+Shift+Tab" in panel.hint.text()
            QTest.keyClicks(panel.output, "ls")
            QTest.keyClick(panel.output, Qt.Key.Key_Return)
            await until(lambda: serial.written == b"ls\r")
            serial.say(b"\x1b[?2004h")
            await until(lambda: 2004 in panel.output.terminal.private)
            QApplication.clipboard().setText("two\nlines\x1b[201~\x03")
            QTest.keyClick(
                panel.output, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
            )
            await until(lambda: serial.written == b"ls\r\x1b[200~two\rlines[201~\x1b[201~")
            serial.refuses = WrongState("The instance does not run: nobody reads its serial port")
            QTest.keyClicks(panel.output, "x")
            await until(lambda: "does not run" in panel.status.text())
            serial.refuses = None
            QTest.keyClicks(panel.output, "y")
            await until(lambda: serial.written.endswith(b"\x1b[201~y"))

    qasync_run(scenario())


def test_old_questions_are_not_answered_and_new_ones_are(qasync_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            serial = OpenConsole()
            serial.say(b"\x1b[c\x1b[6nold")
            monkeypatch.setattr(opened.provider, "console", lambda _id: serial)
            panel, _ = _open(opened)
            await until(lambda: "old" in panel.output.all_text())
            serial.say(b"\x1b[2;3H\x1b[6n")
            await until(lambda: serial.written)
            assert serial.written == b"\x1b[2;3R"

    qasync_run(scenario())


def test_a_lost_console_comes_back(qasync_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(console_module, "_FIRST_RETRY", 0.05)
        async with open_shell([_ONE]) as opened:
            panel, serial = _open(opened, monkeypatch)
            serial.say(b"before\r\n")
            await until(lambda: "before" in panel.output.all_text())
            serial.cut()
            await until(lambda: panel.state.text() == "Reconnecting …")
            assert "was lost" in panel.status.text()
            assert not panel.output.writable
            await until(lambda: panel.output.writable)
            serial.say(b"after\r\n")
            await until(lambda: panel.output.all_text() == "before\nafter\n")

    qasync_run(scenario())


def test_a_key_that_comes_as_the_last_piece_is_written_is_written_too(
    qasync_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            panel, serial = _open(opened, monkeypatch)
            await until(lambda: panel.output.writable)
            write = serial.write

            async def write_while_typing(data: bytes) -> None:
                await write(data)
                if data == b"a":  # after the task's last step, before anybody is told of its end
                    asyncio.get_running_loop().call_soon(panel.output.typed.emit, b"b")

            monkeypatch.setattr(serial, "write", write_while_typing)
            QTest.keyClicks(panel.output, "a")
            await until(lambda: serial.written == b"ab", "the second key", 2)

    qasync_run(scenario())


def test_what_was_typed_as_the_console_went_is_written_once_it_is_back(
    qasync_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(console_module, "_FIRST_RETRY", 0.05)
        async with open_shell([_ONE]) as opened:
            panel, serial = _open(opened, monkeypatch)
            await until(lambda: panel.output.writable)
            write, going = serial.write, asyncio.Event()

            async def write_slowly(data: bytes) -> None:
                await going.wait()
                await write(data)

            monkeypatch.setattr(serial, "write", write_slowly)
            QTest.keyClicks(panel.output, "a")
            await asyncio.sleep(0)  # the first key is on its way
            QTest.keyClicks(panel.output, "b")
            serial.cut()
            await until(lambda: not panel.output.writable)
            going.set()
            await until(lambda: serial.written == b"ab", "both keys", 2)

    qasync_run(scenario())


def test_without_a_console_the_reason_is_told(qasync_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        def none(_id: str) -> OpenConsole:
            raise Unsupported("This machine has no serial port")

        async with open_shell([_ONE]) as opened:
            monkeypatch.setattr(opened.provider, "console", none)
            opened.window.open_instance(_ONE.id, "console")
            panel = opened.window.instance_page.panel("console")
            assert isinstance(panel, ConsolePanel)
            await until(lambda: panel.status.text() == "This machine has no serial port")

    qasync_run(scenario())
