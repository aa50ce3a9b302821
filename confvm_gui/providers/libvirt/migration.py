"""Live migration of plain instances from one host of the console to another.

The console keeps a connection to both and has them do it (libvirt: managed direct migration): RAM goes from QEMU to
QEMU while the guest runs. Disks that the destination has under the same path are taken for shared storage, and libvirt
checks that they are; those that it has not are copied along by QEMU, and what the guest only reads (kernel, initrd,
seed) is copied by the console before. If anything fails the guest goes on at the source, and what had been copied is
removed at the destination.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import OperationCancelled, StoreError, Unsupported
from confvm_gui.providers.libvirt import power, storage
from confvm_gui.providers.libvirt.bounded_xml import parse
from confvm_gui.providers.libvirt.disk_encryption import UNFIT_ELSEWHERE, is_encrypted
from confvm_gui.providers.libvirt.domain_read import read_domain
from confvm_gui.providers.libvirt.to_the_end import to_the_end

if TYPE_CHECKING:
    import libvirt

    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.providers.libvirt.connection import LibvirtConnection
    from confvm_gui.providers.libvirt.inventory import Entry

SECONDS: Final = 24 * 3600.0
_POLL_SECONDS: Final = 0.5
"""How often the progress is asked for, and a cancellation noticed."""
_ABORT_SECONDS: Final = 0.2
"""Between two attempts to abort."""
_CHUNK: Final = 256 << 10
_FROM, _TO = 0.3, 0.95


def unfit(entry: Entry, others: int, host: str) -> str:
    """Why it cannot be migrated, in one sentence, or ""."""
    details = entry.details
    if entry.instance.confidential:
        return (
            f"QEMU cannot migrate guests under {entry.instance.technology.title}: only their processor could hand the "
            "encrypted RAM over"
        )
    if details is None or not details.xml:
        return "Its definition has not been read yet; try again in a moment"
    if is_encrypted(parse(details.xml)):
        return f"{UNFIT_ELSEWHERE}: the destination could not open it"
    if details.technology is not Technology.NONE or parse(details.xml).find("devices/hostdev") is not None:
        return f"It uses a device of {host}, which stays there"
    if not others:
        return "There is no other connected host to move it to; add one on the page Hosts"
    return ""


async def migrate(
    source: LibvirtConnection, target: LibvirtConnection, instance_id: str, operation: OperationContext
) -> None:
    """Move it. One that is at the target alone has been moved by an earlier call of this operation."""
    operation.step("look at the destination", 0.02, target.host)
    here = await source.call(partial(power.look, instance_id=instance_id))
    if here is None and await target.call(partial(power.look, instance_id=instance_id)) is not None:
        return
    moved = await source.call(partial(_moved, instance_id=instance_id))
    absent = await target.call(partial(_absent, moved=moved))
    if absent:
        await target.call(partial(storage.ensure_pool, path=moved.pool))
    try:
        for path in [path for path in absent if path in moved.read]:
            operation.step("copy what is read", 0.1, path)
            await source.call_with(target, partial(_copy, path=path), seconds=SECONDS)
        await _run(source, target, instance_id, operation, copy_disks=any(path in moved.written for path in absent))
    except BaseException:  # whatever ends it, cancelled too, no copied disks stay on the target
        await to_the_end(target.call(partial(_clear, instance_id=instance_id, paths=absent)))
        raise
    if absent:
        # The originals belong to nobody any more; bases stay, as others may read them.
        await to_the_end(source.call(partial(storage.remove_volumes, instance_id=instance_id)))


async def _run(
    source: LibvirtConnection,
    target: LibvirtConnection,
    instance_id: str,
    operation: OperationContext,
    *,
    copy_disks: bool,
) -> None:
    nearby = source.address.local and target.address.local
    work = partial(_migrate, instance_id=instance_id, copy_disks=copy_disks, nearby=nearby)
    detail = f"from {source.host} to {target.host}" + (", with its disks" if copy_disks else "")
    operation.step("migrate", _FROM, detail)
    task = asyncio.ensure_future(source.call_with(target, work, seconds=SECONDS))
    try:
        share = 0.0
        while True:
            await asyncio.wait([task], timeout=_POLL_SECONDS)
            if task.done():
                task.result()
                return
            share = max(share, await source.call(partial(_progress, instance_id=instance_id)))
            operation.step("migrate", _FROM + (_TO - _FROM) * share, detail)
    except BaseException as error:  # whatever ends the waiting, libvirt's job is stopped, too
        if not task.done():
            await to_the_end(_stop(source, instance_id, task))
            if isinstance(error, OperationCancelled) and task.exception() is None:
                return  # it was too late: it runs there now
        raise


async def _stop(source: LibvirtConnection, instance_id: str, task: asyncio.Task[None]) -> None:
    while not task.done():  # a job that has not begun yet cannot be aborted
        await source.call(partial(_abort, instance_id=instance_id))
        await asyncio.wait([task], timeout=_ABORT_SECONDS)
    await task


# In a thread ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Moved:
    """The files of a machine at its source."""

    written: Sequence[str]
    read: Sequence[str]
    pool: str
    """Folder of the console's pool there, or "" where there is none."""


