"""RAM that goes away while it is searched: the machine stops, its host dies, hangs, or takes shorter calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import libvirt
import pytest

from confvm_gui.domain.errors import Transient, WrongState
from confvm_gui.domain.exposure import ExposureResult
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import PAGE_SIZE, Viewer
from confvm_gui.fleet.exposure.scan import ExposureProgress
from confvm_gui.fleet.exposure.service import scan_sources
from confvm_gui.fleet.exposure.terms import numbered, pattern_term, text_term
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.memory import open_memory
from tests.support.libvirt_rig import HURRY
from tests.support.libvirtd import Daemon, tiny_domain
from tests.support.patience import until
from tests.unit.providers.libvirt.test_memory import destroy, firmware, machine

MIB = 1 << 20
RAM_MIB = 96
TERMS = numbered([text_term("SeaBIOS", "firmware"), text_term("nobody ever wrote this sentence")])


@asynccontextmanager
async def opened(daemon: Daemon) -> AsyncIterator[tuple[LibvirtConnection, Instance]]:
    """A machine whose RAM takes some reads, and a connection that gives a silent host up soon."""
    connection = LibvirtConnection(daemon.uri, patience=HURRY)
    await connection.open(at_once=True)
    try:
        xml = tiny_domain("probe", memory_mib=RAM_MIB)
        instance_id = await connection.call(lambda conn: conn.createXML(xml, 0).UUIDString().replace("-", ""))
        instance = machine(instance_id, memory_mib=RAM_MIB)
        await firmware(open_memory(connection, instance, Viewer.HYPERVISOR))
        yield connection, instance
    finally:
        await connection.aclose()


def once(act: Callable[[], None], after: int = 8 * MIB) -> Callable[[ExposureProgress], None]:
    """Call `act` when so many bytes have been searched."""
    done: list[bool] = []

    def on_progress(progress: ExposureProgress) -> None:
        if progress.searched >= after and not done:
            done.append(True)
            act()

    return on_progress


class Scan:
    """One exposure scan that does not come to its end."""

    def __init__(self, connection: LibvirtConnection, instance: Instance) -> None:
        self._memory = open_memory(connection, instance, Viewer.HYPERVISOR)
        self._instance = instance
        self._kept: list[ExposureResult] = []

    async def run(self, on_progress: Callable[[ExposureProgress], None]) -> None:
        await scan_sources(self._instance, [self._memory], TERMS, on_progress, self._kept.append)

    def tells_what_it_had_found(self) -> bool:
        """The finding is of the part that was searched, and says so."""
        (result,) = self._kept
        (view,) = result.scans
        firmware = result.exposures[0]
        return not result.complete and 8 * MIB <= view.searched < RAM_MIB * MIB and firmware.count > 0


async def test_the_machine_is_stopped_during_the_scan(libvirtd: Daemon) -> None:
    async with opened(libvirtd) as (connection, instance):
        scan = Scan(connection, instance)
        stopping: list[asyncio.Future[None]] = []
        with pytest.raises(WrongState, match="has been stopped: its RAM is gone"):
            await scan.run(once(lambda: stopping.append(asyncio.ensure_future(destroy(connection, instance.id)))))
        await stopping[0]
        assert scan.tells_what_it_had_found()


async def test_the_daemon_is_killed_during_the_scan(own_libvirtd: Daemon) -> None:
    async with opened(own_libvirtd) as (connection, instance):
        scan = Scan(connection, instance)
        with pytest.raises(Transient, match=r"broke off|was stopped or restarted"):
            await scan.run(once(own_libvirtd.kill))
        assert scan.tells_what_it_had_found()
        own_libvirtd.start_libvirtd()
        await until(lambda: not connection.connected)
        await connection.open(at_once=True)
        # The machine ran on meanwhile, and is the same power-on to the daemon that came back.
        await firmware(open_memory(connection, instance, Viewer.HYPERVISOR))


async def test_the_host_falls_silent_during_the_scan(own_libvirtd: Daemon) -> None:
    async with opened(own_libvirtd) as (connection, instance):
        scan = Scan(connection, instance)
        began = time.monotonic()
        try:
            with pytest.raises(Transient, match=r"does not answer any more|broke off"):
                await scan.run(once(own_libvirtd.hang))
        finally:
            own_libvirtd.go_on()
        assert time.monotonic() - began < 15
        assert scan.tells_what_it_had_found()


async def test_a_scan_for_a_pattern_ends_its_helper_when_the_machine_stops(libvirtd: Daemon) -> None:
    async with opened(libvirtd) as (connection, instance):
        memory = open_memory(connection, instance, Viewer.HYPERVISOR)
        kept: list[ExposureResult] = []
        stopping: list[asyncio.Future[None]] = []
        terms = numbered([pattern_term("Sea[A-Z]{4}")])
        with pytest.raises(WrongState, match="its RAM is gone"):
            await scan_sources(
                instance,
                [memory],
                terms,
                once(lambda: stopping.append(asyncio.ensure_future(destroy(connection, instance.id)))),
                kept.append,
            )
        await stopping[0]
        assert kept[0].exposures[0].count > 0
        assert not kept[0].complete


async def test_a_host_that_takes_shorter_calls_is_asked_for_less(
    libvirtd: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Daemons of before libvirt 1.2 carry 1 MiB in a call, and say so."""
    asked: list[int] = []
    peek = libvirt.virDomain.memoryPeek

    def short(domain: libvirt.virDomain, start: int, size: int, flags: int) -> bytes:
        asked.append(size)
        if size > MIB:
            error = libvirt.libvirtError("")
            # Code VIR_ERR_INVALID_ARG of the domain VIR_FROM_REMOTE, as libvirt's client says it.
            said = "memory peek request too large for remote protocol"
            vars(error)["err"] = (8, 13, said, 2, None, None, None, 0, 0)
            raise error
        return peek(domain, start, size, flags)

    monkeypatch.setattr(libvirt.virDomain, "memoryPeek", short)
    async with opened(libvirtd) as (connection, instance):
        memory = open_memory(connection, instance, Viewer.HYPERVISOR)
        for _ in range(4):
            chunk = await memory.read(MIB, 16 * MIB)
        assert len(chunk.data) == 16 * MIB
        assert sum(size > MIB for size in asked) <= 5, "once it has said so, it is not asked for more again"
        asked.clear()
        again = await memory.read(MIB, 16 * MIB)
        assert set(asked) == {MIB}
        assert again.data[: 4 * PAGE_SIZE] == (await memory.read(MIB, 4 * PAGE_SIZE)).data
