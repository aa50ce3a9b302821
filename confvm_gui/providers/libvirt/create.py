"""Making an instance on a libvirt host, from the request to vCPUs that run.

    check host → find image → storage pool → upload image → disk → seed → define → start

The domain's UUID is the operation's instance id, and its metadata name the operation: taken up again after a crash, a
create confirms what is there and does the rest. When it fails or is cancelled nothing remains: domain, firmware
variables, TPM state, the instance's volumes, and base images that this operation brought and nobody else uses.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import (
    CapacityExceeded,
    ConfvmError,
    InvalidInput,
    NameTaken,
    NotFound,
    Transient,
    Unsupported,
)
from confvm_gui.domain.images import LIBRARY_PREFIX, ImageFiles, ImageKind, ImageState, LibraryImage
from confvm_gui.domain.instance import HostMaintenance
from confvm_gui.providers.libvirt import disk_keys, power, storage
from confvm_gui.providers.libvirt.capabilities import Capabilities
from confvm_gui.providers.libvirt.domain_read import read_domain
from confvm_gui.providers.libvirt.domain_xml import TPM_MODELS, DirectKernel, DomainPlan, domain_xml
from confvm_gui.providers.libvirt.launch_security import LaunchSecurity, SevSecurity, SnpSecurity, TdxSecurity
from confvm_gui.providers.libvirt.sev_launch import BeforeRun, OwnersWish, power_on_sev, run_at_once
from confvm_gui.providers.libvirt.to_the_end import to_the_end
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.kernel_hashes import KernelHashes

if TYPE_CHECKING:
    import libvirt

    from confvm_gui.catalog import Catalog
    from confvm_gui.domain.catalogue import MachineType
    from confvm_gui.domain.instance import LaunchRequest
    from confvm_gui.domain.ports.image_library import ImageLibrary
    from confvm_gui.domain.ports.keystore import KeyStore
    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.providers.libvirt.capabilities import Connection, HostCapabilities
    from confvm_gui.providers.libvirt.disk_encryption import WrappedKey
    from confvm_gui.providers.libvirt.firmware import FirmwareShelf
    from confvm_gui.providers.libvirt.sev_launch import Secret

CLOUD: Final = "libvirt"
DEFAULT_NETWORK: Final = "default"
_UPLOAD_SECONDS: Final = 24 * 3600.0
_START_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.2
"""How often an upload's progress is told, and a cancellation noticed."""
_UPLOAD_FROM, _UPLOAD_TO = 0.1, 0.6


@dataclass(frozen=True, slots=True)
class _Source:
    """What the instance boots, on this computer."""

    image: LibraryImage
    files: ImageFiles


@dataclass(frozen=True, slots=True)
class _Bases:
    """The same on the host."""

    disk: str = ""
    kernel: str = ""
    initrd: str = ""


