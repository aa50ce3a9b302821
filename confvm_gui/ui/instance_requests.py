"""From what the user wants done to instances to accepted operations: what is possible, what must be confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QLineEdit, QMenu, QPushButton

from confvm_gui.domain.errors import NeedsApproval
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.ports.provider import CanMigrate
from confvm_gui.fleet.job_kinds import allowed, missing_power, permission_for
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.banner import Banner, BannerStack, Tone
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.rights import reason_against
from confvm_gui.ui.text import count_text, operation_word, snapshot_name

_AT_ONCE = 50
"""Operations accepted in one commit; the event loop runs between."""


class InstanceRequests(QObject):
    """Asks inside the window, never in a modal dialog, and hands over to the jobs."""

    approvals_wanted = Signal()
    """Somebody wants to see what waits for a second person."""

    def __init__(
        self, session: FleetSession, tasks: TaskKeeper, banners: BannerStack, on_error: Callable[[str], None]
    ) -> None:
        super().__init__(banners)
        self._session = session
        self._tasks = tasks
        self._banners = banners
        self._on_error = on_error

    def can(self, kind: OperationKind, instance: Instance) -> bool:
        """Whether the instance can be asked for `kind` now."""
        provider = self._session.providers.get(instance.provider)
        return provider is not None and allowed(kind, instance.state) and not missing_power(kind, provider)

    def perform(self, kind: OperationKind, instances: Sequence[Instance], done: Callable[[], None]) -> None:
        """Do `kind` to those of `instances` that can be asked for it; `done` is called once all are accepted."""
        if reason := reason_against(self._session, permission_for(kind)):
            self._on_error(reason)
            return
        chosen = [instance for instance in instances if self.can(kind, instance)]
        if not chosen:
            if instances:
                self._on_error(
                    self.tr("{action} is not possible in the present state of what is chosen").format(
                        action=operation_word(kind)
                    )
                )
            return
        if kind is OperationKind.MIGRATE:
            self._choose_host(chosen, done)
            return
        if kind is OperationKind.CLONE:
            self._name_copy(chosen[0], done)
            return
        if kind is OperationKind.SNAPSHOT:
            self._tasks.start("snapshot", self._snapshot(chosen), on_done=lambda _: done())
            return
        ids = [instance.id for instance in chosen]

        def go() -> None:
            self._tasks.start(f"{kind.value} {ids[0]} {len(ids)}", self._accept(kind, ids), on_done=lambda _: done())

        question = self._question(kind, chosen)
        if not question:
            go()
            return
        banner = Banner(
            Tone.WARNING, question, operation_word(kind), go, dismiss_word=self.tr("Cancel"), dangerous=True
        )
        self._banners.put("confirm", banner, focus=True)

    def _choose_host(self, chosen: Sequence[Instance], done: Callable[[], None]) -> None:
        """Where to: asked in a menu if there is more than one place, else in a question."""
        provider = self._session.providers[chosen[0].provider]
        if not isinstance(provider, CanMigrate):
            return
        instances = [one for one in chosen if one.provider == chosen[0].provider]
        reasons = {one.id: provider.migration_unfit(one.id) for one in instances}
        fit = [one for one in instances if not reasons[one.id]]
        if not fit:
            self._on_error(f"{instances[0].name}: {reasons[instances[0].id]}")
            return
        here = {one.host for one in fit}
        places = [host for host in provider.hosts() if {host.name} != here]
        if not places:
            self._on_error(self.tr("There is no other host to migrate to"))
            return

        def go(host: str) -> None:
            ids = [one.id for one in fit if one.host != host]
            self._tasks.start(f"migrate {ids[0]} {len(ids)}", self._migrate(ids, host), on_done=lambda _: done())

        if len(places) == 1:
            name = fit[0].name if len(fit) == 1 else self._counted(self.tr("%n instances", "", len(fit)), len(fit))
            question = self.tr("Move {name} to {host}? It goes on running, but for a moment at the end.").format(
                name=name, host=places[0].title
            )
            banner = Banner(
                Tone.INFO,
                question,
                operation_word(OperationKind.MIGRATE),
                partial(go, places[0].name),
                dismiss_word=self.tr("Cancel"),
            )
            self._banners.put("confirm", banner, focus=True)
            return
        menu = QMenu(self._banners)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setTitle(self.tr("Migrate to"))
        for host in places:
            menu.addAction(host.title).triggered.connect(partial(self._to_host, go, host.name))
        menu.popup(QCursor.pos())

    def _name_copy(self, instance: Instance, done: Callable[[], None]) -> None:
        """How the copy of one instance is to be named."""
        name = QLineEdit(f"{instance.name[:58]}-copy")
        name.setObjectName("clone-name")
        name.setAccessibleName(self.tr("Name of the copy"))
        name.setMaxLength(63)
        name.setMinimumWidth(180)

        def go() -> None:
            self._tasks.start("clone", self._session.jobs.clone(instance.id, name.text()), on_done=lambda _: done())

        text = self.tr("Copy {name} with its disks, as a machine of its own named:").format(name=instance.name)
        banner = Banner(Tone.INFO, text, dismiss_word=self.tr("Cancel"))
        copy = QPushButton(operation_word(OperationKind.CLONE))
        copy.clicked.connect(go)
        copy.clicked.connect(banner.dismissed)
        name.returnPressed.connect(copy.click)
        banner.add_button(name)
        banner.add_button(copy)
        self._banners.put("confirm", banner, focus=True)
        name.setFocus()
        name.selectAll()

    async def _snapshot(self, chosen: Sequence[Instance]) -> None:
        name = snapshot_name()
        for instance in chosen:
            await self._session.jobs.snapshot(OperationKind.SNAPSHOT, instance.id, name)

    @staticmethod
    def _to_host(go: Callable[[str], None], host: str, _checked: bool = False) -> None:
        go(host)

    async def _migrate(self, ids: Sequence[str], host: str) -> None:
        for instance_id in ids:
            await self._session.jobs.migrate(instance_id, host)

    def _question(self, kind: OperationKind, chosen: Sequence[Instance]) -> str:
        count = len(chosen)
        name = chosen[0].name
        if kind is OperationKind.DELETE:
            if count == 1:
                return self.tr("Delete {name}? Its disk and its keys are destroyed; nothing brings them back.").format(
                    name=name
                )
            return self._counted(
                self.tr(
                    "Delete %n instances? Their disks and keys are destroyed; nothing brings them back.", "", count
                ),
                count,
            )
        if kind is OperationKind.RESET:
            if count == 1:
                return self.tr("Reset {name}? What it holds in memory is lost.").format(name=name)
            return self._counted(self.tr("Reset %n instances? What they hold in memory is lost.", "", count), count)
        if kind is OperationKind.STOP and count > 1:
            return self._counted(self.tr("Stop %n instances? What they hold in memory is lost.", "", count), count)
        return ""

    @staticmethod
    def _counted(text: str, count: int) -> str:
        return text.replace(str(count), count_text(count))

    async def _accept(self, kind: OperationKind, ids: Sequence[str]) -> None:
        stored: NeedsApproval | None = None
        for start in range(0, len(ids), _AT_ONCE):
            try:
                await self._session.jobs.act(kind, ids[start : start + _AT_ONCE])
            except NeedsApproval as error:
                stored = stored or error
            await asyncio.sleep(0)
        if stored is not None:
            self._tell_stored(stored.message, len(ids))

    def _tell_stored(self, message: str, count: int) -> None:
        """Nothing was done yet, and nothing went wrong: somebody else has to agree."""
        if count > 1:
            words = self.tr(
                "%n requests were stored: each is carried out once another administrator approves it", "", count
            )
            message = self._counted(words, count)
        show = self.tr("Show requests")
        self._banners.put("approval", Banner(Tone.INFO, message, show, self.approvals_wanted.emit))
