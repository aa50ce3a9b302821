"""The list of libvirt hosts: kept, checked, and in force in every part of the session at once."""

from __future__ import annotations

import pytest

from confvm_gui.domain.errors import InvalidInput, NotFound, ReadOnly, Transient, WrongState
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.fleet.hosts import HOSTS_SETTING, kept_hosts
from tests.support.fake_hosts import FACTS, with_hosts
from tests.support.fake_session import fake_session
from tests.support.patience import until

URI = "qemu:///system"


async def test_an_added_host_is_followed_worked_with_and_kept() -> None:
    session = await fake_session()
    hosts, _ = with_hosts(session)
    entry = await hosts.add(f"  {URI} ")
    await session.inventory.connected(entry.name)
    instance = session.inventory.find("on-libvirt-system")
    assert instance.provider == "libvirt-system"
    (operation,) = await session.jobs.act(OperationKind.STOP, [instance.id])
    assert (await session.jobs.wait(operation.id)).status is OperationStatus.SUCCEEDED
    assert [(one.name, one.uri) for one in kept_hosts(session.settings)] == [("libvirt-system", URI)]
    assert hosts.facts(entry.name) == FACTS
    await session.aclose()


async def test_a_removed_host_is_gone_everywhere() -> None:
    session = await fake_session()
    hosts, opener = with_hosts(session)
    entry = await hosts.add(URI)
    await session.inventory.connected(entry.name)
    opener.opened[0].hold.clear()
    (operation,) = await session.jobs.act(OperationKind.STOP, [session.inventory.find("on-libvirt-system").id])
    with pytest.raises(WrongState, match="under way"):
        await hosts.remove(entry.name)
    opener.opened[0].hold.set()
    await session.jobs.wait(operation.id)
    await hosts.remove(entry.name)
    assert session.inventory.all() == ()
    assert entry.name not in session.providers
    assert [status.name for status in session.inventory.providers()] == ["embedded"]
    assert session.settings.get(HOSTS_SETTING, ["?"]) == []
    with pytest.raises(NotFound):
        hosts.get(entry.name)
    await session.aclose()


async def test_a_host_that_does_not_answer_says_why_and_is_tried_at_once_when_asked() -> None:
    session = await fake_session()
    hosts, opener = with_hosts(session)
    opener.troubles = [Transient("There is no host named db1")]
    entry = await hosts.add(URI)
    await until(lambda: (status := hosts.status(entry.name)) is not None and bool(status.message))
    status = hosts.status(entry.name)
    assert status is not None
    assert (status.connected, status.connecting, status.message) == (False, False, "There is no host named db1")
    hosts.retry(entry.name)
    status = hosts.status(entry.name)
    assert status is not None
    assert status.connecting
    await until(lambda: (status := hosts.status(entry.name)) is not None and status.connected)
    await session.aclose()


async def test_what_cannot_be_added_is_said_beforehand() -> None:
    session = await fake_session()
    hosts, _ = with_hosts(session)
    await hosts.add(URI, for_session=True)
    assert "already" in hosts.check(URI)
    assert "QEMU" in hosts.check("http://db1")
    assert hosts.check("qemu:///session") == ""
    with pytest.raises(InvalidInput):
        await hosts.add("http://db1")
    assert session.settings.get(HOSTS_SETTING, ["?"]) == []  # that of the command line is not kept
    assert await hosts.test("qemu:///session") == FACTS
    assert len(hosts.entries()) == 1
    await session.aclose()


async def test_a_console_that_only_reads_keeps_its_list() -> None:
    session = await fake_session(readonly_reason="Another console has it open")
    hosts, _ = with_hosts(session)
    with pytest.raises(ReadOnly, match="Another console"):
        await hosts.add(URI)
    await session.aclose()


@pytest.mark.parametrize("kept", [3, "x", [1, {"name": 1}], [{"name": "embedded", "uri": URI}]])
def test_a_damaged_list_is_an_empty_one(kept: object) -> None:
    assert kept_hosts({HOSTS_SETTING: kept}) == ()
