"""Shielded instances on a real libvirtd: which firmware they get, what is left of them, and why a host has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from confvm_gui.domain.errors import Unsupported
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.providers.libvirt.capabilities import Capabilities, HostCapabilities
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.create import create
from tests.support.libvirtd import Daemon
from tests.support.operations import OperationRecord
from tests.support.runners import Run
from tests.unit.providers.libvirt.test_create import PLAIN, Host, host_on

SHIELDED = replace(PLAIN, vtpm=True, secure_boot=True, integrity_monitoring=True)


async def definition(host: Host, operation: OperationRecord) -> Element:
    """Of the machine that runs."""
    return fromstring(
        await host.connection.call(lambda conn: conn.lookupByUUIDString(operation.instance_id).XMLDesc(0))
    )


@pytest.mark.parametrize(
    ("request_", "secure"), [(SHIELDED, "yes"), (replace(SHIELDED, secure_boot=False), "no")], ids=["secure", "not"]
)
def test_the_host_chooses_the_firmware(
    libvirtd: Daemon, tmp_path: Path, asyncio_run: Run, request_: LaunchRequest, secure: str
) -> None:
    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            operation = await host.create(request_)
            machine = await definition(host, operation)
            features = {one.get("name"): one.get("enabled") for one in machine.iterfind("os/firmware/feature")}
            assert features == {"secure-boot": secure, "enrolled-keys": secure}
            loader, variables = machine.find("os/loader"), machine.find("os/nvram")
            assert loader is not None
            assert variables is not None
            assert loader.get("secure", "no") == secure
            assert (".ms." in variables.get("template", "")) is (secure == "yes")
            tpm = machine.find("devices/tpm")
            assert tpm is not None
            assert tpm.get("model") == "tpm-crb"

    asyncio_run(scenario(), timeout=55)


Change = Callable[[HostCapabilities], HostCapabilities]


class Lacking(Capabilities):
    """A host that has everything but something."""

    def __init__(self, connection: LibvirtConnection, change: Change) -> None:
        super().__init__(connection, allow_kvm=False)
        self._change = change

    async def refresh(self) -> HostCapabilities:
        return self._change(await super().refresh())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda host: replace(host, tpm_models=frozenset()), "install swtpm"),
        (lambda host: replace(host, tpm_models=frozenset({"tpm-spapr"})), "install swtpm"),
        (lambda host: replace(host, uefi=False), "install OVMF"),
        (lambda host: replace(host, secure_boot=False), "Secure Boot"),
    ],
    ids=["swtpm", "model", "uefi", "secure boot"],
)
def test_a_host_without_it_says_what_to_install(
    libvirtd: Daemon, tmp_path: Path, asyncio_run: Run, change: Change, reason: str
) -> None:
    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            capabilities = Lacking(host.connection, change)
            with pytest.raises(Unsupported, match=reason):
                await create(
                    host.connection, SHIELDED, OperationRecord(), host.library, host.catalog, capabilities=capabilities
                )
            assert await host.names() == []

    asyncio_run(scenario())


def test_the_other_model_of_tpm_is_taken_where_there_is_no_crb(
    libvirtd: Daemon, tmp_path: Path, asyncio_run: Run
) -> None:
    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            host.capabilities = Lacking(
                host.connection, lambda known: replace(known, tpm_models=frozenset({"tpm-tis"}))
            )
            machine = await definition(host, await host.create(replace(PLAIN, vtpm=True)))
            tpm = machine.find("devices/tpm")
            assert tpm is not None
            assert tpm.get("model") == "tpm-tis"

    asyncio_run(scenario(), timeout=55)
