"""What the wizard asks of the fleet session, and no more."""

from __future__ import annotations

from collections.abc import Container, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from confvm_gui.catalog import Catalog
from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.ports.image_library import ImageLibrary
from confvm_gui.domain.ports.provider import Provider

if TYPE_CHECKING:
    from confvm_gui.fleet.guard.service import Guardrails
    from confvm_gui.fleet.inventory import InventoryChange
    from confvm_gui.fleet.keys import Keys
    from confvm_gui.fleet.observable import Observable
    from confvm_gui.fleet.records import RecordsSummary


class InventoryLike(Protocol):
    """What the wizard asks of `fleet.inventory.Inventory`."""

    @property
    def changes(self) -> Observable[InventoryChange]: ...

    def find(self, name: str, provider: str | None = None) -> Instance: ...


class Inspect(Protocol):
    """`fleet.records.inspect_records`."""

    def __call__(
        self, path: Path, *, index_column: str | None = None, label_column: str | None = None
    ) -> Coroutine[object, object, RecordsSummary]: ...


class WizardSession(Protocol):
    """What the wizard asks of `fleet.session.FleetSession`."""

    @property
    def catalog(self) -> Catalog: ...

    @property
    def providers(self) -> Mapping[str, Provider]: ...

    @property
    def inventory(self) -> InventoryLike: ...

    @property
    def images(self) -> ImageLibrary | None: ...

    @property
    def guard(self) -> Guardrails | None: ...

    @property
    def keys(self) -> Keys | None: ...

    @property
    def readonly(self) -> bool: ...

    @property
    def readonly_reason(self) -> str: ...

    @property
    def key_protection(self) -> str: ...


class TakenNames(Container[str]):
    """The names in use on one provider, asked one by one: the inventory may hold 100,000."""

    def __init__(self, inventory: InventoryLike, provider: str) -> None:
        self._inventory = inventory
        self._provider = provider

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        try:
            self._inventory.find(name, self._provider)
        except NotFound:
            return False
        return True
