"""The process that the figure `start-up` starts: `python -m confvm_gui.app.bench.window_probe bare|console DIR`.

Prints the monotonic clock when the first picture is complete, then ends. `bare` is the least that a PySide6 program
with a window can be; `console` is the console's own start, with nothing added but the look at the clock.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confvm_gui.ui.shell import ShellWindow


def _tell() -> None:
    sys.stdout.write(f"{time.monotonic()!r}\n")
    sys.stdout.flush()


def bare() -> None:
    """A main window without content."""
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QApplication, QMainWindow

    application = QApplication(sys.argv[:1])

    class Window(QMainWindow):
        def paintEvent(self, event: QPaintEvent) -> None:
            super().paintEvent(event)
            QTimer.singleShot(0, done)

    painted: list[bool] = []

    def done() -> None:
        _tell()
        painted.append(True)

    window = Window()
    window.resize(1280, 800)
    window.show()
    while not painted:
        application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def console(data_dir: str) -> int:
    """`confvm-gui --data-dir DIR`, whose window closes once its table has been painted with rows in it."""
    from confvm_gui.ui import shell

    vars(shell)["ShellWindow"] = _watched(shell.ShellWindow)
    from confvm_gui.app.main import main

    return main(["--data-dir", data_dir])


def _watched(window_class: type[ShellWindow]) -> type[ShellWindow]:
    from PySide6.QtCore import QEvent, QObject, QTimer

    class Watch(QObject):
        def __init__(self, window: ShellWindow) -> None:
            super().__init__(window)
            self._window = window
            self._seen = False
            window.fleet.view.viewport().installEventFilter(self)

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() is QEvent.Type.Paint and self._window.model.rowCount() and not self._seen:
                self._seen = True
                # Called when the whole window has been painted.
                QTimer.singleShot(0, self._done)
            return False

        def _done(self) -> None:
            _tell()
            self._window.close_for_good()

    def show(self: ShellWindow) -> None:
        Watch(self)
        super(window_class, self).show()

    return type("WatchedWindow", (window_class,), {"show": show})


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        bare()
    else:
        sys.exit(console(sys.argv[2]))
