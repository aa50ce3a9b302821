"""Overview of one instance."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.event import AuditRecord, Event
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.ports.provider import CanMigrate
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.banner import Banner, Tone
from confvm_gui.ui.guardrails.instance_card import ComplianceCard
from confvm_gui.ui.icons import role_pixmap
from confvm_gui.ui.models.events_model import SEVERITY_MARKS
from confvm_gui.ui.panels.instance_panel import InstancePanel
from confvm_gui.ui.panels.overview.facts import FactsCard
from confvm_gui.ui.panels.overview.query_box import QueryBox
from confvm_gui.ui.panels.overview.snapshots import SnapshotsCard
from confvm_gui.ui.panels.overview.three_states import ThreeStates, look_up
from confvm_gui.ui.text import breakable, moment
from confvm_gui.ui.theme import UNIT

_LATEST = 6
_NARROW = 660
"""Pixels of width below which everything stands in one column."""


class OverviewPanel(InstancePanel):
    """Facts, the three states of data, questions to the guest, latest events."""

    all_events_wanted = Signal()
    memory_wanted = Signal()

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.facts = FactsCard(session.catalog)
        self.states = ThreeStates()
        self.states.memory_wanted.connect(self.memory_wanted)
        self.query = QueryBox(session, self.tasks)
        self.snapshots = SnapshotsCard(session, self.tasks)
        self.compliance = ComplianceCard(session.guard)
        self._notice = QVBoxLayout()
        self._notice_text = ""
        self._latest = QVBoxLayout()
        self._latest.setSpacing(6)
        content = QWidget()
        content.setObjectName("scrolled")
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, UNIT + 4, 0, UNIT)
        rows.setSpacing(UNIT + 4)
        rows.addLayout(self._notice)
        rows.addWidget(self.states)
        left = QVBoxLayout()
        left.setSpacing(UNIT + 4)
        left.addWidget(self.facts)
        left.addWidget(self.compliance)
        left.addWidget(self.snapshots)
        left.addWidget(self._make_latest(), 1)
        self._middle = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._middle.setSpacing(UNIT + 4)
        self._middle.addLayout(left, 1)
        self._middle.addWidget(self.query, 1)
        rows.addLayout(self._middle, 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        area.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self.subscriptions.add(session.events.changes, self._event_came)
        self.subscriptions.add(session.jobs.changes, self.snapshots.operation_changed)
        self.subscriptions.add(session.guard.changes, lambda _: self.compliance.show_again())

    def _make_latest(self) -> QFrame:
        card = QFrame()
        card.setProperty("kind", "card")
        card.setObjectName("latest-events")
        title = QLabel(self.tr("Latest events"))
        title.setProperty("kind", "heading")
        more = QPushButton(self.tr("All events"))
        more.setProperty("kind", "link")
        more.clicked.connect(self.all_events_wanted)
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(more)
        rows = QVBoxLayout(card)
        rows.setContentsMargins(UNIT * 2, UNIT + 4, UNIT * 2, UNIT + 4)
        rows.setSpacing(UNIT)
        rows.addLayout(head)
        rows.addLayout(self._latest)
        rows.addStretch(1)
        return card

    def show_instance(self, instance: Instance | None) -> None:
        self.tasks.cancel("latest events")
        self.tasks.cancel("three states")
        self.query.show_instance(instance)
        self.snapshots.show_instance(instance)
        self._show_events([])
        if instance is not None:
            self._show(instance)
            self._read_events()
            self._look_up_states()

    def update_instance(self, instance: Instance) -> None:
        self.query.update_instance(instance)
        self.snapshots.update_instance(instance)
        self._show(instance)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        instance = self.instance()
        if instance is not None:
            self.query.update_instance(instance)
            self.query.learn_columns()
            self.snapshots.read()
            self._read_events()
            self._look_up_states()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = event.size().width() < _NARROW
        directions = QBoxLayout.Direction
        self._middle.setDirection(directions.TopToBottom if narrow else directions.LeftToRight)
        self.states.set_stacked(narrow)

    def _show(self, instance: Instance) -> None:
        self.facts.show_instance(instance, self._host_title(instance))
        self.compliance.show_instance(instance)
        self.states.show_instance(instance)
        self._show_notice(instance)

    def _show_notice(self, instance: Instance) -> None:
        tone, text = Tone.INFO, ""
        if instance.state is InstanceState.CRASHED:
            tone = Tone.ERROR
            text = instance.state_reason or self.tr("The guest crashed; start it again or look at its console.")
        elif instance.emulated and instance.runs:
            text = self.tr(
                "A rehearsal: on emulated hardware, the built-in {runs} guest runs in place of {image}. The encryption "
                "of its memory is real; this computer's own security is not proven."
            ).format(runs=instance.runs, image=self._image_title(instance))
        elif instance.emulated:
            text = self.tr("A rehearsal: the hardware is emulated by this computer.")
        if text == self._notice_text:
            return
        self._notice_text = text
        while (item := self._notice.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if text:
            self._notice.addWidget(Banner(tone, text, dismissable=False))

    def _host_title(self, instance: Instance) -> str:
        provider = self.session.providers.get(instance.provider)
        if provider is None or not isinstance(provider, CanMigrate):
            return instance.host
        return next((host.title for host in provider.hosts() if host.name == instance.host), instance.host)

    def _image_title(self, instance: Instance) -> str:
        try:
            return self.session.catalog.image(instance.cloud, instance.image).title
        except NotFound:
            return instance.image

    # Events

    def _event_came(self, event: Event) -> None:
        if event.subject == self.instance_id and self.isVisible():
            self._read_events()
            self._look_up_states()

    def _look_up_states(self) -> None:
        if self.isVisible() and not self.tasks.is_running("three states"):
            known = look_up(self.session, self.instance_id)
            self.tasks.start("three states", known, on_done=self.states.show_known)

    def _read_events(self) -> None:
        if self.isVisible() and not self.tasks.is_running("latest events"):
            denied = self.session.access.reason_denied(Permission.READ_AUDIT)
            if denied:
                self._show_events((), denied)
                return
            read = self.session.events.read(limit=_LATEST, subject=self.instance_id)
            self.tasks.start("latest events", read, on_done=self._show_events)

    def _show_events(self, records: Sequence[AuditRecord], denied: str = "") -> None:
        while (item := self._latest.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for record in records:
            self._latest.addWidget(self._event_row(record))
        if not records:
            nothing = QLabel(denied or self.tr("Nothing has happened yet."))
            nothing.setWordWrap(True)
            nothing.setProperty("kind", "muted")
            self._latest.addWidget(nothing)

    def _event_row(self, record: AuditRecord) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(UNIT)
        name, role = SEVERITY_MARKS[record.event.severity]
        mark = QLabel()
        mark.setPixmap(role_pixmap(name, role, 16, self.devicePixelRatioF()))
        when = QLabel(moment(record.event.at))
        when.setProperty("kind", "muted")
        text = QLabel(breakable(record.event.message))
        text.setWordWrap(True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setAccessibleName(record.event.message)
        line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(when, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(text, 1)
        return row
