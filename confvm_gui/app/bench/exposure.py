"""`exposure`: how fast all RAM of a real machine is searched for texts, through libvirt's memoryPeek alone.

Measured: the console's exposure scan, from the connection to the counts, over the RAM of a QEMU domain of which nearly
every page holds random bytes (a scan passes over zeros faster). Reference: the same bytes peeked one call after the
other, as large as the protocol allows, and thrown away: what libvirt gives at most to one who asks so. The domain runs
on a libvirtd of its own.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from confvm_gui.app.bench.figure import Figure, Judged, Target, in_turns, seconds_of, throughput
from confvm_gui.app.bench.private_libvirtd import EMULATOR, private_libvirtd
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import BugError
from confvm_gui.domain.exposure import Readability
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.memory import MemoryRegion, Viewer
from confvm_gui.fleet.exposure.scan import ViewProgress, scan_view
from confvm_gui.fleet.exposure.terms import Term, numbered, text_term
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.memory import MOST_PEEKED, open_memory

SIZE: Final = 640 << 20
"""Bytes of RAM."""
ROUNDS: Final = 5
TERMS: Final = 8
TARGET: Final = Target(Judged.MEASURED, 100.0, at_least=True)
_PLANTED: Final = "The harbour master's ledger lists nine brass lanterns"
_TILE: Final = 64 << 20
"""Random bytes with which RAM is filled, again and again."""
_UNFILLED: Final = 64 << 20
"""Bytes at the start of RAM that are left to the firmware."""


def measure(size: int = SIZE, rounds: int = ROUNDS) -> Figure:
    """`size`: bytes, a multiple of 64 MiB, at least twice that. Must be called where no event loop runs.

    Raises Unsupported where no libvirtd and QEMU can be started.
    """
    with private_libvirtd() as (uri, folder), _domain(uri, folder, size) as instance:
        return _measure(uri, instance, rounds)


def _measure(uri: str, instance: Instance, rounds: int) -> Figure:
    terms = numbered([text_term(_PLANTED), *(text_term(f"Nobody wrote sentence number {n}") for n in range(TERMS - 1))])
    searched, regions = _scan(uri, instance, terms)
    found = in_turns(
        rounds,
        lambda: seconds_of(lambda: _scan(uri, instance, terms)),
        lambda: _peek_all(uri, instance, regions),
    )
    return throughput(
        "exposure",
        f"{searched >> 20} MiB of a real machine's RAM searched for {TERMS} texts, through memoryPeek",
        "the same RAM read by one memoryPeek after the other",
        found,
        work=searched / (1 << 20),
        unit="MiB/s",
        target=TARGET,
    )


def _scan(uri: str, instance: Instance, terms: tuple[Term, ...]) -> tuple[int, tuple[MemoryRegion, ...]]:
    """One scan on a connection of its own; returns the bytes searched, and where RAM lies."""

    async def scan() -> tuple[int, tuple[MemoryRegion, ...]]:
        connection = LibvirtConnection(uri)
        await connection.open()
        try:
            memory = open_memory(connection, instance, Viewer.HYPERVISOR)
            progress = ViewProgress(Viewer.HYPERVISOR)
            await scan_view(memory, terms, None, (), progress, lambda _: None)
            if memory.reads_file:
                raise BugError("RAM was read from its file: nothing was measured")
            verdicts = [exposure.readability for exposure in progress.exposures()]
            if verdicts != [Readability.READABLE, *[Readability.NOT_FOUND] * (len(terms) - 1)]:
                raise BugError("The scan did not find what is in RAM: nothing was measured")
            return progress.searched, tuple(memory.regions())
        finally:
            await connection.aclose()

    return asyncio.run(scan())


def _peek_all(uri: str, instance: Instance, regions: tuple[MemoryRegion, ...]) -> float:
    """Seconds for all RAM."""
    import libvirt

    conn = libvirt.open(uri)
    try:
        domain = conn.lookupByUUIDString(str(uuid.UUID(instance.id)))
        began = time.perf_counter()
        for region in regions:
            for start in range(0, region.length, MOST_PEEKED):
                length = min(MOST_PEEKED, region.length - start)
                domain.memoryPeek(region.gpa + start, length, libvirt.VIR_MEMORY_PHYSICAL)
        return time.perf_counter() - began
    finally:
        conn.close()


@contextmanager
def _domain(uri: str, folder: Path, size: int) -> Iterator[Instance]:
    """A paused machine whose RAM is filled by QEMU's generic loader (QEMU's manual, "Generic Loader")."""
    import libvirt

    tile = folder / "tile.bin"
    tile.write_bytes(np.random.default_rng(1).bytes(_TILE - 4096) + _PLANTED.encode().ljust(4096, b"\0"))
    fillers = "".join(
        f"<qemu:arg value='-device'/><qemu:arg value='loader,file={tile},addr={start:#x},force-raw=on'/>"
        for start in range(_UNFILLED, size, _TILE)
    )
    instance_id = uuid.uuid4()
    conn = libvirt.open(uri)
    try:
        domain = conn.createXML(
            f"""<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>bench</name>
            <uuid>{instance_id}</uuid><memory unit='b'>{size}</memory><vcpu>1</vcpu>
            <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
            <devices><emulator>{EMULATOR}</emulator><memballoon model='none'/></devices>
            <qemu:commandline>{fillers}</qemu:commandline></domain>""",
            libvirt.VIR_DOMAIN_START_PAUSED,
        )
        try:
            yield Instance(
                id=instance_id.hex,
                name="bench",
                provider="libvirt-bench",
                cloud="libvirt",
                region="host",
                zone="host",
                machine_type="",
                image="",
                technology=Technology.NONE,
                state=InstanceState.PAUSED,
                vcpus=1,
                memory_mib=size >> 20,
                created_at=0.0,
            )
        finally:
            domain.destroy()
    finally:
        conn.close()