async def create(
    connection: Connection,
    request: LaunchRequest,
    operation: OperationContext,
    library: ImageLibrary,
    catalog: Catalog,
    *,
    capabilities: Capabilities | None = None,
    pool_path: str = "",
    shelf: FirmwareShelf | None = None,
    secret: Secret | None = None,
    before_run: BeforeRun = run_at_once,
    key_store: KeyStore | None = None,
) -> None:
    """Make the domain with the UUID `operation.instance_id` and start it; nothing remains of it if this raises.

    `pool_path`: where the image pool is made if the host has none; `key_store`: who wraps the key of its disk, which
    is plain without; for the others see `sev_launch`.

    Raises InvalidInput with the field, NameTaken, NotFound, Unsupported, StoreFull, CapacityExceeded, EvidenceRefused,
    KeyUnavailable, MeasurementMismatch, Transient, and OperationCancelled from the operation's steps.
    """
    operation.step("check host", 0.02)
    host = await (capabilities or Capabilities(connection)).refresh()
    machine = catalog.machine_type(CLOUD, request.machine_type)
    try:
        check_host(host, request, machine)
        found = await connection.call(partial(_existing, instance_id=operation.instance_id, name=request.name))
        if found is not None and found.operation_id != operation.operation_id:
            raise InvalidInput("name", "Another machine of the host has this instance's UUID")
    except (CapacityExceeded, InvalidInput, NameTaken, Unsupported):
        # An earlier run of the console may have begun it, when the host still took it.
        await to_the_end(_undo(connection, operation))
        raise
    if found is not None:
        if found.active and request.technology in (Technology.SEV, Technology.SEV_ES):
            if not found.paused:
                return  # it runs only once its owner has let it
            await connection.call(partial(power.power_off, instance_id=operation.instance_id))
        elif found.active:
            await connection.call(partial(power.resume, instance_id=operation.instance_id))
            return
    try:
        if found is None:
            await _define(connection, request, operation, library, catalog, host, machine, pool_path, key_store)
        async with disk_keys.unlocked(connection, key_store, operation.instance_id):
            run = partial(power_on, shelf=shelf, secret=secret, before_run=before_run)
            await run(connection, request, operation, library, catalog, host)
    except BaseException as error:  # whatever ends it, cancelled too, what was begun is undone
        failure = await to_the_end(_undo(connection, operation))
        if failure is not None and isinstance(error, ConfvmError):
            raise type(failure)(
                f"{error}; and what had been begun is still on the host, as it could not be asked to remove it "
                f"({failure}): retry, or delete the instance"
            ) from None
        raise


async def power_on(
    connection: Connection,
    request: LaunchRequest,
    operation: OperationContext,
    library: ImageLibrary,
    catalog: Catalog,
    host: HostCapabilities,
    *,
    shelf: FirmwareShelf | None = None,
    secret: Secret | None = None,
    before_run: BeforeRun = run_at_once,
) -> None:
    """Start a domain that is off, a SEV or SEV-ES guest by way of its owner's verification. It is off if this raises.

    What a SEV guest is expected to be is what `request` says; the host's definition of it is not asked, as the host
    could have changed it since.
    """
    instance_id = operation.instance_id
    if request.technology in (Technology.SEV, Technology.SEV_ES):
        wish = await owners_wish(request, library, catalog, host)
        await power_on_sev(
            connection, instance_id, operation, host, wish, shelf=shelf, secret=secret, before_run=before_run
        )
        return
    operation.step("start", 0.85, request.machine_type)
    await connection.call(partial(_start, instance_id=instance_id), seconds=_START_SECONDS)
    await before_run()
    await connection.call(partial(power.resume, instance_id=instance_id))


async def owners_wish(
    request: LaunchRequest, library: ImageLibrary, catalog: Catalog, host: HostCapabilities
) -> OwnersWish:
    """What the owner means to launch, from what the console itself keeps. Raises Unsupported, StoreError."""
    image = _in_library(library, request.image.removeprefix(LIBRARY_PREFIX))
    kernel = None
    if image is not None:
        files = await library.files(image.id)
        if files.kernel is not None:
            kernel_digest = bytes.fromhex(await asyncio.to_thread(storage.sha256_of, files.kernel))
            initrd_digest = None
            if files.initrd is not None:
                initrd_digest = bytes.fromhex(await asyncio.to_thread(storage.sha256_of, files.initrd))
            kernel = KernelHashes.of_digests(kernel_digest, initrd_digest, image.command_line)
    security = _security(request, host, direct=kernel is not None)
    if not isinstance(security, SevSecurity):
        raise Unsupported(host.reason(request.technology) or "The host offers no SEV")
    vcpus = catalog.machine_type(CLOUD, request.machine_type).vcpus
    return OwnersWish(security.policy, vcpus, host.cpu_signature, kernel, request.attest)


