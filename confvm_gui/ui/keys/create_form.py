"""A new key: its store, where in it, its name. What a store says against it stands below the field.

Object names for tests and the tour: `keys-store`, `keys-place`, `keys-name`, `keys-module`, `keys-make`,
`keys-problem`.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from confvm_gui.domain.keys import KeyInfo
from confvm_gui.fleet.keys import Keys
from confvm_gui.fleet.keys.places import key_ref_of
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.models.key_words import store_word
from confvm_gui.ui.text import translate
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label

_CREATE = "create key"


@dataclass(frozen=True)
class _Wording:
    """What the fields of one store are called."""

    place: str
    """"" where the store has no places."""
    example: str
    name: str


def _wording(scheme: str) -> _Wording:
    match scheme:
        case "pkcs11":
            return _Wording(translate("KeyForm", "&Token"), "confvm", translate("KeyForm", "&Label of the key"))
        case "awskms":
            return _Wording(translate("KeyForm", "Re&gion"), "eu-west-1", translate("KeyForm", "&Alias of the key"))
        case "gcpkms":
            example = "projects/P/locations/L/keyRings/R"
            return _Wording(translate("KeyForm", "Key rin&g"), example, translate("KeyForm", "&Name of the key"))
        case "azurekv":
            return _Wording(translate("KeyForm", "&Vault"), "vault", translate("KeyForm", "&Name of the key"))
        case _:
            return _Wording("", "", translate("KeyForm", "&Name of the key"))


class KeyForm(Card):
    """Emits `made` with the reference of the new key, `cancelled` when it is to be put away."""

    made = Signal(str)
    cancelled = Signal()

    def __init__(self, keys: Keys, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("keys-form")
        self._keys = keys
        self._tasks = tasks
        self._refusal = ""
        self.store = QComboBox(self)
        self.store.setObjectName("keys-store")
        for scheme in keys.schemes:
            self.store.addItem(store_word(scheme), scheme)
        self.place = self._field("keys-place", 200)
        self.place.setEditable(True)
        self.place.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.name = self._line("keys-name", 128)
        self.module = self._line("keys-module", 4096)
        self.module.setPlaceholderText("/usr/lib/softhsm/libsofthsm2.so")
        self.browse = QPushButton(self.tr("&Browse …"), self)
        self.browse.setObjectName("keys-browse")
        self.browse.setAutoDefault(False)
        self.browse.clicked.connect(self._browse)
        self.problem = FieldError(self)
        self.problem.setObjectName("keys-problem")
        self.make = QPushButton(self.tr("&Make the key"), self)
        self.make.setObjectName("keys-make")
        self.make.setProperty("kind", "primary")
        self.make.setAutoDefault(False)
        self.make.clicked.connect(self._create)
        self.cancel = QPushButton(self.tr("Cancel"), self)
        self.cancel.setObjectName("keys-cancel")
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self._put_away)
        self._build()
        self.store.currentIndexChanged.connect(self._show_store)
        self.place.editTextChanged.connect(self._on_typed)
        self._show_store()

    def _field(self, name: str, width: int) -> QComboBox:
        combo = QComboBox(self)
        combo.setObjectName(name)
        combo.setMinimumWidth(width)
        return combo

    def _line(self, name: str, longest: int) -> QLineEdit:
        line = QLineEdit(self)
        line.setObjectName(name)
        line.setMaxLength(longest)
        line.textChanged.connect(self._on_typed)
        line.returnPressed.connect(self._create)
        return line

    def _build(self) -> None:
        self._place_label = field_label("", self.place, self)
        self._name_label = field_label("", self.name, self)
        self._module_label = field_label(self.tr("Library of the &HSM (PKCS#11 module)"), self.module, self)
        grid = self._grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING * 2)
        grid.setVerticalSpacing(4)
        grid.addWidget(field_label(self.tr("&Store"), self.store, self), 0, 0)
        for at, (label, field) in enumerate(
            ((None, self.store), (self._place_label, self.place), (self._name_label, self.name))
        ):
            if label is not None:
                grid.addWidget(label, 0, at)
            grid.addWidget(field, 1, at)
            grid.setColumnStretch(at, 1)
        module = QHBoxLayout()
        module.setSpacing(SPACING)
        module.addWidget(self.module, 1)
        module.addWidget(self.browse)
        self._hint = ToneLabel("", Tone.MUTED, self)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACING)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.make)
        inside = column(self, margin=14, spacing=6)
        inside.addWidget(heading(self.tr("A new key"), self, 1.05))
        inside.addLayout(grid)
        inside.addWidget(self._module_label)
        inside.addLayout(module)
        inside.addWidget(self._hint)
        inside.addWidget(self.problem)
        inside.addLayout(buttons)

    @property
    def scheme(self) -> str:
        """Of the store that is chosen."""
        return str(self.store.currentData())

    @property
    def busy(self) -> bool:
        return self._tasks.is_running(_CREATE)

    def begin(self) -> None:
        """Show it empty, ready to type."""
        self._refusal = ""
        self.name.clear()
        self._show_store()
        self.show()
        self.name.setFocus()

    def _show_store(self) -> None:
        scheme, wording = self.scheme, _wording(self.scheme)
        places = self._keys.places
        typed = self.place.currentText()
        known = places.of(scheme) if places is not None else ()
        self.place.clear()
        self.place.addItems(list(known))
        self.place.setCurrentText(known[0] if known else typed if scheme == "pkcs11" else "")
        edit = self.place.lineEdit()
        if edit is not None:
            edit.setPlaceholderText(wording.example)
        for label, field, text in (
            (self._place_label, self.place, wording.place),
            (self._name_label, self.name, wording.name),
        ):
            label.setText(text)
            field.setAccessibleName(text.replace("&", ""))
        for widget in (self._place_label, self.place):
            widget.setVisible(bool(wording.place))
        self._grid.setColumnStretch(1, 1 if wording.place else 0)
        in_module = scheme == "pkcs11" and places is not None
        for part in (self._module_label, self.module, self.browse):
            part.setVisible(in_module)
        if in_module and places is not None and not self.module.text():
            self.module.setText(places.module)
        self._hint.setText(self._about(scheme))
        self._on_typed()

    def _about(self, scheme: str) -> str:
        if scheme == "local":
            return self.tr("It is kept in this computer's keyring, or in a file that only you can read.")
        if scheme == "pkcs11":
            return self.tr("The token makes it and never gives it away. Its PIN is asked for when it is needed.")
        return self.tr(
            "The service makes it and never gives it away. You are signed in as the service's own tools are."
        )

    def _on_typed(self) -> None:
        self._refusal = ""
        self._show_state()

    def _show_state(self) -> None:
        self.problem.show_problem(self._refusal)
        placed = not _wording(self.scheme).place or bool(self.place.currentText().strip())
        fields = (self.store, self.place, self.name, self.module, self.browse)
        for field in fields:
            field.setEnabled(not self.busy)
        self.make.setEnabled(bool(self.name.text().strip()) and placed and not self.busy)
        self.make.setText(self.tr("Making it …") if self.busy else self.tr("&Make the key"))

    def _browse(self) -> None:
        dialog = QFileDialog(self, self.tr("Library of the HSM"))
        dialog.fileSelected.connect(self.module.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _create(self) -> None:
        if self.make.isEnabled():
            place, name = self.place.currentText().strip(), self.name.text().strip()
            work = self._work(self.scheme, place, name, self.module.text().strip())
            self._tasks.start(_CREATE, work, on_done=self._created, on_error=self._refused)
            self._show_state()

    async def _work(self, scheme: str, place: str, name: str, module: str) -> KeyInfo:
        places = self._keys.places
        if places is not None and scheme == "pkcs11":
            places.choose_module(module)
        info = await self._keys.create(key_ref_of(scheme, place, name))
        if places is not None:
            places.look_in(scheme, place)
        return info

    def _created(self, info: KeyInfo) -> None:
        self.name.clear()
        self._show_state()
        self.made.emit(info.ref)

    def _refused(self, message: str) -> None:
        self._refusal = message
        self._show_state()

    def _put_away(self) -> None:
        self._tasks.cancel(_CREATE)
        self._show_state()
        self.cancelled.emit()
