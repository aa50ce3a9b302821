"""A further account: for what, how it logs in, tried if wanted, added."""

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
    QRadioButton,
    QWidget,
)

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.fleet.accounts import AccountEntry, AccountFacts, AccountKind, Accounts
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Note, Tone
from confvm_gui.ui.wizard.page import column, field_label

_MOST_BYTES = 64 << 10


class AddAccountForm(Card):
    """Emits `added` with the name of the account that is on the list now. The key file's text is kept by nobody."""

    added = Signal(str)

    def __init__(self, accounts: Accounts, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._accounts = accounts
        self._tasks = tasks
        self._refusal = ""
        self.kind = QComboBox(self)
        self.kind.setObjectName("accounts-kind")
        for known in accounts.kinds():
            self.kind.addItem(known.title, known)
        self.kind.activated.connect(lambda _row: self._on_kind())
        self.scope = QLineEdit(self)
        self.scope.setObjectName("accounts-scope")
        self.scope.setMaxLength(128)
        self.scope.textChanged.connect(self._on_typed)
        self.name = QLineEdit(self)
        self.name.setObjectName("accounts-name")
        self.name.setMaxLength(63)
        self.name.setPlaceholderText(self.tr("as it follows from the project"))
        self.name.textChanged.connect(self._on_typed)
        self.chain = QRadioButton(self)
        self.chain.setObjectName("accounts-chain")
        self.chain.setChecked(True)
        self.key = QRadioButton(self)
        self.key.setObjectName("accounts-key")
        self.key.toggled.connect(self._on_typed)
        self.path = QLineEdit(self)
        self.path.setObjectName("accounts-path")
        self.path.setPlaceholderText(self.tr("Path of the JSON file; it is kept in the system keyring"))
        self.path.textChanged.connect(self._on_typed)
        self.browse = QPushButton(self.tr("&Browse …"), self)
        self.browse.setObjectName("accounts-browse")
        self.browse.clicked.connect(self._browse)
        self.readonly = QCheckBox(self.tr("For &reading only: nothing can be made or changed through it"), self)
        self.readonly.setObjectName("accounts-readonly")
        self.test = QPushButton(self.tr("&Test"), self)
        self.test.setObjectName("accounts-test")
        self.test.setToolTip(self.tr("Log in once and say what the account may do; nothing is kept"))
        self.test.clicked.connect(self._test)
        self.add = QPushButton(self.tr("&Add account"), self)
        self.add.setObjectName("accounts-add")
        self.add.setProperty("kind", "primary")
        self.add.clicked.connect(self._add)
        self.problem = FieldError(self)
        self.problem.setObjectName("accounts-problem")
        self.result = Note("", Tone.MUTED, self)
        self.result.setObjectName("accounts-result")
        self.result.hide()
        self._lay_out()
        self._on_kind()

    def _lay_out(self) -> None:
        fields = QGridLayout()
        fields.setHorizontalSpacing(SPACING * 2)
        fields.setVerticalSpacing(4)
        self._scope_label = field_label("", self.scope, self)
        labels = (
            field_label(self.tr("&Cloud"), self.kind, self),
            self._scope_label,
            field_label(self.tr("&Name in the fleet"), self.name, self),
        )
        for number, (label, field) in enumerate(zip(labels, (self.kind, self.scope, self.name), strict=True)):
            fields.addWidget(label, 0, number)
            fields.addWidget(field, 1, number)
            fields.setColumnStretch(number, 1)
        own = QHBoxLayout()
        own.setSpacing(SPACING)
        own.addWidget(self.key)
        own.addWidget(self.path, 1)
        own.addWidget(self.browse)
        last = QHBoxLayout()
        last.setSpacing(SPACING)
        last.addWidget(self.readonly, 1)
        last.addWidget(self.test)
        last.addWidget(self.add)
        inside = column(self, margin=14, spacing=8)
        inside.addLayout(fields)
        inside.addWidget(self.chain)
        inside.addLayout(own)
        inside.addLayout(last)
        inside.addWidget(self.problem)
        inside.addWidget(self.result)

    @property
    def chosen(self) -> AccountKind:
        known = self.kind.currentData()
        assert isinstance(known, AccountKind)
        return known

    def _on_kind(self) -> None:
        known = self.chosen
        self._scope_label.setText(f"&{known.scope_title}")
        self.chain.setText(known.chain_title)
        self.key.setText(known.key_title)
        for part in (self.key, self.path, self.browse):
            part.setVisible(bool(known.key_title))
        self._on_typed()

    def _on_typed(self) -> None:
        self._tasks.cancel("test account")
        self._refusal = ""
        self.result.show_text("")
        self._show_state()

    def _show_state(self) -> None:
        typed = self.scope.text().strip()
        wrong = self._refusal or self.chosen.missing
        if not wrong and typed:
            # The key file is read when it is needed: here only what is typed is looked at.
            wrong = self._accounts.check(self.chosen.kind, typed, self.name.text())
        self.problem.show_problem(wrong)
        busy = self._tasks.is_running("test account") or self._tasks.is_running("add account")
        own = self.key.isChecked()
        for part in (self.path, self.browse):
            part.setEnabled(own)
        fine = bool(typed) and not wrong and not busy and (not own or bool(self.path.text().strip()))
        for button in (self.test, self.add):
            button.setEnabled(fine)

    def _browse(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a key file"))
        dialog.setNameFilters([self.tr("JSON (*.json)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(self.path.setText)
        dialog.open()

    def _test(self) -> None:
        self.result.show_text(self.tr("Logging in …"), Tone.MUTED)
        self._tasks.start("test account", self._tried(), on_done=self._tested, on_error=self._test_failed)
        self._show_state()

    async def _tried(self) -> AccountFacts:
        own = self.key.isChecked()
        kind, scope, readonly = self.chosen.kind, self.scope.text(), self.readonly.isChecked()
        secret = await self._secret()
        return await self._accounts.test(kind, scope, secret=secret, own_secret=own, readonly=readonly)

    def _tested(self, facts: AccountFacts) -> None:
        if facts.missing:
            names = ", ".join(fact.permission for fact in facts.missing)
            text = self.tr("{0}. These permissions are missing: {1}").format(facts.about, names)
            self.result.show_text(text, Tone.WARNING)
        else:
            self.result.show_text(self.tr("{0}. No permission is missing.").format(facts.about), Tone.GOOD)
        self._show_state()

    def _test_failed(self, message: str) -> None:
        self.result.show_text(message, Tone.BAD)
        self._show_state()

    def _add(self) -> None:
        work = self._taken()
        self._tasks.start("add account", work, on_done=lambda entry: self._added(entry.name), on_error=self._refused)
        self._show_state()

    async def _taken(self) -> AccountEntry:
        own, readonly = self.key.isChecked(), self.readonly.isChecked()
        kind, scope, name = self.chosen.kind, self.scope.text(), self.name.text()
        secret = await self._secret()
        return await self._accounts.add(kind, scope, name, secret=secret, own_secret=own, readonly=readonly)

    async def _secret(self) -> str:
        if not self.key.isChecked():
            return ""
        return await asyncio.to_thread(_read, self.path.text().strip())

    def _added(self, name: str) -> None:
        for field in (self.scope, self.name, self.path):
            field.clear()
        self._show_state()
        self.added.emit(name)

    def _refused(self, message: str) -> None:
        self._refusal = message
        self._show_state()


def _read(typed: str) -> str:
    """Raises InvalidInput("credential")."""
    path = Path(typed)
    try:
        path = path.expanduser()
        with path.open("rb") as file:
            return file.read(_MOST_BYTES + 1).decode()
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidInput("credential", f"The key file {path.name} cannot be read ({type(error).__name__})") from None
