"""The application that figures with widgets need: of the process, and without a screen."""

from __future__ import annotations

import os

from PySide6.QtCore import QCoreApplication, QLoggingCategory
from PySide6.QtWidgets import QApplication

from confvm_gui.domain.errors import BugError


def application() -> QApplication:
    """The process's application; made if there is none, to paint into memory.

    On a screen the time of a picture depends on the window system as well, and a window would pop up.
    """
    existing = QCoreApplication.instance()
    if existing is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        # Offscreen, Qt says on standard error what a window manager would be asked for.
        QLoggingCategory.setFilterRules("default.warning=false")
        return QApplication(["confvm-bench"])
    if not isinstance(existing, QApplication):
        raise BugError("The process has an application without widgets")
    return existing
