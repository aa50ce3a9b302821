"""Binding a secret: its name, the secret, the key that wraps it, and which guest may have it.

Object names for tests and the tour: `release-name`, `release-secret`, `release-file`, `release-key`,
`release-instance`, `release-digest`, `release-only-this`, `release-bind`, `release-cancel`, `release-problem`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.keys import KeyState
from confvm_gui.domain.release import MAXIMUM_SECRET, BoundSecret, Conditions
from confvm_gui.fleet.keys import KeyListing
from confvm_gui.fleet.release.broker import LONGEST_NAME, SecretBroker
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label

_BIND, _LOOK = "bind secret", "keys for secrets"
_LOCAL = "local"
_USUAL_KEY = "local:secrets"
_DIGEST_BYTES = 48


class BindForm(Card):
    """Emits `bound` with the name of the secret, `cancelled` when it is to be put away."""

    bound = Signal(str)
    cancelled = Signal()

    def __init__(
        self, session: FleetSession, broker: SecretBroker, tasks: TaskKeeper, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("release-form")
        self._session = session
        self._broker = broker
        self._tasks = tasks
        self._file: Path | None = None
        self.name = self._line("release-name", LONGEST_NAME)
        self.secret = self._line("release-secret", MAXIMUM_SECRET)
        self.secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.secret.textEdited.connect(self._typed_secret)
        self.file = self._button("release-file", self.tr("From a &file …"))
        self.file.clicked.connect(self._browse)
        self.key = QComboBox(self)
        self.key.setObjectName("release-key")
        self.key.setEditable(True)
        self.key.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.key.editTextChanged.connect(lambda _: self._changed())
        self.instance = QComboBox(self)
        self.instance.setObjectName("release-instance")
        self.instance.currentIndexChanged.connect(lambda _: self._changed())
        self.digest = self._line("release-digest", 2 * _DIGEST_BYTES)
        self.digest.setPlaceholderText(self.tr("96 hexadecimal digits"))
        self.only_this = QCheckBox(self.tr("&Only this instance, as long as it runs"), self)
        self.only_this.setObjectName("release-only-this")
        self.problem = FieldError(self)
        self.problem.setObjectName("release-problem")
        self.bind = self._button("release-bind", self.tr("&Bind the secret"))
        self.bind.setProperty("kind", "primary")
        self.bind.clicked.connect(self._bind)
        self.cancel = self._button("release-cancel", self.tr("Cancel"))
        self.cancel.clicked.connect(self._put_away)
        self._build()

    def _line(self, name: str, longest: int) -> QLineEdit:
        line = QLineEdit(self)
        line.setObjectName(name)
        line.setMaxLength(longest)
        line.textChanged.connect(lambda _: self._changed())
        line.returnPressed.connect(self._bind)
        return line

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAutoDefault(False)
        return button

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING * 2)
        grid.setVerticalSpacing(4)
        secret = QHBoxLayout()
        secret.setSpacing(SPACING)
        secret.addWidget(self.secret, 1)
        secret.addWidget(self.file)
        self._digest_label = field_label(self.tr("&Launch digest"), self.digest, self)
        grid.addWidget(field_label(self.tr("&Name"), self.name, self), 0, 0)
        grid.addWidget(self.name, 1, 0)
        grid.addWidget(field_label(self.tr("&Secret"), self.secret, self), 0, 1)
        grid.addLayout(secret, 1, 1)
        grid.addWidget(field_label(self.tr("&Key that wraps it"), self.key, self), 2, 0)
        grid.addWidget(self.key, 3, 0)
        grid.addWidget(field_label(self.tr("For a &guest that shows what this shows"), self.instance, self), 2, 1)
        grid.addWidget(self.instance, 3, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACING)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.bind)
        about = self.tr("Its launch measurement and policy now, and its TCB as the least. Debugging is never accepted.")
        self._about = ToneLabel(about, Tone.MUTED, self)
        inside = column(self, margin=14, spacing=6)
        inside.addWidget(heading(self.tr("A secret for a guest"), self, 1.05))
        inside.addLayout(grid)
        for widget in (self._digest_label, self.digest, self.only_this, self._about, self.problem):
            inside.addWidget(widget)
        inside.addLayout(buttons)

    @property
    def busy(self) -> bool:
        return self._tasks.is_running(_BIND)

    def begin(self) -> None:
        """Show it empty, ready to type."""
        for line in (self.name, self.secret, self.digest):
            line.clear()
        self.only_this.setChecked(False)
        self._forget_file()
        self._show_instances()
        if not self.key.currentText():
            self.key.setEditText(_USUAL_KEY)
        if self._session.keys is not None:
            others = {scheme for scheme in self._session.keys.schemes if scheme != _LOCAL}  # may ask for a PIN
            self._tasks.start(_LOOK, self._session.keys.listing(without=others), on_done=self._show_keys)
        self.problem.show_problem("")
        self._show_state()
        self.show()
        self.name.setFocus()

    def _show_instances(self) -> None:
        chosen = self.instance.currentData()
        self.instance.clear()
        for one in sorted(self._session.inventory.all(), key=lambda each: each.name):
            if one.technology is Technology.SEV_SNP and one.state is InstanceState.RUNNING:
                self.instance.addItem(one.name, one.id)
        self.instance.addItem(self.tr("A launch digest that I type"), "")
        self.instance.setCurrentIndex(max(0, self.instance.findData(chosen)))

    def _show_keys(self, listing: KeyListing) -> None:
        own = {use.key_ref for use in listing.uses if not use.instance_id}  # what the console keeps for itself
        typed = self.key.currentText()
        self.key.clear()
        usable = [info.ref for info in listing.keys if info.state is KeyState.ENABLED and info.ref not in own]
        self.key.addItems(sorted(usable))
        self.key.setEditText(usable[0] if usable and typed == _USUAL_KEY and _USUAL_KEY not in usable else typed)

    def _changed(self) -> None:
        self.problem.show_problem("")
        self._show_state()

    def _show_state(self) -> None:
        typed = not self.instance.currentData()
        self._digest_label.setVisible(typed)
        self.digest.setVisible(typed)
        self.only_this.setVisible(not typed)
        self._about.setVisible(not typed)
        for field in (self.name, self.secret, self.file, self.key, self.instance, self.digest, self.only_this):
            field.setEnabled(not self.busy)
        given = bool(self.secret.text() or self._file)
        whole = all((self.name.text().strip(), given, self.key.currentText().strip()))
        self.bind.setEnabled(whole and (not typed or bool(self.digest.text().strip())) and not self.busy)
        self.bind.setText(self.tr("Binding it …") if self.busy else self.tr("&Bind the secret"))

    def _typed_secret(self, _text: str) -> None:
        self._forget_file()
        self._show_state()

    def _forget_file(self) -> None:
        self._file = None
        self.secret.setPlaceholderText("")

    def _browse(self) -> None:
        dialog = QFileDialog(self, self.tr("The secret"))
        dialog.fileSelected.connect(self.take_file)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def take_file(self, path: str) -> None:
        """The secret is what stands in this file."""
        self.secret.clear()
        self._file = Path(path)
        self.secret.setPlaceholderText(self._file.name)
        self._changed()

    def _bind(self) -> None:
        if self.bind.isEnabled():
            typed, path = self.secret.text().encode(), self._file
            name, key = self.name.text().strip(), self.key.currentText().strip()
            work = self._work(name, key, typed, path, str(self.instance.currentData() or ""), self.digest.text())
            self._tasks.start(_BIND, work, on_done=self._done, on_error=self._refused)
            self._show_state()

    async def _work(
        self, name: str, key_ref: str, typed: bytes, path: Path | None, instance_id: str, digest: str
    ) -> BoundSecret:
        if instance_id:
            conditions = await self._broker.conditions_of(instance_id, only_this=self.only_this.isChecked())
        else:
            conditions = Conditions((self._digest(digest),))
        secret = typed
        if path is not None:
            from confvm_gui.fleet.attest.evidence_files import read_file

            secret = await asyncio.to_thread(read_file, path, "secret")
        return await self._broker.bind(name, secret, key_ref, conditions)

    def _digest(self, text: str) -> bytes:
        try:
            digest = bytes.fromhex(text.strip())
        except ValueError:
            digest = b""
        if len(digest) != _DIGEST_BYTES:
            raise InvalidInput("conditions", self.tr("A launch digest has 96 hexadecimal digits"))
        return digest

    def _done(self, bound: BoundSecret) -> None:
        self.secret.clear()
        self._forget_file()
        self._show_state()
        self.bound.emit(bound.name)

    def _refused(self, message: str) -> None:
        self._show_state()
        self.problem.show_problem(message)

    def _put_away(self) -> None:
        self._tasks.cancel(_BIND)
        self.secret.clear()
        self.cancelled.emit()
