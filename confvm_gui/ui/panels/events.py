"""The audit log: of one instance, or of everything."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
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

from confvm_gui.domain.event import AuditRecord, AuditVerdict, Event
from confvm_gui.domain.instance import Instance
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

    With `everything` it shows the whole log, else that of the instance.
    """

    def __init__(self, session: FleetSession, parent: QWidget | None = None, *, everything: bool = False) -> None:
        super().__init__(session, parent)
        self.setObjectName("events-panel")
        self._everything = everything
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
        top = QHBoxLayout()
        top.setSpacing(UNIT)
        top.addWidget(self.search, 1)
        top.addWidget(self.verify)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT + 4, 0, UNIT)
        rows.setSpacing(UNIT)
        rows.addLayout(top)
        rows.addWidget(self.verdict)
        rows.addWidget(self._stack, 1)
        rows.addWidget(self.count, 0, Qt.AlignmentFlag.AlignLeft)
        verdict_rows = self.verdict.layout()
        if verdict_rows is not None:
            verdict_rows.setContentsMargins(0, 0, 0, 0)
        self._again.timeout.connect(self._read_newest)
        self.search.textChanged.connect(self._search_changed)
        self.verify.clicked.connect(self.verify_chain)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.subscriptions.add(session.events.changes, self._event_came)

    def show_instance(self, instance: Instance | None) -> None:
        self.model.clear()
        self.tasks.cancel("newest")
        self.tasks.cancel("older")
        if instance is not None and self.isVisible():
            self._read_newest()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._read_newest()

    def _event_came(self, event: Event) -> None:
        concerns = self._everything or event.subject == self.instance_id
        if concerns and self.isVisible() and not self._again.isActive():
            self._again.start()

    def _search_changed(self) -> None:
        self.model.clear()
        self._again.start()

    def _read_newest(self) -> None:
        if not self._everything and not self.instance_id:
            return
        self.tasks.start("newest", self._read(None), on_done=self._put_newest)

    async def _read(self, before: int | None) -> Sequence[AuditRecord]:
        return await self.session.events.read(
            limit=PAGE,
            before=before,
            subject=None if self._everything else self.instance_id,
            text=self.search.text().strip(),
        )

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
        if self.search.text().strip():
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
            text = text.format(head=f"{verdict.head[:16]}…" if verdict.head else "–")
            self.verdict.put("verdict", Banner(Tone.SUCCESS, text))
        else:
            text = self.tr("The log does not hold from record {record} on: {reason}")
            text = text.format(
                record=verdict.first_bad if verdict.first_bad is not None else "?", reason=verdict.reason
            )
            self.verdict.put("verdict", Banner(Tone.ERROR, text))

    def _verify_failed(self, problem: str) -> None:
        self.verify.setEnabled(True)
        self.verdict.put("verdict", Banner(Tone.ERROR, problem))
