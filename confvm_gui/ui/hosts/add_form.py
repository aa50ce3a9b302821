"""An address of a host: checked while it is typed, tried if wanted, added."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from confvm_gui.fleet.hosts import HostFacts, Hosts
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Note, Tone, ToneLabel
from confvm_gui.ui.wizard.page import column, field_label

EXAMPLE = "qemu+ssh://user@host/system"
LOCAL = ("qemu:///system", "qemu:///session")


class AddHostForm(Card):
    """Emits `added` with the name of the host that is on the list now."""

    added = Signal(str)

    def __init__(self, hosts: Hosts, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hosts = hosts
        self._tasks = tasks
        self._refusal = ""
        self.address = QLineEdit(self)
        self.address.setObjectName("hosts-uri")
        self.address.setPlaceholderText(EXAMPLE)
        self.address.setClearButtonEnabled(True)
        self.address.setMaxLength(1024)
        self.address.textChanged.connect(self._on_typed)
        self.address.returnPressed.connect(self._add)
        self.test = QPushButton(self.tr("&Test"), self)
        self.test.setObjectName("hosts-test")
        self.test.setToolTip(self.tr("Connect once and say what the host can do; nothing is kept"))
        self.test.clicked.connect(self._test)
        self.add = QPushButton(self.tr("&Add host"), self)
        self.add.setObjectName("hosts-add")
        self.add.setProperty("kind", "primary")
        self.add.clicked.connect(self._add)
        self.problem = FieldError(self)
        self.problem.setObjectName("hosts-problem")
        self.result = Note("", Tone.MUTED, self)
        self.result.setObjectName("hosts-result")
        self.result.hide()
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addWidget(self.address, 1)
        row.addWidget(self.test)
        row.addWidget(self.add)
        quick = QHBoxLayout()
        quick.setSpacing(SPACING)
        hint = ToneLabel(self.tr("This computer:"), Tone.MUTED, self)
        hint.setWordWrap(False)
        quick.addWidget(hint)
        for address in LOCAL:
            button = QPushButton(address, self)
            button.setProperty("kind", "link")
            button.setObjectName(f"hosts-use-{address.rpartition('/')[2]}")
            button.clicked.connect(lambda _checked=False, chosen=address: self._take(chosen))
            quick.addWidget(button)
        quick.addStretch(1)
        inside = column(self, margin=14, spacing=6)
        inside.addWidget(field_label(self.tr("Address of a &host with libvirt"), self.address, self))
        inside.addLayout(row)
        inside.addWidget(self.problem)
        inside.addLayout(quick)
        inside.addWidget(self.result)
        self._show_state()

    def _take(self, address: str) -> None:
        self.address.setText(address)
        self.address.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_typed(self) -> None:
        self._tasks.cancel("test host")
        self._refusal = ""
        self.result.show_text("")
        self._show_state()

    def _show_state(self) -> None:
        typed = self.address.text().strip()
        wrong = self._refusal or (self._hosts.check(typed) if typed else "")
        self.problem.show_problem(wrong)
        busy = self._tasks.is_running("test host") or self._tasks.is_running("add host")
        fine = bool(typed) and not wrong and not busy
        missing = self._hosts.missing
        for button in (self.test, self.add):
            button.setEnabled(fine and not missing)

    def _test(self) -> None:
        address = self.address.text().strip()
        self.result.show_text(self.tr("Connecting to {0} …").format(address), Tone.MUTED)
        work = self._hosts.test(address)
        self._tasks.start("test host", work, on_done=self._tested, on_error=self._test_failed)
        self._show_state()

    def _tested(self, facts: HostFacts) -> None:
        able = [fact.title for fact in facts.facts if fact.available]
        reason = next((fact.detail for fact in facts.facts if not fact.available and fact.detail), "")
        if able:
            text = self.tr("The host answers. It offers: {0}.").format(", ".join(able))
        elif reason:
            text = self.tr("The host answers. It runs plain VMs only: {0}").format(reason)
        else:
            text = self.tr("The host answers.")
        self.result.show_text(text, Tone.GOOD)
        self._show_state()

    def _test_failed(self, message: str) -> None:
        self.result.show_text(message, Tone.BAD)
        self._show_state()

    def _add(self) -> None:
        if not self.add.isEnabled():
            return
        work = self._hosts.add(self.address.text())
        self._tasks.start("add host", work, on_done=lambda entry: self._added(entry.name), on_error=self._refused)
        self._show_state()

    def _added(self, name: str) -> None:
        self.address.clear()
        self._show_state()
        self.added.emit(name)

    def _refused(self, message: str) -> None:
        self._refusal = message
        self._show_state()
