"""Colour classes of a hex view: sixteen pairs of ink and paper.

A hex view is one indexed image whose pixel is `class << 4 | intensity`: sixteen classes of sixteen intensities fill
the 256 entries of an indexed image exactly, so changing a theme is one new colour table and no new pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BLANK = 0
"""Class of everything that is not a byte or an address."""
ADDRESS = 1
"""Class of the address column."""
SELECTED = 2
"""Class that a hex view gives to selected bytes."""
FIRST_FREE = 3
"""Classes from here to 15 mean what the user of the view says."""
CLASSES = 16


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours of one class, each 0xRRGGBB."""

    text: int
    paper: int


def mix(low: int, high: int, share: float) -> int:
    """The colour `share` (0.0 to 1.0) of the way from `low` to `high`, per channel, 0xRRGGBB."""
    colour = 0
    for shift in (16, 8, 0):
        start, end = low >> shift & 0xFF, high >> shift & 0xFF
        colour |= round(start + (end - start) * share) << shift
    return colour


@dataclass(frozen=True, slots=True)
class BytePalette:
    """Sixteen inks and the colours of what is drawn over the bytes.

    Raises ValueError unless there are exactly CLASSES inks.
    """

    inks: Sequence[Ink]
    cursor: int
    """Outline of the byte under the cursor, 0xRRGGBB."""
    rule: int
    """Lines between groups of rows, 0xRRGGBB."""

    def __post_init__(self) -> None:
        if len(self.inks) != CLASSES:
            raise ValueError(f"a byte palette has {CLASSES} inks, not {len(self.inks)}")

    def colour_table(self) -> list[int]:
        """256 opaque colours, 0xFFRRGGBB, for an indexed image."""
        return [
            0xFF000000 | mix(ink.paper, ink.text, intensity / 15) for ink in self.inks for intensity in range(CLASSES)
        ]
