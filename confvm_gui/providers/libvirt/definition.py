"""The definition that a request becomes on a host, to be read before anything is made, or given to virsh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import indent, tostring

from confvm_gui.domain.images import LIBRARY_PREFIX, ImageKind
from confvm_gui.providers.libvirt import storage
from confvm_gui.providers.libvirt.bounded_xml import parse
from confvm_gui.providers.libvirt.create import CLOUD, check_host, plan_domain
from confvm_gui.providers.libvirt.disk_encryption import WrappedKey
from confvm_gui.providers.libvirt.domain_xml import DirectKernel, domain_xml

if TYPE_CHECKING:
    from confvm_gui.catalog import Catalog
    from confvm_gui.domain.instance import LaunchRequest
    from confvm_gui.domain.ports.image_library import ImageLibrary
    from confvm_gui.providers.libvirt.capabilities import HostCapabilities

_NOBODY: Final = "0" * 32
_SESSION_POOL: Final = "/home/USER/.local/share/libvirt/images/confvm"


def definition_text(
    request: LaunchRequest, host: HostCapabilities, library: ImageLibrary, catalog: Catalog, *, keyed: bool = False
) -> str:
    """Indented XML without UUID and metadata, which a create chooses. Raises what `create` would raise before it.

    `keyed`: there are keys for the disk. The secret that opens it has another UUID for each instance.
    """
    machine = catalog.machine_type(CLOUD, request.machine_type)
    check_host(host, request, machine)
    image_id = request.image.removeprefix(LIBRARY_PREFIX)
    image = next((image for image in library.images() if image.id == image_id), None)
    pool = PurePosixPath(_SESSION_POOL if host.session else storage.SYSTEM_PATH)
    boot = None
    disk = str(pool / f"{request.name}.qcow2")
    if image is not None and image.kind is ImageKind.KERNEL:
        boot = DirectKernel(str(pool / "kernel.img"), str(pool / "initrd.img"), image.command_line)
        disk = ""
    seed = str(pool / f"{request.name}-seed.iso") if request.seed is not None else ""
    plan = plan_domain(request, _NOBODY, "", host, machine, str(pool), disk=disk, seed=seed, boot=boot)
    if keyed and disk and request.disk_key:
        plan = replace(plan, disk_key=WrappedKey(request.disk_key, b""))
    domain = parse(domain_xml(plan), "domain")
    for name in ("uuid", "metadata"):
        found = domain.find(name)
        if found is not None:
            domain.remove(found)
    indent(domain)
    return tostring(domain, encoding="unicode") + "\n"
