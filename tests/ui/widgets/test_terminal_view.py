"""The terminal widget: keys, selection, scrolling, leaving it by keyboard, and drawing that never stalls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import QAccessible, QImage, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from confvm_gui.ui.theme import DARK, LIGHT, Theme, contrast
from confvm_gui.ui.widgets.terminal_ink import TerminalInk
from confvm_gui.ui.widgets.terminal_keys import key_bytes, pasted_bytes
from confvm_gui.ui.widgets.terminal_line import Style
from confvm_gui.ui.widgets.terminal_view import TerminalView

_Key, _Modifier = Qt.Key, Qt.KeyboardModifier
_NONE, _SHIFT, _CONTROL, _ALT = (
    _Modifier.NoModifier,
    _Modifier.ShiftModifier,
    _Modifier.ControlModifier,
    _Modifier.AltModifier,
)


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[TerminalView]:
    holder = QWidget()
    rows = QVBoxLayout(holder)
    terminal = TerminalView()
    rows.addWidget(QLineEdit())
    rows.addWidget(terminal)
    rows.addWidget(QLineEdit())
    qtbot.addWidget(holder)
    holder.resize(700, 400)
    holder.show()
    terminal.setFocus()
    yield terminal
    terminal.reset()


def say(qtbot: QtBot, view: TerminalView, data: bytes) -> None:
    view.feed(data)
    qtbot.waitUntil(lambda: view.waiting == 0 and not view._turn.isActive() and not view._frame.isActive())


@pytest.mark.parametrize(
    ("key", "modifiers", "text", "application", "data"),
    [
        (_Key.Key_A, _NONE, "a", False, b"a"),
        (_Key.Key_A, _SHIFT, "A", False, b"A"),
        (_Key.Key_Eacute, _NONE, "é", False, "é".encode()),
        (_Key.Key_C, _CONTROL, "\x03", False, b"\x03"),
        (_Key.Key_BracketRight, _CONTROL, "\x1d", False, b"\x1d"),
        (_Key.Key_Space, _CONTROL, " ", False, b"\x00"),
        (_Key.Key_X, _ALT, "x", False, b"\x1bx"),
        (_Key.Key_Return, _NONE, "\r", False, b"\r"),
        (_Key.Key_Backspace, _NONE, "\x08", False, b"\x7f"),
        (_Key.Key_Tab, _NONE, "\t", False, b"\t"),
        (_Key.Key_Backtab, _SHIFT, "", False, b"\x1b[Z"),
        (_Key.Key_Escape, _NONE, "\x1b", False, b"\x1b"),
        (_Key.Key_Up, _NONE, "", False, b"\x1b[A"),
        (_Key.Key_Up, _NONE, "", True, b"\x1bOA"),
        (_Key.Key_Left, _CONTROL, "", True, b"\x1b[1;5D"),
        (_Key.Key_F1, _NONE, "", False, b"\x1bOP"),
        (_Key.Key_F12, _SHIFT, "", False, b"\x1b[24;2~"),
        (_Key.Key_Delete, _NONE, "\x7f", False, b"\x1b[3~"),
        (_Key.Key_Shift, _SHIFT, "", False, b""),
    ],
)
def test_keys(key: Qt.Key, modifiers: Qt.KeyboardModifier, text: str, application: bool, data: bytes) -> None:
    assert key_bytes(key.value, modifiers, text, application_cursor=application) == data


def test_pasted_text_cannot_press_keys() -> None:
    assert pasted_bytes("a\r\nb\x03\x1b[201~\x9bc", bracketed=True) == b"\x1b[200~a\rb[201~c\x1b[201~"
    assert pasted_bytes("a\nb", bracketed=False) == b"a\rb"
    assert pasted_bytes("\x1b", bracketed=True) == b""
    assert pasted_bytes("\ud800x", bracketed=False) == b"x"


def test_rows_and_columns_follow_the_widget(qtbot: QtBot, view: TerminalView) -> None:
    before = (view.terminal.columns, view.terminal.lines)
    view.window().resize(900, 600)
    qtbot.waitUntil(lambda: view.terminal.columns > before[0] and view.terminal.lines > before[1])


def test_tab_goes_to_the_guest_and_control_shift_tab_leaves(qtbot: QtBot, view: TerminalView) -> None:
    typed: list[bytes] = []
    view.typed.connect(typed.append)
    view.set_writable(True)
    QTest.keyClick(view, _Key.Key_Tab)
    assert typed == [b"\t"]
    assert view.hasFocus()
    QTest.keyClick(view, _Key.Key_Backtab, _CONTROL | _SHIFT)
    assert not view.hasFocus()
    view.setFocus()
    view.set_writable(False)
    QTest.keyClick(view, _Key.Key_Tab)
    assert not view.hasFocus()
    assert typed == [b"\t"]


@pytest.mark.parametrize("writable", [True, False])
def test_shortcuts_of_the_window_are_the_guests_while_it_takes_input(view: TerminalView, writable: bool) -> None:
    view.set_writable(writable)
    event = QKeyEvent(QEvent.Type.ShortcutOverride, _Key.Key_K.value, _CONTROL, "\x0b")
    event.ignore()
    QApplication.sendEvent(view, event)
    assert event.isAccepted() is writable


def test_selection_by_mouse_and_by_keyboard(qtbot: QtBot, view: TerminalView) -> None:
    say(qtbot, view, b"one two /etc/hosts\r\nsecond")
    port, cell = view.viewport(), view.canvas.cell
    point = cell(10, 0).center().toPoint()
    QTest.mouseDClick(port, Qt.MouseButton.LeftButton, pos=point)
    assert view.selection.text() == "/etc/hosts"
    start = cell(4, 0).topLeft().toPoint() + QPoint(1, 2)
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(port, cell(3, 1).topLeft().toPoint() + QPoint(1, 2))
    view.selection.put(view.selection.anchor, view.selection.head._replace(number=1, column=3))
    assert view.selection.text() == "two /etc/hosts\nsec"
    QTest.keyClick(view, _Key.Key_C, _CONTROL | _SHIFT)
    assert QApplication.clipboard().text() == "two /etc/hosts\nsec"
    view.selection.clear()
    QTest.keyClick(view, _Key.Key_Left, _CONTROL | _SHIFT)
    QTest.keyClick(view, _Key.Key_Left, _CONTROL | _SHIFT)
    assert view.selection.text() == "nd"
    QTest.keyClick(view, _Key.Key_A, _CONTROL | _SHIFT)
    assert view.selection.text().startswith("one two /etc/hosts\nsecond")


def test_a_wrapped_line_is_copied_as_one(qtbot: QtBot, view: TerminalView) -> None:
    long = b"0123456789" * 30
    say(qtbot, view, long + b"\r\nend")
    view.select_all()
    assert view.selection.text().rstrip("\n") == long.decode() + "\nend"
    assert view.all_text() == long.decode() + "\nend\n"


def test_finding_goes_round(qtbot: QtBot, view: TerminalView) -> None:
    say(qtbot, view, b"".join(b"line %d Error\r\n" % at if at % 100 == 0 else b"%d\r\n" % at for at in range(300)))
    seen = [(view.find_text("error", backward=True), view.selection.head.number) for _ in range(4)]
    assert seen == [(False, 200), (False, 100), (False, 0), (True, 200)]
    assert view.find_text("error") is True or view.selection.head.number == 0
    assert view.find_text("nowhere") is None
    assert not view.following


def test_reading_keys_scroll_where_no_input_is_taken(qtbot: QtBot, view: TerminalView) -> None:
    say(qtbot, view, b"".join(b"%d\r\n" % at for at in range(300)))
    refused: list[bool] = []
    view.refused.connect(lambda: refused.append(True))
    QTest.keyClick(view, _Key.Key_Home)
    assert view.screen_text().startswith("0\n1\n")
    QTest.keyClick(view, _Key.Key_End)
    assert view.following
    QTest.keyClick(view, _Key.Key_X)
    assert refused == [True]


def test_screen_readers_get_a_terminal_and_its_text(qtbot: QtBot, view: TerminalView) -> None:
    view.setAccessibleName("Serial console")
    say(qtbot, view, b"login:")
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface.role() == QAccessible.Role.Terminal
    assert interface.text(QAccessible.Text.Name) == "Serial console"
    assert interface.text(QAccessible.Text.Value).startswith("login:")
    assert interface.state().readOnly


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_whatever_colours_the_guest_takes(theme: Theme) -> None:
    ink = TerminalInk(theme)
    colours = ["default", *map(str, range(0, 256, 5)), "#ffffff", "#000000", "#808080"]
    for fg in colours:
        for bg in ("default", "1", "15", "120", "#777777"):
            for reverse in (False, True):
                found = ink.ink(Style(fg, bg, reverse=reverse), False)
                ground = (found.ground or ink.ground).name()
                assert contrast(found.text.name(), ground) >= 4.5, (fg, bg, reverse)


def test_what_is_drawn_changes_with_the_output(qtbot: QtBot, view: TerminalView) -> None:
    def picture() -> QImage:
        return QImage(view.canvas.picture)

    before = picture().copy()
    say(qtbot, view, "\x1b[1;4;38;5;200mcolour\x1b[0;7m inverse \x1b[9m漢字\x1b[0m ┌─┐".encode())
    assert picture() != before


def test_a_flood_never_holds_the_window(qtbot: QtBot, view: TerminalView) -> None:
    rainbow = b"".join(b"\x1b[38;2;%d;%d;%dm\x1b[48;5;%dm#" % (i % 256, i % 7, i % 11, i % 256) for i in range(2000))
    view.feed((rainbow + b"\r\n") * 20)
    left = [view.waiting]
    others = QTimer(view)  # what else the window has to do
    others.timeout.connect(lambda: left.append(view.waiting))
    others.start(0)
    qtbot.wait_until(lambda: not view.waiting, timeout=30_000)
    others.stop()
    assert len(set(left)) > 20  # it had its turn again and again, while the flood went on
