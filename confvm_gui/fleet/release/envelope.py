"""A secret of any length as it is kept: under a key of its own, which a KeyStore wraps.

    wrapped     length u16, little-endian | the key, 32 bytes, as the KeyStore wraps it | ciphertext || tag (16)

AES-256-GCM (SP 800-38D) with a nonce of 12 zero bytes: each key encrypts one secret. Name and conditions are
authenticated: whoever changes them in the database has a secret that does not open, not one with looser conditions.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Final

from confvm_gui.domain.errors import KeyUnavailable
from confvm_gui.domain.ports.keystore import KeyStore
from confvm_gui.domain.release import BoundSecret, Conditions, SecretKind

_LENGTH: Final = struct.Struct("<H")
_KEY_BYTES: Final = 32
_NONCE: Final = bytes(12)
_LABEL: Final = b"confvm-bound-secret-1\0"


async def wrap_secret(
    secret: bytes, store: KeyStore, key_ref: str, name: str, conditions: Conditions, made_at: float
) -> BoundSecret:
    """Raises KeyUnavailable."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = os.urandom(_KEY_BYTES)
    held = await store.wrap(key_ref, key)
    sealed = AESGCM(key).encrypt(_NONCE, secret, _bound(name, key_ref, conditions))
    wrapped = _LENGTH.pack(len(held)) + held + sealed
    return BoundSecret(name, SecretKind.BOUND, key_ref, wrapped, conditions, made_at)


async def unwrap_secret(bound: BoundSecret, conditions: Conditions, store: KeyStore) -> bytes:
    """In clear. Raises KeyUnavailable, also where name, conditions or ciphertext are not those that were bound."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        (length,) = _LENGTH.unpack_from(bound.wrapped)
    except struct.error:
        raise _altered(bound) from None
    end = _LENGTH.size + length
    key = await store.unwrap(bound.key_ref, bound.wrapped[_LENGTH.size : end])
    try:
        return AESGCM(key).decrypt(_NONCE, bound.wrapped[end:], _bound(bound.name, bound.key_ref, conditions))
    except (InvalidTag, ValueError):  # ValueError: a key of no such length
        raise _altered(bound) from None


def _bound(name: str, key_ref: str, conditions: Conditions) -> bytes:
    return _LABEL + json.dumps([name, key_ref, conditions.to_mapping()], sort_keys=True).encode()


def _altered(bound: BoundSecret) -> KeyUnavailable:
    return KeyUnavailable(f"The secret {bound.name} or its conditions were altered since it was bound; bind it anew")
