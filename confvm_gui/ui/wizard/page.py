"""What every page of the wizard has in common."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from confvm_gui.domain.catalogue import Technology
from confvm_gui.ui.wizard.draft import Draft, Step
from confvm_gui.ui.wizard.looks import SPACING, Tone
from confvm_gui.ui.wizard.machine_table import short_technology


class WizardPage(QWidget):
    """One page. It is built when it is first visited, and redraws from the draft in `refresh`."""

    step: Step

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draft = draft
        self._stale = True
        draft.changed.connect(self._on_changed)

    def title(self) -> str:
        raise NotImplementedError

    def subtitle(self) -> str:
        """What the page is for, in one sentence."""
        raise NotImplementedError

    def first_field(self) -> QWidget:
        """What gets the focus when the page is entered."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Show what the draft says now."""
        raise NotImplementedError

    def enter(self) -> None:
        """The page becomes the current one."""
        if self._stale:
            self._stale = False
            self.refresh()

    def _on_changed(self) -> None:
        # A hidden page redraws when it is entered: a keystroke in one page does not pay for all others.
        if self.isVisible():
            self._stale = False
            self.refresh()
        else:
            self._stale = True


class Debounce(QObject):
    """Runs something once typing has paused, so that no keystroke waits for a list to be rebuilt."""

    def __init__(self, field: QLineEdit, milliseconds: int = 60) -> None:
        super().__init__(field)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(milliseconds)
        field.textChanged.connect(lambda _text: self.timer.start())


def search_field(name: str, placeholder: str, parent: QWidget) -> QLineEdit:
    """A search field above a list; the placeholder is also its accessible name."""
    field = QLineEdit(parent)
    field.setObjectName(name)
    field.setPlaceholderText(placeholder)
    field.setAccessibleName(placeholder)
    field.setClearButtonEnabled(True)
    return field


def field_label(text: str, buddy: QWidget, parent: QWidget) -> QLabel:
    """A label above a field, which also names it for screen readers."""
    label = QLabel(text, parent)
    label.setBuddy(buddy)
    buddy.setAccessibleName(text.replace("&", ""))
    return label


def scrolled(body: QWidget, page: QWidget) -> QScrollArea:
    """`body` in a frameless scroll area that follows its width, filling `page`."""
    area = QScrollArea(page)
    area.setWidget(body)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.viewport().setAutoFillBackground(False)
    body.setAutoFillBackground(False)
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(area)
    return area


def column(parent: QWidget, margin: int = 0, spacing: int = SPACING) -> QVBoxLayout:
    layout = QVBoxLayout(parent)
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(spacing)
    return layout


def technology_tone(technology: Technology) -> Tone:
    """The stronger ones stand out."""
    return Tone.GOOD if technology in (Technology.SEV_SNP, Technology.TDX) else Tone.PLAIN


__all__ = [
    "Debounce",
    "WizardPage",
    "column",
    "field_label",
    "scrolled",
    "search_field",
    "short_technology",
    "technology_tone",
]
