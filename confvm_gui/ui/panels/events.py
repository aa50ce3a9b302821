"""The audit log: of one instance, or, as a part of the page `Events`, of everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.event import AuditFilter, AuditRecord, AuditVerdict, Event
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.banner import Banner, BannerStack, Tone
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.models.events_model import EventsModel
from confvm_gui.ui.panels.instance_panel import InstancePanel
from confvm_gui.ui.text import count_text
from confvm_gui.ui.theme import UNIT

PAGE = 200
"""Records read at once."""
_PAUSE_MS = 250


class EventsPanel(InstancePanel):
    """Newest first, older ones as one scrolls; a search; and a check of the whole hash chain.

    With `everything` it shows the whole log, or what `set_filter` leaves of it, else that of the instance.
    """

    selected = Signal(object)
    """The AuditRecord of the row that is current, None for none."""

    def __init__(self, session: FleetSession, parent: QWidget | None = None, *, everything: bool = False) -> None:
        super().__init__(session, parent)
        self.setObjectName("events-panel")
        self._everything = everything
        self._wanted = AuditFilter()
        self.model = EventsModel(self)
        self.table = QTableView()
        self.table.setObjectName("events-table")
        self.table.setAccessibleName(self.tr("Events"))
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.verticalHeader().setDefaultSectionSize(28)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        for column, width in enumerate((136, 88, 300, 168, 72, 52)):
            self.table.setColumnWidth(column, width)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.search = QLineEdit()
        self.search.setObjectName("events-search")
        self.search.setPlaceholderText(self.tr("Search messages and actions"))
        self.search.setAccessibleName(self.tr("Search events"))
        self.search.setClearButtonEnabled(True)
        self.verify = QPushButton(self.tr("Verify the chain"))
        self.verify.setObjectName("events-verify")
        self.verify.setToolTip(self.tr("Recompute the hash of every record of the whole log"))
        bind_icon(self.verify, "shield", "confidential")
        self.verdict = BannerStack()
        self.count = QLabel()
        self.count.setProperty("kind", "muted")
        self._empty = EmptyState(
            "events", self.tr("No events"), self.tr("Everything that happens to instances is recorded here.")
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._empty)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_PAUSE_MS)
        self.top = QHBoxLayout()
        self.top.setSpacing(UNIT)
        self.top.addWidget(self.search, 1)
        self.top.addWidget(self.verify)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT + 4, 0, UNIT)
        rows.setSpacing(UNIT)
        rows.addLayout(self.top)
        rows.addWidget(self.verdict)
        rows.addWidget(self._stack, 1)
        rows.addWidget(self.count, 0, Qt.AlignmentFlag.AlignLeft)
        verdict_rows = self.verdict.layout()
        if verdict_rows is not None:
            verdict_rows.setContentsMargins(0, 0, 0, 0)
        self._again.timeout.connect(self._read_newest)
        self.search.textChanged.connect(self._begin_anew)
        self.verify.clicked.connect(self.verify_chain)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.table.selectionModel().currentRowChanged.connect(self._current_changed)
        self.subscriptions.add(session.events.changes, self._event_came)

    def show_instance(self, instance: Instance | None) -> None:
        self.model.clear()
        self.tasks.cancel("newest")
        self.tasks.cancel("older")
        if instance is not None and self.isVisible():
            self._read_newest()

    def set_filter(self, wanted: AuditFilter) -> None:
        """Show what satisfies it; the text of the search is asked for as well."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._begin_anew()

    @property
    def wanted(self) -> AuditFilter:
        """What is shown."""
        subject = self._wanted.subject if self._everything else self.instance_id
        return replace(self._wanted, subject=subject, text=self.search.text().strip())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._read_newest()

    def _event_came(self, event: Event) -> None:
        concerns = self._everything or event.subject == self.instance_id
        if concerns and self.isVisible() and not self._again.isActive():
            self._again.start()

    def _begin_anew(self) -> None:
        self.model.clear()
        self.selected.emit(None)
        self._again.start()

    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        self.selected.emit(self.model.record(current.row()) if current.isValid() else None)

    def _read_newest(self) -> None:
        if not self._everything and not self.instance_id:
            return
        denied = self.session.access.reason_denied(Permission.READ_AUDIT)
        self.search.setEnabled(not denied)
        if denied:
            self.model.clear()
            self._empty.set_texts(self.tr("The audit log is not for your role"), denied)
            self._stack.setCurrentWidget(self._empty)
            self.count.hide()
            return
        self.tasks.start("newest", self._read(None), on_done=self._put_newest)

    async def _read(self, before: int | None) -> Sequence[AuditRecord]:
        return await self.session.events.search(self.wanted, limit=PAGE, before=before)

    def _put_newest(self, records: Sequence[AuditRecord]) -> None:
        self.model.put_newest(records, PAGE)
        self._show_counts()

    def _put_older(self, records: Sequence[AuditRecord]) -> None:
        self.model.put_older(records, PAGE)
        self._show_counts()

    def _scrolled(self, value: int) -> None:
        bar = self.table.verticalScrollBar()
        near_end = value >= bar.maximum() - bar.pageStep()
        if near_end and self.model.has_more and not self.tasks.is_running("older"):
            self.tasks.start("older", self._read(self.model.oldest), on_done=self._put_older)

    def _show_counts(self) -> None:
        rows = self.model.rowCount()
        text = self.tr("%n event(s)", "", rows).replace(str(rows), count_text(rows))
        if self.model.has_more:
            text += " " + self.tr("loaded; scroll down for older ones")
        self.count.setText(text)
        self.count.setVisible(rows > 0)
        if self.search.text().strip() or self._wanted != AuditFilter():
            self._empty.set_texts(self.tr("No event matches"), self.tr("Change or clear the search."))
        else:
            self._empty.set_texts(
                self.tr("No events"), self.tr("Everything that happens to instances is recorded here.")
            )
        self._stack.setCurrentWidget(self.table if rows else self._empty)

    # The chain

    def verify_chain(self) -> None:
        """Check every record of the log, not only those shown."""
        self.verify.setEnabled(False)
        self.tasks.start(
            "verify", self.session.events.verify(), on_done=self._show_verdict, on_error=self._verify_failed
        )

    def _show_verdict(self, verdict: AuditVerdict) -> None:
        self.verify.setEnabled(True)
        if verdict.intact:
            text = self.tr("The log is intact: all %n record(s) hold, up to hash {head}.", "", verdict.records)
            words = [text.format(head=verdict.head[:16] or "–")]
            if verdict.key:
                signed = self.tr("Signatures hold up to record {record}; the key is {key}.")
                words.append(signed.format(record=count_text(verdict.signed_to), key=verdict.key[:16]))
            words += [f"{note.rstrip('.')}." for note in verdict.notes]
            self.verdict.put("verdict", Banner(Tone.WARNING if verdict.notes else Tone.SUCCESS, " ".join(words)))
        else:
            text = self.tr("The log does not hold from record {record} on: {reason}")
            text = text.format(
                record=verdict.first_bad if verdict.first_bad is not None else "?", reason=verdict.reason
            )
            self.verdict.put("verdict", Banner(Tone.ERROR, text))

    def _verify_failed(self, problem: str) -> None:
        self.verify.setEnabled(True)
        self.verdict.put("verdict", Banner(Tone.ERROR, problem))
