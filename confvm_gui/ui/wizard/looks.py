"""Colours and small building blocks of the wizard, all derived from the palette in force.

No colour is fixed: what the theme or the system chose for text, window and highlight decides, so light, dark and
high-contrast settings work, also when they change while the wizard is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from confvm_gui.ui.theme import DARK, LIGHT

SPACING = 8
"""Pixels between things that belong together; twice that between things that do not."""


class Tone(Enum):
    """What a text is: decides its colour."""

    PLAIN = "plain"
    MUTED = "muted"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


def blend(one: QColor, other: QColor, share: float) -> QColor:
    """`share` (0.0 to 1.0) of `other` over `one`, opaque."""
    keep = 1.0 - share
    return QColor.fromRgbF(
        one.redF() * keep + other.redF() * share,
        one.greenF() * keep + other.greenF() * share,
        one.blueF() * keep + other.blueF() * share,
    )


@dataclass(frozen=True)
class Looks:
    """Colours for one palette."""

    dark: bool
    text: QColor
    window: QColor
    base: QColor
    accent: QColor
    on_accent: QColor
    muted: QColor
    border: QColor
    raised: QColor
    good: QColor
    warning: QColor
    bad: QColor

    def tone(self, tone: Tone) -> QColor:
        return {
            Tone.PLAIN: self.text,
            Tone.MUTED: self.muted,
            Tone.GOOD: self.good,
            Tone.WARNING: self.warning,
            Tone.BAD: self.bad,
        }[tone]


_remembered: dict[int, Looks] = {}


def looks() -> Looks:
    """The colours that go with the application's palette: its own, and the theme's marks of the same lightness.

    A widget's own palette will not do: the style sheet changes it.
    """
    palette = QGuiApplication.palette()
    key = palette.cacheKey()
    known = _remembered.get(key)
    if known is not None:
        return known
    _remembered.clear()
    active = QPalette.ColorGroup.Active
    window = palette.color(active, QPalette.ColorRole.Window)
    text = palette.color(active, QPalette.ColorRole.Text)
    base = palette.color(active, QPalette.ColorRole.Base)
    dark = window.lightness() < 128
    theme = DARK if dark else LIGHT
    found = Looks(
        dark=dark,
        text=text,
        window=window,
        base=base,
        accent=palette.color(active, QPalette.ColorRole.Highlight),
        on_accent=palette.color(active, QPalette.ColorRole.HighlightedText),
        muted=theme.color("muted"),
        border=theme.color("border"),
        raised=base,
        good=theme.color("success"),
        warning=theme.color("warning"),
        bad=theme.color("danger"),
    )
    _remembered[key] = found
    return found


def scaled_font(font: QFont, factor: float, weight: QFont.Weight | None = None) -> QFont:
    """`font` made larger or smaller, in whichever unit it has its size."""
    scaled = QFont(font)
    if font.pointSizeF() > 0:
        scaled.setPointSizeF(font.pointSizeF() * factor)
    else:
        scaled.setPixelSize(max(1, round(font.pixelSize() * factor)))
    if weight is not None:
        scaled.setWeight(weight)
    return scaled


class ToneLabel(QLabel):
    """A wrapped text whose colour follows its tone and the palette."""

    def __init__(self, text: str = "", tone: Tone = Tone.PLAIN, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._tone = tone
        self._applying = False
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._apply()

    def set_tone(self, tone: Tone) -> None:
        if tone is not self._tone:
            self._tone = tone
            self._apply()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and not self._applying:
            self._apply()

    def _apply(self) -> None:
        colours = looks()
        palette = QPalette(self.palette())
        palette.setColor(QPalette.ColorRole.WindowText, colours.tone(self._tone))
        self._applying = True
        self.setPalette(palette)
        self._applying = False


class FieldError(ToneLabel):
    """The complaint under a field; takes no room while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", Tone.BAD, parent)
        self.hide()

    def show_problem(self, problem: str) -> None:
        self.setText(problem)
        self.setAccessibleName(problem)
        self.setVisible(bool(problem))


def heading(text: str, parent: QWidget | None = None, factor: float = 1.0) -> QLabel:
    """A heading of a part of a page."""
    label = QLabel(text, parent)
    label.setFont(scaled_font(label.font(), factor, QFont.Weight.DemiBold))
    return label


class Card(QFrame):
    """A slightly raised, rounded surface that holds things that belong together."""

    def __init__(self, parent: QWidget | None = None, tone: Tone = Tone.PLAIN) -> None:
        super().__init__(parent)
        self._tone = tone

    def set_tone(self, tone: Tone) -> None:
        self._tone = tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = looks()
        fill, border = colours.raised, colours.border
        if self._tone not in (Tone.PLAIN, Tone.MUTED):
            tint = colours.tone(self._tone)
            fill = blend(colours.raised, tint, 0.10)
            border = blend(colours.border, tint, 0.45)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(border)
        painter.setBrush(fill)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.end()


_SIGNS = {Tone.PLAIN: "i", Tone.MUTED: "i", Tone.GOOD: "✓", Tone.WARNING: "!", Tone.BAD: "✕"}


class Sign(QWidget):
    """A round sign in the colour of its tone; decoration, so without an accessible name."""

    def __init__(self, tone: Tone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_tone(self, tone: Tone) -> None:
        self._tone = tone
        self.update()

    def sizeHint(self) -> QSize:
        side = self.fontMetrics().height() + 2
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = looks()
        tint = colours.muted if self._tone is Tone.PLAIN else colours.tone(self._tone)
        painter = QPainter(self)
        draw_sign(painter, QRectF(self.rect()), _SIGNS[self._tone], tint, blend(colours.window, tint, 0.18))
        painter.end()


def draw_sign(painter: QPainter, rect: QRectF, text: str, ink: QColor, fill: QColor) -> None:
    """A filled circle within `rect` with one or two characters in it."""
    side = min(rect.width(), rect.height()) - 1.0
    circle = QRectF(0, 0, side, side)
    circle.moveCenter(rect.center())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawEllipse(circle)
    painter.setPen(ink)
    painter.setFont(scaled_font(painter.font(), 0.86, QFont.Weight.Bold))
    painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


class Note(QWidget):
    """A sentence with a sign before it."""

    def __init__(self, text: str = "", tone: Tone = Tone.MUTED, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = Sign(tone, self)
        self._label = ToneLabel(text, tone, self)
        self._label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._label.setContentsMargins(0, 1, 0, 0)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING)
        layout.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._label, 1)
        self.setAccessibleName(text)

    def text(self) -> str:
        return self._label.text()

    def show_text(self, text: str, tone: Tone | None = None) -> None:
        """Show `text`, or hide the note when it is empty."""
        if tone is not None:
            self._sign.set_tone(tone)
            self._label.set_tone(tone)
        self._label.setText(text)
        self.setAccessibleName(text)
        self.setVisible(bool(text))
