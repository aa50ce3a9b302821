"""The embedded provider with parts that a test can look into: a small host and a KeyStore that remembers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from confvm_gui.catalog import Catalog, load_catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import KeyUnavailable
from confvm_gui.domain.instance import Instance, LaunchRequest, RecordsSpec
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.ports.memory_source import SparseMemory
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.engine.machine import Machine
from confvm_gui.engine.memory_controller.dram import ALLOCATION_UNIT, Dram
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.model import GENOA
from confvm_gui.providers.embedded.host_keys import KEY_REF, HostKeys
from confvm_gui.providers.embedded.provider import EmbeddedProvider
from confvm_gui.providers.embedded.site import Site

MACHINE_TYPE = "n2d-standard-2"
RAM = 8 << 30
"""Bytes of RAM of MACHINE_TYPE: sparse, so that it costs nothing."""
SECRET_FIELD = "call the lighthouse at Port Isolde"
CSV = "id,name,age,readmitted,note\n" + "".join(
    f"V-{at},patient {at},{30 + at % 40},{'yes' if at % 3 else 'no'},{SECRET_FIELD} {at}\n" for at in range(12)
)


@cache
def catalog() -> Catalog:
    return load_catalog()


def write_records(folder: Path) -> Path:
    path = folder / "records.csv"
    path.write_text(CSV)
    return path


def launch_request(
    name: str = "probe", *, technology: Technology = Technology.SEV, records: Path | None = None
) -> LaunchRequest:
    """For Compute Engine's catalogue."""
    return LaunchRequest(
        name=name,
        provider="embedded",
        cloud="gce",
        region="europe-west1",
        zone="europe-west1-b",
        machine_type=MACHINE_TYPE,
        image="ubuntu-2004-lts",
        technology=technology,
        records=RecordsSpec(records) if records is not None else None,
        labels={"env": "test"},
    )


class SpyKeyStore:
    """KeyStore that keeps every DEK that it saw. What it gives out for one is a random name of it."""

    scheme = "local"

    def __init__(self) -> None:
        self.deks: list[bytes] = []
        self._wrapped: dict[bytes, bytes] = {}

    async def create(self, key_ref: str) -> None:
        pass

    async def wrap(self, key_ref: str, key: bytes) -> bytes:
        if key_ref != KEY_REF:  # the hosts' own
            self.deks.append(key)
        wrapped = os.urandom(len(key) + 8)
        self._wrapped[wrapped] = key
        return wrapped

    async def unwrap(self, key_ref: str, wrapped: bytes) -> bytes:
        try:
            return self._wrapped[wrapped]
        except KeyError:
            raise KeyUnavailable("This store never wrapped that") from None


@cache
def shared_root() -> EmulatedRoot:
    """One for a whole test run: its RSA keys take seconds."""
    return EmulatedRoot(2048)


def host_keys() -> HostKeys:
    """New chips under the shared root."""
    return HostKeys(shared_root(), HostKeys.generate().chips)


def small_site(
    keys: HostKeys, kind: type[Machine] = Machine, *, asids: int = 8, guests: int = 8, workers: int = 1
) -> Site:
    """Two hosts with one vCPU worker, each with so many ASIDs for SEV, and as many for SEV-ES and SEV-SNP.

    There is RAM for `guests` instances of MACHINE_TYPE in all.
    """
    model = replace(GENOA, asid_count=2 * asids)
    dram = Dram(guests * (RAM + ALLOCATION_UNIT))  # pages of the host beside a guest's RAM
    return Site(keys, workers=workers, model=model, dram=dram, es_asids=asids, kind=kind)


class Hosts:
    """Makes sites and keeps the last one, to look at."""

    def __init__(self, kind: type[Machine] = Machine, *, asids: int = 8, guests: int = 8) -> None:
        self._make = partial(small_site, kind=kind, asids=asids, guests=guests)
        self.site: Site

    def __call__(self, keys: HostKeys) -> Site:
        self.site = self._make(keys)
        return self.site

    @property
    def last(self) -> Machine:
        """The first host, on which instances are launched as long as it has room."""
        return self.site.hosts[0]

    @property
    def in_use(self) -> tuple[int, int]:
        """ASIDs and bytes of DRAM that somebody has, on all hosts."""
        taken = sum(host.model.asid_count - host.asids_left - host.es_asids_left for host in self.site.hosts)
        return taken, self.site.dram.size - self.site.dram.available


@asynccontextmanager
async def embedded(
    data_dir: Path,
    *,
    key_store: SpyKeyStore | None = None,
    make_site: Callable[[HostKeys], Site] = small_site,
) -> AsyncIterator[EmbeddedProvider]:
    """A provider that is closed at the end."""
    provider = EmbeddedProvider(
        data_dir, catalog(), key_store or SpyKeyStore(), make_site=make_site, make_keys=host_keys
    )
    try:
        await provider.connect()
        yield provider
    finally:
        await provider.aclose()


async def listed(provider: EmbeddedProvider) -> dict[str, Instance]:
    """All instances by id."""
    return {instance.id: instance async for page in provider.instances() for instance in page}


async def ready(provider: EmbeddedProvider, instance_id: str) -> None:
    """Wait until the records guest answers questions."""
    while True:
        answer = await provider.query(instance_id, Query(QueryVerb.STATUS))
        if ("state", "ready") in answer.rows:
            return


async def ram(provider: EmbeddedProvider, instance_id: str, viewer: Viewer) -> bytes:
    """All RAM that was ever written, as the viewer sees it."""
    source = provider.memory(instance_id, viewer)
    assert isinstance(source, SparseMemory)
    return b"".join([(await source.read(region.gpa, region.length)).data for region in source.populated()])


def files_with(folder: Path, *needles: bytes) -> Sequence[Path]:
    """Files below `folder` that hold one of the byte strings."""
    return [
        path for path in folder.rglob("*") if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]
