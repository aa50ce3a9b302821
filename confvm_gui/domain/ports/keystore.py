"""Keys that wrap other keys. Private bytes never cross this seam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from confvm_gui.domain.keys import KeyInfo


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


@runtime_checkable
class GovernsKeys(Protocol):
    """A KeyStore whose keys can be listed, rotated and ended. All raise KeyUnavailable, NotFound, Unsupported with
    the reason where the service or token has no such function, InvalidInput("disk_key") for a KeyRef that is none.
    """

    async def keys(self) -> Sequence[KeyInfo]:
        """All that this store can reach."""

    async def info(self, key_ref: str) -> KeyInfo: ...

    async def rotate(self, key_ref: str) -> KeyInfo:
        """Make a new primary version; what older versions wrapped can still be unwrapped."""

    async def disable(self, key_ref: str) -> KeyInfo:
        """Nothing can be wrapped or unwrapped until `enable`."""

    async def enable(self, key_ref: str) -> KeyInfo: ...

    async def destroy(self, key_ref: str, *, after_seconds: float) -> KeyInfo:
        """Schedule the destruction of all versions, 0 for now; services have least times of their own and refuse
        a shorter one with InvalidInput. What was wrapped is then lost for good."""

    async def restore(self, key_ref: str) -> KeyInfo:
        """Call a scheduled destruction off; the key is disabled then."""
