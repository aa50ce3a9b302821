"""The line above everything else: trusted or not, who says so, how fresh that is, and that it is emulated."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.domain.event import Severity
from confvm_gui.fleet.attest.baseline import unsigned
from confvm_gui.ui.icons import role_pixmap
from confvm_gui.ui.models.attestation_words import format_word, occasion_word
from confvm_gui.ui.models.counted_words import counted
from confvm_gui.ui.models.freshness import ago
from confvm_gui.ui.models.verdicts_model import verdict_mark
from confvm_gui.ui.text import breakable, moment, translate
from confvm_gui.ui.theme import UNIT, theme_controller

_NARROW = 600
"""Pixels of width below which the buttons stand below the title."""


@dataclass(frozen=True, slots=True)
class HeadlineWords:
    """What a headline says."""

    title: str
    text: str
    icon: str
    role: str
    """Colour role of icon and title."""
    emulated: bool = False
    stale: bool = False


def record_words(record: AttestationRecord, *, stale: bool = False, past: bool = False) -> HeadlineWords:
    """The headline of a record; `past` for one that is not the newest."""
    verdict = record.verdict
    errors = sum(finding.severity is Severity.ERROR for finding in verdict.findings)
    warnings = sum(finding.severity is Severity.WARNING for finding in verdict.findings)
    mark = verdict_mark(verdict.trusted)
    title = translate("Headline", "Trusted") if verdict.trusted else translate("Headline", "Not trusted")
    if unsigned(verdict):
        title, mark = translate("Headline", "Not signed"), ("unknown", "muted")
    if past:
        title = translate("Headline", "Earlier: {verdict}").format(verdict=title)
    given = format_word(verdict.format)
    if record.by:
        given = translate("Headline", "{form} from {who}").format(form=given, who=breakable(record.by))
    lines = [
        translate("Headline", "{given} · verified {ago} ({moment}) · {why}").format(
            given=given, ago=ago(record.at), moment=moment(record.at), why=occasion_word(record.occasion).lower()
        )
    ]
    lines.append(counted().problems(errors, warnings) or translate("Headline", "Nothing speaks against it"))
    if verdict.emulated:
        proves = translate("Headline", "Its root is emulated: this is a rehearsal and proves nothing about hardware.")
        lines[-1] += f" · {proves}"
    return HeadlineWords(title, "\n".join(lines), *mark, verdict.emulated, stale)


class Headline(QFrame):
    """An icon, the verdict, what it stands on, and at the right (or below) what can be done."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attestation-headline")
        self.setProperty("kind", "card")
        self._words = HeadlineWords("", "", "unknown", "muted")
        self._picture = QLabel()
        self._picture.setFixedSize(36, 36)
        self.title = QLabel()
        self.title.setObjectName("headline-title")
        self.title.setProperty("kind", "title")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.emulated = self._pill("headline-emulated", self.tr("Emulated"))
        self.emulated.setToolTip(self.tr("Made by emulated hardware: a rehearsal, not a proof about hardware"))
        self.stale = self._pill("headline-stale", self.tr("Stale"))
        self.stale.setToolTip(self.tr("Verified too long ago: ask for fresh evidence"))
        self.text = QLabel()
        self.text.setObjectName("headline-text")
        self.text.setProperty("kind", "muted")
        self.text.setWordWrap(True)
        self.text.setMinimumWidth(120)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        first = QHBoxLayout()
        first.setSpacing(UNIT)
        first.addWidget(self.title)
        first.addWidget(self.emulated)
        first.addWidget(self.stale)
        first.addStretch(1)
        self.buttons = QHBoxLayout()
        """For the owner's buttons."""
        self.buttons.setSpacing(UNIT)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(UNIT)
        self._row.addLayout(first, 1)
        self._row.addLayout(self.buttons)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addLayout(self._row)
        words.addWidget(self.text)
        columns = QHBoxLayout(self)
        columns.setContentsMargins(UNIT * 2, UNIT, UNIT * 2, UNIT + 2)
        columns.setSpacing(UNIT + 4)
        columns.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        columns.addLayout(words, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        theme_controller().changed.connect(self._draw)

    @staticmethod
    def _pill(name: str, text: str) -> QLabel:
        pill = QLabel(text)
        pill.setObjectName(name)
        pill.setProperty("kind", "pill")
        pill.setProperty("tone", "warning")
        pill.hide()
        return pill

    def say(self, words: HeadlineWords) -> None:
        """Show other words."""
        if words == self._words:
            return
        self._words = words
        self.title.setText(words.title)
        self.text.setText(words.text)
        self.text.setVisible(bool(words.text))
        self.emulated.setVisible(words.emulated)
        self.stale.setVisible(words.stale)
        marks = [self.tr("Emulated")] if words.emulated else []
        marks += [self.tr("Stale")] if words.stale else []
        self.setAccessibleName(". ".join([words.title, *marks, words.text]))
        self._draw()

    def _draw(self) -> None:
        picture = role_pixmap(self._words.icon or "unknown", self._words.role, 34, self.devicePixelRatioF())
        self._picture.setPixmap(picture)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        directions = QBoxLayout.Direction
        narrow = event.size().width() < _NARROW
        self._row.setDirection(directions.TopToBottom if narrow else directions.LeftToRight)
