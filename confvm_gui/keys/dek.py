"""Data encryption keys as all stores take and give them: 16 to 64 bytes.

What a service gives back in place of a DEK is believed only if it is the DEK that went in: `sealed` puts a commitment
before the service's wrapping, and `opened` holds the answer against it. The commitment is a hash of a key of 128
random bits at least, from which nobody finds the key.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from confvm_gui.domain.errors import InvalidInput, KeyUnavailable, NotFound

LEAST_BYTES: Final = 16
MOST_BYTES: Final = 64
_MAGIC: Final = b"CVK1"
_NAME_BYTES: Final = 8
_HASH_BYTES: Final = 32
_START: Final = len(_MAGIC) + _NAME_BYTES + _HASH_BYTES
"""Of the service's part."""


class NoSuchKey(NotFound, KeyUnavailable):
    """There is no key of this name: NotFound for who asks of it, KeyUnavailable for who needs it."""


def check_dek(key: bytes) -> None:
    """Raises InvalidInput("key") for what is no DEK."""
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise InvalidInput(
            "key", f"A disk key of {len(key)} bytes was given; {LEAST_BYTES} to {MOST_BYTES} are allowed"
        )


def sealed(key_ref: str, key: bytes, wrapping: bytes) -> bytes:
    """`wrapping`, what the service made of `key` under `key_ref`, with the commitment to `key` before it."""
    return _MAGIC + _name_hash(key_ref) + _commitment(key_ref, key) + wrapping


def wrapping_of(key_ref: str, wrapped: bytes) -> bytes:
    """The service's part of what `sealed` made. Raises KeyUnavailable for anything else."""
    if not wrapped.startswith(_MAGIC + _name_hash(key_ref)) or len(wrapped) <= _START:
        raise not_authentic(key_ref)
    return wrapped[_START:]


def opened(key_ref: str, wrapped: bytes, key: bytes) -> bytes:
    """`key`, if it is what went into `wrapped`. Raises KeyUnavailable otherwise."""
    told = wrapped[_START - _HASH_BYTES : _START]
    if not LEAST_BYTES <= len(key) <= MOST_BYTES or not hmac.compare_digest(told, _commitment(key_ref, key)):
        raise not_authentic(key_ref)
    return key


def not_authentic(key_ref: str) -> KeyUnavailable:
    """For a wrapping that this key did not make."""
    return KeyUnavailable(f"The disk key was not wrapped under {key_ref}, or was damaged since; it cannot be unwrapped")


def _name_hash(key_ref: str) -> bytes:
    """So that a wrapping of another key is told without asking the service."""
    return hashlib.sha256(b"confvm-key\0" + key_ref.encode()).digest()[:_NAME_BYTES]


def _commitment(key_ref: str, key: bytes) -> bytes:
    return hashlib.sha256(b"confvm-dek\0" + key_ref.encode() + b"\0" + key).digest()
