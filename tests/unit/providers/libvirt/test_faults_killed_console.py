"""`kill -9` on a console in the middle of a create on a libvirt host: the next console makes one machine of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import libvirt
import pytest

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.operation import OperationStatus
from confvm_gui.fleet.session import FleetSession
from confvm_gui.providers.libvirt.provider import LibvirtProvider
from confvm_gui.store import open_store
from tests.support.libvirt_rig import HURRY
from tests.support.libvirtd import Daemon, tiny_domain
from tests.support.runners import Run
from tests.support.shelf_library import ShelfLibrary
from tests.unit.providers.libvirt.test_faults_create import orphans

PROVIDER: Final = "libvirt-probe"
CONSOLE: Final = """
import asyncio, os, pathlib, signal, sys
from dataclasses import replace
from confvm_gui.domain.images import SeedSpec
from tests.unit.providers.libvirt.test_create import PLAIN
from tests.unit.providers.libvirt.test_faults_killed_console import console

folder, data_dir, uri, step = sys.argv[1:]

def look(operation):
    names = [each.name for each in operation.steps]
    if step in names or step == operation.status.value:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with console(pathlib.Path(folder), pathlib.Path(data_dir), uri) as session:
        session.jobs.changes.subscribe(look)
        operation = await session.jobs.create(replace(PLAIN, seed=SeedSpec("probe"), labels={"team": "clinic"}))
        await session.jobs.wait(operation.id)

asyncio.run(main())
"""


@asynccontextmanager
async def console(folder: Path, data_dir: Path, uri: str) -> AsyncIterator[FleetSession]:
    """A session over a store on disk and one libvirt host, connected."""
    library = ShelfLibrary()
    library.put_linux(folder)
    catalog = load_catalog()
    provider = LibvirtProvider(PROVIDER, uri, library, catalog, patience=HURRY)
    session = await FleetSession.begin(catalog, {PROVIDER: provider}, await open_store(data_dir), data_dir)
    try:
        await session.connect()
        await session.inventory.connected(PROVIDER)
        yield session
    finally:
        await session.aclose()


def on_host(uri: str) -> tuple[list[str], list[str]]:
    """Names of the domains, and of volumes that none of them uses."""
    conn = libvirt.open(uri)
    try:
        return [domain.name() for domain in conn.listAllDomains()], orphans(conn)
    finally:
        conn.close()


@pytest.mark.parametrize("step", ["check host", "upload image", "cloud-init seed", "define", "start", "succeeded"])
def test_the_next_console_takes_the_create_up(
    libvirtd: Daemon, tmp_path: Path, data_dir: Path, asyncio_run: Run, step: str
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", CONSOLE, str(tmp_path), str(data_dir), libvirtd.uri, step],
        capture_output=True,
        timeout=50,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]

    async def scenario() -> None:
        async with console(tmp_path, data_dir, libvirtd.uri) as session:
            for unfinished in session.jobs.active():
                await session.jobs.wait(unfinished.id)
            (operation,) = session.jobs.recent()
            assert operation.status is OperationStatus.SUCCEEDED
            # The log has what both consoles did.
            assert {"check host", step} <= {each.name for each in operation.steps} | {"succeeded"}
            (instance,) = session.inventory.all()
            assert (instance.id, instance.state) == (operation.instance_id, InstanceState.RUNNING)
            assert on_host(libvirtd.uri) == (["probe"], [])

    asyncio_run(scenario(), timeout=50)


def test_a_create_that_the_next_console_cannot_finish_leaves_nothing(
    libvirtd: Daemon, tmp_path: Path, data_dir: Path, asyncio_run: Run
) -> None:
    """Meanwhile another program has made a machine of the same name: that one stays, and of ours nothing."""
    command = [sys.executable, "-c", CONSOLE, str(tmp_path), str(data_dir), libvirtd.uri, "cloud-init seed"]
    killed = subprocess.run(command, capture_output=True, timeout=50, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    conn = libvirt.open(libvirtd.uri)
    conn.defineXML(tiny_domain("probe"))
    conn.close()

    async def scenario() -> None:
        async with console(tmp_path, data_dir, libvirtd.uri) as session:
            for unfinished in session.jobs.active():
                await session.jobs.wait(unfinished.id)
            (operation,) = session.jobs.recent()
            assert operation.status is OperationStatus.ROLLED_BACK
            assert "has a machine named probe already" in operation.error
            (instance,) = session.inventory.all()
            assert instance.id != operation.instance_id
            assert on_host(libvirtd.uri) == (["probe"], [])

    asyncio_run(scenario(), timeout=50)
