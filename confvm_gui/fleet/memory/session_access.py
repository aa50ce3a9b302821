"""What of a fleet session the memory panel needs, so that it can be driven by less than a whole fleet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.memory.bookmarks import SettingsAccess


class ObservedChange(Protocol):
    """Which instances are new, changed or gone (`fleet.inventory.InventoryChange`)."""

    @property
    def upserted(self) -> tuple[Instance, ...]: ...

    @property
    def removed(self) -> tuple[str, ...]: ...


class ObservedChanges(Protocol):
    def subscribe(self, callback: Callable[[ObservedChange], None], /) -> Callable[[], None]:
        """Returns what ends the subscription."""


class InstanceLookup(Protocol):
    @property
    def changes(self) -> ObservedChanges: ...

    def get(self, instance_id: str, /) -> Instance:
        """Raises NotFound."""


class EventRecorder(Protocol):
    def record(
        self,
        action: str,
        message: str,
        *,
        subject: str = "",
        severity: Severity = Severity.INFO,
        actor: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None: ...


class MemorySession(Protocol):
    """`fleet.session.FleetSession` is one."""

    @property
    def inventory(self) -> InstanceLookup: ...

    @property
    def settings(self) -> SettingsAccess: ...

    @property
    def events(self) -> EventRecorder: ...

    def memory(self, instance_id: str, viewer: Viewer) -> MemorySource:
        """Raises Unsupported with the reason, or WrongState when there is no RAM to look at."""
