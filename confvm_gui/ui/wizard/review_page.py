"""Review: everything at a glance, what stands against it, labels, and the same request for Google's own tools."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.fleet.export import Export, ExportFormat, export_request, formats_for, libvirt_export
from confvm_gui.fleet.launch import save_request
from confvm_gui.ui.theme import monospace_font
from confvm_gui.ui.wizard.draft import Draft, Step
from confvm_gui.ui.wizard.field_names import field_title, setting_text
from confvm_gui.ui.wizard.forced_list import ForcedList
from confvm_gui.ui.wizard.guard_card import GuardCard
from confvm_gui.ui.wizard.guarding import Guarding
from confvm_gui.ui.wizard.label_text import labels_line, parse_labels
from confvm_gui.ui.wizard.library_choice import runs_in_cloud
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.machine_table import memory_text
from confvm_gui.ui.wizard.page import WizardPage, column, field_label, scrolled

COPIED_MS = 1600


class ReviewPage(WizardPage):
    step = Step.REVIEW
    change_wanted = Signal(int)
    """A person wants to change what the page of this step is for."""

    def __init__(self, draft: Draft, guarding: Guarding, parent: QWidget | None = None) -> None:
        super().__init__(draft, parent)
        self._guarding = guarding
        self._exports: dict[ExportFormat, tuple[QPlainTextEdit, ToneLabel, QPushButton]] = {}
        self._findings: list[Note] = []
        body = QWidget(self)
        layout = column(body, spacing=SPACING + 4)
        layout.setContentsMargins(0, 0, SPACING, 0)
        layout.addWidget(self._build_banner(body))
        guard = GuardCard(guarding, body)
        guard.step_wanted.connect(self._change)
        layout.addWidget(guard)
        layout.addWidget(self._build_summary(body))
        layout.addWidget(self._build_forced(body))
        layout.addWidget(self._build_labels(body))
        layout.addWidget(self._build_exports(body))
        layout.addStretch(1)
        scrolled(body, self)
        guarding.changed.connect(self._show_findings)

    def title(self) -> str:
        return self.tr("Review")

    def subtitle(self) -> str:
        return self.tr("Read it once more. Creating it is a job that you can follow and cancel.")

    def first_field(self) -> QWidget:
        return self._labels

    def _build_banner(self, parent: QWidget) -> QWidget:
        self._banner = Card(parent)
        inside = column(self._banner, margin=14, spacing=6)
        self._headline = heading("", self._banner, 1.2)
        self._headline.setObjectName("wizard.headline")
        self._headline.setWordWrap(True)
        inside.addWidget(self._headline)
        self._notes = QVBoxLayout()
        self._notes.setSpacing(5)
        inside.addLayout(self._notes)
        return self._banner

    def _build_summary(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        grid = QGridLayout(card)
        grid.setContentsMargins(14, 12, 14, 12)
        grid.setHorizontalSpacing(SPACING * 2)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(1, 1)
        self._rows: dict[Step, ToneLabel] = {}
        titles = {
            Step.WHERE: self.tr("Where"),
            Step.MACHINE: self.tr("Machine"),
            Step.IMAGE: self.tr("Image"),
            Step.CONFIDENTIAL: self.tr("Confidential"),
            Step.DATA: self.tr("Data"),
        }
        for number, (step, title) in enumerate(titles.items()):
            grid.addWidget(heading(title, card), number, 0)
            value = ToneLabel("", Tone.PLAIN, card)
            value.setObjectName(f"wizard.summary.{step.name.lower()}")
            grid.addWidget(value, number, 1)
            change = QPushButton(self.tr("Change"), card)
            change.setProperty("kind", "link")
            change.setAutoDefault(False)
            change.setAccessibleName(self.tr("Change {0}").format(title))
            change.clicked.connect(lambda _checked, wanted=step: self.change_wanted.emit(int(wanted)))
            grid.addWidget(change, number, 2)
            self._rows[step] = value
        return card

    def _build_forced(self, parent: QWidget) -> QWidget:
        self._forced_card = Card(parent)
        inside = column(self._forced_card, margin=14, spacing=8)
        inside.addWidget(heading(self.tr("Changed by the checkbox"), self._forced_card, 1.05))
        self._forced = ForcedList(self._forced_card)
        self._forced.setObjectName("wizard.forcedApplied")
        inside.addWidget(self._forced)
        return self._forced_card

    def _build_labels(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        inside = column(card, margin=14, spacing=6)
        self._labels = QLineEdit(card)
        self._labels.setObjectName("wizard.labels")
        self._labels.setPlaceholderText("team=genomics, env=test")
        self._labels.textEdited.connect(self._on_labels)
        self._labels_error = FieldError(card)
        self._labels_error.setObjectName("wizard.labelsError")
        inside.addWidget(field_label(self.tr("&Labels, to group and find instances by"), self._labels, card))
        inside.addWidget(self._labels)
        inside.addWidget(self._labels_error)
        return card

    def _build_exports(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        inside = column(card, margin=14, spacing=8)
        top = QHBoxLayout()
        self._exports_title = heading("", card, 1.05)
        top.addWidget(self._exports_title)
        top.addStretch(1)
        save = QPushButton(self.tr("Save &request …"), card)
        save.setObjectName("wizard.saveRequest")
        save.setAutoDefault(False)
        save.clicked.connect(self._save)
        self._save_note = Note("", Tone.GOOD, card)
        self._save_note.hide()
        top.addWidget(save)
        inside.addLayout(top)
        inside.addWidget(self._save_note)
        self._tabs = QTabWidget(card)
        self._tabs.setObjectName("wizard.exports")
        self._tabs.setDocumentMode(True)
        titles = {
            ExportFormat.GCLOUD: self.tr("gcloud command"),
            ExportFormat.REST: self.tr("REST call"),
            ExportFormat.AWS_CLI: self.tr("AWS CLI command"),
            ExportFormat.TERRAFORM: self.tr("Terraform"),
            ExportFormat.LIBVIRT: self.tr("libvirt XML"),
        }
        for export_format in ExportFormat:
            self._tabs.addTab(self._build_export(export_format), titles[export_format])
        inside.addWidget(self._tabs)
        return card

    def _build_export(self, export_format: ExportFormat) -> QWidget:
        tab = QWidget(self)
        layout = column(tab, spacing=6)
        layout.setContentsMargins(0, 8, 0, 0)
        text = QPlainTextEdit(tab)
        text.setObjectName(f"wizard.export.{export_format.value}")
        text.setAccessibleName(export_format.title)
        text.setReadOnly(True)
        text.setTabChangesFocus(True)
        text.setFont(monospace_font())
        text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        text.setFixedHeight(text.fontMetrics().height() * 14 + 24)
        copy = QPushButton(self.tr("Copy"), tab)
        copy.setObjectName(f"wizard.copy.{export_format.value}")
        copy.setAutoDefault(False)
        copy.setAccessibleName(self.tr("Copy {0}").format(export_format.title))
        copied = QTimer(copy)
        copied.setSingleShot(True)
        copied.setInterval(COPIED_MS)
        copied.timeout.connect(lambda: copy.setText(self.tr("Copy")))

        def on_copy() -> None:
            QGuiApplication.clipboard().setText(text.toPlainText())
            copy.setText(self.tr("Copied"))
            copied.start()

        copy.clicked.connect(on_copy)
        note = ToneLabel("", Tone.MUTED, tab)
        below = QHBoxLayout()
        below.addWidget(note, 1)
        below.addWidget(copy)
        layout.addWidget(text)
        layout.addLayout(below)
        self._exports[export_format] = (text, note, copy)
        return tab

    def _change(self, step: int) -> None:
        if step == Step.REVIEW:
            self._labels.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.change_wanted.emit(step)

    def refresh(self) -> None:
        self._guarding.look()
        self._show_findings()
        self._show_summary()
        applied = self.draft.forced_applied
        self._forced_card.setVisible(bool(applied))
        self._forced.show_settings(applied)
        line = self.draft.labels_text or labels_line(self.draft.request.labels)
        if self._labels.text() != line:
            self._labels.setText(line)
        self._labels_error.show_problem(self.draft.field_problem("labels"))
        self._show_exports()

    def _show_findings(self) -> None:
        draft = self.draft
        request = draft.request
        problems = [problem for step in Step if (problem := draft.problem(step))]
        denial = self._guarding.denial
        if problems:
            self._headline.setText(self.tr("Not ready yet"))
            self._banner.set_tone(Tone.BAD)
        elif denial:
            self._headline.setText(self.tr("The guardrails deny it"))
            self._banner.set_tone(Tone.BAD)
        elif request.confidential:
            self._headline.setText(
                self.tr("{0} will be a confidential VM with {1}").format(request.name, request.technology.title)
            )
            self._banner.set_tone(Tone.GOOD)
        else:
            self._headline.setText(self.tr("{0} will be a plain VM").format(request.name))
            self._banner.set_tone(Tone.WARNING)
        findings = [(text, Tone.BAD) for text in problems] + [(text, Tone.MUTED) for text in draft.plan.notes]
        for note in self._findings:
            self._notes.removeWidget(note)
            note.hide()
            note.deleteLater()
        self._findings = [Note(text, tone, self._banner) for text, tone in findings]
        for note in self._findings:
            self._notes.addWidget(note)

    def _show_summary(self) -> None:
        draft = self.draft
        request = draft.request
        catalog = draft.catalog
        provider = draft.provider.title if draft.provider is not None else request.provider
        try:
            region = catalog.region(request.cloud, request.region).title
            machine_type = catalog.machine_type(request.cloud, request.machine_type)
            image = self._image_words()
        except NotFound as error:
            self._rows[Step.WHERE].setText(str(error))
            return
        self._rows[Step.WHERE].setText(
            provider
            if draft.on_host
            else self.tr("{0}: {1} ({2}), zone {3}").format(provider, request.region, region, request.zone)
            if runs_in_cloud(request)
            else self.tr("{0}, as if on {1}: {2} ({3}), zone {4}").format(
                provider, catalog.cloud_title(request.cloud), request.region, region, request.zone
            )
        )
        parts = [
            self.tr("{0}: {1} vCPUs, {2}").format(
                machine_type.name, machine_type.vcpus, memory_text(machine_type.memory_mib)
            )
        ]
        if request.cloud == "gce":
            if request.min_cpu_platform:
                parts.append(self.tr("{0} or later").format(request.min_cpu_platform))
            parts.append(
                self.tr("on host maintenance: {0}").format(
                    setting_text("host_maintenance", request.host_maintenance.value)
                )
            )
            parts.append(f"{field_title('nic_type')}: {setting_text('nic_type', request.nic_type)}")
        self._rows[Step.MACHINE].setText(" · ".join(parts))
        self._rows[Step.IMAGE].setText(image)
        shielded = [
            title
            for on, title in (
                (request.secure_boot, self.tr("Secure Boot")),
                (request.vtpm, self.tr("vTPM")),
                (request.integrity_monitoring, self.tr("integrity monitoring")),
            )
            if on
        ]
        technology = request.technology.title if request.confidential else self.tr("No: plain memory")
        self._rows[Step.CONFIDENTIAL].setText(
            " · ".join([technology, self.tr("Shielded VM: {0}").format(", ".join(shielded) or self.tr("off"))])
        )
        if draft.on_host:
            self._rows[Step.DATA].setText(self._seed_words())
            return
        if runs_in_cloud(request):
            self._rows[Step.DATA].setText(self.tr("disk key {0}").format(request.disk_key))
            return
        if draft.own_image:
            self._rows[Step.DATA].setText(self.tr("No records: a kernel of the library boots without a disk"))
            return
        summary = draft.summary
        records = (
            self.tr("{0}, {1} rows").format(summary.path.name, f"{summary.rows:,}")
            if summary is not None and request.records is not None
            else self.tr("No records")
        )
        self._rows[Step.DATA].setText(f"{records} · {self.tr('disk key {0}').format(request.disk_key)}")

    def _image_words(self) -> str:
        """Title and name. Raises NotFound."""
        request = self.draft.request
        if self.draft.own_image:
            known = self.draft.library_image()
            return f"{known.title} · {request.image}" if known is not None else request.image
        image = self.draft.catalog.image(request.cloud, request.image)
        return f"{image.title} · {image.name}"

    def _seed_words(self) -> str:
        seed = self.draft.request.seed
        if seed is None:
            return self.tr("Nothing for the first boot")
        parts = [self.tr("hostname {0}").format(seed.hostname)]
        if seed.user:
            parts.append(self.tr("user {0}").format(seed.user))
        if seed.ssh_keys:
            parts.append(self.tr("%n SSH key(s)", "", len(seed.ssh_keys)))
        if seed.files:
            parts.append(self.tr("a canary"))
        return " · ".join(parts)

    def _show_exports(self) -> None:
        draft = self.draft
        title = self.tr("The same request for virsh") if draft.on_host else self.tr("The same request for other tools")
        self._exports_title.setText(title)
        # Where a request cannot be written yet, one tab says so.
        formats = formats_for(draft.request.cloud) or (ExportFormat.TERRAFORM,)
        self._tabs.setAccessibleName(title)
        for at, (export_format, (text, note, copy)) in enumerate(self._exports.items()):
            fits = export_format is ExportFormat.LIBVIRT if draft.on_host else export_format in formats
            self._tabs.setTabVisible(at, fits)
            if not fits:
                continue
            try:
                export = (
                    libvirt_export(draft.provider, draft.request)
                    if export_format is ExportFormat.LIBVIRT
                    else export_request(draft.catalog, draft.request, export_format)
                )
            except (NotFound, InvalidInput) as error:
                export = Export(export_format, "", str(error), ())
            if text.toPlainText() != export.text:
                text.setPlainText(export.text)
            text.setVisible(bool(export.text))
            copy.setVisible(bool(export.text))
            note.setText(export.unavailable or ". ".join(export.notes) + ".")

    def _on_labels(self, text: str) -> None:
        try:
            self.draft.choose_labels(text, parse_labels(text))
        except InvalidInput as error:
            self.draft.labels_text = text
            self.draft.complain(error)

    def _save(self) -> None:
        dialog = QFileDialog(self, self.tr("Save the request"))
        dialog.setObjectName("wizard.saveDialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([self.tr("JSON (*.json)"), self.tr("TOML (*.toml)")])
        dialog.setDefaultSuffix("json")
        dialog.selectFile(f"{self.draft.request.name or 'instance'}.json")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._save_as)
        dialog.open()

    def _save_as(self, path: str) -> None:
        try:
            save_request(self.draft.request, Path(path))
        except InvalidInput as error:
            self._save_note.show_text(str(error), Tone.BAD)
            return
        self._save_note.show_text(
            self.tr("Saved. confvm create --request {0} makes the same instance.").format(path), Tone.GOOD
        )
