"""Switching an instance on that exists: held until its console is open, a SEV guest by way of its owner."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import Unsupported
from confvm_gui.providers.libvirt import power
from confvm_gui.providers.libvirt.connection import LONG_SECONDS
from confvm_gui.providers.libvirt.sev_launch import run_at_once

if TYPE_CHECKING:
    from confvm_gui.catalog import Catalog
    from confvm_gui.domain.ports.image_library import ImageLibrary
    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.providers.libvirt.connection import LibvirtConnection
    from confvm_gui.providers.libvirt.console import Consoles
    from confvm_gui.providers.libvirt.inventory import DomainDetails


async def start(
    connection: LibvirtConnection,
    operation: OperationContext,
    instance_id: str,
    details: DomainDetails,
    consoles: Consoles,
    library: ImageLibrary,
    catalog: Catalog,
) -> None:
    """Raises Unsupported for a SEV guest that another program made, and what `create.power_on` raises."""
    request = await operation.launched()
    # What the console asked for decides: a host that has changed the definition does not get around its owner.
    technology = details.technology if request is None else request.technology
    consoles.expect(instance_id)
    ready = partial(consoles.ready, instance_id) if details.console else run_at_once
    if technology in (Technology.SEV, Technology.SEV_ES):
        from confvm_gui.providers.libvirt.capabilities import Capabilities
        from confvm_gui.providers.libvirt.create import power_on

        if request is None:
            raise Unsupported(
                "Another program made this SEV guest, so the console cannot know which policy and command line its "
                "launch must have; start it with that program"
            )
        host = await Capabilities(connection).refresh()
        await power_on(connection, request, operation, library, catalog, host, before_run=ready)
        return
    await connection.call(partial(power.start_paused, instance_id=instance_id), seconds=LONG_SECONDS)
    await ready()
    await connection.call(partial(power.resume, instance_id=instance_id))
