"""`memory-repaint`: one picture of a full-screen memory panel, against a painter that calls `drawText` per byte.

The panel's own measurement is used (`ui.panels.memory.measure`): reading both views, comparing with what was read
before, composing and painting, of RAM that changes between pictures. The reference only paints the same bytes.
"""

from __future__ import annotations

import asyncio
from typing import Final

from confvm_gui.app.bench.figure import Figure, Judged, Rounds, Target, duration
from confvm_gui.app.bench.qt_application import application

ROUNDS: Final = 5
PICTURES: Final = 40
"""Of the panel in each round, of which a round's value is the median; the reference paints a fifth of that."""
TARGET: Final = Target(Judged.MEASURED, 4.0, at_least=False)


def measure(pictures: int = PICTURES, rounds: int = ROUNDS) -> Figure:
    """Must be called where no event loop runs."""
    from confvm_gui.ui.panels.memory.measure import HEIGHT, WIDTH, measure_repaint

    # Held on to: an application that nobody refers to ends.
    held = application()
    found = [asyncio.run(measure_repaint(pictures)) for _ in range(rounds)]
    held.processEvents()
    return duration(
        "memory-repaint",
        f"a picture of the memory panel at {WIDTH} x {HEIGHT}, reading and comparing included",
        f"`drawText` for each byte of the same {found[0].rows} rows of {found[0].bytes_per_row} bytes, twice",
        Rounds(tuple(one.panel / 1e3 for one in found), tuple(one.draw_text / 1e3 for one in found)),
        target=TARGET,
    )
