"""The facts of an instance as a card of names and values."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from confvm_gui.catalog import Catalog
from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.instance import Instance
from confvm_gui.ui.models.fleet_columns import labels_text
from confvm_gui.ui.models.freshness import ago, is_stale, trust_tool_tip
from confvm_gui.ui.text import mebibytes, moment, technology_word, translate, trust_word
from confvm_gui.ui.theme import UNIT

_NARROWEST = 120
"""Pixels for the values, at least."""


_TRUST = 7
"""Place of the trust among the facts."""


def facts(instance: Instance, catalog: Catalog, host: str = "") -> list[tuple[str, str]]:
    """Name and value of each fact, most telling first; what the catalogue knows goes by its title.

    `host`: title of the host that it runs on, "" while it runs on none.
    """
    title = _image_title(instance, catalog)
    image = instance.image if title == instance.image else f"{title} ({instance.image})"
    runs = (
        translate("Facts", "the built-in {runs} guest, in place of {image}").format(runs=instance.runs, image=title)
        if instance.runs
        else title
    )
    provider = instance.provider
    if instance.emulated:
        provider = translate("Facts", "{provider} (emulated)").format(provider=provider)
    trust = trust_word(instance.trust)
    if instance.trust_by:
        trust = f"{trust}, {instance.trust_by}"
    if instance.attested_at is not None:
        trust = translate("Facts", "{trust}, verified {ago}").format(trust=trust, ago=ago(instance.attested_at))
        if is_stale(instance):
            trust = translate("Facts", "{trust} (stale)").format(trust=trust)
    elif instance.trust_at is not None:
        trust = f"{trust}, {moment(instance.trust_at)}"
    return [
        (translate("Facts", "Runs"), runs),
        (translate("Facts", "Image"), image),
        (
            translate("Facts", "Machine"),
            translate("Facts", "{type}, {vcpus} vCPU, {memory}").format(
                type=instance.machine_type, vcpus=instance.vcpus, memory=mebibytes(instance.memory_mib)
            ),
        ),
        (translate("Facts", "Place"), f"{instance.zone or instance.region} ({_cloud_title(instance, catalog)})"),
        (translate("Facts", "Provider"), provider),
        (translate("Facts", "Host"), host or "–"),
        (translate("Facts", "Technology"), technology_word(instance.technology)),
        (translate("Facts", "Trust"), trust),
        (translate("Facts", "Created"), moment(instance.created_at)),
        (translate("Facts", "Labels"), labels_text(instance) or "–"),
        (translate("Facts", "Id"), instance.id),
    ]


def _image_title(instance: Instance, catalog: Catalog) -> str:
    try:
        return catalog.image(instance.cloud, instance.image).title
    except NotFound:
        return instance.image


def _cloud_title(instance: Instance, catalog: Catalog) -> str:
    try:
        return catalog.cloud_title(instance.cloud)
    except NotFound:
        return instance.cloud


class FactsCard(QFrame):
    """Names at the left, values (selectable) at the right."""

    def __init__(self, catalog: Catalog, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._catalog = catalog
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

    def show_instance(self, instance: Instance, host: str = "") -> None:
        """`host`: title of the host that it runs on."""
        known = facts(instance, self._catalog, host)
        if not self._values:
            for row, (name, _) in enumerate(known, start=1):
                label = QLabel(name)
                label.setProperty("kind", "muted")
                value = QLabel()
                value.setWordWrap(True)
                value.setMinimumWidth(_NARROWEST)  # else a label of 63 characters would force the page wide
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
        self._values[_TRUST].setToolTip(trust_tool_tip(instance))
