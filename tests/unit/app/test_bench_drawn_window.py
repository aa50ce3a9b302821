"""The clock of the first window sees a window that is drawn, and one that never comes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from confvm_gui.app.bench.drawn_window import measure_starts, seconds_to_window, virtual_display
from confvm_gui.domain.errors import Transient, Unsupported

_SHOW = """
from PySide6.QtWidgets import QApplication, QLabel
application = QApplication([])
window = QLabel("drawn")
window.setStyleSheet("background: {background}")
window.resize(640, 480)
window.show()
{then}
"""
_GRADIENT = "qlineargradient(x1:0, x2:1, stop:0 red, stop:1 blue)"


def _program(background: str, then: str = "application.exec()") -> list[str]:
    return [sys.executable, "-c", _SHOW.format(background=background, then=then)]


def test_a_window_is_seen_once_it_is_drawn() -> None:
    (seconds,) = measure_starts(_program(_GRADIENT), 1)
    assert 0.05 < seconds < 30


async def test_an_empty_window_is_not_taken_for_a_drawn_one() -> None:
    """It lasts until the program ends, and is all of one colour."""
    then = "from PySide6.QtCore import QTimer; QTimer.singleShot(500, application.quit); application.exec()"
    async with virtual_display() as display:
        with pytest.raises(Transient, match="showed no window"):
            await seconds_to_window(_program("red", then), display)


async def test_a_program_that_ends_without_a_window_is_told() -> None:
    async with virtual_display() as display:
        with pytest.raises(Transient, match="showed no window"):
            await seconds_to_window([sys.executable, "-c", ""], display)


def test_without_xvfb_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match="install the package xvfb"):
        measure_starts(["true"], 1)
