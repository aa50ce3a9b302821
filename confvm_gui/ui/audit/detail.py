"""One record of the audit log, whole: who, from where, what, before and after, and its place in the chain."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.event import AuditRecord, Origin
from confvm_gui.fleet.audit.records import utc
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.audit.changes import changed_rows, detail_rows
from confvm_gui.ui.audit.filter_bar import outcome_word
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.text import breakable, moment
from confvm_gui.ui.theme import UNIT


class RecordDetail(QFrame):
    """Emits `closed` when it is put away."""

    closed = Signal()

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setObjectName("events-detail")
        self.setProperty("kind", "card")
        self.setMinimumWidth(280)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.viewport().setAutoFillBackground(False)
        self._title = QLabel()
        self._title.setProperty("kind", "heading")
        self._close = QToolButton()
        self._close.setObjectName("events-detail-close")
        self._close.setAccessibleName(self.tr("Close the event"))
        self._close.setToolTip(self.tr("Close the event"))
        bind_icon(self._close, "close", "muted")
        self._close.clicked.connect(self.closed)
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(self._close)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT + 4, UNIT, UNIT // 2, UNIT)
        rows.addLayout(top)
        rows.addWidget(self._area, 1)
        self.record: AuditRecord | None = None
        """What is shown."""

    def show_record(self, record: AuditRecord) -> None:
        """Show another one."""
        self.record = record
        event = record.event
        self._title.setText(self.tr("Event {number}").format(number=record.sequence))
        body = QWidget()
        body.setObjectName("scrolled")
        body.setAutoFillBackground(False)
        rows = QVBoxLayout(body)
        rows.setContentsMargins(0, 0, UNIT, 0)
        rows.setSpacing(UNIT + 2)
        rows.addWidget(_text(event.message, "events-detail-message"))
        facts = self._form(rows)
        self._fact(facts, self.tr("When"), f"{moment(event.at)}\n{utc(event.at)}")
        self._fact(facts, self.tr("Who"), event.actor)
        self._fact(facts, self.tr("From"), "" if event.origin is None else self._from(event.origin))
        self._fact(facts, self.tr("Action"), event.action)
        self._fact(facts, self.tr("Outcome"), outcome_word(event.outcome))
        self._fact(facts, self.tr("About"), self._subject(event.subject))
        changes = changed_rows(event.before, event.after)
        if changes:
            self._section(rows, self.tr("What changed"))
            rows.addWidget(self._changes(changes))
        details = detail_rows(event.detail)
        if details:
            self._section(rows, self.tr("Details"))
            form = self._form(rows)
            for name, value in details:
                self._fact(form, name, value)
        self._section(rows, self.tr("In the chain"))
        chain = self._form(rows)
        self._fact(chain, self.tr("Hash"), record.hash)
        self._fact(chain, self.tr("Before it"), record.previous_hash)
        rows.addStretch(1)
        self._area.setWidget(body)

    def _from(self, origin: Origin) -> str:
        user = origin.user if origin.uid is None else f"{origin.user} ({origin.uid})"
        via = self.tr("the window") if origin.via == "window" else self.tr("the command line")
        words = self.tr("{user} on {host}, by {via}, process {process}")
        said = words.format(user=user, host=origin.host, via=via, process=origin.process)
        return f"{said}, {origin.terminal}" if origin.terminal else said

    def _subject(self, subject: str) -> str:
        try:
            return f"{self._session.inventory.get(subject).name}\n{subject}" if subject else ""
        except NotFound:
            return subject

    def _changes(self, changes: list[tuple[str, str, str]]) -> QWidget:
        table = QWidget()
        table.setObjectName("events-detail-changes")
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(UNIT)
        grid.setVerticalSpacing(UNIT - 2)
        for column, words in ((1, self.tr("Before")), (2, self.tr("After"))):
            grid.addWidget(_muted(words), 0, column)
        for row, (name, before, after) in enumerate(changes, 1):
            grid.addWidget(_muted(name), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(_text(before, f"before-{name}"), row, 1)
            grid.addWidget(_text(after, f"after-{name}"), row, 2)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        return table

    @staticmethod
    def _section(rows: QVBoxLayout, words: str) -> None:
        label = QLabel(words)
        label.setProperty("kind", "heading")
        rows.addWidget(label)

    @staticmethod
    def _form(rows: QVBoxLayout) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(UNIT + 4)
        grid.setVerticalSpacing(UNIT - 2)
        grid.setColumnStretch(1, 1)
        rows.addLayout(grid)
        return grid

    @staticmethod
    def _fact(grid: QGridLayout, name: str, value: str) -> None:
        if value:
            row = grid.rowCount()
            grid.addWidget(_muted(name), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(_text(value, f"fact-{name}"), row, 1)


def _muted(words: str) -> QLabel:
    label = QLabel(breakable(words))
    label.setProperty("kind", "muted")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setMinimumWidth(64)
    return label


def _text(words: str, name: str) -> QLabel:
    label = QLabel(breakable(words))
    label.setObjectName(name)
    label.setAccessibleName(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label