async def _define(
    connection: Connection,
    request: LaunchRequest,
    operation: OperationContext,
    library: ImageLibrary,
    catalog: Catalog,
    host: HostCapabilities,
    machine: MachineType,
    pool_path: str,
    key_store: KeyStore | None,
) -> None:
    """Everything up to a defined domain."""
    operation.step("find image", 0.04, request.image)
    source = await _source(request, library, catalog, operation)
    operation.step("storage pool", 0.06, storage.POOL)
    pool = await connection.call(lambda conn: storage.ensure_pool(conn, pool_path))
    bases = await _bring(connection, operation, source.files, pool)
    instance_id = operation.instance_id
    disk = seed = ""
    key: WrappedKey | None = None
    if bases.disk:
        size = max(source.image.virtual_size, storage.SMALLEST_DISK)
        operation.step("disk", 0.65, f"qcow2 over {bases.disk}, {size >> 30} GiB")
        form = "raw" if source.image.kind is ImageKind.RAW else "qcow2"
        name = storage.overlay_name(instance_id)
        make = partial(storage.create_overlay, base=bases.disk, base_format=form, size=size)
        if key_store is not None and request.disk_key:
            operation.step("wrap disk key", 0.66, request.disk_key)
            key, passphrase = await disk_keys.new_key(key_store, request.disk_key)
            async with disk_keys.handed_over(connection, instance_id, passphrase):
                disk = await connection.call(
                    partial(make, name=storage.encrypted_name(instance_id), locked_for=instance_id),
                    seconds=_START_SECONDS,
                )
        else:
            disk = await connection.call(partial(make, name=storage.overlay_name(instance_id)))
    elif not request.confidential:
        # Nothing is on it: snapshots, RAM included, are kept inside of a disk.
        operation.step("disk", 0.65, "empty, for snapshots")
        name = storage.overlay_name(instance_id)
        disk = await connection.call(lambda conn: storage.create_overlay(conn, name, "", "", storage.SMALLEST_DISK))
    if request.seed is not None:
        operation.step("cloud-init seed", 0.7)
        content = await library.seed(request.seed)
        seed = await connection.call(lambda conn: storage.upload_bytes(conn, content, storage.seed_name(instance_id)))
    boot = None
    if bases.kernel:
        boot = DirectKernel(bases.kernel, bases.initrd, source.image.command_line)
    plan = plan_domain(
        request, instance_id, operation.operation_id, host, machine, pool.path, disk=disk, seed=seed, boot=boot
    )
    operation.step("define", 0.8, plan.name)
    await connection.call(partial(_define_xml, xml=domain_xml(replace(plan, disk_key=key))))


def plan_domain(
    request: LaunchRequest,
    instance_id: str,
    operation_id: str,
    host: HostCapabilities,
    machine: MachineType,
    pool_path: str,
    *,
    disk: str = "",
    seed: str = "",
    boot: DirectKernel | None = None,
) -> DomainPlan:
    """What `request` becomes on `host`; `disk`, `seed` and `boot` name files of the pool."""
    # A plain direct boot does without firmware, which is quicker; a vTPM is told of by UEFI.
    uefi = host.uefi and (boot is None or request.vtpm or request.secure_boot or request.confidential)
    if request.confidential or not host.kvm:
        modes: tuple[str, ...] = ("host-passthrough",) if host.kvm else ("maximum",)
    else:
        modes = ("host-model", "host-passthrough")
    return DomainPlan(
        instance_id=instance_id,
        name=request.name,
        pool_path=pool_path,
        memory_mib=machine.memory_mib,
        vcpus=machine.vcpus,
        kvm=host.kvm,
        operation_id=operation_id,
        image=request.image,
        machine_type=request.machine_type,
        created_at=time.time(),
        labels=request.labels,
        cpu_mode=next((mode for mode in modes if mode in host.cpu_modes), ""),
        disk=disk,
        seed=seed,
        boot=boot,
        uefi=uefi,
        secure_boot=request.secure_boot,
        vtpm=next((model for model in TPM_MODELS if model in host.tpm_models), "") if request.vtpm else "",
        integrity_monitoring=request.vtpm and request.integrity_monitoring,
        network=DEFAULT_NETWORK if DEFAULT_NETWORK in host.networks else "",
        technology=request.technology,
        security=_security(request, host, direct=boot is not None),
    )


