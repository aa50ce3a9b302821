"""A terminal's colours in the window's theme.

The sixteen named colours are the theme's own; those of the palette and true colours are what the guest asks for, moved
towards black or white as far as text needs it to be readable on its ground (4.5:1, WCAG 2.2 AA 1.4.3).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from PySide6.QtGui import QColor

from confvm_gui.ui.theme import Theme, contrast
from confvm_gui.ui.widgets.terminal_line import Style

_LEAST_CONTRAST: Final = 4.5
_MOST_CACHED: Final = 4096
_LIGHT: Final = (
    *("#18202c", "#b3241c", "#0f6b3c", "#855000", "#1f4fc4", "#8b2a93", "#0a6a75", "#5d6878"),
    *("#525e70", "#d0342b", "#138a4d", "#a66a00", "#3a6ae8", "#a83fb2", "#0d8594", "#8f99a8"),
)
_DARK: Final = (
    *("#2b3442", "#ff938a", "#63d196", "#f2b95c", "#86aeff", "#e29af0", "#58d3c8", "#cbd3de"),
    *("#77849a", "#ffb3ac", "#8fe3b5", "#ffd390", "#adc8ff", "#efc0f8", "#8ee6de", "#ffffff"),
)
_STEPS: Final = (0, 95, 135, 175, 215, 255)


class Ink(NamedTuple):
    """Text and ground of a style; `ground` None is the terminal's own."""

    text: QColor
    ground: QColor | None


class TerminalInk:
    """Colours of one theme."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.ground = theme.color("surface")
        self.text = theme.color("text")
        self._named = _DARK if theme.name == "dark" else _LIGHT
        self._inks: dict[tuple[Style, bool], Ink] = {}

    def ink(self, style: Style, inverse: bool) -> Ink:
        """Of a style; `inverse` where the whole screen is (DECSCNM)."""
        found = self._inks.get((style, inverse))
        if found is None:
            if len(self._inks) >= _MOST_CACHED:
                self._inks.clear()
            found = self._inks[style, inverse] = self._make(style, inverse)
        return found

    def _make(self, style: Style, inverse: bool) -> Ink:
        text = self._color(style.fg, self._theme.text)
        ground = self._color(style.bg, self._theme.surface)
        if style.reverse != inverse:
            text, ground = ground, text
        own = ground == self._theme.surface
        return Ink(QColor(_readable(text, ground)), None if own else QColor(ground))

    def _color(self, name: str, default: str) -> str:
        if name == "default":
            return default
        if name.startswith("#"):
            return name
        number = int(name)
        if number < 16:
            return self._named[number]
        if number < 232:
            number -= 16
            red, green, blue = _STEPS[number // 36], _STEPS[number // 6 % 6], _STEPS[number % 6]
        else:
            red = green = blue = 8 + 10 * (number - 232)
        return f"#{red:02x}{green:02x}{blue:02x}"


def _readable(text: str, ground: str) -> str:
    if contrast(text, ground) >= _LEAST_CONTRAST:
        return text
    towards = 255 if contrast("#ffffff", ground) > contrast("#000000", ground) else 0
    parts = [int(text[at : at + 2], 16) for at in (1, 3, 5)]
    for step in range(1, 9):
        mixed = "#" + "".join(f"{part + (towards - part) * step // 8:02x}" for part in parts)
        if contrast(mixed, ground) >= _LEAST_CONTRAST:
            return mixed
    return f"#{towards:02x}{towards:02x}{towards:02x}"
