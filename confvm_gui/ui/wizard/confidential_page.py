"""Confidential: the checkbox, what it changes before it is changed, the technology, the Shielded VM options."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.catalogue import Technology, TechnologyInfo
from confvm_gui.ui.wizard.draft import Draft, Step
from confvm_gui.ui.wizard.forced_list import ForcedList
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading, scaled_font
from confvm_gui.ui.wizard.page import WizardPage, column, scrolled


class ConfidentialPage(WizardPage):
    step = Step.CONFIDENTIAL

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(draft, parent)
        self._infos = {info.technology: info for info in draft.catalog.technologies()}
        self._radios: dict[Technology, QRadioButton] = {}
        self._reasons: dict[Technology, ToneLabel] = {}
        body = QWidget(self)
        layout = column(body, spacing=SPACING + 4)
        layout.setContentsMargins(0, 0, SPACING, 0)
        layout.addWidget(self._build_checkbox(body))
        layout.addWidget(self._build_forced(body))
        layout.addWidget(self._build_technology(body))
        layout.addWidget(self._build_attestation(body))
        layout.addWidget(self._build_shielded(body))
        layout.addStretch(1)
        scrolled(body, self)

    def title(self) -> str:
        return self.tr("Confidential")

    def subtitle(self) -> str:
        return self.tr("Decide whether memory is encrypted while the instance runs, and how.")

    def first_field(self) -> QWidget:
        return self._checkbox

    def _build_checkbox(self, parent: QWidget) -> QWidget:
        self._card = Card(parent)
        inside = column(self._card, margin=14, spacing=6)
        self._checkbox = QCheckBox(self.tr("Make this a &confidential VM"), self._card)
        self._checkbox.setObjectName("wizard.confidential")
        self._checkbox.setFont(scaled_font(self._checkbox.font(), 1.2))
        self._checkbox.clicked.connect(self._on_ticked)
        self._state = ToneLabel("", Tone.MUTED, self._card)
        self._state.setObjectName("wizard.confidentialState")
        self._error = Note("", Tone.BAD, self._card)
        self._error.setObjectName("wizard.technologyError")
        self._error.hide()
        for widget in (self._checkbox, self._state, self._error):
            inside.addWidget(widget)
        return self._card

    def _build_forced(self, parent: QWidget) -> QWidget:
        self._forced_card = Card(parent, Tone.WARNING)
        self._forced_card.setObjectName("wizard.forced")
        inside = column(self._forced_card, margin=14, spacing=10)
        self._forced_title = heading("", self._forced_card, 1.05)
        self._forced_title.setWordWrap(True)
        self._forced = ForcedList(self._forced_card)
        self._forced.setObjectName("wizard.forcedList")
        self._apply = QPushButton(self.tr("&Apply these changes"), self._forced_card)
        self._apply.setObjectName("wizard.apply")
        self._apply.clicked.connect(self._on_apply)
        self._keep = QPushButton(self._forced_card)
        self._keep.setObjectName("wizard.keepPlain")
        self._keep.clicked.connect(self._on_keep)
        buttons = QHBoxLayout()
        buttons.addWidget(self._apply)
        buttons.addWidget(self._keep)
        buttons.addStretch(1)
        inside.addWidget(self._forced_title)
        inside.addWidget(self._forced)
        inside.addLayout(buttons)
        self._forced_card.hide()
        return self._forced_card

    def _build_technology(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        card.setObjectName("wizard.technology")
        inside = column(card, margin=14, spacing=8)
        title = heading(self.tr("Technology"), card, 1.05)
        inside.addWidget(title)
        both = QHBoxLayout()
        both.setSpacing(SPACING * 3)
        self._choices = QVBoxLayout()
        self._choices.setSpacing(4)
        self._group = QButtonGroup(self)
        both.addLayout(self._choices, 1)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(SPACING * 2)
        self._facts.setVerticalSpacing(5)
        self._facts.setColumnStretch(1, 1)
        self._fact_labels: list[ToneLabel] = []
        titles = (
            self.tr("Memory"),
            self.tr("Integrity"),
            self.tr("Registers"),
            self.tr("Attestation"),
            self.tr("Limits"),
        )
        for row, text in enumerate(titles):
            name = ToneLabel(text, Tone.MUTED, card)
            name.setWordWrap(False)
            fact = ToneLabel("", Tone.PLAIN, card)
            self._facts.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(fact, row, 1, Qt.AlignmentFlag.AlignTop)
            self._fact_labels.append(fact)
        self._facts.setRowStretch(len(titles), 1)
        both.addLayout(self._facts, 1)
        inside.addLayout(both)
        self._technology_card = card
        return card

    def _build_attestation(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        inside = column(card, margin=14, spacing=6)
        inside.addWidget(heading(self.tr("Attestation"), card, 1.05))
        self._attest = QCheckBox(self.tr("&Release keys only to a launch that was verified"), card)
        self._attest.setObjectName("wizard.attest")
        self._attest.clicked.connect(self.draft.choose_attest)
        self._attest_note = ToneLabel("", Tone.MUTED, card)
        self._attest_note.setObjectName("wizard.attestNote")
        self._attest_note.setContentsMargins(26, 0, 0, 0)
        inside.addWidget(self._attest)
        inside.addWidget(self._attest_note)
        self._attestation_card = card
        return card

    def _build_shielded(self, parent: QWidget) -> QWidget:
        card = Card(parent)
        inside = column(card, margin=14, spacing=6)
        inside.addWidget(heading(self.tr("Shielded VM"), card, 1.05))
        options = QHBoxLayout()
        options.setSpacing(SPACING * 3)
        self._secure_boot = QCheckBox(self.tr("&Secure Boot"), card)
        self._secure_boot.setObjectName("wizard.secureBoot")
        self._secure_boot.setToolTip(self.tr("Boots only what is signed by a trusted publisher"))
        self._vtpm = QCheckBox(self.tr("&vTPM"), card)
        self._vtpm.setObjectName("wizard.vtpm")
        self._vtpm.setToolTip(self.tr("A virtual trusted platform module that measures the boot"))
        self._integrity = QCheckBox(self.tr("&Integrity monitoring"), card)
        self._integrity.setObjectName("wizard.integrityMonitoring")
        self._integrity.setToolTip(self.tr("Compares each boot's measurements with a baseline; needs the vTPM"))
        for box in (self._secure_boot, self._vtpm, self._integrity):
            box.clicked.connect(self._on_shielded)
            options.addWidget(box)
        options.addStretch(1)
        inside.addLayout(options)
        self._shielded_note = Note("", Tone.MUTED, card)
        self._shielded_note.setObjectName("wizard.shieldedNote")
        inside.addWidget(self._shielded_note)
        return card

    def refresh(self) -> None:
        draft = self.draft
        request = draft.request
        pending = draft.pending
        self._fill_technologies()
        self._checkbox.setChecked(request.confidential or pending is not None)
        problem = draft.technology_error or draft.field_problem(
            "technology", "host_maintenance", "nic_type", "min_cpu_platform"
        )
        self._error.show_text(problem, Tone.BAD)
        self._card.set_tone(Tone.GOOD if request.confidential and not problem else Tone.PLAIN)
        if pending is not None:
            self._state.setText(self.tr("Not applied yet: see what has to change first."))
        elif request.confidential:
            self._state.setText(
                self.tr(
                    "Memory is encrypted with a key that is made inside the processor and never leaves it. "
                    "The hypervisor reads ciphertext."
                )
            )
        else:
            self._state.setText(
                self.tr("Plain: whoever controls the host can read and change all of this instance's memory.")
            )
        self._show_forced()
        chosen = pending.technology if pending is not None else request.technology
        self._show_facts(chosen if chosen is not Technology.NONE else draft.wanted)
        self._attestation_card.setVisible(request.confidential)
        self._attest.setChecked(request.attest)
        self._attest_note.setText(
            self.tr(
                "The console computes what the launch must measure, and has the evidence verified to its root "
                "before the disk's key leaves. Anything else stops the launch and keeps the key."
            )
            if request.attest
            else self.tr("The disk's key goes to whatever the host launched, without a look at it.")
        )
        self._secure_boot.setChecked(request.secure_boot)
        self._vtpm.setChecked(request.vtpm)
        self._integrity.setChecked(request.integrity_monitoring)
        self._integrity.setEnabled(request.vtpm)
        provider = draft.provider
        self._shielded_note.show_text(
            self.tr(
                "Emulated here: the engine measures the guest's image and settings into a vTPM in place of a firmware. "
                "Secure Boot is measured; there is no firmware that would enforce it."
            )
            if provider is not None and provider.emulated
            else ""
        )

    def _fill_technologies(self) -> None:
        draft = self.draft
        technologies = draft.technologies()
        if tuple(self._radios) != technologies:
            self._rebuild_technologies(technologies)
        pending = draft.pending
        chosen = pending.technology if pending else draft.request.technology
        if chosen is Technology.NONE:
            chosen = draft.wanted
        for technology, radio in self._radios.items():
            reason = draft.technology_reason(technology)
            radio.setEnabled(not reason)
            radio.setAccessibleDescription(reason)
            radio.setToolTip(reason)
            self._reasons[technology].setText(reason)
            self._reasons[technology].setVisible(bool(reason))
            if technology is chosen:
                radio.setChecked(True)

    def _rebuild_technologies(self, technologies: tuple[Technology, ...]) -> None:
        while (item := self._choices.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for radio in self._radios.values():
            self._group.removeButton(radio)
        self._radios, self._reasons = {}, {}
        for technology in technologies:
            radio = QRadioButton(technology.title, self._technology_card)
            radio.setObjectName(f"wizard.technology.{technology.value}")
            radio.clicked.connect(lambda _checked, chosen=technology: self._on_technology(chosen))
            reason = ToneLabel("", Tone.MUTED, self._technology_card)
            reason.setContentsMargins(26, 0, 0, 2)
            self._group.addButton(radio)
            self._choices.addWidget(radio)
            self._choices.addWidget(reason)
            radio.show()  # now, and not with the next turn of the event loop
            self._radios[technology], self._reasons[technology] = radio, reason
        self._choices.addStretch(1)

    def _show_forced(self) -> None:
        pending = self.draft.pending
        self._forced_card.setVisible(pending is not None)
        if pending is None:
            return
        self._forced_title.setText(
            self.tr("{0} changes {1} settings").format(pending.technology.title, len(pending.forced))
            if len(pending.forced) > 1
            else self.tr("{0} changes one setting").format(pending.technology.title)
        )
        self._forced.show_settings(pending.forced)
        technology = self.draft.request.technology
        self._keep.setText(
            self.tr("&Keep plain") if technology is Technology.NONE else self.tr("&Keep {0}").format(technology.title)
        )

    def _show_facts(self, technology: Technology) -> None:
        info: TechnologyInfo | None = self._infos.get(technology)
        facts = (
            (info.memory_encryption, info.integrity, info.register_state, info.attestation, info.limits)
            if info is not None
            else ("",) * len(self._fact_labels)
        )
        for label, fact in zip(self._fact_labels, facts, strict=True):
            label.setText(fact)

    def _on_ticked(self, ticked: bool) -> None:
        if ticked:
            self.draft.ask_confidential(self.draft.wanted)
            self._focus_changes()
        else:
            self.draft.make_plain()

    def _on_technology(self, technology: Technology) -> None:
        if self.draft.request.confidential or self.draft.pending is not None:
            if technology is self.draft.request.technology:
                self.draft.drop_pending()
                return
            self.draft.ask_confidential(technology)
        else:
            self.draft.want(technology)

    def _focus_changes(self) -> None:
        if self.draft.pending is not None:
            self._apply.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_apply(self) -> None:
        self.draft.apply_pending()
        self._checkbox.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_keep(self) -> None:
        self.draft.drop_pending()
        self._checkbox.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_shielded(self) -> None:
        self.draft.choose_shielded(
            secure_boot=self._secure_boot.isChecked(),
            vtpm=self._vtpm.isChecked(),
            integrity_monitoring=self._integrity.isChecked(),
        )
