"""Colours, fonts and spacing of the window: a light and a dark theme over Qt's Fusion style.

Text and its background keep a contrast of at least 4.5:1 (WCAG 2.2 AA, 1.4.3), marks that carry meaning at least 3:1
(1.4.11); a test computes it for both themes. Spacing is in multiples of 8 pixels.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, fields
from enum import Enum
from functools import cache

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from confvm_gui.resource_files import resources_dir

UNIT = 8
"""Pixels: the grid of all spacing."""
FONT_FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Cantarell", "Noto Sans", "DejaVu Sans")
MONOSPACE_FAMILIES = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "DejaVu Sans Mono", "Noto Sans Mono", "Consolas")


class ThemeChoice(Enum):
    """What the settings offer."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, eq=False, repr=False)
class Theme:
    """Colours by role, as `#rrggbb`."""

    name: str
    window: str
    surface: str
    """Tables, fields, cards."""
    raised: str
    """Headers, chips, hover."""
    border: str
    control_border: str
    """Edge of fields and buttons: 3:1 against both grounds."""
    text: str
    muted: str
    accent: str
    on_accent: str
    accent_soft: str
    """Ground of selected rows and tabs; carries `text`."""
    marked: str
    """Ground of checked rows."""
    success: str
    warning: str
    danger: str
    on_danger: str
    confidential: str
    """The shield."""
    success_soft: str
    warning_soft: str
    danger_soft: str
    confidential_soft: str

    def color(self, role: str) -> QColor:
        """The colour of a role named as the field is."""
        return QColor(getattr(self, role))


LIGHT = Theme(
    name="light",
    window="#f4f6f9",
    surface="#ffffff",
    raised="#eef1f6",
    border="#dbe0e8",
    control_border="#858fa0",
    text="#18202c",
    muted="#525e70",
    accent="#1f4fc4",
    on_accent="#ffffff",
    accent_soft="#dfe8fb",
    marked="#eef3fd",
    success="#0f6b3c",
    warning="#855000",
    danger="#b3241c",
    on_danger="#ffffff",
    confidential="#0a6a66",
    success_soft="#e0f3e8",
    warning_soft="#fdf0d7",
    danger_soft="#fde7e5",
    confidential_soft="#dcf2f0",
)
DARK = Theme(
    name="dark",
    window="#12161d",
    surface="#1a202a",
    raised="#232b37",
    border="#2f3947",
    control_border="#77849a",
    text="#e7ebf1",
    muted="#a3afbf",
    accent="#86aeff",
    on_accent="#0c1526",
    accent_soft="#24365a",
    marked="#1d2940",
    success="#63d196",
    warning="#f2b95c",
    danger="#ff938a",
    on_danger="#2a0a07",
    confidential="#58d3c8",
    success_soft="#173527",
    warning_soft="#3a2d14",
    danger_soft="#422120",
    confidential_soft="#153735",
)


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, definition of "contrast ratio")."""

    def luminance(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def palette(theme: Theme) -> QPalette:
    """Qt's palette for a theme."""
    roles = QPalette.ColorRole
    result = QPalette()
    for role, name in (
        (roles.Window, "window"),
        (roles.WindowText, "text"),
        (roles.Base, "surface"),
        (roles.AlternateBase, "raised"),
        (roles.Text, "text"),
        (roles.Button, "surface"),
        (roles.ButtonText, "text"),
        (roles.ToolTipBase, "raised"),
        (roles.ToolTipText, "text"),
        (roles.Highlight, "accent"),
        (roles.HighlightedText, "on_accent"),
        (roles.Link, "accent"),
        (roles.LinkVisited, "accent"),
        (roles.PlaceholderText, "muted"),
        (roles.BrightText, "danger"),
        (roles.Light, "raised"),
        (roles.Midlight, "border"),
        (roles.Mid, "border"),
        (roles.Dark, "control_border"),
        (roles.Accent, "accent"),
    ):
        result.setColor(role, theme.color(name))
    disabled = QColor(theme.control_border)
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, disabled)
    return result


