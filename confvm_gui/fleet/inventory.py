"""What there is: every instance of every provider, from the store at once and from the providers as they answer.

Changes are collected and told at most ten times a second: a fleet that changes a thousand times a second costs its
listeners ten calls, not a thousand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from confvm_gui.domain.errors import ConfvmError, NotFound, StoreError
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.ports.provider import Change, ChangeKind, Provider
from confvm_gui.domain.ports.repositories import InstanceRepository
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.observable import Observable

BATCH_SECONDS: Final = 0.1
_STORE_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = (1.0, 2.0, 5.0, 15.0, 30.0)


@dataclass(frozen=True, slots=True)
class InventoryChange:
    """What changed since the last one."""

    upserted: tuple[Instance, ...]
    removed: tuple[str, ...]
    """Instance ids."""


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """Whether a provider answers."""

    name: str
    title: str
    emulated: bool
    connected: bool
    message: str
    """Why not, or ""."""


class Inventory:
    """The fleet as last observed."""

    def __init__(
        self, providers: Mapping[str, Provider], repository: InstanceRepository, events: EventFeed, *, readonly: bool
    ) -> None:
        self.changes: Observable[InventoryChange] = Observable()
        self.provider_changes: Observable[ProviderStatus] = Observable()
        self._providers = providers
        self._repository = repository
        self._events = events
        self._readonly = readonly
        self._instances: dict[str, Instance] = {}
        self._by_name: dict[tuple[str, str], str] = {}
        self._status = {
            name: ProviderStatus(name, provider.title, provider.emulated, False, "connecting")
            for name, provider in providers.items()
        }
        self._upserted: dict[str, Instance] = {}
        self._removed: set[str] = set()
        self._failures: dict[str, ConfvmError] = {}
        self._flush_planned: asyncio.TimerHandle | None = None
        self._background = Background()

    async def load(self) -> None:
        """Show what was known at the last run. Instances of providers that are not configured any more are kept out."""
        for instance in await self._repository.all():
            if instance.provider in self._providers:
                self._instances[instance.id] = instance
                self._by_name[instance.provider, instance.name] = instance.id

    def connect(self) -> None:
        """Begin to follow every provider. One that does not answer delays no other."""
        for name, provider in self._providers.items():
            self._background.start(self._follow(name, provider), f"inventory of {name}")

    def follow_store(self) -> None:
        """Follow what another console writes into the store. No provider is asked."""
        self._say_of_all("Shown as the console that runs it writes it down")
        self._background.start(self._read_store(), "inventory from the store")

    async def connected(self, name: str) -> None:
        """Wait until the provider has told its instances once. Raises the ConfvmError for which it could not."""
        done = asyncio.Event()
        unsubscribe = self.provider_changes.subscribe(lambda status: done.set() if status.name == name else None)
        try:
            while not self._status[name].connected:
                if name in self._failures:
                    raise self._failures[name]
                done.clear()
                await done.wait()
        finally:
            unsubscribe()

    def all(self) -> Sequence[Instance]:
        return tuple(self._instances.values())

    def get(self, instance_id: str) -> Instance:
        """Raises NotFound."""
        try:
            return self._instances[instance_id]
        except KeyError:
            raise NotFound("This instance does not exist any more") from None

    def find(self, name: str, provider: str | None = None) -> Instance:
        """By name, within one provider or all. Raises NotFound."""
        for candidate in (provider,) if provider else self._providers:
            instance_id = self._by_name.get((candidate, name))
            if instance_id is not None:
                return self._instances[instance_id]
        raise NotFound(f"There is no instance named {name!r}")

    def providers(self) -> Sequence[ProviderStatus]:
        return tuple(self._status.values())

    def observe(self, instance: Instance) -> None:
        """Take in what a provider said of an instance."""
        before = self._instances.get(instance.id)
        if before == instance:
            return
        if before is not None and before.name != instance.name:
            self._by_name.pop((before.provider, before.name), None)
        self._instances[instance.id] = instance
        self._by_name[instance.provider, instance.name] = instance.id
        self._upserted[instance.id] = instance
        self._removed.discard(instance.id)
        self._plan_flush()
        if before is None or before.state is not instance.state:
            self._record_state(instance)

    def forget(self, instance_id: str) -> None:
        """The instance is gone."""
        instance = self._instances.pop(instance_id, None)
        if instance is None:
            return
        if self._by_name.get((instance.provider, instance.name)) == instance_id:
            del self._by_name[instance.provider, instance.name]
        self._upserted.pop(instance_id, None)
        self._removed.add(instance_id)
        self._plan_flush()

    async def aclose(self) -> None:
        """Stop following, tell and write what is still waiting."""
        await asyncio.sleep(0)  # what the providers told last is taken in first
        await self._background.aclose()
        if self._flush_planned is not None:
            self._flush_planned.cancel()
            self._flush()

    async def _follow(self, name: str, provider: Provider) -> None:
        attempt = 0
        while True:
            try:
                await provider.connect()
                watcher = provider.watch()
                await self._list(name, provider)
                self._failures.pop(name, None)
                self._set_status(replace(self._status[name], connected=True, message=""))
                attempt = 0
                async for change in watcher:
                    self._take(change)
                return
            except ConfvmError as error:
                self._failures[name] = error
                self._set_status(replace(self._status[name], connected=False, message=error.message))
            await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
            attempt += 1

    async def _read_store(self) -> None:
        while True:
            try:
                stored = await self._repository.all()
            except StoreError as error:
                self._say_of_all(error.message)
            else:
                for instance in stored:
                    if instance.provider in self._providers:
                        self.observe(instance)
                for instance_id in self._instances.keys() - {instance.id for instance in stored}:
                    self.forget(instance_id)
            await asyncio.sleep(_STORE_SECONDS)

    async def _list(self, name: str, provider: Provider) -> None:
        seen: set[str] = set()
        async for page in provider.instances():
            for instance in page:
                seen.add(instance.id)
                self.observe(instance)
        for instance in self.all():
            if instance.provider == name and instance.id not in seen:
                self.forget(instance.id)

    def _take(self, change: Change) -> None:
        if change.kind is ChangeKind.REMOVED:
            self.forget(change.instance.id)
        else:
            self.observe(change.instance)

    def _say_of_all(self, message: str) -> None:
        for status in tuple(self._status.values()):
            self._set_status(replace(status, connected=False, message=message))

    def _set_status(self, status: ProviderStatus) -> None:
        if self._status[status.name] != status:
            self._status[status.name] = status
            self.provider_changes.emit(status)

    def _record_state(self, instance: Instance) -> None:
        crashed = instance.state is InstanceState.CRASHED
        reason = f": {instance.state_reason}" if instance.state_reason else ""
        self._events.record(
            "instance.crashed" if crashed else f"instance.{instance.state.value}",
            f"{instance.name} is {instance.state.value}{reason}",
            subject=instance.id,
            severity=Severity.ERROR if crashed else Severity.INFO,
            actor="console",
        )

    def _plan_flush(self) -> None:
        if self._flush_planned is None:
            self._flush_planned = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._flush_planned = None
        change = InventoryChange(tuple(self._upserted.values()), tuple(self._removed))
        self._upserted.clear()
        self._removed.clear()
        if not self._readonly:
            self._repository.put(change.upserted)
            self._repository.remove(change.removed)
        self.changes.emit(change)
