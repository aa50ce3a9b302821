"""RAM through memoryPeek and through the shared file, against a real libvirtd and QEMU."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, Unsupported, WrongState
from confvm_gui.domain.exposure import Readability
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, PageKind, Viewer
from confvm_gui.fleet.exposure.scan import ViewProgress, scan_view
from confvm_gui.fleet.exposure.terms import numbered, text_term
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.memory import LibvirtMemory, open_memory
from tests.support.libvirtd import Daemon, tiny_domain
from tests.support.marker_guest import READY, linux_domain, make_initramfs
from tests.support.patience import until

MIB = 1 << 20
SHARED = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
MARKER = "The heron counts nine lanterns at Port Isolde"


@asynccontextmanager
async def opened(daemon: Daemon, xml: str) -> AsyncIterator[tuple[LibvirtConnection, Instance]]:
    """A connection, and the domain of `xml` started on it."""
    connection = LibvirtConnection(daemon.uri)
    await connection.open(at_once=True)
    try:
        instance_id = await connection.call(lambda conn: conn.createXML(xml, 0).UUIDString().replace("-", ""))
        yield connection, machine(instance_id)
    finally:
        await connection.aclose()


def machine(instance_id: str, state: InstanceState = InstanceState.RUNNING, memory_mib: int = 16) -> Instance:
    return Instance(
        id=instance_id,
        name="probe",
        provider="libvirt-test",
        cloud="libvirt",
        region="host",
        zone="host",
        machine_type="",
        image="",
        technology=Technology.NONE,
        state=state,
        vcpus=1,
        memory_mib=memory_mib,
        created_at=0.0,
    )


async def whole(memory: LibvirtMemory) -> bytes:
    return b"".join([(await memory.read(region.gpa, region.length)).data for region in memory.regions()])


async def firmware(memory: LibvirtMemory) -> MemoryChunk:
    """What the firmware copies to the end of the first MiB, some time after the machine was started."""
    for _ in range(500):
        chunk = await memory.read(0xC0000, 256 << 10)
        if b"SeaBIOS" in chunk.data:
            return chunk
        await asyncio.sleep(0.02)
    raise AssertionError("the firmware does not start")


async def destroy(connection: LibvirtConnection, instance_id: str) -> None:
    await connection.call(lambda conn: conn.lookupByUUIDString(instance_id).destroy())


async def test_peek_reads_what_the_machine_has_in_ram(libvirtd: Daemon) -> None:
    async with opened(libvirtd, tiny_domain("probe")) as (connection, instance):
        memory = open_memory(connection, instance, Viewer.HYPERVISOR)
        chunk = await firmware(memory)
        assert set(chunk.kinds) == {PageKind.PLAINTEXT}
        assert not memory.reads_file
        assert "reads everything" in memory.note
        again = await memory.read(0xC0000 + PAGE_SIZE, PAGE_SIZE)
        assert again.data == chunk.data[PAGE_SIZE : 2 * PAGE_SIZE]
        assert len(await whole(memory)) == 16 * MIB - 0x20000


async def test_batches_grow_on_a_fast_host(libvirtd: Daemon) -> None:
    async with opened(libvirtd, tiny_domain("probe")) as (connection, instance):
        memory = open_memory(connection, instance, Viewer.HYPERVISOR)
        before = memory.best_length
        for _ in range(8):
            await memory.read(MIB, 4 * MIB)
        assert memory.best_length >= before


async def test_shared_file_shows_the_same_as_a_peek(libvirtd: Daemon) -> None:
    xml = tiny_domain("probe").replace("<vcpu>", SHARED + "<vcpu>")
    async with opened(libvirtd, xml) as (connection, instance):
        await connection.call(lambda conn: conn.lookupByUUIDString(instance.id).suspend())
        memory = open_memory(connection, instance, Viewer.HYPERVISOR)
        read = await whole(memory)
        assert memory.reads_file
        peeked = await connection.call(lambda conn: conn.lookupByUUIDString(instance.id).memoryPeek(MIB, MIB, 2))
        assert (await memory.read(MIB, MIB)).data == peeked
        assert len(read) == 16 * MIB - 0x20000
        written = memory.populated()
        assert 0 < sum(region.length for region in written) < 16 * MIB
        inside = [range(region.gpa, region.gpa + region.length) for region in written]
        for gpa in range(0xC0000, 16 * MIB, PAGE_SIZE):
            if not any(gpa in each for each in inside):
                assert not any(read[gpa - 0x20000 : gpa - 0x20000 + PAGE_SIZE])


@pytest.mark.parametrize("backing", ["", SHARED], ids=["peek", "file"])
async def test_stopped_machine_has_no_ram(libvirtd: Daemon, backing: str) -> None:
    xml = tiny_domain("probe").replace("<vcpu>", backing + "<vcpu>")
    async with opened(libvirtd, xml) as (connection, instance):
        memory = open_memory(connection, instance, Viewer.HYPERVISOR)
        await memory.read(0, PAGE_SIZE)
        await destroy(connection, instance.id)
        with pytest.raises(WrongState, match="stopped"):
            await memory.read(0, PAGE_SIZE)
        with pytest.raises(WrongState, match="stopped"):
            await open_memory(connection, instance, Viewer.HYPERVISOR).read(0, PAGE_SIZE)


async def test_new_power_on_is_another_machine(libvirtd: Daemon) -> None:
    xml = tiny_domain("probe")
    async with opened(libvirtd, xml) as (connection, instance):
        memory = open_memory(connection, instance, Viewer.HYPERVISOR)
        await memory.read(0, PAGE_SIZE)
        await destroy(connection, instance.id)
        await connection.call(lambda conn: conn.createXML(xml, 0).name())
        with pytest.raises(WrongState, match="stopped"):
            await memory.read(0, PAGE_SIZE)


async def test_reads_outside_of_ram_are_refused(libvirtd: Daemon) -> None:
    async with opened(libvirtd, tiny_domain("probe")) as (connection, instance):
        memory = open_memory(connection, instance, Viewer.HYPERVISOR)
        for gpa, length in ((1, PAGE_SIZE), (0, 1), (0xA0000, PAGE_SIZE), (16 * MIB, PAGE_SIZE), (0x9F000, MIB)):
            with pytest.raises(InvalidInput):
                await memory.read(gpa, length)


async def test_what_cannot_be_opened_says_why() -> None:
    connection = LibvirtConnection("test:///default")
    with pytest.raises(Unsupported, match="Only the guest itself"):
        open_memory(connection, machine("0" * 32), Viewer.GUEST)
    with pytest.raises(WrongState, match="does not run"):
        open_memory(connection, machine("0" * 32, InstanceState.STOPPED), Viewer.HYPERVISOR)


async def test_text_that_a_real_linux_wrote_is_found_in_the_hypervisors_view(libvirtd: Daemon, tmp_path: Path) -> None:
    initrd = make_initramfs(libvirtd.images, MARKER)
    serial = libvirtd.images / "serial.log"
    async with opened(libvirtd, linux_domain("marker", initrd, serial)) as (connection, instance):
        await until(lambda: serial.exists() and READY in serial.read_bytes())
        memory = open_memory(connection, instance, Viewer.HYPERVISOR)
        terms = numbered([text_term(MARKER, "note"), text_term("nobody ever wrote this sentence")])
        progress = ViewProgress(Viewer.HYPERVISOR)
        await scan_view(memory, terms, None, (), progress, lambda _: None)
        note, nothing = progress.exposures()
        assert (note.readability, nothing.readability) == (Readability.READABLE, Readability.NOT_FOUND)
        assert dict(note.counts).keys() == {PageKind.PLAINTEXT}
        place = note.places[0].gpa
        page = place // PAGE_SIZE * PAGE_SIZE
        assert MARKER.encode() in (await memory.read(page, 2 * PAGE_SIZE)).data[place - page :]
        assert progress.searched == 192 * MIB - 0x20000
