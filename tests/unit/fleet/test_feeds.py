"""Events, metrics, settings, and the two small things that they are made of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest

from confvm_gui.domain.errors import InvalidInput, WrongState
from confvm_gui.domain.event import Event, Severity
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.metrics import Sample
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.identity import current_user
from confvm_gui.fleet.inventory import Inventory
from confvm_gui.fleet.metrics import MetricsFeed
from confvm_gui.fleet.observable import Observable
from confvm_gui.fleet.settings import Settings
from tests.support.fake_provider import FakeProvider, make_instance
from tests.support.fake_session import MemoryAudit, MemorySamples, MemorySettings, MemoryStore
from tests.support.logs import ExpectedLogs
from tests.support.patience import until

# Observable and Background -----------------------------------------------------------------------------------------


def test_who_listens_is_told_in_order_until_they_stop() -> None:
    numbers: Observable[int] = Observable()
    heard: list[tuple[str, int]] = []
    end_first = numbers.subscribe(lambda value: heard.append(("first", value)))
    numbers.subscribe(lambda value: heard.append(("second", value)))
    numbers.emit(1)
    end_first()
    end_first()
    numbers.emit(2)
    assert heard == [("first", 1), ("second", 1), ("second", 2)]


def test_a_listener_may_end_itself_and_others_while_it_is_told() -> None:
    numbers: Observable[int] = Observable()
    heard: list[int] = []
    ends: list[Callable[[], None]] = []

    def once(value: int) -> None:
        heard.append(value)
        ends[0]()

    ends.append(numbers.subscribe(once))
    numbers.subscribe(heard.append)
    numbers.emit(1)
    numbers.emit(2)
    assert heard == [1, 1, 2]


async def test_background_tasks_end_with_their_keeper() -> None:
    background = Background()
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = background.start(work(), "work")
    assert task.get_name() == "work"
    await asyncio.sleep(0)
    await background.aclose()
    assert ended.is_set()
    assert task.cancelled()


async def test_a_background_task_that_dies_is_not_lost_in_silence(expected_logs: ExpectedLogs) -> None:
    expected_logs("'doomed' died")
    background = Background()

    async def doomed() -> None:
        raise RuntimeError("oops")

    task = background.start(doomed(), "doomed")
    await asyncio.wait([task])
    await background.aclose()


# Events --------------------------------------------------------------------------------------------------------------


async def test_an_event_is_written_and_told() -> None:
    audit = MemoryAudit()
    feed = EventFeed(audit, readonly=False)
    heard: list[Event] = []
    feed.changes.subscribe(heard.append)
    feed.record("instance.create", "Created a", subject="a", detail={"n": 1})
    feed.record("guest.crashed", "a crashed", actor="guest:a", severity=Severity.ERROR)
    assert heard == [record.event for record in audit.records]
    assert (heard[0].actor, heard[0].severity) == (current_user(), Severity.INFO)
    assert abs(heard[0].at - time.time()) < 5
    assert [each.event.action for each in await feed.read(limit=5)] == ["guest.crashed", "instance.create"]
    assert [each.event.subject for each in await feed.read(limit=5, subject="a")] == ["a"]
    assert (await feed.verify()).intact


def test_a_session_that_only_reads_tells_events_and_writes_none() -> None:
    audit = MemoryAudit()
    feed = EventFeed(audit, readonly=True)
    heard: list[Event] = []
    feed.changes.subscribe(heard.append)
    feed.record("instance.running", "a is running")
    assert len(heard) == 1
    assert audit.records == []


# Metrics -------------------------------------------------------------------------------------------------------------


class Sampled(FakeProvider):
    fail = False
    asked: Sequence[str] = ()

    async def sample(self, instance_ids: Sequence[str]) -> Sequence[Sample]:
        self.asked = tuple(instance_ids)
        if self.fail:
            raise WrongState("not now")
        return await super().sample(instance_ids)


@pytest.mark.parametrize("readonly", [False, True])
async def test_live_instances_are_sampled_told_and_kept(monkeypatch: pytest.MonkeyPatch, readonly: bool) -> None:
    monkeypatch.setattr("confvm_gui.fleet.metrics.PERIOD_SECONDS", 0.01)
    live, paused = make_instance("live"), make_instance("paused", state=InstanceState.PAUSED)
    stopped = make_instance("stopped", state=InstanceState.STOPPED)
    provider = Sampled([live, paused, stopped])
    store = MemoryStore([live, paused, stopped])
    inventory = Inventory({"embedded": provider}, store.instances, EventFeed(store.audit, readonly=True), readonly=True)
    await inventory.load()
    feed = MetricsFeed({"embedded": provider}, inventory, store.samples, readonly=readonly)
    heard: list[Sequence[Sample]] = []
    feed.changes.subscribe(heard.append)
    feed.start()
    try:
        for fail in (False, True, False):
            provider.fail, provider.asked = fail, ()
            heard.clear()
            await until(lambda: bool(provider.asked if provider.fail else heard))
        assert set(provider.asked) == {live.id, paused.id}
        history = await feed.history(live.id, 60)
        assert bool(history) is not readonly
        assert [sample.at for sample in history] == sorted(sample.at for sample in history)
        assert {sample.instance_id for sample in heard[0]} == {live.id, paused.id}
    finally:
        await feed.aclose()


async def test_history_is_of_the_last_seconds_oldest_first() -> None:
    samples = MemorySamples()
    now = time.time()
    samples.append([Sample("a", now - age, 0.1, 1, 1, 1, 1) for age in (300, 20, 10)])
    samples.append([Sample("b", now, 0.1, 1, 1, 1, 1)])
    store = MemoryStore()
    inventory = Inventory({}, store.instances, EventFeed(store.audit, readonly=True), readonly=True)
    feed = MetricsFeed({}, inventory, samples, readonly=False)
    assert [round(now - each.at) for each in await feed.history("a", 60)] == [20, 10]


# Settings ------------------------------------------------------------------------------------------------------------


class Picky(MemorySettings):
    def put(self, key: str, value: object) -> None:
        if isinstance(value, set):
            raise InvalidInput(key, "This cannot be kept")
        super().put(key, value)


def test_settings_are_kept_by_key_and_type() -> None:
    repository = Picky({})
    settings = Settings(repository, {"theme": "dark", "columns": ["name"]}, readonly=False)
    assert settings.get("theme", "system") == "dark"
    assert settings.get("theme", 5) == 5, "a value of another type counts as absent"
    assert settings.get("absent", 1.5) == 1.5
    settings.put("theme", "light")
    assert settings.get("theme", "system") == repository.values["theme"] == "light"
    with pytest.raises(InvalidInput):
        settings.put("theme", {1, 2})
    assert settings.get("theme", "system") == "light", "what cannot be kept loses nothing"


def test_settings_of_a_session_that_only_reads_last_as_long_as_it() -> None:
    repository = MemorySettings({"theme": "dark"})
    settings = Settings(repository, {"theme": "dark"}, readonly=True)
    settings.put("theme", "light")
    assert settings.get("theme", "system") == "light"
    assert repository.values == {"theme": "dark"}
