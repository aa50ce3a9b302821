"""What a definition says of an encrypted disk: with which secret libvirt opens it, and the wrapped key itself.

See `disk_keys` for how they go together.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace

from confvm_gui.domain.errors import StoreCorrupt

NAMESPACE: Final = "https://confvm.example/xmlns/libvirt/disk-key/1"
PATH: Final = f"metadata/{{{NAMESPACE}}}wrapped"
"""From the root of a domain's definition to the wrapped key."""
UNFIT_ELSEWHERE: Final = "Its disk is encrypted, and its key is handed to this host alone, for each start anew"
PREFIX: Final = "diskkey"
_MOST_WRAPPED: Final = 8192
_SECRETS: Final = uuid.UUID("0e1b7c5a-5d0d-4a53-9f0c-2c4b6f7f8a11")
"""Namespace of the secrets' UUIDs (RFC 4122, version 5)."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A disk's DEK as the host keeps it."""

    key_ref: str
    wrapped: bytes


def secret_id(instance_id: str) -> str:
    """UUID of the secret that a domain's disk names."""
    return str(uuid.uuid5(_SECRETS, instance_id))


def add_encryption(parent: Element, instance_id: str) -> None:
    """To a volume's target or a disk's source."""
    encryption = SubElement(parent, "encryption", format="luks")
    SubElement(encryption, "secret", type="passphrase", uuid=secret_id(instance_id))


def add_cipher(parent: Element) -> None:
    """To the encryption of a volume that is made: what QEMU is to use, whatever its version would choose.

    SHA-512, as a try of SHA-256 may be over before older QEMUs can measure the time (see `storage`).
    """
    encryption = parent.find("encryption")
    if encryption is not None:
        SubElement(encryption, "cipher", name="aes", size="256", mode="xts", hash="sha512")
        SubElement(encryption, "ivgen", name="plain64")


def add_wrapped(metadata: Element, key: WrappedKey) -> None:
    metadata.append(element_of(key))


def is_encrypted(definition: Element) -> bool:
    """Whether the console, or another program, has had a disk of this domain encrypted."""
    return definition.find("devices/disk//encryption") is not None


def read_wrapped(definition: Element) -> WrappedKey | None:
    """The wrapped key in a domain's definition, None where there is none. Raises StoreCorrupt."""
    found = definition.find(PATH)
    return None if found is None else _read(found)


def element_of(key: WrappedKey) -> Element:
    register_namespace(PREFIX, NAMESPACE)
    dek = base64.b64encode(key.wrapped).decode()
    return Element(f"{{{NAMESPACE}}}wrapped", {"ref": key.key_ref, "dek": dek})


def _read(element: Element) -> WrappedKey:
    try:
        wrapped = base64.b64decode(element.get("dek", "")[: _MOST_WRAPPED * 2], validate=True)
    except binascii.Error:
        wrapped = b""
    key_ref = element.get("ref", "")
    if not key_ref or not wrapped or len(wrapped) > _MOST_WRAPPED:
        raise StoreCorrupt("The host has damaged the wrapped key of this instance's disk, so it cannot be opened")
    return WrappedKey(key_ref, wrapped)