def stylesheet(theme: Theme) -> str:
    """`resources/themes/window.qss` with `@role;` replaced by the theme's colours."""
    folder = resources_dir() / "themes"
    text = (folder / "window.qss").read_text(encoding="utf-8")
    text = text.replace("@folder;", folder.as_posix()).replace("@name;", theme.name)
    for role in fields(theme):
        text = text.replace(f"@{role.name};", f"{getattr(theme, role.name)};")
    return text


@cache
def _first_family(families: tuple[str, ...], fallback: QFontDatabase.SystemFont) -> tuple[str, ...]:
    return (*families, QFontDatabase.systemFont(fallback).family())


def interface_font() -> QFont:
    """The font of all text but code: Inter where installed, else the system's."""
    font = QFont()
    font.setFamilies(list(_first_family(FONT_FAMILIES, QFontDatabase.SystemFont.GeneralFont)))
    font.setPointSizeF(max(9.5, QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).pointSizeF()))
    return font


def monospace_font() -> QFont:
    """The font of serial output, code and bytes."""
    font = QFont()
    font.setFamilies(list(_first_family(MONOSPACE_FAMILIES, QFontDatabase.SystemFont.FixedFont)))
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPointSizeF(interface_font().pointSizeF())
    return font


class ThemeController(QObject):
    """The theme in use, following the system where asked to. One for the application: `theme_controller()`.

    The style sheet is not the application's but that of parts of windows, which `dress` gives it to: on the
    application it costs half a millisecond for every widget there is, in one go; on parts a fifth of that, and a
    change of theme dresses one part in each turn of the event loop. Parts must not lie within one another.
    """

    changed = Signal()
    """Palette and `theme` are new; parts follow in the next turns of the event loop."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.choice = ThemeChoice.SYSTEM
        self.theme = LIGHT
        self._applied = False
        self._sheet = ""
        self._parts: weakref.WeakSet[QWidget] = weakref.WeakSet()
        self._waiting: list[weakref.ref[QWidget]] = []
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._dress_next)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    def apply(self, choice: ThemeChoice) -> None:
        """Put a theme on the whole application."""
        self.choice = choice
        dark = choice is ThemeChoice.DARK or (choice is ThemeChoice.SYSTEM and self._system_is_dark())
        theme = DARK if dark else LIGHT
        if self._applied and theme is self.theme:
            return
        self.theme = theme
        application = QApplication.instance()
        if not isinstance(application, QApplication):
            return
        if not self._applied:
            application.setStyle("Fusion")
            application.setFont(interface_font())
        self._applied = True
        self._sheet = stylesheet(theme)
        application.setPalette(palette(theme))
        parts = [part for part in self._parts if isValid(part)]
        parts.sort(key=lambda part: not part.isVisible())
        self._waiting = [weakref.ref(part) for part in parts]
        self._turn.start()
        self.changed.emit()

    def dress(self, part: QWidget) -> None:
        """Give the theme's style sheet to a part of a window, now and after every change. Best when it is complete."""
        self._parts.add(part)
        part.setStyleSheet(self._sheet)

    @property
    def settled(self) -> bool:
        """Whether every part has the theme in use."""
        return not self._waiting

    def _dress_next(self) -> None:
        while self._waiting:
            part = self._waiting.pop(0)()
            if part is not None and isValid(part):
                part.setStyleSheet(self._sheet)
                break
        if self._waiting:
            self._turn.start()

    def withdraw(self) -> None:
        """Take the theme off the application again: for programs that go on after their window."""
        application = QApplication.instance()
        if self._applied and isinstance(application, QApplication):
            self._applied = False
            self._sheet = ""
            self._turn.stop()
            self._waiting.clear()
            for part in self._parts:
                if isValid(part):
                    part.setStyleSheet("")
            application.setPalette(QPalette())
            application.setFont(QFont())

    def _system_is_dark(self) -> bool:
        return QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark

    def _system_changed(self) -> None:
        if self.choice is ThemeChoice.SYSTEM:
            self.apply(ThemeChoice.SYSTEM)


_controllers: list[ThemeController] = []


def theme_controller() -> ThemeController:
    """The application's controller, made at first use."""
    if not _controllers:
        application = QApplication.instance()
        if application is None:
            raise RuntimeError("a theme needs an application")
        _controllers.append(ThemeController(application))
    return _controllers[0]


def current_theme() -> Theme:
    """The theme in use now."""
    return theme_controller().theme
