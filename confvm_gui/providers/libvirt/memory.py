"""RAM of a domain as its host sees it, through virDomainMemoryPeek: it works on remote hosts as well.

QEMU answers a call by writing the range to a file that libvirt sends: some 2.5 ms for anything up to 64 KiB, and at
most 4 MiB in a call (1 MiB with old daemons). So a long read is made of calls as large as the way to the host allows,
and the next one stands ready when one has come back.
Where the domain runs on this computer and its RAM is a shared file that this user may read, that is read instead.

What a page is, follows from the domain alone. The host sees a plain VM's RAM as it is. Of an encrypted one (SEV) it
reads ciphertext, and which pages the guest has left unencrypted cannot be told from outside.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound, Transient, Unsupported, WrongState
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, MemoryRegion, PageKind, Viewer
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.errors import breaks_connection, wording
from confvm_gui.providers.libvirt.memory_facts import MemoryFacts, kept_whole, main_memory, memory_facts
from confvm_gui.providers.libvirt.memory_file import SharedMemoryFile, open_shared

if TYPE_CHECKING:
    import libvirt

MOST_PEEKED: Final = 4 << 20
"""Bytes of one call: REMOTE_DOMAIN_MEMORY_PEEK_BUFFER_MAX of libvirt's remote protocol. A host that takes less says so,
and is then asked for less."""
LEAST_PEEKED: Final = 64 << 10
"""Less takes as long."""
IN_FLIGHT: Final = 3
"""Calls under way for one reader. libvirtd serves five of one client at a time; others than memory need some."""
_FAST: Final = 0.05
_SLOW: Final = 0.4
"""Seconds of one call: below, the next ones are larger; above, smaller, so that what is on screen stays fresh."""
_FILE_BEST: Final = 4 << 20
_CALL_SECONDS: Final = 20.0
_TOO_LONG: Final = re.compile(r"too large for remote protocol|maximum buffer size")
"""What the client's and the daemon's side of libvirt say of a call for more than they carry."""
_GONE: Final = "The instance has been stopped: its RAM is gone"

GUEST_VIEW: Final = (
    "Only the guest itself sees its own view of its memory: libvirt shows the RAM of a machine as the host sees it"
)
_PLAIN_NOTE: Final = "This VM is not confidential: its host reads everything in its memory, as it is."
_ENCRYPTED_NOTE: Final = (
    "Bytes are shown as the host reads them. Which pages the guest has left unencrypted, to exchange data with the "
    "host, cannot be told from outside: all are called ciphertext."
)
_NOT_MAPPED_NOTE: Final = (
    "Private pages of this guest lie where its hypervisor process cannot map them, so they read as zeros here; what "
    "can be read are pages that the guest shares. Which are which cannot be told from outside: all are called "
    "ciphertext."
)
_NOTES: Final = {"": _PLAIN_NOTE, "sev": _ENCRYPTED_NOTE, "sev-snp": _NOT_MAPPED_NOTE, "tdx": _NOT_MAPPED_NOTE}


def open_memory(
    connection: LibvirtConnection, instance: Instance, viewer: Viewer, definition: str = ""
) -> LibvirtMemory:
    """The RAM of a live instance. `definition`: its XML where it is known already; it is read with the first read.

    Raises Unsupported for the guest's view, WrongState if the instance does not run.
    """
    if viewer is Viewer.GUEST:
        raise Unsupported(GUEST_VIEW)
    if not instance.state.is_live:
        raise WrongState(f"{instance.name} does not run: there is no RAM to look at")
    facts = None
    if definition:
        try:
            facts = memory_facts(definition)
        except InvalidInput:
            facts = None  # told by the first read, which asks for the live definition
    return LibvirtMemory(connection, instance, facts)


@dataclass(frozen=True, slots=True)
class _Peeked:
    data: bytes
    seconds: float
    too_long: bool = False
    """The call asked for more than this way to the host carries."""


class LibvirtMemory:
    """Implements MemorySource, SparseMemory and DescribedMemory for one power-on of a domain."""

    def __init__(self, connection: LibvirtConnection, instance: Instance, facts: MemoryFacts | None) -> None:
        """`facts` are those of any definition of it; the first read asks for the live one."""
        self._connection = connection
        self._uuid = "-".join(
            (instance.id[:8], instance.id[8:12], instance.id[12:16], instance.id[16:20], instance.id[20:])
        )
        self._technology = instance.technology
        # Until the definition is known: the machine that the console makes.
        self._regions = (
            facts.regions if facts is not None else main_memory("x86_64", "q35", instance.memory_mib << 20)[0]
        )
        self._facts: MemoryFacts | None = None
        self._file: SharedMemoryFile | None = None
        self._opening = asyncio.Lock()
        self._batch = LEAST_PEEKED * 4
        self._most = MOST_PEEKED
        self._slots = asyncio.Semaphore(IN_FLIGHT)

    @property
    def viewer(self) -> Viewer:
        return Viewer.HYPERVISOR

    @property
    def granularity(self) -> int:
        return PAGE_SIZE

    @property
    def best_length(self) -> int:
        return _FILE_BEST if self._file is not None else (IN_FLIGHT + 1) * self._batch

    @property
    def note(self) -> str:
        if self._facts is not None:
            return _NOTES.get(self._facts.protection, _ENCRYPTED_NOTE)
        return "" if self._technology is Technology.NONE else _ENCRYPTED_NOTE

    @property
    def reads_file(self) -> bool:
        """Whether RAM is read from its shared file, not by libvirt; known after the first read."""
        return self._file is not None

    def regions(self) -> Sequence[MemoryRegion]:
        return self._regions

    def populated(self) -> Sequence[MemoryRegion]:
        return self._regions if self._file is None else self._file.populated()

    async def read(self, gpa: int, length: int) -> MemoryChunk:
        """See MemorySource. Raises also Transient while the host does not answer."""
        if gpa % PAGE_SIZE or length % PAGE_SIZE or length < 0:
            raise InvalidInput("gpa", f"Memory is read in whole pages of {PAGE_SIZE} bytes")
        facts = self._facts or await self._open()
        if not kept_whole(facts.regions, gpa, length):
            raise InvalidInput("gpa", f"{gpa:#x} lies outside this machine's RAM")
        kind = PageKind.CIPHERTEXT if facts.protection else PageKind.PLAINTEXT
        data = await self._read(facts, gpa, length)
        return MemoryChunk(gpa, data, bytes((kind,)) * (length // PAGE_SIZE), Viewer.HYPERVISOR)

    async def _read(self, facts: MemoryFacts, gpa: int, length: int) -> bytes:
        file = self._file
        if file is not None:
            return await asyncio.to_thread(file.read, gpa, length)
        batch = self._batch
        pieces = [(gpa + start, min(batch, length - start)) for start in range(0, length, batch)]
        if len(pieces) == 1:
            return await self._peek(facts, *pieces[0])
        calls = [asyncio.create_task(self._peek(facts, *piece), name="libvirt memory peek") for piece in pieces]
        try:
            return b"".join(await asyncio.gather(*calls))
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def _peek(self, facts: MemoryFacts, gpa: int, length: int) -> bytes:
        async with self._slots:
            peeked = None
            if length <= self._most:
                peek = partial(_peek_blocking, uuid=self._uuid, live_id=facts.live_id, gpa=gpa, length=length)
                peeked = await self._connection.call(peek, seconds=_CALL_SECONDS)
                if peeked is None:
                    raise WrongState(_GONE)
        if peeked is None or peeked.too_long:
            half = length // 2 // PAGE_SIZE * PAGE_SIZE
            if not half:
                raise Transient("The host gives not even one page of RAM in a call")
            if length <= self._most:
                self._most = half
            self._batch = min(self._batch, self._most)
            return await self._peek(facts, gpa, half) + await self._peek(facts, gpa + half, length - half)
        if len(peeked.data) != length:
            raise Transient("The host gave fewer bytes of RAM than were asked for: try again")
        if peeked.seconds < _FAST:
            self._batch = max(self._batch, min(self._most, length * 2))
        elif peeked.seconds > _SLOW:
            self._batch = max(LEAST_PEEKED, min(self._batch, length) // 2)
        return peeked.data

    async def _open(self) -> MemoryFacts:
        """Read the live definition, once; find the shared file."""
        async with self._opening:
            if self._facts is not None:
                return self._facts
            try:
                xml = await self._connection.call(partial(_live_definition, uuid=self._uuid))
            except NotFound:
                raise WrongState(_GONE) from None
            facts = memory_facts(xml)
            if facts.live_id < 0:
                raise WrongState(_GONE)
            if self._connection.address.local:
                self._file = await asyncio.to_thread(open_shared, self._uuid, facts)
            self._regions = facts.regions
            self._facts = facts
            return facts


def _live_definition(conn: libvirt.virConnect, uuid: str) -> str:
    return conn.lookupByUUIDString(uuid).XMLDesc(0)


def _peek_blocking(conn: libvirt.virConnect, uuid: str, live_id: int, gpa: int, length: int) -> _Peeked | None:
    """None where the power-on that `live_id` numbers is over."""
    import libvirt

    began = time.perf_counter()
    try:
        domain = conn.lookupByUUIDString(uuid)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise
    # -1 while it does not run, another number after a new start: both are not the machine that was opened.
    if domain.ID() != live_id:
        return None
    try:
        return _Peeked(domain.memoryPeek(gpa, length, libvirt.VIR_MEMORY_PHYSICAL), time.perf_counter() - began)
    except libvirt.libvirtError as error:
        if _TOO_LONG.search(wording(error)):
            return _Peeked(b"", time.perf_counter() - began, too_long=True)
        if breaks_connection(error) or domain.isActive() == 1:
            raise
        return None
