"""What there is: every instance of every provider, from the store at once and from the providers as they answer.

Changes are collected and told at most ten times a second: a fleet that changes a thousand times a second costs its
listeners ten calls, not a thousand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.domain.errors import ConfvmError, NotFound, StoreError
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.ports.provider import Change, ChangeKind, Provider
from confvm_gui.domain.ports.repositories import InstanceRepository
from confvm_gui.fleet.attest.trust import TrustOverlay
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
    connecting: bool = False
    """Whether the first attempt, or one that a person asked for, is under way. Those in between are not told."""


class Inventory:
    """The fleet as last observed."""

    def __init__(
        self, providers: Mapping[str, Provider], repository: InstanceRepository, events: EventFeed, *, readonly: bool
    ) -> None:
        self.changes: Observable[InventoryChange] = Observable()
        self.provider_changes: Observable[ProviderStatus] = Observable()
        self.started: Observable[Instance] = Observable()
        """Every instance that has begun to run, at once. Not those that ran before their provider was known."""
        self._providers = providers
        self._repository = repository
        self._events = events
        self._readonly = readonly
        self._instances: dict[str, Instance] = {}
        self._said: dict[str, Instance] = {}
        """As the providers have them, without what verdicts say."""
        self._trust = TrustOverlay()
        self._compliance: dict[str, str] = {}
        """What the rules say of each instance, laid over what its provider says."""
        self._by_name: dict[tuple[str, str], str] = {}
        self._status = {
            name: ProviderStatus(name, provider.title, provider.emulated, False, "connecting", connecting=True)
            for name, provider in providers.items()
        }
        self._upserted: dict[str, Instance] = {}
        self._removed: set[str] = set()
        self._failures: dict[str, ConfvmError] = {}
        self._flush_planned: asyncio.TimerHandle | None = None
        self._following: dict[str, asyncio.Task[object]] = {}
        self._background = Background()

    async def load(self) -> None:
        """Show what was known at the last run. Instances of providers that are not configured any more are kept out."""
        for instance in await self._repository.all():
            if instance.provider in self._providers:
                self._instances[instance.id] = instance
                self._said[instance.id] = instance
                if instance.compliance and not self._readonly:
                    self._compliance[instance.id] = instance.compliance
                self._by_name[instance.provider, instance.name] = instance.id

    def connect(self) -> None:
        """Begin to follow every provider. One that does not answer delays no other."""
        for name in self._providers:
            self._begin_to_follow(name)

    async def add(self, name: str, *, follow: bool) -> None:
        """Take in a provider that has just been added: what is stored of it now, and with `follow` what it says."""
        provider = self._providers[name]
        for instance in await self._repository.all():
            if instance.provider == name and instance.id not in self._instances:
                self.observe(instance)
        self._status[name] = ProviderStatus(name, provider.title, provider.emulated, False, "", connecting=follow)
        self.provider_changes.emit(self._status[name])
        if follow:
            self._begin_to_follow(name)

    def retry(self, name: str) -> None:
        """Try to connect now, without the pause that is kept between two attempts. Raises NotFound."""
        if name not in self._following:
            raise NotFound(f"There is no connection named {name!r}")
        if not self._status[name].connected:
            self._following[name].cancel()
            self._set_status(replace(self._status[name], connecting=True))
            self._begin_to_follow(name, at_once=True)

    async def drop(self, name: str) -> None:
        """The provider is not configured any more: it is followed no longer, and its instances are forgotten."""
        task = self._following.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        for instance in self.all():
            if instance.provider == name:
                self.forget(instance.id)
        self._failures.pop(name, None)
        status = self._status.pop(name, None)
        if status is not None:
            self.provider_changes.emit(replace(status, connected=False, connecting=False, message=""))

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
        if before is not None and (before.provider, before.name) != (instance.provider, instance.name):
            self._by_name.pop((before.provider, before.name), None)
        self._said[instance.id] = instance
        self._trust.follow(before, instance)
        self._show(before, self._laid_over(instance))

    def power_on(self, instance_id: str) -> int:
        """Tells one power-on of an instance from the next; for `note_verdict`."""
        return self._trust.power_on(instance_id)

    def note_verdict(self, record: AttestationRecord, power_on: int | None = None) -> None:
        """A verdict on an instance counts until its power-on ends; that of a launch, from when it runs.

        `power_on`: the one in which the evidence was asked for. If it has ended meanwhile, the verdict is of the past.
        """
        said = self._said.get(record.instance_id)
        if power_on is not None and (
            said is None or not said.state.is_live or power_on != self._trust.power_on(record.instance_id)
        ):
            return
        self._trust.note(record)
        if said is not None:
            self._show(self._instances.get(said.id), self._laid_over(said))

    def note_compliance(self, found: Mapping[str, str]) -> None:
        """What the rules say of instances (id → value of domain.policy.Compliance, "" for nothing)."""
        self._compliance |= found
        for instance_id in found:
            said = self._said.get(instance_id)
            if said is not None:
                self._show(self._instances.get(instance_id), self._laid_over(said))

    def power_on_begins(self, instance_id: str) -> None:
        """An instance is about to be launched: nothing that was said of another launch holds for this one."""
        self._trust.power_on_begins(instance_id)

    def restarted(self, instance_id: str, since: float) -> None:
        """A power-on that began at `since` (seconds since the epoch) has succeeded."""
        self._trust.restarted(instance_id, since)

    def forget(self, instance_id: str) -> None:
        """The instance is gone."""
        self._trust.forget(instance_id)
        self._compliance.pop(instance_id, None)
        self._said.pop(instance_id, None)
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

    def _laid_over(self, said: Instance) -> Instance:
        """What a provider said, with what verdicts and rules say."""
        instance = self._trust.laid_over(said)
        compliance = self._compliance.get(said.id, instance.compliance)
        return instance if compliance == instance.compliance else replace(instance, compliance=compliance)

    def _show(self, before: Instance | None, instance: Instance) -> None:
        if before == instance:
            return
        self._instances[instance.id] = instance
        self._by_name[instance.provider, instance.name] = instance.id
        self._upserted[instance.id] = instance
        self._removed.discard(instance.id)
        self._plan_flush()
        if before is None or before.state is not instance.state:
            self._record_state(instance)
            if self._has_started(before, instance):
                self.started.emit(instance)

    def _has_started(self, before: Instance | None, instance: Instance) -> bool:
        if instance.state is not InstanceState.RUNNING or self._readonly:
            return False
        if before is None:  # new, unless it is told by a provider that has just answered for the first time
            return self._status[instance.provider].connected
        return not before.state.is_live

    def _begin_to_follow(self, name: str, *, at_once: bool = False) -> None:
        follow = self._follow(name, self._providers[name], at_once=at_once)
        self._following[name] = self._background.start(follow, f"inventory of {name}")

    async def _follow(self, name: str, provider: Provider, *, at_once: bool) -> None:
        attempt = 0
        while True:
            try:
                if at_once:  # `connect` may keep a pause after failures; who lists has been asked by a person
                    at_once = False
                    await self._list(name, provider)
                await provider.connect()
                watcher = provider.watch()
                await self._list(name, provider)
                self._failures.pop(name, None)
                self._set_status(replace(self._status[name], connected=True, message="", connecting=False))
                attempt = 0
                async for change in watcher:
                    self._take(change)
                return
            except ConfvmError as error:
                self._failures[name] = error
                self._set_status(replace(self._status[name], connected=False, message=error.message, connecting=False))
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
                self._observe_from_provider(instance)
        for instance in self.all():
            if instance.provider == name and instance.id not in seen:
                self.forget(instance.id)

    def _take(self, change: Change) -> None:
        if change.kind is not ChangeKind.REMOVED:
            self._observe_from_provider(change.instance)
            return
        known = self._instances.get(change.instance.id)
        if known is None or known.provider == change.instance.provider:  # else it has moved: it is gone there only
            self.forget(change.instance.id)

    def _observe_from_provider(self, instance: Instance) -> None:
        known = self._instances.get(instance.id)
        moved = known is not None and known.provider != instance.provider
        if moved and known is not None and known.state.is_live and not instance.state.is_live:
            return  # what a migrated instance has left behind at home
        self.observe(instance)

    def _say_of_all(self, message: str) -> None:
        for status in tuple(self._status.values()):
            self._set_status(replace(status, connected=False, message=message, connecting=False))

    def _set_status(self, status: ProviderStatus) -> None:
        if status.name in self._status and self._status[status.name] != status:
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
            outcome=EventOutcome.FAILURE if crashed else EventOutcome.SUCCESS,
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