def _moved(conn: libvirt.virConnect, instance_id: str) -> _Moved:
    facts = read_domain(power.lookup(conn, instance_id).XMLDesc(0))
    written = [disk.source for disk in facts.disks if disk.source and not disk.readonly]
    read = [disk.source for disk in facts.disks if disk.source and disk.readonly]
    read += [path for path in (facts.kernel, facts.initrd) if path]
    return _Moved(written, list(dict.fromkeys(read)), storage.pool_path(conn))


def _absent(conn: libvirt.virConnect, moved: _Moved) -> Sequence[str]:
    """Those files that this host has not. Raises Unsupported for one that could not be brought there."""
    found = storage.paths(conn)
    absent = [path for path in (*moved.written, *moved.read) if path not in found]
    for path in absent:
        if str(PurePosixPath(path).parent) != moved.pool:
            raise Unsupported(
                f"The destination has no {path}, and the console copies only files of the storage pool "
                f"{storage.POOL}: share the folder between the hosts, or copy the file there"
            )
    return absent


def _copy(conn: libvirt.virConnect, destination: libvirt.virConnect, path: str) -> None:
    """Through the console, to the same path."""
    volume = conn.storageVolLookupByPath(path)
    size = volume.info()[1]
    incoming = conn.newStream(0)
    volume.download(incoming, 0, size, 0)
    storage.write_volume(destination, PurePosixPath(path).name, size, _pieces(incoming, size))
    incoming.finish()


def _pieces(stream: libvirt.virStream, size: int) -> storage.Pieces:
    left = size
    while left:
        data = stream.recv(min(left, _CHUNK))
        if isinstance(data, int) or not data:
            raise StoreError("The source gives no more of a file of the instance; its storage may be gone")
        left -= len(data)
        yield data


def _migrate(
    conn: libvirt.virConnect, destination: libvirt.virConnect, instance_id: str, copy_disks: bool, nearby: bool
) -> None:
    import libvirt

    flags = (
        libvirt.VIR_MIGRATE_LIVE
        | libvirt.VIR_MIGRATE_PERSIST_DEST
        | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
        | libvirt.VIR_MIGRATE_AUTO_CONVERGE
        | libvirt.VIR_MIGRATE_ABORT_ON_ERROR
    )
    parameters = {}
    if copy_disks:
        flags |= libvirt.VIR_MIGRATE_NON_SHARED_DISK
    if nearby:
        # Two daemons of this computer. Its name need not resolve, and nobody else is to reach the port.
        parameters = {
            libvirt.VIR_MIGRATE_PARAM_URI: "tcp://127.0.0.1",
            libvirt.VIR_MIGRATE_PARAM_LISTEN_ADDRESS: "127.0.0.1",
        }
    power.lookup(conn, instance_id).migrate3(destination, parameters, flags)


def _progress(conn: libvirt.virConnect, instance_id: str) -> float:
    """0.0 to 1.0; 0.0 where it is not told."""
    import libvirt

    try:
        figures = power.lookup(conn, instance_id).jobStats(0)
    except libvirt.libvirtError:
        return 0.0  # it has just ended
    total, left = (figures.get(name, 0) for name in ("data_total", "data_remaining"))
    if not isinstance(total, int) or not isinstance(left, int) or total <= 0:
        return 0.0
    return min(max(1.0 - left / total, 0.0), 1.0)


def _abort(conn: libvirt.virConnect, instance_id: str) -> None:
    import libvirt

    try:
        power.lookup(conn, instance_id).abortJob()
    except libvirt.libvirtError as error:
        if error.get_error_code() not in (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_NO_DOMAIN):
            raise  # else it has ended by itself


def _clear(conn: libvirt.virConnect, instance_id: str, paths: Sequence[str]) -> None:
    """At the destination: remove what was copied, unless the machine is there after all."""
    if paths and power.look(conn, instance_id) is None:
        storage.remove_files(conn, [PurePosixPath(path).name for path in paths])
