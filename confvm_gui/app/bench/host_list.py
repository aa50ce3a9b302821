"""`hosts`: the first full list of a libvirt host with 200 machines, and how soon an event on one of them shows.

Measured: the console's libvirt provider, from no connection to the list. Reference: the calls that virt-manager 4.1
makes for its list of the same machines, without anything that it does with the answers: listAllDomains (twice: it tries
first whether the host has it), and for each machine info, XMLDesc, hasManagedSaveImage and listAllSnapshots
(virtManager/object/domain.py and libvirtobject.py, `_init_libvirt_state`). Both talk to a libvirtd of their own, whose
machines are defined and but one not running. Calls that are answered without the host are not counted.

The console reads definitions as well, one after the other behind the list, with pauses: these calls are counted beside.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from statistics import median
from typing import Final

from confvm_gui.app.bench.call_count import counted_calls
from confvm_gui.app.bench.figure import Figure, Judged, Target, duration, in_turns
from confvm_gui.app.bench.private_libvirtd import EMULATOR, private_libvirtd
from confvm_gui.catalog import Catalog, load_catalog
from confvm_gui.domain.errors import BugError
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.ports.image_library import ImageLibrary
from confvm_gui.images.library import FolderImageLibrary
from confvm_gui.providers.libvirt.inventory import Entry
from confvm_gui.providers.libvirt.provider import LibvirtProvider

MACHINES: Final = 200
ROUNDS: Final = 5
EVENTS: Final = 10
TARGET: Final = Target(Judged.MEASURED, 1000.0, at_least=False)
_RUNNING: Final = "bench-0"


def measure(machines: int = MACHINES, rounds: int = ROUNDS, events: int = EVENTS) -> Figure:
    """Must be called where no event loop runs. Raises Unsupported where no libvirtd and QEMU can be started."""
    with private_libvirtd() as (uri, folder), _defined(uri, machines):
        bench = _Bench(uri, machines, FolderImageLibrary(folder / "library"), load_catalog())
        ours = asyncio.run(bench.calls_of_list())
        with counted_calls() as calls:
            bench.listed_by_reference()
            theirs = calls.total()
        found = in_turns(rounds, lambda: asyncio.run(bench.listed()), bench.listed_by_reference)
        latencies = asyncio.run(bench.latencies(events))
        with counted_calls() as calls:
            asyncio.run(bench.known())
            all_ours = calls.total()
    return duration(
        "hosts",
        f"the first full list of a libvirt host with {machines} machines, connecting included",
        "virt-manager 4.1's calls for the same list, connecting included",
        found,
        target=TARGET,
        detail={
            "calls to the host until the list is there": ours,
            "calls that the reference makes": theirs,
            "calls until every definition has been read as well": all_ours,
            "from an event on one machine until it shows, ms": median(latencies) * 1e3,
            "the slowest event, ms": max(latencies) * 1e3,
        },
    )


class _Bench:
    """One host with machines."""

    def __init__(self, uri: str, machines: int, library: ImageLibrary, catalog: Catalog) -> None:
        self._uri = uri
        self._machines = machines
        self._library = library
        self._catalog = catalog

    async def listed(self) -> float:
        """Seconds until the console has its list."""
        began = time.perf_counter()
        async with self._provider() as provider:
            took = time.perf_counter() - began
            if len(provider.table.all()) != self._machines:
                raise BugError("The list is not complete: nothing was measured")
        return took

    async def calls_of_list(self) -> int:
        """Calls to the host until the list is there, connecting included."""
        with counted_calls() as calls:
            async with self._provider():
                return calls.total()

    async def known(self) -> None:
        """The list, and then every definition read."""
        async with self._provider() as provider:
            table = provider.table
            await table.until(lambda: all(entry.details is not None for entry in table.all()))

    async def latencies(self, events: int) -> list[float]:
        """Seconds from another program's call that pauses or resumes one machine until the console knows it."""
        import libvirt

        found: list[float] = []
        other = await asyncio.to_thread(libvirt.open, self._uri)
        try:
            domain = other.lookupByName(_RUNNING)
            async with self._provider() as provider:
                machine = provider.table.get(domain.UUIDString().replace("-", ""))
                for number in range(events):
                    act, state = (
                        (domain.resume, InstanceState.RUNNING)
                        if number % 2 == 0
                        else (domain.suspend, InstanceState.PAUSED)
                    )
                    began = time.perf_counter()
                    calling = asyncio.ensure_future(asyncio.to_thread(act))
                    await provider.table.until(partial(_shows, machine, state))
                    found.append(time.perf_counter() - began)
                    await calling
        finally:
            await asyncio.to_thread(other.close)
        return found

    def listed_by_reference(self) -> float:
        """Seconds that the reference's calls take."""
        import libvirt

        began = time.perf_counter()
        conn = libvirt.open(self._uri)
        try:
            conn.listAllDomains()
            for domain in conn.listAllDomains():
                domain.info()
                domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
                domain.hasManagedSaveImage(0)
                domain.listAllSnapshots()
            return time.perf_counter() - began
        finally:
            conn.close()

    @asynccontextmanager
    async def _provider(self) -> AsyncIterator[LibvirtProvider]:
        provider = LibvirtProvider("libvirt-bench", self._uri, self._library, self._catalog)
        try:
            await provider.connect()
            yield provider
        finally:
            await provider.aclose()


def _shows(machine: Entry, state: InstanceState) -> bool:
    return machine.instance.state is state


@contextmanager
def _defined(uri: str, machines: int) -> Iterator[None]:
    """So many machines on the host, the first of them started and paused."""
    import libvirt

    conn = libvirt.open(uri)
    try:
        made = [conn.defineXML(_xml(number)) for number in range(machines)]
        made[0].createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        yield
        made[0].destroy()
    finally:
        conn.close()


def _xml(number: int) -> str:
    return f"""<domain type='qemu'><name>bench-{number}</name><uuid>{uuid.UUID(int=number + 1)}</uuid>
      <memory unit='MiB'>16</memory><vcpu>1</vcpu>
      <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
      <devices><emulator>{EMULATOR}</emulator><memballoon model='none'/>
        <serial type='pty'><target port='0'/></serial></devices></domain>"""