def _security(request: LaunchRequest, host: HostCapabilities, *, direct: bool) -> LaunchSecurity | None:
    technology = request.technology
    if technology is Technology.SEV_SNP:
        return SnpSecurity(kernel_hashes=direct)
    if technology is Technology.TDX:
        return TdxSecurity()
    if technology is Technology.NONE or host.sev is None:
        return None
    policy = GuestPolicy(
        nodbg=True,
        noks=True,
        es=technology is Technology.SEV_ES,
        nosend=request.host_maintenance is HostMaintenance.TERMINATE,
        sev=request.host_maintenance is HostMaintenance.MIGRATE,
    )
    return SevSecurity(policy.to_int(), host.sev.cbitpos, host.sev.reduced_phys_bits, kernel_hashes=direct)


def check_host(host: HostCapabilities, request: LaunchRequest, machine: MachineType) -> None:
    """Raise Unsupported, InvalidInput or CapacityExceeded for what the host cannot give."""
    host.require(request.technology)
    if not host.machine:
        raise Unsupported("This host runs no QEMU machines, so none can be made on it")
    if machine.vcpus > host.max_vcpus:
        raise InvalidInput("machine_type", f"{host.hostname} gives a machine at most {host.max_vcpus} vCPUs")
    if machine.memory_mib > host.memory_mib:
        raise CapacityExceeded(
            f"{machine.name} has {machine.memory_mib} MiB of RAM and {host.hostname} {host.memory_mib} MiB in all; "
            "choose a smaller machine type"
        )
    if request.vtpm and not set(TPM_MODELS) & host.tpm_models:
        raise Unsupported(
            f"{host.hostname} emulates no TPM 2.0: install swtpm and swtpm-tools on it, or launch without a vTPM"
        )
    if request.vtpm and not host.uefi:
        raise Unsupported(
            f"{host.hostname} has no UEFI firmware, which measures the boot into the vTPM: install OVMF on it, or "
            "launch without a vTPM"
        )
    if request.secure_boot and not (host.uefi and host.secure_boot):
        raise Unsupported(f"{host.hostname} has no UEFI firmware with Secure Boot: install OVMF, or launch without it")
    if request.confidential and not host.uefi:
        raise Unsupported(f"{host.hostname} has no UEFI firmware, which confidential guests need: install OVMF on it")


async def _source(
    request: LaunchRequest, library: ImageLibrary, catalog: Catalog, operation: OperationContext
) -> _Source:
    if request.image.startswith(LIBRARY_PREFIX):
        image_id = request.image.removeprefix(LIBRARY_PREFIX)
        image = _in_library(library, image_id)
        if image is None:
            raise NotFound(f"The library has no image {image_id!r}; add it, or choose another")
    else:
        entry = catalog.image(CLOUD, request.image)
        image_id = entry.name
        image = _in_library(library, image_id)
        if image is None or image.state is not ImageState.READY:
            if entry.download is None:
                raise InvalidInput("image", f"{entry.title} has no address to download it from; add it to the library")
            operation.step("download image", 0.05, entry.download.url)
            image = await library.download(entry.download, image_id, entry.title)
    return _Source(image, await library.files(image_id))


def _in_library(library: ImageLibrary, image_id: str) -> LibraryImage | None:
    return next((image for image in library.images() if image.id == image_id), None)


async def _bring(connection: Connection, operation: OperationContext, files: ImageFiles, pool: storage.Pool) -> _Bases:
    """Have the image's files as base volumes, uploading those that the host has not."""
    wanted = {
        part: file
        for part, file in (("disk", files.disk), ("kernel", files.kernel), ("initrd", files.initrd))
        if file is not None
    }
    if not wanted:
        raise InvalidInput("image", "The image has no files")
    paths: dict[str, str] = {}
    missing: dict[str, tuple[Path, str, int]] = {}
    for part, file in wanted.items():
        digest = await asyncio.to_thread(storage.sha256_of, file)
        paths[part] = await connection.call(partial(storage.find_base, digest=digest))
        if not paths[part]:
            missing[part] = (file, digest, (await asyncio.to_thread(file.stat)).st_size)
    total = sum(size for _, _, size in missing.values())
    storage.require_room(pool, total, connection.host)
    done = 0
    for part, (file, digest, size) in missing.items():
        paths[part] = await _upload(connection, operation, file, digest, done, total)
        done += size
    return _Bases(**paths)


