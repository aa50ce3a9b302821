"""The key of a new instance's disk: one that there is, or one that is made here.

Object names: `wizard.diskKey` (the text), `wizard.diskKeys`, `wizard.findKeys`, `wizard.newKey`,
`wizard.keyProtection`, `wizard.keyUnusable`, and those of `create_form`.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QWidget

from confvm_gui.domain.keys import KeyInfo, KeyState
from confvm_gui.fleet.keys import KeyListing, Keys
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.icons import icon
from confvm_gui.ui.keys.create_form import KeyForm
from confvm_gui.ui.models.key_words import KEY_MARKS, scheme_of, state_text, store_word, why_unusable
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label

_LOOK = "look for keys"
_LOCAL = "local"


class KeyChooser(Card):
    """Emits `chosen` with a reference. Without `keys` only its name can be typed."""

    chosen = Signal(str)

    def __init__(self, keys: Keys | None, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self._tasks = tasks
        self._known: dict[str, KeyInfo] = {}
        self.field = QComboBox(self)
        self.field.setObjectName("wizard.diskKeys")
        self.text = QLineEdit(self.field)
        self.field.setLineEdit(self.text)
        self.text.setObjectName("wizard.diskKey")
        self.field.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.field.setMinimumContentsLength(28)
        self.text.textEdited.connect(self._typed)
        self.field.activated.connect(lambda _row: self._typed(self.text.text()))
        self.look = QPushButton(self.tr("Look in &all stores"), self)
        self.look.setObjectName("wizard.findKeys")
        self.look.setAutoDefault(False)
        self.look.setToolTip(self.tr("HSMs and clouds too. A token may ask for its PIN"))
        self.look.clicked.connect(self._find_all)
        self.new = QPushButton(self.tr("N&ew key …"), self)
        self.new.setObjectName("wizard.newKey")
        self.new.setAutoDefault(False)
        self.problem = FieldError(self)
        self._unusable = Note("", Tone.BAD, self)
        self._unusable.setObjectName("wizard.keyUnusable")
        self._unusable.hide()
        self._note = ToneLabel("", Tone.MUTED, self)
        self._note.setObjectName("wizard.keyProtection")
        self._problems = ToneLabel("", Tone.WARNING, self)
        self._problems.hide()
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addWidget(self.field, 1)
        row.addWidget(self.look)
        row.addWidget(self.new)
        inside = column(self, margin=14, spacing=6)
        inside.addWidget(heading(self.tr("Disk key"), self, 1.05))
        inside.addWidget(field_label(self.tr("&Key that wraps the disk's own key"), self.field, self))
        inside.addLayout(row)
        for widget in (self.problem, self._unusable, self._note, self._problems):
            inside.addWidget(widget)
        self._form: KeyForm | None = None
        if keys is None:
            self.look.hide()
            self.new.hide()
        else:
            self._form = KeyForm(keys, tasks, self)
            self._form.made.connect(self._made)
            self._form.cancelled.connect(self._form.hide)
            self._form.hide()
            self.new.clicked.connect(self._form.begin)
            inside.addWidget(self._form)

    def enter(self) -> None:
        """Learn which keys this computer has; other stores are asked when somebody wants them."""
        if self._keys is not None and not self._known:
            self._look({scheme for scheme in self._keys.schemes if scheme != _LOCAL})

    def show_choice(self, key_ref: str, problem: str, *, about_local: str, form: str = "") -> None:
        """What the request says, what is wrong with that, and how keys of this computer are protected.

        `form`: said in place of what a key is, where a cloud uses it.
        """
        if self.field.currentText() != key_ref:
            self._show_text(key_ref)
        self.problem.show_problem(problem)
        info = self._known.get(key_ref)
        why = why_unusable(info) if info is not None else ""
        self._unusable.show_text(self.tr("It cannot be used: {0}").format(why) if why else "")
        self._note.setText(form or self._about(key_ref, info, about_local))

    def _show_text(self, key_ref: str) -> None:
        """With the sign of the key's own state, or none."""
        self.field.setCurrentIndex(self.field.findText(key_ref))
        self.field.setEditText(key_ref)

    def _about(self, key_ref: str, info: KeyInfo | None, about_local: str) -> str:
        if info is not None and info.state is not KeyState.UNREACHABLE:
            return self.tr("{0}. {1}").format(store_word(scheme_of(key_ref)), info.protection)
        if key_ref.startswith(f"{_LOCAL}:"):
            return about_local or self.tr(
                "local: keys stay on this computer, readable by you alone. The disk's own key is stored only wrapped."
            )
        return self.tr("It is looked for at the launch, and made if its store has none of this name.")

    def _typed(self, text: str) -> None:
        self.chosen.emit(text.strip())

    def _find_all(self) -> None:
        self._look(set())

    def _look(self, without: set[str]) -> None:
        if self._keys is None:
            return
        places = self._keys.places
        if places is not None and not places.module:
            without = {*without, "pkcs11"}
        self._tasks.start(_LOOK, self._keys.listing(without=without), on_done=self._found, on_error=self._not_found)
        self.look.setEnabled(False)

    def _found(self, listing: KeyListing) -> None:
        self.look.setEnabled(True)
        own = {use.key_ref for use in listing.uses if not use.instance_id}  # what the console keeps for itself
        self._known.update({info.ref: info for info in listing.keys if info.ref not in own})
        self._tell("\n".join(f"{store_word(scheme)}: {text}" for scheme, text in listing.problems.items()))
        chosen = self.field.currentText()
        self.field.clear()
        for ref, info in sorted(self._known.items()):
            self.field.addItem(icon(*KEY_MARKS[info.state]), ref)
            self.field.setItemData(self.field.count() - 1, state_text(info), Qt.ItemDataRole.ToolTipRole)
        self._show_text(chosen)
        self.chosen.emit(chosen)

    def _not_found(self, message: str) -> None:
        self.look.setEnabled(True)
        self._tell(message)

    def _tell(self, text: str) -> None:
        self._problems.setText(text)
        self._problems.setVisible(bool(text))

    def _made(self, key_ref: str) -> None:
        if self._form is not None:
            self._form.hide()
        self._typed(key_ref)
        if self._keys is not None:
            self._look(set(self._keys.schemes) - {scheme_of(key_ref)})
