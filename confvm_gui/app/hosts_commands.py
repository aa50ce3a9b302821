"""`confvm list|show|peek --connect URI` and `confvm create|start|stop|delete`: hosts asked now, and what is done there.

Looking opens no data directory for writing, so it works beside a console that is open. What changes something is a
job as in the window: accepted on disk, run, logged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from confvm_gui.app.bootstrap import check_data_dir, default_data_dir, open_hosts, open_session
from confvm_gui.domain.errors import InvalidInput, NotFound, ReadOnly, StoreError, Unsupported
from confvm_gui.domain.memory import PAGE_SIZE, Viewer
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus
from confvm_gui.domain.ports.provider import Capability, ChangeKind, HasMemory, Provider

if TYPE_CHECKING:
    from confvm_gui.app.exposure_command import HostsOpener
    from confvm_gui.domain.instance import Instance, LaunchRequest
    from confvm_gui.fleet.session import FleetSession

EMBEDDED: Final = "embedded"
MOST_PEEKED: Final = 64 << 20
_ACTS: Final = {"start": OperationKind.START, "stop": OperationKind.STOP, "delete": OperationKind.DELETE}
_LINE: Final = 16
_SIZES_SECONDS: Final = 20.0


def add_hosts_parsers(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `create`, `start`, `stop`, `delete` and `peek`."""
    create = commands.add_parser("create", parents=list(parents), help="make an instance on a connected host")
    create.add_argument("--request", type=Path, metavar="FILE", required=True, help="as the wizard saves it")
    create.add_argument("--name", metavar="N", help="instead of the request's")
    create.add_argument("--provider", metavar="P", help="instead of the request's; default: the only connected host")
    for name, text in (
        ("start", "start an instance"),
        ("stop", "shut an instance down"),
        ("delete", "delete an instance with its disks"),
    ):
        parser = commands.add_parser(name, parents=list(parents), help=text)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--provider", metavar="P", help="where two hosts have an instance of this name")
    peek = commands.add_parser("peek", parents=list(parents), help="read an instance's memory as one viewer sees it")
    peek.add_argument("name", metavar="NAME")
    peek.add_argument("--gpa", required=True, type=_number, metavar="A", help="guest physical address, 0x… or decimal")
    peek.add_argument("--length", required=True, type=_number, metavar="N", help="bytes")
    peek.add_argument("--view", choices=[viewer.value for viewer in Viewer], default=Viewer.HYPERVISOR.value)
    peek.add_argument("--provider", metavar="P", help="where two hosts have an instance of this name")


def add_connect_option(parser: argparse.ArgumentParser) -> None:
    """`--connect URI`, repeatable."""
    parser.add_argument(
        "--connect", action="append", default=[], metavar="URI", help="a libvirt host, as qemu:///system; repeatable"
    )


@asynccontextmanager
async def connected_hosts(data_dir: Path | None, connect: Sequence[str]) -> AsyncIterator[Mapping[str, Provider]]:
    """The hosts of `connect`, or where none is given those of the settings, all connected.

    Raises InvalidInput("connect"), and what a connection fails of: an answer without one of them would be wrong.
    """
    from confvm_gui.app.libvirt_hosts import LibvirtOpener, open_library
    from confvm_gui.catalog import open_catalog
    from confvm_gui.fleet.hosts import kept_hosts

    folder = check_data_dir(data_dir or default_data_dir())
    opener = LibvirtOpener(open_catalog(), open_library(folder))
    kept = () if connect else kept_hosts(await stored_settings(folder))
    providers = {provider.name: provider for provider in open_hosts(opener, kept, connect).values()}
    try:
        await asyncio.gather(*(provider.connect() for provider in providers.values()))
        yield providers
    finally:
        await asyncio.gather(*(provider.aclose() for provider in providers.values()))


async def live_instances(providers: Mapping[str, Provider]) -> Sequence[Instance]:
    """All instances of all of them, by name, with their sizes as far as hosts tell them within a while."""
    found = [instance for some in await asyncio.gather(*map(_listed, providers.values())) for instance in some]
    return sorted(found, key=lambda instance: (instance.name, instance.provider))


async def _listed(provider: Provider) -> Sequence[Instance]:
    changes = provider.watch()  # a host tells names and states at once, and each machine's size one by one
    found = {instance.id: instance async for page in provider.instances() for instance in page}
    with suppress(TimeoutError):
        async with asyncio.timeout(_SIZES_SECONDS):
            while not all(instance.vcpus for instance in found.values()):
                change = await anext(changes)
                found[change.instance.id] = change.instance
                if change.kind is ChangeKind.REMOVED:
                    del found[change.instance.id]
    return tuple(found.values())


async def run_act(options: argparse.Namespace, out: TextIO) -> int:
    """`create`, `start`, `stop` or `delete`: 0 when it was done, 1 when it failed; prints the operation.

    Raises InvalidInput naming the option, NotFound, ReadOnly, WrongState, Unsupported, StoreError.
    """
    data_dir = check_data_dir(options.data_dir or default_data_dir())
    request = None
    if options.command == "create":
        from confvm_gui.fleet.launch import load_request

        request = await asyncio.to_thread(load_request, options.request)
    session = await open_session(data_dir, workers=1, connect=options.connect)
    try:
        if session.readonly:
            raise ReadOnly(session.readonly_reason)
        hosts = [name for name in session.providers if name != EMBEDDED]
        if not hosts:
            raise InvalidInput("connect", "No host is connected: give --connect URI, or add one on the page Hosts")
        await session.connect()
        await asyncio.gather(*(session.inventory.connected(name) for name in hosts))
        if request is not None:
            operation = await _create(session, request, options, hosts)
        else:
            instance = find_instance(session.inventory.all(), options.name, options.provider)
            if instance.provider == EMBEDDED:
                raise Unsupported(
                    f"{instance.name} is an embedded instance, which lives inside a console: use confvm-gui for it, "
                    "or confvm run"
                )
            (operation,) = await session.jobs.act(_ACTS[options.command], [instance.id])
        return _tell(await session.jobs.wait(operation.id), options.json, out)
    finally:
        await session.aclose()