async def _upload(
    connection: Connection, operation: OperationContext, file: Path, digest: str, done: int, total: int
) -> str:
    upload = storage.Upload()
    upload_id = operation.operation_id

    def send(conn: libvirt.virConnect) -> str:
        return storage.upload_base(conn, file, digest, upload_id, upload)

    task = asyncio.ensure_future(connection.call(send, seconds=_UPLOAD_SECONDS))
    try:
        while True:
            share = (done + upload.sent) / total if total else 1.0
            operation.step(
                "upload image",
                _UPLOAD_FROM + (_UPLOAD_TO - _UPLOAD_FROM) * share,
                f"{file.name}: {(done + upload.sent) >> 20} of {total >> 20} MiB",
            )
            await asyncio.wait([task], timeout=_POLL_SECONDS)
            if task.done():
                return task.result()
    except BaseException:  # whatever ends the waiting, the sending thread is ended, too
        upload.stop()
        if not task.done():
            await to_the_end(_ended(task))  # it removes what it has sent
        raise


async def _ended(task: asyncio.Task[str]) -> None:
    await task


async def _undo(connection: Connection, operation: OperationContext) -> None:
    """Remove whatever this operation has made. Raises ConfvmError if the host cannot be asked."""
    remove = partial(_remove, instance_id=operation.instance_id, operation_id=operation.operation_id)
    try:
        await connection.call(remove, seconds=_START_SECONDS)
    except Transient:
        # The connection may be the very reason: once more over a new one.
        await connection.open(at_once=True)
        await connection.call(remove, seconds=_START_SECONDS)


# In a thread ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Existing:
    active: bool
    paused: bool
    operation_id: str


def _find(conn: libvirt.virConnect, instance_id: str) -> libvirt.virDomain | None:
    import libvirt

    try:
        return conn.lookupByUUIDString(str(uuid.UUID(instance_id)))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise


def _existing(conn: libvirt.virConnect, instance_id: str, name: str) -> _Existing | None:
    import libvirt

    domain = _find(conn, instance_id)
    if domain is not None:
        own = read_domain(domain.XMLDesc(0)).own
        paused = domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED
        return _Existing(bool(domain.isActive()), paused, own.operation_id if own is not None else "")
    try:
        conn.lookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise
    raise NameTaken("name", f"The host has a machine named {name} already; choose another name")


def _define_xml(conn: libvirt.virConnect, xml: str) -> None:
    import libvirt

    conn.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)


def _start(conn: libvirt.virConnect, instance_id: str) -> None:
    domain = conn.lookupByUUIDString(str(uuid.UUID(instance_id)))
    if domain.isActive():
        return
    needed = domain.maxMemory() >> 10
    memory = conn.getMemoryStats(-1, 0)
    # The kernel drops caches for whoever needs memory; virNodeGetFreeMemory does not count them.
    free = sum(memory.get(name, 0) for name in ("free", "buffers", "cached")) >> 10
    if memory and needed > free:
        raise CapacityExceeded(
            f"The host has {free} MiB of RAM free and this instance needs {needed} MiB; stop another or choose a "
            "smaller machine type"
        )
    power.start_paused(conn, instance_id)


def _remove(conn: libvirt.virConnect, instance_id: str, operation_id: str) -> None:
    domain = _find(conn, instance_id)
    if domain is not None:
        own = read_domain(domain.XMLDesc(0)).own
        if own is None or own.operation_id != operation_id:
            return  # it is not ours
        power.power_off(conn, instance_id)
        power.undefine(conn, instance_id)
    storage.remove_volumes(conn, instance_id)
    storage.remove_uploads(conn, operation_id)
