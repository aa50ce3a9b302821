"""Search all RAM of an instance, as the host sees it, for texts that must stay secret.

The texts live in this panel only: results, events and exports know them by label and SHA-256.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.errors import InvalidInput, NotFound, Unsupported, WrongState
from confvm_gui.domain.exposure import ExposureResult, TermForm
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import Viewer
from confvm_gui.fleet.exposure.canary import Canaries, make_canary
from confvm_gui.fleet.exposure.report import write_json
from confvm_gui.fleet.exposure.scan import ExposureProgress
from confvm_gui.fleet.exposure.terms import Term, canary_term, hex_term, numbered, pattern_term, text_term
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.panels.exposure.results_model import ResultsModel
from confvm_gui.ui.panels.instance_panel import InstancePanel
from confvm_gui.ui.panels.memory import wording
from confvm_gui.ui.theme import UNIT

_SCAN = "scan"
_EXPORT = "export"
_NARROWEST = 64
"""Pixels of a column."""
_NARROW = 660
"""Pixels of width below which the kind of page, which the memory panel tells as well, is left out."""
_PAGE_COLUMN = 5
_TERM = int(Qt.ItemDataRole.UserRole)


class ExposurePanel(InstancePanel):
    """What to look for, how far the search is, and what it found."""

    place_wanted = Signal(object)
    """GPA that the user wants to see in the memory panel."""

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("exposure-panel")
        self.exposures = session.exposures
        self._texts: dict[tuple[TermForm, str], str] = {}
        self.form = QComboBox()
        self.form.setObjectName("exposure-form")
        self.form.setAccessibleName(self.tr("How it is written"))
        self.form.addItem(self.tr("Text"), TermForm.TEXT)
        self.form.addItem(self.tr("Hex bytes"), TermForm.BYTES)
        self.form.addItem(self.tr("Pattern"), TermForm.PATTERN)
        self.field = QLineEdit()
        self.field.setObjectName("exposure-text")
        self.field.setAccessibleName(self.tr("What the host must not read"))
        self.field.setPlaceholderText(self.tr("A text from your records, a password, a key …"))
        self.add = self._button("exposure-add", self.tr("Add"), self.add_term)
        self.remove = self._button("exposure-remove", self.tr("Remove"), self.remove_term)
        self.canary = self._button("exposure-canary", self.tr("New canary"), self.add_canary)
        self.canary.setToolTip(
            self.tr(
                "Make a random token. Put it into the guest in place of a secret, then see whether the host finds it."
            )
        )
        self.terms = QListWidget()
        self.terms.setObjectName("exposure-terms")
        self.terms.setAccessibleName(self.tr("Texts and patterns to look for"))
        self.terms.setMaximumHeight(120)
        self.start = self._button("exposure-start", self.tr("Search all memory"), self.start_scan)
        self.start.setProperty("kind", "primary")
        self.stop = self._button("exposure-cancel", self.tr("Cancel"), self.cancel)
        self.look = self._button("exposure-look", self.tr("Show in memory"), self.show_place)
        self.export = self._button("exposure-export", self.tr("Export …"), self.ask_export)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(6)
        self.progress.setAccessibleName(self.tr("Progress of the search"))
        self.progress.hide()
        self.error = QLabel()
        self.error.setObjectName("exposure-error")
        self.error.setProperty("kind", "error")
        self.error.setWordWrap(True)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        self.error.hide()
        self.message = QLabel()
        self.message.setObjectName("exposure-message")
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        # A canary's token is copied from here.
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.model = ResultsModel(self)
        self.table = QTableView()
        self.table.setObjectName("exposure-results")
        self.table.setAccessibleName(self.tr("What was found"))
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setWordWrap(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setMinimumSectionSize(_NARROWEST)
        self.empty = EmptyState(
            "exposure",
            self.tr("Nothing was searched yet"),
            self.tr("Add texts that the host must not read, then search all memory as the host sees it."),
        )
        self.results = QStackedWidget()
        self.results.addWidget(self.empty)
        self.results.addWidget(self.table)
        self._lay_out()
        self.field.returnPressed.connect(self.add_term)
        self.terms.itemSelectionChanged.connect(self._offer)
        self.table.activated.connect(lambda _index: self.show_place())
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._offer())
        self.model.modelReset.connect(self._offer)
        self._offer()

    def _button(self, name: str, words: str, work: Callable[[], None]) -> QPushButton:
        button = QPushButton(words)
        button.setObjectName(name)
        # Not `work` itself: the signal's argument is not for it.
        button.clicked.connect(lambda _checked: work())
        return button

    def _lay_out(self) -> None:
        entry, terms, actions = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        entry.addWidget(self.form)
        entry.addWidget(self.field, 1)
        entry.addWidget(self.add)
        beside = QVBoxLayout()
        beside.setSpacing(UNIT)
        beside.addWidget(self.canary)
        beside.addWidget(self.remove)
        beside.addStretch(1)
        terms.addWidget(self.terms, 1)
        terms.addLayout(beside)
        actions.addWidget(self.start)
        actions.addWidget(self.stop)
        actions.addStretch(1)
        actions.addWidget(self.look)
        actions.addWidget(self.export)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT, 0, UNIT)
        rows.setSpacing(UNIT)
        rows.addLayout(entry)
        rows.addWidget(self.error)
        rows.addLayout(terms)
        rows.addLayout(actions)
        rows.addWidget(self.progress)
        rows.addWidget(self.message)
        rows.addWidget(self.results, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.table.setColumnHidden(_PAGE_COLUMN, event.size().width() < _NARROW)

    # What it shows

    def show_instance(self, instance: Instance | None) -> None:
        """Texts belong to one instance: another one begins with none but its canaries."""
        self.tasks.cancel(_SCAN)
        self.terms.clear()
        self._texts.clear()
        self.field.clear()
        self._complain("")
        if instance is not None:
            for canary in Canaries(self.session.settings, instance.provider, instance.name).all():
                self._take(canary_term(canary.token), canary.token)
        self._show(None if instance is None else self.exposures.last(instance.id))

    def update_instance(self, instance: Instance) -> None:
        self._offer()

    def _show(self, result: ExposureResult | None) -> None:
        self.model.show_result(result, self._texts)
        self.results.setCurrentWidget(self.empty if result is None else self.table)
        self.message.setText("" if result is None else self.summary(result))
        self.message.setVisible(result is not None)
        self._offer()

    def summary(self, result: ExposureResult) -> str:
        """What the result says of the host, and no more than that."""
        if result.readable_by_host:
            words = [self.tr("The host can read what is marked as readable.")]
        elif all(scan.viewer is not Viewer.HYPERVISOR for scan in result.scans):
            words = [self.tr("The host's view could not be searched: this says nothing of what the host reads.")]
        elif result.complete:
            words = [self.tr("The host can read none of it.")]
        else:
            words = [self.tr("Up to there, the host can read none of it.")]
        if not result.complete:
            words.append(self.tr("The search was not finished."))
        searched = sum(scan.searched for scan in result.scans)
        words.append(self.tr("{amount} searched.").format(amount=wording.size(searched)))
        unreadable = sum(scan.unreadable for scan in result.scans)
        if unreadable:
            words.append(self.tr("{amount} could not be read.").format(amount=wording.size(unreadable)))
        if result.note:
            words.append(result.note)
        return " ".join(words)

    def _complain(self, sentence: str) -> None:
        """Say below the field what is wrong; "" for nothing."""
        self.error.setText(sentence)
        self.error.setVisible(bool(sentence))

    def _offer(self) -> None:
        running = self.tasks.is_running(_SCAN)
        instance = self.instance()
        live = instance is not None and instance.state.is_live
        self.start.setEnabled(live and not running and self.terms.count() > 0)
        self.start.setToolTip("" if live else self.tr("The instance does not run: there is no memory to search"))
        self.stop.setEnabled(running)
        self.progress.setVisible(running)
        self.remove.setEnabled(bool(self.terms.selectedItems()))
        for widget in (self.field, self.form, self.add, self.canary):
            widget.setEnabled(instance is not None)
        self.look.setEnabled(live and self._place() is not None)
        self.export.setEnabled(instance is not None and self.exposures.last(instance.id) is not None)

    # What to look for

    def add_term(self) -> None:
        """Add what is typed; if it cannot be searched for, say why and leave it there."""
        text = self.field.text()
        makers = {TermForm.TEXT: text_term, TermForm.BYTES: hex_term, TermForm.PATTERN: pattern_term}
        try:
            term = makers[TermForm(self.form.currentData())](text)
        except InvalidInput as error:
            self._complain(error.message)
            return
        self._complain("")
        self._take(term, text)
        self.field.clear()

    def add_canary(self) -> None:
        """Make a token, keep it for this instance, and look for it from now on."""
        instance = self.instance()
        if instance is None:
            return
        canary = make_canary()
        Canaries(self.session.settings, instance.provider, instance.name).add(canary)
        self._take(canary_term(canary.token), canary.token)
        self.message.show()
        self.message.setText(
            self.tr("Put {token} into the guest, for example as a file in its memory, then search.").format(
                token=canary.token
            )
        )

    def remove_term(self) -> None:
        for item in self.terms.selectedItems():
            self.terms.takeItem(self.terms.row(item))
        self._complain("")
        self._offer()

    def _take(self, term: Term, text: str) -> None:
        key = term.form, term.digest
        for row in range(self.terms.count()):
            there: Term = self.terms.item(row).data(_TERM)
            if (there.form, there.digest) == key:
                self.terms.setCurrentRow(row)
                return
        self._texts[key] = text
        item = QListWidgetItem(text)
        item.setData(_TERM, term)
        self.terms.addItem(item)
        self._offer()

    # Searching

    def start_scan(self) -> None:
        """Search, in every view that there is."""
        instance = self.instance()
        if instance is None:
            return
        try:
            terms = numbered([self.terms.item(row).data(_TERM) for row in range(self.terms.count())])
            viewers = self.exposures.viewers(instance.id)
        except (InvalidInput, NotFound, Unsupported, WrongState) as error:
            self._complain(error.message)
            return
        self._complain("")
        self.progress.setValue(0)
        self.tasks.start(
            _SCAN, self._run(instance.id, terms, viewers), on_done=lambda _: self._offer(), on_error=self._failed
        )
        self._offer()

    async def _run(self, instance_id: str, terms: Sequence[Term], viewers: Sequence[Viewer]) -> None:
        completed = False
        try:
            await self.exposures.scan(instance_id, terms, viewers, self._progressed)
            completed = True
        finally:
            # Also when cancelled; by then another instance or another search may be here.
            if self.instance_id == instance_id and (completed or not self.tasks.is_running(_SCAN)):
                self._show(self.exposures.last(instance_id))

    def cancel(self) -> None:
        self.tasks.cancel(_SCAN)
        self._offer()

    def _progressed(self, progress: ExposureProgress) -> None:
        self.message.show()
        self.progress.setValue(int(1000 * progress.searched / max(1, progress.total)))
        self.message.setText(
            self.tr("{viewer}: {done} of {total}, {rate} a second").format(
                viewer=wording.short_name(progress.viewer),
                done=wording.size(progress.searched),
                total=wording.size(progress.total),
                rate=wording.size(int(progress.bytes_per_second)),
            )
        )

    def _failed(self, sentence: str) -> None:
        self._show(self.exposures.last(self.instance_id))
        self._complain(sentence)

    # Results

    def _place(self) -> int | None:
        """GPA of the first place of the row that is chosen; None where there is none."""
        rows = self.table.selectionModel().selectedRows()
        places = self.model.exposure(rows[0].row()).places if rows else ()
        return places[0].gpa if places else None

    def show_place(self) -> None:
        """Ask for the memory panel at the first place of the row that is chosen."""
        place = self._place()
        if place is not None:
            self.place_wanted.emit(place)

    def ask_export(self) -> None:
        """Ask for a file, then write the last result to it as JSON."""
        instance = self.instance()
        if instance is None:
            return
        dialog = QFileDialog(self, self.tr("Export the result"), f"{instance.name}-exposure.json")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.write(Path(path)))
        dialog.open()

    def write(self, path: Path) -> None:
        """Write the last result to `path`, in the background."""
        result = self.exposures.last(self.instance_id)
        if result is not None:
            self.tasks.start(
                _EXPORT,
                asyncio.to_thread(write_json, result, path),
                on_done=lambda _: self.message.setText(self.tr("Written to {file}").format(file=path.name)),
                on_error=self._complain,
            )
