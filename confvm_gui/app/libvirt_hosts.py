"""Opens libvirt hosts for the fleet: the one place that hands the libvirt adapter over.

Nothing of the adapter is loaded before there is a host to open, and nothing of libvirt's own binding before it is
connected.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.ports.provider import Provider
from confvm_gui.fleet.hosts import HostFact, HostFacts

if TYPE_CHECKING:
    from confvm_gui.domain.ports.image_library import ImageLibrary
    from confvm_gui.domain.ports.keystore import KeyStore
    from confvm_gui.providers.libvirt.capabilities import HostCapabilities
    from confvm_gui.providers.libvirt.provider import LibvirtProvider


_LEARN_SECONDS: Final = 60.0
_TECHNOLOGIES: Final = (Technology.SEV, Technology.SEV_ES, Technology.SEV_SNP, Technology.TDX)


def open_library(data_dir: Path) -> ImageLibrary:
    """The library of images below `data_dir`."""
    from confvm_gui.images.library import FolderImageLibrary

    return FolderImageLibrary(data_dir / "images")


class LibvirtOpener:
    """Implements `fleet.hosts.HostOpener`."""

    def __init__(self, catalog: Catalog, library: ImageLibrary, key_store: KeyStore | None = None) -> None:
        """`key_store`: who wraps the keys of disks that are made; without, disks are plain."""
        self._catalog = catalog
        self._library = library
        self._key_store = key_store
        self._opened: WeakSet[LibvirtProvider] = WeakSet()
        """The hosts between which instances can be moved, as long as they are connected."""

    def missing(self) -> str:
        if find_spec("libvirt") is not None:
            return ""
        from confvm_gui.providers.libvirt.errors import INSTALL

        return INSTALL

    def name_of(self, uri: str) -> str:
        from confvm_gui.providers.libvirt.provider import provider_name

        return provider_name(uri)

    def open(self, name: str, uri: str) -> LibvirtProvider:
        from confvm_gui.providers.libvirt.provider import LibvirtProvider

        provider = LibvirtProvider(
            name, uri, self._library, self._catalog, peers=lambda: tuple(self._opened), key_store=self._key_store
        )
        self._opened.add(provider)
        return provider

    def facts(self, provider: Provider) -> HostFacts | None:
        from confvm_gui.providers.libvirt.provider import LibvirtProvider

        if not isinstance(provider, LibvirtProvider) or provider.host_capabilities is None:
            return None
        return host_facts(provider.host_capabilities, _running(provider))

    async def learn(self, provider: Provider) -> HostFacts | None:
        from confvm_gui.providers.libvirt.capabilities import read_capabilities
        from confvm_gui.providers.libvirt.provider import LibvirtProvider

        if not isinstance(provider, LibvirtProvider):
            return None
        host = await provider.connection.call(read_capabilities, seconds=_LEARN_SECONDS)
        return host_facts(host, _running(provider))


def _running(provider: LibvirtProvider) -> Sequence[Technology]:
    return [entry.instance.technology for entry in provider.table.all() if entry.state.is_live]


def host_facts(host: HostCapabilities, running: Sequence[Technology]) -> HostFacts:
    """`running`: the technology of each instance that runs there."""
    left = host.asids_left(running)
    facts = []
    for technology in _TECHNOLOGIES:
        reason = host.reason(technology)
        free = {Technology.SEV: left.sev, Technology.SEV_ES: left.es, Technology.SEV_SNP: left.es}.get(technology)
        detail = reason or (f"{free} ASIDs are left for such guests" if free is not None else "")
        facts.append(HostFact(technology.title, not reason, detail))
    facts += [
        HostFact("KVM", host.kvm, "" if host.kvm else "QEMU emulates the processor, which is slow: check /dev/kvm"),
        HostFact("UEFI", host.uefi, "" if host.uefi else "install the firmware package: ovmf, edk2-ovmf or qemu-ovmf"),
        HostFact(
            "Secure Boot",
            host.secure_boot,
            "" if host.secure_boot else "no firmware descriptor of the host names an image with Secure Boot",
        ),
        HostFact("vTPM", bool(host.tpm_models), "" if host.tpm_models else "install swtpm and swtpm-tools on the host"),
    ]
    parts = [
        host.hostname,
        f"{host.cpus} CPUs",
        f"{host.memory_mib / 1024:.0f} GiB",
        host.cpu_model,
        f"QEMU {_version(host.qemu_version)}" if host.qemu_version else "",
        f"libvirt {_version(host.libvirt_version)}" if host.libvirt_version else "",
    ]
    return HostFacts("  ·  ".join(part for part in parts if part), tuple(facts))


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
