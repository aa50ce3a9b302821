"""`first-window`: from the start of the process to a window that has been drawn on a screen.

Measured: `confvm-gui` with nothing stored yet, as a fresh process on an X server of the figure's own (Xvfb); the bundle
that CONFVM_BUNDLE names, if it is set. Reference: a PySide6 program whose window holds one label, likewise, in turns.
`start-up` measures the same start up to the fleet in its table, without the screen.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from confvm_gui.app.bench.drawn_window import seconds_to_window, virtual_display
from confvm_gui.app.bench.figure import Figure, Judged, Rounds, Target, duration
from confvm_gui.domain.errors import Unsupported

BUNDLE: Final = "CONFVM_BUNDLE"
"""Environment: the folder of a bundle, with `confvm-gui` in it."""
ROUNDS: Final = 7
TARGET: Final = Target(Judged.MEASURED, 2000, at_least=False)
_LABEL: Final = """
from PySide6.QtWidgets import QApplication, QLabel
application = QApplication([])
window = QLabel("A window")
window.setStyleSheet("background: qlineargradient(x1: 0, x2: 1, stop: 0 black, stop: 1 white)")
window.resize(1280, 800)
window.show()
application.exec()
"""


def measure(rounds: int = ROUNDS) -> Figure:
    """Must be called where no event loop runs. Raises Unsupported without Xvfb, Transient if a window does not come."""
    if getattr(sys, "frozen", False):
        raise Unsupported(
            f"A frozen program has no Python for the reference; measure from a checkout, with {BUNDLE} set"
        )
    bundle = os.environ.get(BUNDLE)
    program = [str(Path(bundle) / "confvm-gui")] if bundle else [sys.executable, "-m", "confvm_gui.app.main"]
    return duration(
        "first-window",
        f"the window drawn on an X server, from process start ({'bundle' if bundle else 'checkout'})",
        "a PySide6 window with one label, likewise",
        asyncio.run(_in_turns(program, [sys.executable, "-c", _LABEL], rounds)),
        target=TARGET,
    )


async def _in_turns(program: list[str], reference: list[str], rounds: int) -> Rounds:
    async with virtual_display() as display:
        for command in (program, reference):  # compiles what is not compiled yet, and is not counted
            await seconds_to_window(command, display)
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(rounds):
            ours.append(await seconds_to_window(program, display))
            theirs.append(await seconds_to_window(reference, display))
        return Rounds(tuple(ours), tuple(theirs))
