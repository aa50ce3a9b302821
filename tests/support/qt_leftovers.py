"""Active timers and top-level widgets that a test left behind."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

_started: weakref.WeakSet[QTimer] = weakref.WeakSet()
_start = QTimer.start


def _remembering_start(timer: QTimer, *args: int) -> None:
    _start(timer, *args)
    _started.add(timer)


# Qt has no list of its timers, so each one is remembered when Python starts it. For the whole session: never undone.
pytest.MonkeyPatch().setattr(QTimer, "start", _remembering_start)


@dataclass(frozen=True)
class QtState:
    """What was there at the start of a test."""

    timers: frozenset[int]
    widgets: frozenset[int]


def look() -> QtState:
    """What is there now. Modifier keys that an earlier test's clicks left pressed are let go."""
    if QApplication.instance() is not None and QApplication.keyboardModifiers() != Qt.KeyboardModifier.NoModifier:
        QTest.keyRelease(QWindow(), Qt.Key.Key_Shift)
    return QtState(
        frozenset(id(timer) for timer in _active_timers()), frozenset(id(widget) for widget in _orphan_windows())
    )


def complaints(before: QtState) -> list[str]:
    """One line for each active timer and each top-level widget that has come since; they are ended."""
    if QApplication.instance() is None:
        return []
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    widgets = [widget for widget in _orphan_windows() if id(widget) not in before.widgets]
    timers = [timer for timer in _active_timers() if id(timer) not in before.timers]
    if widgets or timers:
        del widgets, timers
        gc.collect()  # what only a reference cycle holds is gone for every practical purpose
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        widgets = [widget for widget in _orphan_windows() if id(widget) not in before.widgets]
        timers = [timer for timer in _active_timers() if id(timer) not in before.timers]
    found = [f"QTimer still active: {_describe_timer(timer)}" for timer in timers]
    found += [f"top-level widget not deleted: {_describe(widget)}" for widget in widgets]
    for timer in timers:
        timer.stop()
    for widget in widgets:
        widget.hide()
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return found


def _active_timers() -> list[QTimer]:
    return [timer for timer in list(_started) if shiboken6.isValid(timer) and timer.isActive()]


def _orphan_windows() -> list[QWidget]:
    """Windows without a parent, but for the tool tip, which Qt makes once and keeps."""
    if not isinstance(QApplication.instance(), QApplication):
        return []
    return [
        widget
        for widget in QApplication.topLevelWidgets()
        if widget.parent() is None and widget.metaObject().className() != "QTipLabel"
    ]


def _describe(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName()} {widget.windowTitle()}".strip()


def _describe_timer(timer: QTimer) -> str:
    owner = timer.parent()
    belongs = f" of {type(owner).__name__}" if owner is not None else ""
    return f"{timer.objectName() or 'unnamed'}, every {timer.interval()} ms{belongs}"
