"""A verdict as a person looks at it: headline, chain and findings, claims. The panel and the file page share it.

Tabs are filled when they are looked at: a verdict with thousands of claims costs nothing as long as only its headline
is in sight.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.ui.banner import BannerStack
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.panels.attestation.chain_picture import ChainPicture
from confvm_gui.ui.panels.attestation.claims_view import ClaimsView
from confvm_gui.ui.panels.attestation.findings_list import FindingsList
from confvm_gui.ui.panels.attestation.headline import Headline, HeadlineWords, record_words
from confvm_gui.ui.theme import UNIT


class VerdictView(QWidget):
    """Shows one record, or says why there is none."""

    shown = Signal()
    """Another record, or none, is shown."""

    def __init__(self, empty: EmptyState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("verdict-view")
        self.record: AttestationRecord | None = None
        self._past = False
        self._stale = False
        self._filled = ""
        """Id of the record that the claims table has."""
        self.headline = Headline()
        self.banners = BannerStack()
        margins = self.banners.layout()
        if margins is not None:
            margins.setContentsMargins(0, 0, 0, 0)
        self.chain = ChainPicture()
        self.findings = FindingsList()
        self.claims = ClaimsView()
        self.empty = empty
        self._verdict = QStackedWidget()
        self._verdict.addWidget(empty)
        self._verdict.addWidget(self._make_verdict())
        self.tabs = QTabWidget()
        self.tabs.setObjectName("verdict-tabs")
        self.tabs.setAccessibleName(self.tr("Attestation"))
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setUsesScrollButtons(True)
        self.tabs.addTab(self._verdict, self.tr("Verdict"))
        self.tabs.addTab(self.claims, self.tr("Claims"))
        self.tabs.currentChanged.connect(self._fill_claims)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(UNIT)
        rows.addWidget(self.headline)
        rows.addWidget(self.banners)
        rows.addWidget(self.tabs, 1)

    def _make_verdict(self) -> QScrollArea:
        content = QWidget()
        content.setObjectName("scrolled")
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, UNIT, UNIT, UNIT)
        rows.setSpacing(UNIT)
        for title, part in ((self.tr("Chain of trust"), self.chain), (self.tr("Findings"), self.findings)):
            heading = QLabel(title)
            heading.setProperty("kind", "heading")
            rows.addWidget(heading)
            rows.addWidget(part)
        rows.addStretch(1)
        area = QScrollArea()
        area.setObjectName("verdict-scroll")
        area.setAccessibleName(self.tr("Verdict"))
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        area.setWidget(content)
        self._area = area
        return area

    def show_record(self, record: AttestationRecord, *, past: bool = False, stale: bool = False) -> None:
        """Show a verdict; `past` for one that is not the newest, `stale` for one that is too old."""
        fresh = self.record is None or self.record.id != record.id
        self.record = record
        self._past = past
        self._stale = stale
        self.refresh_age()
        if not fresh:
            return
        self._verdict.setCurrentIndex(1)
        self._area.verticalScrollBar().setValue(0)
        self.chain.show_links(record.verdict.links)
        self.findings.show_findings(record.verdict.findings, record.differs)
        self.tabs.setTabText(1, self.tr("Claims ({count})").format(count=len(record.verdict.claims)))
        self._fill_claims()
        self.shown.emit()

    def refresh_age(self, stale: bool | None = None) -> None:
        """Say again how long ago it was."""
        if stale is not None:
            self._stale = stale
        if self.record is not None:
            self.headline.say(record_words(self.record, stale=self._stale, past=self._past))

    def show_nothing(self, words: HeadlineWords, heading: str, text: str) -> None:
        """No record: the headline says why, and the page what to do."""
        self.record = None
        self.headline.say(words)
        self.empty.set_texts(heading, text)
        self._verdict.setCurrentIndex(0)
        self.tabs.setTabText(1, self.tr("Claims"))
        self._fill_claims()
        self.shown.emit()

    def _fill_claims(self) -> None:
        record = self.record
        wanted = record.id if record is not None else ""
        if self.tabs.currentWidget() is not self.claims or wanted == self._filled:
            return
        self._filled = wanted
        verdict = record.verdict if record is not None else None
        self.claims.show_claims(
            verdict.claims if verdict is not None else (),
            trusted=verdict is None or verdict.trusted,
            emulated=verdict is not None and verdict.emulated,
        )
