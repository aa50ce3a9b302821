"""A fleet session as far as the New instance wizard asks: the real catalogue, an inventory of names, one provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from confvm_gui.catalog import Catalog, load_catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import BugError, NotFound
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest
from confvm_gui.domain.ports.image_library import ImageLibrary
from confvm_gui.domain.ports.provider import Capability, Change, OperationContext, Provider
from confvm_gui.fleet.guard.service import Guardrails
from confvm_gui.fleet.inventory import InventoryChange
from confvm_gui.fleet.keys import Keys
from confvm_gui.fleet.observable import Observable


@cache
def real_catalog() -> Catalog:
    """The shipped catalogue, loaded once for all tests: it never changes."""
    return load_catalog()


class StandInProvider:
    """Says what it can do and does nothing."""

    def __init__(self, technologies: frozenset[Technology] = frozenset({Technology.SEV})) -> None:
        self.name = "embedded"
        self.title = "This computer (embedded SEV engine, emulated)"
        self.emulated = True
        self.capabilities = Capability.NONE
        self.technologies = technologies

    def reason_unsupported(self, what: Capability | Technology) -> str:
        if isinstance(what, Technology) and what not in {*self.technologies, Technology.NONE}:
            return f"The embedded engine does not emulate {what.title} yet"
        return ""

    async def connect(self) -> None: ...

    async def aclose(self) -> None: ...

    async def watch(self) -> AsyncIterator[Change]:
        nothing: Sequence[Change] = ()
        for change in nothing:
            yield change

    async def instances(self) -> AsyncIterator[Sequence[Instance]]:
        yield ()

    async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
        raise BugError("the stand-in makes nothing")

    async def start(self, instance_id: str, operation: OperationContext) -> Instance:
        raise BugError("the stand-in starts nothing")

    async def stop(self, instance_id: str, operation: OperationContext) -> Instance:
        raise BugError("the stand-in stops nothing")

    async def reset(self, instance_id: str, operation: OperationContext) -> Instance:
        raise BugError("the stand-in resets nothing")

    async def delete(self, instance_id: str, operation: OperationContext) -> None:
        raise BugError("the stand-in deletes nothing")


def instance_named(name: str) -> Instance:
    """A running instance of the stand-in provider."""
    return Instance(
        id=f"id-{name}",
        name=name,
        provider="embedded",
        cloud="gce",
        region="us-central1",
        zone="us-central1-a",
        machine_type="n2d-standard-2",
        image="ubuntu-2004-lts",
        technology=Technology.SEV,
        state=InstanceState.RUNNING,
        vcpus=2,
        memory_mib=8192,
        created_at=0.0,
    )


class StandInInventory:
    """Instances by name."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.changes: Observable[InventoryChange] = Observable()
        self._instances = {name: instance_named(name) for name in names}

    def find(self, name: str, provider: str | None = None) -> Instance:
        if name not in self._instances:
            raise NotFound(f"There is no instance named {name!r}")
        return self._instances[name]

    def add(self, name: str) -> None:
        """Another console, or a job, made an instance."""
        self._instances[name] = instance_named(name)
        self.changes.emit(InventoryChange(upserted=(self._instances[name],), removed=()))


def _one_provider() -> Mapping[str, Provider]:
    return MappingProxyType({"embedded": StandInProvider()})


@dataclass
class StandInSession:
    """What `ui.wizard.session.WizardSession` names."""

    inventory: StandInInventory = field(default_factory=StandInInventory)
    catalog: Catalog = field(default_factory=real_catalog)
    providers: Mapping[str, Provider] = field(default_factory=_one_provider)
    images: ImageLibrary | None = None
    guard: Guardrails | None = None
    keys: Keys | None = None
    readonly: bool = False
    readonly_reason: str = ""
    key_protection: str = "local:default is kept in this user's keyring; only its wrappings are stored."
