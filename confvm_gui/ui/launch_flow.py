"""From the wizard to an accepted operation: opens the wizard, hands its request over, tells it what came of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from confvm_gui.domain.errors import ConfvmError
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.fleet.exposure.canary import Canaries, planted
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.load_ahead import load
from confvm_gui.ui.theme import theme_controller

if TYPE_CHECKING:
    from confvm_gui.ui.wizard.wizard import LaunchWizard


class LaunchFlow(QObject):
    """At most one wizard at a time."""

    accepted = Signal(str)
    """The request is on disk; the id of the instance that is being made."""

    def __init__(self, session: FleetSession, tasks: TaskKeeper, window: QWidget) -> None:
        super().__init__(window)
        self._session = session
        self._tasks = tasks
        self._window = window
        self.wizard: LaunchWizard | None = None

    def begin(self) -> None:
        """Open the wizard; a second call brings the open one to the front."""
        if self.wizard is not None:
            self.wizard.raise_()
            self.wizard.activateWindow()
        elif not self._tasks.is_running("wizard"):
            self._tasks.start("wizard", self._open())

    async def _open(self) -> None:
        await load("confvm_gui.ui.wizard.wizard")
        # Who is quick asks for the wizard before the catalogue has been read.
        await asyncio.to_thread(self._session.catalog.load)
        from confvm_gui.ui.wizard.wizard import LaunchWizard

        wizard = LaunchWizard(self._session, self._window)
        wizard.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        wizard.submitted.connect(self._submitted)
        wizard.destroyed.connect(self._gone)
        self.wizard = wizard
        # In several turns of the event loop: together they would take longer than a key press should wait.
        await asyncio.sleep(0)
        if self.wizard is not wizard:
            return  # gone with the window meanwhile
        theme_controller().dress(wizard)
        await asyncio.sleep(0)
        if self.wizard is not wizard:
            return
        wanted = wizard.sizeHint()
        wizard.resize(min(wanted.width(), self._window.width()), min(wanted.height(), self._window.height()))
        wizard.open()

    def _gone(self) -> None:
        self.wizard = None

    def _submitted(self, request: LaunchRequest) -> None:
        self._tasks.start("submit", self._submit(request))

    async def _submit(self, request: LaunchRequest) -> None:
        wizard = self.wizard
        if wizard is None:
            return
        try:
            operation = await self._session.jobs.create(request)
        except ConfvmError as error:
            wizard.refuse(error)
            return
        canary = planted(request.seed) if request.seed is not None else None
        if canary is not None:  # the Exposure tab of the instance looks for it
            Canaries(self._session.settings, request.provider, request.name).add(canary)
        wizard.accepted_request()
        self.accepted.emit(operation.instance_id)

    async def aclose(self) -> None:
        """Close the wizard and await what runs for it."""
        if self.wizard is not None:
            await self.wizard.aclose()
