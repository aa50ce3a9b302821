"""Keys that wrap the keys of disks, as an administrator sees them: references and states, never key bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum


class KeyState(Enum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    DESTROY_SCHEDULED = "destroy scheduled"
    DESTROYED = "destroyed"
    UNREACHABLE = "unreachable"
    """The token is not plugged in, the service does not answer."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """One key that wraps others."""

    ref: str
    """KeyRef URI: `local:NAME`, `pkcs11:token=…;object=…` (RFC 7512), `gcpkms:projects/…/cryptoKeys/NAME`,
    `awskms:REGION/KEY-ID`, `azurekv:VAULT/NAME`."""
    algorithm: str
    """`AES-256 key wrap (RFC 3394)` …"""
    protection: str
    """Where its bytes are and who can use it, for people: `system keyring`, `SoftHSM token confvm` …"""
    state: KeyState
    state_reason: str = ""
    primary_version: int = 1
    versions: int = 1
    created_at: float | None = None
    """Seconds since the epoch, UTC; None where the store does not tell."""
    destroy_at: float | None = None
    hardware: bool = False
    """Kept in an HSM that says so."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One data encryption key that a key holds."""

    instance_id: str
    instance_name: str
    key_ref: str
    what: str
    """`disk` …"""


@dataclass(frozen=True, slots=True)
class KeyOperation:
    """One use of a key, as the log keeps it."""

    key_ref: str
    use: str
    """`create`, `wrap`, `unwrap`"""
    instance_id: str
    """For whom (see `using_keys_for`); "" if that is not known."""
    problem: str = ""
    """Why it failed; "" where it did not."""


_FOR_WHOM: ContextVar[str] = ContextVar("keys used for", default="")


@contextmanager
def using_keys_for(instance_id: str) -> Iterator[None]:
    """Within, this task uses keys for the instance."""
    token = _FOR_WHOM.set(instance_id)
    try:
        yield
    finally:
        _FOR_WHOM.reset(token)


def keys_used_for() -> str:
    """Id of the instance for which this task uses keys, or ""."""
    return _FOR_WHOM.get()
