"""Keys that wrap other keys. Private bytes never cross this seam."""

from __future__ import annotations

from typing import Protocol


class KeyStore(Protocol):
    """Wraps and unwraps data encryption keys under a key named by a KeyRef URI (`local:default`)."""

    @property
    def scheme(self) -> str:
        """The URI scheme that it serves: `local`, `pkcs11` …"""

    async def create(self, key_ref: str) -> None:
        """Make the key if it does not exist."""

    async def wrap(self, key_ref: str, key: bytes) -> bytes:
        """Wrap a DEK of 16 to 64 bytes. Raises KeyUnavailable."""

    async def unwrap(self, key_ref: str, wrapped: bytes) -> bytes:
        """The DEK again. Raises KeyUnavailable if the key is gone or the wrapping is not authentic."""
