"""Snapshots of domains, kept inside of their qcow2 disks (libvirt: Snapshot XML format). Functions with `conn` block.

Of a running machine the RAM is kept with the disks, so that reverting resumes it there. The description of a snapshot
names the operation that took it: taken up again after a crash, that one confirms instead of finding its name taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.ports.provider import Snapshot
from confvm_gui.providers.libvirt.bounded_xml import parse
from confvm_gui.providers.libvirt.disk_encryption import UNFIT_ELSEWHERE, is_encrypted
from confvm_gui.providers.libvirt.inventory import DomainDetails
from confvm_gui.providers.libvirt.power import lookup

if TYPE_CHECKING:
    import libvirt

SECONDS: Final = 600.0
"""Most that a snapshot may take: all RAM goes to the disk."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_MOST: Final = 1000


def unfit(details: DomainDetails, *, live: bool) -> str:
    """Why no snapshot can be taken, in one sentence, or ""."""
    if details.technology is not Technology.NONE and live:
        return (
            f"The RAM of a guest under {details.technology.title} is encrypted with a key that ends with its power-on; "
            "stop it, and its disks can be kept"
        )
    if not details.xml:
        return "Its definition has not been read yet; try again in a moment"
    root = parse(details.xml)
    if is_encrypted(root):
        return f"{UNFIT_ELSEWHERE}: the tool that keeps snapshots inside of a disk does not have it"
    loader, nvram = root.find("os/loader"), root.find("os/nvram")
    pflash = root.find("os[@firmware='efi']") is not None or (loader is not None and loader.get("type") == "pflash")
    if pflash and (nvram is None or nvram.get("format") != "qcow2"):
        return (
            "It boots by UEFI, whose variables libvirt keeps in a raw file: a snapshot inside of the disks would lack "
            "them, so libvirt refuses it"
        )
    if root.find("devices/tpm") is not None:
        return "Its vTPM keeps its state in a file of its own, which a snapshot inside of the disks would lack"
    disks = [disk for disk in root.iterfind("devices/disk") if disk.get("device", "disk") == "disk"]
    written = [disk for disk in disks if disk.find("readonly") is None]
    for disk in written:
        driver, target = disk.find("driver"), disk.find("target")
        form = driver.get("type", "raw") if driver is not None else "raw"
        if form != "qcow2":
            place = target.get("dev", "") if target is not None else ""
            return f"Its disk {place} has the format {form}; a snapshot is kept inside of qcow2 disks only"
    if not written:
        return "It has no disk that a snapshot could be kept in"
    return ""


def check_snapshot_name(name: str) -> str:
    """Raises InvalidInput("snapshot")."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "snapshot",
            "A snapshot's name has 1 to 63 letters, digits, dots, hyphens and underscores, and begins with a letter or "
            "digit",
        )
    return name


def list_snapshots(conn: libvirt.virConnect, instance_id: str) -> Sequence[Snapshot]:
    """The oldest first."""
    found = [_read(snapshot) for snapshot in lookup(conn, instance_id).listAllSnapshots(0)[:_MOST]]
    return sorted(found, key=lambda snapshot: (snapshot.created_at, snapshot.name))


def take(conn: libvirt.virConnect, instance_id: str, name: str, operation_id: str) -> None:
    """Raises InvalidInput("snapshot") where another operation has taken one of this name."""
    domain = lookup(conn, instance_id)
    there = _find(domain, check_snapshot_name(name))
    if there is not None:
        if _operation_of(there) == operation_id:
            return
        raise InvalidInput("snapshot", f"There is a snapshot named {name!r} already; choose another name")
    root = Element("domainsnapshot")
    SubElement(root, "name").text = name
    SubElement(root, "description").text = _description(operation_id)
    domain.snapshotCreateXML(tostring(root, encoding="unicode"), 0)


def revert(conn: libvirt.virConnect, instance_id: str, name: str) -> None:
    """Raises NotFound for the snapshot."""
    domain = lookup(conn, instance_id)
    snapshot = _find(domain, name)
    if snapshot is None:
        raise NotFound(f"There is no snapshot named {name!r} any more")
    domain.revertToSnapshot(snapshot, 0)


def drop(conn: libvirt.virConnect, instance_id: str, name: str) -> None:
    """One that is not there is gone already."""
    snapshot = _find(lookup(conn, instance_id), name)
    if snapshot is not None:
        snapshot.delete(0)


def drop_own(conn: libvirt.virConnect, instance_id: str, name: str, operation_id: str) -> None:
    """Undo `take`: remove the snapshot if this operation took it."""
    snapshot = _find(lookup(conn, instance_id), name)
    if snapshot is not None and _operation_of(snapshot) == operation_id:
        snapshot.delete(0)


def _description(operation_id: str) -> str:
    return f"Taken by ConfVM Console, operation {operation_id}"


def _operation_of(snapshot: libvirt.virDomainSnapshot) -> str:
    text = parse(snapshot.getXMLDesc(0)).findtext("description") or ""
    operation_id = text.rpartition(" ")[2]
    return operation_id if text == _description(operation_id) else ""


def _find(domain: libvirt.virDomain, name: str) -> libvirt.virDomainSnapshot | None:
    return next((snapshot for snapshot in domain.listAllSnapshots(0) if snapshot.getName() == name), None)


def _read(snapshot: libvirt.virDomainSnapshot) -> Snapshot:
    root = parse(snapshot.getXMLDesc(0))
    created = root.findtext("creationTime") or ""
    return Snapshot(
        name=snapshot.getName(),
        created_at=float(created) if created.isdecimal() and len(created) < 12 else 0.0,
        with_memory=root.findtext("state") in ("running", "paused"),
        current=bool(snapshot.isCurrent(0)),
        parent=root.findtext("parent/name") or "",
    )
