"""The session: its parts begin and end in order, and its powers are refused in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from confvm_gui.domain.errors import NotFound, StoreFull, Unsupported, WrongState
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.domain.ports.provider import Capability, Change
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.fleet.session import FleetSession
from tests.support.embedded_rig import catalog, launch_request
from tests.support.fake_provider import FakeProvider, make_instance
from tests.support.fake_session import MemoryStore, fake_session
from tests.support.jobs_rig import interrupted


class Bare:
    """A provider with none of the optional powers."""

    name = "embedded"
    title = "Bare"
    emulated = False
    capabilities = Capability.NONE

    def __init__(self, instances: Sequence[Instance]) -> None:
        self._whole = FakeProvider(instances)
        self.technologies = self._whole.technologies
        self.connect, self.aclose, self.watch = self._whole.connect, self._whole.aclose, self._whole.watch
        self.instances, self.create, self.start = self._whole.instances, self._whole.create, self._whole.start
        self.stop, self.reset, self.delete = self._whole.stop, self._whole.reset, self._whole.delete

    def reason_unsupported(self, what: object) -> str:
        return "This hypervisor cannot do that"


async def test_a_session_works_from_begin_to_end() -> None:
    session = await fake_session()
    operation = await session.jobs.wait((await session.jobs.create(launch_request())).id)
    assert operation.status is OperationStatus.SUCCEEDED
    instance = session.inventory.find("probe")
    assert session.memory(instance.id, Viewer.GUEST).viewer is Viewer.GUEST
    assert session.console(instance.id).scrollback() == b""
    assert (await session.query(instance.id, Query(QueryVerb.COUNT, "name", "patient-1"))).count == 1
    with pytest.raises(NotFound):
        session.memory("unknown", Viewer.GUEST)
    await session.jobs.wait((await session.jobs.act(OperationKind.STOP, [instance.id]))[0].id)
    with pytest.raises(WrongState):
        session.memory(instance.id, Viewer.GUEST)
    await session.aclose()
    await session.aclose()
    assert session.inventory.find("probe").state is InstanceState.STOPPED


async def test_powers_that_a_provider_lacks_are_refused_with_its_reason() -> None:
    a = make_instance("a")
    session = await FleetSession.begin(catalog(), {"embedded": Bare([a])}, MemoryStore([a]), Path("data"))
    await session.connect()
    await session.inventory.connected("embedded")
    for viewer in Viewer:
        with pytest.raises(Unsupported, match="cannot do that"):
            session.memory(a.id, viewer)
    with pytest.raises(Unsupported, match="cannot do that"):
        session.console(a.id)
    with pytest.raises(Unsupported, match="cannot do that"):
        await session.query(a.id, Query(QueryVerb.STATUS))
    with pytest.raises(Unsupported, match="cannot do that"):
        await session.jobs.act(OperationKind.PAUSE, [a.id])
    await session.aclose()


async def test_what_an_earlier_run_left_is_taken_up_when_the_session_connects() -> None:
    a = make_instance("a")
    store = MemoryStore([a])
    await store.operations.accept([interrupted(OperationKind.STOP, a)])
    session = await FleetSession.begin(catalog(), {"embedded": FakeProvider([a])}, store, Path("data"))
    await session.connect()
    (operation,) = session.jobs.active()
    assert (await session.jobs.wait(operation.id)).status is OperationStatus.SUCCEEDED
    await session.aclose()


async def test_a_session_that_only_reads_asks_no_provider() -> None:
    class Untouched(FakeProvider):
        async def connect(self) -> None:
            raise AssertionError("the other console runs it")

        def instances(self) -> AsyncIterator[Sequence[Instance]]:
            raise AssertionError("the other console runs it")

        def watch(self) -> AsyncIterator[Change]:
            raise AssertionError("the other console runs it")

    a = make_instance("a")
    reason = "Another console has the data directory open"
    session = await fake_session([a], readonly_reason=reason, provider=Untouched([a]))
    assert session.readonly
    assert session.inventory.all() == (a,)
    for viewer in Viewer:
        with pytest.raises(Unsupported, match=reason):
            session.memory(a.id, viewer)
    with pytest.raises(Unsupported, match=reason):
        session.console(a.id)
    with pytest.raises(Unsupported, match=reason):
        await session.query(a.id, Query(QueryVerb.STATUS))
    await session.aclose()


async def test_all_is_ended_whatever_fails() -> None:
    class FullStore(MemoryStore):
        closed = False

        async def aclose(self) -> None:
            self.closed = True
            raise StoreFull("No space is left")

    class Stubborn(FakeProvider):
        closed = False

        async def aclose(self) -> None:
            self.closed = True
            await super().aclose()
            raise WrongState("It does not end")

    provider, store = Stubborn(), FullStore()
    session = await FleetSession.begin(catalog(), {"embedded": provider}, store, Path("data"))
    await session.connect()
    with pytest.raises(StoreFull):
        await session.aclose()
    assert provider.closed
    assert store.closed
