"""`confvm-gui`: opens the window.

Order of a start: options, Qt, the store, the window on the screen, then the providers. What fails before there is a
window is told in one line on standard error, and in a message box where there is a screen.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from confvm_gui import __version__
from confvm_gui.app.bootstrap import check_data_dir, default_data_dir, open_session
from confvm_gui.domain.errors import ConfvmError, InvalidInput, StoreError

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from confvm_gui.ui.shell import ShellWindow

_USAGE = 2
_FAILED = 1
_SIGNAL_PERIOD_MS = 250
_FIRST_PICTURE_SECONDS = 0.5


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}\n")
        raise SystemExit(_USAGE)


def build_parser() -> argparse.ArgumentParser:
    """The options of the window."""
    parser = _Parser(prog="confvm-gui", description="Desktop console for confidential virtual machines.")
    parser.add_argument("--version", action="version", version=f"confvm-gui {__version__}")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where the console keeps its data")
    parser.add_argument(
        "--connect",
        action="append",
        default=[],
        metavar="URI",
        help="connect a libvirt host for this session, for example qemu:///system (can be repeated)",
    )
    parser.add_argument("--readonly", action="store_true", help="look, change nothing")
    parser.add_argument("--debug", action="store_true", help="log more, to standard error")
    parser.add_argument("--language", choices=["en", "fr"], help="default: as set, or the system's")
    parser.add_argument(
        "--tour", type=Path, metavar="DIR", help="work through the main job by itself and leave pictures in DIR"
    )
    parser.add_argument("--records", type=Path, metavar="FILE.csv", help="records for the tour (default: a sample)")
    parser.add_argument("--self-test", action="store_true", help="check that this installation works, then end")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window and return the exit code: 0, 1 when the tour or self-test failed, 2 for bad input."""
    if getattr(sys, "frozen", False):
        import multiprocessing

        multiprocessing.freeze_support()
    options = build_parser().parse_args(arguments)
    from confvm_gui.app.logs import set_up_logging

    set_up_logging(debug=options.debug)
    unattended = options.tour is not None or options.self_test
    if not _has_display():
        if not unattended:
            sys.stderr.write("confvm-gui: there is no display; `confvm-gui --tour DIR` works without one\n")
            return _USAGE
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with _no_garbage_yet():
        return _with_qt(options, unattended=unattended)


def _with_qt(options: argparse.Namespace, *, unattended: bool) -> int:
    application = _make_application(options.language)
    from confvm_gui.ui.bridge.event_loop import new_event_loop

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        try:
            return runner.run(_run(application, options))
        except (InvalidInput, StoreError) as error:
            runner.run(_tell(error.message, silent=unattended))
            return _USAGE
        except ConfvmError as error:
            runner.run(_tell(error.message, silent=unattended))
            return _FAILED


@contextlib.contextmanager
def _no_garbage_yet() -> Iterator[None]:
    """Keeps the collector off from the start until somebody calls `gc.enable`, or the end.

    What a start makes stays: to look for garbage in it again and again takes a twentieth of the time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _run(application: QApplication, options: argparse.Namespace) -> int:
    if options.tour is not None:
        from confvm_gui.app.tour import take_tour

        return await take_tour(application, options.tour, options.records, options.data_dir)
    if options.self_test:
        gc.enable()
        from confvm_gui.app.self_test import self_test

        return await self_test(application)
    return await _show(options)


async def _show(options: argparse.Namespace) -> int:
    """The window until it is closed."""
    from confvm_gui.ui.attention import Attention
    from confvm_gui.ui.keys.pin_desk import PinDesk
    from confvm_gui.ui.shell import ShellWindow
    from confvm_gui.ui.stall_watchdog import StallWatchdog

    windows: list[ShellWindow] = []

    def on_store_error(error: StoreError) -> None:
        if windows:
            windows[0].show_error(error.message)

    data_dir = check_data_dir(options.data_dir or default_data_dir())
    pins = PinDesk()
    session = await open_session(
        data_dir,
        readonly=options.readonly,
        connect=options.connect,
        on_store_error=on_store_error,
        ask_pin=pins.ask,
        via="window",
    )
    watchdog = StallWatchdog()
    try:
        window = ShellWindow(session, stalls=watchdog.report)
        Attention(window, session.attend)
        windows.append(window)
        pins.window = window
        closed = asyncio.Event()
        window.closed.connect(closed.set)
        with _ends_on_signal(window):
            # What is made ahead stays as well: the collector going over it would hold up the window for 40 ms.
            window.loaded_ahead.connect(gc.freeze)
            window.show()
            watchdog.start()
            # The providers load much code, and the catalogue is long: not before the fleet is on the screen.
            await _painted(window)
            await asyncio.to_thread(session.catalog.load)
            await session.connect()
            # What exists now lives as long as the window: the collector need not look at it again and again.
            gc.freeze()
            gc.enable()
            await closed.wait()
        pins.close()
        await window.aclose()
        window.deleteLater()
    finally:
        watchdog.stop()
        pins.close()
        await session.aclose()
    return 0


async def _painted(window: ShellWindow) -> None:
    """Wait until the window has been painted once; not for long, for it may be hidden by others."""
    from PySide6.QtCore import QEvent, QObject, QTimer

    painted = asyncio.Event()

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() is QEvent.Type.Paint:
                # Once all that belongs to the picture has been painted.
                QTimer.singleShot(0, painted.set)
            return False

    watch = Watch()
    window.installEventFilter(watch)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(painted.wait(), _FIRST_PICTURE_SECONDS)
    window.removeEventFilter(watch)


@contextlib.contextmanager
def _ends_on_signal(window: ShellWindow) -> Iterator[None]:
    """Ctrl-C in the terminal and SIGTERM close the window properly."""
    from PySide6.QtCore import QTimer

    previous = {
        number: signal.signal(number, lambda *_: window.close_for_good()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    # Python runs signal handlers between its own instructions only: without this, not before the next event.
    timer = QTimer()
    timer.timeout.connect(lambda: None)
    timer.start(_SIGNAL_PERIOD_MS)
    try:
        yield
    finally:
        timer.stop()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _make_application(language: str | None) -> QApplication:
    from PySide6.QtWidgets import QApplication

    QApplication.setApplicationName("confvm-console")
    QApplication.setApplicationDisplayName("ConfVM Console")
    QApplication.setApplicationVersion(__version__)
    QApplication.setDesktopFileName("confvm-console")
    application = QApplication([sys.argv[0]])
    if language is not None:
        from confvm_gui.ui.translations import install_language

        install_language(application, language)
    return application


async def _tell(message: str, *, silent: bool) -> None:
    """On standard error, and unless `silent` in a box on the screen, until it is closed."""
    sys.stderr.write(f"confvm-gui: {message}\n")
    if silent:
        return
    from PySide6.QtWidgets import QMessageBox

    box = QMessageBox(QMessageBox.Icon.Critical, "ConfVM Console", message)
    closed = asyncio.Event()
    box.finished.connect(lambda _: closed.set())
    box.open()
    await closed.wait()
    box.deleteLater()


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
