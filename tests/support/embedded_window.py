"""The real window over a real store and embedded hosts of which a test says what they launch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from confvm_gui.app.bootstrap import open_hosts
from confvm_gui.app.libvirt_hosts import LibvirtOpener, open_library
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import HostMaintenance, Instance, InstanceState, LaunchRequest
from confvm_gui.fleet.hosts import Hosts
from confvm_gui.fleet.session import FleetSession
from confvm_gui.providers.embedded.host_keys import HostKeys
from confvm_gui.providers.embedded.provider import EmbeddedProvider
from confvm_gui.providers.embedded.site import Site
from confvm_gui.store import open_store
from confvm_gui.ui.shell import ShellWindow
from confvm_gui.ui.theme import theme_controller
from tests.support.embedded_rig import SpyKeyStore, catalog, host_keys, launch_request, small_site
from tests.support.shell_driver import until


def window_request(
    technology: Technology,
    records: Path | None = None,
    *,
    name: str = "probe",
    maintenance: HostMaintenance = HostMaintenance.TERMINATE,
) -> LaunchRequest:
    """For a zone and an image that the catalogue knows every AMD technology for."""
    request = launch_request(name, technology=technology, records=records)
    place = replace(request, region="europe-west4", zone="europe-west4-a", image="ubuntu-2204-lts")
    return replace(place, host_maintenance=maintenance)


@dataclass
class EmbeddedWindow:
    """A window with what is behind it."""

    window: ShellWindow
    session: FleetSession
    provider: EmbeddedProvider

    async def launch(self, request: LaunchRequest) -> Instance:
        """As the wizard hands it over; returns the running instance with its page open."""
        await self.ask_for(request)
        await until(lambda: self._is_running(request.name), f"{request.name} runs", 30)
        made = self.session.inventory.find(request.name)
        await until(lambda: self.window.page_shown and self.window.instance_page.instance_id == made.id, "its page")
        return made

    async def ask_for(self, request: LaunchRequest) -> str:
        """Hand a request over; returns the id of the instance that is being made."""
        operation = await self.session.jobs.create(request)
        self.window.launch.accepted.emit(operation.instance_id)
        return operation.instance_id

    def _is_running(self, name: str) -> bool:
        return any(one.name == name and one.state is InstanceState.RUNNING for one in self.session.inventory.all())


@asynccontextmanager
async def embedded_window(
    data_dir: Path,
    *,
    make_site: Callable[[HostKeys], Site] = small_site,
    settings: Mapping[str, object] | None = None,
    connect: Sequence[str] = (),
) -> AsyncIterator[EmbeddedWindow]:
    """A shown window, its provider connected; closed, awaited and deleted at the end. `connect`: libvirt hosts."""
    store = await open_store(data_dir)
    library = open_library(data_dir)
    provider = EmbeddedProvider(
        data_dir, catalog(), SpyKeyStore(), library=library, make_site=make_site, make_keys=host_keys
    )
    opener = LibvirtOpener(catalog(), library)
    hosts = open_hosts(opener, (), connect)
    providers = {each.name: each for each in (provider, *hosts.values())}
    session = await FleetSession.begin(catalog(), providers, store, data_dir)
    session.images = library
    session.hosts = Hosts(session, opener, tuple(hosts))
    for key, value in (settings or {}).items():
        session.settings.put(key, value)
    window = ShellWindow(session)
    try:
        window.resize(1280, 820)
        window.show()
        await session.connect()
        for name in providers:
            await session.inventory.connected(name)
        yield EmbeddedWindow(window, session, provider)
    finally:
        window.close_for_good()
        await window.aclose()
        await session.aclose()
        window.deleteLater()
        theme_controller().withdraw()
