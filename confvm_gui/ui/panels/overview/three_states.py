"""The three states of data as a strip of cards: at rest, in transit, in use, each with what protects it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.ui.icons import role_pixmap
from confvm_gui.ui.text import technology_word, translate
from confvm_gui.ui.theme import UNIT, theme_controller


@dataclass(frozen=True, slots=True)
class Protection:
    """One card: what is claimed of one state of the data."""

    title: str
    verdict: str
    detail: str
    icon: str
    role: str
    """Colour role of icon and verdict."""


def protections(instance: Instance) -> tuple[Protection, Protection, Protection]:
    """What holds for an instance, in words that neither promise too much nor too little."""
    if not instance.confidential:
        in_transit = Protection(
            translate("ThreeStates", "In transit"),
            translate("ThreeStates", "Seen by the host"),
            translate("ThreeStates", "The hypervisor itself hands the disk's key to the guest"),
            "unlock",
            "warning",
        )
        in_use = Protection(
            translate("ThreeStates", "In use"),
            translate("ThreeStates", "Not encrypted"),
            translate("ThreeStates", "Memory is plain: whoever controls the host reads all of it"),
            "unlock",
            "danger",
        )
    else:
        technology = technology_word(instance.technology)
        in_transit = Protection(
            translate("ThreeStates", "In transit"),
            translate("ThreeStates", "Sealed to the guest"),
            translate("ThreeStates", "The disk's key reaches the guest only as a secret of its measured launch"),
            "key",
            "confidential",
        )
        detail = (
            translate("ThreeStates", "Memory is encrypted by an emulated {technology}; its key stays in the processor")
            if instance.emulated
            else translate("ThreeStates", "Memory is encrypted by {technology}; its key stays in the processor")
        )
        in_use = Protection(
            translate("ThreeStates", "In use"),
            translate("ThreeStates", "Encrypted"),
            detail.format(technology=technology),
            "lock",
            "confidential",
        )
    if instance.state in (InstanceState.STOPPED, InstanceState.CRASHED):
        in_use = Protection(
            translate("ThreeStates", "In use"),
            translate("ThreeStates", "Not running"),
            translate("ThreeStates", "There is no memory to protect; the next start launches and measures again")
            if instance.confidential
            else translate("ThreeStates", "There is no memory now; once it runs, the host can read all of it"),
            "stop",
            "muted",
        )
    at_rest = Protection(
        translate("ThreeStates", "At rest"),
        translate("ThreeStates", "Encrypted"),
        translate("ThreeStates", "A disk with records is AES-256-XTS under a key that your key store wraps"),
        "disk",
        "confidential",
    )
    return at_rest, in_transit, in_use


class _Card(QFrame):
    def __init__(self) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self._mark = QLabel()
        self._title = QLabel()
        self._title.setProperty("kind", "muted")
        self._verdict = QLabel()
        self._verdict.setProperty("kind", "heading")
        self._detail = QLabel()
        self._detail.setProperty("kind", "muted")
        self._detail.setWordWrap(True)
        self._detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        head = QHBoxLayout()
        head.setSpacing(UNIT)
        head.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._title)
        words.addWidget(self._verdict)
        head.addLayout(words, 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT + 4, UNIT + 2, UNIT + 4, UNIT + 2)
        rows.setSpacing(UNIT // 2)
        rows.addLayout(head)
        rows.addWidget(self._detail, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_protection(self, protection: Protection) -> None:
        self._mark.setPixmap(role_pixmap(protection.icon, protection.role, 24, self.devicePixelRatioF()))
        self._title.setText(protection.title)
        self._verdict.setText(protection.verdict)
        self._detail.setText(protection.detail)
        self.setAccessibleName(f"{protection.title}: {protection.verdict}. {protection.detail}")


class ThreeStates(QWidget):
    """Three cards joined by arrows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("three-states")
        self._instance: Instance | None = None
        self._cards = (_Card(), _Card(), _Card())
        self._arrows = (QLabel(), QLabel())
        row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(UNIT // 2)
        self._row = row
        for at, card in enumerate(self._cards):
            if at:
                row.addWidget(self._arrows[at - 1], 0, Qt.AlignmentFlag.AlignVCenter)
            row.addWidget(card, 1)
        theme_controller().changed.connect(self._draw)

    def set_stacked(self, on: bool) -> None:
        """One card below the other, for a narrow page."""
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if on else QBoxLayout.Direction.LeftToRight)
        for arrow in self._arrows:
            arrow.setHidden(on)

    def show_instance(self, instance: Instance) -> None:
        self._instance = instance
        self._draw()

    def _draw(self) -> None:
        if self._instance is None:
            return
        for arrow in self._arrows:
            arrow.setPixmap(role_pixmap("arrow", "muted", 16, self.devicePixelRatioF()))
        for card, protection in zip(self._cards, protections(self._instance), strict=True):
            card.show_protection(protection)
