"""The definition that is shown before anything is made is one that libvirt takes, and leaves out what is not its."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import libvirt
import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import CapacityExceeded, Unsupported
from confvm_gui.domain.images import SeedSpec
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.providers.libvirt.definition import definition_text
from tests.support.libvirtd import Daemon
from tests.support.runners import Run
from tests.unit.providers.libvirt.test_create import PLAIN, host_on


def _define(conn: libvirt.virConnect, xml: str) -> None:
    conn.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)


def test_libvirt_takes_what_is_shown_and_nothing_is_made_by_showing_it(
    libvirtd: Daemon, tmp_path: Path, asyncio_run: Run
) -> None:
    async def scenario() -> None:
        async with host_on(libvirtd, tmp_path) as host:
            known = await host.capabilities.refresh()

            def shown(request: LaunchRequest) -> str:
                return definition_text(request, known, host.library, host.catalog)

            kernel = shown(PLAIN)
            assert "<uuid>" not in kernel
            assert "confvm:" not in kernel
            assert "console=ttyS0" in kernel
            disk = shown(replace(PLAIN, name="with-disk", image="debian-12", seed=SeedSpec("with-disk")))
            assert "with-disk-seed.iso" in disk
            assert await host.volumes() == []
            for text in (kernel, disk):
                await host.connection.call(partial(_define, xml=text))
            assert sorted(await host.names()) == ["probe", "with-disk"]
            with pytest.raises(Unsupported, match="KVM"):
                shown(replace(PLAIN, technology=Technology.SEV))
            small = replace(known, memory_mib=512)
            with pytest.raises(CapacityExceeded, match="smaller machine type"):
                definition_text(PLAIN, small, host.library, host.catalog)

    asyncio_run(scenario(), timeout=55)
