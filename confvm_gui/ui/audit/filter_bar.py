"""What of the log is shown: who, what, how it ended, which instance, when."""

from __future__ import annotations

import time

from PySide6.QtCore import QDate, QDateTime, Qt, QTime, Signal
from PySide6.QtWidgets import QComboBox, QDateEdit, QHBoxLayout, QLabel, QPushButton, QWidget

from confvm_gui.domain.event import AuditFilter, AuditRecord, EventOutcome
from confvm_gui.fleet.audit.actions import ACTIONS
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.page import Debounce

_HOUR = 3600.0
_BETWEEN = -1.0
_MOST_NAMES = 200
"""In a list to choose from; any other can be typed."""


class FilterBar(QWidget):
    """Emits `changed` when something else is wanted."""

    changed = Signal()

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.who = self._typed("events-who", self.tr("Who"), self.tr("Anybody"))
        self.action = self._typed("events-action", self.tr("Action"), self.tr("Any action"))
        for prefix, words in self._areas():
            if any(action.startswith(prefix) for action in ACTIONS):
                self.action.addItem(words, prefix)
        self.action.setCurrentIndex(-1)
        self.outcome = self._chosen("events-outcome", self.tr("Outcome"))
        self.outcome.addItem(self.tr("Any outcome"), "")
        for outcome in EventOutcome:
            self.outcome.addItem(outcome_word(outcome), outcome.value)
        self.instance = self._typed("events-instance", self.tr("Instance"), self.tr("Any instance"))
        self.span = self._chosen("events-span", self.tr("Time"))
        for words, seconds in (
            (self.tr("Any time"), 0.0),
            (self.tr("Last hour"), _HOUR),
            (self.tr("Last 24 hours"), 24 * _HOUR),
            (self.tr("Last 7 days"), 7 * 24 * _HOUR),
            (self.tr("Last 30 days"), 30 * 24 * _HOUR),
            (self.tr("Between two days"), _BETWEEN),
        ):
            self.span.addItem(words, seconds)
        today = QDate.currentDate()
        self.first_day = self._day("events-first-day", self.tr("First day"), today.addDays(-7))
        self.last_day = self._day("events-last-day", self.tr("Last day"), today)
        self._until = QLabel("–")
        self.clear = QPushButton(self.tr("Clear"))
        self.clear.setObjectName("events-clear")
        self.clear.setToolTip(self.tr("Show all events again"))
        bind_icon(self.clear, "close", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(UNIT)
        for widget, stretch in (
            (self.who, 3),
            (self.action, 4),
            (self.outcome, 0),
            (self.instance, 4),
            (self.span, 0),
            (self.first_day, 0),
            (self._until, 0),
            (self.last_day, 0),
            (self.clear, 0),
        ):
            row.addWidget(widget, stretch)
        for box in (self.outcome, self.span):
            box.currentIndexChanged.connect(self._tell)
        for day in (self.first_day, self.last_day):
            day.dateChanged.connect(self._tell)
        self.clear.clicked.connect(self.reset)
        self._tell()

    @property
    def wanted(self) -> AuditFilter:
        """What is asked for; the text is not asked for here."""
        since, until = self._times()
        outcome = self.outcome.currentData()
        return AuditFilter(
            since=since,
            until=until,
            actor=self.who.currentText().strip(),
            action=self._prefix(),
            subject=self._subject(),
            outcomes=frozenset({EventOutcome(outcome)}) if outcome else frozenset(),
        )

    def reset(self) -> None:
        """Everything again."""
        self.blockSignals(True)
        for box in (self.who, self.action, self.instance):
            box.setCurrentIndex(-1)
            box.clearEditText()
        self.outcome.setCurrentIndex(0)
        self.span.setCurrentIndex(0)
        self.blockSignals(False)
        self._tell()

    def refresh(self) -> None:
        """Offer the instances that there are now."""
        names = sorted({instance.name for instance in self._session.inventory.all()})[:_MOST_NAMES]
        self._offer(self.instance, names)

    def note_people(self, records: list[AuditRecord]) -> None:
        """Offer who is in these records, beside those that have a role."""
        people = {record.event.actor for record in records}
        self._offer(self.who, sorted(people | set(self._session.access.assignments.users))[:_MOST_NAMES])

    # Inside

    def _times(self) -> tuple[float | None, float | None]:
        seconds = self.span.currentData()
        if seconds == _BETWEEN:
            first, last = sorted((self.first_day.date(), self.last_day.date()))
            return _begin_of(first), _begin_of(last.addDays(1))
        return (time.time() - seconds if seconds else None), None

    def _prefix(self) -> str:
        text = self.action.currentText().strip()
        known = self.action.findText(text, Qt.MatchFlag.MatchExactly)
        return str(self.action.itemData(known)) if known >= 0 else text

    def _subject(self) -> str | None:
        """The id of the instance; what is no name may be the id of one that is gone."""
        text = self.instance.currentText().strip()
        if not text:
            return None
        found = [instance.id for instance in self._session.inventory.all() if instance.name == text]
        return found[0] if found else text

    def _tell(self) -> None:
        between = self.span.currentData() == _BETWEEN
        for widget in (self.first_day, self._until, self.last_day):
            widget.setVisible(between)
        self.clear.setEnabled(self.wanted != AuditFilter())
        self.changed.emit()

    def _typed(self, name: str, words: str, anything: str) -> QComboBox:
        box = self._chosen(name, words)
        box.setEditable(True)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        box.setMinimumContentsLength(7)
        edit = box.lineEdit()
        assert edit is not None
        edit.setPlaceholderText(anything)
        edit.setAccessibleName(words)
        edit.setClearButtonEnabled(True)
        Debounce(edit, 200).timer.timeout.connect(self._tell)
        return box

    @staticmethod
    def _chosen(name: str, words: str) -> QComboBox:
        box = QComboBox()
        box.setObjectName(name)
        box.setAccessibleName(words)
        box.setToolTip(words)
        return box

    @staticmethod
    def _day(name: str, words: str, day: QDate) -> QDateEdit:
        edit = QDateEdit(day)
        edit.setObjectName(name)
        edit.setAccessibleName(words)
        edit.setToolTip(words)
        edit.setCalendarPopup(True)
        return edit

    @staticmethod
    def _offer(box: QComboBox, names: list[str]) -> None:
        """Other names to choose from; what is typed stays, and nobody is told."""
        if [box.itemText(index) for index in range(box.count())] == names:
            return
        text = box.currentText()
        edit = box.lineEdit()
        assert edit is not None
        was = edit.blockSignals(True)
        box.clear()
        box.addItems(names)
        box.setCurrentIndex(-1)
        edit.setText(text)
        edit.blockSignals(was)

    def _areas(self) -> tuple[tuple[str, str], ...]:
        return (
            ("operation.", self.tr("Operations")),
            ("instance.", self.tr("States of instances")),
            ("memory.", self.tr("Memory looked at")),
            ("guest.", self.tr("Guests asked")),
            ("exposure.", self.tr("Exposure scans")),
            ("attestation.", self.tr("Attestation")),
            ("integrity.", self.tr("Integrity")),
            ("key.", self.tr("Keys")),
            ("release.", self.tr("Secrets released")),
            ("policy.", self.tr("Guardrails")),
            ("approval.", self.tr("Approvals")),
            ("role.", self.tr("Roles")),
            ("access.", self.tr("Access denied")),
            ("host.", self.tr("Hosts")),
            ("account.", self.tr("Cloud accounts")),
            ("image.", self.tr("Images")),
            ("setting.", self.tr("Settings")),
            ("audit.", self.tr("The log itself")),
        )


def outcome_word(outcome: EventOutcome) -> str:
    """In the user's language."""
    from confvm_gui.ui.text import translate

    return {
        EventOutcome.SUCCESS: translate("EventOutcome", "Success"),
        EventOutcome.FAILURE: translate("EventOutcome", "Failure"),
        EventOutcome.DENIED: translate("EventOutcome", "Denied"),
        EventOutcome.PENDING: translate("EventOutcome", "Pending"),
    }[outcome]


def _begin_of(day: QDate) -> float:
    return float(QDateTime(day, QTime(0, 0)).toSecsSinceEpoch())
