"""asyncio on Qt's event loop."""

from __future__ import annotations

import asyncio
import sys

from PySide6.QtCore import QCoreApplication


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop for `asyncio.Runner(loop_factory=new_event_loop)` that runs Qt's events and asyncio's together.

    The application must exist. `quitOnLastWindowClosed` is turned off: the runner's coroutine ends the program, and a
    window that closes must leave time to await what runs.
    """
    from PySide6.QtGui import QGuiApplication
    from qasync import QEventLoop

    # A thread that computes (the store's writer, a module that is loaded) hands the interpreter back within a
    # millisecond instead of five whenever the window wants it.
    sys.setswitchinterval(0.001)
    application = QCoreApplication.instance()
    if application is None:
        raise RuntimeError("the event loop needs an application")
    if isinstance(application, QGuiApplication):
        application.setQuitOnLastWindowClosed(False)
    loop: asyncio.AbstractEventLoop = QEventLoop(application)
    return loop
