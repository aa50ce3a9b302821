"""The inventory: from the store at once, from providers as they answer, told in batches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from confvm_gui.domain.errors import CapacityExceeded, NotFound, StoreError
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.ports.provider import Change, ChangeKind
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.inventory import BATCH_SECONDS, Inventory, InventoryChange, ProviderStatus
from tests.support.fake_provider import FakeProvider, make_instance
from tests.support.fake_session import MemoryInstances, MemoryStore
from tests.support.patience import until


class Refusing(FakeProvider):
    """Does not answer as long as it has reasons not to."""

    def __init__(self, instances: Sequence[Instance] = ()) -> None:
        super().__init__(instances)
        self.refusals = [CapacityExceeded("This computer refused 8 TiB of shared memory")]

    async def connect(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)


@dataclass
class Rig:
    provider: FakeProvider
    store: MemoryStore
    inventory: Inventory
    changes: list[InventoryChange] = field(default_factory=list)
    statuses: list[ProviderStatus] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def told(self, number: int) -> InventoryChange:
        """The change of that number, from 1."""
        async with asyncio.timeout(10):
            while len(self.changes) < number:
                self.news.clear()
                await self.news.wait()
        return self.changes[number - 1]

    def actions(self, severity: Severity) -> list[str]:
        events = [record.event for record in self.store.audit.records]
        return [event.action for event in events if event.severity is severity]


@asynccontextmanager
async def rig(
    *known: Instance,
    stored: Sequence[Instance] = (),
    provider: FakeProvider | None = None,
    readonly_reason: str = "",
    instances: MemoryInstances | None = None,
) -> AsyncIterator[Rig]:
    provider = provider or FakeProvider(known)
    store = MemoryStore(stored, readonly_reason=readonly_reason)
    if instances is not None:
        store.instances = instances
    events = EventFeed(store.audit, readonly=store.readonly)
    inventory = Inventory({provider.name: provider}, store.instances, events, readonly=store.readonly)
    await inventory.load()
    found = Rig(provider, store, inventory)

    def take(change: InventoryChange) -> None:
        found.changes.append(change)
        found.news.set()

    inventory.changes.subscribe(take)
    inventory.provider_changes.subscribe(found.statuses.append)
    try:
        yield found
    finally:
        await inventory.aclose()


async def test_what_was_known_shows_before_a_provider_answers() -> None:
    stored = [make_instance("a"), make_instance("elsewhere", provider="gone")]
    async with rig(stored=stored) as r:
        assert r.inventory.all() == (stored[0],)
        assert r.inventory.get(stored[0].id) == r.inventory.find("a") == r.inventory.find("a", "embedded")
        (status,) = r.inventory.providers()
        assert (status.connected, status.message) == (False, "connecting")
        with pytest.raises(NotFound):
            r.inventory.get("unknown")
        with pytest.raises(NotFound):
            r.inventory.find("b")
        with pytest.raises(NotFound):
            r.inventory.find("a", "gone")


async def test_a_provider_has_the_last_word() -> None:
    gone, changed, new = make_instance("gone"), make_instance("changed"), make_instance("new")
    stopped = replace(changed, state=InstanceState.STOPPED)
    async with rig(stopped, new, stored=[gone, changed]) as r:
        r.inventory.connect()
        await r.inventory.connected("embedded")
        assert {each.name: each.state for each in r.inventory.all()} == {
            "changed": InstanceState.STOPPED,
            "new": InstanceState.RUNNING,
        }
        change = await r.told(1)
        assert sorted(each.name for each in change.upserted) == ["changed", "new"]
        assert change.removed == (gone.id,)
        assert r.store.instances.kept == {stopped.id: stopped, new.id: new}
        assert r.inventory.providers()[0].connected
        await r.inventory.connected("embedded")


async def test_changes_are_told_in_batches() -> None:
    many = [make_instance(f"vm-{at}") for at in range(200)]
    async with rig(*many) as r:
        r.inventory.connect()
        await r.inventory.connected("embedded")
        await r.told(1)
        began = time.monotonic()
        for step in range(30):
            for instance in many:
                r.provider.change(replace(instance, load=step / 100))
            await asyncio.sleep(0.01)
        await r.told(2)
        batches = len(r.changes) - 1
        assert batches <= (time.monotonic() - began) / BATCH_SECONDS + 1
        assert all(len({each.id for each in change.upserted}) == len(change.upserted) for change in r.changes)


async def test_a_batch_tells_only_the_last_of_each() -> None:
    async with rig() as r:
        a, b = make_instance("a"), make_instance("b")
        r.inventory.observe(a)
        r.inventory.observe(b)
        r.inventory.observe(replace(a, state=InstanceState.PAUSED))
        r.inventory.forget(b.id)
        r.inventory.forget("unknown")
        change = await r.told(1)
        assert change.upserted == (replace(a, state=InstanceState.PAUSED),)
        assert change.removed == (b.id,)
        r.inventory.observe(replace(a, state=InstanceState.PAUSED))
        r.inventory.forget(a.id)
        r.inventory.observe(a)
        change = await r.told(2)
        assert (change.upserted, change.removed) == ((a,), ())


async def test_renamed_and_reused_names() -> None:
    async with rig() as r:
        a = make_instance("a")
        r.inventory.observe(a)
        r.inventory.observe(replace(a, name="b"))
        with pytest.raises(NotFound):
            r.inventory.find("a")
        again = make_instance("b", id="other")
        r.inventory.observe(again)
        r.inventory.forget(a.id)
        assert r.inventory.find("b") == again


async def test_states_become_events_and_loads_do_not() -> None:
    async with rig() as r:
        a = make_instance("a")
        r.inventory.observe(a)
        r.inventory.observe(replace(a, load=0.5))
        r.inventory.observe(replace(a, state=InstanceState.CRASHED, state_reason="invalid instruction"))
        assert r.actions(Severity.INFO) == ["instance.running"]
        assert r.actions(Severity.ERROR) == ["instance.crashed"]
        assert r.store.audit.records[-1].event.message == "a is crashed: invalid instruction"


async def test_changes_that_a_provider_observes_are_followed() -> None:
    a = make_instance("a")
    async with rig(a) as r:
        r.inventory.connect()
        await r.inventory.connected("embedded")
        await r.told(1)
        r.provider.change(replace(a, state=InstanceState.CRASHED))
        await r.told(2)
        assert r.inventory.find("a").state is InstanceState.CRASHED


async def test_a_provider_that_does_not_answer_says_why_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confvm_gui.fleet.inventory._RETRY_SECONDS", (0.0,))
    provider = Refusing([make_instance("a")])
    provider.refusals *= 2
    async with rig(provider=provider) as r:
        r.inventory.connect()
        with pytest.raises(CapacityExceeded, match="refused 8 TiB"):
            await r.inventory.connected("embedded")
        assert not r.inventory.providers()[0].connected
        assert "refused 8 TiB" in r.inventory.providers()[0].message
        await until(lambda: r.inventory.providers()[0].connected)
        await r.inventory.connected("embedded")
        assert r.inventory.find("a")
        assert [status.connected for status in r.statuses] == [False, True]


async def test_what_comes_at_the_end_is_not_lost() -> None:
    a = make_instance("a")
    async with rig(a) as r:
        r.inventory.connect()
        await r.inventory.connected("embedded")
        stopped = r.provider.change(replace(a, state=InstanceState.STOPPED))
        await r.inventory.aclose()
        assert r.changes[-1].upserted == (stopped,)
        assert r.store.instances.kept[a.id] == stopped


async def test_a_session_that_only_reads_follows_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confvm_gui.fleet.inventory._STORE_SECONDS", 0.01)
    a, b = make_instance("a"), make_instance("b")
    async with rig(stored=[a], readonly_reason="Another console writes") as r:
        r.inventory.follow_store()
        r.store.instances.put([b, replace(a, state=InstanceState.STOPPED)])
        change = await r.told(1)
        assert {each.name for each in change.upserted} == {"a", "b"}
        r.store.instances.remove([a.id])
        assert (await r.told(2)).removed == (a.id,)
        assert r.inventory.all() == (b,)
        assert r.store.audit.records == []
        assert "the console that runs it" in r.inventory.providers()[0].message


async def test_a_store_that_fails_meanwhile_is_said_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(MemoryInstances):
        failures = 0

        async def all(self) -> Sequence[Instance]:
            if self.failures:
                self.failures -= 1
                raise StoreError("The disk failed")
            return await super().all()

    monkeypatch.setattr("confvm_gui.fleet.inventory._STORE_SECONDS", 0.01)
    instances = Failing([])
    async with rig(instances=instances, readonly_reason="Another console writes") as r:
        instances.failures = 1
        instances.put([make_instance("a")])
        r.inventory.follow_store()
        assert [each.name for each in (await r.told(1)).upserted] == ["a"]
        assert any(status.message == "The disk failed" for status in r.statuses)


async def test_a_removal_that_a_provider_tells_is_taken() -> None:
    a = make_instance("a")
    async with rig(a) as r:
        r.inventory.connect()
        await r.inventory.connected("embedded")
        for watcher in r.provider._watchers:
            watcher.put_nowait(Change(ChangeKind.REMOVED, a))
        await until(lambda: r.inventory.all() == ())
