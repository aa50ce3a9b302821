"""What all panels of the instance page share: whose instance they show, their tasks, and their end."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.instance import Instance
from confvm_gui.fleet.inventory import InventoryChange
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper


class InstancePanel(QWidget):
    """Shows one instance at a time. Panels work while they are on screen and rest while they are not."""

    problem = Signal(str)
    """One sentence for the status area."""

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.instance_id = ""
        self.tasks = TaskKeeper(type(self).__name__, self.problem.emit)
        self.subscriptions = Subscriptions()
        self.subscriptions.add(session.inventory.changes, self._inventory_changed)

    def set_instance(self, instance_id: str | None) -> None:
        """Show another instance, or none."""
        chosen = instance_id or ""
        if chosen != self.instance_id:
            self.instance_id = chosen
            self.show_instance(self.instance())

    def instance(self) -> Instance | None:
        """The instance as it is now, None when there is none or it is gone."""
        try:
            return self.session.inventory.get(self.instance_id) if self.instance_id else None
        except NotFound:
            return None

    def show_instance(self, instance: Instance | None) -> None:
        """Another instance is shown from now on."""

    def update_instance(self, instance: Instance) -> None:
        """The shown instance has changed."""

    def _inventory_changed(self, change: InventoryChange) -> None:
        for instance in change.upserted:
            if instance.id == self.instance_id:
                self.update_instance(instance)
        if self.instance_id and self.instance_id in change.removed:
            self.show_instance(None)

    async def aclose(self) -> None:
        """Stop listening, end all tasks."""
        self.subscriptions.clear()
        await self.tasks.aclose()
