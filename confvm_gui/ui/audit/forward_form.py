"""Where the audit log is sent to: a syslog server over TLS, tried before it is chosen, and how it gets on.

Object names: `forward-host`, `forward-port`, `forward-ca`, `forward-browse`, `forward-test`, `forward-save`,
`forward-stop`, `forward-problem`, `forward-state`, `forward-result`.
"""

from __future__ import annotations

from collections.abc import Coroutine

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.audit.forward import DEFAULT_PORT, Destination
from confvm_gui.fleet.audit.forwarding import Queue
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.text import count_text
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label

_LOOK_MS = 2000
_TEST = "test server"
_KEEP = "keep server"


class ForwardForm(Card):
    """Shows why where the present user may not forward, or the console only reads."""

    def __init__(self, session: FleetSession, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("forward-form")
        self._session = session
        self._forwarding = session.forwarding
        self._tasks = tasks
        self.subscriptions = Subscriptions()
        self.host = self._field("forward-host", "log.example.com")
        self.port = self._field("forward-port", str(DEFAULT_PORT))
        self.port.setMaximumWidth(90)
        self.authorities = self._field("forward-ca", self.tr("those that this computer trusts"))
        self.browse = self._button("forward-browse", self.tr("Browse …"))
        self.test = self._button("forward-test", self.tr("&Test the connection"))
        self.test.setToolTip(self.tr("Connect, and have the server prove who it is; nothing is sent"))
        self.save = self._button("forward-save", self.tr("&Forward the log"))
        self.save.setProperty("kind", "primary")
        self.stop = self._button("forward-stop", self.tr("St&op forwarding"))
        self.problems = {name: FieldError(self) for name in ("host", "port", "ca")}
        self.state = Note("", Tone.MUTED, self)
        self.state.setObjectName("forward-state")
        self.result = Note("", Tone.MUTED, self)
        self.result.setObjectName("forward-result")
        self.result.hide()
        self._lay_out()
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._read_queue)
        for field in (self.host, self.port, self.authorities):
            field.textChanged.connect(self._typed)
            field.returnPressed.connect(self._save)
        self.browse.clicked.connect(self._choose_file)
        self.test.clicked.connect(self._test)
        self.save.clicked.connect(self._save)
        self.stop.clicked.connect(self._stop)
        self.subscriptions.add(self._forwarding.changes, lambda _: self._read_queue())
        self.subscriptions.add(session.access.changes, lambda _: self._offer())
        self._show_chosen()

    def reason(self) -> str:
        """Why nothing can be chosen here, in one sentence; "" where it can."""
        return self._session.readonly_reason or self._session.access.reason_denied(Permission.EXPORT_AUDIT)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look.start()
        self._read_queue()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._look.stop()

    # Building

    def _field(self, name: str, placeholder: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setObjectName(name)
        field.setPlaceholderText(placeholder)
        field.setMaxLength(1024)
        return field

    def _button(self, name: str, words: str) -> QPushButton:
        button = QPushButton(words, self)
        button.setObjectName(name)
        return button

    def _lay_out(self) -> None:
        inside = column(self, margin=14, spacing=6)
        inside.addWidget(heading(self.tr("Forward the log to a syslog server"), self, 1.05))
        inside.addWidget(
            ToneLabel(
                self.tr(
                    "Always over TLS, to a server that proves who it is (RFC 5425). What it has not confirmed stays in "
                    "the log on disk, and is sent again."
                ),
                Tone.MUTED,
                self,
            )
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING)
        grid.setVerticalSpacing(3)
        fields = (
            (0, field_label(self.tr("&Host"), self.host, self), self.host, self.problems["host"]),
            (1, field_label(self.tr("&Port"), self.port, self), self.port, self.problems["port"]),
            (2, field_label(self.tr("&CA file"), self.authorities, self), self.authorities, self.problems["ca"]),
        )
        for place, label, field, problem in fields:
            problem.setObjectName(f"{field.objectName()}-problem")
            grid.addWidget(label, 0, place)
            grid.addWidget(field, 1, place)
            grid.addWidget(problem, 2, place)
        grid.addWidget(self.browse, 1, 3)
        grid.setColumnStretch(0, 4)
        grid.setColumnStretch(2, 5)
        inside.addLayout(grid)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACING)
        for button in (self.save, self.test, self.stop):
            buttons.addWidget(button)
        buttons.addStretch(1)
        inside.addLayout(buttons)
        inside.addWidget(self.result)
        inside.addWidget(self.state)

    # Showing

    def _show_chosen(self) -> None:
        chosen = self._forwarding.destination
        if chosen is not None:
            self.host.setText(chosen.host)
            self.port.setText(str(chosen.port))
            self.authorities.setText("" if chosen.authorities is None else str(chosen.authorities))
        self._offer()

    def _typed(self) -> None:
        self._tasks.cancel(_TEST)
        self._complain("", "")
        self.result.show_text("")
        self._offer()

    def _offer(self) -> None:
        reason = self.reason()
        busy = self._tasks.is_running(_TEST) or self._tasks.is_running(_KEEP)
        for widget in (self.host, self.port, self.authorities, self.browse):
            widget.setEnabled(not reason)
            widget.setToolTip(reason)
        for button in (self.test, self.save):
            button.setEnabled(not reason and not busy and bool(self.host.text().strip()))
        self.stop.setVisible(self._forwarding.destination is not None)
        self.stop.setEnabled(not reason and not busy)
        if reason:
            self.result.show_text(reason, Tone.MUTED)

    def _read_queue(self) -> None:
        if self.isVisible():
            self._tasks.start("queue", self._forwarding.queue(), on_done=self._show_queue, on_error=self._lost_queue)

    def _show_queue(self, queue: Queue) -> None:
        chosen = self._forwarding.destination
        if chosen is None:
            self.state.show_text(self.tr("The log is not forwarded."), Tone.MUTED)
            return
        waiting = self.tr("%n record(s) wait on disk", "", queue.waiting)
        waiting = waiting.replace(str(queue.waiting), count_text(queue.waiting))
        if queue.trouble:
            words = self.tr("{reason}. {waiting}; it is tried again by itself.")
            self.state.show_text(words.format(reason=queue.trouble.rstrip("."), waiting=waiting), Tone.BAD)
        elif queue.waiting:
            words = self.tr("{server} has the log up to record {record}; {waiting}.")
            told = words.format(server=chosen.name, record=count_text(queue.delivered), waiting=waiting)
            self.state.show_text(told, Tone.MUTED)
        else:
            words = self.tr("{server} has the whole log, up to record {record}.")
            self.state.show_text(words.format(server=chosen.name, record=count_text(queue.delivered)), Tone.GOOD)

    def _lost_queue(self, problem: str) -> None:
        self.state.show_text(problem, Tone.BAD)

    def _complain(self, field: str, problem: str) -> None:
        for name, label in self.problems.items():
            label.show_problem(problem if name == field else "")

    # Doing

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, self.tr("Certificates of those that vouch for the server"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Certificates (*.pem *.crt *.cer)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(self.authorities.setText)
        dialog.open()

    def _test(self) -> None:
        self._complain("", "")
        self.result.show_text(self.tr("Connecting …"), Tone.MUTED)
        self._start(_TEST, self._forwarding.test(self.host.text(), self.port.text(), self.authorities.text()))

    def _save(self) -> None:
        if self.save.isEnabled():
            self._complain("", "")
            self.result.show_text("")
            self._start(_KEEP, self._forwarding.choose(self.host.text(), self.port.text(), self.authorities.text()))

    def _stop(self) -> None:
        self._tasks.start(_KEEP, self._forwarding.stop(), on_done=lambda _: self._done(""), on_error=self._failed)
        self._offer()

    def _start(self, name: str, work: Coroutine[object, object, Destination]) -> None:
        tested = name == _TEST

        async def with_field() -> str:
            try:
                chosen = await work
            except InvalidInput as error:
                self._complain(error.field, error.message)
                return ""
            if tested:
                return self.tr("{server} answers, and has proved who it is.").format(server=chosen.name)
            return self.tr("The log is forwarded to {server} from now on.").format(server=chosen.name)

        self._tasks.start(name, with_field(), on_done=self._done, on_error=self._failed)
        self._offer()

    def _done(self, said: str) -> None:
        self.result.show_text(said, Tone.GOOD)
        self._offer()
        self._read_queue()

    def _failed(self, problem: str) -> None:
        self._offer()
        self.result.show_text(problem, Tone.BAD)
