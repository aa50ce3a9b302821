"""libvirt providers for tests: on the private daemon, or on libvirt's test driver."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import Instance, LaunchRequest
from confvm_gui.domain.ports.image_library import ImageLibrary
from confvm_gui.domain.ports.keystore import KeyStore
from confvm_gui.domain.ports.provider import Change
from confvm_gui.providers.libvirt.connection import Patience
from confvm_gui.providers.libvirt.provider import LibvirtProvider
from confvm_gui.providers.libvirt.whole_instances import Peers
from tests.support.libvirtd import tiny_domain
from tests.support.patience import until

HURRY = Patience(opening=10, call=20, keepalive=1, backoff=0.01, backoff_most=0.05)
"""A silent host is given up after two to three seconds."""


class WatchedProvider(LibvirtProvider):
    """Ends at its end what a test has watched."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.watched: list[AsyncGenerator[Change, None]] = []

    def watch(self) -> AsyncIterator[Change]:
        changes = super().watch()
        assert isinstance(changes, AsyncGenerator)
        self.watched.append(changes)
        return changes


class NoLibrary:
    """No test here makes an instance of an image."""


@asynccontextmanager
async def provider_at(
    uri: str,
    *,
    name: str = "libvirt-probe",
    stop_seconds: float = 0.2,
    peers: Peers = tuple,
    library: ImageLibrary | None = None,
    key_store: KeyStore | None = None,
) -> AsyncIterator[LibvirtProvider]:
    """A connected provider, closed at the end."""
    library = library or cast(ImageLibrary, NoLibrary())
    provider = WatchedProvider(
        name,
        uri,
        library,
        load_catalog(),
        patience=HURRY,
        stop_seconds=stop_seconds,
        peers=peers,
        key_store=key_store,
    )
    try:
        await provider.connect()
        yield provider
    finally:
        await provider.aclose()
        for changes in provider.watched:
            await changes.aclose()


def kernel_request(name: str = "probe", technology: Technology = Technology.NONE) -> LaunchRequest:
    """For an instance that boots the kernel `tiny` of a ShelfLibrary."""
    return LaunchRequest(
        name=name,
        provider="libvirt-probe",
        cloud="libvirt",
        region="host",
        zone="host",
        machine_type="small-1",
        image="local:tiny",
        technology=technology,
        vtpm=False,
        integrity_monitoring=False,
        labels={"env": "test"},
    )


async def define(provider: LibvirtProvider, name: str = "probe", devices: str = "") -> str:
    """Define a domain without image as another program would; returns its instance id."""
    instance_id = uuid.uuid4().hex
    xml = tiny_domain(name, domain_id=instance_id, devices=devices)
    await provider.connection.call(lambda conn: conn.defineXML(xml) is not None)
    await until(lambda: provider.table.find(instance_id) is not None)
    return instance_id


async def everything(provider: LibvirtProvider) -> dict[str, Instance]:
    return {instance.id: instance async for page in provider.instances() for instance in page}


async def next_change(changes: AsyncIterator[Change], wanted: Callable[[Change], bool]) -> Change:
    """The next change for which `wanted` holds."""
    async for change in changes:
        if wanted(change):
            return change
    raise AssertionError("the changes ended")


def fleet_file(folder: Path, count: int) -> str:
    """URI of libvirt's test driver with `count` running domains."""
    domains = "".join(
        f"<domain type='test'><name>vm-{number:03}</name><uuid>{uuid.UUID(int=number + 1)}</uuid>"
        "<memory unit='MiB'>512</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>"
        for number in range(count)
    )
    file = folder / "fleet.xml"
    file.write_text(f"<node>{domains}</node>")
    return f"test://{file}"
