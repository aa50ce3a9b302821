"""Machines with a disk in the console's storage pool, as libvirt hosts have them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from confvm_gui.providers.libvirt import storage
from confvm_gui.providers.libvirt.domain_xml import NAMESPACE
from confvm_gui.providers.libvirt.provider import LibvirtProvider
from tests.support.libvirtd import tiny_domain
from tests.support.patience import until

if TYPE_CHECKING:
    import libvirt

DISK_BYTES = 4 << 20


async def define_with_disk(provider: LibvirtProvider, name: str = "probe", form: str = "qcow2") -> str:
    """A machine of the console's whose disk is a volume of the pool; returns its instance id."""
    instance_id = uuid.uuid4().hex

    def work(conn: libvirt.virConnect) -> None:
        storage.ensure_pool(conn)
        pool = conn.storagePoolLookupByName(storage.POOL)
        volume = pool.createXML(
            f"<volume><name>{storage.overlay_name(instance_id)}</name><capacity>{DISK_BYTES}</capacity>"
            f"<target><format type='{form}'/></target></volume>",
            0,
        )
        disk = (
            f"<disk type='file' device='disk'><driver name='qemu' type='{form}'/><source file='{volume.path()}'/>"
            "<target dev='vda' bus='virtio'/></disk>"
        )
        own = (
            f"<metadata><confvm:instance xmlns:confvm='{NAMESPACE}' operation_id='made' created_at='1.000' "
            "image='local:i' machine_type='small-1'><confvm:label key='team' value='clinic'/></confvm:instance>"
            "</metadata>"
        )
        interface = "<interface type='user'><model type='virtio'/></interface>"
        xml = tiny_domain(name, domain_id=instance_id, devices=disk + interface)
        conn.defineXML(xml.replace("<memory", f"{own}<memory", 1))

    await provider.connection.call(work)
    await until(lambda: provider.table.find(instance_id) is not None)
    return instance_id


async def volumes(provider: LibvirtProvider) -> list[str]:
    """Names of all volumes of the console's pool; none where there is no pool."""

    def work(conn: libvirt.virConnect) -> list[str]:
        found: list[str] = []
        for pool in conn.listAllStoragePools(0):
            if pool.name() == storage.POOL:
                pool.refresh(0)
                found += pool.listVolumes()
        return sorted(found)

    return await provider.connection.call(work)


async def definition(provider: LibvirtProvider, instance_id: str) -> str:
    """Its XML."""
    return await provider.connection.call(lambda conn: conn.lookupByUUIDString(str(uuid.UUID(instance_id))).XMLDesc(0))
