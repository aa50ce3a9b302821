"""The facts of an instance as a card of names and values."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from confvm_gui.domain.instance import Instance
from confvm_gui.ui.models.fleet_columns import labels_text
from confvm_gui.ui.text import mebibytes, moment, technology_word, translate, trust_meaning, trust_word
from confvm_gui.ui.theme import UNIT


def facts(instance: Instance) -> list[tuple[str, str]]:
    """Name and value of each fact, most telling first."""
    runs = (
        translate("Facts", "the built-in {runs} guest, in place of {image}").format(
            runs=instance.runs, image=instance.image
        )
        if instance.runs
        else instance.image
    )
    provider = instance.provider
    if instance.emulated:
        provider = translate("Facts", "{provider} (emulated)").format(provider=provider)
    trust = trust_word(instance.trust)
    if instance.trust_at is not None:
        trust = f"{trust}, {moment(instance.trust_at)}"
    if instance.trust_by:
        trust = f"{trust}, {instance.trust_by}"
    return [
        (translate("Facts", "Runs"), runs),
        (translate("Facts", "Image"), instance.image),
        (
            translate("Facts", "Machine"),
            translate("Facts", "{type}, {vcpus} vCPU, {memory}").format(
                type=instance.machine_type, vcpus=instance.vcpus, memory=mebibytes(instance.memory_mib)
            ),
        ),
        (translate("Facts", "Place"), f"{instance.zone or instance.region} ({instance.cloud})"),
        (translate("Facts", "Provider"), provider),
        (translate("Facts", "Technology"), technology_word(instance.technology)),
        (translate("Facts", "Trust"), trust),
        (translate("Facts", "Created"), moment(instance.created_at)),
        (translate("Facts", "Labels"), labels_text(instance) or "–"),
        (translate("Facts", "Id"), instance.id),
    ]


class FactsCard(QFrame):
    """Names at the left, values (selectable) at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setObjectName("facts")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(UNIT * 2, UNIT + 4, UNIT * 2, UNIT + 4)
        self._grid.setHorizontalSpacing(UNIT * 2)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        title = QLabel(self.tr("Instance"))
        title.setProperty("kind", "heading")
        self._grid.addWidget(title, 0, 0, 1, 2)
        self._values: list[QLabel] = []

    def show_instance(self, instance: Instance) -> None:
        known = facts(instance)
        if not self._values:
            for row, (name, _) in enumerate(known, start=1):
                label = QLabel(name)
                label.setProperty("kind", "muted")
                value = QLabel()
                value.setWordWrap(True)
                value.setTextFormat(Qt.TextFormat.PlainText)
                value.setTextInteractionFlags(
                    Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
                )
                value.setAccessibleName(name)
                self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(value, row, 1)
                self._values.append(value)
            self._grid.setRowStretch(len(known) + 1, 1)
        for value, (_, text) in zip(self._values, known, strict=True):
            if value.text() != text:
                value.setText(text)
        self._values[6].setToolTip(trust_meaning(instance.trust))
