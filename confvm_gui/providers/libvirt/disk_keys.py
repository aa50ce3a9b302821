"""Disks of instances encrypted by QEMU under a DEK that a key of a KeyStore wraps (libvirt: Storage volume encryption).

    qcow2 overlay, its clusters LUKS (AES-256-XTS, plain64)     passphrase = base64 of the DEK, 32 random bytes
    domain's disk      <encryption format="luks"> with the UUID of a secret that is not there
    domain's metadata  <diskkey:wrapped ref="KeyRef" dek="base64"/>, the only copy of the DEK, wrapped

For each creation and each start the DEK is unwrapped and handed to libvirtd as an ephemeral, private secret: libvirtd
keeps it in its RAM and gives it out to nobody but QEMU. It is undefined as soon as QEMU has it. The base image below
the overlay is as public as its vendor made it, and the cloud-init seed is not encrypted. Whoever controls a running
host can read the key in QEMU's RAM: this protects disks at rest, not from their host.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from confvm_gui.domain.errors import KeyUnavailable, NotFound, StoreCorrupt, Unsupported
from confvm_gui.domain.keys import KeyUse
from confvm_gui.providers.libvirt import power
from confvm_gui.providers.libvirt.bounded_xml import parse
from confvm_gui.providers.libvirt.disk_encryption import (
    NAMESPACE,
    PREFIX,
    WrappedKey,
    element_of,
    read_wrapped,
    secret_id,
)
from confvm_gui.providers.libvirt.to_the_end import to_the_end

if TYPE_CHECKING:
    import libvirt

    from confvm_gui.domain.ports.keystore import KeyStore
    from confvm_gui.providers.libvirt.capabilities import Connection

_DEK_BYTES: Final = 32


async def new_key(key_store: KeyStore, key_ref: str) -> tuple[WrappedKey, bytes]:
    """A new DEK, wrapped and as the passphrase. Raises KeyUnavailable, InvalidInput("disk_key")."""
    dek = secrets.token_bytes(_DEK_BYTES)
    await key_store.create(key_ref)
    return WrappedKey(key_ref, await key_store.wrap(key_ref, dek)), base64.b64encode(dek)


@asynccontextmanager
async def handed_over(connection: Connection, instance_id: str, passphrase: bytes) -> AsyncIterator[None]:
    """Within, libvirtd knows the passphrase of the instance's disk."""
    try:
        await connection.call(partial(_define_secret, instance_id=instance_id, passphrase=passphrase))
        yield
    finally:
        await to_the_end(connection.call(partial(_undefine_secret, instance_id=instance_id)))


@asynccontextmanager
async def unlocked(connection: Connection, key_store: KeyStore | None, instance_id: str) -> AsyncIterator[None]:
    """Within, the domain can be started, if need be with the key of its disk.

    Raises KeyUnavailable with the store's reason, StoreCorrupt where the host has lost or changed the wrapped key.
    """
    key = await connection.call(partial(wrapped_key, instance_id=instance_id))
    if key is None:
        yield
        return
    if key_store is None:
        raise KeyUnavailable(f"The disk's key is wrapped by {key.key_ref}, and this session has no key store")
    passphrase = base64.b64encode(await key_store.unwrap(key.key_ref, key.wrapped))
    async with handed_over(connection, instance_id, passphrase):
        yield


async def rewrap(connection: Connection, key_store: KeyStore, instance_id: str, key_ref: str) -> None:
    """Wrap the disk's DEK under `key_ref` instead; the disk stays as it is. Raises NotFound, KeyUnavailable."""
    old = await connection.call(partial(wrapped_key, instance_id=instance_id))
    if old is None:
        raise NotFound("This instance has no encrypted disk")
    dek = await key_store.unwrap(old.key_ref, old.wrapped)
    new = WrappedKey(key_ref, await key_store.wrap(key_ref, dek))
    if not hmac.compare_digest(await key_store.unwrap(key_ref, new.wrapped), dek):
        raise KeyUnavailable(f"What {key_ref} wrapped it does not unwrap again; the disk stays as it was")
    await connection.call(partial(_replace, instance_id=instance_id, key=new))


# In a thread ------------------------------------------------------------------------------------------------------


def wrapped_key(conn: libvirt.virConnect, instance_id: str) -> WrappedKey | None:
    """Raises NotFound, StoreCorrupt."""
    import libvirt

    try:
        return read_wrapped(parse(power.read_xml(conn, instance_id)))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            raise NotFound("This instance does not exist any more") from None
        raise


def uses(conn: libvirt.virConnect) -> list[KeyUse]:
    """Of all domains of the host. One that goes away meanwhile holds nothing."""
    import libvirt

    found: list[KeyUse] = []
    for domain in conn.listAllDomains(0):
        with suppress(libvirt.libvirtError):
            found += uses_in(domain.XMLDesc(0), uuid.UUID(domain.UUIDString()).hex, domain.name())
    return found


def uses_in(xml: str, instance_id: str, name: str) -> list[KeyUse]:
    """What a definition says of the key that holds its disk; nothing where it makes no sense."""
    with suppress(StoreCorrupt):
        key = read_wrapped(parse(xml))
        if key is not None:
            return [KeyUse(instance_id, name, key.key_ref, "disk")]
    return []


def _define_secret(conn: libvirt.virConnect, instance_id: str, passphrase: bytes) -> None:
    import libvirt

    root = Element("secret", ephemeral="yes", private="yes")
    SubElement(root, "uuid").text = secret_id(instance_id)
    SubElement(root, "description").text = f"Disk of the ConfVM instance {instance_id}"
    try:
        conn.secretDefineXML(tostring(root, encoding="unicode"), 0).setValue(passphrase, 0)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
            raise Unsupported("This host keeps no secrets, so it cannot open encrypted disks") from None
        raise


def _undefine_secret(conn: libvirt.virConnect, instance_id: str) -> None:
    import libvirt

    try:
        conn.secretLookupByUUIDString(secret_id(instance_id)).undefine()
    except libvirt.libvirtError as error:
        if error.get_error_code() not in (libvirt.VIR_ERR_NO_SECRET, libvirt.VIR_ERR_NO_SUPPORT):
            raise


def _replace(conn: libvirt.virConnect, instance_id: str, key: WrappedKey) -> None:
    """libvirt replaces a definition's file in one step."""
    import libvirt

    domain = power.lookup(conn, instance_id)
    where = libvirt.VIR_DOMAIN_AFFECT_CONFIG if domain.isPersistent() else 0
    if domain.isActive():
        where |= libvirt.VIR_DOMAIN_AFFECT_LIVE
    root = element_of(key)
    root.tag = "wrapped"  # libvirt adds prefix and namespace itself
    xml = tostring(root, encoding="unicode")
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, xml, PREFIX, NAMESPACE, where)
