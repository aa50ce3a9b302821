"""What was accepted as good, and what has changed since: the claims that a baseline holds, against a record."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from confvm_gui.domain.attestation_record import AttestationRecord, Baseline, BaselineOrigin, Drift
from confvm_gui.fleet.attest.baseline import comparable
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.icons import bind_icon, role_pixmap
from confvm_gui.ui.models.attestation_words import format_word, value_text
from confvm_gui.ui.models.text_rows_model import TextRowsModel
from confvm_gui.ui.panels.attestation.claims_view import make_table
from confvm_gui.ui.panels.attestation.digest_compare import DigestCompare, nearest
from confvm_gui.ui.text import breakable, moment
from confvm_gui.ui.theme import UNIT, monospace_font, theme_controller


class BaselineView(QWidget):
    """Baseline of the shown record's format: what it says, where it comes from, what is another now."""

    accept_wanted = Signal()
    forget_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record: AttestationRecord | None = None
        self._drift: tuple[Drift, ...] = ()
        self._mark_of = ("unknown", "muted")
        self.model = TextRowsModel(self)
        self._mark = QLabel()
        self._mark.setFixedWidth(20)
        self.summary = QLabel()
        self.summary.setObjectName("baseline-summary")
        self.summary.setWordWrap(True)
        self.summary.setMinimumWidth(80)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.accept = QPushButton(self.tr("Accept as baseline"))
        self.accept.setObjectName("baseline-accept")
        self.accept.setToolTip(self.tr("From now on, what this record says is what is expected"))
        bind_icon(self.accept, "ok", "success")
        self.accept.clicked.connect(self.accept_wanted)
        self.forget = QPushButton(self.tr("Forget"))
        self.forget.setObjectName("baseline-forget")
        self.forget.setToolTip(self.tr("Compare with nothing until a baseline is accepted or learned again"))
        self.forget.clicked.connect(self.forget_wanted)
        self.table = make_table("baseline-table", self.tr("Baseline"))
        self.table.setModel(self.model)
        header = self.table.horizontalHeader()
        header.setDefaultSectionSize(190)
        header.setStretchLastSection(True)
        self.compare = DigestCompare("00" * 4, "00" * 4)
        self.compare.hide()
        self.detail = QLabel()
        self.detail.setObjectName("baseline-detail")
        self.detail.setFont(monospace_font())
        self.detail.setWordWrap(True)
        self.detail.setMinimumWidth(80)
        self.detail.setTextFormat(Qt.TextFormat.PlainText)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.empty = EmptyState("attestation", "", "")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        words = QHBoxLayout()
        words.setSpacing(UNIT)
        words.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        words.addWidget(self.summary, 1)
        words.addWidget(self.accept, 0, Qt.AlignmentFlag.AlignTop)
        words.addWidget(self.forget, 0, Qt.AlignmentFlag.AlignTop)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT, 0, UNIT)
        rows.setSpacing(UNIT)
        rows.addLayout(words)
        rows.addWidget(self._stack, 1)
        rows.addWidget(self.detail)
        rows.addWidget(self.compare)
        self.table.selectionModel().currentRowChanged.connect(self._show_detail)
        theme_controller().changed.connect(self._draw)
        self.show_baseline(None, None, ())

    def show_baseline(
        self,
        record: AttestationRecord | None,
        baseline: Baseline | None,
        drift: Sequence[Drift],
        *,
        denied: str = "",
    ) -> None:
        """Show how a record compares; drift first, then what is as it was. `denied`: why nothing may be set here."""
        self._record = record
        self._drift = tuple(drift)
        # An untrusted record is no good example: accepting it would make its fault the rule.
        self.accept.setEnabled(record is not None and comparable(record.verdict) and not denied)
        self.forget.setEnabled(baseline is not None and not denied)
        for button in (self.accept, self.forget):
            button.setToolTip(denied)
        self._show_detail(QModelIndex())
        if record is None or baseline is None:
            self._mark_of = ("unknown", "muted")
            self.summary.setText(self.tr("No baseline") if record is not None else "")
            self.empty.set_texts(
                self.tr("No baseline yet"),
                self.tr(
                    "A baseline remembers what trusted evidence said, so that later evidence can be compared with it. "
                    "Accept this record, or switch on integrity monitoring, which learns it from the first boot."
                )
                if record is not None
                else self.tr("There is no evidence to compare."),
            )
            self.model.show_rows((), ())
            self._stack.setCurrentIndex(0)
        else:
            self._fill(record, baseline)
            self._stack.setCurrentIndex(1)
        self._draw()

    def _fill(self, record: AttestationRecord, baseline: Baseline) -> None:
        origin = {
            BaselineOrigin.LEARNED: self.tr("learned from the first boot"),
            BaselineOrigin.GIVEN: self.tr("accepted by the administrator"),
        }[baseline.origin]
        about = self.tr("Baseline of the {form}: {origin}, {moment}.").format(
            form=format_word(baseline.format), origin=origin, moment=moment(baseline.at)
        )
        if record.verdict.emulated:
            about = " ".join((about, self.tr("Emulated.")))
        if self._drift:
            self._mark_of = ("warning", "warning")
            verdict = self.tr("%n claim(s) changed since.", "", len(self._drift))
        else:
            self._mark_of = ("ok", "success")
            verdict = self.tr("Nothing changed since.")
        self.summary.setText(f"{verdict} {about}")
        changed = {drift.claim for drift in self._drift}
        rows = [
            (self.tr("changed"), drift.component, drift.claim, drift.expected, drift.actual or self.tr("absent"))
            for drift in self._drift
        ]
        rows += [
            (self.tr("same"), "", claim, value_text(value), value_text(value))
            for claim, value in sorted(baseline.values.items())
            if claim not in changed
        ]
        titles = (
            self.tr("State"),
            self.tr("What it stands for"),
            self.tr("Claim"),
            self.tr("Baseline"),
            self.tr("This record"),
        )
        self.model.show_rows(titles, rows)
        for column, width in enumerate((80, 190, 130, 180)):
            self.table.setColumnWidth(column, width)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        if self._drift:
            self.table.selectRow(0)

    def _show_detail(self, current: QModelIndex) -> None:
        drift = self._drift[current.row()] if 0 <= current.row() < len(self._drift) else None
        closest = nearest(drift.expected, drift.actual) if drift is not None else ""
        self.compare.setVisible(bool(closest))
        if drift is None:
            self.detail.setText("")
            return
        if closest:
            self.detail.setText(f"{drift.component or drift.claim}")
            self.compare.show_values(closest, drift.actual)
        else:
            expected, actual = breakable(drift.expected), breakable(drift.actual) or self.tr("absent")
            self.detail.setText(
                self.tr("{what}: expected {expected}, found {actual}").format(
                    what=drift.component or drift.claim, expected=expected, actual=actual
                )
            )

    def _draw(self) -> None:
        self._mark.setPixmap(role_pixmap(*self._mark_of, 18, self.devicePixelRatioF()))
