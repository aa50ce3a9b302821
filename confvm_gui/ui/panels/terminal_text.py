"""What the console panel says in words about its terminal."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from confvm_gui.ui.widgets.terminal_view import TerminalView


def size_hint(terminal: TerminalView) -> str:
    """Why a guest may draw for another size, and what to type about it."""
    return QCoreApplication.translate(
        "TerminalText", "A serial port does not tell the guest this size. In a Linux guest, type: {command}"
    ).format(command=f"stty rows {terminal.terminal.lines} cols {terminal.terminal.columns}")


def keys_hint(*, writable: bool) -> str:
    """How to use the keyboard, above all how to leave."""
    if writable:
        return QCoreApplication.translate(
            "TerminalText",
            "Keys go to the guest, Tab too: leave with Ctrl+Shift+Tab. Copy Ctrl+Shift+C, paste Ctrl+Shift+V",
        )
    return QCoreApplication.translate("TerminalText", "Arrows and Page keys scroll, Ctrl+Shift+arrows select")
