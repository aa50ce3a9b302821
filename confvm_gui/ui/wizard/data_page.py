"""Data: the records, checked while the person looks at them, and the key that protects the disk."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QTableView,
    QWidget,
)

from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.keys.chooser import KeyChooser
from confvm_gui.ui.wizard.draft import Draft, RecordsChoice, Step
from confvm_gui.ui.wizard.library_choice import runs_in_cloud, takes_records
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import Debounce, WizardPage, column, field_label, scrolled
from confvm_gui.ui.wizard.preview_table import PreviewTable
from confvm_gui.ui.wizard.seed_form import SeedForm
from confvm_gui.ui.wizard.session import Inspect

PREVIEW_ROWS = 5
CHECK_DELAY_MS = 300
"""How long typing must have paused before a path is looked at."""


def size_text(length: int) -> str:
    """Bytes for people: `512 B`, `92.0 KiB`, `1.4 GiB`."""
    size = float(length)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


class DataPage(WizardPage):
    step = Step.DATA

    def __init__(self, draft: Draft, inspect: Inspect, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(draft, parent)
        self._inspect = inspect
        self._checked: tuple[object, ...] = ()
        self._columns_for: tuple[object, ...] = ()
        self._tasks = tasks
        self.setAcceptDrops(True)
        body = QWidget(self)
        layout = column(body, spacing=SPACING + 4)
        layout.setContentsMargins(0, 0, SPACING, 0)
        self._key = KeyChooser(draft.session.keys, tasks, body)
        self._key.chosen.connect(draft.choose_disk_key)
        self._for_records = (self._build_records(body), self._key, self._build_states(body))
        self._seed = SeedForm(draft, body)
        self._no_disk = Note(
            self.tr("A kernel of the library boots without a disk: it takes no records, and no key is released to it."),
            Tone.MUTED,
            body,
        )
        self._no_disk.setObjectName("wizard.noDisk")
        for part in (*self._for_records, self._seed, self._no_disk):
            layout.addWidget(part)
        layout.addStretch(1)
        scrolled(body, self)

    def title(self) -> str:
        return self.tr("Data")

    def subtitle(self) -> str:
        if self.draft.on_host:
            return self.tr("Say what the system is told when it boots for the first time.")
        if runs_in_cloud(self.draft.request):
            return self.tr("Say with which key the disk is encrypted.")
        return self.tr("Give the guest records to index, to query and to learn from.")

    def first_field(self) -> QWidget:
        if self.draft.on_host:
            return self._seed.hostname
        if runs_in_cloud(self.draft.request):
            return self._key.field
        return self._path if self.draft.records_choice is RecordsChoice.FILE else self._sample

    def _build_records(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        inside = column(card, margin=14, spacing=8)
        inside.addWidget(heading(self.tr("Records"), card, 1.05))
        self._own = QRadioButton(self.tr("A &CSV file of mine"), card)
        self._own.setObjectName("wizard.useFile")
        self._sample = QRadioButton(self.tr("The shipped &sample"), card)
        self._sample.setObjectName("wizard.useSample")
        self._none = QRadioButton(self.tr("N&o records"), card)
        self._none.setObjectName("wizard.noRecords")
        self._group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(SPACING * 3)
        for radio, choice in (
            (self._sample, RecordsChoice.SAMPLE),
            (self._own, RecordsChoice.FILE),
            (self._none, RecordsChoice.NONE),
        ):
            self._group.addButton(radio)
            radio.clicked.connect(lambda _checked, chosen=choice: self._choose(chosen))
            row.addWidget(radio)
        row.addStretch(1)
        inside.addLayout(row)
        inside.addLayout(self._build_path(card))
        self._status = Note("", Tone.MUTED, card)
        self._status.setObjectName("wizard.recordsStatus")
        inside.addWidget(self._status)
        self._preview = QTableView(card)
        self._preview.setObjectName("wizard.preview")
        self._preview.setAccessibleName(self.tr("First rows of the records"))
        self._preview_model = PreviewTable(self)
        self._preview.setModel(self._preview_model)
        self._preview.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._preview.setTabKeyNavigation(False)
        self._preview.setWordWrap(False)
        self._preview.verticalHeader().setDefaultSectionSize(self._preview.fontMetrics().height() + 8)
        self._preview.setFixedHeight((self._preview.fontMetrics().height() + 8) * (PREVIEW_ROWS + 1) + 22)
        inside.addWidget(self._preview)
        inside.addWidget(self._build_columns(card))
        return card

    def _build_path(self, card: QWidget) -> QHBoxLayout:
        self._path = QLineEdit(card)
        self._path.setObjectName("wizard.records")
        self._path.setAccessibleName(self.tr("Path of the CSV file"))
        self._path.setPlaceholderText(self.tr("Path of a CSV file, or drop one here"))
        self._path.setClearButtonEnabled(True)
        self._path.textEdited.connect(self._on_typed)
        Debounce(self._path, CHECK_DELAY_MS).timer.timeout.connect(self.check_records)
        browse = QPushButton(self.tr("&Browse …"), card)
        browse.setObjectName("wizard.browse")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self._path, 1)
        row.addWidget(browse)
        return row

    def _build_columns(self, card: QWidget) -> QWidget:
        self._columns = QWidget(card)
        grid = QGridLayout(self._columns)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACING * 2)
        grid.setVerticalSpacing(4)
        self._index = QComboBox(self._columns)
        self._index.setObjectName("wizard.indexColumn")
        self._label = QComboBox(self._columns)
        self._label.setObjectName("wizard.labelColumn")
        for combo in (self._index, self._label):
            combo.setMinimumContentsLength(14)
            combo.activated.connect(lambda _row: self._choose_columns())
        self._index_note = ToneLabel(self.tr("The guest builds its index over this column."), Tone.MUTED, self._columns)
        self._label_note = ToneLabel("", Tone.MUTED, self._columns)
        grid.addWidget(field_label(self.tr("&Index column"), self._index, self._columns), 0, 0)
        grid.addWidget(self._index, 1, 0)
        grid.addWidget(self._index_note, 2, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(field_label(self.tr("&Label to learn"), self._label, self._columns), 0, 1)
        grid.addWidget(self._label, 1, 1)
        grid.addWidget(self._label_note, 2, 1, Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return self._columns

    def _build_states(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        inside = column(card, margin=14, spacing=8)
        inside.addWidget(heading(self.tr("How the records stay protected"), card, 1.05))
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING * 3)
        self._states: list[ToneLabel] = []
        for number, title in enumerate((self.tr("At rest"), self.tr("In transit"), self.tr("In use"))):
            grid.addWidget(heading(title, card), 0, number)
            text = ToneLabel("", Tone.MUTED, card)
            grid.addWidget(text, 1, number, Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(number, 1)
            self._states.append(text)
        inside.addLayout(grid)
        return card

    def enter(self) -> None:
        super().enter()
        if takes_records(self.draft.request):
            self.check_records()
        if self._key.isVisibleTo(self):
            self._key.enter()

    def check_records(self) -> None:
        """Check the file that is chosen, unless that is done or under way."""
        draft = self.draft
        path = draft.records_file()
        if path is None:
            self._checked = ()
            self._tasks.cancel("check records")
            return
        wanted = (path, draft.index_column, draft.label_column)
        if wanted == self._checked and (draft.records_busy or draft.summary or draft.records_error):
            return
        self._checked = wanted
        draft.records_checking()
        self._tasks.start(
            "check records",
            self._inspect(path, index_column=draft.index_column, label_column=draft.label_column),
            on_done=draft.records_found,
            on_error=draft.records_failed,
        )

    def refresh(self) -> None:
        draft = self.draft
        request = draft.request
        cloud = runs_in_cloud(request)
        bare = draft.own_image and not draft.on_host
        for part in self._for_records:
            part.setVisible(takes_records(request))
        self._key.setVisible(takes_records(request) or cloud)
        self._no_disk.setVisible(bare or cloud)
        if cloud:
            self._no_disk.show_text(self._cloud_words(), Tone.MUTED)
        self._seed.setVisible(draft.on_host)
        self._seed.refresh()
        if draft.on_host or bare:
            return
        if cloud:
            self._show_key(self.tr("gcpkms:projects/…/cryptoKeys/NAME for a key of yours in Cloud KMS."))
            return
        self._sample.setEnabled(draft.sample is not None)
        radio = {RecordsChoice.SAMPLE: self._sample, RecordsChoice.FILE: self._own, RecordsChoice.NONE: self._none}
        radio[draft.records_choice].setChecked(True)
        if self._path.text() != draft.records_path:
            self._path.setText(draft.records_path)
        self._show_status()
        self._show_columns()
        self._show_key()
        self._show_states()

    def _cloud_words(self) -> str:
        return self.tr(
            "The cloud boots the image as it is: it takes no records from here. It encrypts the disk with a key of its "
            "own, or with yours if you name one."
        )

    def _show_key(self, form: str = "") -> None:
        """`form`: what a reference looks like where a cloud uses the key."""
        draft = self.draft
        problem = draft.field_problem("disk_key")
        self._key.show_choice(draft.request.disk_key, problem, about_local=draft.session.key_protection, form=form)

    def _show_status(self) -> None:
        draft = self.draft
        problem = draft.records_problem()
        summary = draft.summary
        if draft.records_choice is RecordsChoice.NONE:
            self._status.show_text(
                self.tr("The guest starts without records and has nothing to index, query or learn from."), Tone.MUTED
            )
        elif summary is not None and not problem:
            self._status.show_text(
                self.tr("{0}: {1} rows, {2} columns, {3}").format(
                    summary.path.name, f"{summary.rows:,}", len(summary.columns), size_text(summary.bytes)
                ),
                Tone.GOOD,
            )
        else:
            bad = bool(draft.records_error) and not draft.records_busy
            self._status.show_text(problem, Tone.BAD if bad else Tone.MUTED)
        self._preview.setVisible(summary is not None)
        self._columns.setVisible(summary is not None)
        if summary is not None:
            self._preview_model.show_rows(summary.columns, summary.numeric, summary.preview[:PREVIEW_ROWS])

    def _show_columns(self) -> None:
        summary = self.draft.summary
        if summary is None:
            return
        automatic = self.draft.automatic
        if self._columns_for != (summary.path, summary.columns, automatic):
            self._columns_for = (summary.path, summary.columns, automatic)
            for combo, name in zip((self._index, self._label), automatic, strict=True):
                combo.clear()
                combo.addItem(self.tr("Automatic ({0})").format(name), None)
                for column_name in summary.columns:
                    combo.addItem(column_name, column_name)
            self._preview.resizeColumnsToContents()
        chosen = (self.draft.index_column, self.draft.label_column)
        for combo, wanted in zip((self._index, self._label), chosen, strict=True):
            combo.setCurrentIndex(0 if wanted is None else 1 + summary.columns.index(wanted))
        self._index_note.setText(
            self.tr("The guest builds its index over this column: {0}").format(summary.index_rule)
            if summary.index_rule
            else self.tr("The guest builds its index over this column.")
        )
        self._label_note.setText(
            self.tr("The guest learns to predict: {0}").format(summary.label_rule)
            if summary.label_rule and not self.draft.records_error
            else ""
        )

    def _show_states(self) -> None:
        request = self.draft.request
        rest = self.tr("On an encrypted disk image (AES-256-XTS). Its key is stored only wrapped by {0}.").format(
            request.disk_key
        )
        if request.cloud == "libvirt":
            transit = self.tr("For each start its host is given the disk's key, which QEMU keeps in its memory.")
            if not request.disk_key:
                rest = self.tr("On a plain disk image, which its host reads. Name a key, and it is encrypted.")
                transit = self.tr("No key is sent.")
        elif request.confidential:
            transit = self.tr(
                "The disk's key reaches the guest only as a secret, injected once its launch is measured and right."
            )
        else:
            transit = self.tr("The hypervisor writes the disk's key into the guest's memory, and so knows it.")
        if request.confidential:
            use = self.tr(
                "In memory encrypted by {0}, with a key that never leaves the secure processor. "
                "The hypervisor reads ciphertext."
            ).format(request.technology.title)
        else:
            use = self.tr("In plain memory: the hypervisor can read every record. This is what the checkbox changes.")
        for label, text in zip(self._states, (rest, transit, use), strict=True):
            label.setText(text)
        for label in self._states[1:]:
            label.set_tone(Tone.MUTED if request.confidential else Tone.WARNING)

    def _on_typed(self, text: str) -> None:
        self._tasks.cancel("check records")
        self.draft.choose_records(RecordsChoice.FILE, text)

    def _choose(self, choice: RecordsChoice) -> None:
        self._tasks.cancel("check records")
        self.draft.choose_records(choice)
        if choice is RecordsChoice.FILE:
            self._path.setFocus(Qt.FocusReason.OtherFocusReason)
        self.check_records()

    def _choose_file(self, path: str) -> None:
        self._tasks.cancel("check records")
        self.draft.choose_records(RecordsChoice.FILE, path)
        self.check_records()

    def _choose_columns(self) -> None:
        self.draft.choose_columns(self._index.currentData(), self._label.currentData())
        self.check_records()

    def _browse(self) -> None:
        start = self.draft.records_file()
        dialog = QFileDialog(self, self.tr("Choose the records"), str(start.parent) if start is not None else "")
        dialog.setObjectName("wizard.recordsDialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("CSV files (*.csv)"), self.tr("All files (*)")])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._choose_file)
        dialog.open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if not files:
            return
        event.acceptProposedAction()
        if len(files) > 1:
            self.draft.choose_records(RecordsChoice.FILE, "")
            self.draft.records_failed(self.tr("Drop one file: the guest works on one table of records"))
            return
        self._choose_file(files[0])