async def run_peek(options: argparse.Namespace, out: TextIO, hosts: HostsOpener | None = None) -> int:
    """Print memory as a hex dump, or as JSON. The plaintext of a confidential instance is recorded before it is shown.

    `hosts` connects to the hosts of the options. Raises InvalidInput, NotFound, Unsupported, WrongState, Forbidden, and
    ReadOnly where it cannot be recorded.
    """
    gpa, length = options.gpa, options.length
    if not 0 < length <= MOST_PEEKED:
        raise InvalidInput("length", f"From 1 to {MOST_PEEKED} bytes can be read at once")
    async with (hosts or connected_hosts)(options.data_dir, options.connect) as providers:
        if not providers:
            raise InvalidInput("connect", "No host is connected: give --connect URI, or add one on the page Hosts")
        instance = find_instance(await live_instances(providers), options.name, options.provider)
        provider = providers[instance.provider]
        viewer = Viewer(options.view)
        wanted = Capability.MEMORY_GUEST if viewer is Viewer.GUEST else Capability.MEMORY_HYPERVISOR
        reason = provider.reason_unsupported(wanted)
        if reason or not isinstance(provider, HasMemory):
            raise Unsupported(reason or "This provider shows no memory")
        if viewer is Viewer.GUEST and instance.confidential:
            await _record_plaintext(options.data_dir, instance)
        memory = provider.memory(instance.id, viewer)
        step = memory.granularity
        start = gpa // step * step
        chunk = await memory.read(start, -(-(gpa + length - start) // step) * step)
    data = chunk.data[gpa - start : gpa - start + length]
    if options.json:
        from confvm_gui.domain.memory import PageKind

        first, last = (gpa - start) // PAGE_SIZE, (gpa - start + length - 1) // PAGE_SIZE
        pages = [PageKind(kind).name.lower() for kind in chunk.kinds[first : last + 1]]
        values = {"name": instance.name, "view": viewer.value, "gpa": gpa, "data": data.hex(), "pages": pages}
        out.write(json.dumps(values, ensure_ascii=False) + "\n")
        return 0
    for at in range(0, len(data), _LINE):
        line = data[at : at + _LINE]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in line)
        out.write(f"{gpa + at:012x}  {line.hex(' '):<{_LINE * 3}} {text}\n")
    return 0


async def _record_plaintext(data_dir: Path | None, instance: Instance) -> None:
    """Before it is shown: what cannot be recorded is not shown. Raises Forbidden, ReadOnly, StoreError."""
    from confvm_gui.app.guarded_store import guarded_store
    from confvm_gui.domain.roles import Permission
    from confvm_gui.fleet.memory.plaintext import PlaintextUse, record_plaintext

    async with guarded_store(data_dir, readonly=False) as opened:
        opened.require_writable()
        opened.access.require(Permission.VIEW_PLAINTEXT, subject=instance.id)
        record_plaintext(opened.events, instance, PlaintextUse.VIEW, where=" by `confvm peek`")


async def _create(
    session: FleetSession, request: LaunchRequest, options: argparse.Namespace, hosts: Sequence[str]
) -> Operation:
    from dataclasses import replace

    provider = options.provider or request.provider
    if options.provider is None and provider not in hosts and len(hosts) == 1:
        provider = hosts[0]
    if provider not in hosts:
        raise InvalidInput("provider", f"{provider!r} is no connected host; there are {', '.join(hosts)}")
    return await session.jobs.create(replace(request, provider=provider, name=options.name or request.name))


def find_instance(instances: Sequence[Instance], name: str, provider: str | None) -> Instance:
    """The instance of this name. Raises NotFound, or InvalidInput("provider") where there are several."""
    found = [instance for instance in instances if instance.name == name and provider in (None, instance.provider)]
    if not found:
        raise NotFound(f"There is no instance named {name!r}")
    if len(found) > 1:
        places = ", ".join(instance.provider for instance in found)
        raise InvalidInput("provider", f"There are several instances named {name!r}: say which, of {places}")
    return found[0]


def _tell(operation: Operation, as_json: bool, out: TextIO) -> int:
    done = operation.status is OperationStatus.SUCCEEDED
    if as_json:
        values = {
            "operation": operation.id,
            "kind": operation.kind.value,
            "instance": operation.instance_id,
            "name": operation.instance_name,
            "provider": operation.provider,
            "status": operation.status.value,
            "error": operation.error,
        }
        out.write(json.dumps(values, ensure_ascii=False) + "\n")
    elif done:
        out.write(f"{operation.kind.value} of {operation.instance_name}: done\n")
    if not done:
        sys.stderr.write(f"confvm: {operation.kind.value} of {operation.instance_name}: {operation.error}\n")
    return 0 if done else 1


async def stored_settings(data_dir: Path) -> Mapping[str, object]:
    """The settings as they are on disk, read beside a console that is open; none where there is no store yet."""
    from confvm_gui.store import open_store

    try:
        store = await open_store(data_dir, readonly=True)
    except StoreError:
        return {}  # there is none yet
    try:
        return await store.settings.load()
    finally:
        await store.aclose()


def _number(text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= value < 1 << 52:
        raise argparse.ArgumentTypeError(f"{text} is no address or length of a guest's memory")
    return value
