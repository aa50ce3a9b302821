"""The snapshots of one instance: what there is, take one, return to one, delete one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.operation import Operation, OperationKind
from confvm_gui.domain.ports.provider import HasSnapshots, Snapshot
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.job_kinds import SNAPSHOT_KINDS, allowed
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.banner import Banner, Tone
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.rights import reason_against
from confvm_gui.ui.text import breakable, moment, operation_word, snapshot_name
from confvm_gui.ui.theme import UNIT

_READ = "snapshots"


class SnapshotsCard(QFrame):
    """Hidden where the provider keeps no snapshots. Errors and questions appear here, where one is looking."""

    def __init__(self, session: FleetSession, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._instance: Instance | None = None
        self.setProperty("kind", "card")
        self.setObjectName("snapshots")
        title = QLabel(self.tr("Snapshots"))
        title.setProperty("kind", "heading")
        self.name = QLineEdit()
        self.name.setObjectName("snapshot-name")
        self.name.setAccessibleName(self.tr("Name of the new snapshot"))
        self.name.setPlaceholderText(self.tr("name"))
        self.name.setMaxLength(63)
        self.take = QPushButton(operation_word(OperationKind.SNAPSHOT))
        self.take.setObjectName("snapshot-take")
        self.take.clicked.connect(self._take)
        self.name.returnPressed.connect(self._take)
        head = QHBoxLayout()
        head.setSpacing(UNIT)
        head.addWidget(title, 1)
        head.addWidget(self.name, 1)
        head.addWidget(self.take)
        self.message = QLabel()
        self.message.setObjectName("snapshot-message")
        self.message.setProperty("kind", "muted")
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self._question = QVBoxLayout()
        self._list = QVBoxLayout()
        self._list.setSpacing(UNIT // 2)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT + 4, UNIT * 2, UNIT + 4)
        rows.setSpacing(UNIT)
        rows.addLayout(head)
        rows.addWidget(self.message)
        rows.addLayout(self._question)
        rows.addLayout(self._list)
        self.hide()

    def show_instance(self, instance: Instance | None) -> None:
        """Another instance, or none."""
        self._tasks.cancel(_READ)
        self._instance = instance
        _clear(self._list)
        self._put_question_away()
        self.message.clear()
        self.setVisible(self._provider() is not None)
        self.read()

    def update_instance(self, instance: Instance) -> None:
        """The same, changed."""
        before, self._instance = self._instance, instance
        if before is None or (before.state, before.provider) != (instance.state, instance.provider):
            self.setVisible(self._provider() is not None)
            self.read()

    def operation_changed(self, operation: Operation) -> None:
        """The list is read again when an operation on snapshots of this instance has ended."""
        mine = self._instance is not None and operation.instance_id == self._instance.id
        if mine and operation.kind in SNAPSHOT_KINDS and operation.status.is_final:
            self.read(operation.error)

    def read(self, error: str = "") -> None:
        """Ask the host; `error` is told above the list."""
        provider = self._provider()
        if provider is None or self._instance is None or not self.isVisible():
            return
        work = self._ask(provider, self._instance.id)
        self._tasks.start(_READ, work, on_done=partial(self._show, error), on_error=self.message.setText)

    @staticmethod
    async def _ask(provider: HasSnapshots, instance_id: str) -> tuple[str, Sequence[Snapshot]]:
        return await provider.snapshot_unfit(instance_id), await provider.snapshots(instance_id)

    def _provider(self) -> HasSnapshots | None:
        provider = self._session.providers.get(self._instance.provider) if self._instance is not None else None
        return provider if isinstance(provider, HasSnapshots) else None

    def _show(self, error: str, found: tuple[str, Sequence[Snapshot]]) -> None:
        unfit, snapshots = found
        instance = self._instance
        if instance is None:
            return
        denied = reason_against(self._session, Permission.OPERATE)
        possible = not unfit and not denied and allowed(OperationKind.SNAPSHOT, instance.state)
        for widget in (self.name, self.take):
            widget.setEnabled(possible)
        self.message.setText(error or unfit or denied or ("" if snapshots else self.tr("There is none yet.")))
        self.message.setVisible(bool(self.message.text()))
        _clear(self._list)
        for snapshot in snapshots:
            self._list.addWidget(self._row(instance, snapshot))

    def _row(self, instance: Instance, snapshot: Snapshot) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(UNIT)
        name = QLabel(breakable(snapshot.name))
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setAccessibleName(snapshot.name)
        name.setWordWrap(True)
        facts = [moment(snapshot.created_at)]
        facts.append(self.tr("disks and memory") if snapshot.with_memory else self.tr("disks only"))
        if snapshot.current:
            facts.append(self.tr("current"))
        about = QLabel("  ·  ".join(facts))
        about.setProperty("kind", "muted")
        about.setWordWrap(True)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(name)
        texts.addWidget(about)
        line.addLayout(texts, 1)
        words = {OperationKind.REVERT: self.tr("Revert"), OperationKind.DELETE_SNAPSHOT: self.tr("Delete")}
        for kind, word in words.items():
            button = QPushButton(word)
            button.setProperty("kind", "link")
            button.setObjectName(f"{kind.value.replace(' ', '-')}-{snapshot.name}")
            button.setAccessibleName(f"{operation_word(kind)}: {snapshot.name}")
            denied = reason_against(self._session, Permission.OPERATE)
            button.setEnabled(not denied and allowed(kind, instance.state))
            button.setToolTip(denied)
            button.clicked.connect(partial(self._confirm, kind, snapshot.name))
            line.addWidget(button)
        return row

    def _take(self) -> None:
        if self.take.isEnabled():
            name = self.name.text().strip() or snapshot_name()
            self.name.clear()
            self._go(OperationKind.SNAPSHOT, name)

    def _confirm(self, kind: OperationKind, name: str, _checked: bool = False) -> None:
        if kind is OperationKind.REVERT:
            text = self.tr("Return to {name}? What the instance is and has written since is lost.")
        else:
            text = self.tr("Delete the snapshot {name}? The instance stays as it is.")
        banner = Banner(
            Tone.WARNING,
            text.format(name=name),
            operation_word(kind),
            partial(self._go, kind, name),
            dismiss_word=self.tr("Cancel"),
            dangerous=True,
        )
        banner.dismissed.connect(self._put_question_away)
        _clear(self._question)
        self._question.addWidget(banner)
        if banner.action_button is not None:
            banner.action_button.setFocus()

    def _put_question_away(self) -> None:
        _clear(self._question)

    def _go(self, kind: OperationKind, name: str) -> None:
        if self._instance is not None:
            work = self._session.jobs.snapshot(kind, self._instance.id, name)
            self._tasks.start(f"{kind.value} {name}", work, on_error=self._told)

    def _told(self, error: str) -> None:
        self.message.setText(error)
        self.message.show()


def _clear(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
