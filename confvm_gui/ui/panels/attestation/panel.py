"""Attestation of one instance: ask for evidence, see the verdict and what it stands on, and what changed over time."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import AttestationRecord, AttestationSummary, Baseline, Drift, TcbPoint
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.attest.freshness import max_age
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.banner import Banner, Tone
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.models.attestation_words import format_word
from confvm_gui.ui.models.freshness import REFRESH_MS, is_stale
from confvm_gui.ui.models.verdicts_model import VerdictsModel
from confvm_gui.ui.panels.attestation.baseline_view import BaselineView
from confvm_gui.ui.panels.attestation.bundle_export import BundleExport
from confvm_gui.ui.panels.attestation.claims_view import make_table
from confvm_gui.ui.panels.attestation.headline import HeadlineWords
from confvm_gui.ui.panels.attestation.sources import AttestationSource
from confvm_gui.ui.panels.attestation.tcb_view import TcbView
from confvm_gui.ui.panels.attestation.verdict_view import VerdictView
from confvm_gui.ui.panels.instance_panel import InstancePanel
from confvm_gui.ui.rights import reason_against
from confvm_gui.ui.theme import UNIT

_ASK = "ask"
_READ = "history"
_SHOW = "record"
_COMPARE = "baseline"


@dataclass(frozen=True, slots=True)
class _Comparison:
    baseline: Baseline | None
    drift: Sequence[Drift]
    chip_id: str
    timeline: Sequence[TcbPoint]


class AttestationPanel(InstancePanel):
    """The newest record, or the one chosen in the history."""

    def __init__(self, session: FleetSession, source: AttestationSource, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("attestation-panel")
        self._source = source
        self._chosen = ""
        """Id of a record that was chosen in the history; "" for the newest."""
        self.empty = EmptyState("attestation", "", "")
        self.view = VerdictView(self.empty)
        self.ask = QPushButton(self.tr("Ask for fresh evidence"))
        self.ask.setObjectName("attestation-ask")
        self.ask.setProperty("kind", "primary")
        bind_icon(self.ask, "reset", "on_accent")
        self.form = QComboBox()
        self.form.setObjectName("attestation-format")
        self.form.setAccessibleName(self.tr("Which evidence"))
        self.form.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.export = QToolButton()
        self.export.setObjectName("attestation-export")
        self.export.setToolTip(self.tr("Export the evidence bundle as one zip"))
        self.export.setAccessibleName(self.tr("Export the evidence bundle"))
        bind_icon(self.export, "save", "text")
        buttons = self.view.headline.buttons
        buttons.addWidget(self.form)
        buttons.addWidget(self.ask)
        buttons.addWidget(self.export)
        buttons.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.history = VerdictsModel(self)
        self.history_table = make_table("attestation-history", self.tr("History"))
        self.history_table.setModel(self.history)
        for column, width in enumerate((190, 140, 170, 150, 130)):
            self.history_table.setColumnWidth(column, width)
        self.history_table.horizontalHeader().setSectionResizeMode(5, QHeaderView.ResizeMode.Stretch)
        self.baseline = BaselineView()
        self.tcb = TcbView()
        self.view.tabs.addTab(self._make_history(), self.tr("History"))
        self.view.tabs.addTab(self.baseline, self.tr("Baseline"))
        self.view.tabs.addTab(self.tcb, self.tr("TCB"))
        self._exports = BundleExport(source, self.tasks, lambda: self.view.banners, self)
        self._age = QTimer(self)
        self._age.setInterval(REFRESH_MS)
        self._age.timeout.connect(self._tell_age)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT + 4, 0, 0)
        rows.addWidget(self.view)
        self.ask.clicked.connect(self.ask_now)
        self.export.clicked.connect(self.export_bundle)
        self.history_table.selectionModel().currentRowChanged.connect(self._row_chosen)
        self.baseline.accept_wanted.connect(self._accept_baseline)
        self.baseline.forget_wanted.connect(self._forget_baseline)
        self.subscriptions.add(source.changes, self._record_came)

    def _make_history(self) -> QWidget:
        page = QWidget()
        hint = QLabel(self.tr("Select a verdict to see it; it stays until fresh evidence comes."))
        hint.setProperty("kind", "muted")
        hint.setWordWrap(True)
        hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        rows = QVBoxLayout(page)
        rows.setContentsMargins(0, UNIT, 0, UNIT)
        rows.setSpacing(UNIT)
        rows.addWidget(hint)
        rows.addWidget(self.history_table, 1)
        return page

    # Which instance

    def show_instance(self, instance: Instance | None) -> None:
        for task in (_ASK, _READ, _SHOW, _COMPARE):
            self.tasks.cancel(task)
        self._chosen = ""
        for slot in ("ask", "export", "baseline"):
            self.view.banners.remove(slot)
        self.history.show_history(())
        self._say_nothing(instance)
        self._offer(instance)
        if instance is not None and self.isVisible():
            self._read()

    def update_instance(self, instance: Instance) -> None:
        self._offer(instance)
        if self.view.record is None:
            self._say_nothing(instance)
        else:
            self._tell_age()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._age.start()
        self._offer(self.instance())
        self._read()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._age.stop()

    def _offer(self, instance: Instance | None) -> None:
        """What can be asked for now, and why nothing can."""
        formats = self._source.formats(instance.id) if instance is not None and not self.session.readonly else ()
        shown = [self.form.itemData(at) for at in range(self.form.count())]
        if shown != list(formats):
            before = self.form.currentData()
            self.form.clear()
            for form in formats:
                self.form.addItem(format_word(form), form)
            self.form.setCurrentIndex(max(0, self.form.findData(before)))
        self.form.setVisible(len(formats) > 1)
        reason = self._reason(instance) if not formats else ""
        asking = self.tasks.is_running(_ASK)
        self.ask.setEnabled(bool(formats) and not asking)
        self.ask.setText(self.tr("Asking …") if asking else self.tr("Ask for fresh evidence"))
        self.ask.setToolTip(reason or self.tr("With a new nonce, so that an old answer cannot be given again"))
        self.export.setEnabled(self.view.record is not None)

    def _reason(self, instance: Instance | None) -> str:
        if instance is None:
            return ""
        if self.session.readonly:
            return self.session.readonly_reason
        return self._source.reason(instance.id)

    def _say_nothing(self, instance: Instance | None) -> None:
        """The headline where no evidence is known."""
        reason = self._reason(instance)
        emulated = instance is not None and instance.emulated and instance.confidential
        if instance is not None and not instance.confidential:
            title = self.tr("Not confidential")
            if reason:
                hint = self.tr("There is nothing to attest. Make it a confidential VM.")
            else:
                reason = self.tr(
                    "Whoever controls the host reads its memory, whatever its vTPM says of what was booted."
                )
                hint = self.tr("Its vTPM can be asked for a quote: it tells what was booted, and protects nothing.")
            words = HeadlineWords(title, reason, "shield-off", "muted", instance.emulated)
            self.view.show_nothing(words, title, hint)
        else:
            title = self.tr("Never asked")
            text = reason or self.tr("No evidence of this instance was verified yet.")
            if emulated:
                text += "\n" + self.tr("Its hardware is emulated: evidence of it proves nothing about hardware.")
            words = HeadlineWords(title, text, "unknown", "muted", emulated)
            hint = self.tr("Evidence says what was launched, on which firmware, and who vouches for it.")
            self.view.show_nothing(words, title, reason or hint)
        self.view.tabs.setTabText(2, self.tr("History"))
        self.view.tabs.setTabText(3, self.tr("Baseline"))
        self.baseline.show_baseline(None, None, ())
        self.tcb.show_points("", (), emulated=emulated)

    # Records

    def _read(self) -> None:
        if self.instance_id and self.isVisible():
            self.tasks.start(_READ, self._source.history(self.instance_id), on_done=self._show_history)

    def _show_history(self, summaries: Sequence[AttestationSummary]) -> None:
        self.history.show_history(summaries)
        count = len(summaries)
        self.view.tabs.setTabText(2, self.tr("History ({count})").format(count=count) if count else self.tr("History"))
        if self._chosen and self.history.row_of(self._chosen) is None:
            self._chosen = ""
        wanted = self._chosen or (summaries[0].id if summaries else "")
        if wanted and (self.view.record is None or self.view.record.id != wanted):
            self._fetch(wanted)
        elif wanted:
            self._compare()

    def _record_came(self, record: AttestationRecord) -> None:
        if record.instance_id == self.instance_id and self.instance_id and self.isVisible():
            self._chosen = ""
            self._show(record)
            self._read()

    def _row_chosen(self, current: QModelIndex) -> None:
        if current.isValid():
            self.choose(self.history.summary(current.row()).id)

    def choose(self, record_id: str) -> None:
        """Show a record of the history."""
        newest = self.history.rowCount() > 0 and self.history.summary(0).id == record_id
        self._chosen = "" if newest else record_id
        if self.view.record is None or self.view.record.id != record_id:
            self._fetch(record_id)

    def _fetch(self, record_id: str) -> None:
        self.tasks.start(_SHOW, self._source.record(record_id), on_done=self._show)

    def _show(self, record: AttestationRecord) -> None:
        if record.instance_id != self.instance_id:
            return
        self.view.show_record(record, past=bool(self._chosen), stale=self._stale())
        self.export.setEnabled(True)
        self._compare()

    def _stale(self) -> bool:
        """Whether the newest evidence is too old; an earlier record is marked as such instead."""
        instance = self.instance()
        return instance is not None and not self._chosen and is_stale(instance, max_age(self.session.settings))

    def _tell_age(self) -> None:
        self.view.refresh_age(self._stale())

    # Asking

    def ask_now(self) -> None:
        """Ask the instance for fresh evidence of the chosen format."""
        if not self.instance_id or self.tasks.is_running(_ASK):
            return
        form: EvidenceFormat | None = self.form.currentData()
        self.view.banners.remove("ask")
        asked = self._source.refresh(self.instance_id, form)
        self.tasks.start(_ASK, asked, on_done=self._answered, on_error=self._not_answered)
        self._offer(self.instance())

    def _answered(self, record: AttestationRecord) -> None:
        self._offer(self.instance())
        self._chosen = ""
        if self.view.record is None or self.view.record.id != record.id:
            self._show(record)
            self._read()

    def _not_answered(self, problem: str) -> None:
        self._offer(self.instance())
        self.view.banners.put("ask", Banner(Tone.ERROR, problem))

    # Baseline and TCB

    def _compare(self) -> None:
        record = self.view.record
        if record is not None:
            self.tasks.start(_COMPARE, self._comparison(record), on_done=self._show_comparison)

    async def _comparison(self, record: AttestationRecord) -> _Comparison:
        form = record.verdict.format
        chip = record.verdict.claim("chip_id")
        chip_id = chip if isinstance(chip, str) else ""
        return _Comparison(
            await self._source.baseline(record.instance_id, form),
            await self._source.drift(record.id),
            chip_id,
            await self._source.tcb_timeline(chip_id) if chip_id.strip("0") else (),
        )

    def _show_comparison(self, found: _Comparison) -> None:
        record = self.view.record
        if record is None:
            return
        self.baseline.show_baseline(
            record, found.baseline, found.drift, denied=reason_against(self.session, Permission.OPERATE)
        )
        tab = self.tr("Baseline")
        if found.drift:
            tab = self.tr("Baseline ({count} changed)").format(count=len(found.drift))
        self.view.tabs.setTabText(3, tab)
        self.tcb.show_points(found.chip_id, found.timeline, emulated=record.verdict.emulated)

    def _accept_baseline(self) -> None:
        record = self.view.record
        if record is not None:
            self._change_baseline(self._source.accept_baseline(record.id))

    def _forget_baseline(self) -> None:
        record = self.view.record
        if record is not None:
            self._change_baseline(self._source.forget_baseline(record.instance_id, record.verdict.format))

    def _change_baseline(self, work: Coroutine[object, object, object]) -> None:
        self.view.banners.remove("baseline")
        self.tasks.start(
            "change baseline",
            work,
            on_done=lambda _: self._compare(),
            on_error=lambda problem: self.view.banners.put("baseline", Banner(Tone.ERROR, problem)),
        )

    # Export

    def export_bundle(self) -> None:
        """Ask where to write the evidence bundle of the shown record."""
        record, instance = self.view.record, self.instance()
        if record is not None:
            self._exports.ask(record, instance.name if instance is not None else "evidence")

    def write_bundle(self, path: Path) -> None:
        """Write the evidence bundle of the shown record, without asking where to."""
        if self.view.record is not None:
            self._exports.write(self.view.record.id, path)
