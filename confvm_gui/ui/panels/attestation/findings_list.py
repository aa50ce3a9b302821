"""The findings of a verdict as cards, what matters most first, with what was expected and found in full."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from confvm_gui.domain.attestation import Finding
from confvm_gui.domain.event import Severity
from confvm_gui.ui.icons import bind_icon, role_pixmap
from confvm_gui.ui.models.events_model import SEVERITY_MARKS, severity_word
from confvm_gui.ui.models.finding_sentences import finding_sentence
from confvm_gui.ui.panels.attestation.digest_compare import DigestCompare, nearest
from confvm_gui.ui.text import breakable
from confvm_gui.ui.theme import UNIT, monospace_font, theme_controller

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_AT_ONCE = 6
"""Cards made in one turn of the event loop, about 10 ms."""
_FIRST = 40
"""Cards that are shown unasked; a button shows the others."""


class FindingCard(QFrame):
    """One finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setObjectName("finding")
        self.finding = finding
        sentence = finding_sentence(finding.code)
        self._mark = QLabel()
        self._mark.setFixedWidth(18)
        severity = QLabel(severity_word(finding.severity))
        severity.setProperty("kind", "pill")
        tones = {Severity.ERROR: "danger", Severity.WARNING: "warning", Severity.INFO: ""}
        severity.setProperty("tone", tones[finding.severity])
        where = QLabel(f"{finding.source}  ·  {finding.code}")
        where.setProperty("kind", "muted")
        where.setTextFormat(Qt.TextFormat.PlainText)
        where.setWordWrap(True)
        where.setMinimumWidth(80)
        what = QLabel(sentence)
        what.setWordWrap(True)
        what.setTextFormat(Qt.TextFormat.PlainText)
        what.setMinimumWidth(80)
        what.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy = QToolButton()
        copy.setToolTip(self.tr("Copy this finding"))
        copy.setAccessibleName(self.tr("Copy this finding"))
        bind_icon(copy, "copy", "muted")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text()))
        head = QHBoxLayout()
        head.setSpacing(UNIT)
        head.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(what)
        words.addWidget(where)
        head.addLayout(words, 1)
        head.addWidget(severity, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(copy, 0, Qt.AlignmentFlag.AlignTop)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT + 4, UNIT, UNIT, UNIT)
        rows.setSpacing(UNIT // 2)
        rows.addLayout(head)
        self._add_values(rows)
        self.setAccessibleName(f"{severity_word(finding.severity)}: {sentence}, {finding.source}")
        self._draw()
        theme_controller().changed.connect(self._draw)

    def _add_values(self, rows: QVBoxLayout) -> None:
        finding = self.finding
        closest = nearest(finding.expected, finding.actual)
        if closest:
            compare = DigestCompare(closest, finding.actual)
            note = QLabel(compare.summary)
            note.setProperty("kind", "muted")
            note.setContentsMargins(18 + UNIT, 0, 0, 0)
            framed = QHBoxLayout()
            framed.setContentsMargins(18 + UNIT, 0, 0, 0)
            framed.addWidget(compare)
            rows.addLayout(framed)
            rows.addWidget(note)
            others = [value for value in finding.expected.split(" or ") if value != closest]
            values = [(self.tr("or expected"), " ".join(others))] if others else []
        else:
            pairs = ((self.tr("expected"), finding.expected), (self.tr("found"), finding.actual))
            values = [(word, value) for word, value in pairs if value]
        if not values:
            return
        grid = QGridLayout()
        grid.setContentsMargins(18 + UNIT, 0, 0, 0)
        grid.setHorizontalSpacing(UNIT)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for row, (word, value) in enumerate(values):
            name = QLabel(word)
            name.setProperty("kind", "muted")
            shown = QLabel(breakable(value))
            shown.setFont(monospace_font())
            shown.setWordWrap(True)
            shown.setTextFormat(Qt.TextFormat.PlainText)
            shown.setMinimumWidth(80)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            shown.setAccessibleName(f"{word} {value}")
            grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(shown, row, 1)
        rows.addLayout(grid)

    def _draw(self) -> None:
        name, role = SEVERITY_MARKS[self.finding.severity]
        self._mark.setPixmap(role_pixmap(name, role, 18, self.devicePixelRatioF()))

    def text(self) -> str:
        """The finding for the clipboard, its code in front."""
        finding = self.finding
        lines = [f"{finding.code} ({finding.severity.value}): {finding.source}: {finding_sentence(finding.code)}"]
        words = ((self.tr("expected"), finding.expected), (self.tr("found"), finding.actual))
        lines += [f"  {word} {value}" for word, value in words if value]
        return "\n".join(lines)


class _Difference(QFrame):
    """Which input of the launch is another one: what a person asks first on a mismatch."""

    def __init__(self, differs: str) -> None:
        super().__init__()
        self.setObjectName("differs")
        self.setProperty("banner", "error")
        title = QLabel(self.tr("What differs"))
        title.setProperty("kind", "heading")
        text = QLabel(breakable(differs))
        text.setWordWrap(True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setMinimumWidth(80)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setAccessibleName(f"{title.text()}: {differs}")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT, UNIT * 2, UNIT + 2)
        rows.setSpacing(2)
        rows.addWidget(title)
        rows.addWidget(text)


class FindingsList(QWidget):
    """Cards, a few in each turn of the event loop, so that a hundred findings do not stop the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("findings")
        self._waiting: list[Finding] = []
        self._rest: list[Finding] = []
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(UNIT)
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._make_some)

    def show_findings(self, findings: Sequence[Finding], differs: str = "") -> None:
        """Replace everything: `differs` first, then errors, warnings, what one should know."""
        self._clear()
        if differs:
            self._rows.addWidget(_Difference(differs))
        ordered = sorted(findings, key=lambda finding: _ORDER[finding.severity])
        self._waiting, self._rest = ordered[:_FIRST], ordered[_FIRST:]
        if not ordered and not differs:
            nothing = QLabel(self.tr("Nothing speaks against it."))
            nothing.setProperty("kind", "muted")
            self._rows.addWidget(nothing)
        self._make_some()

    @property
    def complete(self) -> bool:
        """Whether all cards that are shown unasked are there."""
        return not self._waiting

    def _clear(self) -> None:
        self._turn.stop()
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._turn.stop()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._waiting:
            self._turn.start()

    def _make_some(self) -> None:
        chunk, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
        for finding in chunk:
            self._rows.addWidget(FindingCard(finding))
        if self._waiting:
            if self.isVisible():
                self._turn.start()
        elif self._rest:
            more = QPushButton(self.tr("Show %n more finding(s)", "", len(self._rest)))
            more.setObjectName("findings-more")
            more.setProperty("kind", "link")
            more.clicked.connect(lambda: self._show_rest(more))
            self._rows.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)

    def _show_rest(self, button: QPushButton) -> None:
        self._rows.removeWidget(button)
        button.hide()
        button.deleteLater()
        self._waiting, self._rest = self._rest, []
        self._make_some()
