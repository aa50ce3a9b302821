"""Where keys are looked for: the HSM's library, regions, key rings and vaults.

Object names: `keys-places-module`, `keys-places-awskms`, `keys-places-gcpkms`, `keys-places-azurekv`,
`keys-places-save`, `keys-places-problem`.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from confvm_gui.domain.errors import ConfvmError
from confvm_gui.fleet.keys.places import KeyPlaces
from confvm_gui.ui.models.key_words import store_word
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label

_EXAMPLES = {
    "awskms": "eu-west-1, eu-central-1",
    "gcpkms": "projects/P/locations/L/keyRings/R",
    "azurekv": "vault, vault.managedhsm.azure.net",
}


class PlacesForm(Card):
    """Emits `saved` after the places were kept, `cancelled` when it is to be put away."""

    saved = Signal()
    cancelled = Signal()

    def __init__(self, places: KeyPlaces, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("keys-places")
        self._places = places
        self.module = self._line("keys-places-module", "/usr/lib/softhsm/libsofthsm2.so")
        self.fields = {scheme: self._line(f"keys-places-{scheme}", text) for scheme, text in _EXAMPLES.items()}
        browse = QPushButton(self.tr("&Browse …"), self)
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        self.problem = FieldError(self)
        self.problem.setObjectName("keys-places-problem")
        save = QPushButton(self.tr("&Look there"), self)
        save.setObjectName("keys-places-save")
        save.setProperty("kind", "primary")
        save.setAutoDefault(False)
        save.clicked.connect(self._save)
        cancel = QPushButton(self.tr("Cancel"), self)
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.cancelled)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING * 2)
        grid.setVerticalSpacing(SPACING)
        grid.setColumnStretch(1, 1)
        grid.addWidget(field_label(self.tr("Library of the &HSM (PKCS#11 module)"), self.module, self), 0, 0)
        grid.addWidget(self.module, 0, 1)
        grid.addWidget(browse, 0, 2)
        names = {
            "awskms": self.tr("{0}: re&gions"),
            "gcpkms": self.tr("{0}: key &rings"),
            "azurekv": self.tr("{0}: &vaults"),
        }
        for row, (scheme, field) in enumerate(self.fields.items(), start=1):
            grid.addWidget(field_label(names[scheme].format(store_word(scheme)), field, self), row, 0)
            grid.addWidget(field, row, 1, 1, 2)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACING)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(save)
        inside = column(self, margin=14, spacing=SPACING)
        inside.addWidget(heading(self.tr("Where keys are looked for"), self, 1.05))
        inside.addLayout(grid)
        about = self.tr("Commas stand between several. The library runs within the console: choose one you trust.")
        inside.addWidget(ToneLabel(about, Tone.MUTED, self))
        inside.addWidget(self.problem)
        inside.addLayout(buttons)

    def begin(self) -> None:
        """Show what holds now, ready to be changed."""
        self.problem.show_problem("")
        self.module.setText(self._places.module)
        for scheme, field in self.fields.items():
            field.setText(", ".join(self._places.of(scheme)))
        self.show()
        self.module.setFocus()

    def _line(self, name: str, example: str) -> QLineEdit:
        line = QLineEdit(self)
        line.setObjectName(name)
        line.setMaxLength(4096)
        line.setPlaceholderText(example)
        line.returnPressed.connect(self._save)
        return line

    def _browse(self) -> None:
        dialog = QFileDialog(self, self.tr("Library of the HSM"))
        dialog.fileSelected.connect(self.module.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _save(self) -> None:
        try:
            self._places.choose_module(self.module.text().strip())
            for scheme, field in self.fields.items():
                self._places.choose(scheme, field.text().split(","))
        except ConfvmError as error:
            self.problem.show_problem(error.message)
            return
        self.saved.emit()
