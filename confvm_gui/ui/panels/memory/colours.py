"""What the colours of the memory panel mean, in a light and a dark dress."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget

from confvm_gui.domain.memory import PageKind
from confvm_gui.ui.widgets.byte_histogram import HistogramColours
from confvm_gui.ui.widgets.byte_palette import ADDRESS, BLANK, FIRST_FREE, SELECTED, BytePalette, Ink, mix
from confvm_gui.ui.widgets.heat_map import Ramp

GLOW_STEPS = 5
GLOW_SECONDS = 1.5
"""How long a changed byte glows."""


class ByteClass(IntEnum):
    """Colour classes of a byte; the last five are the steps of the glow, newest first."""

    PLAINTEXT = FIRST_FREE
    ZERO = FIRST_FREE + 1
    CIPHERTEXT = FIRST_FREE + 2
    SHARED = FIRST_FREE + 3
    UNTOUCHED = FIRST_FREE + 4
    UNREADABLE = FIRST_FREE + 5
    DIFFERS = FIRST_FREE + 6
    FOUND = FIRST_FREE + 7
    GLOW = FIRST_FREE + 8


CLASS_OF_KIND = {
    PageKind.UNTOUCHED: ByteClass.UNTOUCHED,
    PageKind.CIPHERTEXT: ByteClass.CIPHERTEXT,
    PageKind.SHARED: ByteClass.SHARED,
    PageKind.PLAINTEXT: ByteClass.PLAINTEXT,
    PageKind.UNREADABLE: ByteClass.UNREADABLE,
}


@dataclass(frozen=True, slots=True)
class Theme:
    """All colours of the panel."""

    bytes: BytePalette
    entropy: Ramp
    change: Ramp
    histogram: HistogramColours
    error: int
    """Text that says what is wrong, 0xRRGGBB."""
    good: int
    """Text that says that all is well."""
    quiet: int
    """Text of lesser importance."""

    def kind_colour(self, kind: PageKind) -> int:
        return self.bytes.inks[CLASS_OF_KIND[kind]].text

    def ink(self, byte_class: ByteClass) -> Ink:
        return self.bytes.inks[byte_class]


def _palette(paper: int, classes: dict[int, Ink], glow: Ink, rested: int, cursor: int, rule: int) -> BytePalette:
    inks = {BLANK: Ink(paper, paper), **classes}
    for step in range(GLOW_STEPS):
        share = step / GLOW_STEPS
        inks[ByteClass.GLOW + step] = Ink(mix(glow.text, rested, share), mix(glow.paper, paper, share))
    return BytePalette([inks[index] for index in sorted(inks)], cursor, rule)


_LIGHT_PAPER, _DARK_PAPER = 0xFFFFFF, 0x14181D

LIGHT = Theme(
    bytes=_palette(
        _LIGHT_PAPER,
        {
            ADDRESS: Ink(0x5B677A, 0xF3F5F8),
            SELECTED: Ink(0xFFFFFF, 0x2563EB),
            ByteClass.PLAINTEXT: Ink(0x0B1220, _LIGHT_PAPER),
            ByteClass.ZERO: Ink(0x97A1AF, _LIGHT_PAPER),
            ByteClass.CIPHERTEXT: Ink(0x6D28D9, _LIGHT_PAPER),
            ByteClass.SHARED: Ink(0xB45309, _LIGHT_PAPER),
            ByteClass.UNTOUCHED: Ink(0x9AA3AF, 0xF5F6F8),
            ByteClass.UNREADABLE: Ink(0xB91C1C, 0xFDF1F1),
            ByteClass.DIFFERS: Ink(0x9D174D, 0xFBD3E6),
            ByteClass.FOUND: Ink(0x1F1600, 0xFDE047),
        },
        glow=Ink(0x052E16, 0x4ADE80),
        rested=0x14532D,
        cursor=0x1D4ED8,
        rule=0xCBD5E1,
    ),
    entropy=Ramp(0xFFFFFF, 0xE6E9EE, (0x3B1F6B, 0x2C5AA0, 0x1F9E89, 0x8BCB4A, 0xF7D826), 0x111827, 0xB6C0CD),
    change=Ramp(0xFFFFFF, 0xE6E9EE, (0xC9D6E6, 0xF6C177, 0xF07C1F, 0xC01818), 0x111827, 0xB6C0CD),
    histogram=HistogramColours(0x3B6FB6, 0xFFFFFF, 0xB6C0CD, 0xC2410C),
    error=0xB91C1C,
    good=0x15803D,
    quiet=0x556070,
)

DARK = Theme(
    bytes=_palette(
        _DARK_PAPER,
        {
            ADDRESS: Ink(0x8A98AC, 0x1B2027),
            SELECTED: Ink(0xFFFFFF, 0x2F6BDE),
            ByteClass.PLAINTEXT: Ink(0xE9EDF3, _DARK_PAPER),
            ByteClass.ZERO: Ink(0x667180, _DARK_PAPER),
            ByteClass.CIPHERTEXT: Ink(0xB79CFA, _DARK_PAPER),
            ByteClass.SHARED: Ink(0xF3AB55, _DARK_PAPER),
            ByteClass.UNTOUCHED: Ink(0x6B7582, 0x1A1E24),
            ByteClass.UNREADABLE: Ink(0xF98A8A, 0x2B171A),
            ByteClass.DIFFERS: Ink(0xFFD6EA, 0x86194A),
            ByteClass.FOUND: Ink(0x1A1400, 0xF5CC1B),
        },
        glow=Ink(0xF0FFF5, 0x178A45),
        rested=0xC4EBD2,
        cursor=0x7FB2FF,
        rule=0x39424E,
    ),
    entropy=Ramp(0x14181D, 0x2A3038, (0x44307E, 0x3568AD, 0x22A08C, 0x8FD14F, 0xFBE02E), 0xFFFFFF, 0x454F5C),
    change=Ramp(0x14181D, 0x2A3038, (0x33475F, 0x9C5A1E, 0xF28A2B, 0xFDE047), 0xFFFFFF, 0x454F5C),
    histogram=HistogramColours(0x6FA3E8, 0x14181D, 0x454F5C, 0xF59E5B),
    error=0xFCA5A5,
    good=0x86EFAC,
    quiet=0xA3AEBC,
)


def theme_for(palette: QPalette) -> Theme:
    """The dress that goes with a window of `palette`."""
    return DARK if palette.window().color().lightness() < 128 else LIGHT


def css(colour: int) -> str:
    """0xRRGGBB as a style sheet writes it."""
    return f"#{colour:06x}"


def show_kind(label: QWidget, kind: str) -> None:
    """Give a label one of the window's text colours (`muted`, `error`) through the style sheet of the application.

    A style sheet of its own for each label would cost 2 ms a label whenever the theme changes.
    """
    if label.property("kind") != kind:
        label.setProperty("kind", kind)
        label.style().unpolish(label)
        label.style().polish(label)
