"""The page for evidence files: verify one offline, see the earlier ones, and see what endorsements are at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.attestation_record import AttestationRecord, AttestationSummary
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.ports.endorsement_source import EndorsementCache
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.banner import Banner, Tone
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.evidence.cache_view import CacheView
from confvm_gui.ui.evidence.given_files import GivenFiles, sort_out
from confvm_gui.ui.evidence.inputs import EvidenceInputs
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.models.freshness import REFRESH_MS
from confvm_gui.ui.models.verdicts_model import VerdictsModel
from confvm_gui.ui.panels.attestation.bundle_export import BundleExport
from confvm_gui.ui.panels.attestation.claims_view import make_table
from confvm_gui.ui.panels.attestation.headline import HeadlineWords
from confvm_gui.ui.panels.attestation.sources import AttestationSource
from confvm_gui.ui.panels.attestation.verdict_view import VerdictView
from confvm_gui.ui.theme import UNIT

_VERIFY = "verify"
_SIDE = 312
"""Pixels of width of what is chosen, at the left."""
_NARROW = 760
"""Pixels of width below which the verdict stands below what is chosen."""
FETCHABLE = frozenset(
    {
        "signer-missing",
        "issuer-missing",
        "revocation-not-checked",
        "revocation-list-not-current",
        "collateral-missing",
        "collateral-not-current",
    }
)
"""Codes of findings that endorsements from their publishers may settle."""


class EvidencePage(QWidget):
    """Nothing that was given is lost: a file that is no evidence leaves inputs and verdict as they were."""

    problem = Signal(str)

    def __init__(
        self,
        session: FleetSession,
        source: AttestationSource,
        find_cache: Callable[[], EndorsementCache | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("evidence-page")
        self._source = source
        self._find_cache = find_cache
        self._cache_known = False
        self._readonly = session.readonly
        self._online = False
        self._busy = False
        self._verified: Path | None = None
        """File of the verdict in sight, None for an earlier one."""
        self.tasks = TaskKeeper("EvidencePage", self.problem.emit)
        self._subscriptions = Subscriptions()
        self.inputs = EvidenceInputs()
        self.empty = EmptyState(
            "evidence",
            self.tr("Drop evidence anywhere on this window"),
            self.tr(
                "SEV-SNP reports, SEV launch measurements, TDX and SGX quotes, vTPM quotes, event logs, Azure and "
                "Nitro documents, and exported bundles. All is verified on this computer; nothing is sent anywhere."
            ),
        )
        self.view = VerdictView(self.empty)
        self.fetch = QPushButton(self.tr("Fetch what lacks"))
        self.fetch.setObjectName("evidence-fetch")
        self.fetch.setToolTip(self.tr("Ask AMD and Intel for certificates, revocation lists and TCB information"))
        bind_icon(self.fetch, "retry", "text")
        self.export = QToolButton()
        self.export.setObjectName("evidence-export")
        self.export.setToolTip(self.tr("Export the evidence bundle as one zip"))
        self.export.setAccessibleName(self.tr("Export the evidence bundle"))
        bind_icon(self.export, "save", "text")
        for button in (self.fetch, self.export):
            self.view.headline.buttons.addWidget(button)
        self.view.headline.buttons.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.history = VerdictsModel(self, files=True)
        self.history_table = make_table("evidence-history", self.tr("Earlier files"))
        self.history_table.setModel(self.history)
        self.history_table.setColumnHidden(4, True)
        for column, width in enumerate((190, 140, 190, 150)):
            self.history_table.setColumnWidth(column, width)
        self.history_table.horizontalHeader().setSectionResizeMode(5, QHeaderView.ResizeMode.Stretch)
        self.cache = CacheView(self.tasks, readonly=session.readonly)
        self._earlier = self.view.tabs.addTab(self._framed(self.history_table), self.tr("Earlier files"))
        self.tabs = QTabWidget()
        self.tabs.setObjectName("evidence-tabs")
        self.tabs.setAccessibleName(self.tr("Evidence"))
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._make_files(), self.tr("Files"))
        self.tabs.addTab(self.cache, self.tr("Endorsements"))
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT // 2, UNIT * 2, UNIT)
        rows.addWidget(self.tabs)
        self._exports = BundleExport(source, self.tasks, lambda: self.view.banners, self)
        self._age = QTimer(self)
        self._age.setInterval(REFRESH_MS)
        self._age.timeout.connect(self.view.refresh_age)
        self.inputs.verify_wanted.connect(self.verify)
        self.fetch.clicked.connect(lambda: self.verify(fetch=True))
        self.export.clicked.connect(self.export_bundle)
        self.history_table.selectionModel().currentRowChanged.connect(self._row_chosen)
        self.view.shown.connect(self._offer)
        self._subscriptions.add(source.changes, self._record_came)
        self._show_nothing()

    @staticmethod
    def _framed(table: QWidget) -> QWidget:
        page = QWidget()
        rows = QVBoxLayout(page)
        rows.setContentsMargins(0, UNIT, 0, UNIT)
        rows.addWidget(table)
        return page

    def _make_files(self) -> QWidget:
        page = QWidget()
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight, page)
        self._columns.setContentsMargins(0, UNIT, 0, 0)
        self._columns.setSpacing(UNIT + 4)
        content = QWidget()
        content.setObjectName("scrolled")
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(UNIT)
        rows.addWidget(self.inputs)
        hint = QLabel(self.tr("Files stay on this computer. Only “Fetch what lacks” uses the network."))
        hint.setProperty("kind", "muted")
        hint.setWordWrap(True)
        hint.setMinimumWidth(80)
        rows.addWidget(hint)
        rows.addStretch(1)
        self._side = QScrollArea()
        self._side.setObjectName("evidence-side")
        self._side.setAccessibleName(self.tr("Verify a file"))
        self._side.setWidgetResizable(True)
        self._side.setFrameShape(QFrame.Shape.NoFrame)
        self._side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._side.setWidget(content)
        self._side.setFixedWidth(_SIDE)
        self.view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._columns.addWidget(self._side)
        self._columns.addWidget(self.view, 1)
        return page

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._side.setFixedWidth(_SIDE if event.size().width() >= _NARROW + 160 else 260)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._age.start()
        self._read_history()
        if not self._cache_known:
            # In a thread: what speaks with AMD and Intel takes longer to load than a key press should wait.
            self.tasks.start("cache", asyncio.to_thread(self._find_cache), on_done=self._put_cache)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._age.stop()

    def _put_cache(self, cache: EndorsementCache | None) -> None:
        self._cache_known = True
        self._online = bool(getattr(cache, "online", False)) and not self._readonly
        self.cache.put_cache(cache)
        self._offer()

    # Verifying

    def take(self, paths: Sequence[Path]) -> None:
        """Verify dropped files: sorted out by what they are for; what is given already stays."""
        given = sort_out(paths)
        self.tabs.setCurrentIndex(0)
        if given.endorsements:
            known = self.inputs.endorsements.paths
            self.inputs.endorsements.put([*known, *(path for path in given.endorsements if path not in known)])
        if given.reference is not None:
            self.inputs.reference.put([given.reference])
            self.inputs.more.setChecked(True)
        self._tell_left_out(given)
        if given.evidence is not None:
            self.inputs.evidence.put([given.evidence])  # which verifies it
        elif self.inputs.evidence.paths:
            self.verify()
        else:
            self.inputs.say_problem(self.tr("Now choose the evidence that these files belong to."))

    def _tell_left_out(self, given: GivenFiles) -> None:
        if not given.left_out:
            self.view.banners.remove("left out")
            return
        names = ", ".join(path.name for path in given.left_out)
        text = self.tr("One file is verified at a time; left out: {names}").format(names=names)
        self.view.banners.put("left out", Banner(Tone.INFO, text))

    def verify(self, fetch: bool = False) -> None:
        """Verify the chosen file with what stands beside it."""
        if not self.inputs.evidence.paths:
            return
        self.inputs.say_problem("")
        self._busy = True
        self.inputs.verify.setEnabled(False)
        self.inputs.verify.setText(self.tr("Fetching …") if fetch else self.tr("Verifying …"))
        self.fetch.setEnabled(False)
        self.tasks.start(_VERIFY, self._verify(self.inputs.evidence.paths[0], fetch), on_error=self._failed)

    async def _verify(self, path: Path, fetch: bool) -> None:
        inputs = self.inputs
        try:
            record = await self._source.verify_file(
                path,
                endorsements=tuple(inputs.endorsements.paths),
                reference=inputs.reference.paths[0] if inputs.reference.paths else None,
                report_data=inputs.hex_text(),
                at=inputs.moment(),
                fetch=fetch,
                allow_debug=inputs.allow_debug.isChecked(),
            )
        except InvalidInput as problem:
            self._failed(problem.message, problem.field)
            return
        self._verified = path
        self._ready()
        self.view.show_record(record)
        self._offer()
        self._read_history()

    def _failed(self, problem: str, field: str = "") -> None:
        self._ready()
        self.inputs.say_problem(problem, field)
        self._side.ensureWidgetVisible(self.inputs.problem)
        self._offer()

    def _ready(self) -> None:
        self._busy = False
        self.inputs.verify.setText(self.tr("Verify"))
        self.inputs.verify.setEnabled(bool(self.inputs.evidence.paths))

    def _show_nothing(self) -> None:
        words = HeadlineWords(
            self.tr("No file yet"), self.tr("Choose an evidence file, or drop it on the window."), "evidence", "muted"
        )
        self.view.show_nothing(words, self.empty.heading.text(), self.empty.text.text())

    def _offer(self) -> None:
        """What can be done with the verdict in sight."""
        record = self.view.record
        self.export.setEnabled(record is not None)
        lacks = record is not None and any(finding.code in FETCHABLE for finding in record.verdict.findings)
        self.fetch.setVisible(self._online and lacks and self._verified is not None)
        self.fetch.setEnabled(not self._busy)

    # Earlier files

    def _read_history(self) -> None:
        if self.isVisible():
            self.tasks.start("history", self._source.history(""), on_done=self._show_history)

    def _show_history(self, summaries: Sequence[AttestationSummary]) -> None:
        self.history.show_history(summaries)
        text = self.tr("Earlier files")
        if summaries:
            text = self.tr("Earlier files ({count})").format(count=len(summaries))
        self.view.tabs.setTabText(self._earlier, text)

    def _record_came(self, record: AttestationRecord) -> None:
        if not record.instance_id:
            self._read_history()

    def _row_chosen(self, current: QModelIndex) -> None:
        if current.isValid():
            self.choose(self.history.summary(current.row()).id)

    def choose(self, record_id: str) -> None:
        """Show an earlier verdict."""
        if self.view.record is None or self.view.record.id != record_id:
            self.tasks.start("record", self._source.record(record_id), on_done=self._show_earlier)

    def show_kept(self, record_id: str) -> None:
        """Show the record of a launch that came to nothing: there is no instance that it could be seen on."""
        self.tabs.setCurrentIndex(0)
        self.view.tabs.setCurrentIndex(0)
        self.tasks.start("record", self._source.record(record_id), on_done=self._show_launch)

    def _show_launch(self, record: AttestationRecord) -> None:
        self._show_earlier(record, past=False)

    def _show_earlier(self, record: AttestationRecord, past: bool = True) -> None:
        self._verified = None
        self.view.show_record(record, past=past)
        self._offer()

    # Export

    def export_bundle(self) -> None:
        """Ask where to write the evidence bundle of the verdict in sight."""
        record = self.view.record
        if record is not None:
            self._exports.ask(record, Path(record.by).stem or "evidence")

    async def aclose(self) -> None:
        """Stop listening, end all tasks."""
        self._subscriptions.clear()
        await self.tasks.aclose()
