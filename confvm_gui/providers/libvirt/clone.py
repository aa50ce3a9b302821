"""Copies of instances that are off: their disks copied whole by the host, their definition with a new name and UUID.

The copy has MAC addresses, a cloud-init seed and firmware variables of its own, as another machine has; it shares
nothing that is written with its model, and nothing that is read but base images and the kernel. All of its volumes are
named for it, so that deleting the one leaves the other whole.
"""

from __future__ import annotations

import time
import uuid
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NameTaken
from confvm_gui.domain.instance import check_name
from confvm_gui.providers.libvirt import power, storage
from confvm_gui.providers.libvirt.bounded_xml import parse
from confvm_gui.providers.libvirt.disk_encryption import UNFIT_ELSEWHERE, is_encrypted
from confvm_gui.providers.libvirt.domain_xml import NAMESPACE
from confvm_gui.providers.libvirt.to_the_end import to_the_end

if TYPE_CHECKING:
    import libvirt

    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.providers.libvirt.capabilities import Connection
    from confvm_gui.providers.libvirt.inventory import DomainDetails

SECONDS: Final = 24 * 3600.0


def unfit(details: DomainDetails, *, live: bool) -> str:
    """Why it cannot be cloned, in one sentence, or ""."""
    if live:
        return "It runs, and its disks would change while they are copied; stop it first"
    if details.technology is not Technology.NONE:
        return (
            "A confidential guest is launched for one owner's session and its disk key belongs to one instance; "
            "create another instance of the same image instead"
        )
    if not details.xml:
        return "Its definition has not been read yet; try again in a moment"
    root = parse(details.xml)
    if is_encrypted(root):
        return f"{UNFIT_ELSEWHERE}: a copy would be open to whoever opens this one; create another instance instead"
    if root.find("devices/tpm") is not None:
        return "The keys in its vTPM are of one machine, and a copy's disk sealed to them would not open"
    if root.find("devices/hostdev") is not None:
        return "It uses a device of its host, which only one machine can have"
    for source in root.iterfind("devices/disk/source"):
        if not source.get("file"):
            return "It has a disk that is not a file, which the console cannot copy"
    return ""


async def clone(connection: Connection, instance_id: str, name: str, operation: OperationContext) -> None:
    """Make the domain `operation.instance_id`; called again it confirms. Nothing of it remains when this raises."""
    check_name(name)
    copy_id, made_by = operation.instance_id, operation.operation_id
    if await connection.call(partial(_is_there, copy_id=copy_id, name=name, made_by=made_by)):
        return
    operation.step("copy disks", 0.1)
    make = partial(_make, instance_id=instance_id, copy_id=copy_id, name=name, made_by=made_by)
    try:
        await connection.call(make, seconds=SECONDS)
    except BaseException:  # whatever ends it, cancelled too, no half copy stays on the host
        await to_the_end(connection.call(partial(_undo, copy_id=copy_id)))
        raise


# In a thread ------------------------------------------------------------------------------------------------------


def _is_there(conn: libvirt.virConnect, copy_id: str, name: str, made_by: str) -> bool:
    wanted = str(uuid.UUID(copy_id))
    for domain in conn.listAllDomains(0):
        if domain.UUIDString() == wanted:
            own = parse(domain.XMLDesc(0)).find(_OWN)
            if own is None or own.get("operation_id") != made_by:
                raise InvalidInput("name", "Another machine of the host has this instance's UUID")
            return True
        if domain.name() == name:
            raise NameTaken("name", f"The host has a machine named {name} already; choose another name")
    return False


def _make(conn: libvirt.virConnect, instance_id: str, copy_id: str, name: str, made_by: str) -> None:
    import libvirt

    storage.remove_volumes(conn, copy_id)  # of an attempt that a crash had ended
    model = power.lookup(conn, instance_id)
    root = parse(model.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
    _set(root, "name", name)
    _set(root, "uuid", str(uuid.UUID(copy_id)))
    for parent in list(root.iter()):
        # libvirt makes new ones: address of an interface, firmware variables, generation id, paths of sockets.
        for own in [child for child in parent if child.tag in ("mac", "nvram", "genid")]:
            parent.remove(own)
    for socket in root.findall("devices/channel[@type='unix']/source"):
        socket.attrib.pop("path", None)
    _sign(root, made_by)
    storage.ensure_pool(conn)
    for disk in root.findall("devices/disk"):
        source, target = disk.find("source"), disk.find("target")
        path = source.get("file", "") if source is not None else ""
        file = PurePosixPath(path).name
        goes_along = file.startswith(instance_id)
        if source is None or not path or (disk.find("readonly") is not None and not goes_along):
            continue  # what only is read, as an installer's image, both may have
        place = target.get("dev", "disk") if target is not None else "disk"
        name = f"{copy_id}{file.removeprefix(instance_id)}" if goes_along else f"{copy_id}-{place}.img"
        source.attrib.clear()
        source.set("file", _copy(conn, path, name))
        for chain in disk.findall("backingStore"):
            disk.remove(chain)  # the copy is whole
    conn.defineXML(tostring(root, encoding="unicode"))


def _copy(conn: libvirt.virConnect, path: str, name: str) -> str:
    """A whole copy of a volume in the console's pool; its path."""
    volume = conn.storageVolLookupByPath(path)
    described = parse(volume.XMLDesc(0), "volume")
    form = described.find("target/format")
    wanted = Element("volume")
    SubElement(wanted, "name").text = name
    SubElement(wanted, "capacity", unit="bytes").text = described.findtext("capacity") or "0"
    SubElement(wanted, "allocation", unit="bytes").text = "0"
    SubElement(SubElement(wanted, "target"), "format", type=form.get("type", "raw") if form is not None else "raw")
    pool = conn.storagePoolLookupByName(storage.POOL)
    return pool.createXMLFrom(tostring(wanted, encoding="unicode"), volume, 0).path()


def _sign(root: Element, made_by: str) -> None:
    """The copy was made now, by another operation than its model."""
    register_namespace("confvm", NAMESPACE)
    own = root.find(_OWN)
    if own is not None:
        own.set("operation_id", made_by)
        own.set("created_at", f"{time.time():.3f}")


def _undo(conn: libvirt.virConnect, copy_id: str) -> None:
    import libvirt

    try:
        power.undefine(conn, copy_id)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
    storage.remove_volumes(conn, copy_id)


def _set(root: Element, tag: str, text: str) -> None:
    found = root.find(tag)
    if found is not None:
        found.text = text


_OWN: Final = f"metadata/{{{NAMESPACE}}}instance"
